/**
 * Forgetting a person: what an order that is over knows of its customer or its driver goes, what the marketplace owes an
 * account of stays. Owns which is which. Who asks, and that it is asked until it is done, is the business of accounts.
 *
 * Invariants: an open order forgets nothing, because food is on its way to that door; the money, the lines, the statuses
 * and their times are never touched; forgetting again changes nothing.
 */
import type { Place } from "../../../protocol/mod.js";
import type { Rejection } from "../../runtime/definition.js";
import { Driver } from "../driver/messages.js";
import { Restaurant } from "../restaurant/messages.js";
import type { DomainSettings } from "../settings.js";
import type { OrderContract } from "./messages.js";
import { type OrderContext, save } from "./save.js";
import { driverOf, isPlaced, type OrderContent, type OrderState, statusOf } from "./state.js";

/** About a kilometre: which part of town, for statistics. */
const DECIMALS = 2;
const coarse = (degrees: number): number => Number(degrees.toFixed(DECIMALS));
const coarsePlace = ({ lat, lng }: Place): Place => ({ lat: coarse(lat), lng: coarse(lng) });

/** Nothing more is coming that would need to know where to. */
function isOver(state: OrderState): boolean {
  if (state.delivery.status === "letting_go") return false;
  return state.closed !== null || state.delivery.status === "delivered";
}

export function forgetPerson(
  ctx: OrderContext,
  settings: DomainSettings,
  { customerId }: OrderContract["forgetPerson"]["input"],
): OrderContract["forgetPerson"]["reply"] | Rejection {
  const order = ctx.state;
  if (!isPlaced(order) || order.content.customerId !== customerId) return ctx.reject("not_found");
  if (!isOver(order)) return ctx.reject("illegal_transition", { status: statusOf(order) });
  const { forgotten, way: _way, ...content } = order.content;
  if (forgotten === true) return { forgotten: true };
  const next: OrderContent = {
    ...content,
    destination: coarsePlace(content.destination),
    note: null,
    forgotten: true,
  };
  // Whoever was told where to has it among the events that a device may ask for again.
  ctx.tell(Restaurant, content.restaurant.id, "forgetTold", null);
  const told = new Set(order.offersMade.newest.map(({ driverId }) => driverId));
  const driver = driverOf(order.delivery);
  if (driver !== null) told.add(driver.driverId);
  for (const driverId of told) ctx.tell(Driver, driverId, "forgetTold", null);
  const timeline = order.timeline.map(({ reason, ...entry }) =>
    reason === undefined || entry.by === "customer" ? entry : { ...entry, reason },
  );
  const closed = order.closed?.by === "customer" ? { ...order.closed, reason: "" } : order.closed;
  save(ctx, settings, { ...order, content: next, timeline, closed }, [], { zone: false });
  return { forgotten: true };
}

/** Who brought it stays an id, for the books; what they were called goes. */
export function forgetDriver(
  ctx: OrderContext,
  settings: DomainSettings,
  { driverId }: OrderContract["forgetDriver"]["input"],
): OrderContract["forgetDriver"]["reply"] | Rejection {
  const order = ctx.state;
  if (!isPlaced(order)) return ctx.reject("not_found");
  const driver = driverOf(order.delivery);
  if (driver === null || driver.driverId !== driverId || driver.name === "") return { forgotten: true };
  if (order.delivery.status !== "delivered") return ctx.reject("illegal_transition", { status: statusOf(order) });
  ctx.tell(Restaurant, order.content.restaurant.id, "forgetTold", null);
  const delivery = { ...order.delivery, driver: { ...driver, name: "" } };
  save(ctx, settings, { ...order, delivery }, [], { zone: false });
  return { forgotten: true };
}
