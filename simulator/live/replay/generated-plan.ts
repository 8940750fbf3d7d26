/**
 * An open-loop load in place of a recorded day: orders arrive at a rate whatever the node does (a Poisson process), over
 * a made-up city with as many restaurants and drivers as the rate needs.
 */
import { seededRandom } from "../../../src/lib/random.js";
import { createCity, exponential, fillBasket } from "../../city/mod.js";
import { noteOf, type PlannedOrder, type RunPlan } from "../plan.js";
import { followedBy } from "./day-plan.js";

export interface GeneratedPlanOptions {
  readonly prefix: string;
  readonly timeScale: number;
  readonly seed: number;
  readonly count: number;
  /** Orders per wall minute. */
  readonly perMinute: number;
  readonly drivers?: number;
  /** From start to first order: drivers come online. In wall time, as is everything about the load. */
  readonly warmUpWallMs?: number;
}

const NOON_MS = 12 * 3_600_000;
const WARM_UP_WALL_MS = 15_000;
/** From placement to delivery in a city of this size; how many drivers a rate needs follows from it. */
const MINUTES_PER_ORDER = 24;

export function planGenerated(options: GeneratedPlanOptions): RunPlan {
  const { prefix, timeScale, seed, count, perMinute } = options;
  const needed = Math.ceil((perMinute / timeScale) * MINUTES_PER_ORDER * 1.3);
  const drivers = options.drivers ?? Math.min(4_000, Math.max(40, needed));
  const restaurants = Math.min(400, Math.max(10, Math.ceil(perMinute / 8)));
  const city = createCity({ seed, restaurants, drivers, customers: Math.min(count, 5_000) });
  const random = seededRandom(seed + 10);
  const people = seededRandom(seed + 11);
  const toCity = (wallMs: number): number => NOON_MS + wallMs * timeScale;
  let wallMs = options.warmUpWallMs ?? WARM_UP_WALL_MS;
  const orders = Array.from({ length: count }, (_, index): PlannedOrder => {
    wallMs += exponential(random, 60_000 / perMinute);
    const restaurant = city.restaurants[Math.floor(random.next() * restaurants)]!;
    const home = city.customers[index % city.customers.length]!.home;
    const basket = fillBasket(random, restaurant.profile, `${prefix}-${restaurant.id}`, home);
    const number = index + 1;
    return {
      number,
      customerId: `${prefix}-c${number}`,
      order: { ...basket, note: noteOf(number) },
      placeAtCityMs: toCity(wallMs),
      readyAtCityMs: null,
      followBy: followedBy(people),
      impatient: people.next() < 0.02,
      cancelAfterCityMs: null,
    };
  });
  return {
    name: `${count} generated orders at ${perMinute} a minute`,
    timeScale,
    startCityMs: NOON_MS,
    restaurants: city.restaurants.map((restaurant, index) => ({
      id: `${prefix}-${restaurant.id}`,
      saysPreparing: index % 2 === 0,
      kitchen: { ...restaurant.kitchen, acceptSeconds: 15, rejectChance: 0 },
      profile: {
        ...restaurant.profile,
        items: restaurant.profile.items.map((item) => (item.stock === undefined ? item : { ...item, stock: 50_000 })),
      },
    })),
    drivers: city.drivers.map((driver) => ({
      ...driver,
      id: `${prefix}-${driver.id}`,
      shifts: [{ fromCityMs: NOON_MS, toCityMs: Number.POSITIVE_INFINITY }],
    })),
    orders,
  };
}
