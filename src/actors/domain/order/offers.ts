/**
 * Offers of an order: made, declined, expired, and what follows when a round has no winner.
 *
 * Invariants: an offer is committed with its expiry before a driver hears of it; a driver who said no or nothing is not
 * asked again before the next escalation, or before nobody else was found for `askAgainMs`; rounds are capped, then a
 * person is called and the search goes on slowly.
 */
import type { OfferView, OrderStatus } from "../../../protocol/mod.js";
import { Zone } from "../dispatch-zone/messages.js";
import { Driver } from "../driver/messages.js";
import { asJson } from "../json.js";
import type { DomainSettings } from "../settings.js";
import type { OrderContract, Proposal } from "./messages.js";
import { offersWereClosed, offersWereMade } from "./offers-made.js";
import { termsOf } from "./payment-facts.js";
import { type Entry, type OrderContext, save } from "./save.js";
import { type ChosenOffer, isPlaced, type OpenOffer, type PlacedOrder, readyAtOf, statusOf } from "./state.js";
import { zonePicture } from "./view.js";

/** Bounded: a city with more refusals than this for one order has other worries. */
const MOST_EXCLUDED = 64;

export const exclude = (excluded: readonly string[], driverId: string): readonly string[] =>
  excluded.includes(driverId) ? excluded : [...excluded, driverId].slice(-MOST_EXCLUDED);

function offerView(order: PlacedOrder, orderId: string, offer: OpenOffer, settings: DomainSettings): OfferView {
  const { restaurant, destination, totals } = order.content;
  return {
    offerId: offer.offerId,
    orderId,
    orderIds: [orderId],
    expiresAt: offer.expiresAt,
    stops: [
      { kind: "pickup", orderId, lat: restaurant.lat, lng: restaurant.lng, name: restaurant.name, done: false },
      {
        kind: "dropoff",
        orderId,
        lat: destination.lat,
        lng: destination.lng,
        name: destination.address ?? "Customer",
        done: false,
      },
    ],
    payMinor: termsOf(order.content, settings).driverPayMinor + totals.tipMinor,
    currency: totals.currency,
    readyAt: readyAtOf(order, offer.expiresAt - settings.order.offerMs, settings.order.defaultPrepMs),
  };
}

/** Commits a round of offers and sends them. */
export function offerTo(
  ctx: OrderContext,
  settings: DomainSettings,
  order: PlacedOrder,
  chosen: readonly ChosenOffer[],
  entries: readonly Entry[] = [],
): void {
  const expiresAt = ctx.now + settings.order.offerMs;
  const offers = chosen.map(
    ({ offerId, driverId, why, card }): OpenOffer => ({
      offerId,
      driverId,
      why,
      expiresAt,
      ...(card === undefined ? {} : { card }),
    }),
  );
  const rounds = order.rounds + 1;
  const next: PlacedOrder = {
    ...order,
    delivery: { status: "offered", offers },
    rounds,
    offersMade: offersWereMade(order.offersMade, ctx.key, chosen, rounds, ctx.now),
  };
  ctx.timer("offers", { at: expiresAt + settings.order.offerGraceMs, run: "offersExpire" });
  for (const offer of offers) {
    ctx.tell(Driver, offer.driverId, "offer", {
      offer: offerView(next, ctx.key, offer, settings),
      zone: order.content.zone,
      ...(offer.card === undefined ? {} : { card: offer.card }),
    });
    ctx.publish("order.offer_made", asJson({ orderId: ctx.key, round: next.rounds, ...offer }));
  }
  save(ctx, settings, next, entries);
}

/** In these an order may look for a driver. */
export const SEARCHING: ReadonlySet<OrderStatus> = new Set(["accepted", "preparing", "ready"]);

