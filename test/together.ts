/**
 * Some test files in one process, one after the other. Their absolute paths come on standard input, a line each (tap
 * names folders after a process' arguments). What they import is read once, and those that need a database share its
 * server. A test with the name that `endOf` gives stands after those of each file; whoever reads the output
 * (`readTogether`) tells the files by it.
 */
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import t from "tap";
import { endOf } from "./support/tap-output.js";

const STANDARD_INPUT = 0;
const files = readFileSync(STANDARD_INPUT, "utf8").split("\n");

for (const [number, file] of files.entries()) {
  try {
    await import(pathToFileURL(file).href);
  } catch (error) {
    t.error(error);
  }
  await t.test(endOf(number), async () => {});
}
