/** The trip: won or lost, on the road, delivered or taken back. */
import type { OfferOutcome } from "../../../protocol/mod.js";
import type { Rejection } from "../../runtime/definition.js";
import { asJson } from "../json.js";
import { Order } from "../order/messages.js";
import type { DomainSettings } from "../settings.js";
import { closeGate, type DriverContext, tellPresence } from "./gps.js";
import type { DriverContract } from "./messages.js";
import { cameToCounter, waitedMs } from "./progress.js";
import { claimAgain, declineAll, pushClosed, pushPolicy, withdrawOffer } from "./shift.js";
import {
  type DriverState,
  isCarrying,
  type Leg,
  legOf,
  stopDone,
  tripView,
  type Work,
  withLeg,
  withPast,
  workOf,
} from "./state.js";

type At = { readonly at: number };

export function pushTrip(ctx: DriverContext, reason?: string): void {
  const { work } = ctx.state;
  const trip = work.status === "on_trip" ? tripView(work.trip) : null;
  ctx.push("work", "trip.changed", asJson({ trip, ...(reason === undefined ? {} : { reason }) }));
}

/** The work is now this; a trip that ends counts as work done. */
function become(ctx: DriverContext, next: Work): void {
  const { state } = ctx;
  const { work, record } = state;
  const ended = work.status === "on_trip" && next.status !== "on_trip";
  const busyMs = ended ? record.busyMs + Math.max(0, ctx.now - work.trip.acceptedAt) : record.busyMs;
  ctx.become({ ...state, work: next, record: ended ? { ...record, busyMs } : record });
}

/** Tells the orders of a trip how many deliveries come before theirs, those for whom that has changed. */
function tellBefore(ctx: DriverContext): void {
  const { work } = ctx.state;
  if (work.status !== "on_trip") return;
  const legs = work.trip.legs.map((leg, before) => {
    if (leg.before === before) return leg;
    ctx.tell(Order, leg.orderId, "deliveriesBefore", { driverId: ctx.key, before });
    return { ...leg, before };
  });
  ctx.become({ ...ctx.state, work: { status: "on_trip", trip: { ...work.trip, legs } } });
}

/** Says once how a card that was accepted ended. */
function cardOver(ctx: DriverContext, cardId: string, outcome: OfferOutcome): void {
  if (ctx.state.past.some(({ offerId }) => offerId === cardId)) return;
  ctx.become({ ...ctx.state, past: withPast(ctx.state, cardId, outcome) });
  pushClosed(ctx, cardId, outcome);
}

/** The order decided for this driver. The first that does makes the trip; the others join it as they decide. */
export function claimWon(ctx: DriverContext, settings: DomainSettings, orderId: string, offerId: string): null {
  if (legOf(ctx.state, orderId)?.offerId === offerId) return null;
  claimAgain(ctx, offerId);
  const { work } = ctx.state;
  const claim =
    work.status === "free" ? undefined : work.trip.claims.find(({ held }) => held.offer.offerId === offerId);
  if (work.status === "free" || claim === undefined) {
    // Never claimed, or let go since: the order must not wait for us.
    ctx.tell(Order, orderId, "revoked", { driverId: ctx.key, reason: "not claimed" });
    return null;
  }
  const { trip } = work;
  const { offer, zone } = claim.held;
  const leg: Leg = {
    orderId,
    offerId,
    zone,
    stage: "to_pickup",
    stops: offer.stops,
    readyAt: offer.readyAt,
    place: claim.place,
    before: 0,
  };
  const planned = (one: Leg): number => trip.plan.indexOf(one.orderId);
  const legs = [...trip.legs, leg].sort((a, b) => planned(a) - planned(b));
  become(ctx, workOf({ ...trip, legs, claims: trip.claims.filter((open) => open !== claim) }));
  const begins = work.status === "claiming";
  if (begins) cardOver(ctx, trip.tripId, "won");
  tellBefore(ctx);
  pushTrip(ctx);
  if (!begins) return null;
  declineAll(ctx, "driver_busy");
  pushPolicy(ctx, settings);
  // From here on silence counts; a driver who was quiet while free starts anew.
  ctx.volatile.heardAt = ctx.now;
  tellPresence(ctx, settings);
  return null;
}

const LOST_OUTCOME: Readonly<Record<string, OfferOutcome>> = {
  offer_taken: "lost",
  driver_busy: "lost",
  offer_expired: "expired",
  offer_withdrawn: "withdrawn",
};

/** The order decided against this driver. What is left of the card is the trip; nothing left: the card is lost. */
export function claimLost(ctx: DriverContext, settings: DomainSettings, offerId: string, reason: string): null {
  const { work } = ctx.state;
  if (work.status === "free") return null;
  const { trip } = work;
  const claims = trip.claims.filter(({ held }) => held.offer.offerId !== offerId);
  if (claims.length === trip.claims.length) return null;
  become(ctx, workOf({ ...trip, claims }));
  if (ctx.state.work.status !== "free") return null;
  cardOver(ctx, trip.tripId, LOST_OUTCOME[reason] ?? "lost");
  tellPresence(ctx, settings);
  return null;
}

