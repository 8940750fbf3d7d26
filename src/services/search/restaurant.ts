/**
 * A restaurant as search sees it: the one place that knows what a menu looks like. Whatever the profile gains is read
 * here and nowhere else.
 */
import { distanceMeters, type Point } from "../../lib/geo.js";
import type { Json } from "../../lib/json.js";
import type { MenuView } from "../../protocol/mod.js";

export interface SearchableDish {
  readonly itemId: string;
  readonly name: string;
  readonly priceMinor: number;
  readonly diets: readonly string[];
  readonly imageUrl: string | null;
}

export interface SearchableRestaurant {
  readonly restaurantId: string;
  readonly menuVersion: number;
  readonly name: string;
  readonly lat: number;
  readonly lng: number;
  /** The least distance that holds every point of the delivery area, in metres. */
  readonly reachMeters: number;
  /** Whoever is within reach is delivered to. */
  readonly isCircle: boolean;
  readonly covers: (point: Point) => boolean;
  /** Whether it takes orders at this instant, and when that has to be asked again though nothing was committed. */
  readonly doors: (now: number) => { readonly open: boolean; readonly judgeAgainAt: number };
  readonly cuisines: readonly string[];
  /** Other words it is found by. */
  readonly words: readonly string[];
  /** Of the house: they hold for all its dishes. */
  readonly diets: readonly string[];
  readonly rating: { readonly average: number; readonly count: number } | null;
  readonly currency: string;
  readonly deliveryFeeMinor: number;
  readonly minimumOrderMinor: number | null;
  readonly prepMinutes: number;
  readonly imageUrl: string | null;
  /** Those that can be ordered now. */
  readonly dishes: readonly SearchableDish[];
}

/** The menu says no time for most dishes of most kitchens; this is the usual one. */
const USUAL_PREP_MINUTES = 20;
const MAX_CUISINES = 16;

/** Null: nothing to be found, because nothing can be ordered. Keeps nothing of the view alive. */
export function searchable(view: Json): SearchableRestaurant | null {
  const menu = view as unknown as MenuView;
  const dishes: SearchableDish[] = [];
  const times: number[] = [];
  const categories = new Set<string>();
  for (const item of menu.items) {
    if (item.category !== undefined) categories.add(item.category);
    if (item.available === false || item.left === 0) continue;
    if (item.prepMinutes !== undefined) times.push(item.prepMinutes);
    dishes.push({ itemId: item.itemId, name: item.name, priceMinor: item.priceMinor, diets: [], imageUrl: null });
  }
  if (dishes.length === 0) return null;
  times.sort((a, b) => a - b);
  return {
    restaurantId: menu.restaurantId,
    menuVersion: menu.menuVersion,
    name: menu.name,
    lat: menu.lat,
    lng: menu.lng,
    ...circle({ lat: menu.lat, lng: menu.lng }, menu.deliveryRadiusMeters),
    doors: byHand(menu.open),
    cuisines: [...categories].slice(0, MAX_CUISINES),
    words: [],
    diets: [],
    rating: null,
    currency: menu.currency,
    deliveryFeeMinor: menu.deliveryFeeMinor,
    minimumOrderMinor: null,
    prepMinutes: times[Math.floor(times.length / 2)] ?? USUAL_PREP_MINUTES,
    imageUrl: null,
    dishes,
  };
}

type Area = Pick<SearchableRestaurant, "reachMeters" | "isCircle" | "covers">;

function circle(center: Point, radiusMeters: number): Area {
  const covers = (point: Point): boolean => distanceMeters(center, point) <= radiusMeters;
  return { reachMeters: radiusMeters, isCircle: true, covers };
}

function byHand(open: boolean): SearchableRestaurant["doors"] {
  return () => ({ open, judgeAgainAt: Number.POSITIVE_INFINITY });
}
