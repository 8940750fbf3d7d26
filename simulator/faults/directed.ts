/**
 * Short schedules of faults, each aimed at one promise: on a sound build they must show nothing, on a build without that
 * promise they must show it. No luck is involved: each waits for the moment in which the promise is all that helps.
 *
 * Owns: the stage (a few restaurants and customers on a running cluster), the schedules, the judgement. Does not own the
 * cluster. Invariant: a schedule leaves its cluster healed and its nodes running.
 */
import { setMaxListeners } from "node:events";
import { createHttp, type Http, SwiftEatsError } from "../../sdk/node.js";
import { type Clock, sleep } from "../../src/lib/clock.js";
import { seededRandom, systemRandom, uuidV7 } from "../../src/lib/random.js";
import type { PlaceOrder } from "../../src/protocol/mod.js";
import { type Evidence, judge, Recorder, type Violation } from "../checkers/mod.js";
import { createCity, fillBasket } from "../city/mod.js";
import type { LocalCluster, LocalNode } from "../cluster/mod.js";
import { NodeControl, readBookings, readDatabase } from "../live/mod.js";
import { untilHealthy } from "./inflict.js";
import { hearWitness, installWitness, ownersOf } from "./witness.js";

export interface Stage {
  readonly cluster: LocalCluster;
  readonly clock: Clock;
  readonly recorder: Recorder;
  readonly restaurants: readonly { readonly id: string; readonly itemId: string; readonly token: string }[];
  readonly customers: readonly { readonly id: string; readonly token: string; readonly order: PlaceOrder }[];
}

const SEED = 17;
const RESTAURANTS = 24;
const CUSTOMERS = 12;
const LOOK_EVERY_MS = 50;
const MOVED_WITHIN_MS = 60_000;
/** After a link is healed, for what it held back to arrive. */
const ARRIVE_MS = 1_500;
const CONFIRMED_WITHIN_MS = 30_000;
/** What these schedules are aimed at; the rest needs a city that lives. */
const AIMED_AT: ReadonlySet<string> = new Set([
  "rule-01-acknowledged-survives",
  "rule-02-one-key-one-order",
  "rule-03-legal-moves",
  "rule-04-one-writer",
  "rule-04-one-epoch-commits",
]);

/** Once on a cluster. */
export async function setStage(cluster: LocalCluster, clock: Clock): Promise<Stage> {
  await installWitness(cluster.databaseUrl);
  const city = createCity({ seed: SEED, restaurants: RESTAURANTS, drivers: 1, customers: CUSTOMERS });
  const control = new NodeControl({ url: cluster.urls(), operatorSecret: cluster.operatorSecret, clock });
  const tokens = await control.tokens([
    ...city.restaurants.map(({ id }) => ({ id, role: "restaurant" as const })),
    ...city.customers.map(({ id }) => ({ id, role: "customer" as const })),
  ]);
  // Stock is left alone: what these schedules do to it would be rule 17's business.
  const restaurants = city.restaurants.map(({ id, profile }) => ({
    id,
    profile: { ...profile, items: profile.items.map(({ stock: _, ...item }) => item) },
  }));
  await control.configure(
    restaurants.map((restaurant, index) => ({
      ...restaurant,
      kitchen: city.restaurants[index]!.kitchen,
      saysPreparing: false,
    })),
  );
  const random = seededRandom(SEED);
  return {
    cluster,
    clock,
    recorder: new Recorder(),
    restaurants: restaurants.map(({ id, profile }) => ({
      id,
      itemId: profile.items[0]!.itemId,
      token: tokens.get(id)!,
    })),
    customers: city.customers.map(({ id, home }, index) => {
      const restaurant = restaurants[index % restaurants.length]!;
      return { id, token: tokens.get(id)!, order: fillBasket(random, restaurant.profile, restaurant.id, home) };
    }),
  };
}

/**
 * RULES 4. The victim's writes are held back on their way to the database until others have its shards, and only then
 * let through: the fence alone keeps them from being committed. Needs a second node.
 */
export async function lateWrites(stage: Stage, victim: LocalNode): Promise<void> {
  const { cluster, clock } = stage;
  await untilOwner(stage, victim, true);
  // Awake before the cut: an actor that has to be read first writes nothing.
  await Promise.all(stage.restaurants.map((restaurant) => stockUp(stage, restaurant, victim.url)));
  await victim.proxies.postgres.cut("to-server", "drop");
  const given = manyEars();
  const commands = stage.restaurants.map((restaurant) =>
    stockUp(stage, restaurant, victim.url, given.signal).catch(() => {}),
  );
  await untilOwner(stage, victim, false);
  await victim.proxies.postgres.heal();
  await sleep(clock, ARRIVE_MS);
  given.abort();
  await Promise.all(commands);
  await untilHealthy(cluster, clock);
}

/**
 * RULES 1. The link to the database is slow; the first customer whose answer had to come that way is answered, and in the
 * same moment the link breaks and the node is killed: what had not arrived at the database never will. `slowMs`, one way, is
 * the time there is to act between an answer and the commit behind it; the lease must be some times as long.
 */
