import { spawnSync } from "node:child_process";
import t from "tap";
import { markingFlag } from "./collector-helpers.js";

const HELPERS = new URL("./collector-helpers.js", import.meta.url).href;

t.test("R-BEN-1: marking what lives takes no more than all cores but one, and a single core it shares", async (t) => {
  const flags = [1, 2, 3, 4].map(markingFlag);
  t.same(
    flags,
    [1, 1, 2, 3].map((helpers) => `--concurrent-marking-max-worker-num=${helpers}`),
  );
  t.same([5, 8, 64].map(markingFlag), [null, null, null], "where there is room, V8's own choice stands");
});

t.test("R-BEN-1: a worker's heap that is made afterwards is marked by one helper at a time", async (t) => {
  const program = `
    import { Worker } from "node:worker_threads";
    import { leaveACoreToWork } from ${JSON.stringify(HELPERS)};
    leaveACoreToWork(2);
    const fill = "const kept = []; for (let i = 0; i < 600000; i++) kept.push({ i, inner: { list: [i] } });";
    new Worker(fill, { eval: true });`;
  const args = ["--trace-concurrent-marking", "--input-type=module", "--eval", program];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  t.equal(status, 0, stderr);
  const started = stdout.match(/Starting major concurrent marking task \d+/g) ?? [];
  t.ok(started.length > 0, "it was marked beside its work");
  t.same([...new Set(started)], ["Starting major concurrent marking task 1"], "and never by a second");
});
