import type { Rejection } from "../../runtime/definition.js";
import { Driver } from "../driver/messages.js";
import { asJson } from "../json.js";
import { Restaurant } from "../restaurant/messages.js";
import type { DomainSettings } from "../settings.js";
import { comesInMs, withApproach } from "./eta.js";
import type { OrderContract } from "./messages.js";
import { exclude, offersOver, offerTo, SEARCHING, searchOn } from "./offers.js";
import { offersWereClosed } from "./offers-made.js";
import { type Entry, type OrderContext, save } from "./save.js";
import { seatClaims, TRIP_CLAIM } from "./seats.js";
import {
  type Assignee,
  isPlaced,
  type ManualOffer,
  type OpenOffer,
  type PlacedOrder,
  readyAtOf,
  statusOf,
} from "./state.js";

/** A driver actor that has committed to this offer asks whether it won. It is always answered. */
export function claim(ctx: OrderContext, settings: DomainSettings, input: OrderContract["claim"]["input"]): null {
  const { driverId, offerId } = input;
  const lose = (reason: string): null => {
    ctx.tell(Driver, driverId, "claimLost", { orderId: ctx.key, offerId, reason });
    return null;
  };
  const order = ctx.state;
  if (!isPlaced(order)) return lose("offer_withdrawn");
  const { delivery } = order;
  if (order.closed !== null) return lose("offer_withdrawn");
  if (delivery.status === "assigned" || delivery.status === "revoking" || delivery.status === "carrying") {
    if (delivery.driver.offerId !== offerId || delivery.driver.driverId !== driverId) return lose("offer_taken");
    ctx.tell(Driver, driverId, "claimWon", { orderId: ctx.key, offerId });
    return null;
  }
  if (delivery.status !== "offered") return lose("offer_expired");
  const offer = delivery.offers.find((open) => open.offerId === offerId && open.driverId === driverId);
  if (offer === undefined) return lose("offer_withdrawn");
  if (input.acceptedAt >= offer.expiresAt) {
    offersOver(ctx, settings, order, [offer], "expired", "accepted too late");
    return lose("offer_expired");
  }
  const { name, vehicle, tripId, seat } = input;
  const places = seatClaims(driverId, seat);
  if (places.some((place) => ctx.taken(TRIP_CLAIM, place))) {
    offersOver(ctx, settings, order, [offer], "declined", "driver_busy");
    return lose("driver_busy");
  }
  for (const place of places) ctx.claim(TRIP_CLAIM, place);
  const driver: Assignee = { driverId, offerId, name, vehicle, tripId, seat, before: 0 };
  win(ctx, settings, withApproach(order, driverId, input.way, ctx.now), driver, delivery.offers, offer.why);
  return null;
}

function win(
  ctx: OrderContext,
  settings: DomainSettings,
  order: PlacedOrder,
  driver: Assignee,
  offers: readonly OpenOffer[],
  why: string,
): void {
  ctx.cancelTimer("offers");
  const lost = offers.filter(({ offerId }) => offerId !== driver.offerId);
  const offersMade = offersWereClosed(order.offersMade, [driver], "won", why, ctx.now);
  const next: PlacedOrder = {
    ...order,
    delivery: { status: "assigned", driver },
    offersMade: offersWereClosed(offersMade, lost, "lost", "offer_taken", ctx.now),
  };
  ctx.tell(Driver, driver.driverId, "claimWon", { orderId: ctx.key, offerId: driver.offerId });
  for (const offer of offers) {
    const { offerId, driverId } = offer;
    const won = offerId === driver.offerId;
    ctx.publish(
      "order.offer_closed",
      asJson({ orderId: ctx.key, offerId, driverId, outcome: won ? "won" : "lost", reason: won ? why : "offer_taken" }),
    );
    if (won) continue;
    ctx.tell(Driver, driverId, "withdraw", {
      orderId: ctx.key,
      offerId,
      what: "offer",
      carrying: false,
      outcome: "lost",
      reason: "offer_taken",
    });
  }
  ctx.tell(Restaurant, order.content.restaurant.id, "driverAssigned", {
    orderId: ctx.key,
    driver: { name: driver.name, vehicle: driver.vehicle },
  });
  armPickup(ctx, settings, next);
  save(ctx, settings, next, [{ kind: "driver_assigned", by: "system", reason: why }]);
}

