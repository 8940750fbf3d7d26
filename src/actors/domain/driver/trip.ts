/** The trip: won or lost, on the road, delivered or taken back. */
import type { Rejection } from "../../runtime/definition.js";
import { asJson } from "../json.js";
import { Order } from "../order/messages.js";
import type { DomainSettings } from "../settings.js";
import { closeGate, type DriverContext, tellPresence } from "./gps.js";
import type { DriverContract } from "./messages.js";
import { declineAll, pushClosed, pushPolicy, removeOffer } from "./shift.js";
import { isCarrying, type Leg, legOf, type OfferOutcome, stopDone, tripView, withLeg, withPast } from "./state.js";

type At = { readonly at: number };

function pushTrip(ctx: DriverContext, reason?: string): void {
  const { work } = ctx.state;
  const trip = work.status === "on_trip" ? tripView(work.trip) : null;
  ctx.push("work", "trip.changed", asJson({ trip, ...(reason === undefined ? {} : { reason }) }));
}

/** The order decided for this driver. */
export function claimWon(ctx: DriverContext, settings: DomainSettings, orderId: string, offerId: string): null {
  const { state } = ctx;
  if (legOf(state, orderId)?.offerId === offerId) return null;
  if (state.work.status !== "claiming" || state.work.held.offer.offerId !== offerId) {
    // Never claimed, or let go since: the order must not wait for us.
    ctx.tell(Order, orderId, "revoked", { driverId: ctx.key, reason: "not claimed" });
    return null;
  }
  const { offer, zone } = state.work.held;
  const leg: Leg = { orderId, offerId, zone, stage: "to_pickup", stops: offer.stops };
  ctx.become({
    ...state,
    work: { status: "on_trip", trip: { tripId: offerId, legs: [leg] } },
    past: withPast(state, offerId, "won"),
  });
  pushClosed(ctx, offerId, "won");
  pushTrip(ctx);
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

export function claimLost(ctx: DriverContext, settings: DomainSettings, offerId: string, reason: string): null {
  const { state } = ctx;
  if (state.work.status !== "claiming" || state.work.held.offer.offerId !== offerId) return null;
  const outcome = LOST_OUTCOME[reason] ?? "lost";
  ctx.become({ ...state, work: { status: "free" }, past: withPast(state, offerId, outcome) });
  pushClosed(ctx, offerId, outcome);
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
    if (removeOffer(ctx, offerId, input.outcome) !== null) tellPresence(ctx, settings);
    return null;
  }
  const leg = legOf(ctx.state, orderId);
  // The food is on board: the order hears `pickedUp` and takes the revocation back.
  if (leg !== undefined && isCarrying(leg) && !input.carrying) return null;
  if (leg !== undefined) dropLeg(ctx, settings, orderId, reason);
  ctx.tell(Order, orderId, "revoked", { driverId: ctx.key, reason });
  return null;
}

/** The leg is over for this driver, for good or ill. The gate closes in the same commit. */
function dropLeg(ctx: DriverContext, settings: DomainSettings, orderId: string, reason?: string): void {
  ctx.become({ ...ctx.state, work: withLeg(ctx.state.work, orderId, null) });
  closeGate(ctx, settings, orderId);
  pushTrip(ctx, reason);
  if (ctx.state.work.status === "free") pushPolicy(ctx, settings);
  tellPresence(ctx, settings);
}

export function arrived(ctx: DriverContext, orderId: string, stop: "pickup" | "dropoff"): At | Rejection {
  const leg = legOf(ctx.state, orderId);
  if (leg === undefined) return ctx.reject("not_your_trip");
  if (stop === "pickup") {
    if (leg.stage === "to_pickup") {
      ctx.become({ ...ctx.state, work: withLeg(ctx.state.work, orderId, { stage: "at_pickup" }) });
    }
    return { at: ctx.now };
  }
  if (!isCarrying(leg)) return ctx.reject("illegal_transition", { status: leg.stage });
  if (leg.stage === "carrying") {
    ctx.become({ ...ctx.state, work: withLeg(ctx.state.work, orderId, { stage: "at_dropoff" }) });
    ctx.tell(Order, orderId, "driverArrived", { driverId: ctx.key, at: ctx.now });
  }
  return { at: ctx.now };
}

export function pickUp(ctx: DriverContext, orderId: string): At | Rejection {
  const leg = legOf(ctx.state, orderId);
  if (leg === undefined) return ctx.reject("not_your_trip");
  if (isCarrying(leg)) return { at: ctx.now };
  const change = { stage: "carrying", stops: stopDone(leg, "pickup") } as const;
  ctx.become({ ...ctx.state, work: withLeg(ctx.state.work, orderId, change) });
  // The grant comes by itself; ask only when it does not.
  ctx.volatile.askedGrantAt = ctx.now;
  ctx.tell(Order, orderId, "pickedUp", { driverId: ctx.key, at: ctx.now });
  pushTrip(ctx);
  return { at: ctx.now };
}

export function deliver(ctx: DriverContext, settings: DomainSettings, orderId: string): At | Rejection {
  const leg = legOf(ctx.state, orderId);
  if (leg === undefined) return ctx.reject("not_your_trip");
  if (!isCarrying(leg)) return ctx.reject("illegal_transition", { status: leg.stage });
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
  const leg = legOf(ctx.state, orderId);
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
  const leg = legOf(ctx.state, orderId);
  if (leg === undefined) return ctx.reject("not_your_trip");
  if (isCarrying(leg)) return ctx.reject("illegal_transition", { status: leg.stage });
  dropLeg(ctx, settings, orderId, reason);
  ctx.tell(Order, orderId, "revoked", { driverId: ctx.key, reason });
  return { at: ctx.now };
}
