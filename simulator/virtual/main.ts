/**
 * `npm run simulate`: whole clusters in virtual time, one per seed, judged by every rule. Exit status 0: no violation; 1:
 * violations, a seed that went differently the second time, or a planted bug that was not found; 2: wrong options.
 */
import { writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { Command, InvalidArgumentError } from "commander";
import { systemClock } from "../../src/lib/clock.js";
import { whyNotWritable } from "../../src/lib/result-file.js";
import { violationText } from "../checkers/mod.js";
import { powerText, provePower } from "./bugs/mod.js";
import { repeatCommand } from "./judge/mod.js";
import { FAULT_KINDS, type FaultKind } from "./ports.js";
import { keepFailingSeeds } from "./run/failing.js";
import type { SeedSummary, SeedTask } from "./run/messages.js";
import { hasFailed, runSeeds } from "./run/seeds.js";

interface Options {
  readonly seed?: number;
  readonly seeds?: number;
  readonly minutes?: number;
  readonly from: number;
  readonly json?: string;
  readonly processes: number;
  readonly twice?: boolean;
  readonly focus?: readonly FaultKind[];
  readonly planted?: boolean;
  readonly keep: boolean;
}

const MINUTE_MS = 60_000;
const SEEDS = 100;
const TELL_EVERY_MS = 10_000;

const whole = (text: string): number => {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value <= 0) throw new InvalidArgumentError("give a whole number above zero");
  return value;
};
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

const kind = (text: string, before: readonly FaultKind[] = []): readonly FaultKind[] => {
  const known = FAULT_KINDS.find((one) => one === text);
  if (known === undefined) throw new InvalidArgumentError(`one of ${FAULT_KINDS.join(", ")}`);
  return [...before, known];
};

const options = new Command("simulate")
  .description("Runs whole clusters in virtual time, each from one seed, with faults of every kind, and judges them.")
  .option("--seed <number>", "this seed alone, twice, with all that happened if it fails", whole)
  .option("--seeds <count>", `so many seeds (default ${SEEDS})`, whole)
  .option("--minutes <number>", "as many seeds as fit", positive)
  .option("--from <number>", "the first seed", whole, 1)
  .option("--processes <count>", "at once", whole, availableParallelism())
  .option("--focus <kind...>", "faults that every seed has, whatever it draws", kind)
  .option("--twice", "runs every seed twice and compares what happened")
  .option("--planted", "looks for the planted bugs, each in a product of its own that is broken in one place")
  .option("--no-keep", "does not write seeds that fail to simulator/virtual/failing-seeds.json")
  .option("--json <file>", "the result as JSON", resultFile)
  // Not the status of a run that found something.
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2))
  .parse()
  .opts<Options>();

const clock = systemClock();

const focus = options.focus ?? [];

function* tasks(): Generator<SeedTask> {
  // Asked for alone, the planted bugs are all there is to do.
  const others = [options.seed, options.seeds, options.minutes];
  if (options.planted === true && others.every((option) => option === undefined)) return;
  if (options.seed !== undefined) {
    yield { seed: options.seed, twice: true, focus };
    return;
  }
  const untilMs =
    options.minutes === undefined ? Number.POSITIVE_INFINITY : clock.monotonic() + options.minutes * MINUTE_MS;
  const count = options.seeds ?? (options.minutes === undefined ? SEEDS : Number.POSITIVE_INFINITY);
  for (let number = 0; number < count && clock.monotonic() < untilMs; number++)
    yield { seed: options.from + number, twice: options.twice === true, focus };
}

function tell(summary: SeedSummary): void {
  if (!hasFailed(summary)) return;
  console.log(`seed ${summary.seed}   (again: ${repeatCommand(summary.seed)})`);
  if (summary.broke !== null) console.log(`  broke off: ${summary.broke}`);
  if (summary.secondHash !== null && summary.secondHash !== summary.hash)
    console.log(`  went differently the second time: ${summary.hash}, ${summary.secondHash}`);
  if (summary.violations.length > 0) console.log(violationText(summary.violations, 1));
}

let done = 0;
let toldAt = clock.monotonic();
const outcome = await runSeeds({
  tasks: tasks(),
  processes: options.seed === undefined ? options.processes : 0,
  clock,
  onSummary(summary) {
    done++;
    tell(summary);
    if (clock.monotonic() - toldAt < TELL_EVERY_MS) return;
    toldAt = clock.monotonic();
    console.error(`${done} seeds`);
  },
});

const { seeds, seconds, virtualHours, faults, failed, steps } = outcome;
const rate = (count: number): string => (count / seconds).toFixed(count / seconds < 10 ? 2 : 0);
console.log(
  `${seeds} seeds in ${seconds.toFixed(1)} s: ${rate(seeds)} seeds/s, ${virtualHours.toFixed(2)} virtual hours, ${rate(steps)} steps/s`,
);
if (options.seed !== undefined) console.log(`hash ${outcome.hashes.get(options.seed)}`);
console.log("faults by kind:");
for (const [kind, count] of Object.entries(faults)) console.log(`  ${kind.padEnd(26)} ${count}`);
console.log(
  failed.length === 0
    ? "violations: none"
    : `violations in ${failed.length} seeds: ${failed.map(({ seed }) => seed).join(", ")}`,
);

const power =
  options.planted === true
    ? await provePower({
        from: options.from,
        processes: options.processes,
        onFound: ({ bug, rule, seeds: tried }) =>
          console.error(`${bug}: ${rule === null ? "not found" : `${rule}, seeds: ${tried}`}`),
      })
    : null;
if (power !== null) console.log(powerText(power));

// A world with a focus is another one than the seed's own, which is what the tests replay.
if (options.keep && failed.length > 0 && focus.length === 0)
  keepFailingSeeds(
    failed.map(({ seed, violations, broke }) => ({
      seed,
      what: violations[0]?.rule ?? broke?.split("\n")[0] ?? "hash",
    })),
  );
if (options.json !== undefined) {
  const violations = failed.flatMap(({ seed, violations: found, broke, hash, secondHash }) => [
    ...found.map(({ rule, subject, summary, story }) => ({ seed, rule, subject, summary, story })),
    ...(broke === null ? [] : [{ seed, rule: "broke-off", subject: "run", summary: broke, story: [] }]),
    ...(secondHash === null || secondHash === hash
      ? []
      : [{ seed, rule: "determinism", subject: "run", summary: `${hash}, then ${secondHash}`, story: [] }]),
  ]);
  const planted = power === null ? {} : { plantedBugs: power };
  const result = { seeds, seconds, virtualHours, faults, violations, ...planted };
  writeFileSync(options.json, `${JSON.stringify(result, null, 2)}\n`);
}
process.exitCode = failed.length === 0 && (power === null || power.found === power.of) ? 0 : 1;
