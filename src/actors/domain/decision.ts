/**
 * One decision of a zone as plain data: what the zone knows goes out, which trips to offer comes back. The thinking
 * between is `solveDecision`, a pure function that runs wherever a `DecisionPool` runs it: in a pool of threads in a
 * node, in a later turn by the clock in tests and in the simulated city.
 *
 * Owns: what the request carries and what it means to the matching (ways, service times, promises). Does not own: the
 * matching itself, and what becomes of the answer.
 *
 * Invariants: equal requests give equal answers; request and answer survive a structured clone and MessagePack.
 */
import { wayFactor, type ZonePicture } from "../../eta/mod.js";
import { type Spot, spotDistanceMeters, spotOf } from "../../lib/geo.js";
import { decode, encode } from "../../lib/msgpack.js";
import { seededRandom } from "../../lib/random.js";
import {
  type Alternative,
  type Driver,
  decide,
  defaultMatchingSettings,
  expectedOrders,
  type MatchingSettings,
  type OpenOrder,
  type Tentative,
  type TripPlan,
  type TripTerms,
} from "../../matching/mod.js";
import type { EffectRunner } from "../runtime/ports.js";
import type { DomainSettings, ZoneSettings } from "./settings.js";
import { speedShareOf } from "./travel.js";

/** The name under which a host is given its decision pool among its effects. */
export const DECISION_EFFECT = "dispatch";

/** [orderId, restaurantId, pickupLat, pickupLng, dropoffLat, dropoffLng, placedAt, readyAt, excluded drivers] */
export type OrderRow = readonly [string, string, number, number, number, number, number, number, readonly string[]];
/** [driverId, lat, lng, freeAt, overworked 0…1, acceptance 0…1, vehicle, poorlyRated 0…1]; the place is where the driver is at `freeAt`. */
export type DriverRow = readonly [string, number, number, number, number, number, string, number];

/** How much longer ways take than expected, at this hour: as the zone's trips have taught. */
export type LearnedWays = Pick<ZonePicture, "way" | "paced" | "vehicles">;

/** What a zone decides by; the same for every decision of a node. */
export interface DecisionRules {
  readonly speedMetersPerSecond: number;
  readonly streetFactor: number;
  readonly reachMeters: number;
  readonly promiseMs: number;
  readonly latestMs: number;
  readonly matching: MatchingSettings;
}

export interface DecisionRequest {
  readonly id: string;
  readonly now: number;
  /** For the search's randomness. */
  readonly seed: number;
  /** A trip that would be late without leaving within this is to be offered. */
  readonly leadMs: number;
  readonly orders: readonly OrderRow[];
  readonly drivers: readonly DriverRow[];
  /** Orders placed lately, open or not: what comes next is likely to be like them. */
  readonly recent: readonly OrderRow[];
  /** The tentative trips of the decision before. */
  readonly previous: readonly TripPlan[];
  /** Null: nothing is known yet, ways take as long as expected. */
  readonly ways: LearnedWays | null;
  readonly rules: DecisionRules;
}

export interface DecidedTrip {
  readonly driverId: string;
  /** In the order of collection. */
  readonly restaurantIds: readonly string[];
  /** In the order of delivery. */
  readonly orderIds: readonly string[];
  readonly terms: TripTerms;
  readonly alternatives: readonly Alternative[];
}

export interface DecisionAnswer {
  readonly id: string;
  /** To be offered now. */
  readonly trips: readonly DecidedTrip[];
  readonly tentative: readonly Tentative[];
  /** Orders that nobody can bring in time. */
  readonly unplanned: readonly string[];
}

/** Everything in milliseconds, divided like the day that the settings are for. */
export function decisionRules(settings: DomainSettings): DecisionRules {
  const { travel, zone, order } = settings;
  const dayShare = order.minuteMs / 60_000;
  return {
    speedMetersPerSecond: travel.speedMetersPerSecond,
    streetFactor: travel.streetFactor,
    reachMeters: zone.reachMeters,
    promiseMs: zone.promiseMs,
    latestMs: zone.latestMs,
    matching: liveMatching(dayShare, travel.handoverMs, zone),
  };
}

/** The measured setting with a city's own service times, weights, and the trips that an offer can hold. */
function liveMatching(dayShare: number, handoverMs: number, zone: ZoneSettings): MatchingSettings {
  const { trips, weights, ...measured } = shortened(defaultMatchingSettings, dayShare);
  return {
    ...measured,
    collectMs: handoverMs / 2,
    leaveRestaurantMs: 0,
    handOverMs: handoverMs / 2,
    leaveCustomerMs: handoverMs / 2,
    trips: {
      ...trips,
      mostOrders: Math.min(trips.mostOrders, zone.maxTripOrders),
      mostRestaurants: Math.min(zone.maxTripOrders, zone.maxTripRestaurants),
    },
    weights: { ...weights, fairnessMs: zone.fairnessMs, ratingMs: zone.ratingMs, declineMs: zone.declineMs },
  };
}

