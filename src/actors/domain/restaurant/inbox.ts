/**
 * The tablet's inbox: told until a person answers. The one mechanism of redelivery: an order on offer is pushed again
 * every `redeliverMs` by a durable timer, across restarts, until the order actor says it was accepted or is over.
 */
import type { InboxSnapshot, OrderStatus, TabletOrder } from "../../../protocol/mod.js";
import type { ReadContext } from "../../runtime/definition.js";
import type { IndexRow } from "../../runtime/ports.js";
import { asJson } from "../json.js";
import type { OrderRecord } from "../order/messages.js";
import type { DomainSettings } from "../settings.js";
import { answered, cooking } from "./kitchen.js";
import type { RestaurantContract } from "./messages.js";
import { remove, save, saveOrders } from "./save.js";
import type { OpenOrder, RestaurantContext, RestaurantMemory, RestaurantState } from "./state.js";

/** Sets the one timer of all offered orders to the soonest. */
function arm(ctx: RestaurantContext): void {
  let soonest = Number.POSITIVE_INFINITY;
  for (const order of Object.values(ctx.state.orders)) {
    if (order.stage === "offered" && order.nextAt !== null) soonest = Math.min(soonest, order.nextAt);
  }
  if (Number.isFinite(soonest)) ctx.timer("redeliver", { at: soonest, run: "redeliver" });
  else ctx.cancelTimer("redeliver");
}

const cooked = ({ cooks }: OpenOrder): Pick<OpenOrder, "cooks"> => (cooks === undefined ? {} : { cooks });

function pushNew(ctx: RestaurantContext, order: TabletOrder, attempt: number): void {
  ctx.push("inbox", "order.new", asJson({ ...order, attempt }));
}

function pushChanged(ctx: RestaurantContext, orderId: string, status: OrderStatus, reason?: string): void {
  ctx.push("inbox", "order.changed", { orderId, status, ...(reason === undefined ? {} : { reason }) });
}

export function offerOrder(ctx: RestaurantContext, settings: DomainSettings, input: TabletOrder): null {
  const { orderId, acceptBy } = input;
  const held = ctx.state.orders[orderId];
  if (held?.stage !== "held") return null;
  const nextAt = ctx.now + settings.restaurant.redeliverMs;
  const order: OpenOrder = { stage: "offered", took: held.took, ...cooked(held), acceptBy, attempt: 1, nextAt };
  ctx.volatile.details.set(orderId, input);
  ctx.volatile.statuses.set(orderId, "confirmed");
  ctx.volatile.offeredAt.set(orderId, ctx.now);
  saveOrders(ctx, settings, { ...ctx.state.orders, [orderId]: order });
  pushNew(ctx, input, 1);
  arm(ctx);
  return null;
}

export function redeliver(ctx: RestaurantContext, settings: DomainSettings): null {
  const orders: Record<string, OpenOrder> = { ...ctx.state.orders };
  for (const [orderId, order] of Object.entries(orders)) {
    if (order.stage !== "offered" || order.nextAt === null || order.nextAt > ctx.now) continue;
    const detail = ctx.volatile.details.get(orderId);
    // Past the deadline the order actor cancels it and says so; nobody is asked any more.
    const over = ctx.now >= order.acceptBy;
    const attempt = order.attempt + 1;
    orders[orderId] = {
      ...order,
      attempt,
      nextAt: over ? null : ctx.now + settings.restaurant.redeliverMs,
    };
    if (!over && detail !== undefined) pushNew(ctx, detail, attempt);
  }
  saveOrders(ctx, settings, orders);
  arm(ctx);
  return null;
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
    ...cooked(order),
    load,
    ...(readyAt === undefined ? {} : { readyAt }),
  };
  const next = answered({ ...ctx.state, orders: { ...ctx.state.orders, [orderId]: accepted } }, ctx, orderId, settings);
  save(ctx, settings, next);
  pushChanged(ctx, orderId, status);
  arm(ctx);
  return null;
}

export function driverAssigned(
  ctx: RestaurantContext,
  settings: DomainSettings,
  { orderId, driver }: RestaurantContract["driverAssigned"]["input"],
): null {
  if (ctx.state.orders[orderId] === undefined) return null;
  saveOrders(ctx, settings, ctx.state.orders);
  ctx.push("inbox", "driver.assigned", asJson({ orderId, driver }));
  return null;
}

export function closeOrder(
  ctx: RestaurantContext,
  settings: DomainSettings,
  input: RestaurantContract["closeOrder"]["input"],
): null {
  const stage = ctx.state.orders[input.orderId]?.stage;
  remove(ctx, settings, input.orderId, input.pickedUp ? "eaten" : input.holds);
  // A tablet that never saw it needs not hear that it is over.
  if (stage === undefined ? input.holds !== null : stage !== "held") {
    pushChanged(ctx, input.orderId, input.status, input.reason);
  }
  arm(ctx);
  return null;
}

export function inboxSnapshot(ctx: ReadContext<RestaurantState, RestaurantMemory>): InboxSnapshot {
  const orders: (TabletOrder & { status: OrderStatus })[] = [];
  for (const [orderId, order] of Object.entries(ctx.state.orders)) {
    const detail = ctx.volatile.details.get(orderId);
    if (order.stage === "held" || detail === undefined || ctx.volatile.left.has(orderId)) continue;
    const status = ctx.volatile.statuses.get(orderId) ?? "confirmed";
    orders.push({ ...detail, status: order.stage === "accepted" && status === "confirmed" ? "accepted" : status });
  }
  return { orders };
}

const IN_KITCHEN: ReadonlySet<OrderStatus> = new Set(["placed", "confirmed", "accepted", "preparing", "ready"]);

/** After a restart: what the tablet shows of the open orders, and which of them have left the kitchen since. */
export function hydrate(ctx: ReadContext<RestaurantState, RestaurantMemory>, rows: readonly IndexRow[]): void {
  const { details, statuses, left } = ctx.volatile;
  for (const row of rows) {
    const record = row.view as unknown as OrderRecord;
    const status = row.status as OrderStatus;
    statuses.set(row.key, status);
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
