/** Where a run of minutes or hours writes its result: looked at before it begins, not when it is over. */
import { accessSync, constants, existsSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";

/** Why nothing could be written there, in words for whoever named it; null where it can. Leaves no file behind. */
export function whyNotWritable(path: string): string | null {
  const file = resolve(path);
  const folder = dirname(file);
  if (existsSync(file) && statSync(file).isDirectory()) return "name a file, not a folder";
  if (!existsSync(folder)) return `there is no folder ${folder}`;
  try {
    accessSync(existsSync(file) ? file : folder, constants.W_OK);
    return null;
  } catch (cause) {
    return `it cannot be written: ${(cause as Error).message}`;
  }
}
