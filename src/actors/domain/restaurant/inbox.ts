/**
 * The tablet's inbox: told until a person answers. The one mechanism of redelivery: an order on offer is pushed again,
 * and its restaurant reached by other ways, by one durable timer, across restarts, until the order actor says that it was
 * accepted or is over. Which step comes when is in `ladder.ts`; that an order has ended, the order alone decides.
 *
 * What a device acknowledges is known in memory at once and kept with the next commit: it costs none of its own. Lost in
 * a crash, the order is pushed once more, and the device, which has it, acknowledges again.
 */
import {
  type AlertStep,
  closedBecause,
  type InboxSnapshot,
  type OpenTabletOrder,
  type OrderStatus,
  type TabletOrder,
} from "../../../protocol/mod.js";
import type { ReadContext } from "../../runtime/definition.js";
import type { IndexRow } from "../../runtime/ports.js";
import { asJson } from "../json.js";
import { Order, type OrderRecord } from "../order/messages.js";
import type { DomainSettings } from "../settings.js";
import { doorsOf } from "./doors.js";
import { answered, cooking } from "./kitchen.js";
import { againAt, due, nextLook, offeredAtOf, pushesAgain, type Rung, type Seen } from "./ladder.js";
import type { RestaurantContract } from "./messages.js";
import { missedOne, nothingMissed, remove, save, saveOrders, tabletDoors } from "./save.js";
import type { Offered, OpenOrder, RestaurantContext, RestaurantMemory, RestaurantState } from "./state.js";

type View = Pick<ReadContext<RestaurantState, RestaurantMemory>, "state" | "volatile">;

export const deliveredAtOf = ({ volatile }: Pick<View, "volatile">, orderId: string, order: Offered) =>
  order.deliveredAt ?? volatile.delivered.get(orderId);

const seenOf = (ctx: RestaurantContext, orderId: string, order: Offered): Seen => ({
  deliveredAt: deliveredAtOf(ctx, orderId, order),
  heard: ctx.hasSubscribers("inbox"),
});

/** Sets the one timer of all offered orders to the soonest. */
function arm(ctx: RestaurantContext, settings: DomainSettings): void {
  let soonest = Number.POSITIVE_INFINITY;
  for (const [orderId, order] of Object.entries(ctx.state.orders)) {
    if (order.stage !== "offered") continue;
    soonest = Math.min(soonest, nextLook(order, seenOf(ctx, orderId, order), ctx.now, settings));
  }
  if (Number.isFinite(soonest)) ctx.timer("redeliver", { at: soonest, run: "redeliver" });
  else ctx.cancelTimer("redeliver");
}

/** Orders that follow each other faster than this are a rush. */
const RUSH_GAP_MS = 2_000;
/** Shorter than a sender waits before it sends again. */
const COMPANY_MS = 250;

/** What the tablet is told of an order that somebody has answered may, in a rush, go with another order's commit. */
function mayWaitInRush(ctx: RestaurantContext): void {
  if (ctx.volatile.gapMs < RUSH_GAP_MS) ctx.mayWait(COMPANY_MS);
}

/** What stays with an order from one stage to the next. */
const kept = ({ cooks, due, deliverAt }: OpenOrder): Pick<OpenOrder, "cooks" | "due" | "deliverAt"> => ({
  ...(cooks === undefined ? {} : { cooks }),
  ...(due === undefined ? {} : { due }),
  ...(deliverAt === undefined ? {} : { deliverAt }),
});

function pushNew(ctx: RestaurantContext, order: TabletOrder, attempt: number): void {
  const offset = ctx.push("inbox", "order.new", asJson({ ...order, attempt }));
  const { pushed } = ctx.volatile;
  // The first counts: whoever has that one has the order.
  if (!pushed.has(order.orderId)) pushed.set(order.orderId, offset);
}

function pushChanged(ctx: RestaurantContext, orderId: string, status: OrderStatus, reason?: string): void {
  ctx.push("inbox", "order.changed", { orderId, status, ...(reason === undefined ? {} : { reason }) });
}

const NOTHING_HELD: OpenOrder = { stage: "held", took: [] };

export function offerOrder(
  ctx: RestaurantContext,
  settings: DomainSettings,
  { unheld, ...input }: RestaurantContract["offerOrder"]["input"],
): null {
  const { orderId, acceptBy } = input;
  const { orders, tombstones } = ctx.state;
  const isNew = unheld === true && !tombstones.some(([id]) => id === orderId);
  const held = orders[orderId] ?? (isNew ? NOTHING_HELD : undefined);
  if (held?.stage !== "held") return null;
  ctx.volatile.unheld.delete(orderId);
  const nextAt = againAt(1, { deliveredAt: undefined, heard: ctx.hasSubscribers("inbox") }, ctx.now, settings);
  const order: OpenOrder = {
    stage: "offered",
    took: held.took,
    ...kept(held),
    acceptBy,
    attempt: 1,
    nextAt,
    offeredAt: ctx.now,
  };
  ctx.volatile.details.set(orderId, input);
  ctx.volatile.statuses.set(orderId, "confirmed");
  ctx.volatile.offeredAt.set(orderId, ctx.now);
  saveOrders(ctx, settings, { ...ctx.state.orders, [orderId]: order });
  pushNew(ctx, input, 1);
  arm(ctx, settings);
  return null;
}

