/**
 * A believable catalogue: restaurants of many cuisines around the centres of real towns, with menus, options, hours and
 * prices. Pure: the same seed and number give the same restaurant, whatever else is made. Ratings are nobody's to make up.
 */
import { pick, type Random, randomInteger, seededRandom } from "../../src/lib/random.js";
import {
  ALLERGENS,
  type Diet,
  type MenuItem,
  type OpeningHours,
  type OptionGroup,
  type RestaurantProfile,
} from "../../src/protocol/mod.js";
import { between, chance, normal, round6, weighted } from "../city/mod.js";
import { CUISINE_WORDS, type CuisineWords, DRINKS, SIDES, TOWNS, type Town, VARIANTS } from "./words.js";

export interface CatalogueOptions {
  readonly seed: number;
  readonly restaurants: number;
  /** Of each menu. */
  readonly items: number;
  /** True: no hours, so that a load can order at any time. */
  readonly alwaysOpen?: boolean;
}

export interface SeededRestaurant {
  readonly id: string;
  readonly profile: RestaurantProfile;
}

/** Of the restaurants around a town's centre, two in three lie within this. */
const TOWN_METERS = 5_000;
const METERS_PER_DEGREE = 111_195;
const DIETS_BY_LETTER: Readonly<Record<string, Diet>> = { v: "vegetarian", g: "vegan", h: "halal", f: "gluten_free" };

export function restaurantOf(options: CatalogueOptions, number: number): SeededRestaurant {
  // Each has a stream of its own: one restaurant more does not change the others.
  const random = seededRandom(options.seed * 1_000_003 + number * 7_919);
  const town = weighted(
    random,
    TOWNS.map((each) => [each, each.weight] as const),
  );
  const words = CUISINE_WORDS[number % CUISINE_WORDS.length]!;
  const priceFactor = town.priceFactor * between(random, 0.75, 1.5);
  const [first, second] = words.names;
  const hours = hoursOf(random, words, town);
  const categories = ["Starters", "Mains", "Sides", "Sweets", "Drinks"];
  const profile: RestaurantProfile = {
    name: `${pick(random, first)} ${pick(random, second)}`,
    ...placeIn(random, town),
    currency: town.currency,
    taxPerMille: pick(random, [50, 70, 100, 190]),
    deliveryFeeMinor: price(pick(random, [0, 190, 290, 390]), town.priceFactor),
    deliveryRadiusMeters: pick(random, [2_500, 3_500, 5_000, 7_000]),
    minimumOrderMinor: price(pick(random, [0, 800, 1_000, 1_500]), town.priceFactor),
    address: `${1 + randomInteger(random, 180)} ${pick(random, second)} Street, ${town.name}`,
    description: `${words.cuisine[0]!.toUpperCase()}${words.cuisine.slice(1)} from ${town.name}, made to order.`,
    cuisines: [words.cuisine],
    tags: chance(random, 0.3) ? [pick(random, ["family", "late night", "organic", "local", "new"])] : [],
    ...(options.alwaysOpen === true ? {} : { hours }),
    categories: categories.map((name) => ({ name })),
    items: itemsOf(random, words, options.items, priceFactor),
  };
  return { id: `seed-${options.seed}-${number + 1}`, profile };
}

const price = (minor: number, factor: number): number => Math.round((minor * factor) / 10) * 10;

function placeIn(random: Random, town: Town): { lat: number; lng: number } {
  const north = normal(random, 0, TOWN_METERS);
  const east = normal(random, 0, TOWN_METERS);
  return {
    lat: round6(town.lat + north / METERS_PER_DEGREE),
    lng: round6(town.lng + east / (METERS_PER_DEGREE * Math.cos((town.lat * Math.PI) / 180))),
  };
}

/** Most serve lunch and dinner; some are shut in between, some go on past midnight, many have a day of rest. */
function hoursOf(random: Random, { cuisine }: CuisineWords, { timeZone }: Town): OpeningHours {
  const spans =
    cuisine === "breakfast"
      ? [["07:00", "15:00"]]
      : weighted(random, [
          [[["11:00", "22:00"]], 5],
          [
            [
              ["11:30", "14:30"],
              ["17:30", "23:00"],
            ],
            3,
          ],
          [[["16:00", "01:00"]], 2],
          [[["10:00", "24:00"]], 2],
          [[["18:00", "03:00"]], 1],
        ]);
  const rest = chance(random, 0.4) ? 1 + randomInteger(random, 7) : 0;
  const weekly = [1, 2, 3, 4, 5, 6, 7]
    .filter((day) => day !== rest)
    .flatMap((day) => spans.map(([from, to]) => ({ day, from: from!, to: to! })));
  const closed = chance(random, 0.5) ? [{ date: "2026-12-25", spans: [], reason: "Christmas" }] : [];
  return { timeZone, weekly, exceptions: closed };
}

interface Dish {
  readonly category: string;
  readonly name: string;
  readonly minor: number;
  readonly minutes: number;
  readonly diets: string;
  readonly allergens: string;
}

const dishOf = (category: string, text: string): Dish => {
  const [name = "", minor = "0", minutes = "5", diets = "", allergens = ""] = text.split("|");
  return { category, name, minor: Number(minor), minutes: Number(minutes), diets, allergens };
};

function itemsOf(random: Random, words: CuisineWords, count: number, factor: number): MenuItem[] {
  const of = (category: string, texts: readonly string[]): Dish[] => texts.map((text) => dishOf(category, text));
  const dishes = [
    ...of("Mains", words.mains),
    ...of("Starters", words.starters),
    ...of("Sweets", words.sweets),
    ...of("Drinks", DRINKS),
    ...of("Sides", SIDES),
  ];
  const plain = dishes.length;
  while (dishes.length < count) {
    const turn = Math.floor((dishes.length - plain) / plain);
    const base = dishes[dishes.length % plain]!;
    const variant = VARIANTS[turn % VARIANTS.length]!;
    const again = turn < VARIANTS.length ? "" : ` ${Math.floor(turn / VARIANTS.length) + 1}`;
    dishes.push({ ...base, name: `${variant} ${base.name}${again}`, minor: base.minor + 50 * (1 + (turn % 4)) });
  }
  return dishes.slice(0, count).map((dish, index): MenuItem => {
    const groups = dish.category === "Mains" ? optionsOf(words, factor) : [];
    const limited = chance(random, 0.05);
    const diets = [...dish.diets].flatMap((letter) => DIETS_BY_LETTER[letter] ?? []);
    return {
      itemId: `dish-${index + 1}`,
      name: dish.name,
      priceMinor: price(dish.minor, factor),
      category: dish.category,
      prepMinutes: dish.minutes,
      ...(diets.length === 0 ? {} : { diets }),
      ...(dish.allergens === ""
        ? {}
        : { allergens: ALLERGENS.filter((each) => dish.allergens.split(" ").includes(each)) }),
      ...(groups.length === 0 ? {} : { options: groups }),
      ...(limited ? { refill: { stock: 20 + 10 * randomInteger(random, 8), at: "06:00" } } : {}),
      ...(chance(random, 0.02) ? { available: false } : {}),
    };
  });
}

function optionsOf({ options }: CuisineWords, factor: number): OptionGroup[] {
  return options.map(([name, min, max, choices], group) => ({
    groupId: `g${group + 1}`,
    name,
    min,
    max,
    choices: choices.map((text, choice) => {
      const [label = "", minor = "0"] = text.split("|");
      return { choiceId: `c${choice + 1}`, name: label, priceMinor: price(Number(minor), factor) };
    }),
  }));
}
