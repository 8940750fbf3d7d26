/**
 * When an order arrives: the sum of what is left, by stage, and the range around it. Pure arithmetic on learned figures;
 * what is learned, and how, is in the files beside this one.
 *
 * Invariants: what is left is positive and finite; the range's ends are in order and not in the past; equal inputs give
 * equal answers.
 */
import type { RangeShape } from "./residuals.js";

/** Parts of an order's life whose estimates are wrong in different ways. The order of this list is that of the wire. */
export const STAGES = ["placed", "confirmed", "kitchen", "assigned", "ready", "collecting", "picked_up"] as const;
export type Stage = (typeof STAGES)[number];

/** What the zone's model knows now: one picture for all its orders. Durations in milliseconds. */
export interface ZonePicture {
  /** When it was made, ms since the epoch. */
  readonly at: number;
  /** Real over expected way at this hour, whoever will drive. */
  readonly way: number;
  /** The same over what is expected of the driver's vehicle; `vehicles` by name, `paced` for others. */
  readonly paced: number;
  readonly vehicles: Readonly<Record<string, number>>;
  /** From ready to taken, when nobody is on the way yet. */
  readonly lagMs: number;
  /** At the counter, from when both food and driver are there. */
  readonly pickupMs: number;
  /** At the door. */
  readonly dropoffMs: number;
  /** By stage, in the order of `STAGES`. */
  readonly shapes: readonly RangeShape[];
}

/** What a restaurant tells an order about itself, with its zone's picture. Durations in milliseconds. */
export interface Outlook {
  /** The menu's time for these dishes. */
  readonly menuMs: number;
  /** The kitchen's, at this hour and load. */
  readonly prepMs: number;
  /** Until a person has accepted. */
  readonly acceptMs: number;
  readonly promise: { readonly factor: number; readonly weight: number };
  /** Null: the zone's model has not been heard yet. */
  readonly zone: ZonePicture | null;
}

/** Where the driver is, as last told. */
export interface Progress {
  /** As the crow flies, from stop to stop, to the place that is next for this order: its pickup, then its drop-off. */
  readonly meters: number;
  /** Other stops before that. */
  readonly stops: number;
  readonly at: number;
}

/** With what a metre as the crow flies should take this driver anywhere in the city. */
export interface RoadLeft extends Progress {
  readonly meterMs: number;
}

/** Everything that decides when an order arrives. */
export interface Situation {
  readonly stage: Stage;
  readonly now: number;
  /** When this status began: what has passed of a wait is not waited again. */
  readonly since: number;
  /** Until a person has accepted, and then cooked. */
  readonly acceptMs: number;
  readonly prepMs: number;
  /** When the food is expected on the counter; null before acceptance. */
  readonly readyAt: number | null;
  /** Of the whole way from the restaurant: as the router gave it, or as long as the known vehicle should take. */
  readonly wayMs: number;
  readonly wayMeters: number;
  readonly vehicle: string | null;
  readonly progress: RoadLeft | null;
  readonly arrived: boolean;
}

export interface ArrivalRange {
  readonly from: number;
  readonly expected: number;
  /** Four of five arrive before this. */
  readonly likely: number;
  readonly to: number;
}

/** Of a wait that has lasted longer than expected, this share of the expectation is still to come. */
const OVERDUE_SHARE = 0.15;

/** What is left of an expected duration after `passedMs`; never nothing, as long as it has not ended. */
function left(expectedMs: number, passedMs: number): number {
  return Math.max(expectedMs - Math.max(0, passedMs), OVERDUE_SHARE * expectedMs);
}

/** Real over expected way for this vehicle; null: whoever will drive. */
export function wayFactor(picture: Pick<ZonePicture, "way" | "paced" | "vehicles">, vehicle: string | null): number {
  if (vehicle === null) return picture.way;
  return Object.hasOwn(picture.vehicles, vehicle) ? (picture.vehicles[vehicle] ?? picture.paced) : picture.paced;
}

