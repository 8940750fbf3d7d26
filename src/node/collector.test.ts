import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import t from "tap";
import { COMMAND_LINE, collectorFlags } from "./collector.js";

const COLLECTOR = new URL("./collector.js", import.meta.url).href;
const ALWAYS = ["--no-allocation-site-pretenuring", "--no-memory-reducer", "--min-semi-space-size=16"];
const HELPERS = "--concurrent-marking-max-worker-num=";

const FILLED = "const kept = []; for (let i = 0; i < 2000000; i++) kept.push({ i, inner: { list: [i] } });";
const TELLS_ITS_YOUNG = `
  import { getHeapSpaceStatistics } from "node:v8";
  const { space_size } = getHeapSpaceStatistics().find((each) => each.space_name === "new_space");
  process.stdout.write(String(space_size));`;

/** What a program with a worker that does this says when it is traced so. */
function traced(flags: readonly string[], tunes: boolean, work = FILLED): string {
  const program = `
    import { Worker } from "node:worker_threads";
    import { tuneCollector } from ${JSON.stringify(COLLECTOR)};
    if (${tunes}) tuneCollector(2);
    new Worker(${JSON.stringify(work)}, { eval: true });`;
  const args = [...flags, "--input-type=module", "--eval", program];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  return stdout;
}

t.test("R-BEN-1: marking what lives takes no more than all cores but one, and a single core it shares", async (t) => {
  t.same(
    [1, 2, 3, 4].map(collectorFlags),
    [1, 1, 2, 3].map((helpers) => [...ALWAYS, `${HELPERS}${helpers}`]),
  );
  t.same([5, 8, 64].map(collectorFlags), [ALWAYS, ALWAYS, ALWAYS], "where there is room, V8's own choice stands");
});

t.test("R-BEN-1: a worker's heap that is made afterwards is marked by one helper at a time", async (t) => {
  const started =
    traced(["--trace-concurrent-marking"], true).match(/Starting major concurrent marking task \d+/g) ?? [];
  t.ok(started.length > 0, "it was marked beside its work");
  t.same([...new Set(started)], ["Starting major concurrent marking task 1"], "and never by a second");
});

t.test("R-BEN-1: what survived once does not begin old ever after", async (t) => {
  const statistics = ["--trace-pretenuring-statistics"];
  t.match(traced(statistics, false), /pretenuring: AllocationSite/, "left alone, V8 thinks about it");
  t.equal(traced(statistics, true), "", "it does not");
});

t.test("R-BEN-1: what is young has its room from the start, and keeps it in a lull", async (t) => {
  const room = (tunes: boolean): number => Number(traced([], tunes, TELLS_ITS_YOUNG)) / 2 ** 20;
  t.ok(room(false) < 16, "left alone, V8 begins with little and goes back to it");
  t.ok(room(true) >= 16, "its room is what the flag says");
});

t.test("R-BEN-1: a node is started with what its main thread's heap is given in no other way", async (t) => {
  const room = spawnSync(process.execPath, [...COMMAND_LINE, "--input-type=module", "--eval", TELLS_ITS_YOUNG]).stdout;
  t.ok(Number(room) >= 16 * 2 ** 20, "its room is what the flag says");
  const words = ["node", ...COMMAND_LINE];
  const { scripts } = JSON.parse(readFileSync("package.json", "utf8")) as { scripts: Record<string, string> };
  t.equal(scripts.start, `${words.join(" ")} dist/src/main.js`);
  t.match(scripts.demo, `${words.join(" ")} dist/src/demo.js`);
  const dockerfile = readFileSync("Dockerfile", "utf8");
  t.match(dockerfile, `CMD [${[...words, "dist/src/main.js"].map((word) => JSON.stringify(word)).join(", ")}]`);
  t.match(readFileSync("docs/OPERATIONS.md", "utf8"), `\`${words.join(" ")} dist/src/main.js\``);
});