export function withdraw(
  ctx: DriverContext,
  settings: DomainSettings,
  input: DriverContract["withdraw"]["input"],
): null {
  const { orderId, offerId, reason } = input;
  if (input.what === "offer") {
    // While claiming it, the order's answer to the claim decides.
    if (withdrawOffer(ctx, offerId, input.outcome)) tellPresence(ctx, settings);
    return null;
  }
  const leg = legOf(ctx.state, orderId);
  // The food is on board: the order hears `pickedUp` and takes the revocation back.
  if (leg !== undefined && isCarrying(leg) && !input.carrying) return null;
  if (leg !== undefined) dropLeg(ctx, settings, orderId, reason);
  ctx.tell(Order, orderId, "revoked", { driverId: ctx.key, reason });
  return null;
}

const firstOnBoard = ({ work }: DriverState): Leg | undefined =>
  work.status === "on_trip" ? work.trip.legs.find(isCarrying) : undefined;

/** The leg is over for this driver, for good or ill. The gate closes in the same commit. */
function dropLeg(ctx: DriverContext, settings: DomainSettings, orderId: string, reason?: string): void {
  become(ctx, withLeg(ctx.state.work, orderId, null));
  closeGate(ctx, settings, orderId);
  tellBefore(ctx);
  pushTrip(ctx, reason);
  if (ctx.state.work.status !== "on_trip") pushPolicy(ctx, settings);
  tellPresence(ctx, settings);
}

/** The leg that the driver speaks of. Whoever speaks is not lost, though between walls the phone measures no place. */
function spokenOf(ctx: DriverContext, orderId: string): Leg | undefined {
  ctx.volatile.heardAt = ctx.now;
  return legOf(ctx.state, orderId);
}

/**
 * At a door. Nothing depends on it but what the customer is told and what is learned of waiting, so nothing is kept here: the
 * order tells its customer once, however often it hears of it.
 */
export function arrived(ctx: DriverContext, orderId: string, stop: "pickup" | "dropoff"): At | Rejection {
  const leg = spokenOf(ctx, orderId);
  if (leg === undefined) return ctx.reject("not_your_trip");
  if (stop === "pickup") {
    cameToCounter(ctx, orderId);
    return { at: ctx.now };
  }
  if (!isCarrying(leg)) return ctx.reject("illegal_transition", { status: leg.stage });
  ctx.cast(Order, orderId, "driverArrived", { driverId: ctx.key, at: ctx.now });
  return { at: ctx.now };
}

export function pickUp(ctx: DriverContext, orderId: string): At | Rejection {
  const leg = spokenOf(ctx, orderId);
  if (leg === undefined) return ctx.reject("not_your_trip");
  if (isCarrying(leg)) return { at: ctx.now };
  const change = { stage: "carrying", stops: stopDone(leg, "pickup") } as const;
  ctx.become({ ...ctx.state, work: withLeg(ctx.state.work, orderId, change) });
  // The grant comes by itself; ask only when it does not.
  ctx.volatile.askedGrantAt = ctx.now;
  const waited = waitedMs(ctx, orderId);
  const told = { driverId: ctx.key, at: ctx.now, ...(waited === undefined ? {} : { waitedMs: waited }) };
  ctx.tell(Order, orderId, "pickedUp", told);
  pushTrip(ctx);
  return { at: ctx.now };
}

/**
 * Handed over. The deliveries go as they were planned: an order on board that comes earlier is delivered, or reported as
 * failed, first.
 */
export function deliver(ctx: DriverContext, settings: DomainSettings, orderId: string): At | Rejection {
  const leg = spokenOf(ctx, orderId);
  if (leg === undefined) return ctx.reject("not_your_trip");
  if (!isCarrying(leg)) return ctx.reject("illegal_transition", { status: leg.stage });
  const first = firstOnBoard(ctx.state);
  if (first !== undefined && first !== leg) {
    return ctx.reject("illegal_transition", { status: leg.stage, deliverFirst: first.orderId });
  }
  dropLeg(ctx, settings, orderId);
  ctx.tell(Order, orderId, "delivered", { driverId: ctx.key, at: ctx.now });
  return { at: ctx.now };
}

export function failDelivery(
  ctx: DriverContext,
  settings: DomainSettings,
  orderId: string,
  reason: string,
): At | Rejection {
  const leg = spokenOf(ctx, orderId);
  if (leg === undefined) return ctx.reject("not_your_trip");
  if (!isCarrying(leg)) return ctx.reject("illegal_transition", { status: leg.stage });
  dropLeg(ctx, settings, orderId, reason);
  ctx.tell(Order, orderId, "deliveryFailed", { driverId: ctx.key, at: ctx.now, reason });
  return { at: ctx.now };
}

/** Gives an order back. With the food on board there is no giving back, only `failDelivery`. */
export function releaseTrip(
  ctx: DriverContext,
  settings: DomainSettings,
  orderId: string,
  reason: string,
): At | Rejection {
  const leg = spokenOf(ctx, orderId);
  if (leg === undefined) return ctx.reject("not_your_trip");
  if (isCarrying(leg)) return ctx.reject("illegal_transition", { status: leg.stage });
  dropLeg(ctx, settings, orderId, reason);
  ctx.tell(Order, orderId, "revoked", { driverId: ctx.key, reason });
  return { at: ctx.now };
}
