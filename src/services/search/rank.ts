/**
 * How well a restaurant fits a search from a cell: one pure function for lists made anew and for lists brought up to date.
 * Higher is better; equal ones go by id. Owns the weights' use, not their values.
 */
import { distanceMeters } from "../../lib/geo.js";
import type { SearchSort } from "../../protocol/mod.js";
import type { Kept } from "./catalogue.js";
import type { Cell } from "./cells.js";
import type { Plan } from "./plan.js";

/** What counts how much where the order is by relevance. Each part is between 0 and 1. */
export interface RankWeights {
  readonly text: number;
  readonly distance: number;
  readonly rating: number;
  readonly eta: number;
  readonly popularity: number;
  /** At this distance nearness is worth 1/e. */
  readonly distanceScaleMeters: number;
  readonly etaScaleMinutes: number;
  /** So many votes of the usual average are added to every rating. */
  readonly priorVotes: number;
  readonly priorAverage: number;
  /** Metres a minute from door to door, streets and all. */
  readonly metersPerMinute: number;
}

export const DEFAULT_RANK_WEIGHTS: RankWeights = {
  text: 2,
  distance: 0.45,
  rating: 0.25,
  eta: 0.2,
  popularity: 0.1,
  distanceScaleMeters: 2_500,
  etaScaleMinutes: 40,
  priorVotes: 12,
  priorAverage: 3.8,
  metersPerMinute: 290,
};

export type RankSort = SearchSort | "popularity";

/** What one ranked list is for. */
export interface RankQuery {
  readonly cell: Cell;
  /** Null: everything fits. */
  readonly plan: Plan | null;
  readonly sort: RankSort;
  /** Null: those whose delivery area meets the cell. Else those so near to a point of the cell, in metres. */
  readonly withinMeters: number | null;
}

export interface Ranked {
  readonly score: number;
  /** Of what was found, as bits. */
  readonly diets: number;
  /** It delivers to a part of the cell perhaps: the point itself has to be asked. */
  readonly border: boolean;
}

/** A dish is worth a little less than the house's own name, and words in different dishes much less. */
const DISH_SHARE = 0.95;
const SCATTERED_SHARE = 0.6;

/** Null: not on the list. */
export function rankOf(kept: Kept, query: RankQuery, weights: RankWeights): Ranked | null {
  const { cell, plan, withinMeters } = query;
  const farthest = withinMeters ?? kept.reachMeters;
  // A degree of latitude is never shorter than 110 km: most of the world is far away and costs one subtraction.
  if (Math.abs(kept.point.lat - cell.center.lat) * 110_000 > farthest + cell.radiusMeters) return null;
  const distance = distanceMeters(kept.point, cell.center);
  if (distance - cell.radiusMeters > farthest) return null;
  const text = plan === null ? { score: 0, diets: kept.diets } : textOf(kept, plan);
  if (text === null) return null;
  const border = withinMeters === null && !(kept.isCircle && distance + cell.radiusMeters <= kept.reachMeters);
  return { score: scoreOf(kept, query.sort, text.score, distance, weights), diets: text.diets, border };
}

export function etaMinutes(kept: Kept, meters: number, weights: RankWeights): number {
  return Math.round(kept.prepMinutes + meters / weights.metersPerMinute);
}

/** From 0 to 5, moved towards what is usual while there are few votes. */
function ratingOf({ rating }: Kept, { priorVotes, priorAverage }: RankWeights): number {
  if (rating === null) return priorAverage;
  return (rating.average * rating.count + priorAverage * priorVotes) / (rating.count + priorVotes);
}

function scoreOf(kept: Kept, sort: RankSort, text: number, meters: number, weights: RankWeights): number {
  switch (sort) {
    case "distance":
      return -meters;
    case "rating":
      return ratingOf(kept, weights);
    case "eta":
      return -(kept.prepMinutes + meters / weights.metersPerMinute);
    case "price":
      return -kept.usualPriceMinor;
    case "popularity":
      return kept.popularity + ratingOf(kept, weights) / 1_000;
    case "relevance":
      return (
        weights.text * text +
        weights.distance * Math.exp(-meters / weights.distanceScaleMeters) +
        weights.rating * (ratingOf(kept, weights) / 5) +
        weights.eta * Math.exp(-(kept.prepMinutes + meters / weights.metersPerMinute) / weights.etaScaleMinutes) +
        weights.popularity * kept.popularity
      );
  }
}

/** Null: a term is found nowhere in it. */
export function textOf(kept: Kept, plan: Plan): { readonly score: number; readonly diets: number } | null {
  const { terms, at, weights } = plan;
  const house = new Float64Array(terms);
  const any = new Float64Array(terms);
  for (const text of kept.houseTexts) {
    const from = at[text] ?? -1;
    if (from < 0) continue;
    for (let t = 0; t < terms; t++) if (weights[from + t]! > house[t]!) house[t] = weights[from + t]!;
  }
  any.set(house);
  let best = 0;
  let whole = 0;
  let parts = 0;
  const { dishTexts, dishDiets } = kept;
  for (let d = 0; d < dishTexts.length; d++) {
    const from = at[dishTexts[d]!] ?? -1;
    if (from < 0) continue;
    let sum = 0;
    let missing = false;
    for (let t = 0; t < terms; t++) {
      const weight = weights[from + t]!;
      if (weight > any[t]!) any[t] = weight;
      const either = Math.max(weight * DISH_SHARE, house[t]!);
      if (either === 0) missing = true;
      sum += either;
    }
    parts |= dishDiets[d]!;
    if (missing) continue;
    whole |= dishDiets[d]!;
    if (sum / terms > best) best = sum / terms;
  }
  let houseSum = 0;
  let anySum = 0;
  let houseHasAll = true;
  for (let t = 0; t < terms; t++) {
    if (any[t] === 0) return null;
    if (house[t] === 0) houseHasAll = false;
    houseSum += house[t]!;
    anySum += any[t]!;
  }
  const scattered = (anySum / terms) * SCATTERED_SHARE;
  const score = Math.max(best, scattered, houseHasAll ? houseSum / terms : 0);
  return { score, diets: (houseHasAll ? kept.diets : 0) | (whole === 0 ? parts : whole) };
}

export interface DishMatch {
  readonly dish: number;
  readonly weight: number;
}

/** Which dishes a text means, the best first; `diets`: only those that are all of these, as bits. */
export function dishesOf(kept: Kept, plan: Plan, diets: number, most: number): readonly DishMatch[] {
  const found: DishMatch[] = [];
  const { dishTexts, dishDiets } = kept;
  for (let dish = 0; dish < dishTexts.length; dish++) {
    if ((dishDiets[dish]! & diets) !== diets) continue;
    const from = plan.at[dishTexts[dish]!] ?? -1;
    if (from < 0) continue;
    let weight = 0;
    for (let t = 0; t < plan.terms; t++) weight += plan.weights[from + t]!;
    if (weight > 0) found.push({ dish, weight });
  }
  return found.sort((a, b) => b.weight - a.weight || a.dish - b.dish).slice(0, most);
}
