/**
 * A driver's state. Kept: the shift, the open cards, the claims or the trip, what is learned of the driver. Not kept,
 * ever: where the driver is; the position lives in `DriverMemory` only, and in the mirror for half a minute.
 *
 * Invariants: a driver is on one trip at most; a claim ends only by the order's answer; a leg that was delivered is gone
 * from the trip before the order hears of it; legs and claims lie in the order of delivery.
 */
import type { JsonObject } from "../../../lib/json.js";
import type { DriverSnapshot, GpsPolicy, OfferOutcome, OfferView, StopView, TripView } from "../../../protocol/mod.js";
import type { DriverSettings } from "../settings.js";
import { cardView, type HeldCard, type HeldOffer, stopsInOrder } from "./cards.js";
import type { Elsewhere } from "./fix.js";
import type { ToldProgress } from "./progress.js";
import { newRecord, type WorkRecord } from "./record.js";

export interface OnShift {
  readonly status: "on";
  readonly since: number;
  readonly name: string;
  readonly vehicle: string;
}

export type Shift = { readonly status: "off" } | OnShift;

/** `at_pickup` and `at_dropoff` were kept by older versions. */
export type LegStage = "to_pickup" | "at_pickup" | "carrying" | "at_dropoff";

/** One order of a trip. */
export interface Leg {
  readonly orderId: string;
  readonly offerId: string;
  readonly zone: string;
  readonly stage: LegStage;
  readonly stops: readonly StopView[];
  /** When the food was expected to be ready as it was offered. */
  readonly readyAt: number;
  /** The order's place in the guard against two trips. */
  readonly place: number;
  /** How many deliveries before this one the order was told of. */
  readonly before: number;
}

/** An order that the driver has committed to; it decides. */
export interface OpenClaim {
  readonly held: HeldOffer;
  readonly place: number;
}

export interface Trip {
  /** The card's id. */
  readonly tripId: string;
  /** The how manieth trip of this driver it is: see `order/seats.ts`. */
  readonly number: number;
  readonly acceptedAt: number;
  /** Every order of the card, in the order of delivery. */
  readonly plan: readonly string[];
  /** The same in the order of collection. Absent: as they are delivered. */
  readonly pickups?: readonly string[];
  readonly legs: readonly Leg[];
  readonly claims: readonly OpenClaim[];
}

export type Work =
  | { readonly status: "free" }
  /** Committed to the card; no order has decided for this driver yet. */
  | { readonly status: "claiming"; readonly trip: Trip }
  | { readonly status: "on_trip"; readonly trip: Trip };

/** An order that was taken from this driver while nothing was heard; and what has been said of it since, by our clock. */
export interface TakenBack {
  readonly orderId: string;
  readonly collectedAt?: number;
  readonly deliveredAt?: number;
}

export interface DriverState {
  readonly shift: Shift;
  readonly offers: readonly HeldCard[];
  readonly work: Work;
  /** The last cards that are over, so that a late tap gets a clear answer. */
  readonly past: readonly { readonly offerId: string; readonly outcome: OfferOutcome }[];
  /** The number of the last trip, claimed ones that came to nothing too; some are left out. */
  readonly trips: number;
  readonly record: WorkRecord;
  /** The last of them; see `taken-back.ts`. Absent: none. */
  readonly takenBack?: readonly TakenBack[];
}

const MOST_PAST = 8;

export const initialDriver = (): DriverState => ({
  shift: { status: "off" },
  offers: [],
  work: { status: "free" },
  past: [],
  trips: 0,
  record: newRecord(),
});

/** What version 1 kept, in the shape of version 2: cards and trips of one order become those of possibly several. */
export function withCards(state: JsonObject): JsonObject {
  const held = (offer: JsonObject): JsonObject => ({
    ...offer,
    offer: { ...(offer.offer as JsonObject), orderIds: [(offer.offer as JsonObject).orderId ?? ""] },
  });
  const cardOf = (offer: JsonObject): JsonObject => {
    const { offerId, orderId } = offer.offer as JsonObject;
    return { cardId: offerId ?? "", orderIds: [orderId ?? ""], parts: [held(offer)], showAt: null };
  };
  const work = state.work as JsonObject;
  let next: JsonObject = { status: "free" };
  if (work.status === "claiming") {
    const offer = work.held as JsonObject;
    const { offerId, orderId } = offer.offer as JsonObject;
    next = {
      status: "claiming",
      trip: {
        tripId: offerId ?? "",
        number: 1,
        acceptedAt: work.acceptedAt ?? 0,
        plan: [orderId ?? ""],
        legs: [],
        claims: [{ held: held(offer), place: 0 }],
      },
    };
  } else if (work.status === "on_trip") {
    const trip = work.trip as JsonObject;
    const legs = trip.legs as readonly JsonObject[];
    next = {
      status: "on_trip",
      trip: {
        tripId: trip.tripId ?? "",
        number: 1,
        acceptedAt: 0,
        plan: legs.map(({ orderId }) => orderId ?? ""),
        legs: legs.map((leg, place) => ({ ...leg, readyAt: 0, place, before: 0 })),
        claims: [],
      },
    };
  }
  return {
    ...state,
    offers: (state.offers as readonly JsonObject[]).map(cardOf),
    work: next,
    trips: 1,
    record: { ...newRecord() },
  };
}

