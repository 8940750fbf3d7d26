import type { ForecastSettings } from "./forecast.js";

/** The knobs of a decision. Weights say how many milliseconds of one customer's waiting a millisecond of something else is worth. */
export interface MatchingSettings {
  /** How long a driver takes from arriving at a restaurant to holding the food, when it is ready. */
  readonly collectMs: number;
  /** From holding the food to driving off. */
  readonly leaveRestaurantMs: number;
  /** From arriving at the customer's to handing over. */
  readonly handOverMs: number;
  /** From handing over to being free or driving on. */
  readonly leaveCustomerMs: number;
  readonly trips: {
    readonly mostOrders: number;
    /** 1: a trip collects at one restaurant only. */
    readonly mostRestaurants: number;
    /** Restaurants of one trip are at most this far apart. */
    readonly nearbyMs: number;
    /** What sharing may add for one order when there are drivers enough. */
    readonly sharingMs: number;
    /** What it may add more for each open order per driver. */
    readonly sharingPerLoadMs: number;
    readonly mostSharingMs: number;
    /** A driver's future trips that are planned. */
    readonly mostAhead: number;
  };
  readonly weights: {
    /** Delivery later than the promise, on top of the delay itself. */
    readonly late: number;
    /** What that is less where drivers are so few that keeping one promise breaks another. At most `late`. */
    readonly lateWhenScarce: number;
    /** Food that waits for a driver, on top of the delay that it is. */
    readonly foodWaits: number;
    /** A driver's time when nobody is short of drivers. */
    readonly busy: number;
    /** What a driver's time is worth more for each open order per driver. */
    readonly busyPerLoad: number;
    readonly mostBusy: number;
    /** One order for a driver who has clearly had more than a fair part, in milliseconds. */
    readonly fairnessMs: number;
    /** One order for a driver with the worst of all ratings rather than the best, in milliseconds. */
    readonly ratingMs: number;
    /** One declined offer, in milliseconds. */
    readonly declineMs: number;
    /** An order that nobody can deliver in time, in milliseconds. */
    readonly unplannedMs: number;
  };
  /** What the caller's forecast of orders is made with. */
  readonly forecast: ForecastSettings;
  /**
   * A trip is committed when it would be late without leaving within this time, divided by the driver's acceptance. At
   * least the time until the next decision; more where drivers take time to answer.
   */
  readonly commitLeadMs: number;
  readonly search: {
    /** Drivers looked at for an order, by their way to the restaurant. */
    readonly candidates: number;
    /** Rounds of improvement for each order that is not planned as well as can be. */
    readonly roundsPerOrder: number;
    readonly mostRounds: number;
    /** No further round begins once so many trips were computed: a bound on time that is the same on every machine. */
    readonly mostWork: number;
    /** Orders that are taken out and planned anew in a round; a few more where whole routes are. */
    readonly mostRemoved: number;
    /** How much worse a plan may be to go on from it, in milliseconds at the first round, falling to 0. */
    readonly toleranceMs: number;
  };
}

const MINUTE = 60_000;

/** The one setting with which all measurements were made; what differs by market is the service times and the trip's limits. */
export const defaultMatchingSettings: MatchingSettings = {
  collectMs: 2 * MINUTE,
  leaveRestaurantMs: 2 * MINUTE,
  handOverMs: 2 * MINUTE,
  leaveCustomerMs: 2 * MINUTE,
  trips: {
    mostOrders: 4,
    mostRestaurants: 1,
    nearbyMs: 3 * MINUTE,
    sharingMs: 30 * MINUTE,
    sharingPerLoadMs: 10 * MINUTE,
    mostSharingMs: 45 * MINUTE,
    mostAhead: 4,
  },
  weights: {
    late: 1,
    lateWhenScarce: 1,
    foodWaits: 0,
    busy: 0,
    busyPerLoad: 0,
    mostBusy: 0,
    fairnessMs: 0.02 * MINUTE,
    ratingMs: 1 * MINUTE,
    declineMs: 1 * MINUTE,
    unplannedMs: 120 * MINUTE,
  },
  forecast: { aheadMs: 20 * MINUTE, likelihood: 0.15 },
  commitLeadMs: 0,
  search: {
    candidates: 30,
    roundsPerOrder: 80,
    mostRounds: 6_000,
    mostWork: 100_000,
    mostRemoved: 6,
    toleranceMs: 2 * MINUTE,
  },
};