/** The order is off the driver's trip: its place is free. */
export function leaveTrip(ctx: OrderContext, { driverId, seat }: Assignee): void {
  for (const place of seatClaims(driverId, seat)) ctx.release(TRIP_CLAIM, place);
}

/** The driver's list of deliveries has changed. The customer of a later one sees that another goes first. */
export function deliveriesBefore(
  ctx: OrderContext,
  settings: DomainSettings,
  { driverId, before }: OrderContract["deliveriesBefore"]["input"],
): null {
  const order = ctx.state;
  if (!isPlaced(order) || order.closed !== null) return null;
  const { delivery } = order;
  if (delivery.status !== "assigned" && delivery.status !== "carrying" && delivery.status !== "revoking") return null;
  const { driver } = delivery;
  if (driver.driverId !== driverId || driver.before === before) return null;
  save(ctx, settings, { ...order, delivery: { ...delivery, driver: { ...driver, before } } }, [], { zone: false });
  return null;
}

function withdrawn(ctx: OrderContext, order: PlacedOrder, offers: readonly OpenOffer[], reason: string): PlacedOrder {
  return { ...order, offersMade: offersWereClosed(order.offersMade, offers, "withdrawn", reason, ctx.now) };
}

/**
 * From when the food is ready the driver has so long to come. Whoever was sent from far away has half as long from when they
 * can be there, where that is later: called back half way, they would have driven for nothing, and so would the next.
 */
export function armPickup(ctx: OrderContext, settings: DomainSettings, order: PlacedOrder): void {
  const readyAt = readyAtOf(order, ctx.now, settings.order.defaultPrepMs);
  const { pickupDeadlineMs } = settings.order;
  const comesAt = ctx.now + comesInMs(order, ctx.now, settings);
  ctx.timer("pickup", {
    at: Math.max(Math.max(readyAt, ctx.now) + pickupDeadlineMs, comesAt + pickupDeadlineMs / 2),
    run: "deadline",
    input: { of: "pickup", escalated: false },
  });
}

/** Takes the order off its driver; the next offer waits for the acknowledgement (rule 7). */
export function revoke(
  ctx: OrderContext,
  settings: DomainSettings,
  order: PlacedOrder,
  reason: string,
  next: ManualOffer | null = null,
): void {
  if (order.delivery.status !== "assigned") return;
  const { driver } = order.delivery;
  ctx.cancelTimer("pickup");
  ctx.tell(Driver, driver.driverId, "withdraw", {
    orderId: ctx.key,
    offerId: driver.offerId,
    what: "trip",
    carrying: false,
    outcome: "withdrawn",
    reason,
  });
  save(ctx, settings, { ...order, delivery: { status: "revoking", driver, next } });
}

/** A driver who waits at the counter for the kitchen is not late: once it is ready, the time begins anew. */
export function pickupLate(ctx: OrderContext, settings: DomainSettings): null {
  const order = ctx.state;
  if (isPlaced(order) && order.closed === null && order.kitchen.status === "ready")
    revoke(ctx, settings, order, "pickup_too_late");
  return null;
}

/** The driver is off the trip: it gave the order back, or obeyed. */
export function revoked(
  ctx: OrderContext,
  settings: DomainSettings,
  { driverId, reason }: OrderContract["revoked"]["input"],
): null {
  const order = ctx.state;
  if (!isPlaced(order)) return null;
  const { delivery } = order;
  if (delivery.status === "letting_go" && delivery.driver.driverId === driverId) {
    leaveTrip(ctx, delivery.driver);
    save(ctx, settings, { ...order, delivery: { status: "over" } }, [], { zone: false });
    return null;
  }
  if (delivery.status !== "assigned" && delivery.status !== "revoking") return null;
  if (delivery.driver.driverId !== driverId) return null;
  leaveTrip(ctx, delivery.driver);
  ctx.cancelTimer("pickup");
  const entry: Entry = { kind: "driver_unassigned", by: delivery.status === "assigned" ? "driver" : "system", reason };
  const free: PlacedOrder = { ...order, excluded: exclude(order.excluded, driverId) };
  const next = delivery.status === "revoking" ? delivery.next : null;
  if (next === null) searchOn(ctx, settings, free, [entry]);
  else offerTo(ctx, settings, free, [{ ...next, by: "manual" }], [entry]);
  return null;
}