export function proposeDrivers(ctx: OrderContext, settings: DomainSettings, proposal: Proposal): null {
  const { candidates, by, dueAt, card, evidence } = proposal;
  const order = ctx.state;
  if (!isPlaced(order)) return null;
  const { delivery, content } = order;
  const ready = delivery.status === "searching" && ctx.now >= delivery.notBefore && order.closed === null;
  const fresh = candidates.filter(({ driverId }) => !order.excluded.includes(driverId));
  if (!ready || fresh.length === 0 || !SEARCHING.has(statusOf(order))) {
    // The zone's picture is older than the order: show it the present one.
    ctx.cast(Zone, content.zone, "orderMoved", zonePicture(ctx.key, order, ctx.now, settings));
    return null;
  }
  const mode = settings.order.offerModeByZone[content.zone] ?? settings.order.offerMode;
  // A trip of several orders is one driver's to answer: broadcast, its orders could go to different ones.
  const size = mode === "broadcast" && card === undefined ? settings.order.broadcastSize : 1;
  const chosen = fresh.slice(0, size).map(
    ({ driverId, why }): ChosenOffer => ({
      offerId: ctx.newId(),
      driverId,
      why,
      by,
      dueAt,
      ...(card === undefined ? {} : { card }),
      ...(evidence === undefined ? {} : { evidence }),
    }),
  );
  offerTo(ctx, settings, order, chosen);
  return null;
}

/** Back to searching after a round without a winner; past the cap a person is called and the next round waits. */
export function searchOn(
  ctx: OrderContext,
  settings: DomainSettings,
  order: PlacedOrder,
  entries: readonly Entry[] = [],
): void {
  ctx.cancelTimer("offers");
  if (order.rounds < settings.order.maxOfferRounds) {
    if (order.excluded.length > 0) {
      ctx.timer("offers", { at: ctx.now + settings.order.askAgainMs, run: "offersExpire" });
    }
    save(ctx, settings, { ...order, delivery: { status: "searching", notBefore: ctx.now } }, entries);
    return;
  }
  const next: PlacedOrder = {
    ...order,
    delivery: { status: "searching", notBefore: ctx.now + settings.order.retryPauseMs },
    rounds: 0,
    excluded: [],
    escalations: order.escalations + 1,
  };
  const reason = `no driver after ${order.rounds} rounds of offers`;
  save(ctx, settings, next, [...entries, { kind: "escalated", by: "system", reason }]);
}

/** These offers are over without a winner. */
export function offersOver(
  ctx: OrderContext,
  settings: DomainSettings,
  order: PlacedOrder,
  over: readonly OpenOffer[],
  outcome: "declined" | "expired",
  reason: string,
): void {
  if (order.delivery.status !== "offered" || over.length === 0) return;
  let { excluded } = order;
  for (const offer of over) {
    excluded = exclude(excluded, offer.driverId);
    ctx.publish(
      "order.offer_closed",
      asJson({ orderId: ctx.key, offerId: offer.offerId, driverId: offer.driverId, outcome, reason }),
    );
  }
  const offers = order.delivery.offers.filter((offer) => !over.includes(offer));
  const offersMade = offersWereClosed(order.offersMade, over, outcome, reason, ctx.now);
  const next: PlacedOrder = { ...order, excluded, offersMade };
  if (offers.length === 0) searchOn(ctx, settings, next);
  else save(ctx, settings, { ...next, delivery: { status: "offered", offers } });
}

export function offerDeclined(
  ctx: OrderContext,
  settings: DomainSettings,
  { driverId, offerId, reason }: OrderContract["offerDeclined"]["input"],
): null {
  const order = ctx.state;
  if (!isPlaced(order) || order.delivery.status !== "offered") return null;
  const over = order.delivery.offers.filter((offer) => offer.offerId === offerId && offer.driverId === driverId);
  offersOver(ctx, settings, order, over, "declined", reason);
  return null;
}

export function offersExpire(ctx: OrderContext, settings: DomainSettings): null {
  const order = ctx.state;
  if (!isPlaced(order)) return null;
  if (order.delivery.status === "searching" && order.excluded.length > 0) {
    // Whoever is there has said no once: in a small town, or at night, there is nobody else.
    save(ctx, settings, { ...order, excluded: [] });
    return null;
  }
  if (order.delivery.status !== "offered") return null;
  const over = order.delivery.offers.filter((offer) => offer.expiresAt <= ctx.now);
  offersOver(ctx, settings, order, over, "expired", "no answer in time");
  return null;
}
