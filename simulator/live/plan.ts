/** What is going to happen in a run, before it does: who is there and when, and which orders are placed. Plain data. */
import type { Point } from "../../src/lib/geo.js";
import type { PlaceOrder, RestaurantProfile } from "../../src/protocol/mod.js";
import type { DriverHabits, Kitchen, Vehicle } from "../city/mod.js";

/** Milliseconds since the city's midnight; an end may be infinite. */
export interface Shift {
  readonly fromCityMs: number;
  readonly toCityMs: number;
}

export interface PlannedRestaurant {
  readonly id: string;
  readonly profile: RestaurantProfile;
  readonly kitchen: Kitchen;
  /** Half of the kitchens never touch the "preparing" button. */
  readonly saysPreparing: boolean;
  /** Limited dishes are made anew this often; absent: what is gone is gone. */
  readonly bakesEveryCityMs?: number;
}

/** How much somebody writes to the other side of an order. The seed says when, without disturbing what else they do. */
export interface Words {
  readonly lines: number;
  readonly seed: number;
}

export interface PlannedDriver {
  readonly id: string;
  readonly name: string;
  readonly vehicle: Vehicle;
  readonly speedMetersPerSecond: number;
  readonly start: Point;
  readonly habits: DriverHabits;
  /** In order of time, not overlapping. */
  readonly shifts: readonly Shift[];
  /** What is written to each customer whose food they carry. Default nothing. */
  readonly words?: Words;
}

/** How a customer follows the order: a socket, server-sent events, or polling. */
export type FollowBy = "socket" | "events" | "poll";

export interface PlannedOrder {
  /** Unique in a run; the kitchen finds it in the order's note. */
  readonly number: number;
  readonly customerId: string;
  readonly order: PlaceOrder;
  readonly placeAtCityMs: number;
  /** When the food stands on the counter; null leaves it to the kitchen. */
  readonly readyAtCityMs: number | null;
  readonly followBy: FollowBy;
  /** The order command is sent more than once with the same key, over two doors at the same time. */
  readonly impatient: boolean;
  /** The customer changes their mind this long after placing. */
  readonly cancelAfterCityMs: number | null;
  /** What is written to the driver once the food is on its way, by those who follow by socket. Default nothing. */
  readonly words?: Words;
}

export interface RunPlan {
  readonly name: string;
  readonly timeScale: number;
  readonly startCityMs: number;
  readonly restaurants: readonly PlannedRestaurant[];
  readonly drivers: readonly PlannedDriver[];
  /** In order of placement. */
  readonly orders: readonly PlannedOrder[];
}

export function noteOf(number: number): string {
  return `order ${number}`;
}

/** The planned order's number, or null for orders of others. */
export function numberOfNote(note: string | undefined): number | null {
  const match = /^order (\d+)$/.exec(note ?? "");
  return match === null ? null : Number(match[1]);
}

/** Limited items as configured, by `restaurant/item`. */
export function stockOf(restaurants: readonly PlannedRestaurant[]): Map<string, number> {
  const stock = new Map<string, number>();
  for (const restaurant of restaurants) {
    for (const item of restaurant.profile.items) {
      if (item.stock !== undefined) stock.set(`${restaurant.id}/${item.itemId}`, item.stock);
    }
  }
  return stock;
}
