/**
 * The kitchen's orders on this tablet, as a page shows them.
 *
 * Owns: the steps that were touched here and have no answer yet, on top of what the device holds, and the bell. Does not
 * own the orders themselves, their copy on the device's disk, and what is acknowledged: that is the client's `Tablet`.
 * Invariants: a step without an answer shows as done, and as not done again when it is refused.
 */
import { computed, effect, signal } from "@preact/signals";
import {
  type Client,
  type CommandBody,
  type CommandType,
  type DurableStorage,
  isTerminal,
  type OrderStatus,
  openIndexedDbStorage,
  type PendingCommand,
  Tablet,
  type TabletDoors,
  type TabletEntry,
} from "../../../../sdk/mod.js";
import { account, token } from "../../../shared/account/session.js";
import { clock } from "../../../shared/clock.js";
import { sayFailure } from "../../../shared/kit/toasts.js";
import { newsFrom } from "../../../shared/line/news.js";
import { deviceId, line, now, openClient, slow } from "../../../shared/line/node.js";
import { call } from "../../../shared/sound.js";
import { cancelledHere, followStops } from "./stopped.js";

export type KitchenOrder = TabletEntry;

/** A bell that nobody answers rings again. */
const RING_EVERY_MS = 4_000;
/** Ended orders stay this long, so that a cook sees what became of them. */
const SHOW_ENDED_MS = 10 * 60_000;
const MOST_ENDED = 30;

export const ready = signal(false);
/** There is a client: what asks the node may be shown. */
export const begun = signal(false);
/** Whether the restaurant takes orders, and why not. Null: not heard yet. */
export const doors = signal<TabletDoors | null>(null);
/** As the device has them. */
const orders = signal<readonly KitchenOrder[]>([]);
const unanswered = signal<readonly PendingCommand[]>([]);
const shown = computed<readonly KitchenOrder[]>(() => {
  const steps = new Map<string, Partial<KitchenOrder>>();
  for (const { type, body } of unanswered.value) {
    const change = changeOf(type, body);
    if (change !== null) steps.set(String(body.orderId), change);
  }
  return orders.value.map((order) => (order.endedAt === undefined ? { ...order, ...steps.get(order.orderId) } : order));
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
    .sort((a, b) => (b.endedAt ?? 0) - (a.endedAt ?? 0))
    .filter(({ endedAt }, index) => index < MOST_ENDED && (endedAt ?? 0) > now.value - SHOW_ENDED_MS),
);

let client: Client | null = null;
let tablet: Tablet | null = null;
let starting = false;
export const server = (): Client => client!;

export async function startInbox(): Promise<void> {
  const me = account.peek();
  if (starting || me === null) return;
  // While the device opens its storage, a renewed token calls once more.
  starting = true;
  const storage: DurableStorage | null = await openIndexedDbStorage({ name: "swift-eats-kitchen" }).catch(() => null);
  const made = openClient({
    tokenProvider: token,
    deviceId: deviceId("kitchen", "installation"),
    ...(storage === null ? {} : { storage, storageKey: `commands.${me.id}` }),
    onRestored: (outcome) => {
      if (outcome.type === "order.cancel") cancelledHere(String(outcome.body.orderId), outcome.ok);
      if (outcome.ok) done(outcome.type, outcome.body);
      else sayFailure(outcome.error);
      unanswered.value = client?.pending() ?? [];
    },
    commandTtlMs: 15 * 60_000,
    commandsByHttpAfterMs: 5_000,
  });
  client = made;
  unanswered.value = made.pending();
  const read = (): void => {
    const next = [...inbox.orders.values()];
    if (followStops(orders.peek(), next, now.peek())) call("lost");
    orders.value = next;
    doors.value = inbox.doors;
  };
  const inbox = new Tablet(
    { client: made, clock, restaurantId: me.id, storage, storageKey: `inbox.${me.id}` },
    {
      arrived: read,
      changed: read,
      heard() {
        read();
        ready.value = true;
      },
      source: (source) => {
        slow.value = source === "poll";
      },
      ended: sayFailure,
    },
  );
  tablet = inbox;
  inbox.start();
  void newsFrom(() => made.http.menu(me.id));
  read();
  begun.value = true;
  ring();
}

function ring(): void {
  let cancel: (() => void) | null = null;
  effect(() => {
    // In a window whose line has ended nobody can answer it.
    const rings = incoming.value.length > 0 && line.value !== "ended";
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
function changeOf(type: CommandType, body: Readonly<Record<string, unknown>>): Parameters<Tablet["mark"]>[1] | null {
  const reason = typeof body.reason === "string" ? { reason: body.reason } : {};
  switch (type) {
    case "order.accept":
      return { status: "accepted", promisedAt: now.peek() + Number(body.prepMinutes) * 60_000 };
    case "order.preparing":
      return { status: "preparing" };
    case "order.ready":
      return { status: "ready" };
    case "order.reject":
      return { status: "rejected", ...reason };
    case "order.cancel":
      return { status: "cancelled", ...reason };
    default:
      return null;
  }
}

/** The node has done it: it stays so until the channel says what came next. */
function done(type: CommandType, body: Readonly<Record<string, unknown>>): void {
  const change = changeOf(type, body);
  if (change !== null) tablet?.mark(String(body.orderId), change);
}

/** The driver has the bags: this tablet's own word, which the node's follows with the pickup. */
export const handOver = (orderId: string): void => tablet?.mark(orderId, { status: "picked_up" });

/** A step of the kitchen: shown at once, put back when it is refused. */
async function step<T extends CommandType>(
  type: T,
  body: CommandBody<T> & { readonly orderId: string },
): Promise<void> {
  const sent = server().command(type, body, { idempotencyKey: `${type}/${body.orderId}` });
  unanswered.value = server().pending();
  if (type === "order.cancel") cancelledHere(body.orderId, true);
  try {
    await sent;
    done(type, body as Readonly<Record<string, unknown>>);
  } catch (error) {
    if (type === "order.cancel") cancelledHere(body.orderId, false);
    throw error;
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
