/** The record of an order's offers: which driver was asked, why, and what came of it. Pure; bounded. */
import type { OfferOutcome, OfferRecord } from "../../../protocol/mod.js";
import type { ChosenOffer, OffersMade } from "./state.js";

/** Offers that are kept: two full rounds of broadcasting, or more rounds than there are before a person is called. */
const MOST_KEPT = 12;

export function searchBegan(made: OffersMade, now: number): OffersMade {
  return made.searchedFrom === null ? { ...made, searchedFrom: now } : made;
}

export function offersWereMade(
  made: OffersMade,
  orderId: string,
  chosen: readonly ChosenOffer[],
  round: number,
  now: number,
): OffersMade {
  const records = chosen.map(
    ({ offerId, driverId, why, by, card, evidence }): OfferRecord => ({
      offerId,
      driverId,
      round,
      madeAt: now,
      why,
      by,
      orderIds: card?.orderIds ?? [orderId],
      ...(evidence === undefined ? {} : { evidence }),
      outcome: "open",
    }),
  );
  const since = made.searchedFrom ?? now;
  const dueAt = Math.min(now, Math.max(since, chosen[0]?.dueAt ?? since));
  return {
    searchedFrom: since,
    dueAt: made.dueAt ?? dueAt,
    firstOfferAt: made.firstOfferAt ?? now,
    newest: [...made.newest, ...records].slice(-MOST_KEPT),
  };
}

/** Offers are over. Those that were over before stay as they were. */
export function offersWereClosed(
  made: OffersMade,
  offers: readonly { readonly offerId: string }[],
  outcome: OfferOutcome,
  reason: string,
  now: number,
): OffersMade {
  const over = new Set(offers.map(({ offerId }) => offerId));
  return {
    ...made,
    newest: made.newest.map((record) =>
      over.has(record.offerId) && record.outcome === "open" ? { ...record, outcome, reason, closedAt: now } : record,
    ),
  };
}
