/**
 * `npm run bench -- [SCENARIO…] [--seconds N] [--json FILE] [--html FILE]`: the product beside what the bare machine can do
 * and beside what others would build, in turns and in one run. Says nothing about figures that its load could not keep up
 * with; ends with 1 when an answer was wrong.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { systemClock } from "../src/lib/clock.js";
import { whyNotWritable } from "../src/lib/result-file.js";
import { endAll } from "./harness/children.js";
import { describeMachine } from "./harness/machine.js";
import type { ScenarioResult, Stage } from "./harness/ports.js";
import { runScenario } from "./harness/rounds.js";
import { createStage } from "./harness/stage.js";
import { asJson } from "./report/figures.js";
import { asHtml } from "./report/html.js";
import { asMarkdown, placeIn, writeBetweenMarkers } from "./report/markdown.js";
import { asText } from "./report/text.js";
import { GROWTH, type GrowthSeries } from "./scenarios/growth.js";
import { SCENARIOS } from "./scenarios/mod.js";

const atLeast = SCENARIOS.flatMap(({ name, leastSeconds }) =>
  leastSeconds === undefined ? [] : [`${name}: at least ${leastSeconds} times the scale`],
).join(", ");
const onlyOnce = SCENARIOS.flatMap(({ name, rounds }) =>
  rounds === undefined ? [] : [`${name}: at most ${rounds}`],
).join(", ");

const positive = (text: string): number => {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError("give a number above zero");
  return value;
};
const resultFile = (path: string): string => {
  const why = whyNotWritable(path);
  if (why !== null) throw new InvalidArgumentError(why);
  return path;
};

const program = new Command("bench")
  .argument("[scenario...]", `of ${SCENARIOS.map(({ name }) => name).join(", ")}; default: all`)
  .option("--seconds <n>", `how long each measurement takes (${atLeast})`, positive, 3)
  .option("--rounds <n>", `measurements of each kind (${onlyOnce})`, positive, 2)
  .option("--scale <n>", "times as many people; 1 is what the goals speak of", positive, 1)
  .option(
    "--lag-bound <ms>",
    "on a machine that does other things: measurements count though their load was as late",
    positive,
  )
  .option("--json <file>", "write every figure there", resultFile)
  .option("--html <file>", "write a page with charts there", resultFile)
  .option("--markdown <file>", "write the tables between the markers of this document")
  .option("--no-peers", "ours and the limit only")
  .option("--patience <minutes>", "a scenario that takes longer is given up", positive, 8)
  .option("--within <minutes>", "no scenario begins later than this after the start", positive, 60)
  .option("--growth", "also how cost grows with drivers, orders and nodes; alone when no scenario is named")
  .option("--profile <dir>", "our nodes write CPU profiles there")
  .parse();
const options = program.opts<{
  seconds: number;
  rounds: number;
  scale: number;
  lagBound?: number;
  peers: boolean;
  patience: number;
  within: number;
  json?: string;
  html?: string;
  markdown?: string;
  growth?: true;
  profile?: string;
}>();
for (const name of program.args)
  if (!SCENARIOS.some((scenario) => scenario.name === name)) {
    const known = SCENARIOS.map((scenario) => scenario.name).join(", ");
    program.error(`error: there is no scenario ${name}; there are ${known}`);
  }

const note = (line: string): void => void process.stderr.write(`${line}\n`);
if (options.markdown !== undefined) {
  try {
    placeIn(options.markdown);
  } catch (cause) {
    program.error(`error: --markdown: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}
const clock = systemClock();
const machine = describeMachine();
const scenarios: ScenarioResult[] = [];
const runDirectory = mkdtempSync(join(tmpdir(), "swift-eats-bench-run-"));
process.once("exit", () => rmSync(runDirectory, { recursive: true, force: true }));
// Whatever ends this process, what it has started ends with it.
process.once("exit", endAll);
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
const growth: GrowthSeries[] = [];
let failed = false;

/** On servers of its own; what goes wrong is told and the others go on. */
async function attempt(name: string, run: (stage: Stage) => Promise<void>): Promise<void> {
  const stage = createStage({
    seconds: options.seconds,
    scale: options.scale,
    profileDirectory: options.profile === undefined ? null : resolve(options.profile),
    runDirectory,
    note,
  });
  const began = clock.monotonic();
  let cancel = (): void => undefined;
  const patienceOver = new Promise<never>((_, reject) => {
    const late = (): void => reject(new Error(`given up after ${options.patience} minutes`));
    cancel = clock.after(options.patience * 60_000, late);
  });
  try {
    await Promise.race([run(stage), patienceOver]);
    note(`${name}: ${Math.round((clock.monotonic() - began) / 1000)} s in all`);
  } catch (cause) {
    failed = true;
    note(`${name}: ${cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)}`);
  } finally {
    cancel();
    await stage.close();
    endAll();
  }
}

const isAsked = (name: string): boolean =>
  program.args.length === 0 ? options.growth !== true : program.args.includes(name);
/** After every scenario, so that a run that is broken off has not been for nothing. */
function save(): void {
  const run = { machine, scenarios, growth };
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(asJson(run), null, 2)}\n`);
  if (options.html !== undefined) writeFileSync(options.html, asHtml(run));
  if (options.markdown !== undefined) writeBetweenMarkers(options.markdown, asMarkdown(run));
}

const startedAt = clock.monotonic();
for (const scenario of SCENARIOS) {
  if (!isAsked(scenario.name)) continue;
  if (clock.monotonic() - startedAt > options.within * 60_000) {
    failed = true;
    note(`${scenario.name}: left out, because the run has taken ${options.within} minutes`);
    continue;
  }
  await attempt(scenario.name, async (stage) => {
    const lagBoundMs = Math.max(scenario.lagBoundMs, options.lagBound ?? 0);
    const rounds = Math.min(options.rounds, scenario.rounds ?? options.rounds);
    const sides: typeof scenario.sides = (on) =>
      scenario.sides(on).filter(({ role }) => options.peers || role !== "peer");
    scenarios.push(await runScenario({ ...scenario, lagBoundMs, sides }, stage, rounds));
  });
  save();
}
if (options.growth === true) {
  for (const [name, measureGrowth] of GROWTH) {
    await attempt(name, async (stage) => {
      growth.push(await measureGrowth(stage));
    });
    save();
  }
}
process.stdout.write(asText({ machine, scenarios, growth }));
save();
const isWrong = scenarios.some(({ sides }) =>
  sides.some(({ role, problems }) => role === "ours" && problems.length > 0),
);
process.exit(failed || isWrong ? 1 : 0);
