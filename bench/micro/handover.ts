/**
 * What the decisions of a zone cost the shard worker that the zone lives on. 500 orders wait and 1,000 drivers say every
 * five seconds where they are; the real zone and its matcher ask the pool of a node, on threads of its own, as often as
 * they like. Meanwhile every turn of the worker's event loop is measured. The deciding itself is measured by `decide.ts`.
 *
 *   node dist/bench/micro/handover.js [orders] [drivers] [seconds]
 */
import {
  DECISION_EFFECT,
  type DecisionPool,
  decisionEffect,
  defaultDomainSettings,
  domainActors,
  RATINGS_EFFECT,
  Zone,
  zoneOf,
} from "../../src/actors/domain/mod.js";
import {
  createActorClient,
  createMemoryNetwork,
  createShardHost,
  createShardMap,
  SHARD_COUNT,
  spreadShards,
} from "../../src/actors/runtime/mod.js";
import { sleep, systemClock } from "../../src/lib/clock.js";
import { randomInteger, seededRandom, systemRandom } from "../../src/lib/random.js";
import { createDecisionPool } from "../../src/node/decision-pool.js";
import { createRatingReader, driverRatingsEffect } from "../../src/services/ratings/mod.js";
import { createMemoryActorStore, createMemoryRatings } from "../../src/store/memory/mod.js";
import { threadClock } from "../lib/process.js";

const [ORDERS = 500, DRIVERS = 1_000, SECONDS = 30] = process.argv.slice(2).map(Number);
const WANTED_MS = 10;
const WARM_UP_MS = 5_000;
const PRESENCE_MS = 5_000;
const MINUTE = 60_000;
const VEHICLES = ["bicycle", "scooter", "car"] as const;
const CENTER = { lat: 51, lng: 7 };
const WORKER = "bench/shards-0";
const CALLER = { id: "bench", role: "system" };

const clock = systemClock();
const random = seededRandom(3);
const zone = zoneOf(CENTER);
const around = () => ({ lat: CENTER.lat + (random.next() - 0.5) / 20, lng: CENTER.lng + (random.next() - 0.5) / 12 });

let decisions = 0;
const thoughtMs: number[] = [];
const threads = createDecisionPool(1);
const pool: DecisionPool = {
  async solve(question) {
    const began = clock.monotonic();
    const answer = await threads.solve(question);
    thoughtMs.push(clock.monotonic() - began);
    decisions++;
    return answer;
  },
};

const network = createMemoryNetwork({ clock });
const shardMap = createShardMap(spreadShards([WORKER]));
const store = createMemoryActorStore({ clock });
const shards = Array.from({ length: SHARD_COUNT }, (_, shard) => shard);
const epochs = await store.claimShards("bench", shards);
// A question is answered however long this machine takes, and orders that nobody has go on waiting.
const settings = {
  ...defaultDomainSettings,
  zone: { ...defaultDomainSettings.zone, decisionPatienceMs: 60_000, maxTripOrders: 3 },
};
const host = createShardHost({
  self: WORKER,
  definitions: domainActors(settings),
  store,
  mirror: { write: () => undefined, read: async (keys) => keys.map(() => null), close: async () => undefined },
  effects: {
    [RATINGS_EFFECT]: driverRatingsEffect(createRatingReader(createMemoryRatings())),
    [DECISION_EFFECT]: decisionEffect(pool, settings.zone.decisionPatienceMs, (delayMs, run) =>
      clock.after(delayMs, run),
    ),
  },
  link: network.endpoint(WORKER),
  ownership: { epochOf: (shard) => epochs.get(shard) ?? null, mayEmit: () => true },
  shardMap,
  clock,
  random: systemRandom(),
  log: { warn: () => undefined, error: () => undefined },
  settings: {},
});
const client = createActorClient({
  link: network.endpoint("bench/gateway-0"),
  shardMap,
  clock,
  random: systemRandom(),
});
await host.start(shards);

