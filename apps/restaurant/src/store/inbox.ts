/**
 * The kitchen's orders on this tablet.
 *
 * Owns: the orders as the node tells them, with the steps on top that were touched here and have no answer yet, and where
 * in the channel this device is. Invariants: an event is acknowledged only after the orders it made are on the device's
 * disk, together with its offset; after a reload the tablet shows what it had and asks for what followed; an order that is
 * pushed again is shown once; a step without an answer shows as done, and as not done again when it is refused.
 */
import { computed, effect, signal } from "@preact/signals";
import {
  type Client,
  type CommandBody,
  type CommandType,
  type DriverCard,
  type DurableStorage,
  type InboxSnapshot,
  isTerminal,
  NEXT_STATUS,
  type OrderStatus,
  openIndexedDbStorage,
  type PendingCommand,
  type TabletDoors,
  type TabletEvent,
  type TabletOrder,
} from "../../../../sdk/mod.js";
import { account, token } from "../../../shared/account/session.js";
import { clock } from "../../../shared/clock.js";
import { sayFailure } from "../../../shared/kit/toasts.js";
import { deviceId, line, openClient } from "../../../shared/line/node.js";
import { call } from "../../../shared/sound.js";

export interface KitchenOrder extends TabletOrder {
  readonly status: OrderStatus;
  readonly driver?: DriverCard;
  /** What the kitchen promised, ms since the epoch. */
  readonly promisedAt?: number;
  /** Why it ended, when it ended before it was picked up. */
  readonly reason?: string;
  readonly endedAt?: number;
}

interface Kept {
  readonly epoch: number;
  readonly offset: number;
  readonly orders: readonly KitchenOrder[];
}

/** Between two comparisons with the node; the answer comes soon or not at all. */
const COMPARE_EVERY_MS = 60_000;
const COMPARE_WITHIN_MS = 15_000;
const MOST_NAMED = 300;
/** A bell that nobody answers rings again. */
const RING_EVERY_MS = 4_000;
/** Ended orders stay this long, so that a cook sees what became of them. */
const SHOW_ENDED_MS = 10 * 60_000;
const MOST_ENDED = 30;

export const ready = signal(false);
/** Whether the restaurant takes orders, and why not. Null: not heard yet. */
export const doors = signal<TabletDoors | null>(null);
/** As the node has told them. */
const orders = signal<ReadonlyMap<string, KitchenOrder>>(new Map());
const unanswered = signal<readonly PendingCommand[]>([]);
const shown = computed<readonly KitchenOrder[]>(() => {
  const steps = new Map<string, Partial<KitchenOrder>>();
  for (const { type, body } of unanswered.value) {
    const change = changeOf(type, body);
    if (change !== null) steps.set(String(body.orderId), change);
  }
  return [...orders.value.values()].map((order) =>
    isTerminal(order.status) || order.status === "picked_up" ? order : { ...order, ...steps.get(order.orderId) },
  );
});
const byAge = (a: KitchenOrder, b: KitchenOrder): number => a.placedAt - b.placedAt;
const withStatus = (...wanted: readonly OrderStatus[]): readonly KitchenOrder[] =>
  shown.value.filter(({ status }) => wanted.includes(status)).sort(byAge);

export const incoming = computed(() => withStatus("placed", "confirmed"));
export const cooking = computed(() => withStatus("accepted", "preparing"));
export const waiting = computed(() => withStatus("ready"));
export const ended = computed(() =>
  shown.value
    .filter(({ status }) => isTerminal(status) || status === "picked_up")
    .sort((a, b) => (b.endedAt ?? 0) - (a.endedAt ?? 0)),
);

let client: Client | null = null;
export const server = (): Client => client!;

