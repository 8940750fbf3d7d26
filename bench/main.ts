/**
 * `npm run bench -- [SCENARIO…] [--seconds N] [--json FILE] [--html FILE]`: the product beside what the bare machine can do
 * and beside what others would build, in turns and in one run. Says nothing about figures that its load could not keep up
 * with; ends with 1 when an answer was wrong.
 */
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { Command } from "commander";
import { describeMachine } from "./harness/machine.js";
import type { ScenarioResult } from "./harness/ports.js";
import { runScenario } from "./harness/rounds.js";
import { createStage } from "./harness/stage.js";
import { asJson } from "./report/figures.js";
import { asText } from "./report/text.js";
import { SCENARIOS } from "./scenarios/mod.js";

const program = new Command("bench")
  .argument("[scenario...]", `of ${SCENARIOS.map(({ name }) => name).join(", ")}; default: all`)
  .option("--seconds <n>", "how long each measurement takes", Number, 4)
  .option("--rounds <n>", "measurements of each kind", Number, 3)
  .option("--scale <n>", "times as many people; 1 is what the goals speak of", Number, 1)
  .option("--json <file>", "write every figure there")
  .option("--profile <dir>", "our nodes write CPU profiles there")
  .parse();
const options = program.opts<{
  seconds: number;
  rounds: number;
  scale: number;
  json?: string;
  profile?: string;
}>();
for (const name of program.args)
  if (!SCENARIOS.some((scenario) => scenario.name === name)) program.error(`there is no scenario ${name}`);

const note = (line: string): void => void process.stderr.write(`${line}\n`);
const machine = describeMachine();
const scenarios: ScenarioResult[] = [];
let failed = false;
for (const scenario of SCENARIOS) {
  if (program.args.length > 0 && !program.args.includes(scenario.name)) continue;
  const stage = createStage({
    seconds: options.seconds,
    scale: options.scale,
    profileDirectory: options.profile === undefined ? null : resolve(options.profile),
    note,
  });
  try {
    scenarios.push(await runScenario(scenario, stage, scenario.rounds ?? options.rounds));
  } catch (cause) {
    failed = true;
    note(`${scenario.name}: ${cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)}`);
  } finally {
    await stage.close();
  }
}
const run = { machine, scenarios };
process.stdout.write(asText(run));
if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(asJson(run), null, 2)}\n`);
const isWrong = scenarios.some(({ sides }) =>
  sides.some(({ role, problems }) => role === "ours" && problems.length > 0),
);
process.exit(failed || isWrong ? 1 : 0);
