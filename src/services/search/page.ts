/**
 * One page of a ranked list: the filters, the counts, the restaurants as clients see them. What holds for the point and
 * for this moment (delivers, open, distance) is asked here, for every restaurant of the list, so that nothing on a page
 * is older than the catalogue.
 */
import { distanceMeters, type Point } from "../../lib/geo.js";
import type { FacetCount, FoundDish, FoundRestaurant, SearchQuery, SearchResults } from "../../protocol/mod.js";
import type { Catalogue, Kept } from "./catalogue.js";
import type { PageEnd } from "./cursor.js";
import type { RankedList } from "./lists.js";
import type { Plan } from "./plan.js";
import { dishesOf, etaMinutes, type RankWeights } from "./rank.js";

/** By currency, where the second, third and fourth quarter of the usual prices begin. */
export type PriceBands = ReadonlyMap<string, readonly [number, number, number]>;

export interface PageDeps {
  readonly catalogue: Catalogue;
  readonly weights: RankWeights;
  readonly bands: PriceBands;
}

const MAX_DISHES = 3;
const MAX_FACET_VALUES = 64;

export interface Page {
  readonly results: Omit<SearchResults, "corrections" | "nextCursor">;
  /** Null: the list is over. */
  readonly end: PageEnd | null;
}

/** Judges all of the list, takes the page after `after`. `fallbackRadius`: of a search that asks for none. */
export function pageOf(
  deps: PageDeps,
  list: RankedList,
  query: SearchQuery,
  plan: Plan | null,
  after: PageEnd | null,
  limit: number,
): Page {
  const { catalogue, bands } = deps;
  const point: Point = { lat: query.lat, lng: query.lng };
  const { radiusMeters, minRating } = query;
  const delivers = query.delivers ?? true;
  const openOnly = query.open ?? true;
  const wanted = wantedOf(catalogue, query);
  const cuisines = new Uint32Array(catalogue.cuisineNames.length);
  const diets = new Uint32Array(catalogue.dietNames.length);
  const prices = new Uint32Array(4);
  const page: { readonly kept: Kept; readonly score: number }[] = [];
  let more = false;
  let total = 0;
  for (let i = 0; i < list.slots.length; i++) {
    const kept = catalogue.at(list.slots[i]!);
    if (kept === null || (openOnly && !kept.open)) continue;
    if (delivers && list.border[i] === 1 && !kept.covers(point)) continue;
    if (radiusMeters !== undefined && distanceMeters(point, kept.point) > radiusMeters) continue;
    if (minRating !== undefined && (kept.rating?.average ?? 0) < minRating) continue;
    const band = bandOf(kept, bands);
    const isCuisine = wanted.cuisines === null || kept.cuisines.some((id) => wanted.cuisines?.has(id));
    const isDiet = wanted.diets !== null && (list.diets[i]! & wanted.diets) === wanted.diets;
    const isPrice = wanted.prices === null || (band !== null && wanted.prices.has(band));
    if (isDiet && isPrice) for (const id of kept.cuisines) cuisines[id]!++;
    if (isCuisine && isPrice)
      for (let bits = list.diets[i]!; bits !== 0; bits &= bits - 1) diets[31 - Math.clz32(bits & -bits)]!++;
    if (isCuisine && isDiet && band !== null) prices[band - 1]!++;
    if (!isCuisine || !isDiet || !isPrice) continue;
    total++;
    const score = list.scores[i]!;
    if (after !== null && !isAfter(score, kept.restaurantId, after)) continue;
    if (page.length < limit) page.push({ kept, score });
    else more = true;
  }
  const last = page.at(-1);
  return {
    results: {
      restaurants: page.map(({ kept }) => found(deps, kept, point, plan, wanted.diets ?? 0)),
      total,
      facets: {
        cuisine: facet(cuisines, (id) => catalogue.cuisineNames[id]!),
        diet: facet(diets, (id) => catalogue.dietNames[id]!),
        price: facet(prices, (id) => String(id + 1)),
      },
    },
    end: more && last !== undefined ? { score: last.score, restaurantId: last.kept.restaurantId } : null,
  };
}

const isAfter = (score: number, id: string, end: PageEnd): boolean =>
  score < end.score || (score === end.score && id > end.restaurantId);

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

export function bandOf({ currency, usualPriceMinor }: Kept, bands: PriceBands): 1 | 2 | 3 | 4 | null {
  const edges = bands.get(currency);
  if (edges === undefined || usualPriceMinor === 0) return null;
  if (usualPriceMinor < edges[0]) return 1;
  if (usualPriceMinor < edges[1]) return 2;
  return usualPriceMinor < edges[2] ? 3 : 4;
}

/** Quarters of what restaurants usually take, by currency. */
export function priceBandsOf(catalogue: Catalogue): PriceBands {
  const prices = new Map<string, number[]>();
  for (let slot = 0; slot < catalogue.size; slot++) {
    const kept = catalogue.at(slot);
    if (kept === null || kept.usualPriceMinor === 0) continue;
    const known = prices.get(kept.currency);
    if (known === undefined) prices.set(kept.currency, [kept.usualPriceMinor]);
    else known.push(kept.usualPriceMinor);
  }
  const bands = new Map<string, readonly [number, number, number]>();
  for (const [currency, all] of prices) {
    all.sort((a, b) => a - b);
    const quarter = (n: number): number => all[Math.floor((all.length * n) / 4)]!;
    bands.set(currency, [quarter(1), quarter(2), quarter(3)]);
  }
  return bands;
}

/** `diets`: of the dishes that are shown, as bits. */
export function found(deps: PageDeps, kept: Kept, point: Point, plan: Plan | null, diets: number): FoundRestaurant {
  const { catalogue, weights, bands } = deps;
  const meters = distanceMeters(point, kept.point);
  const band = bandOf(kept, bands);
  return {
    restaurantId: kept.restaurantId,
    name: kept.name,
    lat: kept.point.lat,
    lng: kept.point.lng,
    distanceMeters: Math.round(meters),
    open: kept.open,
    delivers: kept.covers(point),
    cuisines: kept.cuisines.map((id) => catalogue.cuisineNames[id]!),
    diets: catalogue.dietNames.filter((_, id) => (kept.diets & (1 << id)) !== 0),
    ...(band === null ? {} : { priceBand: band }),
    ...(kept.rating === null ? {} : { rating: kept.rating }),
    currency: kept.currency,
    deliveryFeeMinor: kept.deliveryFeeMinor,
    ...(kept.minimumOrderMinor === null ? {} : { minimumOrderMinor: kept.minimumOrderMinor }),
    etaMinutes: etaMinutes(kept, meters, weights),
    ...(kept.imageUrl === null ? {} : { imageUrl: kept.imageUrl }),
    menuVersion: kept.menuVersion,
    dishes:
      plan === null ? [] : dishesOf(kept, plan, diets, MAX_DISHES).map(({ dish }) => dishOf(catalogue, kept, dish)),
  };
}

function dishOf(catalogue: Catalogue, kept: Kept, dish: number): FoundDish {
  const imageUrl = kept.dishImages?.[dish] ?? null;
  return {
    itemId: kept.dishIds[dish]!,
    name: catalogue.vocabulary.text(kept.dishTexts[dish]!),
    priceMinor: kept.dishPrices[dish]!,
    ...(imageUrl === null ? {} : { imageUrl }),
  };
}