/** Milliseconds until the order is handed over, before any correction. */
export function remainingMs(situation: Situation, picture: ZonePicture): number {
  const { stage, now, since, acceptMs, prepMs, readyAt, wayMs, progress } = situation;
  const factor = wayFactor(picture, situation.vehicle);
  const drop = wayMs * factor + picture.dropoffMs;
  const kitchen = readyAt === null ? prepMs : Math.max(readyAt - now, OVERDUE_SHARE * prepMs);
  switch (stage) {
    case "placed":
      return acceptMs + prepMs + picture.lagMs + drop;
    case "confirmed":
      return left(acceptMs, now - since) + prepMs + picture.lagMs + drop;
    case "kitchen":
      return kitchen + picture.lagMs + drop;
    case "assigned":
      return collected(kitchen, situation, picture) + drop;
    case "ready":
      return left(picture.lagMs, now - (readyAt ?? since)) + drop;
    case "collecting":
      return collected(0, situation, picture) + drop;
    case "picked_up": {
      if (situation.arrived) return left(picture.dropoffMs, now - since);
      if (progress === null) return Math.max(wayMs * factor - (now - since), 0) + picture.dropoffMs;
      return roadMs(situation, progress, picture) + (progress.stops + 1) * picture.dropoffMs;
    }
  }
}

/** Until the food is in the driver's hands: whichever comes later, food or driver, and the counter. */
function collected(kitchenMs: number, situation: Situation, picture: ZonePicture): number {
  const { progress } = situation;
  // Not heard of yet: as long as it usually takes somebody.
  if (progress === null) return Math.max(kitchenMs + picture.pickupMs, left(picture.lagMs, 0));
  const approach = approachMs(progress, situation.vehicle, situation.now, picture);
  return Math.max(kitchenMs, approach) + picture.pickupMs;
}

/** Until the driver is at the restaurant, by way of the stops before it, as last told. */
export function approachMs(progress: RoadLeft, vehicle: string | null, now: number, picture: ZonePicture): number {
  const wayMs = progress.meters * progress.meterMs * wayFactor(picture, vehicle);
  return Math.max(0, wayMs - Math.max(0, now - progress.at)) + progress.stops * picture.pickupMs;
}

/**
 * Of the metres that were left when last told. To the customer, at the pace of this order's own way as far as it goes: the
 * router knew its bridges. To other customers and from further off than the way is long, at the city's.
 */
function roadMs(situation: Situation, progress: RoadLeft, picture: ZonePicture): number {
  const { wayMs, wayMeters, now } = situation;
  const own = progress.stops === 0 ? Math.min(progress.meters, wayMeters) : 0;
  const ownMs = own <= 0 ? 0 : (own / wayMeters) * wayMs;
  const leftMs = (ownMs + (progress.meters - own) * progress.meterMs) * wayFactor(picture, situation.vehicle);
  return Math.max(0, leftMs - Math.max(0, now - progress.at));
}

/** The range around `now + leftMs` by what such estimates were worth lately. `cushionMs`: see `residuals.ts`. */
export function arrivalRange(
  now: number,
  leftMs: number,
  stage: Stage,
  picture: ZonePicture,
  cushionMs: number,
): ArrivalRange {
  const shape = picture.shapes[STAGES.indexOf(stage)] ?? [0, 0, 0, 0, 0];
  const [low, middle, high, p80] = shape;
  const at = (thousandths: number): number =>
    Math.round(now + Math.max(0, (leftMs + cushionMs) * Math.exp(thousandths / 1000) - cushionMs));
  const expected = at(middle);
  const from = Math.min(at(low), expected);
  const to = Math.max(at(high), expected + 1);
  return { from, expected, likely: Math.min(to, Math.max(expected, at(p80))), to };
}

/** What `arrivalRange` calls an error: the logarithm of real over expected, softened by the cushion. */
export function logError(leftMs: number, realMs: number, cushionMs: number): number {
  return Math.log((Math.max(0, realMs) + cushionMs) / (Math.max(0, leftMs) + cushionMs));
}
