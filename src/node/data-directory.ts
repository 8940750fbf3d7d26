/** The data directory, made where it is missing; what stands in the way is said in words that help. */
import { accessSync, constants, mkdirSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";

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

const statOf = (path: string): ReturnType<typeof statSync> | undefined => statSync(path, { throwIfNoEntry: false });