export function withPast(
  state: Pick<DriverState, "past">,
  offerId: string,
  outcome: OfferOutcome,
): DriverState["past"] {
  return [...state.past, { offerId, outcome }].slice(-MOST_PAST);
}

/** The latest position that may be shown, as the phone measured it. A driver has one, which is written over: copy it. */
export interface LivePosition {
  lat: number;
  lng: number;
  bearing: number | null;
  at: number;
}

/** A start of the app, and the last sequence number that came from it. */
export interface Boot {
  readonly id: string;
  seq: number;
}

/** What no commit keeps. */
export interface DriverMemory {
  /** The newest starts of the app, the newest of all last. */
  readonly boots: Boot[];
  live: LivePosition | null;
  /** Null: the last fixes were within reach of `live`. */
  elsewhere: Elsewhere | null;
  /** When the last batch or step of the trip came, by our clock; 0: not yet. */
  heardAt: number;
  tokens: number;
  refilledAt: number;
  presentAt: number;
  /** Zones that were told last. */
  zones: readonly string[];
  /** Open grants by order. Where the driver was before `since` is nobody's business. */
  readonly grants: Map<string, { readonly number: number; readonly since: number }>;
  askedGrantAt: number;
  /** What the trip's orders were told of the way, by order. */
  readonly progress: Map<string, ToldProgress>;
  nearAt: number;
  lostAt: number;
  flagged: number;
  /** Since it woke. */
  hasClaimed: boolean;
}

export const emptyMemory = (): DriverMemory => ({
  boots: [],
  live: null,
  elsewhere: null,
  heardAt: 0,
  tokens: Number.POSITIVE_INFINITY,
  refilledAt: 0,
  presentAt: 0,
  zones: [],
  grants: new Map(),
  progress: new Map(),
  askedGrantAt: 0,
  nearAt: 0,
  lostAt: 0,
  flagged: 0,
  hasClaimed: false,
});

/** All collections, then the deliveries, both as they were planned. */
export function tripView({ tripId, legs, pickups }: Trip): TripView {
  const stops = legs.flatMap((leg) => leg.stops);
  return { tripId, stops: stopsInOrder(stops, pickups) };
}

/** When and how often the app shall send (R-GPS-9). */
export function gpsPolicy(state: DriverState, settings: DriverSettings): GpsPolicy {
  if (state.work.status === "on_trip") return { send: true, everyMs: settings.gpsTripMs, reason: "on_trip" };
  if (state.shift.status === "on") return { send: true, everyMs: settings.gpsAvailableMs, reason: "available" };
  return { send: false, everyMs: 0, reason: "off_shift" };
}

export function driverSnapshot(state: DriverState, settings: DriverSettings, now: number): DriverSnapshot {
  const shown = state.offers.filter((card) => card.showAt === null);
  return {
    onShift: state.shift.status === "on",
    offers: shown.map(cardView).filter((offer: OfferView) => offer.expiresAt > now),
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

/** What a trip is while it has so many legs and claims; it ends with the last of them. */
export function workOf(trip: Trip): Work {
  if (trip.legs.length > 0) return { status: "on_trip", trip };
  return trip.claims.length > 0 ? { status: "claiming", trip } : { status: "free" };
}

/** The work with one leg replaced, or without it. */
export function withLeg(work: Work, orderId: string, change: Partial<Pick<Leg, "stage" | "stops">> | null): Work {
  if (work.status !== "on_trip") return work;
  const legs = work.trip.legs.flatMap((leg) =>
    leg.orderId !== orderId ? [leg] : change === null ? [] : [{ ...leg, ...change }],
  );
  return workOf({ ...work.trip, legs });
}

/** The stops of a leg with those of this kind done. */
export function stopDone(leg: Leg, kind: StopView["kind"]): readonly StopView[] {
  return leg.stops.map((stop) => (stop.kind === kind ? { ...stop, done: true } : stop));
}