export async function killBetweenAnswerAndCommit(stage: Stage, victim: LocalNode, slowMs: number): Promise<void> {
  const { cluster, clock } = stage;
  await victim.proxies.postgres.slow(slowMs);
  const given = manyEars();
  let answered = (): void => {};
  const first = new Promise<void>((resolve) => {
    answered = resolve;
  });
  const sentAt = clock.monotonic();
  const placed = stage.customers.map(async (customer) => {
    const key = newKey(clock);
    if (await place(stage, customer, key, victim.url, given.signal)) {
      if (clock.monotonic() - sentAt >= slowMs) answered();
    }
  });
  await Promise.race([first, Promise.all(placed)]);
  await victim.proxies.postgres.cut("both", "reset");
  await victim.kill();
  given.abort();
  await Promise.all(placed);
  await victim.proxies.postgres.heal();
  await victim.start();
  await untilHealthy(cluster, clock);
}

/**
 * RULES 2. Orders move on; then the node that answered is killed, and when it is back every customer asks again with the
 * same key: only what was written down with the commit knows the first answer.
 */
export async function repeatAfterCrash(stage: Stage, victim: LocalNode): Promise<void> {
  const { cluster, clock } = stage;
  const keys = stage.customers.map(() => newKey(clock));
  const placeAll = (): Promise<boolean[]> =>
    Promise.all(stage.customers.map((customer, index) => place(stage, customer, keys[index]!, victim.url)));
  await placeAll();
  await untilMovedOn(stage);
  await victim.kill();
  await victim.start();
  await untilHealthy(cluster, clock);
  await placeAll();
}

/** What the rules say about everything that happened on this stage. */
export async function judgeStage(stage: Stage): Promise<readonly Violation[]> {
  const { cluster, recorder, customers, clock } = stage;
  const mine = new Set(customers.map(({ id }) => id));
  const database = await readDatabase(cluster.databaseUrl, (id) => mine.has(id));
  const evidence: Evidence = {
    history: recorder.history(),
    database,
    bookings: await readBookings(cluster.ledgerFile, (orderId) => database.orders.has(orderId)),
    stockConfigured: new Map(),
    endedAt: clock.now(),
    bounds: { tabletMs: MOVED_WITHIN_MS, pollAfterCloseMs: MOVED_WITHIN_MS },
  };
  const { violations } = await hearWitness(cluster.databaseUrl);
  return [...judge(evidence), ...violations].filter(({ rule }) => AIMED_AT.has(rule));
}

/** One signal for many requests. */
function manyEars(): AbortController {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  return controller;
}

function newKey(clock: Clock): string {
  return uuidV7(clock.now(), systemRandom());
}

function httpOf(token: string, url: string): Http {
  return createHttp({ url, token });
}

async function stockUp(
  { clock }: Stage,
  { itemId, token }: Stage["restaurants"][number],
  url: string,
  signal?: AbortSignal,
): Promise<void> {
  await httpOf(token, url).command(
    "restaurant.item",
    { itemId, available: true },
    { idempotencyKey: newKey(clock), ...(signal === undefined ? {} : { signal }) },
  );
}

/** True when the node said yes. Every final answer is written down. */
async function place(
  { recorder, clock }: Stage,
  { id, token, order }: Stage["customers"][number],
  idempotencyKey: string,
  url: string,
  signal?: AbortSignal,
): Promise<boolean> {
  recorder.placed(idempotencyKey, id, order, clock.now());
  try {
    const reply = await httpOf(token, url).placeOrder(order, {
      idempotencyKey,
      ...(signal === undefined ? {} : { signal }),
    });
    const { orderId, status, version, totals } = reply;
    recorder.answered(idempotencyKey, { ok: true, receivedAt: clock.now(), orderId, status, version, totals });
    return true;
  } catch (error) {
    const failure = error instanceof SwiftEatsError ? error : new SwiftEatsError({ code: "network", temporary: true });
    const temporary = failure.temporary || failure.code === "aborted";
    recorder.answered(idempotencyKey, { ok: false, receivedAt: clock.now(), code: failure.code, temporary });
    return false;
  }
}

/** Until the node owns shards, or none any more. */
async function untilOwner({ cluster, clock }: Stage, node: LocalNode, owns: boolean): Promise<void> {
  const giveUpAt = clock.monotonic() + MOVED_WITHIN_MS;
  while ((await ownersOf(cluster.databaseUrl)).has(node.id) !== owns) {
    if (clock.monotonic() > giveUpAt) {
      throw new Error(`${node.id} ${owns ? "owns no" : "still owns"} shards after ${MOVED_WITHIN_MS} ms`);
    }
    await sleep(clock, LOOK_EVERY_MS);
  }
}

/** Until some orders are further than when they were answered. */
async function untilMovedOn({ cluster, customers, clock }: Stage): Promise<void> {
  const mine = new Set(customers.map(({ id }) => id));
  const giveUpAt = clock.monotonic() + CONFIRMED_WITHIN_MS;
  for (;;) {
    const { orders } = await readDatabase(cluster.databaseUrl, (id) => mine.has(id));
    if ([...orders.values()].some(({ status }) => status !== "placed")) return;
    if (clock.monotonic() > giveUpAt) throw new Error("no order has moved on");
    await sleep(clock, LOOK_EVERY_MS);
  }
}