/** Every duration in it (their names end with `Ms`) as long as the day's share of it. */
function shortened<T extends object>(settings: T, dayShare: number): T {
  const entries = Object.entries(settings).map(([name, value]): [string, unknown] => {
    if (typeof value === "object" && value !== null) return [name, shortened(value, dayShare)];
    return [name, name.endsWith("Ms") && typeof value === "number" ? value * dayShare : value];
  });
  return Object.fromEntries(entries) as T;
}

interface Place {
  readonly spot: Spot;
  /** What the driver's vehicle makes of the ordinary speed. Zero for restaurants and customers: whoever goes on from there. */
  readonly share: number;
  /** What trips have taught of ways that begin here, over what is expected of them. */
  readonly factor: number;
}

/** A way that nobody goes. */
const FAR_MS = 1e11;

/**
 * Pure. The matching knows one speed for the way from restaurant to customer and another for each driver's way to the
 * restaurant, where drivers differ before it is decided who goes. Both are corrected by what trips have taught of this hour:
 * the first by whoever drove, the second by vehicle.
 */
export function solveDecision(request: DecisionRequest): DecisionAnswer {
  const { rules, now } = request;
  const travel = (from: Place, to: Place): number => {
    const meters = spotDistanceMeters(from.spot, to.spot);
    if (from.share > 0 && meters > rules.reachMeters) return FAR_MS;
    const speed = rules.speedMetersPerSecond * (from.share > 0 ? from.share : 1);
    return ((meters * rules.streetFactor) / speed) * 1000 * from.factor;
  };
  const anyones = request.ways?.way ?? 1;
  const orders = request.orders.map((row) => openOrder(row, rules, anyones));
  const decision = decide<Place>({
    now,
    orders: [
      ...orders,
      ...expectedOrders(
        request.recent.map((row) => openOrder(row, rules, anyones)),
        now,
        rules.matching.forecast,
      ),
    ],
    drivers: request.drivers.map((row) => driverOf(row, request.ways)),
    travel,
    settings: { ...rules.matching, commitLeadMs: request.leadMs },
    random: seededRandom(request.seed),
    previous: request.previous,
  });
  return {
    id: request.id,
    trips: decision.commits.map(({ driverId, restaurantIds, orderIds, terms, alternatives }) => ({
      driverId,
      restaurantIds,
      orderIds,
      terms,
      alternatives,
    })),
    tentative: decision.tentative,
    unplanned: decision.unplanned.map(({ orderId }) => orderId),
  };
}

function openOrder(row: OrderRow, rules: DecisionRules, factor: number): OpenOrder<Place> {
  const [orderId, restaurantId, fromLat, fromLng, toLat, toLng, placedAt, readyAt, excluded] = row;
  return {
    orderId,
    restaurantId,
    pickup: { spot: spotOf({ lat: fromLat, lng: fromLng }), share: 0, factor },
    dropOff: { spot: spotOf({ lat: toLat, lng: toLng }), share: 0, factor },
    placedAt,
    readyAt,
    targetAt: placedAt + rules.promiseMs,
    latestAt: placedAt + rules.latestMs,
    excluded,
    likelihood: 1,
  };
}

function driverOf(row: DriverRow, ways: LearnedWays | null): Driver<Place> {
  const [driverId, lat, lng, freeAt, overworked, acceptance, vehicle, poorlyRated] = row;
  const factor = ways === null ? 1 : wayFactor(ways, vehicle);
  return {
    driverId,
    place: { spot: spotOf({ lat, lng }), share: speedShareOf(vehicle), factor },
    freeAt,
    lastPickupAt: Number.MAX_SAFE_INTEGER,
    overworked,
    acceptance,
    poorlyRated,
  };
}

/**
 * A question as bytes. It is written once by the thread that asks and read by the thread that thinks: what lies between
 * copies it without looking inside.
 */
export const writeQuestion = (request: DecisionRequest): Uint8Array => encode(request);

export const readQuestion = (question: Uint8Array): DecisionRequest => decode<DecisionRequest>(question);

export const solveQuestion = (question: Uint8Array): DecisionAnswer => solveDecision(readQuestion(question));

/** Whoever thinks for the zones: at most one question of a zone at a time. Rejects when it cannot. */
export interface DecisionPool {
  solve(question: Uint8Array): Promise<DecisionAnswer>;
}

/** The pool as the engine runs it. What fails is answered as null, so that nothing is tried again: the next decision is newer. */
export function decisionEffect(pool: DecisionPool, patienceMs: number, after: After): EffectRunner {
  return async ({ input }) => {
    const question = input as unknown as Uint8Array;
    const answer = await new Promise<DecisionAnswer | null>((resolve) => {
      const cancel = after(patienceMs, () => resolve(null));
      pool
        .solve(question)
        .then(resolve, () => resolve(null))
        .finally(cancel);
    });
    return answer as never;
  };
}

type After = (delayMs: number, run: () => void) => () => void;

/** The pool's twin: decides in this process, in a later turn, `thinkMs` after it was asked. */
export function inProcessDecisions(after: After, thinkMs: number): DecisionPool {
  return {
    solve: (question) =>
      new Promise((resolve, reject) => {
        after(thinkMs, () => {
          try {
            resolve(solveQuestion(question));
          } catch (error) {
            reject(error);
          }
        });
      }),
  };
}
