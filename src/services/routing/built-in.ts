/** The router that needs nobody: distance as the crow flies × street factor ÷ speed. Pure. */
import { distanceMeters } from "../../lib/geo.js";
import type { Router, Way } from "./ports.js";

export interface BuiltInSettings {
  /** Along the street, times the time scale. */
  readonly speedMetersPerSecond: number;
  readonly streetFactor: number;
}

export interface BuiltInRouter extends Router {
  way(...ends: Parameters<Router["way"]>): Way;
  ways(...ends: Parameters<Router["ways"]>): readonly (readonly Way[])[];
}

export function builtInRouter({ speedMetersPerSecond, streetFactor }: BuiltInSettings): BuiltInRouter {
  const way: BuiltInRouter["way"] = (from, to) => {
    const meters = distanceMeters(from, to) * streetFactor;
    return {
      meters: Math.round(meters),
      durationMs: Math.round((meters / speedMetersPerSecond) * 1000),
      source: "built-in",
    };
  };
  return { way, ways: (from, to) => from.map((start) => to.map((end) => way(start, end))) };
}
