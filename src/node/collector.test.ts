import { spawnSync } from "node:child_process";
import t from "tap";
import { collectorFlags } from "./collector.js";

const COLLECTOR = new URL("./collector.js", import.meta.url).href;
const YOUNG = "--no-allocation-site-pretenuring";
const HELPERS = "--concurrent-marking-max-worker-num=";

/** What a program with a worker whose every object survives says when it is traced so. */
function traced(flag: string, tunes: boolean): string {
  const program = `
    import { Worker } from "node:worker_threads";
    import { tuneCollector } from ${JSON.stringify(COLLECTOR)};
    if (${tunes}) tuneCollector(2);
    const fill = "const kept = []; for (let i = 0; i < 600000; i++) kept.push({ i, inner: { list: [i] } });";
    new Worker(fill, { eval: true });`;
  const args = [flag, "--input-type=module", "--eval", program];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  return stdout;
}

t.test("R-BEN-1: marking what lives takes no more than all cores but one, and a single core it shares", async (t) => {
  t.same(
    [1, 2, 3, 4].map(collectorFlags),
    [1, 1, 2, 3].map((helpers) => [YOUNG, `${HELPERS}${helpers}`]),
  );
  t.same([5, 8, 64].map(collectorFlags), [[YOUNG], [YOUNG], [YOUNG]], "where there is room, V8's own choice stands");
});

t.test("R-BEN-1: a worker's heap that is made afterwards is marked by one helper at a time", async (t) => {
  const started = traced("--trace-concurrent-marking", true).match(/Starting major concurrent marking task \d+/g) ?? [];
  t.ok(started.length > 0, "it was marked beside its work");
  t.same([...new Set(started)], ["Starting major concurrent marking task 1"], "and never by a second");
});

t.test("R-BEN-1: what survived once does not begin old ever after", async (t) => {
  const statistics = "--trace-pretenuring-statistics";
  t.match(traced(statistics, false), /pretenuring: AllocationSite/, "left alone, V8 thinks about it");
  t.equal(traced(statistics, true), "", "it does not");
});
