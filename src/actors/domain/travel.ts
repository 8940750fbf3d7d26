/** How long a way takes: distance × street factor ÷ speed. Pure; the quote and the matching use the same. */
import { distanceMeters, type Point } from "../../lib/geo.js";
import type { TravelSettings } from "./settings.js";

/** What a vehicle makes of the ordinary speed, door to door in a city with its lights. Others count as ordinary. */
const SHARE_OF_SPEED: Readonly<Record<string, number>> = {
  walking: 0.215,
  foot: 0.215,
  bicycle: 0.645,
  scooter: 1.1,
  motorcycle: 1.155,
  car: 1.06,
};

export function speedShareOf(vehicle: string): number {
  return Object.hasOwn(SHARE_OF_SPEED, vehicle) ? SHARE_OF_SPEED[vehicle]! : 1;
}

/** The same city for one vehicle. */
export function travelOf(vehicle: string, travel: TravelSettings): TravelSettings {
  return { ...travel, speedMetersPerSecond: travel.speedMetersPerSecond * speedShareOf(vehicle) };
}

/** Milliseconds from `from` to `to` by street. */
export function travelMs(from: Point, to: Point, travel: TravelSettings): number {
  return distanceMeters(from, to) * meterMsOf(travel);
}

/** Milliseconds that a metre as the crow flies takes by street. */
export function meterMsOf({ streetFactor, speedMetersPerSecond }: TravelSettings): number {
  return (streetFactor / speedMetersPerSecond) * 1000;
}