/** A device has stored everything in the inbox up to `offset`. Touches memory alone. */
export function acknowledged({ volatile, now }: ReadContext<RestaurantState, RestaurantMemory>, offset: number): void {
  const { pushed, delivered } = volatile;
  for (const [orderId, at] of pushed) {
    if (at > offset) continue;
    pushed.delete(orderId);
    delivered.set(orderId, now);
  }
}

/** The timer: pushes what no person has answered, and reaches for the restaurant by other ways. */
export function redeliver(ctx: RestaurantContext, settings: DomainSettings): null {
  const orders: Record<string, OpenOrder> = { ...ctx.state.orders };
  const steps: (readonly [orderId: string, step: AlertStep])[] = [];
  const again: (readonly [order: TabletOrder, attempt: number])[] = [];
  for (const [orderId, order] of Object.entries(orders)) {
    if (order.stage !== "offered") continue;
    const seen = seenOf(ctx, orderId, order);
    const taken = due(order, seen, ctx.now, settings).map((rung) => [stepOf(ctx, rung), ctx.now] as const);
    for (const [step] of taken) steps.push([orderId, step]);
    orders[orderId] = {
      ...order,
      ...(seen.deliveredAt === undefined ? {} : { deliveredAt: seen.deliveredAt }),
      ...(taken.length === 0 ? {} : { steps: [...(order.steps ?? []), ...taken] }),
      ...repeated(ctx, orderId, order, seen, again, settings),
    };
  }
  saveOrders(ctx, settings, orders);
  for (const [order, attempt] of again) pushNew(ctx, order, attempt);
  for (const [orderId, step] of steps) alert(ctx, orderId, step);
  arm(ctx, settings);
  return null;
}

/** Adds to `again` what is to be pushed now. */
function repeated(
  ctx: RestaurantContext,
  orderId: string,
  order: Offered,
  seen: Seen,
  again: (readonly [TabletOrder, number])[],
  settings: DomainSettings,
): Pick<Offered, "attempt" | "nextAt"> {
  const { attempt, nextAt, acceptBy } = order;
  // Past the deadline the order actor cancels it and says so; nobody is asked any more.
  if (ctx.now >= acceptBy) return { attempt, nextAt: null };
  if (!pushesAgain(order, ctx.now)) return { attempt, nextAt };
  // A device that has just said that it has it is not told at once again: the next time is a reminder for a person.
  if (order.deliveredAt === undefined && seen.deliveredAt !== undefined) {
    const { againMs, redeliverMs } = settings.restaurant;
    return { attempt, nextAt: Math.max(ctx.now + againMs, offeredAtOf(order, settings) + redeliverMs) };
  }
  const detail = ctx.volatile.details.get(orderId);
  if (!seen.heard || detail === undefined) return { attempt, nextAt: againAt(attempt, seen, ctx.now, settings) };
  again.push([detail, attempt + 1]);
  return { attempt: attempt + 1, nextAt: againAt(attempt + 1, seen, ctx.now, settings) };
}

/** A second device is reached for where there is one. */
function stepOf({ state }: RestaurantContext, rung: Rung): AlertStep {
  if (rung !== "second") return rung;
  return Object.keys(state.tablets ?? {}).length > 1 ? "second_device" : "sms";
}

/** Asks the notifications to reach the restaurant, and tells the tablet and the order that they do. */
function alert(ctx: RestaurantContext, orderId: string, step: AlertStep): void {
  const detail = ctx.volatile.details.get(orderId);
  const order = ctx.state.orders[orderId];
  const delivered = order?.stage === "offered" && order.deliveredAt !== undefined;
  ctx.publish("restaurant.alert", {
    restaurantId: ctx.key,
    restaurantName: ctx.state.menu?.profile.name ?? "",
    orderId,
    step,
    at: ctx.now,
    delivered,
    devices: Object.keys(ctx.state.tablets ?? {}),
    ...(detail === undefined
      ? {}
      : { acceptBy: detail.acceptBy, totals: asJson(detail.totals), dishes: detail.lines.length }),
  });
  ctx.push("inbox", "order.alerted", { orderId, step, at: ctx.now });
  ctx.tell(Order, orderId, "kitchenAlerted", { step, delivered });
}

export function orderAccepted(
  ctx: RestaurantContext,
  settings: DomainSettings,
  { orderId, status, readyAt }: RestaurantContract["orderAccepted"]["input"],
): null {
  const order = ctx.state.orders[orderId];
  if (order === undefined) return null;
  ctx.volatile.statuses.set(orderId, status);
  const load = cooking(ctx);
  const accepted: OpenOrder = {
    stage: "accepted",
    took: order.took,
    ...kept(order),
    load,
    ...(readyAt === undefined ? {} : { readyAt }),
  };
  const state = nothingMissed({ ...ctx.state, orders: { ...ctx.state.orders, [orderId]: accepted } });
  mayWaitInRush(ctx);
  save(ctx, settings, answered(state, ctx, orderId, settings));
  ctx.volatile.pushed.delete(orderId);
  ctx.volatile.delivered.delete(orderId);
  pushChanged(ctx, orderId, status);
  arm(ctx, settings);
  return null;
}

