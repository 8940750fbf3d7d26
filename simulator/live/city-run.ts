/**
 * The demonstration: a made-up city that lives for as long as it is let, in this process, against a node at `url`.
 * Drivers follow the streets, rest and come back; customers order by the demand curve; everything goes through clients.
 */
import { fileURLToPath } from "node:url";
import { createClient } from "../../sdk/node.js";
import { systemClock } from "../../src/lib/clock.js";
import { type Random, seededRandom } from "../../src/lib/random.js";
import { between, type City, chance, createCity, exponential, fillBasket, nextOrderAt } from "../city/mod.js";
import type { CityTime } from "./city-time.js";
import { Crew } from "./crew.js";
import type { MeterReading } from "./measure/meter.js";
import { NodeControl, type Principal } from "./node-control.js";
import type { PlannedDriver, PlannedOrder, PlannedRestaurant, Shift } from "./plan.js";
import { followedBy } from "./replay/day-plan.js";

export interface CityRunOptions {
  readonly url: string;
  readonly operatorSecret: string;
  /** The city of `demoCity`, or one of your own. */
  readonly city?: City;
  readonly seed?: number;
  /** Ends it. */
  readonly signal?: AbortSignal;
  /** Orders per wall minute at the peak of the day. */
  readonly ordersPerMinute?: number;
  /** Told of agents that failed unforeseen. */
  readonly onFailure?: (error: unknown) => void;
}

export interface CityRun {
  readonly time: CityTime;
  read(): MeterReading;
  stop(): void;
}

export const DEMO_SEED = 7;
const ORDERS_PER_MINUTE = 16;
const HOUR_MS = 3_600_000;
/** It is shortly before noon when the demonstration begins. */
const START_CITY_MS = 11.4 * HOUR_MS;
const SHIFTS_PLANNED = 60;
const CANCEL_CHANCE = 0.03;
const BAKES_EVERY_CITY_MS = 4 * HOUR_MS;
/** Sees what is cooked by people, and what was put out before this process lived. */
const ONLOOKER: Principal = { id: "simulator-onlooker", role: "support" };

/** The compiled program that lets the city live in a process of its own. */
export const DEMO_SCRIPT = fileURLToPath(new URL("./demo.js", import.meta.url));

/** About twenty restaurants and sixty drivers in a town of 5 × 4 km. */
export function demoCity(seed = DEMO_SEED): City {
  return createCity({ seed, restaurants: 20, drivers: 60, customers: 400 });
}

/** Resolves once tokens are issued, menus are published and the first agents are on their way. */
export async function startCityRun(options: CityRunOptions): Promise<CityRun> {
  const clock = systemClock();
  const seed = options.seed ?? DEMO_SEED;
  const city = options.city ?? demoCity(seed);
  const control = new NodeControl({ url: options.url, operatorSecret: options.operatorSecret, clock });
  const { timeScale } = await control.facts();
  const restaurants = city.restaurants.map(
    (restaurant, index): PlannedRestaurant => ({
      id: restaurant.id,
      profile: restaurant.profile,
      kitchen: restaurant.kitchen,
      saysPreparing: index % 2 === 0,
      bakesEveryCityMs: BAKES_EVERY_CITY_MS,
    }),
  );
  const rest = seededRandom(seed + 20);
  const drivers = city.drivers.map((driver, index): PlannedDriver => ({ ...driver, shifts: shiftsOf(rest, index) }));
  const tokens = await control.tokens([
    ...restaurants.map(({ id }): Principal => ({ id, role: "restaurant" })),
    ...drivers.map(({ id }): Principal => ({ id, role: "driver" })),
    ...city.customers.map(({ id }): Principal => ({ id, role: "customer" })),
    ONLOOKER,
  ]);
  await control.configure(restaurants);
  const onlooker = createClient({ url: options.url, token: tokens.get(ONLOOKER.id)!, clock });
  const crew = new Crew({
    url: options.url,
    seed,
    time: { timeScale, startWallMs: clock.now(), startCityMs: START_CITY_MS },
    roads: city.roads,
    tokens,
    // Not answered: the driver looks again.
    standsReady: (orderId) =>
      onlooker.http.order(orderId).then(
        ({ status }) => status === "ready",
        () => false,
      ),
    keepsHistory: false,
    onFailure: options.onFailure ?? (() => {}),
    clock,
  });
  crew.openRestaurants(restaurants, () => null);
  crew.sendDrivers(drivers);
  const perHour = ((options.ordersPerMinute ?? ORDERS_PER_MINUTE) * 60) / timeScale;
  void crew.serveCustomers(ordersOf(city, seed, perHour));
  options.signal?.addEventListener("abort", () => crew.stop(), { once: true });
  return { time: crew.time, read: () => crew.read(), stop: () => crew.stop() };
}

/** Some begin at once, the rest within two hours; everybody rests between shifts. */
function shiftsOf(random: Random, index: number): Shift[] {
  const shifts: Shift[] = [];
  let at = START_CITY_MS + (index % 3 === 2 ? between(random, 0, 2 * HOUR_MS) : 0);
  for (let count = 0; count < SHIFTS_PLANNED; count++) {
    const toCityMs = at + between(random, 3 * HOUR_MS, 7 * HOUR_MS);
    shifts.push({ fromCityMs: at, toCityMs });
    at = toCityMs + between(random, 0.4 * HOUR_MS, 2 * HOUR_MS);
  }
  return shifts;
}

/** Without end. Customers take turns, so that nobody orders twice at once. */
function* ordersOf(city: City, seed: number, perHour: number): Generator<PlannedOrder> {
  const random = seededRandom(seed + 30);
  let at = START_CITY_MS;
  for (let number = 1; ; number++) {
    at = nextOrderAt(random, at, perHour);
    const customer = city.customers[(number * 7) % city.customers.length]!;
    const restaurant = city.restaurants[Math.floor(random.next() * city.restaurants.length)]!;
    const cancels = chance(random, CANCEL_CHANCE);
    const cancelAfterCityMs = exponential(random, 120_000);
    yield {
      number,
      customerId: customer.id,
      order: fillBasket(random, restaurant.profile, restaurant.id, customer.home),
      placeAtCityMs: at,
      readyAtCityMs: null,
      followBy: followedBy(random),
      impatient: chance(random, 0.02),
      cancelAfterCityMs: cancels ? cancelAfterCityMs : null,
    };
  }
}
