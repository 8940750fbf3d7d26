/**
 * Restaurants as clients read them, written as JSON. Most of a restaurant's text is the same for everybody who finds it, so
 * it is written once and kept with the restaurant until something of it changes; the distance, the doors, the time and the
 * dishes are written for every answer. Does not own the choice of restaurants (`page.ts`).
 *
 * Invariant: the text is what `JSON.stringify` writes of a `FoundRestaurant` and its `FoundDish`es, their properties in the
 * order of those types.
 */
import { distanceMeters, type Point } from "../../lib/geo.js";
import type { FoundRestaurant } from "../../protocol/mod.js";
import type { Catalogue, Kept } from "./catalogue.js";
import type { Plan } from "./plan.js";
import { dishesOf, etaMinutes, type RankWeights } from "./rank.js";

/** What stands before the distance, between the doors and the time, and between the time and the dishes. */
export interface Written {
  readonly head: string;
  readonly middle: string;
  readonly tail: string;
}

const MAX_DISHES = 3;

/** `diets`: of the dishes that are shown, as bits. */
export function writeFound(
  catalogue: Catalogue,
  weights: RankWeights,
  kept: Kept,
  point: Point,
  plan: Plan | null,
  diets: number,
): string {
  kept.written ??= write(catalogue, kept);
  const { head, middle, tail } = kept.written;
  const meters = distanceMeters(point, kept.point);
  const doors = `,"open":${kept.open},"delivers":${kept.covers(point)}`;
  const dishes = plan === null ? "" : writeDishes(catalogue, kept, plan, diets);
  return `${head}${Math.round(meters)}${doors}${middle}${etaMinutes(kept, meters, weights)}${tail}${dishes}]}`;
}

function write(catalogue: Catalogue, kept: Kept): Written {
  const band = catalogue.bandOf(kept);
  const head = {
    restaurantId: kept.restaurantId,
    name: kept.name,
    lat: kept.point.lat,
    lng: kept.point.lng,
  } satisfies Partial<FoundRestaurant>;
  const middle = {
    cuisines: kept.cuisines.map((id) => catalogue.cuisineNames[id]!),
    diets: catalogue.dietNames.filter((_, id) => (kept.diets & (1 << id)) !== 0),
    ...(band === null ? {} : { priceBand: band }),
    ...(kept.rating === null ? {} : { rating: kept.rating }),
    currency: kept.currency,
    deliveryFeeMinor: kept.deliveryFeeMinor,
    ...(kept.minimumOrderMinor === null ? {} : { minimumOrderMinor: kept.minimumOrderMinor }),
  } satisfies Partial<FoundRestaurant>;
  const tail = {
    ...(kept.imageUrl === null ? {} : { imageUrl: kept.imageUrl }),
    menuVersion: kept.menuVersion,
  } satisfies Partial<FoundRestaurant>;
  return {
    head: `{${inside(head)},"distanceMeters":`,
    middle: `,${inside(middle)},"etaMinutes":`,
    tail: `,${inside(tail)},"dishes":[`,
  };
}

/** An object's JSON without its braces. */
const inside = (value: object): string => JSON.stringify(value).slice(1, -1);

function writeDishes(catalogue: Catalogue, kept: Kept, plan: Plan, diets: number): string {
  let text = "";
  for (const { dish } of dishesOf(kept, plan, diets, MAX_DISHES)) {
    const itemId = JSON.stringify(kept.dishIds[dish]!);
    const name = JSON.stringify(catalogue.vocabulary.text(kept.dishTexts[dish]!));
    const imageUrl = kept.dishImages?.[dish] ?? null;
    const image = imageUrl === null ? "" : `,"imageUrl":${JSON.stringify(imageUrl)}`;
    const comma = text === "" ? "" : ",";
    text += `${comma}{"itemId":${itemId},"name":${name},"priceMinor":${kept.dishPrices[dish]!}${image}}`;
  }
  return text;
}
