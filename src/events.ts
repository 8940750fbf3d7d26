/**
 * `npm run events`: an example consumer of the events that leave the cluster. Prints one line of JSON for each event on
 * the standard output, and what is worth a person's attention on the other. `docs/EVENTS.md` tells what it relies on.
 */
import { once } from "node:events";
import { Command, Option } from "commander";
import { EVENT_FAMILIES, type EventFamily, openEventConsumer } from "./cluster/nats/mod.js";
import { systemClock } from "./lib/clock.js";
import type { Log } from "./lib/log.js";

interface Options {
  readonly nats: string;
  readonly cluster: string;
  readonly family: EventFamily;
  readonly fromStart?: true;
  readonly durable: string;
}

const program = new Command("events")
  .description("Prints the events of a cluster, one line of JSON each, in order per order, driver, restaurant or zone.")
  .requiredOption("--nats <url>", "the NATS server of the cluster, for example nats://127.0.0.1:4222")
  .option("--cluster <name>", "the cluster's name (its setting cluster.name)", "swift-eats")
  .addOption(new Option("--family <name>", "which events").choices(EVENT_FAMILIES).default("orders"))
  .option("--from-start", "when the name is new: begin with the oldest event there is, not with the next one")
  .option("--durable <name>", "the name under which JetStream remembers how far this program has read", "example");

const options = program.parse().opts<Options>();

function say(level: string): (fields: object, message: string) => void {
  return (fields, message) => process.stderr.write(`${JSON.stringify({ level, ...fields, message })}\n`);
}

const silent = (): void => {};
const log: Log = { debug: silent, info: say("info"), warn: say("warn"), error: say("error"), child: () => log };

/** Resolves when the line has left, so that an event is acknowledged only after somebody could read it. */
async function print(line: string): Promise<void> {
  if (!process.stdout.write(`${line}\n`)) await once(process.stdout, "drain");
}

// The reader of our output has gone (`… | head`): there is nobody to print for.
process.stdout.on("error", () => process.exit(0));

try {
  const consumer = openEventConsumer({
    url: options.nats,
    cluster: options.cluster,
    family: options.family,
    durable: options.durable,
    fromStart: options.fromStart ?? false,
    clock: systemClock(),
    log,
    handle: (event) => print(JSON.stringify(event)),
    onGap: (gap) => log.warn({ ...gap }, "Events left the stream before they were read."),
    onTakenBack: (gap) =>
      log.warn(
        { ...gap },
        "The database came back from a backup: these events are no more, others have their numbers.",
      ),
  });
  const end = (): void => {
    void consumer.stop().then(() => {
      say("info")(consumer.stats(), "Stopped; the next start goes on from here.");
    });
  };
  process.once("SIGINT", end).once("SIGTERM", end);
} catch (error) {
  program.error(`${(error as Error).message} (--nats wants nats://host:port)`);
}
