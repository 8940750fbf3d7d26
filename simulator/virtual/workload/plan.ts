/**
 * The small city of a seed: a handful of restaurants whose dishes run out, drivers with bad habits, customers who follow
 * in every way there is, double-tap and change their minds. Pure: the same streams give the same plan.
 */
import { pick, type Random, randomInteger } from "../../../src/lib/random.js";
import { between, chance, createCity, fillBasket, weighted } from "../../city/mod.js";
import {
  noteOf,
  type PlannedDriver,
  type PlannedOrder,
  type PlannedRestaurant,
  type RunPlan,
  type Words,
} from "../../live/mod.js";
import type { Sizes } from "../ports.js";

const NOON_MS = 12 * 3_600_000;
const MINUTE_MS = 60_000;
/** Drivers are there this long before the first order, in wall time. */
const WARM_UP_MS = 5_000;
/** Before anybody has read the order, or when it may be too late. */
const CHANGES_OF_MIND_MS = [MINUTE_MS / 2, 3 * MINUTE_MS, 20 * MINUTE_MS] as const;
/** Small towns: food must not take longer to carry than a seed lasts. */
const TOWN = { columns: 7, rows: 6, blockMeters: 250 } as const;

/** In half of the towns people write to each other; what they write is drawn apart, so that it changes nothing else. */
function withWords(plan: RunPlan, random: Random): RunPlan {
  if (!chance(random, 0.5)) return plan;
  const words = (share: number): { readonly words?: Words } =>
    chance(random, share)
      ? { words: { lines: 1 + randomInteger(random, 4), seed: randomInteger(random, 2 ** 31) } }
      : {};
  return {
    ...plan,
    drivers: plan.drivers.map((driver) => ({ ...driver, ...words(0.4) })),
    orders: plan.orders.map((order) => ({ ...order, ...words(0.6) })),
  };
}

export function planOf(sizes: Sizes, random: Random, wordy: Random): RunPlan {
  return withWords(quietPlanOf(sizes, random), wordy);
}

function quietPlanOf(sizes: Sizes, random: Random): RunPlan {
  const city = createCity({
    seed: randomInteger(random, 1_000_000),
    restaurants: sizes.restaurants,
    drivers: sizes.drivers,
    customers: sizes.orders,
    ...TOWN,
  });
  const scarce = chance(random, 0.5);
  const restaurants = city.restaurants.map((restaurant): PlannedRestaurant => {
    const items = restaurant.profile.items.map((item) => {
      const { stock: _, ...rest } = item;
      const count = scarce ? randomInteger(random, 8) : 20 + randomInteger(random, 80);
      return chance(random, 0.4) ? { ...rest, stock: count } : rest;
    });
    return {
      id: restaurant.id,
      profile: { ...restaurant.profile, items },
      kitchen: {
        ...restaurant.kitchen,
        acceptSeconds: between(random, 5, 60),
        rejectChance: between(random, 0, 0.08),
      },
      saysPreparing: chance(random, 0.5),
    };
  });
  const cityMs = (wallMs: number): number => wallMs * sizes.timeScale;
  const drivers = city.drivers.map((driver): PlannedDriver => {
    const goesHome = chance(random, 0.25);
    const begins = NOON_MS + (chance(random, 0.7) ? 0 : cityMs(between(random, 0, sizes.placingMs / 2)));
    const ends = begins + cityMs(between(random, sizes.placingMs / 2, 2 * sizes.placingMs));
    return {
      ...driver,
      habits: {
        ...driver.habits,
        declineChance: between(random, 0.02, 0.2),
        ignoreChance: between(random, 0.01, 0.1),
        lostSignalChance: between(random, 0, 0.2),
        breakdownChance: between(random, 0, 0.06),
        nobodyHomeChance: between(random, 0, 0.05),
      },
      shifts: [{ fromCityMs: begins, toCityMs: goesHome ? ends : Number.POSITIVE_INFINITY }],
    };
  });
  const placingAt = Array.from({ length: sizes.orders }, () => between(random, 0, sizes.placingMs)).sort(
    (a, b) => a - b,
  );
  const orders = placingAt.map((wallMs, index): PlannedOrder => {
    const restaurant = restaurants[randomInteger(random, restaurants.length)]!;
    const home = city.customers[index % city.customers.length]!.home;
    const number = index + 1;
    return {
      number,
      customerId: `c-${number}`,
      order: { ...fillBasket(random, restaurant.profile, restaurant.id, home), note: noteOf(number) },
      placeAtCityMs: NOON_MS + cityMs(WARM_UP_MS + wallMs),
      readyAtCityMs: null,
      followBy: weighted(random, [
        ["socket", 5],
        ["events", 2],
        ["poll", 2],
      ]),
      impatient: chance(random, 0.2),
      cancelAfterCityMs: chance(random, 0.25) ? between(random, 0, pick(random, CHANGES_OF_MIND_MS)) : null,
    };
  });
  return {
    name: "a seed's city",
    timeScale: sizes.timeScale,
    startCityMs: NOON_MS,
    restaurants,
    drivers,
    orders,
  };
}
