/** `npm run seed`: a believable catalogue in a running node, written through its public interface. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { systemClock } from "../../src/lib/clock.js";
import { CannotRun, NodeControl, operatorSecretOption } from "../live/mod.js";
import { restaurantOf } from "./catalogue.js";

interface Options {
  readonly restaurants: number;
  readonly items: number;
  readonly seed: number;
  readonly url: string;
  readonly operatorSecret?: string;
  readonly dataDir: string;
  readonly alwaysOpen?: boolean;
}

const whole = (text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value <= 0) throw new InvalidArgumentError("give a whole number above zero");
  return value;
};

const program = new Command("seed")
  .description("Fills a running node with restaurants, menus, hours and prices that could be real.")
  .option("--restaurants <count>", "how many", whole, 500)
  .option("--items <count>", "on each menu, at most 500", whole, 30)
  .option("--seed <number>", "equal seeds give equal catalogues", whole, 1)
  .option("--url <url>", "of the node, or of the nodes of one cluster with commas", "http://127.0.0.1:8080")
  .addOption(operatorSecretOption())
  .option("--data-dir <dir>", "of that node, for its secret", ".data")
  .option("--always-open", "without opening hours");

/** So many are written before the next line of progress. */
const BATCH = 400;

async function main(): Promise<void> {
  const options = program.parse().opts<Options>();
  const { restaurants, seed } = options;
  const clock = systemClock();
  const url = options.url.split(",").map((each) => each.trim());
  const operatorSecret = options.operatorSecret || secretIn(options.dataDir);
  const control = new NodeControl({ url, operatorSecret, clock });
  const catalogue = {
    seed,
    restaurants,
    items: Math.min(500, options.items),
    ...(options.alwaysOpen === undefined ? {} : { alwaysOpen: options.alwaysOpen }),
  };
  const began = clock.monotonic();
  for (let from = 0; from < restaurants; from += BATCH) {
    const count = Math.min(BATCH, restaurants - from);
    await control.configure(Array.from({ length: count }, (_, i) => restaurantOf(catalogue, from + i)));
    const written = from + count;
    const seconds = (clock.monotonic() - began) / 1000;
    const left = Math.round(((restaurants - written) * seconds) / written);
    const line = `${written} of ${restaurants} restaurants, ${Math.round(written / seconds)} a second, ${left} s left`;
    process.stderr.write(process.stderr.isTTY ? `\r${line}   ` : `${line}\n`);
  }
  const seconds = (clock.monotonic() - began) / 1000;
  if (process.stderr.isTTY) process.stderr.write("\n");
  process.stdout.write(
    `${JSON.stringify({ restaurants, items: catalogue.items, seed, seconds: Number(seconds.toFixed(1)) })}\n`,
  );
}

function secretIn(dataDir: string): string {
  try {
    return readFileSync(join(dataDir, "operator.secret"), "utf8").trim();
  } catch (cause) {
    throw new CannotRun(`no operator secret in ${dataDir}: set OPERATOR_SECRET, or give --data-dir of the node`, {
      cause,
    });
  }
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(error instanceof CannotRun ? `${error.message}\n` : `${String((error as Error).stack)}\n`);
    process.exit(2);
  },
);
