/**
 * A card: one trip on offer, as the driver sees it. Its orders offer themselves one by one; the card is shown once all of
 * them have, or a moment later with those that have. Pure.
 *
 * Invariant: parts lie in the order of delivery, and only orders of the card are among them.
 */
import type { OfferView, StopView } from "../../../protocol/mod.js";
import type { OfferCard } from "../order/messages.js";

/** One order's offer. */
export interface HeldOffer {
  readonly offer: OfferView;
  readonly zone: string;
}

export interface HeldCard {
  /** What the driver answers. The offer's own id when the order goes alone. */
  readonly cardId: string;
  /** In the order of delivery, those too that have not offered themselves yet. */
  readonly orderIds: readonly string[];
  /** The same in the order of collection. Absent: as they are delivered. */
  readonly pickups?: readonly string[];
  readonly parts: readonly HeldOffer[];
  /** When it is shown with what there is by then. Null: the driver sees it. */
  readonly showAt: number | null;
}

export function newCard(held: HeldOffer, card: OfferCard | undefined, showAt: number): HeldCard {
  const { offerId, orderId } = held.offer;
  if (card === undefined) return { cardId: offerId, orderIds: [orderId], parts: [held], showAt: null };
  const alone = card.orderIds.length === 1;
  const { cardId, orderIds, pickups } = card;
  const order = pickups === undefined ? { orderIds } : { orderIds, pickups };
  return { cardId, ...order, parts: [held], showAt: alone ? null : showAt };
}

/** The card with one more order; shown as soon as it is complete. */
export function withPart(card: HeldCard, held: HeldOffer): HeldCard {
  const parts = [...card.parts, held].sort(
    (a, b) => card.orderIds.indexOf(a.offer.orderId) - card.orderIds.indexOf(b.offer.orderId),
  );
  return { ...card, parts, showAt: parts.length === card.orderIds.length ? null : card.showAt };
}

/** The card without one of its offers; null when none is left. What was only waited for is waited for on. */
export function withoutPart(card: HeldCard, offerId: string): HeldCard | null {
  const gone = card.parts.find(({ offer }) => offer.offerId === offerId);
  const parts = card.parts.filter((part) => part !== gone);
  if (parts.length === 0) return null;
  const orderIds = card.orderIds.filter((orderId) => orderId !== gone?.offer.orderId);
  return { ...card, parts, orderIds, showAt: parts.length === orderIds.length ? null : card.showAt };
}

/** Shown as it is: whoever has not come by now is not on it. */
export function shown(card: HeldCard): HeldCard {
  return { ...card, orderIds: card.parts.map(({ offer }) => offer.orderId), showAt: null };
}

export const expiryOf = (card: HeldCard): number => Math.min(...card.parts.map(({ offer }) => offer.expiresAt));

/** All collections in their order, then the deliveries as they lie. */
export function stopsInOrder(stops: readonly StopView[], pickups: readonly string[] | undefined): readonly StopView[] {
  const collections = stops.filter(({ kind }) => kind === "pickup");
  if (pickups !== undefined) collections.sort((a, b) => pickups.indexOf(a.orderId) - pickups.indexOf(b.orderId));
  return [...collections, ...stops.filter(({ kind }) => kind === "dropoff")];
}

/** What the driver sees: one trip, one pay. */
export function cardView(card: HeldCard): OfferView {
  const offers = card.parts.map(({ offer }) => offer);
  const first = offers[0];
  if (first === undefined) throw new Error(`card ${card.cardId} has no orders`);
  return {
    offerId: card.cardId,
    orderId: first.orderId,
    orderIds: offers.map(({ orderId }) => orderId),
    expiresAt: expiryOf(card),
    stops: stopsInOrder(
      offers.flatMap((offer) => offer.stops),
      card.pickups,
    ),
    payMinor: offers.reduce((sum, { payMinor }) => sum + payMinor, 0),
    currency: first.currency,
    readyAt: Math.max(...offers.map(({ readyAt }) => readyAt)),
  };
}
