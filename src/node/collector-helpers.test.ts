import { spawnSync } from "node:child_process";
import t from "tap";
import { markingFlag } from "./collector-helpers.js";

t.test("R-TRK-1: marking what lives takes no more than all cores but one, and a single core it shares", async (t) => {
  const flags = [1, 2, 3, 4].map(markingFlag);
  t.same(
    flags,
    [1, 1, 2, 3].map((helpers) => `--concurrent-marking-max-worker-num=${helpers}`),
  );
  t.same([5, 8, 64].map(markingFlag), [null, null, null], "where there is room, V8's own choice stands");
});

t.test("R-TRK-1: this release of Node knows the flag", async (t) => {
  // An unknown flag is ignored when it is set while the process runs, and refused on the command line.
  const { status, stderr } = spawnSync(process.execPath, [markingFlag(2)!, "--eval", ""], { encoding: "utf8" });
  t.equal(status, 0, stderr);
});
