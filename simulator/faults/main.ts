/**
 * `npm run faults`: a cluster under load and seeded faults, judged from outside. Exit status 0: no violation; 1:
 * violations; 2: the campaign could not be run.
 */
import { writeFileSync } from "node:fs";
import { Command, InvalidArgumentError } from "commander";
import { systemClock } from "../../src/lib/clock.js";
import { whyNotWritable } from "../../src/lib/result-file.js";
import { violationText } from "../checkers/mod.js";
import { CannotStartCluster } from "../cluster/mod.js";
import { CannotRun } from "../live/mod.js";
import { runCampaign } from "./campaign.js";
import { figuresText } from "./figures.js";
import { NeverHealthy } from "./inflict.js";
import { FAULT_KINDS, type FaultKind, faultText } from "./kinds.js";
import { planFaults } from "./schedule.js";

interface Options {
  readonly minutes: number;
  readonly seed: number;
  readonly nodes: number;
  readonly speed: number;
  readonly perMinute: number;
  readonly leaseMs: number;
  readonly processes: number;
  readonly only?: readonly FaultKind[];
  readonly json?: string;
  readonly plan?: boolean;
}

const MINUTE_MS = 60_000;

const positive = (text: string): number => {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError("give a number above zero");
  return value;
};
const whole = (text: string): number => {
  const value = positive(text);
  if (!Number.isInteger(value)) throw new InvalidArgumentError("give a whole number above zero");
  return value;
};
const resultFile = (path: string): string => {
  const why = whyNotWritable(path);
  if (why !== null) throw new InvalidArgumentError(why);
  return path;
};
const kinds = (text: string): readonly FaultKind[] =>
  text.split(",").map((word) => {
    const kind = FAULT_KINDS.find((known) => known === word.trim());
    if (kind === undefined)
      throw new InvalidArgumentError(`there is no fault "${word}"; there are ${FAULT_KINDS.join(", ")}`);
    return kind;
  });

const options = new Command("faults")
  .description(
    "Starts a local cluster, puts a city's load on it, and breaks it again and again; then judges what its clients saw.",
  )
  .option("--minutes <number>", "how long faults go on", positive, 5)
  .option("--seed <number>", "of the schedule and of the load", whole, 1)
  .option("--nodes <count>", "of the cluster", whole, 3)
  .option("--speed <factor>", "how many times as fast as life the city is", positive, 60)
  .option("--per-minute <rate>", "orders, by the wall clock", positive, 200)
  .option("--lease-ms <ms>", "the nodes' lease", whole, 3_000)
  .option("--processes <count>", "at most so many processes of clients", whole, 2)
  .option("--only <kind,…>", `only these: ${FAULT_KINDS.join(", ")}`, kinds)
  .option("--json <file>", "writes the result as JSON", resultFile)
  .option("--plan", "prints the schedule and does nothing")
  .parse()
  .opts<Options>();

const say = (line: string): void => void process.stderr.write(`${line}\n`);

async function main(): Promise<number> {
  const { seed, nodes, leaseMs, speed, perMinute, processes, only } = options;
  const forMs = options.minutes * MINUTE_MS;
  say(`seed ${seed}`);
  const some = only === undefined ? {} : { only };
  if (options.plan === true) {
    for (const { atMs, fault } of planFaults({ seed, nodes, leaseMs, forMs, ...some })) {
      say(`${(atMs / 1000).toFixed(1).padStart(8)} s  ${faultText(fault)}`);
    }
    return 0;
  }
  const interrupted = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => interrupted.abort());
  const figures = await runCampaign({
    seed,
    nodes,
    forMs,
    leaseMs,
    speed,
    perMinute,
    processes,
    say,
    clock: systemClock(),
    signal: interrupted.signal,
    ...some,
  });
  if (figures.violations.length > 0) say(`\n${violationText(figures.violations)}`);
  say(`${figuresText(figures)}\n`);
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(figures, null, 2)}\n`);
  return figures.violations.length === 0 ? 0 : 1;
}

main().then(
  (status) => process.exit(status),
  (error: unknown) => {
    const known = error instanceof CannotRun || error instanceof CannotStartCluster || error instanceof NeverHealthy;
    say(known ? error.message : String((error as Error).stack));
    process.exit(2);
  },
);