export async function startInbox(): Promise<void> {
  const me = account.peek();
  if (client !== null || me === null) return;
  const storage: DurableStorage | null = await openIndexedDbStorage({ name: "swift-eats-kitchen" }).catch(() => null);
  const key = `inbox.${me.id}`;
  const kept = restore(storage?.getItem(key) ?? null);
  if (kept !== null) orders.value = new Map(kept.orders.map((order) => [order.orderId, order]));
  const made = openClient({
    tokenProvider: token,
    deviceId: deviceId("kitchen", "installation"),
    ...(storage === null ? {} : { storage, storageKey: `commands.${me.id}` }),
    onRestored: (outcome) => {
      if (outcome.ok) done(outcome.type, outcome.body);
      else sayFailure(outcome.error);
      unanswered.value = made.pending();
    },
    commandTtlMs: 15 * 60_000,
    commandsByHttpAfterMs: 5_000,
  });
  client = made;
  unanswered.value = made.pending();
  const keep = (offset: number | null): void => {
    const at = subscription.position();
    if (storage === null || at === null) {
      if (offset !== null) subscription.acknowledge(offset);
      return;
    }
    const now: Kept = { ...at, offset: offset ?? at.offset, orders: [...orders.peek().values()] };
    storage.setItem(key, JSON.stringify(now));
    if (offset === null) return;
    // What is not on the disk is told again, sooner or later; so it is not acknowledged.
    storage.settled().then(
      () => subscription.acknowledge(offset),
      () => undefined,
    );
  };
  /** Where the snapshot that is on its way stands. */
  let stored: number | null = null;
  const subscription = made.subscribe(
    `restaurant:${me.id}`,
    {
      subscribed: ({ recovered, top }) => {
        ready.value = true;
        stored = recovered ? null : top;
        // What was stored before a reload was perhaps never acknowledged.
        if (recovered) keep(subscription.position()?.offset ?? null);
      },
      state: ({ body }) => {
        snapshot(body as unknown as InboxSnapshot);
        keep(stored);
      },
      event: ({ offset, type, body }) => {
        event({ type, body } as unknown as TabletEvent);
        keep(offset);
      },
      ended: sayFailure,
    },
    { manualAcknowledge: true, ...(kept === null ? {} : { from: { epoch: kept.epoch, offset: kept.offset } }) },
  );
  made.onState(({ name }) => {
    if (name === "live") void compare(made, () => keep(null));
  });
  clock.every(COMPARE_EVERY_MS, () => {
    if (made.state.name === "live") void compare(made, () => keep(null));
  });
  ring();
}

/** Says that this tablet is there, and puts right what differs from the node's list. */
async function compare(made: Client, repaired: () => void): Promise<void> {
  const holds = [...orders.peek().values()]
    .filter(({ endedAt }) => endedAt === undefined)
    .map(({ orderId }) => orderId);
  const body = { deviceId: made.deviceId, holds: holds.slice(-MOST_NAMED) };
  const answer = await made.command("restaurant.tablet", body, { ttlMs: COMPARE_WITHIN_MS }).catch(() => null);
  // Unanswered, the next connection or the next minute compares again.
  if (answer === null) return;
  doors.value = answer.doors;
  const next = new Map(orders.peek());
  const open = new Set(answer.open.map(([orderId]) => orderId));
  for (const orderId of body.holds) {
    const known = next.get(orderId);
    if (known === undefined || known.endedAt !== undefined || open.has(orderId)) continue;
    // One that was cooked is with its driver: nobody tells a tablet that by itself.
    if (known.status === "placed" || known.status === "confirmed") next.delete(orderId);
    else next.set(orderId, { ...known, status: "picked_up", endedAt: clock.now() });
  }
  for (const order of answer.missing) if (!next.has(order.orderId)) next.set(order.orderId, order);
  orders.value = forgetOld(next);
  repaired();
}

function restore(text: string | null): Kept | null {
  try {
    const kept = JSON.parse(text ?? "null") as Kept | null;
    return kept !== null && typeof kept.epoch === "number" && Array.isArray(kept.orders) ? kept : null;
  } catch {
    return null;
  }
}

function snapshot(inbox: InboxSnapshot): void {
  doors.value = inbox.doors ?? null;
  const before = orders.peek();
  const next = new Map<string, KitchenOrder>();
  for (const order of before.values()) if (order.endedAt !== undefined) next.set(order.orderId, order);
  for (const order of inbox.orders) next.set(order.orderId, { ...before.get(order.orderId), ...order });
  orders.value = next;
}

