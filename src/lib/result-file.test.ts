import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { whyNotWritable } from "./result-file.js";

t.test(
  "whoever names a file for a result hears at once that it cannot be written, and nothing is left behind",
  async (t) => {
    const folder = t.testdir();
    const file = join(folder, "result.json");
    t.equal(whyNotWritable(file), null);
    t.notOk(existsSync(file));
    writeFileSync(file, "{}");
    t.equal(whyNotWritable(file), null, "one that is there is written over");
    t.match(whyNotWritable(join(folder, "missing", "result.json")), /there is no folder .*missing/);
    mkdirSync(join(folder, "taken"));
    t.equal(whyNotWritable(join(folder, "taken")), "name a file, not a folder");
  },
);
