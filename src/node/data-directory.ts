/** The data directory, made where it is missing; what stands in the way is said in words that help. */
import { accessSync, constants, mkdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

/**
 * One level at a time from the nearest directory that exists: Node's own recursive making never returns where the system
 * refuses names as below /proc.
 */
export function makeDataDirectory(dataDir: string): void {
  const wanted = resolve(dataDir);
  const missing: string[] = [];
  let above = wanted;
  try {
    for (let stat = statOf(above); ; stat = statOf(above)) {
      if (stat?.isDirectory() === true) break;
      if (stat !== undefined) throw new Error(`${above} is a file, not a directory`);
      missing.push(above);
      above = dirname(above);
    }
    accessSync(above, constants.W_OK | constants.X_OK);
    for (const directory of missing.reverse()) mkdirSync(directory);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(
      `The data directory ${wanted} cannot be used: ${why}. Name one that the node may create and write with --data-dir.`,
      { cause },
    );
  }
}

const DEMONSTRATION = "demonstration";

/** Says that an account with a well-known password is kept there. */
export function markDemonstration(dataDir: string): void {
  makeDataDirectory(dataDir);
  writeFileSync(join(resolve(dataDir), DEMONSTRATION), "Kept by `npm run demo`: its admin's password is well known.\n");
}

/** Throws when a demonstration has lived there: whoever has read its documentation could sign in as an admin. */
export function refuseDemonstration(dataDir: string): void {
  if (statOf(join(resolve(dataDir), DEMONSTRATION)) === undefined) return;
  throw new Error(
    `The data directory ${resolve(dataDir)} is a demonstration's, in which an admin has a well-known password. ` +
      "Name another with --data-dir.",
  );
}

const statOf = (path: string): ReturnType<typeof statSync> | undefined => statSync(path, { throwIfNoEntry: false });
