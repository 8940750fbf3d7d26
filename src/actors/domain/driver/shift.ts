/** Shift and offers: coming and going, what is offered, accepting and declining. */
import type { CommandBody, OfferOutcome } from "../../../protocol/mod.js";
import type { Rejection } from "../../runtime/definition.js";
import { asJson } from "../json.js";
import { Order } from "../order/messages.js";
import type { DomainSettings } from "../settings.js";
import { cardView, expiryOf, type HeldCard, newCard, shown, withoutPart, withPart } from "./cards.js";
import { type DriverContext, tellGone, tellPresence } from "./gps.js";
import type { OfferInput } from "./messages.js";
import { wayOnClaim } from "./progress.js";
import { newRecord, withAnswer } from "./record.js";
import { type DriverState, emptyMemory, gpsPolicy, type OnShift, withPast } from "./state.js";

export function pushPolicy(ctx: DriverContext, settings: DomainSettings): void {
  ctx.push("work", "gps.policy", asJson(gpsPolicy(ctx.state, settings.driver)));
}

export function pushClosed(ctx: DriverContext, offerId: string, outcome: OfferOutcome): void {
  ctx.push("work", "offer.closed", { offerId, outcome });
}

/** Sets the one timer of the open cards: to the soonest that expires, or that is shown though not complete. */
export function armOffers(ctx: DriverContext): void {
  const soonest = Math.min(...ctx.state.offers.map((card) => Math.min(card.showAt ?? expiryOf(card), expiryOf(card))));
  if (Number.isFinite(soonest)) ctx.timer("offers", { at: soonest, run: "offersExpire" });
  else ctx.cancelTimer("offers");
}

/** Tells every order of a card that this driver does not take it. */
function declineParts(ctx: DriverContext, card: HeldCard, reason: string): void {
  for (const { offer } of card.parts) {
    ctx.tell(Order, offer.orderId, "offerDeclined", { driverId: ctx.key, offerId: offer.offerId, reason });
  }
}

