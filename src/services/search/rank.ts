/**
 * How well a restaurant fits a search from a cell: one pure function for lists made anew and for lists brought up to date.
 * Higher is better; equal ones go by id. Owns the weights' use, not their values.
 */
import { metersBetween } from "../../lib/geo.js";
import type { SearchSort } from "../../protocol/mod.js";
import type { Catalogue, Kept, Slot } from "./catalogue.js";
import type { Cell } from "./cells.js";
import {
  LAT,
  LNG,
  POPULARITY,
  PREP_MINUTES,
  RATING_AVERAGE,
  RATING_COUNT,
  REACH_METERS,
  USUAL_PRICE_MINOR,
} from "./figures.js";
import { MAX_TERMS, type Plan } from "./plan.js";

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

/** Null: not on the list. The slot holds a restaurant. */
export function rankOf(catalogue: Catalogue, slot: Slot, query: RankQuery, weights: RankWeights): Ranked | null {
  const { cell, plan, withinMeters } = query;
  const { figures } = catalogue;
  const { numbers } = figures;
  const at = figures.startOf(slot);
  const { lat, lng } = cell.center;
  const reachMeters = numbers[at + REACH_METERS]!;
  const distance = metersBetween(numbers[at + LAT]!, numbers[at + LNG]!, lat, lng);
  if (distance - cell.radiusMeters > (withinMeters ?? reachMeters)) return null;
  let text = 0;
  let diets: number;
  if (plan === null) diets = figures.dietsAt(slot);
  else {
    const found = textOf(catalogue.at(slot)!, plan);
    if (found === null) return null;
    text = found.score;
    diets = found.diets;
  }
  const border = withinMeters === null && !(figures.isCircleAt(slot) && distance + cell.radiusMeters <= reachMeters);
  return { score: scoreOf(numbers, at, query.sort, text, distance, weights), diets, border };
}

export function etaMinutes(kept: Kept, meters: number, weights: RankWeights): number {
  return Math.round(kept.prepMinutes + meters / weights.metersPerMinute);
}

/** From 0 to 5, moved towards what is usual while there are few votes. */
function ratingOf(numbers: Float64Array, at: number, { priorVotes, priorAverage }: RankWeights): number {
  const average = numbers[at + RATING_AVERAGE]!;
  if (average < 0) return priorAverage;
  const count = numbers[at + RATING_COUNT]!;
  return (average * count + priorAverage * priorVotes) / (count + priorVotes);
}

function scoreOf(
  numbers: Float64Array,
  at: number,
  sort: RankSort,
  text: number,
  meters: number,
  weights: RankWeights,
): number {
  switch (sort) {
    case "distance":
      return -meters;
    case "rating":
      return ratingOf(numbers, at, weights);
    case "eta":
      return -(numbers[at + PREP_MINUTES]! + meters / weights.metersPerMinute);
    case "price":
      return -numbers[at + USUAL_PRICE_MINOR]!;
    case "popularity":
      return numbers[at + POPULARITY]! + ratingOf(numbers, at, weights) / 1_000;
    case "relevance": {
      const minutes = numbers[at + PREP_MINUTES]! + meters / weights.metersPerMinute;
      return (
        weights.text * text +
        weights.distance * Math.exp(-meters / weights.distanceScaleMeters) +
        weights.rating * (ratingOf(numbers, at, weights) / 5) +
        weights.eta * Math.exp(-minutes / weights.etaScaleMinutes) +
        weights.popularity * numbers[at + POPULARITY]!
      );
    }
  }
}

/** How well the house and how well anything of it fits each term, while one restaurant is looked at. */
const SCRATCH = { house: new Float64Array(MAX_TERMS), anywhere: new Float64Array(MAX_TERMS) };

/** Null: a term is found nowhere in it. */
export function textOf(kept: Kept, plan: Plan): { readonly score: number; readonly diets: number } | null {
  const { terms, fitting, weights } = plan;
  const { texts, houseTexts } = kept;
  const dishesFrom = houseTexts.length;
  const dietsFrom = (dishesFrom + texts.length) / 2;
  const { house, anywhere } = SCRATCH;
  for (let t = 0; t < terms; t++) house[t] = 0;
  for (let i = 0; i < dishesFrom; i++) {
    const place = fitting.placeOf(texts[i]!);
    if (place < 0) continue;
    const from = place * terms;
    for (let t = 0; t < terms; t++) if (weights[from + t]! > house[t]!) house[t] = weights[from + t]!;
  }
  for (let t = 0; t < terms; t++) anywhere[t] = house[t]!;
  let best = 0;
  let whole = 0;
  let parts = 0;
  for (let i = dishesFrom; i < dietsFrom; i++) {
    const place = fitting.placeOf(texts[i]!);
    if (place < 0) continue;
    const from = place * terms;
    const diets = texts[dietsFrom + i - dishesFrom]!;
    let sum = 0;
    let missing = false;
    for (let t = 0; t < terms; t++) {
      const weight = weights[from + t]!;
      if (weight > anywhere[t]!) anywhere[t] = weight;
      const either = Math.max(weight * DISH_SHARE, house[t]!);
      if (either === 0) missing = true;
      sum += either;
    }
    parts |= diets;
    if (missing) continue;
    whole |= diets;
    if (sum / terms > best) best = sum / terms;
  }
  let houseSum = 0;
  let anywhereSum = 0;
  let houseHasAll = true;
  for (let t = 0; t < terms; t++) {
    if (anywhere[t] === 0) return null;
    if (house[t] === 0) houseHasAll = false;
    houseSum += house[t]!;
    anywhereSum += anywhere[t]!;
  }
  const scattered = (anywhereSum / terms) * SCATTERED_SHARE;
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
    const place = plan.fitting.placeOf(dishTexts[dish]!);
    if (place < 0) continue;
    const from = place * plan.terms;
    let weight = 0;
    for (let t = 0; t < plan.terms; t++) weight += plan.weights[from + t]!;
    if (weight > 0) found.push({ dish, weight });
  }
  return found.sort((a, b) => b.weight - a.weight || a.dish - b.dish).slice(0, most);
}