export function driverAssigned(
  ctx: RestaurantContext,
  settings: DomainSettings,
  { orderId, driver }: RestaurantContract["driverAssigned"]["input"],
): null {
  if (ctx.state.orders[orderId] === undefined) return null;
  ctx.volatile.drivers.set(orderId, driver);
  mayWaitInRush(ctx);
  saveOrders(ctx, settings, ctx.state.orders);
  ctx.push("inbox", "driver.assigned", asJson({ orderId, driver }));
  return null;
}

export function closeOrder(
  ctx: RestaurantContext,
  settings: DomainSettings,
  input: RestaurantContract["closeOrder"]["input"],
): null {
  const order = ctx.state.orders[input.orderId];
  const stage = order?.stage;
  const missed = order?.stage === "offered" && input.reason === UNANSWERED && wasOpen(ctx, order);
  remove(ctx, settings, input.orderId, input.pickedUp ? "eaten" : input.holds, (state) => {
    if (missed) return missedOne(ctx, state, settings);
    // A person said no: somebody is there.
    return input.status === "rejected" && stage === "offered" ? nothingMissed(state) : state;
  });
  // A tablet that never saw it needs not hear that it is over.
  if (stage === undefined ? input.holds !== null : stage !== "held") {
    pushChanged(ctx, input.orderId, input.status, input.reason);
  }
  arm(ctx, settings);
  return null;
}

/** Nobody is missed who had said that nobody would be there: hours may change after an order for later was taken. */
const wasOpen = ({ state, now }: RestaurantContext, { offeredAt = now }: Offered): boolean =>
  closedBecause(doorsOf(state), offeredAt) === null;

/** Whoever listens now hears at once that the food is on its way, or there. No commit: who misses it compares. */
export function showLeft(ctx: RestaurantContext, orderId: string, status: OrderStatus): void {
  if (ctx.hasSubscribers("state")) ctx.emit("state", orderId, asJson({ orderId, status, at: ctx.now }), LEFT_TTL_MS);
}

/** What a tablet shows: every order that was offered and is neither over nor out of the house. */
export function openOrders(ctx: View): readonly OpenTabletOrder[] {
  const orders: OpenTabletOrder[] = [];
  for (const [orderId, order] of Object.entries(ctx.state.orders)) {
    const detail = ctx.volatile.details.get(orderId);
    if (order.stage === "held" || detail === undefined || ctx.volatile.left.has(orderId)) continue;
    const status = ctx.volatile.statuses.get(orderId) ?? "confirmed";
    const driver = ctx.volatile.drivers.get(orderId);
    orders.push({
      ...detail,
      status: order.stage === "accepted" && status === "confirmed" ? "accepted" : status,
      ...(driver === undefined ? {} : { driver }),
    });
  }
  return orders;
}

export function inboxSnapshot(ctx: View): InboxSnapshot {
  return { orders: openOrders(ctx), doors: tabletDoors(ctx.state) };
}

const IN_KITCHEN: ReadonlySet<OrderStatus> = new Set(["placed", "confirmed", "accepted", "preparing", "ready"]);

/** After a restart: what the tablet shows of the open orders, and which of them have left the kitchen since. */
export function hydrate(ctx: ReadContext<RestaurantState, RestaurantMemory>, rows: readonly IndexRow[]): void {
  const { details, statuses, drivers, left } = ctx.volatile;
  ctx.volatile.awakeSince = ctx.now;
  for (const row of rows) {
    const record = row.view as unknown as OrderRecord;
    const status = row.status as OrderStatus;
    statuses.set(row.key, status);
    const { driver } = record.view;
    if (driver !== undefined) drivers.set(row.key, { name: driver.name, vehicle: driver.vehicle });
    details.set(row.key, {
      orderId: row.key,
      lines: record.view.lines,
      totals: record.view.totals,
      ...(record.note === null ? {} : { note: record.note }),
      placedAt: record.view.placedAt,
      ...(record.view.deliverAt === undefined ? {} : { deliverAt: record.view.deliverAt }),
      acceptBy: record.acceptBy,
    });
  }
  for (const [orderId, order] of Object.entries(ctx.state.orders)) {
    // Only what was accepted: should it have been cancelled instead of picked up, its closing says what it held.
    if (order.stage !== "accepted") continue;
    const status = statuses.get(orderId);
    if (status === undefined ? rows.length < HYDRATE_LIMIT : !IN_KITCHEN.has(status)) left.set(orderId, null);
  }
}

export const HYDRATE_LIMIT = 1_000;
const LEFT_TTL_MS = 60_000;

/** Why the order ends when its restaurant lets its time pass. */
const UNANSWERED = "restaurant_did_not_answer";
