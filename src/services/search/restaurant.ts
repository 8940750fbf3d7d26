/**
 * A restaurant as search sees it: the one place that knows what a menu looks like. Whatever the profile gains is read
 * here and nowhere else.
 */
import { distanceMeters, insidePolygon, type Point } from "../../lib/geo.js";
import type { Json } from "../../lib/json.js";
import { closedBecause, doorsChangeAt, isListed, type MenuView } from "../../protocol/mod.js";

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
const MAX_WORDS = 64;
/** The corners' distances are exact; what lies between two of them may be a little farther on the globe. */
const POLYGON_MARGIN = 1.02;

/** Null: nothing to be found, because nothing can be ordered. Keeps nothing of the view alive but the doors. */
export function searchable(view: Json): SearchableRestaurant | null {
  const menu = view as unknown as MenuView;
  if (!isListed(menu)) return null;
  const dishes: SearchableDish[] = [];
  const times: number[] = [];
  const categories = new Set<string>();
  const words = new Set<string>(menu.tags);
  for (const { itemId, name, priceMinor, prepMinutes, category, available, left, diets, tags, image } of menu.items) {
    if (category !== undefined) categories.add(category);
    if (available === false || left === 0) continue;
    if (prepMinutes !== undefined) times.push(prepMinutes);
    for (const tag of tags ?? []) words.add(tag);
    dishes.push({ itemId, name, priceMinor, diets: diets ?? [], imageUrl: image ?? null });
  }
  if (dishes.length === 0) return null;
  // A menu's headings are its cuisine only where nobody says better.
  const cuisines = menu.cuisines === undefined || menu.cuisines.length === 0 ? [...categories] : menu.cuisines;
  for (const category of categories) words.add(category);
  times.sort((a, b) => a - b);
  return {
    restaurantId: menu.restaurantId,
    menuVersion: menu.menuVersion,
    name: menu.name,
    lat: menu.lat,
    lng: menu.lng,
    ...areaOf(menu),
    doors: doorsOf(menu),
    cuisines: cuisines.slice(0, MAX_CUISINES),
    words: [...words].slice(0, MAX_WORDS),
    diets: [],
    currency: menu.currency,
    deliveryFeeMinor: menu.deliveryFeeMinor,
    minimumOrderMinor: menu.minimumOrderMinor ?? null,
    prepMinutes: times[Math.floor(times.length / 2)] ?? USUAL_PREP_MINUTES,
    imageUrl: menu.image ?? null,
    dishes,
  };
}

type Area = Pick<SearchableRestaurant, "reachMeters" | "isCircle" | "covers">;

function areaOf({ lat, lng, deliveryRadiusMeters: radiusMeters, deliveryPolygon: corners }: MenuView): Area {
  const center = { lat, lng };
  if (corners !== undefined) {
    const farthest = Math.max(...corners.map((corner) => distanceMeters(center, corner)));
    return {
      reachMeters: farthest * POLYGON_MARGIN,
      isCircle: false,
      covers: (point) => insidePolygon(point, corners),
    };
  }
  const covers = (point: Point): boolean => distanceMeters(center, point) <= radiusMeters;
  return { reachMeters: radiusMeters, isCircle: true, covers };
}

/** As the restaurant said it, until the instant at which that changes by itself; from then on by its hours. */
function doorsOf({ open, changesAt, status, shut, paused, hours }: MenuView): SearchableRestaurant["doors"] {
  if (changesAt === undefined) return () => ({ open, judgeAgainAt: Number.POSITIVE_INFINITY });
  const doors = {
    ...(status === undefined ? {} : { status }),
    ...(shut === undefined ? {} : { shut }),
    ...(paused === undefined ? {} : { paused }),
    ...(hours === undefined ? {} : { hours }),
  };
  return (now) =>
    now < changesAt
      ? { open, judgeAgainAt: changesAt }
      : {
          open: closedBecause(doors, now) === null,
          judgeAgainAt: doorsChangeAt(doors, now) ?? Number.POSITIVE_INFINITY,
        };
}
