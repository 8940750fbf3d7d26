/**
 * One page of a ranked list: the filters, the counts, the restaurants as clients see them. What holds for the point and
 * for this moment (delivers, open, distance) is asked here, for every restaurant of the list, so that nothing on a page
 * is older than the catalogue.
 */
import { distanceMeters, type Point } from "../../lib/geo.js";
import type { FacetCount, SearchQuery, SearchResults } from "../../protocol/mod.js";
import type { Catalogue, Slot } from "./catalogue.js";
import type { PageEnd } from "./cursor.js";
import type { RankedList } from "./lists.js";
import { throughTheEarth } from "./places.js";
import type { Plan } from "./plan.js";
import type { RankWeights } from "./rank.js";
import { bandIn, cuisineIn, isOpen, SEVERAL } from "./traits.js";
import { writeFound } from "./written.js";

export interface PageDeps {
  readonly catalogue: Catalogue;
  readonly weights: RankWeights;
}

const MAX_FACET_VALUES = 64;
const BANDS = 4;

export interface Page extends Pick<SearchResults, "total" | "facets"> {
  /** JSON: an array of `FoundRestaurant`. */
  readonly restaurants: string;
  /** Null: the list is over. */
  readonly end: PageEnd | null;
}

/** Judges all of the list, takes the page after `after`. */
export function pageOf(
  deps: PageDeps,
  list: RankedList,
  query: SearchQuery,
  plan: Plan | null,
  after: PageEnd | null,
  limit: number,
): Page {
  const { catalogue, weights } = deps;
  const { traits } = catalogue;
  const { slots, scores, border } = list;
  const point: Point = { lat: query.lat, lng: query.lng };
  const from = throughTheEarth(point);
  const { radiusMeters, minRating } = query;
  const delivers = query.delivers ?? true;
  const openOnly = query.open ?? true;
  const wanted = wantedOf(catalogue, query);
  const idOf = (slot: Slot): string => catalogue.at(slot)!.restaurantId;
  const cuisines = new Uint32Array(catalogue.cuisineNames.length);
  const diets = new Uint32Array(catalogue.dietNames.length);
  // In no band is counted too, and told to nobody.
  const prices = new Uint32Array(BANDS + 1);
  const page: number[] = [];
  let more = false;
  let total = 0;
  for (let i = 0; i < slots.length; i++) {
    const slot = slots[i]!;
    const trait = traits.at(slot);
    if (openOnly && !isOpen(trait)) continue;
    if (delivers && border[i] === 1 && !catalogue.covers(slot, point, from)) continue;
    if (radiusMeters !== undefined && distanceMeters(point, catalogue.at(slot)!.point) > radiusMeters) continue;
    if (minRating !== undefined && traits.ratingAt(slot) < minRating) continue;
    const band = bandIn(trait);
    const dietBits = list.diets[i]!;
    const cuisine = cuisineIn(trait);
    const several = cuisine === SEVERAL ? catalogue.at(slot)!.cuisines : null;
    const isCuisine =
      wanted.cuisines === null ||
      (several === null ? wanted.cuisines.has(cuisine) : several.some((id) => wanted.cuisines?.has(id)));
    const isDiet = wanted.diets !== null && (dietBits & wanted.diets) === wanted.diets;
    const isPrice = wanted.prices === null || (band !== 0 && wanted.prices.has(band));
    if (isDiet && isPrice) {
      if (several !== null) for (const id of several) cuisines[id]!++;
      else if (cuisine >= 0) cuisines[cuisine]!++;
    }
    if (isCuisine && isPrice)
      for (let bits = dietBits; bits !== 0; bits &= bits - 1) diets[31 - Math.clz32(bits & -bits)]!++;
    if (isCuisine && isDiet) prices[band]!++;
    if (!isCuisine || !isDiet || !isPrice) continue;
    total++;
    if (after !== null && !isAfter(scores[i]!, slot, after, idOf)) continue;
    if (page.length < limit) page.push(i);
    else more = true;
  }
  const last = page.at(-1);
  let restaurants = "";
  for (const i of page) {
    const text = writeFound(catalogue, weights, catalogue.at(slots[i]!)!, point, plan, wanted.diets ?? 0);
    restaurants += restaurants === "" ? text : `,${text}`;
  }
  return {
    restaurants: `[${restaurants}]`,
    total,
    facets: {
      cuisine: facet(cuisines, (id) => catalogue.cuisineNames[id]!),
      diet: facet(diets, (id) => catalogue.dietNames[id]!),
      price: facet(prices.subarray(1), (id) => String(id + 1)),
    },
    end: more && last !== undefined ? { score: scores[last]!, restaurantId: idOf(slots[last]!) } : null,
  };
}

const isAfter = (score: number, slot: Slot, end: PageEnd, idOf: (slot: Slot) => string): boolean =>
  score < end.score || (score === end.score && idOf(slot) > end.restaurantId);

interface Wanted {
  /** Null: any. */
  readonly cuisines: ReadonlySet<number> | null;
  /** As bits; null: nothing is that. */
  readonly diets: number | null;
  readonly prices: ReadonlySet<number> | null;
}

function wantedOf(catalogue: Catalogue, { cuisine = [], diet = [], price = [] }: SearchQuery): Wanted {
  return {
    cuisines: cuisine.length === 0 ? null : new Set(cuisine.flatMap((name) => catalogue.cuisineOf(name) ?? [])),
    diets: catalogue.dietsOf(diet),
    prices: price.length === 0 ? null : new Set(price.map(Number)),
  };
}

/** The most frequent first, then by name. */
function facet(counts: Uint32Array, nameOf: (id: number) => string): FacetCount[] {
  const values: FacetCount[] = [];
  for (let id = 0; id < counts.length; id++)
    if (counts[id]! > 0) values.push({ value: nameOf(id), count: counts[id]! });
  values.sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1));
  return values.slice(0, MAX_FACET_VALUES);
}