function event(news: TabletEvent): void {
  if (news.type === "doors.changed") {
    doors.value = news.body;
    return;
  }
  const next = new Map(orders.peek());
  const { orderId } = news.body;
  const known = next.get(orderId);
  switch (news.type) {
    case "order.new": {
      const { attempt: _, ...order } = news.body;
      // Told again until somebody answers: what is known already keeps its place.
      next.set(orderId, { ...order, status: known?.status ?? "confirmed", ...(known ?? {}), acceptBy: order.acceptBy });
      break;
    }
    case "order.changed": {
      if (known === undefined) return;
      const { status, reason } = news.body;
      const over = isTerminal(status) || status === "picked_up";
      next.set(orderId, {
        ...known,
        status,
        ...(reason === undefined ? {} : { reason }),
        ...(over ? { endedAt: clock.now() } : {}),
      });
      break;
    }
    case "driver.assigned":
      if (known === undefined) return;
      next.set(orderId, { ...known, driver: news.body.driver });
      break;
    case "order.alerted":
      break;
  }
  orders.value = forgetOld(next);
}

function forgetOld(all: Map<string, KitchenOrder>): Map<string, KitchenOrder> {
  const limit = clock.now() - SHOW_ENDED_MS;
  const over = [...all.values()].filter(({ endedAt }) => endedAt !== undefined);
  over.sort((a, b) => b.endedAt! - a.endedAt!);
  for (const [index, order] of over.entries()) {
    if (index >= MOST_ENDED || order.endedAt! < limit) all.delete(order.orderId);
  }
  return all;
}

function ring(): void {
  let cancel: (() => void) | null = null;
  effect(() => {
    const rings = incoming.value.length > 0;
    if (rings && cancel === null) {
      call("order");
      cancel = clock.every(RING_EVERY_MS, () => call("order"));
    } else if (!rings) {
      cancel?.();
      cancel = null;
    }
  });
  let was = line.peek();
  effect(() => {
    if (was === "live" && line.value === "lost") call("lost", 0.3);
    was = line.value;
  });
}

/** What a step makes of an order; null for commands that are none. */
function changeOf(type: CommandType, body: Readonly<Record<string, unknown>>): Partial<KitchenOrder> | null {
  const reason = typeof body.reason === "string" ? { reason: body.reason } : {};
  switch (type) {
    case "order.accept":
      return { status: "accepted", promisedAt: clock.now() + Number(body.prepMinutes) * 60_000 };
    case "order.preparing":
      return { status: "preparing" };
    case "order.ready":
      return { status: "ready" };
    case "order.reject":
      return { status: "rejected", ...reason, endedAt: clock.now() };
    case "order.cancel":
      return { status: "cancelled", ...reason, endedAt: clock.now() };
    default:
      return null;
  }
}

/** The node has done it: it stays so until the channel says what came next. */
function done(type: CommandType, body: Readonly<Record<string, unknown>>): void {
  const known = orders.peek().get(String(body.orderId));
  const change = changeOf(type, body);
  if (known === undefined || change?.status === undefined || !comesAfter(known.status, change.status)) return;
  orders.value = new Map(orders.peek()).set(known.orderId, { ...known, ...change });
}

/** The channel may have told more already than the answer that comes now. */
const comesAfter = (present: OrderStatus, next: OrderStatus): boolean =>
  NEXT_STATUS[present].some((status) => status === next || comesAfter(status, next));

/** The driver has the bags: this tablet's own word, which the node's follows with the delivery. */
export function handOver(orderId: string): void {
  const known = orders.peek().get(orderId);
  if (known === undefined) return;
  orders.value = new Map(orders.peek()).set(orderId, { ...known, status: "picked_up", endedAt: clock.now() });
}

/** A step of the kitchen: shown at once, put back when it is refused. */
async function step<T extends CommandType>(
  type: T,
  body: CommandBody<T> & { readonly orderId: string },
): Promise<void> {
  const sent = server().command(type, body, { idempotencyKey: `${type}/${body.orderId}` });
  unanswered.value = server().pending();
  try {
    await sent;
    done(type, body as Readonly<Record<string, unknown>>);
  } finally {
    unanswered.value = server().pending();
  }
}

export const accept = (orderId: string, prepMinutes: number): Promise<void> =>
  step("order.accept", { orderId, prepMinutes });
export const reject = (orderId: string, reason: string): Promise<void> => step("order.reject", { orderId, reason });
export const startCooking = (orderId: string): Promise<void> => step("order.preparing", { orderId });
export const markReady = (orderId: string): Promise<void> => step("order.ready", { orderId });
export const cancel = (orderId: string, reason: string): Promise<void> => step("order.cancel", { orderId, reason });
