/** What others may send a dispatch zone. A zone's key is its H3 cell. */
import type { Point } from "../../../lib/geo.js";
import type { OrderStatus } from "../../../protocol/mod.js";
import { actorRef } from "../../runtime/definition.js";
import type { DecisionAnswer, LearnedWays } from "../decision.js";
import type { ZoneSettings } from "../settings.js";

export { zoneOf, zonesAround, zonesInReach } from "./cells.js";

export type DriverPresence = "available" | "offered" | "on_trip";

export interface PresenceInput {
  readonly driverId: string;
  readonly lat: number;
  readonly lng: number;
  readonly state: DriverPresence;
  /** When the driver actor said it. */
  readonly at: number;
  readonly vehicle: string;
  /** Where and when the driver can set out anew: here and now, or after the last stop of the trip, as far as can be told. */
  readonly free: Point & { readonly at: number };
  /** How likely an offer is accepted, 0 < p ≤ 1. */
  readonly acceptance: number;
  /** Share of the shift that was work, 0 … 1. */
  readonly busyShare: number;
}

/** An order as its zone follows it; the whole picture each time, so that the last one heard is enough. */
export interface ZoneOrderInput {
  readonly orderId: string;
  /** Rises with every change of the order: an older picture is ignored. */
  readonly version: number;
  readonly status: OrderStatus;
  readonly restaurantId: string;
  /** Of an order for later: when it would have been placed, were it wanted at once. */
  readonly placedAt: number;
  readonly pickup: Point;
  readonly dropoff: Point;
  readonly readyAt: number;
  /** `waiting`: wants a driver, from `notBefore` on. `offered`: wait for the answer. */
  readonly search: "none" | "waiting" | "offered";
  readonly notBefore: number;
  /** Drivers who are not to be proposed for it. */
  readonly excluded: readonly string[];
  /** Whom it is offered to now. */
  readonly offeredTo: readonly string[];
  readonly driverId: string | null;
}

/** From when on an order counts as waited for: the promise ends when it is wanted. */
export function wantedSince(
  order: { readonly placedAt: number; readonly deliverAt?: number },
  { promiseMs }: Pick<ZoneSettings, "promiseMs">,
): number {
  return order.deliverAt === undefined ? order.placedAt : Math.max(order.placedAt, order.deliverAt - promiseMs);
}

/** What customers think of a driver, in stars; of whom nobody has rated: 0 of 0. */
export type RatingRow = readonly [driverId: string, average: number, count: number];

export type ZoneContract = {
  driverPresent: { input: PresenceInput; reply: null };
  /** To a part of the zone: from now on, or for now, nothing is true but what it is told after this. */
  startOver: { input: null; reply: null };
  driverGone: { input: { readonly driverId: string; readonly at: number }; reply: null };
  /** Another zone has nobody for an order here: whoever can be spared is named to it by `driverPresent`. */
  driversWanted: { input: { readonly zone: string; readonly near: Point }; reply: null };
  orderMoved: { input: ZoneOrderInput; reply: null };
  /** To a part of the zone: these of its orders wait. It has heard so of each; what it said of one may have been lost. */
  stillWaiting: { input: readonly ZoneOrderInput[]; reply: null };
  /** The matcher has the pool's answer to the question `id`, or knows that there will be none. */
  decided: { input: { readonly id: string; readonly answer: DecisionAnswer | null }; reply: null };
  /** What the zone's model of arrivals knows of the ways at this hour. */
  waysLearned: { input: LearnedWays; reply: null };
  /** The matcher has the ratings that the zone wanted. */
  ratingsRead: { input: readonly RatingRow[]; reply: null };
  /** The matcher rings: it is time for what the zone wanted to do now. */
  beat: { input: null; reply: null };
  /** The matcher rings: what has changed is shown now, whoever is silent is forgotten. */
  show: { input: null; reply: null };
  tick: { input: null; reply: null };
};

export const Zone = actorRef<ZoneContract>("dispatch-zone");
