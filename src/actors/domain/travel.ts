/** How long a way takes: distance × street factor ÷ speed. Pure; the quote and the matching use the same. */
import { distanceMeters, type Point } from "../../lib/geo.js";
import type { TravelSettings } from "./settings.js";

/** Milliseconds from `from` to `to` by street. */
export function travelMs(from: Point, to: Point, travel: TravelSettings): number {
  return ((distanceMeters(from, to) * travel.streetFactor) / travel.speedMetersPerSecond) * 1000;
}
