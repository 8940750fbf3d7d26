/**
 * A driver's state. Kept: the shift, the open offers, the claim or the trip. Not kept, ever: where the driver is; the
 * position lives in `DriverMemory` only, and in the mirror for half a minute.
 *
 * Invariants: a driver claims or drives, never both; `claiming` ends only by the order's answer; a leg that was delivered
 * is gone from the trip before the order hears of it.
 */
import type { DriverSnapshot, GpsPolicy, OfferView, StopView, TripView } from "../../../protocol/mod.js";
import type { DriverSettings } from "../settings.js";

export type Shift =
  | { readonly status: "off" }
  | { readonly status: "on"; readonly since: number; readonly name: string; readonly vehicle: string };

export interface HeldOffer {
  readonly offer: OfferView;
  readonly zone: string;
}

export type LegStage = "to_pickup" | "at_pickup" | "carrying" | "at_dropoff";

/** One order of a trip. */
export interface Leg {
  readonly orderId: string;
  readonly offerId: string;
  readonly zone: string;
  readonly stage: LegStage;
  readonly stops: readonly StopView[];
}

export interface Trip {
  readonly tripId: string;
  readonly legs: readonly Leg[];
}

export type Work =
  | { readonly status: "free" }
  /** Committed to this offer; the order decides. */
  | { readonly status: "claiming"; readonly held: HeldOffer; readonly acceptedAt: number }
  | { readonly status: "on_trip"; readonly trip: Trip };

export type OfferOutcome = "won" | "lost" | "expired" | "withdrawn" | "declined";

export interface DriverState {
  readonly shift: Shift;
  readonly offers: readonly HeldOffer[];
  readonly work: Work;
  /** The last offers that are over, so that a late tap gets a clear answer. */
  readonly past: readonly { readonly offerId: string; readonly outcome: OfferOutcome }[];
}

const MOST_PAST = 8;

export const initialDriver = (): DriverState => ({
  shift: { status: "off" },
  offers: [],
  work: { status: "free" },
  past: [],
});

export function withPast(state: DriverState, offerId: string, outcome: OfferOutcome): DriverState["past"] {
  return [...state.past, { offerId, outcome }].slice(-MOST_PAST);
}

/** The latest position that may be shown, as the phone measured it. */
export interface LivePosition {
  readonly lat: number;
  readonly lng: number;
  readonly bearing: number | null;
  readonly at: number;
}

/** What no commit keeps. */
export interface DriverMemory {
  /** Last sequence number per start of the app; the newest starts only. */
  readonly boots: Map<string, number>;
  live: LivePosition | null;
  /** When the last batch came, by our clock; 0: not yet. */
  heardAt: number;
  tokens: number;
  refilledAt: number;
  presentAt: number;
  /** Zones that were told last. */
  zones: readonly string[];
  /** Open grants by order. Where the driver was before `since` is nobody's business. */
  readonly grants: Map<string, { readonly number: number; readonly since: number }>;
  askedGrantAt: number;
  nearAt: number;
  lostAt: number;
  flagged: number;
}

export const emptyMemory = (): DriverMemory => ({
  boots: new Map(),
  live: null,
  heardAt: 0,
  tokens: Number.POSITIVE_INFINITY,
  refilledAt: 0,
  presentAt: 0,
  zones: [],
  grants: new Map(),
  askedGrantAt: 0,
  nearAt: 0,
  lostAt: 0,
  flagged: 0,
});

export function tripView(trip: Trip): TripView {
  return { tripId: trip.tripId, stops: trip.legs.flatMap((leg) => leg.stops) };
}

/** When and how often the app shall send (R-GPS-9). */
export function gpsPolicy(state: DriverState, settings: DriverSettings): GpsPolicy {
  if (state.work.status === "on_trip") return { send: true, everyMs: settings.gpsTripMs, reason: "on_trip" };
  if (state.shift.status === "on") return { send: true, everyMs: settings.gpsAvailableMs, reason: "available" };
  return { send: false, everyMs: 0, reason: "off_shift" };
}

export function driverSnapshot(state: DriverState, settings: DriverSettings, now: number): DriverSnapshot {
  return {
    onShift: state.shift.status === "on",
    offers: state.offers.map((held) => held.offer).filter((offer) => offer.expiresAt > now),
    trip: state.work.status === "on_trip" ? tripView(state.work.trip) : null,
    gps: gpsPolicy(state, settings),
  };
}

export function isCarrying(leg: Leg): boolean {
  return leg.stage === "carrying" || leg.stage === "at_dropoff";
}

export function legOf(state: DriverState, orderId: string): Leg | undefined {
  return state.work.status === "on_trip" ? state.work.trip.legs.find((leg) => leg.orderId === orderId) : undefined;
}

/** The work with one leg replaced, or without it; the trip ends with its last leg. */
export function withLeg(work: Work, orderId: string, change: Partial<Pick<Leg, "stage" | "stops">> | null): Work {
  if (work.status !== "on_trip") return work;
  const legs = work.trip.legs.flatMap((leg) =>
    leg.orderId !== orderId ? [leg] : change === null ? [] : [{ ...leg, ...change }],
  );
  return legs.length === 0 ? { status: "free" } : { status: "on_trip", trip: { ...work.trip, legs } };
}

/** The stops of a leg with those of this kind done. */
export function stopDone(leg: Leg, kind: StopView["kind"]): readonly StopView[] {
  return leg.stops.map((stop) => (stop.kind === kind ? { ...stop, done: true } : stop));
}
