import t from "tap";
import { type ActorClient, type FlushBatch, type HostStats, StoreUnavailable } from "../actors/runtime/mod.js";
import { VirtualClock } from "../actors/runtime/testkit/mod.js";
import { sleep, systemClock } from "../lib/clock.js";
import { silentLog } from "../lib/log.js";
import { ORDER_STATUSES } from "../protocol/mod.js";
import { createMemoryActorStore } from "../store/memory/mod.js";
import { createMetrics, metricsText } from "../telemetry/mod.js";
import { measureEngine, timedStore } from "./engine-metrics.js";
import { timedClient } from "./gateway-metrics.js";
import { watchOrders } from "./order-metrics.js";

const real = systemClock();
const NOON = Date.UTC(2026, 0, 1, 12);

async function pass(clock: VirtualClock, ms: number): Promise<void> {
  const until = clock.now() + ms;
  do await sleep(real, 0);
  while (clock.step(until));
  clock.moveTo(until);
}

/** What `/metrics` says of these, without the thread. */
async function told(metrics: ReturnType<typeof createMetrics>, like: RegExp): Promise<string[]> {
  const lines = (await metricsText([await metrics.snapshot()])).split("\n");
  return lines
    .filter((line) => like.test(line))
    .map((line) => line.replace(/,?thread="main"/, "").replace("{}", ""))
    .sort();
}

t.test(
  "R-OPS-3: what the engine did is counted once however often one looks, what waits is as it is now",
  async (t) => {
    let stats: HostStats = {
      ...{ actors: 3, loading: 1, queued: 2, handlerRuns: 40, handlerThrows: 0, flushes: 5, actorCommits: 20 },
      ...{ flushFailures: 0, storeStalled: false, tellsWaiting: 4, effectsWaiting: 1, timersArmed: 6 },
      ...{ deadLetters: 0, overloaded: 0, longestMailbox: 2 },
    };
    const metrics = createMetrics("main");
    const count = measureEngine(metrics, () => stats);
    count();
    count();
    const of = (name: string): Promise<string[]> => told(metrics, new RegExp(`^swift_engine_${name}\\b`));
    t.strictSame(await of("commits_total"), ["swift_engine_commits_total 20"]);
    t.strictSame(await of("store_stalled_count"), ["swift_engine_store_stalled_count 0"]);
    stats = { ...stats, actorCommits: 25, queued: 0, storeStalled: true };
    count();
    t.strictSame(await of("commits_total"), ["swift_engine_commits_total 25"]);
    t.strictSame(await of("mailbox_count"), ["swift_engine_mailbox_count 0"]);
    t.strictSame(await of("store_stalled_count"), ["swift_engine_store_stalled_count 1"]);
  },
);

t.test("R-OPS-3: a write to the database is timed whether it is taken or not", async (t) => {
  const clock = new VirtualClock(NOON);
  const metrics = createMetrics("main");
  let fails = false;
  const store = {
    ...createMemoryActorStore({ clock }),
    flush: async () => {
      await new Promise<void>((resolve) => clock.after(30, resolve));
      if (fails) throw new StoreUnavailable("away");
      return { staleShards: [], failures: [] };
    },
  };
  const timed = timedStore(store, metrics, clock);
  const flush = async (): Promise<void> => {
    const done = timed.flush({} as FlushBatch).then(
      () => undefined,
      () => undefined,
    );
    await pass(clock, 30);
    await done;
  };
  await flush();
  fails = true;
  await flush();
  t.strictSame(await told(metrics, /flush_ms_(bucket.*le="(20|50)"|count|sum)/), [
    'swift_engine_flush_ms_bucket{le="20"} 0',
    'swift_engine_flush_ms_bucket{le="50"} 2',
    "swift_engine_flush_ms_count 2",
    "swift_engine_flush_ms_sum 60",
  ]);
});

t.test("R-OPS-3: what people ask of actors is timed by kind, positions are not", async (t) => {
  const clock = new VirtualClock(NOON);
  const metrics = createMetrics("main");
  const answer = { ok: true, value: null } as const;
  const bare = {
    ask: async () => {
      await new Promise<void>((resolve) => clock.after(8, resolve));
      return answer;
    },
    askThen: (...args: unknown[]) => (args.at(-1) as (result: typeof answer) => void)(answer),
  } as unknown as ActorClient;
  const client = timedClient(bare, metrics, clock);
  const to = (kind: string) => ({ kind }) as Parameters<ActorClient["ask"]>[0];
  const options = { commandId: "c1", caller: { role: "system", id: "t" } } as Parameters<ActorClient["ask"]>[4];
  const asked = client.ask(to("order"), "o1", "view", {}, options);
  await pass(clock, 8);
  t.strictSame(await asked, answer);
  let heard = 0;
  const hear = (): number => heard++;
  client.askThen(to("driver"), "d1", "trip", {}, options, hear);
  client.askThen(to("driver"), "d1", "gps", {}, { ...options, mayWait: true }, hear);
  t.equal(heard, 2);
  t.strictSame(await told(metrics, /ask_ms_(count|sum)/), [
    'swift_gateway_ask_ms_count{actor="driver"} 1',
    'swift_gateway_ask_ms_count{actor="order"} 1',
    'swift_gateway_ask_ms_sum{actor="driver"} 0',
    'swift_gateway_ask_ms_sum{actor="order"} 8',
  ]);
});

t.test("R-OPS-3: open orders are told by status, those of which there are none any more as none", async (t) => {
  const clock = new VirtualClock(NOON);
  const metrics = createMetrics("main");
  const now = clock.now();
  let found = [{ status: "ready", count: 2, oldestAt: now - 5_000 }];
  let isAway = false;
  const store = {
    countLive: async () => {
      if (isAway) throw new StoreUnavailable("away");
      return found;
    },
  };
  t.teardown(watchOrders({ store, metrics, clock, log: silentLog }));
  await pass(clock, 0);
  const of = (like: RegExp): Promise<string[]> => told(metrics, like);
  t.equal((await of(/^swift_orders_open_count/)).length, ORDER_STATUSES.length);
  t.strictSame(await of(/status="ready"/), [
    'swift_orders_oldest_age_ms{status="ready"} 5000',
    'swift_orders_open_count{status="ready"} 2',
  ]);
  found = [];
  isAway = true;
  await pass(clock, 15_000);
  t.match(await of(/open_count\{status="ready"/), [/ 2$/], "as last known while the database is away");
  isAway = false;
  await pass(clock, 15_000);
  t.strictSame(await of(/status="ready"/), [
    'swift_orders_oldest_age_ms{status="ready"} 0',
    'swift_orders_open_count{status="ready"} 0',
  ]);
});
