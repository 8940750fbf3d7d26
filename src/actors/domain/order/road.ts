/** From the restaurant's door to the customer's, as the driver actor tells it. Only the driver who has the order is heard. */
import { Driver } from "../driver/messages.js";
import { EtaModel } from "../eta-model/messages.js";
import { Restaurant } from "../restaurant/messages.js";
import type { DomainSettings } from "../settings.js";
import { close } from "./closing.js";
import { talkOver } from "./conversation.js";
import { leaveTrip } from "./dispatch.js";
import { nextEta } from "./eta.js";
import { outcomeOf, preparationSample } from "./eta-learned.js";
import type { ProgressInput } from "./messages.js";
import { capture } from "./payment.js";
import { saleFact } from "./payment-facts.js";
import { type Entry, type OrderContext, save } from "./save.js";
import { isPlaced, type PlacedOrder, statusOf } from "./state.js";

/**
 * The driver has the food. A kitchen that forgot to say ready is said so for. A revocation that was under way is void: the
 * driver was faster, and will not acknowledge it.
 */
export function pickedUp(
  ctx: OrderContext,
  settings: DomainSettings,
  driverId: string,
  waitedMs: number | undefined,
): null {
  const order = ctx.state;
  if (!isPlaced(order) || order.closed !== null) return null;
  const { delivery, kitchen } = order;
  if (delivery.status !== "assigned" && delivery.status !== "revoking") return null;
  if (delivery.driver.driverId !== driverId) return null;
  // The one that it was being taken back for.
  const waiting = delivery.status === "revoking" ? delivery.next : null;
  if (waiting !== null) {
    ctx.tell(Driver, waiting.driverId, "notYours", { orderId: ctx.key, reason: "offer_taken" });
  }
  const entries: Entry[] = [];
  if (statusOf(order) !== "ready") entries.push({ kind: "ready", by: "driver", reason: "picked up" });
  entries.push({ kind: "picked_up", by: "driver" });
  const grant = order.grants + 1;
  const readyAt = kitchen.status === "ready" ? kitchen.readyAt : ctx.now;
  ctx.cancelTimer("pickup");
  ctx.cancelTimer("kitchen");
  ctx.tell(Driver, driverId, "grant", { orderId: ctx.key, number: grant, since: ctx.now });
  const sample = preparationSample(order, ctx.now, waitedMs, settings);
  ctx.tell(Restaurant, order.content.restaurant.id, "leftKitchen", {
    orderId: ctx.key,
    ...(sample === null ? {} : { sample }),
  });
  const next: PlacedOrder = {
    ...order,
    kitchen: { status: "handed_over", readyAt },
    delivery: { status: "carrying", driver: delivery.driver, grant, since: ctx.now },
    grants: grant,
    ...(order.eta === undefined || waitedMs === undefined ? {} : { eta: { ...order.eta, waitedMs } }),
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

/** The driver is not where the order thought. A new range is a commit of its own, so only one that matters is shown. */
export function progress(ctx: OrderContext, settings: DomainSettings, told: ProgressInput): null {
  const order = ctx.state;
  if (!isPlaced(order) || order.closed !== null || order.eta === undefined) return null;
  const { delivery, eta } = order;
  if (delivery.status !== "assigned" && delivery.status !== "carrying") return null;
  const current = delivery.driver.driverId === told.driverId && (delivery.status === "carrying") === told.carrying;
  if (!current || told.at < (eta.progress?.at ?? 0)) return null;
  const next: PlacedOrder = { ...order, eta: { ...eta, progress: told } };
  if (nextEta(next, ctx.now, settings)?.shown === true) save(ctx, settings, next, [], { zone: false });
  return null;
}

/** A kitchen that says nothing and a search that finds nobody make no news: the arrival that is shown shall not pass unseen. */
export function lookAgain(ctx: OrderContext, settings: DomainSettings): null {
  const order = ctx.state;
  if (!isPlaced(order) || order.closed !== null) return null;
  if (nextEta(order, ctx.now, settings)?.shown === true) save(ctx, settings, order, [], { zone: false });
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
  talkOver(ctx, order);
  const next: PlacedOrder = {
    ...order,
    delivery: { status: "delivered", driver: order.delivery.driver, at },
    payment: capture(ctx, order),
  };
  const fact = saleFact(ctx.key, next, settings);
  const after = save(ctx, settings, next, [{ kind: "delivered", by: "driver", fact }]);
  ctx.cast(Restaurant, order.content.restaurant.id, "delivered", { orderId: ctx.key });
  ctx.cast(EtaModel, order.content.zone, "learn", outcomeOf(after, ctx.now, settings));
  return null;
}

export function deliveryFailed(ctx: OrderContext, settings: DomainSettings, driverId: string, reason: string): null {
  const order = carriedBy(ctx, driverId);
  if (order === null) return null;
  close(ctx, settings, order, { status: "undeliverable", by: "driver", reason, driverGone: true });
  return null;
}