const now = clock.now();
for (let index = 0; index < ORDERS; index++) {
  const restaurantId = `restaurant-${index % 120}`;
  client.cast(
    Zone,
    zone,
    "orderMoved",
    {
      orderId: `order-${index}-of-this-evening`,
      version: 1,
      status: "accepted",
      restaurantId,
      placedAt: now - 5 * MINUTE,
      pickup: around(),
      dropoff: around(),
      readyAt: now + Math.round(random.next() * 20 * MINUTE),
      search: "waiting",
      notBefore: 0,
      excluded: [],
      offeredTo: [],
      driverId: null,
    },
    CALLER,
  );
}
const drivers = Array.from({ length: DRIVERS }, (_, index) => ({
  driverId: `driver-${index}-of-this-evening`,
  vehicle: VEHICLES[index % VEHICLES.length]!,
  acceptance: 0.5 + random.next() / 2,
  busyShare: random.next(),
  isFree: index % 3 === 0,
  freeAt: now + Math.round(random.next() * 20 * MINUTE),
  place: around(),
}));
/** Drivers in turn, each every five seconds; one of them has come free since. */
let turn = 0;
const stopDriving = clock.every(20, () => {
  const count = Math.ceil((DRIVERS * 20) / PRESENCE_MS);
  for (let i = 0; i < count; i++) {
    const { driverId, vehicle, acceptance, busyShare, isFree, freeAt, place } = drivers[turn++ % DRIVERS]!;
    const at = clock.now();
    const state = isFree || randomInteger(random, 50) === 0 ? "available" : "on_trip";
    const free = { ...place, at: state === "available" ? at : freeAt };
    client.cast(
      Zone,
      zone,
      "driverPresent",
      { driverId, ...place, state, at, vehicle, free, acceptance, busyShare },
      CALLER,
    );
  }
});

await sleep(clock, WARM_UP_MS);
// Cold code thinks longer than it ever will again.
while (decisions < 2) await sleep(clock, 100);
[decisions, thoughtMs.length] = [0, 0];
/** How long each turn of the event loop held up a timer of a millisecond. */
const blockedMs: number[] = [];
/** What the thread itself did in it: the rest is waiting for a core, which on a machine of two is others' work. */
const workedMs: number[] = [];
const threadMs = threadClock();
let lastAt = clock.monotonic();
let lastThreadMs = threadMs();
const stopMeasuring = clock.every(1, () => {
  const at = clock.monotonic();
  const worked = threadMs();
  blockedMs.push(Math.max(0, at - lastAt - 1));
  workedMs.push(worked - lastThreadMs);
  [lastAt, lastThreadMs] = [at, worked];
});
const cpuBefore = process.cpuUsage();
await sleep(clock, SECONDS * 1000);
const cpu = process.cpuUsage(cpuBefore);
stopMeasuring();
stopDriving();

const summary = (values: readonly number[]): string => {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toFixed(2);
  return `p50 ${at(0.5)}, p99 ${at(0.99)}, p99.9 ${at(0.999)}, most ${at(1)} ms`;
};
const longer = (values: readonly number[]): string =>
  `${values.filter((ms) => ms > WANTED_MS).length} of ${values.length}`;
const line = (what: string, text: string): string => `  ${what.padEnd(52)}${text}\n`;
process.stdout.write(
  `A zone of ${ORDERS} waiting orders and ${DRIVERS} drivers, ${SECONDS} s, ${decisions} decisions; wanted: no turn longer than ${WANTED_MS} ms\n` +
    line("turns of the worker's event loop, beyond 1 ms", summary(blockedMs)) +
    line("of it the worker's own processor time", summary(workedMs)) +
    line(`longer than ${WANTED_MS} ms; of own processor time`, `${longer(blockedMs)}; ${longer(workedMs)}`) +
    line("from question to answer, on another thread", summary(thoughtMs)) +
    line("processor time, all threads", `${((cpu.user + cpu.system) / 1_000_000).toFixed(1)} s`),
);
if (decisions === 0) throw new Error("Nothing was decided: nothing was measured.");
client.close();
await host.stop();
await threads.close();
