/**
 * What a zone has learned of ways, waits, handovers and of its own errors. Pure: a model and an outcome give the next model.
 *
 * Invariants: bounded by its names and bins; equal outcomes in equal order give equal models; before anything was learned
 * the picture is what the settings say.
 */
import { countOf, type Effects, learn, meanOf, NO_EFFECTS, predicted } from "./effects.js";
import { logError, STAGES, type Stage, type ZonePicture } from "./expect.js";
import { type CityCalendar, type CityHour, cityHour, hourNames } from "./hours.js";
import { expectedResiduals, learnResidual, type Residuals, shapeOf } from "./residuals.js";

export interface ZoneModel {
  /** ln(real ÷ expected way). */
  readonly ways: Effects;
  /** ln(real ÷ the settings' handover) of `lag`, `pickup`, `dropoff`. */
  readonly waits: Effects;
  /** By stage, in the order of `STAGES`. */
  readonly residuals: readonly Residuals[];
  readonly outcomes: number;
}

/** What a zone's model starts from. */
export interface ZoneDefaults extends CityCalendar {
  readonly handoverMs: number;
  /** Softens errors of the last minutes; see `logError`. */
  readonly cushionMs: number;
}

/** An estimate at the beginning of a stage, and how it ended. */
export interface StageOutcome {
  readonly stage: Stage;
  /** Before any correction. */
  readonly leftMs: number;
  readonly realMs: number;
  /** Against the range that was shown. */
  readonly inRange: -1 | 0 | 1;
}

/** What one delivered order taught. Durations in milliseconds. */
export interface Outcome {
  readonly deliveredAt: number;
  readonly stages: readonly StageOutcome[];
  /** Null unless the driver drove straight from the pickup to this customer. */
  readonly way: {
    readonly vehicle: string;
    /** As the router gave it. */
    readonly anyoneMs: number;
    /** As long as this vehicle should take. */
    readonly expectedMs: number;
    readonly tookMs: number;
  } | null;
  /** From ready to taken; null when the food was not ready first. */
  readonly lagMs: number | null;
  /** At the counter with the food ready; null when it is not known. */
  readonly pickupMs: number | null;
  readonly dropoffMs: number | null;
}

/** Deviations of the logarithm that are believed until errors have been seen. */
const FIRST_SIGMAS: Readonly<Record<Stage, number>> = {
  placed: 0.28,
  confirmed: 0.28,
  kitchen: 0.25,
  assigned: 0.22,
  ready: 0.3,
  collecting: 0.25,
  picked_up: 0.22,
};
const WAY_RULES = { prior: 9, most: 80, clip: 0.7, maxNames: 48 } as const;
/** How long nobody comes follows the number of drivers on the road: it is forgotten sooner. */
const WAIT_RULES = { prior: 3, most: 30, clip: 1, maxNames: 3 } as const;
const MOST_VEHICLES = 12;
/** The way of an order that has no driver yet. */
const ANYONE = "anyone";
const LEAST_MS = 1;

export function newZoneModel(): ZoneModel {
  return {
    ways: NO_EFFECTS,
    waits: NO_EFFECTS,
    residuals: STAGES.map((stage) => expectedResiduals(FIRST_SIGMAS[stage])),
    outcomes: 0,
  };
}

const vehicleName = (vehicle: string): string => `v:${vehicle.slice(0, 20)}`;

function wayNames(vehicle: string | null, hour: CityHour): readonly string[] {
  return ["all", ...(vehicle === null ? [] : [vehicleName(vehicle)]), ...hourNames(hour)];
}

export function learnOutcome(model: ZoneModel, outcome: Outcome, defaults: ZoneDefaults): ZoneModel {
  let { ways, waits } = model;
  const { way } = outcome;
  if (way !== null && way.expectedMs >= LEAST_MS && way.tookMs >= LEAST_MS) {
    const vehicles = Object.keys(ways).filter((name) => name.startsWith("v:"));
    const known = vehicles.includes(vehicleName(way.vehicle)) || vehicles.length < MOST_VEHICLES;
    const hour = cityHour(outcome.deliveredAt, defaults);
    // A house next door, where parking is all there is, shall not look like a traffic jam.
    const floor = defaults.cushionMs / 2;
    const ratio = (expectedMs: number): number => Math.log((way.tookMs + floor) / (expectedMs + floor));
    ways = learn(ways, wayNames(known ? way.vehicle : null, hour), ratio(way.expectedMs), WAY_RULES);
    ways = learn(ways, [ANYONE], ratio(way.anyoneMs), WAY_RULES);
  }
  for (const [name, tookMs] of [
    ["lag", outcome.lagMs],
    ["pickup", outcome.pickupMs],
    ["dropoff", outcome.dropoffMs],
  ] as const) {
    if (tookMs === null || !(tookMs >= 0)) continue;
    const value = Math.log(Math.max(tookMs, defaults.handoverMs / 20) / defaults.handoverMs);
    waits = learn(waits, [name], value, WAIT_RULES);
  }
  const residuals = [...model.residuals];
  for (const { stage, leftMs, realMs, inRange } of outcome.stages) {
    const index = STAGES.indexOf(stage);
    const known = residuals[index];
    if (known === undefined) continue;
    residuals[index] = learnResidual(known, logError(leftMs, realMs, defaults.cushionMs), inRange);
  }
  return { ways, waits, residuals, outcomes: model.outcomes + 1 };
}

/** What the zone's orders and quotes calculate with at `now`. */
export function pictureOf(model: ZoneModel, now: number, defaults: ZoneDefaults): ZonePicture {
  const hour = cityHour(now, defaults);
  const factor = (vehicle: string | null): number => {
    const names = wayNames(vehicle, hour);
    return thousandth(Math.exp(predicted(model.ways, names)));
  };
  const vehicles: Record<string, number> = {};
  for (const name of Object.keys(model.ways)) {
    if (name.startsWith("v:") && countOf(model.ways, name) > 0) vehicles[name.slice(2)] = factor(name.slice(2));
  }
  const wait = (name: string): number => Math.round(defaults.handoverMs * Math.exp(meanOf(model.waits, name)));
  return {
    at: now,
    way: thousandth(Math.exp(predicted(model.ways, [ANYONE]))),
    paced: factor(null),
    vehicles,
    lagMs: wait("lag"),
    pickupMs: wait("pickup"),
    dropoffMs: wait("dropoff"),
    shapes: model.residuals.map(shapeOf),
  };
}

function thousandth(value: number): number {
  return Math.round(value * 1000) / 1000;
}
