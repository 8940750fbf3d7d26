/**
 * What a decision is made of. Times are milliseconds on the caller's clock, costs are milliseconds of one customer's
 * waiting, places are whatever the caller's `travel` understands.
 */
import type { Random } from "../lib/random.js";
import type { MatchingSettings } from "./settings.js";

/** An order that no driver has been committed to yet. */
export interface OpenOrder<Place> {
  readonly orderId: string;
  readonly restaurantId: string;
  /** The restaurant's place. Equal for all orders of one restaurant. */
  readonly pickup: Place;
  readonly dropOff: Place;
  readonly placedAt: number;
  /** When the food is expected to be ready, as far as it is known now. */
  readonly readyAt: number;
  /** What the customer was promised: lateness beyond it weighs more. */
  readonly targetAt: number;
  /** Nobody is sent who would deliver later than this. */
  readonly latestAt: number;
  /** Drivers who declined this order or may not carry it. */
  readonly excluded: readonly string[];
  /** 1: a real order. Below: how sure an order is that is only expected; `placedAt` then lies ahead. It is never committed. */
  readonly likelihood: number;
}

/** A driver on shift, or whose shift begins soon. */
export interface Driver<Place> {
  readonly driverId: string;
  /** Where the driver is at `freeAt`: now, or after the last drop-off of the present trip. */
  readonly place: Place;
  /** When the driver can set out for a new trip: in the past, or predicted, or when the shift begins. */
  readonly freeAt: number;
  /** The last moment at which this driver may still collect an order. */
  readonly lastPickupAt: number;
  /** How much more than a fair part of work or pay this driver has had: 0 none … 1 clearly more. */
  readonly overworked: number;
  /** Probability that an offer is accepted, 0 < p ≤ 1. */
  readonly acceptance: number;
  /** How far customers' ratings lie below the best one: 0 none given or the best … 1 the worst. */
  readonly poorlyRated: number;
}

/** One trip: all collections, then all deliveries in this order. */
export interface TripPlan {
  readonly driverId: string;
  /** In the order of collection. */
  readonly restaurantIds: readonly string[];
  /** In the order of delivery. */
  readonly orderIds: readonly string[];
}

/** What a trip is expected to bring, and what it was judged by. All in milliseconds. */
export interface TripTerms {
  /** From the driver's place to the first restaurant. */
  readonly travelMs: number;
  /** How long the food waits for the driver, summed over the orders. */
  readonly foodWaitsMs: number;
  /** How long the driver stands at restaurants until the food is ready. */
  readonly driverWaitsMs: number;
  /** Delivery later than the earliest that any driver could achieve, summed over the orders. */
  readonly delayMs: number;
  /** Delivery beyond what was promised, summed over the orders. */
  readonly lateMs: number;
  /** What sharing the trip adds, summed over the orders. */
  readonly sharingMs: number;
  /** How long the driver is bound by the trip. */
  readonly busyMs: number;
  /** The weighted sum that was made as small as possible, with everything above and the three below. */
  readonly costMs: number;
  readonly fairnessMs: number;
  readonly acceptanceMs: number;
  readonly ratingMs: number;
}

export interface Alternative {
  readonly driverId: string;
  /** What the trip would have cost more with this driver. Negative: this driver was better placed, and is needed elsewhere. */
  readonly extraMs: number;
}

/** A trip to offer now. */
export interface Commit extends TripPlan {
  readonly departAt: number;
  readonly pickupAt: readonly number[];
  readonly deliverAt: readonly number[];
  readonly terms: TripTerms;
  /** The next best drivers for the same trip, best first. */
  readonly alternatives: readonly Alternative[];
}

/** A trip that may still change. Give it back with the next decision. */
export interface Tentative extends TripPlan {
  /** When it will have to be committed, as things stand. */
  readonly commitAt: number;
  /** When it would have to be committed if its driver were free already; at most `commitAt`. */
  readonly dueAt: number;
  /** True: its orders are only expected. */
  readonly expected: boolean;
  /** What it is expected to bring. Null: it is not its driver's next trip, or only expected. */
  readonly terms: TripTerms | null;
}

/** Why an order is in no trip. */
export type Unplanned = { readonly orderId: string; readonly reason: "no_driver_in_time" };

/** How long from one place to another, in milliseconds. Called very often: it must be cheap and free of side effects. */
export type Travel<Place> = (from: Place, to: Place) => number;

export interface Situation<Place> {
  readonly now: number;
  readonly orders: readonly OpenOrder<Place>[];
  readonly drivers: readonly Driver<Place>[];
  readonly travel: Travel<Place>;
  readonly settings: MatchingSettings;
  readonly random: Random;
  /** The tentative trips of the decision before: where the search begins. Stale parts are ignored. */
  readonly previous: readonly TripPlan[];
}

export interface Decision {
  readonly commits: readonly Commit[];
  readonly tentative: readonly Tentative[];
  readonly unplanned: readonly Unplanned[];
  /** The cost of the whole plan. */
  readonly costMs: number;
}
