/** A worker process of a run: agents for its share, a reading every second, all that was seen at the end. */
import { systemClock } from "../../../src/lib/clock.js";
import type { History } from "../../checkers/mod.js";
import { straightRoads } from "../../city/mod.js";
import { Crew } from "../crew.js";
import type { FromWorker, Share, ToWorker } from "./messages.js";

const READING_MS = 1_000;
const ENTRIES_A_MESSAGE = 2_000;
const clock = systemClock();
let crew: Crew | null = null;
let failures = 0;
const MAX_FAILURES_TOLD = 20;

function say(message: FromWorker): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined) return resolve();
    process.send(message, () => resolve());
  });
}

function tellFailure(error: unknown): void {
  if (failures++ >= MAX_FAILURES_TOLD) return;
  void say({ t: "failure", text: error instanceof Error ? (error.stack ?? error.message) : String(error) });
}

function start(share: Share): void {
  const readyAt = new Map(share.readyAt);
  const started = new Crew({
    url: share.url,
    seed: share.seed,
    time: share.time,
    roads: straightRoads(share.streetFactor),
    tokens: new Map(share.tokens),
    tellOthers: (orderId) => void say({ t: "out", orderId }),
    onFailure: tellFailure,
    clock,
  });
  crew = started;
  started.openRestaurants(share.restaurants, (number) => readyAt.get(number) ?? null);
  started.sendDrivers(share.drivers);
  started.serveCustomers(share.orders).catch(tellFailure);
  clock.every(READING_MS, () => void say({ t: "reading", reading: started.read() }));
}

async function finish(running: Crew): Promise<void> {
  await say({ t: "reading", reading: running.read() });
  const history = running.history();
  running.stop();
  for (const part of partsOf(history)) await say({ t: "history", history: part });
  await say({ t: "done" });
  process.disconnect();
  process.exit(0);
}

const NAMES = [
  "placements",
  "orders",
  "drivers",
  "tablets",
  "faults",
  "operations",
  "gaps",
  "starts",
  "channels",
] as const;

/** Small enough that one message never holds the whole of a long run. */
function* partsOf(history: History): Generator<History> {
  const nothing: History = {
    placements: [],
    orders: [],
    drivers: [],
    tablets: [],
    faults: [],
    operations: [],
    gaps: [],
    starts: [],
    channels: [],
    unwritten: 0,
  };
  yield { ...nothing, unwritten: history.unwritten };
  for (const name of NAMES) {
    for (let from = 0; from < history[name].length; from += ENTRIES_A_MESSAGE) {
      yield { ...nothing, [name]: history[name].slice(from, from + ENTRIES_A_MESSAGE) };
    }
  }
}

process.on("message", (message: ToWorker) => {
  switch (message.t) {
    case "start":
      start(message.share);
      return;
    case "out":
      crew?.counters.seen(message.orderId);
      return;
    case "finish":
      if (crew !== null) finish(crew).catch(tellFailure);
      return;
  }
});
// Whoever started this process is gone: nobody wants to know any more.
process.on("disconnect", () => process.exit(1));
// Stopping is the starter's to say; an interrupt from the terminal reaches the whole group.
process.on("SIGINT", () => {});
process.on("SIGTERM", () => {});
