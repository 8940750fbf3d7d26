/**
 * Makes a plan of a recorded day. Distinct pick-up points are restaurants; each order is a line of its restaurant's menu;
 * each courier is a driver with the recorded vehicle, place and shift. What the record does not say (habits, who follows
 * an order how) comes from the seed.
 */
import type { Point } from "../../../src/lib/geo.js";
import { type Random, seededRandom } from "../../../src/lib/random.js";
import { createHabits, createKitchen, isVehicle, personName, VEHICLE_SPEED } from "../../city/mod.js";
import {
  type FollowBy,
  noteOf,
  type PlannedDriver,
  type PlannedOrder,
  type PlannedRestaurant,
  type RunPlan,
} from "../plan.js";
import type { RecordedCourier, RecordedDay } from "./files.js";

export interface DayPlanOptions {
  readonly name: string;
  /** Distinguishes this run's people from those of earlier runs on the same data. */
  readonly prefix: string;
  readonly timeScale: number;
  readonly seed: number;
  /** At most this many couriers, spread evenly over the recorded ones. */
  readonly drivers?: number;
  /** Only the first so many orders. */
  readonly limit?: number;
}

/** Couriers are there this long before the first order, in wall time: connecting does not become faster with the day. */
const WARM_UP_WALL_MS = 10_000;
const CONNECTS_PER_WALL_SECOND = 400;
const CURRENCY = "COP";
const ITEMS = 5;

export function planDay(day: RecordedDay, options: DayPlanOptions): RunPlan {
  const { prefix, seed } = options;
  const recorded = options.limit === undefined ? day.orders : day.orders.slice(0, options.limit);
  const kitchens = seededRandom(seed);
  const restaurants = new Map<string, PlannedRestaurant>();
  const restaurantAt = (point: Point): PlannedRestaurant => {
    const key = `${point.lat},${point.lng}`;
    const known = restaurants.get(key);
    if (known !== undefined) return known;
    const restaurant = plannedRestaurant(kitchens, `${prefix}-r${restaurants.size + 1}`, restaurants.size + 1, point);
    restaurants.set(key, restaurant);
    return restaurant;
  };
  const people = seededRandom(seed + 1);
  const orders = recorded.map((order, index): PlannedOrder => {
    const restaurant = restaurantAt(order.pickUp);
    const item = restaurant.profile.items[index % ITEMS]!;
    const number = index + 1;
    return {
      number,
      customerId: `${prefix}-c${order.id}`,
      order: {
        restaurantId: restaurant.id,
        lines: [{ itemId: item.itemId, quantity: 1 + (index % 3), unitPriceMinor: item.priceMinor }],
        destination: { lat: order.dropOff.lat, lng: order.dropOff.lng },
        currency: CURRENCY,
        note: noteOf(number),
      },
      placeAtCityMs: order.placedMs,
      readyAtCityMs: order.readyMs,
      followBy: followedBy(people),
      impatient: people.next() < 0.04,
      cancelAfterCityMs: null,
    };
  });
  const warmUpWallMs = WARM_UP_WALL_MS + (1000 * day.couriers.length) / CONNECTS_PER_WALL_SECOND;
  const startCityMs = (orders[0]?.placeAtCityMs ?? 0) - warmUpWallMs * options.timeScale;
  const lastCityMs = orders[orders.length - 1]?.placeAtCityMs ?? startCityMs;
  const fleet = seededRandom(seed + 2);
  const drivers = evenly(day.couriers, options.drivers)
    .map((courier) => plannedDriver(fleet, prefix, courier))
    // Shifts that ended before the first order or begin long after the last have nothing to do.
    .filter(({ shifts: [shift] }) => shift!.toCityMs > startCityMs && shift!.fromCityMs < lastCityMs + 2 * 3_600_000);
  return {
    name: options.name,
    timeScale: options.timeScale,
    startCityMs,
    restaurants: [...restaurants.values()],
    drivers,
    orders,
  };
}

/** Most people keep the app open; some have the web page, some an old one that polls. */
export function followedBy(random: Random): FollowBy {
  const share = random.next();
  return share < 0.84 ? "socket" : share < 0.93 ? "events" : "poll";
}

function plannedRestaurant(random: Random, id: string, number: number, at: Point): PlannedRestaurant {
  const base = 900_000 + (number % 17) * 70_000;
  return {
    id,
    saysPreparing: number % 2 === 0,
    kitchen: { ...createKitchen(random), acceptSeconds: 15, rejectChance: 0 },
    profile: {
      name: `Restaurant ${number}`,
      lat: at.lat,
      lng: at.lng,
      currency: CURRENCY,
      taxPerMille: 80,
      deliveryFeeMinor: 350_000,
      deliveryRadiusMeters: 100_000,
      items: Array.from({ length: ITEMS }, (_, item) => ({
        itemId: `dish-${item + 1}`,
        name: `Dish ${item + 1}`,
        priceMinor: base + item * 130_000,
        prepMinutes: 10 + 2 * item,
        // Two of five are counted, so that what is reserved and given back can be checked.
        ...(item < 2 ? { stock: 5_000 } : {}),
      })),
    },
  };
}

function plannedDriver(random: Random, prefix: string, courier: RecordedCourier): PlannedDriver {
  const vehicle = isVehicle(courier.vehicle) ? courier.vehicle : "motorcycle";
  return {
    id: `${prefix}-d${courier.id}`,
    name: personName(random),
    vehicle,
    speedMetersPerSecond: VEHICLE_SPEED[vehicle] * (0.85 + 0.3 * random.next()),
    start: courier.start,
    habits: createHabits(random),
    shifts: [{ fromCityMs: courier.onMs, toCityMs: courier.offMs }],
  };
}

function evenly<T>(list: readonly T[], count: number | undefined): readonly T[] {
  if (count === undefined || count >= list.length) return list;
  return Array.from({ length: count }, (_, index) => list[Math.floor((index * list.length) / count)]!);
}
