/** Why this driver: what support and operations see of the search for an order's driver. */
import type { RatingTotals } from "./operations/ratings.js";
import type { OrderStatus } from "./orders.js";

/** What a trip was judged by, in milliseconds of the node's clock: see `docs/decisions/dispatch-live.md`. */
export interface DecisionTerms {
  /** From the driver's place to the first restaurant. */
  readonly travelMs: number;
  /** How long the food waits for the driver, summed over the orders. */
  readonly foodWaitsMs: number;
  readonly driverWaitsMs: number;
  /** Delivery later than the earliest that any driver could achieve, summed over the orders. */
  readonly delayMs: number;
  /** Delivery beyond what was promised, summed over the orders. */
  readonly lateMs: number;
  /** What sharing the trip adds, summed over the orders. */
  readonly sharingMs: number;
  readonly busyMs: number;
  readonly fairnessMs: number;
  readonly acceptanceMs: number;
  /** For ratings below the best one. Absent: of a decision from before ratings counted. */
  readonly ratingMs?: number;
  /** The weighted sum that was made as small as possible. */
  readonly costMs: number;
}

/** What stood behind one proposal of the rolling horizon. */
export interface DecisionEvidence {
  readonly decidedAt: number;
  readonly terms: DecisionTerms;
  /** The next best drivers for the same trip and what they would have cost more; negative: needed elsewhere. */
  readonly alternatives: readonly { readonly driverId: string; readonly extraMs: number }[];
  /** How many drivers and orders the decision looked at. */
  readonly drivers: number;
  readonly orders: number;
  /** What was known of the driver who was chosen. Absent: of a decision from before this was kept. */
  readonly chosen?: {
    readonly vehicle: string;
    /** Probability that an offer is accepted. */
    readonly acceptance: number;
    /** Share of the shift that was work. */
    readonly busyShare: number;
    /** Stars; no ratings: `count` is 0. */
    readonly rating: RatingTotals;
  };
}

export type OfferOutcome = "won" | "lost" | "expired" | "withdrawn" | "declined";

/** One offer of the order to one driver, and how it ended. */
export interface OfferRecord {
  readonly offerId: string;
  readonly driverId: string;
  readonly round: number;
  readonly madeAt: number;
  readonly why: string;
  /** `horizon` and `simple` are the zone's two ways to decide; `manual` is a person. */
  readonly by: "horizon" | "simple" | "manual";
  /** Orders of the trip in the order of delivery; this one alone for most. */
  readonly orderIds: readonly string[];
  readonly evidence?: DecisionEvidence;
  readonly outcome: "open" | OfferOutcome;
  readonly closedAt?: number;
  readonly reason?: string;
}

/** Body of `GET /v1/orders/{id}/dispatch`. */
export interface DispatchView {
  readonly orderId: string;
  readonly version: number;
  readonly status: OrderStatus;
  readonly search: "none" | "searching" | "offered" | "assigned";
  readonly driverId: string | null;
  /** When the restaurant accepted and the search began, or null. */
  readonly searchedFrom: number | null;
  /** From when on the first offer could have been made, or null. */
  readonly dueAt: number | null;
  readonly firstOfferAt: number | null;
  readonly rounds: number;
  /** Not asked again before the next escalation. */
  readonly excluded: readonly string[];
  /** How long a minute of the city lasts by the clock of the durations here: less where its day passes faster than life. */
  readonly minuteMs?: number;
  /** The newest, oldest first. */
  readonly offers: readonly OfferRecord[];
}
