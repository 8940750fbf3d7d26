/** `npm run replay`: a recorded city-day, or a generated load, through the real system. Exit status 0: nothing lost, no rule broken. */
import { writeFileSync } from "node:fs";
import { basename, resolve } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { systemClock } from "../../src/lib/clock.js";
import { whyNotWritable } from "../../src/lib/result-file.js";
import { violationText } from "../checkers/mod.js";
import { CannotRun } from "./node-control.js";
import { operatorSecretOption } from "./operator-secret.js";
import type { RunPlan } from "./plan.js";
import { planDay } from "./replay/day-plan.js";
import { readDay } from "./replay/files.js";
import { planGenerated } from "./replay/generated-plan.js";
import { isGood, reportText } from "./report.js";
import { run } from "./run.js";

interface Options {
  readonly orders?: string;
  readonly generate?: number;
  readonly perMinute: number;
  readonly speed?: number;
  readonly url?: readonly string[];
  readonly operatorSecret?: string;
  readonly dataDir?: string;
  readonly database?: string;
  readonly drivers?: number;
  readonly limit?: number;
  readonly seed: number;
  readonly processes: number;
  readonly report?: string;
  readonly keepData?: boolean;
  readonly dispatch?: string;
}

const DEFAULT_SPEED = 60;
/** Where a node keeps its data when nobody says otherwise. */
const USUAL_DATA_DIR = ".data";

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

const program = new Command("replay")
  .description("Replays a recorded city-day through a node, by clients that speak only its public protocol.")
  .option("--orders <dir>", "folder with orders.csv and couriers.csv")
  .option("--generate <count>", "instead: so many generated orders", whole)
  .option("--per-minute <rate>", "of generated orders, by the wall clock", positive, 500)
  .option(
    "--speed <factor>",
    `how many times as fast as life (default ${DEFAULT_SPEED}, or the node's with --url)`,
    positive,
  )
  .option(
    "--url <url,…>",
    "a running node, or the nodes of one cluster; without it one is started for the run",
    (text: string) => text.split(",").map((url) => url.trim()),
  )
  .addOption(operatorSecretOption())
  .option(
    "--data-dir <dir>",
    `of that node (its secret and its database; default ${USUAL_DATA_DIR}); or where to keep the data of the run's own`,
  )
  .option("--database <url>", "where the node's truth is, when that is not its data directory")
  .option("--drivers <count>", "at most so many couriers", whole)
  .option("--limit <count>", "only the first so many orders", whole)
  .option("--seed <number>", "of habits and chances", whole, 1)
  .option("--processes <count>", "at most so many processes of clients", whole, 3)
  .addOption(
    new Option("--dispatch <mode>", "how the zones of the run's own node decide").choices(["horizon", "simple"]),
  )
  .option("--report <file>", "writes the result as JSON", resultFile)
  .option("--keep-data", "leaves the data of the run's own node where it is");

async function main(): Promise<number> {
  const options = program.parse().opts<Options>();
  if ((options.orders === undefined) === (options.generate === undefined)) {
    program.error("give either --orders DIR or --generate COUNT");
  }
  if (options.dispatch !== undefined && options.url !== undefined) {
    program.error("--dispatch is for the run's own node: set domain.zone.dispatch of the node at --url instead");
  }
  const dataDir = options.dataDir ?? (options.url === undefined ? undefined : USUAL_DATA_DIR);
  const speed = options.speed ?? (options.url === undefined ? DEFAULT_SPEED : undefined);
  const prefix = `x${Math.floor(systemClock().now() / 1000).toString(36)}`;
  const day = options.orders === undefined ? null : readDay(options.orders);
  const makePlan = (timeScale: number): RunPlan => {
    const shared = {
      prefix,
      timeScale,
      seed: options.seed,
      ...(options.drivers === undefined ? {} : { drivers: options.drivers }),
    };
    if (day === null) {
      return planGenerated({ ...shared, count: options.generate ?? 0, perMinute: options.perMinute });
    }
    const name = `city-day ${basename(resolve(options.orders ?? ""))}`;
    return planDay(day, { ...shared, name, ...(options.limit === undefined ? {} : { limit: options.limit }) });
  };
  const interrupted = new AbortController();
  process.once("SIGINT", () => interrupted.abort());
  process.once("SIGTERM", () => interrupted.abort());
  const { report, violations } = await run(makePlan, {
    seed: options.seed,
    processes: options.processes,
    out: process.stderr,
    signal: interrupted.signal,
    ...(speed === undefined ? {} : { speed }),
    ...(options.url === undefined ? {} : { url: options.url }),
    ...(options.operatorSecret === undefined ? {} : { operatorSecret: options.operatorSecret }),
    ...(dataDir === undefined ? {} : { dataDir }),
    ...(options.database === undefined ? {} : { databaseUrl: options.database }),
    ...(options.dispatch === undefined ? {} : { dispatch: options.dispatch }),
    ...(options.keepData === undefined ? {} : { keepData: options.keepData }),
  });
  if (violations.length > 0) process.stderr.write(`\n${violationText(violations)}\n`);
  process.stderr.write(`${reportText(report)}\n\n`);
  const json = JSON.stringify(report, null, 2);
  if (options.report !== undefined) writeFileSync(options.report, `${json}\n`);
  process.stdout.write(`${json}\n`);
  return isGood(report) ? 0 : 1;
}

main().then(
  (status) => process.exit(status),
  (error: unknown) => {
    process.stderr.write(error instanceof CannotRun ? `${error.message}\n` : `${String((error as Error).stack)}\n`);
    process.exit(2);
  },
);
