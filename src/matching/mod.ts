/** Matching: which driver, when, with which other order. Pure; see docs/decisions/matching-is-pure.md. */
export { decide } from "./decide.js";
export { expectedOrders, type ForecastSettings } from "./forecast.js";
export { defaultMatchingSettings, type MatchingSettings } from "./settings.js";
export type {
  Alternative,
  Commit,
  Decision,
  Driver,
  OpenOrder,
  Situation,
  Tentative,
  Travel,
  TripPlan,
  TripTerms,
  Unplanned,
} from "./types.js";
