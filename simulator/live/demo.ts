/** `dist/simulator/live/demo.js`: the made-up city as a process of its own, against a running node. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { systemClock } from "../../src/lib/clock.js";
import { DEMO_SEED, demoCity, startCityRun } from "./city-run.js";
import { CannotRun } from "./node-control.js";
import { operatorSecretOption } from "./operator-secret.js";
import { type Progress, showProgress } from "./progress.js";

interface Options {
  readonly url: string;
  readonly operatorSecret?: string;
  readonly dataDir?: string;
  readonly seed: string;
  readonly ordersPerMinute: string;
}

const options = new Command("city")
  .description("Lets a made-up city live against a node.")
  .requiredOption("--url <url>", "the node")
  .addOption(operatorSecretOption())
  .option("--data-dir <dir>", "of the node, which holds its secret")
  .option("--seed <number>", "of the city", String(DEMO_SEED))
  .option("--orders-per-minute <rate>", "at the peak of the day, by the wall clock", "16")
  .parse()
  .opts<Options>();

async function main(): Promise<void> {
  // The directory first: what the environment holds may be meant for another node.
  const secret =
    options.dataDir === undefined
      ? options.operatorSecret
      : readFileSync(join(options.dataDir, "operator.secret"), "utf8").trim();
  if (secret === undefined || secret === "") throw new CannotRun("set OPERATOR_SECRET, or give --data-dir of the node");
  const stop = new AbortController();
  let progress: Progress | null = null;
  const end = (): void => {
    progress?.stop();
    stop.abort();
    process.exit(0);
  };
  process.once("SIGINT", end);
  process.once("SIGTERM", end);
  // Whoever started it with a channel ends it by closing the channel, also while the city only moves in.
  process.once("disconnect", end);
  const seed = Number(options.seed);
  const city = await startCityRun({
    url: options.url,
    operatorSecret: secret,
    seed,
    city: demoCity(seed),
    ordersPerMinute: Number(options.ordersPerMinute),
    signal: stop.signal,
    onFailure: (error) => process.stderr.write(`\nan agent failed: ${String((error as Error).stack ?? error)}\n`),
  });
  progress = showProgress({
    clock: systemClock(),
    time: city.time,
    total: null,
    read: () => city.read(),
    out: process.stderr,
  });
}

main().catch((error: unknown) => {
  process.stderr.write(error instanceof CannotRun ? `${error.message}\n` : `${String((error as Error).stack)}\n`);
  process.exit(2);
});
