/** Shift and offers: coming and going, what is offered, accepting and declining. */
import type { CommandBody } from "../../../protocol/mod.js";
import type { Rejection } from "../../runtime/definition.js";
import { asJson } from "../json.js";
import { Order } from "../order/messages.js";
import type { DomainSettings } from "../settings.js";
import { type DriverContext, tellGone, tellPresence } from "./gps.js";
import type { OfferInput } from "./messages.js";
import { type DriverState, emptyMemory, gpsPolicy, type HeldOffer, type OfferOutcome, withPast } from "./state.js";

export function pushPolicy(ctx: DriverContext, settings: DomainSettings): void {
  ctx.push("work", "gps.policy", asJson(gpsPolicy(ctx.state, settings.driver)));
}

export function pushClosed(ctx: DriverContext, offerId: string, outcome: OfferOutcome): void {
  ctx.push("work", "offer.closed", { offerId, outcome });
}

/** Sets the one timer of the open offers to the soonest expiry. */
export function armOffers(ctx: DriverContext): void {
  const soonest = Math.min(...ctx.state.offers.map(({ offer }) => offer.expiresAt));
  if (Number.isFinite(soonest)) ctx.timer("offers", { at: soonest, run: "offersExpire" });
  else ctx.cancelTimer("offers");
}

/** Every open offer is declined for this reason, except one. */
export function declineAll(ctx: DriverContext, reason: string): void {
  let { past } = ctx.state;
  for (const { offer } of ctx.state.offers) {
    const { orderId, offerId } = offer;
    ctx.tell(Order, orderId, "offerDeclined", { driverId: ctx.key, offerId, reason });
    pushClosed(ctx, offerId, "declined");
    past = withPast({ ...ctx.state, past }, offerId, "declined");
  }
  if (ctx.state.offers.length > 0) ctx.cancelTimer("offers");
  ctx.become({ ...ctx.state, offers: [], past });
}

export function goOnline(
  ctx: DriverContext,
  settings: DomainSettings,
  input: CommandBody<"driver.online">,
): { onShift: true } {
  const { name, vehicle, lat, lng } = input;
  const { shift } = ctx.state;
  const since = shift.status === "on" ? shift.since : ctx.now;
  ctx.become({ ...ctx.state, shift: { status: "on", since, name, vehicle } });
  const memory = ctx.volatile;
  memory.live = { lat, lng, bearing: null, at: ctx.now };
  memory.heardAt = ctx.now;
  pushPolicy(ctx, settings);
  tellPresence(ctx, settings);
  if (shift.status === "off") ctx.publish("driver.online", { driverId: ctx.key, at: ctx.now });
  return { onShift: true };
}

export function goOffline(ctx: DriverContext, settings: DomainSettings): { onShift: false } | Rejection {
  const { shift, work } = ctx.state;
  if (shift.status === "off") return { onShift: false };
  if (work.status !== "free") return ctx.reject("driver_busy");
  declineAll(ctx, "driver_offline");
  ctx.become({ ...ctx.state, shift: { status: "off" } });
  tellGone(ctx);
  Object.assign(ctx.volatile, emptyMemory(), { boots: ctx.volatile.boots });
  pushPolicy(ctx, settings);
  ctx.publish("driver.offline", { driverId: ctx.key, at: ctx.now });
  return { onShift: false };
}

/** Why an offer cannot be shown to this driver now, or null. */
function unavailable(state: DriverState, now: number, expiresAt: number, most: number): string | null {
  if (state.shift.status === "off") return "driver_offline";
  if (state.work.status !== "free" || state.offers.length >= most) return "driver_busy";
  return expiresAt <= now ? "offer_expired" : null;
}

export function offer(ctx: DriverContext, settings: DomainSettings, held: OfferInput): null {
  const { orderId, offerId, expiresAt } = held.offer;
  if (ctx.state.offers.some((open) => open.offer.offerId === offerId)) return null;
  const reason = unavailable(ctx.state, ctx.now, expiresAt, settings.driver.maxOpenOffers);
  if (reason !== null) {
    ctx.tell(Order, orderId, "offerDeclined", { driverId: ctx.key, offerId, reason });
    return null;
  }
  ctx.become({ ...ctx.state, offers: [...ctx.state.offers, held] });
  ctx.push("work", "offer.made", asJson(held.offer));
  armOffers(ctx);
  tellPresence(ctx, settings);
  return null;
}

/** Takes an offer out of the open ones. Returns it, or null when it is not open. */
export function removeOffer(ctx: DriverContext, offerId: string, outcome: OfferOutcome): HeldOffer | null {
  const held = ctx.state.offers.find((open) => open.offer.offerId === offerId);
  if (held === undefined) return null;
  const offers = ctx.state.offers.filter((open) => open !== held);
  ctx.become({ ...ctx.state, offers, past: withPast(ctx.state, offerId, outcome) });
  pushClosed(ctx, offerId, outcome);
  armOffers(ctx);
  return held;
}

export function offersExpire(ctx: DriverContext, settings: DomainSettings): null {
  for (const { offer: open } of ctx.state.offers) {
    if (open.expiresAt <= ctx.now) removeOffer(ctx, open.offerId, "expired");
  }
  armOffers(ctx);
  tellPresence(ctx, settings);
  return null;
}

const LATE_ANSWER = {
  won: "driver_busy",
  lost: "offer_taken",
  expired: "offer_expired",
  withdrawn: "offer_withdrawn",
  declined: "offer_expired",
} as const satisfies Record<OfferOutcome, string>;

export function acceptOffer(
  ctx: DriverContext,
  settings: DomainSettings,
  offerId: string,
): { claiming: string } | Rejection {
  const { state } = ctx;
  if (state.shift.status === "off") return ctx.reject("driver_offline");
  if (state.work.status === "claiming" && state.work.held.offer.offerId === offerId) return { claiming: offerId };
  if (state.work.status === "on_trip" && state.work.trip.legs.some((leg) => leg.offerId === offerId)) {
    return { claiming: offerId };
  }
  const held = state.offers.find((open) => open.offer.offerId === offerId);
  if (held === undefined) {
    const outcome = state.past.findLast((past) => past.offerId === offerId)?.outcome;
    return ctx.reject(outcome === undefined ? "not_found" : LATE_ANSWER[outcome]);
  }
  if (state.work.status !== "free") return ctx.reject("driver_busy");
  // The timer only wakes us; the clock decides.
  if (held.offer.expiresAt <= ctx.now) return ctx.reject("offer_expired");
  ctx.become({
    ...state,
    offers: state.offers.filter((open) => open !== held),
    work: { status: "claiming", held, acceptedAt: ctx.now },
  });
  const { name, vehicle } = state.shift;
  ctx.tell(Order, held.offer.orderId, "claim", { driverId: ctx.key, offerId, acceptedAt: ctx.now, name, vehicle });
  armOffers(ctx);
  tellPresence(ctx, settings);
  return { claiming: offerId };
}

export function declineOffer(
  ctx: DriverContext,
  settings: DomainSettings,
  offerId: string,
  reason: string,
): { declined: string } | Rejection {
  const held = removeOffer(ctx, offerId, "declined");
  if (held === null) {
    const outcome = ctx.state.past.findLast((past) => past.offerId === offerId)?.outcome;
    if (outcome === "declined") return { declined: offerId };
    return ctx.reject(outcome === undefined ? "not_found" : LATE_ANSWER[outcome]);
  }
  ctx.tell(Order, held.offer.orderId, "offerDeclined", { driverId: ctx.key, offerId, reason });
  tellPresence(ctx, settings);
  return { declined: offerId };
}