/** Every open card is declined for this reason. */
export function declineAll(ctx: DriverContext, reason: string): void {
  let { past } = ctx.state;
  for (const card of ctx.state.offers) {
    declineParts(ctx, card, reason);
    if (card.showAt === null) pushClosed(ctx, card.cardId, "declined");
    past = withPast({ past }, card.cardId, "declined");
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
  const record = shift.status === "on" ? ctx.state.record : { ...ctx.state.record, busyMs: newRecord().busyMs };
  ctx.become({ ...ctx.state, shift: { status: "on", since, name, vehicle }, record });
  const memory = ctx.volatile;
  memory.live = { lat, lng, bearing: null, at: ctx.now };
  memory.elsewhere = null;
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

/** Nobody drives under this name any more: the shift ends, with it the name, and what the app may ask for again. */
export function forgetPerson(ctx: DriverContext, settings: DomainSettings): { forgotten: true } | Rejection {
  const off = goOffline(ctx, settings);
  if (!("onShift" in off)) return off;
  ctx.trim("work", Number.POSITIVE_INFINITY);
  return { forgotten: true };
}

/** Why an offer cannot be shown to this driver now, or null. */
function unavailable(state: DriverState, now: number, held: OfferInput, most: number): string | null {
  if (state.shift.status === "off") return "driver_offline";
  const isPart = state.offers.some(({ cardId }) => cardId === held.card?.cardId);
  if (state.work.status !== "free" || (!isPart && state.offers.length >= most)) return "driver_busy";
  // Answered, or shown without it.
  if (held.card !== undefined && state.past.some(({ offerId }) => offerId === held.card?.cardId)) return "card_closed";
  return held.offer.expiresAt <= now ? "offer_expired" : null;
}

/** An order offers itself: alone, or as a part of a card, which is shown when it is complete. */
export function offer(ctx: DriverContext, settings: DomainSettings, { card, ...held }: OfferInput): null {
  const { orderId, offerId } = held.offer;
  const { offers } = ctx.state;
  if (offers.some(({ parts }) => parts.some((part) => part.offer.offerId === offerId))) return null;
  const decline = (reason: string): null => {
    ctx.tell(Order, orderId, "offerDeclined", { driverId: ctx.key, offerId, reason });
    return null;
  };
  const input: OfferInput = card === undefined ? held : { ...held, card };
  const reason = unavailable(ctx.state, ctx.now, input, settings.driver.maxOpenOffers);
  if (reason !== null) return decline(reason);
  const open = card === undefined ? undefined : offers.find(({ cardId }) => cardId === card.cardId);
  if (open !== undefined && (open.showAt === null || !open.orderIds.includes(orderId))) return decline("card_closed");
  const next = open === undefined ? newCard(held, card, ctx.now + settings.driver.cardGatherMs) : withPart(open, held);
  replaceCard(ctx, open, next);
  if (next.showAt === null) ctx.push("work", "offer.made", asJson(cardView(next)));
  armOffers(ctx);
  if (open === undefined) tellPresence(ctx, settings);
  return null;
}

function replaceCard(ctx: DriverContext, before: HeldCard | undefined, next: HeldCard): void {
  const { offers } = ctx.state;
  ctx.become({
    ...ctx.state,
    offers: before === undefined ? [...offers, next] : offers.map((card) => (card === before ? next : card)),
  });
}

/** Takes a card out of the open ones. */
function closeCard(ctx: DriverContext, card: HeldCard, outcome: OfferOutcome): void {
  const offers = ctx.state.offers.filter((open) => open !== card);
  ctx.become({ ...ctx.state, offers, past: withPast(ctx.state, card.cardId, outcome) });
  if (card.showAt === null) pushClosed(ctx, card.cardId, outcome);
  armOffers(ctx);
}

/** One order is not to be had any more: its card shrinks, or closes with its last order. True: it was on an open card. */
export function withdrawOffer(ctx: DriverContext, offerId: string, outcome: OfferOutcome): boolean {
  const card = ctx.state.offers.find(({ parts }) => parts.some(({ offer }) => offer.offerId === offerId));
  if (card === undefined) return false;
  const next = withoutPart(card, offerId);
  if (next === null) {
    closeCard(ctx, card, outcome);
    return true;
  }
  replaceCard(ctx, card, next);
  if (card.showAt === null) ctx.push("work", "offer.changed", asJson(cardView(next)));
  else if (next.showAt === null) ctx.push("work", "offer.made", asJson(cardView(next)));
  armOffers(ctx);
  return true;
}

export function offersExpire(ctx: DriverContext, settings: DomainSettings): null {
  for (const card of ctx.state.offers) {
    if (expiryOf(card) <= ctx.now) {
      closeCard(ctx, card, "expired");
      if (card.showAt === null) learn(ctx, false);
    } else if (card.showAt !== null && card.showAt <= ctx.now) {
      const next = shown(card);
      replaceCard(ctx, card, next);
      ctx.push("work", "offer.made", asJson(cardView(next)));
    }
  }
  armOffers(ctx);
  tellPresence(ctx, settings);
  return null;
}

function learn(ctx: DriverContext, accepted: boolean): void {
  ctx.become({ ...ctx.state, record: withAnswer(ctx.state.record, accepted) });
}

const LATE_ANSWER = {
  won: "driver_busy",
  lost: "offer_taken",
  expired: "offer_expired",
  withdrawn: "offer_withdrawn",
  declined: "offer_expired",
} as const satisfies Record<OfferOutcome, string>;

/** A card that the driver sees, or why there is none. */
function openCard(state: DriverState, cardId: string): HeldCard | OfferOutcome | null {
  const card = state.offers.find((open) => open.cardId === cardId && open.showAt === null);
  return card ?? state.past.findLast((past) => past.offerId === cardId)?.outcome ?? null;
}

/** Commits to the whole card; each of its orders then decides about itself. */
export function acceptOffer(
  ctx: DriverContext,
  settings: DomainSettings,
  cardId: string,
): { claiming: string } | Rejection {
  const { state } = ctx;
  const { shift, work } = state;
  if (shift.status === "off") return ctx.reject("driver_offline");
  if (work.status !== "free" && work.trip.tripId === cardId) return { claiming: cardId };
  const card = openCard(state, cardId);
  if (card === null) return ctx.reject("not_found");
  if (typeof card === "string") return ctx.reject(LATE_ANSWER[card]);
  if (work.status !== "free") return ctx.reject("driver_busy");
  // The timer only wakes us; the clock decides.
  if (expiryOf(card) <= ctx.now) return ctx.reject("offer_expired");
  claimCard(ctx, card, shift);
  tellPresence(ctx, settings);
  return { claiming: cardId };
}

/** Long enough for an order's answer, and shorter than a person notices. */
const CLAIM_ANSWER = { withinMs: 250, by: ["claimWon", "claimLost"] } as const;

/** Of a trip that is claimed now. */
export function nextTripNumber(ctx: DriverContext): number {
  const { state, volatile: memory } = ctx;
  // An actor that woke may have forgotten a claim under one of the next numbers. Another number meets it in the guard
  // against two trips: what is claimed first leaves one out, or two, as the epoch before did not.
  const number = state.trips + (memory.hasClaimed ? 1 : 2 + (ctx.epoch & 1));
  memory.hasClaimed = true;
  return number;
}

function claimCard(ctx: DriverContext, card: HeldCard, { name, vehicle }: OnShift): void {
  const { state } = ctx;
  const { cardId } = card;
  const number = nextTripNumber(ctx);
  const claims = card.parts.map((held, place) => ({ held, place }));
  ctx.become({
    ...state,
    offers: state.offers.filter((open) => open !== card),
    work: {
      status: "claiming",
      trip: {
        tripId: cardId,
        number,
        acceptedAt: ctx.now,
        plan: card.orderIds,
        ...(card.pickups === undefined ? {} : { pickups: card.pickups }),
        legs: [],
        claims,
      },
    },
    trips: number,
    record: withAnswer(state.record, true),
  });
  for (const { held, place } of claims) {
    const { orderId, offerId } = held.offer;
    const seat = { trip: number, place };
    const way = wayOnClaim(ctx, card, orderId);
    // The order's answer and the claim are one commit. A claim that a crash forgets is still on its card.
    ctx.tellAhead(CLAIM_ANSWER, Order, orderId, "claim", {
      driverId: ctx.key,
      offerId,
      acceptedAt: ctx.now,
      name,
      vehicle,
      tripId: cardId,
      seat,
      ...(way === undefined ? {} : { way }),
    });
  }
  armOffers(ctx);
}

/**
 * An order has decided for us on a claim that a crash has forgotten: its card is still open, and claimed again. Not once
 * it has expired: the phone may have been told so.
 */
export function claimAgain(ctx: DriverContext, offerId: string): void {
  const { shift, work, offers } = ctx.state;
  if (shift.status === "off" || work.status !== "free") return;
  const card = offers.find(
    ({ showAt, parts }) => showAt === null && parts.some(({ offer }) => offer.offerId === offerId),
  );
  if (card !== undefined && expiryOf(card) > ctx.now) claimCard(ctx, card, shift);
}

export function declineOffer(
  ctx: DriverContext,
  settings: DomainSettings,
  cardId: string,
  reason: string,
): { declined: string } | Rejection {
  const card = openCard(ctx.state, cardId);
  if (card === "declined") return { declined: cardId };
  if (card === null) return ctx.reject("not_found");
  if (typeof card === "string") return ctx.reject(LATE_ANSWER[card]);
  closeCard(ctx, card, "declined");
  learn(ctx, false);
  declineParts(ctx, card, reason);
  tellPresence(ctx, settings);
  return { declined: cardId };
}
