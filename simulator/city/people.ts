/** The people of the city: what drivers and customers are like, and how a driver answers an offer. */
import { distanceMeters, type Point } from "../../src/lib/geo.js";
import { pick, type Random, randomInteger } from "../../src/lib/random.js";
import { between, chance, clamp, logNormal, weighted } from "./draw.js";
import { GIVEN_NAMES } from "./names.js";

export type Vehicle = "walking" | "bicycle" | "motorcycle" | "car";

/** Average door-to-door speed in metres per second of the city's time, stops at lights included. */
export const VEHICLE_SPEED: Readonly<Record<Vehicle, number>> = {
  walking: 1.4,
  bicycle: 4.2,
  motorcycle: 7.5,
  car: 6.9,
};

export function isVehicle(text: string): text is Vehicle {
  return Object.hasOwn(VEHICLE_SPEED, text);
}

/** How a driver deals with the app. Chances are per occasion; seconds are seconds of the city. */
export interface DriverHabits {
  readonly declineChance: number;
  /** Leaves the phone in the pocket until the offer has expired. */
  readonly ignoreChance: number;
  /** Median time to answer an offer. */
  readonly thinkSeconds: number;
  /** Farther pick-ups than this are declined more often. */
  readonly likesWithinMeters: number;
  /** Loses the network somewhere on a trip, and for how long. */
  readonly lostSignalChance: number;
  readonly lostSignalSeconds: number;
  /** Gives the trip back before the pickup (a flat tyre). */
  readonly breakdownChance: number;
  /** Nobody opens the door. */
  readonly nobodyHomeChance: number;
  readonly handoverSeconds: number;
}

export interface DriverPerson {
  readonly id: string;
  readonly name: string;
  readonly vehicle: Vehicle;
  readonly speedMetersPerSecond: number;
  readonly start: Point;
  readonly habits: DriverHabits;
}

export interface CustomerPerson {
  readonly id: string;
  readonly home: Point;
}

export function createHabits(random: Random): DriverHabits {
  return {
    declineChance: between(random, 0.01, 0.08),
    ignoreChance: between(random, 0.005, 0.03),
    thinkSeconds: between(random, 2, 8),
    likesWithinMeters: between(random, 2500, 6000),
    lostSignalChance: between(random, 0.01, 0.08),
    lostSignalSeconds: between(random, 40, 240),
    breakdownChance: between(random, 0, 0.006),
    nobodyHomeChance: between(random, 0, 0.006),
    handoverSeconds: between(random, 30, 120),
  };
}

export function createDriver(random: Random, number: number, start: Point): DriverPerson {
  const vehicle = weighted<Vehicle>(random, [
    ["motorcycle", 45],
    ["bicycle", 35],
    ["car", 15],
    ["walking", 5],
  ]);
  return {
    id: `d-${number + 1}`,
    name: personName(random),
    vehicle,
    speedMetersPerSecond: VEHICLE_SPEED[vehicle] * between(random, 0.85, 1.15),
    start,
    habits: createHabits(random),
  };
}

export function personName(random: Random): string {
  return `${pick(random, GIVEN_NAMES)} ${String.fromCharCode(65 + randomInteger(random, 26))}.`;
}

export interface OfferAnswer {
  readonly answer: "accept" | "decline" | "ignore";
  /** Seconds of the city until the driver touches the phone. */
  readonly afterSeconds: number;
}

export function answerOffer(random: Random, habits: DriverHabits, at: Point, pickup: Point): OfferAnswer {
  const ignores = chance(random, habits.ignoreChance);
  const far = distanceMeters(at, pickup) > habits.likesWithinMeters;
  const declines = chance(random, far ? Math.min(0.5, habits.declineChance * 4) : habits.declineChance);
  const afterSeconds = clamp(logNormal(random, habits.thinkSeconds, 0.5), 1, 20);
  if (ignores) return { answer: "ignore", afterSeconds };
  return { answer: declines ? "decline" : "accept", afterSeconds };
}
