/** From the restaurant's door to the customer's, as the driver actor tells it. Only the driver who has the order is heard. */
import { Driver } from "../driver/messages.js";
import { Restaurant } from "../restaurant/messages.js";
import type { DomainSettings } from "../settings.js";
import { close } from "./closing.js";
import { leaveTrip } from "./dispatch.js";
import { capture } from "./payment.js";
import { type Entry, type OrderContext, save } from "./save.js";
import { isPlaced, type PlacedOrder, statusOf } from "./state.js";

/**
 * The driver has the food. A kitchen that forgot to say ready is said so for. A revocation that was under way is void: the
 * driver was faster, and will not acknowledge it.
 */
export function pickedUp(ctx: OrderContext, settings: DomainSettings, driverId: string): null {
  const order = ctx.state;
  if (!isPlaced(order) || order.closed !== null) return null;
  const { delivery, kitchen } = order;
  if (delivery.status !== "assigned" && delivery.status !== "revoking") return null;
  if (delivery.driver.driverId !== driverId) return null;
  const entries: Entry[] = [];
  if (statusOf(order) !== "ready") entries.push({ kind: "ready", by: "driver", reason: "picked up" });
  entries.push({ kind: "picked_up", by: "driver" });
  const grant = order.grants + 1;
  const readyAt = kitchen.status === "ready" ? kitchen.readyAt : ctx.now;
  ctx.cancelTimer("pickup");
  ctx.cancelTimer("kitchen");
  ctx.tell(Driver, driverId, "grant", { orderId: ctx.key, number: grant, since: ctx.now });
  ctx.tell(Restaurant, order.content.restaurant.id, "leftKitchen", { orderId: ctx.key });
  const next: PlacedOrder = {
    ...order,
    kitchen: { status: "handed_over", readyAt },
    delivery: { status: "carrying", driver: delivery.driver, grant, since: ctx.now },
    grants: grant,
  };
  save(ctx, settings, next, entries);
  return null;
}

/** The order as it is while this driver carries it, else null. */
function carriedBy(ctx: OrderContext, driverId: string): PlacedOrder | null {
  const order = ctx.state;
  if (!isPlaced(order) || order.closed !== null || order.delivery.status !== "carrying") return null;
  return order.delivery.driver.driverId === driverId ? order : null;
}

export function askGrant(ctx: OrderContext, driverId: string): null {
  const order = carriedBy(ctx, driverId);
  if (order?.delivery.status === "carrying") {
    const { grant: number, since } = order.delivery;
    ctx.cast(Driver, driverId, "grant", { orderId: ctx.key, number, since });
  }
  return null;
}

/** Told once each (R-TRK-6). */
export function toldOnce(
  ctx: OrderContext,
  settings: DomainSettings,
  driverId: string,
  kind: "driver_near" | "driver_arrived",
): null {
  const order = carriedBy(ctx, driverId);
  if (order === null || order.timeline.some((entry) => entry.kind === kind)) return null;
  save(ctx, settings, order, [{ kind, by: "driver" }]);
  return null;
}

/** The driver actor has closed the location gate before it says this (rule 12). */
export function delivered(ctx: OrderContext, settings: DomainSettings, driverId: string, at: number): null {
  const order = carriedBy(ctx, driverId);
  if (order?.delivery.status !== "carrying") return null;
  leaveTrip(ctx, order.delivery.driver);
  const next: PlacedOrder = {
    ...order,
    delivery: { status: "delivered", driver: order.delivery.driver, at },
    payment: capture(ctx, order),
  };
  save(ctx, settings, next, [{ kind: "delivered", by: "driver" }]);
  return null;
}

export function deliveryFailed(ctx: OrderContext, settings: DomainSettings, driverId: string, reason: string): null {
  const order = carriedBy(ctx, driverId);
  if (order === null) return null;
  close(ctx, settings, order, { status: "undeliverable", by: "driver", reason, driverGone: true });
  return null;
}