/** Nothing heard of the driver. Before pickup another one is sent; with the food on board only a person can help. */
export function driverLost(
  ctx: OrderContext,
  settings: DomainSettings,
  { driverId, silentMs }: OrderContract["driverLost"]["input"],
): null {
  const order = ctx.state;
  if (!isPlaced(order) || order.closed !== null) return null;
  const { delivery } = order;
  if (delivery.status === "assigned" && delivery.driver.driverId === driverId) {
    revoke(ctx, settings, order, "driver_lost");
  } else if (delivery.status === "carrying" && delivery.driver.driverId === driverId) {
    const reason = `driver silent for ${Math.round(silentMs / 1000)} s`;
    const next = { ...order, escalations: order.escalations + 1 };
    save(ctx, settings, next, [{ kind: "escalated", by: "system", reason }]);
  }
  return null;
}

/** Support names the driver. Whoever has the order lets go first; an open offer is taken back. */
export function assignManually(
  ctx: OrderContext,
  settings: DomainSettings,
  driverId: string,
  reason: string,
): { offerId: string } | Rejection {
  const order = ctx.state;
  const role = ctx.command.caller?.role;
  if (!isPlaced(order) || (role !== "support" && role !== "admin")) return ctx.reject("not_found");
  if (order.closed !== null || !SEARCHING.has(statusOf(order))) return ctx.reject("order_not_assignable");
  const chosen: ManualOffer = { offerId: ctx.newId(), driverId, why: `assigned by ${role}: ${reason}` };
  return giveTo(ctx, settings, order, chosen, reason)
    ? { offerId: chosen.offerId }
    : ctx.reject("order_not_assignable");
}

/** Offers the order to this driver alone. Whoever has it lets go first, an open offer is taken back. False: it is theirs. */
function giveTo(
  ctx: OrderContext,
  settings: DomainSettings,
  order: PlacedOrder,
  chosen: ManualOffer,
  reason: string,
): boolean {
  const { delivery } = order;
  switch (delivery.status) {
    case "searching":
      offerTo(ctx, settings, order, [{ ...chosen, by: "manual" }]);
      return true;
    case "offered":
      for (const offer of delivery.offers) {
        ctx.tell(Driver, offer.driverId, "withdraw", {
          orderId: ctx.key,
          offerId: offer.offerId,
          what: "offer",
          carrying: false,
          outcome: "withdrawn",
          reason: "assigned to another driver",
        });
      }
      offerTo(ctx, settings, withdrawn(ctx, order, delivery.offers, "assigned to another driver"), [
        { ...chosen, by: "manual" },
      ]);
      return true;
    case "assigned":
      if (delivery.driver.driverId === chosen.driverId) return false;
      revoke(ctx, settings, order, reason, chosen);
      return true;
    case "revoking":
      if (delivery.next !== null && delivery.next.driverId !== chosen.driverId) {
        ctx.tell(Driver, delivery.next.driverId, "notYours", { orderId: ctx.key, reason: "offer_taken" });
      }
      save(ctx, settings, { ...order, delivery: { ...delivery, next: chosen } });
      return true;
    default:
      return false;
  }
}

/**
 * A driver who was taken off unheard is back and says that the food is on board. Whoever is on the way to fetch it would find
 * none. With two who say so only a person can help.
 */
export function collected(ctx: OrderContext, settings: DomainSettings, driverId: string): null {
  const order = ctx.state;
  const notYours = (reason: string): null => {
    ctx.tell(Driver, driverId, "notYours", { orderId: ctx.key, reason });
    return null;
  };
  if (!isPlaced(order)) return notYours("not_found");
  if (order.closed !== null) return notYours(order.closed.reason);
  const { delivery } = order;
  if (delivery.status === "carrying" || delivery.status === "delivered") {
    if (delivery.driver.driverId === driverId) return null;
    const next = { ...order, escalations: order.escalations + 1 };
    const reason = "another driver says that the food is on board";
    if (delivery.status === "carrying") save(ctx, settings, next, [{ kind: "escalated", by: "system", reason }]);
    return notYours("offer_taken");
  }
  const chosen: ManualOffer = { offerId: ctx.newId(), driverId, why: "has the food on board" };
  giveTo(ctx, settings, order, chosen, "another driver has the food on board");
  return null;
}
