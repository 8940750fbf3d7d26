/**
 * A plan: for each driver the trips ahead, one after another.
 *
 * Owns which order is in which trip, and keeps cost and times in step with it. Does not choose. Invariants: an order is
 * in one trip or in none; every route is allowed by `Problem.run`; `cost` is the sum over routes and unplanned orders.
 */
import type { Problem, Trip } from "./problem.js";

export interface Route {
  readonly trips: readonly Trip[];
  /** When and where each trip begins; the last entries are the end. */
  readonly startAt: readonly number[];
  readonly startNode: readonly number[];
  readonly costs: readonly number[];
  readonly cost: number;
}

/** Where an order could go. `position` < 0: in a trip of its own, before trip `trip`. */
export interface Insertion {
  readonly driver: number;
  readonly trip: number;
  readonly position: number;
  /** The restaurants of the trip afterwards. */
  readonly restaurants: readonly number[];
  readonly extra: number;
}

/** What looking at one driver or order costs beside computing a trip. */
export const LOOK = 0.2;

export class Plan<Place> {
  readonly problem: Problem<Place>;
  readonly routes: Route[];
  /** The driver of each order, or -1. */
  readonly driverOf: Int32Array;
  cost: number;
  readonly #ordersOf: readonly (readonly number[])[];
  readonly #nearby: readonly (readonly number[])[];
  readonly #candidates: (Int32Array | undefined)[];
  readonly #scratch: number[] = [];
  readonly #seen: Int32Array;
  #round = 0;

  constructor(problem: Problem<Place>) {
    this.problem = problem;
    this.routes = Array.from({ length: problem.drivers }, (_, driver) => ({
      trips: [],
      startAt: [problem.freeAt[driver]!],
      startNode: [driver],
      costs: [],
      cost: 0,
    }));
    this.driverOf = new Int32Array(problem.orders).fill(-1);
    this.cost =
      problem.weight.reduce((sum, weight) => sum + weight, 0) * problem.situation.settings.weights.unplannedMs;
    const ordersOf: number[][] = Array.from({ length: problem.restaurants }, () => []);
    problem.restaurantOf.forEach((restaurant, order) => {
      ordersOf[restaurant]!.push(order);
    });
    this.#ordersOf = ordersOf;
    const { mostRestaurants, nearbyMs } = problem.situation.settings.trips;
    this.#nearby = ordersOf.map((_, restaurant) => {
      const all = [restaurant];
      if (mostRestaurants < 2) return all;
      for (let other = 0; other < problem.restaurants; other++) {
        if (other !== restaurant && problem.betweenRestaurants(restaurant, other) <= nearbyMs) all.push(other);
      }
      return all;
    });
    this.#candidates = new Array(problem.restaurants);
    this.#seen = new Int32Array(problem.drivers);
  }

  /** The route of a driver with these trips, or null when it is not allowed. */
  routeOf(driver: number, trips: readonly Trip[]): Route | null {
    const { problem } = this;
    const startAt = [problem.freeAt[driver]!];
    const startNode = [driver];
    const costs: number[] = [];
    let cost = 0;
    for (let k = 0; k < trips.length; k++) {
      const { restaurants, orders } = trips[k]!;
      if (!problem.run(driver, startAt[k]!, startNode[k]!, restaurants, orders, orders.length)) return null;
      startAt.push(problem.endAt);
      startNode.push(problem.nodeOf(orders.at(-1)!));
      costs.push(problem.cost);
      cost += problem.cost;
    }
    return { trips, startAt, startNode, costs, cost };
  }

  /** Puts `route` in place of the driver's. */
  replace(driver: number, route: Route): void {
    const { weights } = this.problem.situation.settings;
    const old = this.routes[driver]!;
    this.cost += route.cost - old.cost;
    for (const { orders } of old.trips) {
      for (const order of orders) {
        if (this.driverOf[order] !== driver) continue;
        this.driverOf[order] = -1;
        this.cost += weights.unplannedMs * this.problem.weight[order]!;
      }
    }
    for (const { orders } of route.trips) {
      for (const order of orders) {
        if (this.driverOf[order]! < 0) this.cost -= weights.unplannedMs * this.problem.weight[order]!;
        this.driverOf[order] = driver;
      }
    }
    this.routes[driver] = route;
  }

  /** What the trip of an order costs; infinite when it is in none. */
  tripCost(order: number): number {
    const driver = this.driverOf[order]!;
    if (driver < 0) return Number.POSITIVE_INFINITY;
    const { trips, costs } = this.routes[driver]!;
    return costs[trips.findIndex(({ orders }) => orders.includes(order))]!;
  }

  /** The driver's route without some orders. Removing never makes a route forbidden. */
  without(driver: number, removed: (order: number) => boolean): Route {
    const { restaurantOf } = this.problem;
    const trips: Trip[] = [];
    for (const trip of this.routes[driver]!.trips) {
      const orders = trip.orders.filter((order) => !removed(order));
      if (orders.length === trip.orders.length) trips.push(trip);
      else if (orders.length > 0) {
        const restaurants = trip.restaurants.filter((at) => orders.some((order) => restaurantOf[order] === at));
        trips.push({ orders, restaurants });
      }
    }
    const route = this.routeOf(driver, trips);
    if (route !== null) return route;
    // A shorter trip can end further from the next restaurant. Rare; the driver's orders are then planned anew.
    return { trips: [], startAt: [this.problem.freeAt[driver]!], startNode: [driver], costs: [], cost: 0 };
  }

  /** The cheapest place for an unplanned order, or null. */
  cheapest(order: number): Insertion | null {
    const { problem } = this;
    const { collectMs, weights } = problem.situation.settings;
    const restaurant = problem.restaurantOf[order]!;
    const weight = problem.weight[order]!;
    const readyAt = problem.earliestPickup(order);
    const direct = problem.soonest[order]! - readyAt;
    let best: Insertion | null = null;
    const round = ++this.#round;
    // Whoever goes there anyway first: that sets a bar.
    for (const near of this.#nearby[restaurant]!) {
      for (const other of this.#ordersOf[near]!) {
        const driver = this.driverOf[other]!;
        if (driver < 0 || this.#seen[driver] === round) continue;
        this.#seen[driver] = round;
        best = this.#cheapestOf(driver, order, best);
      }
    }
    for (const driver of this.candidatesOf(restaurant)) {
      problem.work += LOOK;
      const earliest = problem.freeAt[driver]! + problem.toRestaurant(driver, restaurant) + collectMs;
      const least =
        weight * (Math.max(0, earliest - readyAt) * (1 + weights.foodWaits) + problem.busyWeight * direct * 0.5);
      if (best !== null && least >= best.extra) break;
      if (this.#seen[driver] === round) continue;
      this.#seen[driver] = round;
      best = this.#cheapestOf(driver, order, best);
    }
    return best;
  }

  insert(order: number, { driver, trip, position, restaurants }: Insertion): void {
    const trips = [...this.routes[driver]!.trips];
    if (position < 0) trips.splice(trip, 0, { restaurants, orders: [order] });
    else trips[trip] = { restaurants, orders: trips[trip]!.orders.toSpliced(position, 0, order) };
    const route = this.routeOf(driver, trips);
    if (route === null) throw new Error("matching: an insertion that was allowed is not");
    this.replace(driver, route);
  }

  #cheapestOf(driver: number, order: number, best: Insertion | null): Insertion | null {
    const { problem } = this;
    if (!problem.mayCarry(driver, order)) return best;
    const { collectMs, trips: limits } = problem.situation.settings;
    const { mostOrders, mostRestaurants, mostAhead } = limits;
    const restaurant = problem.restaurantOf[order]!;
    const route = this.routes[driver]!;
    const { trips } = route;
    const scratch = this.#scratch;
    let bar = best === null ? Number.POSITIVE_INFINITY : best.extra;
    // What the order itself would cost at least when a trip begins there: most places need no closer look.
    const leastAt = (k: number): number => {
      const pickupAt = route.startAt[k]! + problem.toRestaurant(route.startNode[k]!, restaurant) + collectMs;
      return problem.weight[order]! * (pickupAt - problem.earliestPickup(order));
    };
    if (trips.length < mostAhead) {
      scratch[0] = order;
      const alone = [restaurant];
      for (let k = 0; k <= trips.length; k++) {
        if (leastAt(k) >= bar) continue;
        const extra = this.#extra(driver, route, k, k, alone, 1, bar);
        if (extra >= bar) continue;
        bar = extra;
        best = { driver, trip: k, position: -1, restaurants: alone, extra };
      }
    }
    for (let k = 0; k < trips.length; k++) {
      const { orders, restaurants } = trips[k]!;
      if (orders.length >= mostOrders || leastAt(k) >= bar) continue;
      if (problem.weight[orders[0]!] !== problem.weight[order]) continue;
      let after = restaurants;
      if (!restaurants.includes(restaurant)) {
        if (restaurants.length >= mostRestaurants) continue;
        if (!restaurants.every((other) => this.#nearby[restaurant]!.includes(other))) continue;
        after = [...restaurants, restaurant];
      }
      for (let position = 0; position <= orders.length; position++) {
        for (let i = 0; i < position; i++) scratch[i] = orders[i]!;
        scratch[position] = order;
        for (let i = position; i < orders.length; i++) scratch[i + 1] = orders[i]!;
        const extra = this.#extra(driver, route, k, k + 1, after, orders.length + 1, bar);
        if (extra >= bar) continue;
        bar = extra;
        best = { driver, trip: k, position, restaurants: after, extra };
      }
    }
    return best;
  }

  /** What the route costs more with the scratch trip at `from` and then its trips from `rest` on; infinite if not allowed. */
  #extra(
    driver: number,
    route: Route,
    from: number,
    rest: number,
    restaurants: readonly number[],
    count: number,
    bar: number,
  ): number {
    const { problem } = this;
    const { trips, startAt, startNode, costs } = route;
    if (!problem.run(driver, startAt[from]!, startNode[from]!, restaurants, this.#scratch, count))
      return Number.POSITIVE_INFINITY;
    let extra = problem.cost;
    for (let k = from; k < rest; k++) extra -= costs[k]!;
    let time = problem.endAt;
    let node = problem.nodeOf(this.#scratch[count - 1]!);
    for (let k = rest; k < trips.length; k++) {
      if (time === startAt[k] && node === startNode[k]) return extra;
      if (extra >= bar && time >= startAt[k]!) return Number.POSITIVE_INFINITY;
      const trip = trips[k]!;
      if (!problem.run(driver, time, node, trip.restaurants, trip.orders, trip.orders.length))
        return Number.POSITIVE_INFINITY;
      extra += problem.cost - costs[k]!;
      time = problem.endAt;
      node = problem.nodeOf(trip.orders.at(-1)!);
    }
    return extra;
  }

  /** The drivers who could be at a restaurant first. */
  candidatesOf(restaurant: number): Int32Array {
    const known = this.#candidates[restaurant];
    if (known !== undefined) return known;
    const { problem } = this;
    const arrival = new Float64Array(problem.drivers);
    problem.work += problem.drivers * LOOK;
    for (let driver = 0; driver < problem.drivers; driver++)
      arrival[driver] = problem.freeAt[driver]! + problem.toRestaurant(driver, restaurant);
    const list = smallest(arrival, problem.situation.settings.search.candidates);
    this.#candidates[restaurant] = list;
    return list;
  }
}

/** The indices of the `count` smallest values, in ascending order; of equal values the lower index first. */
export function smallest(values: Float64Array, count: number): Int32Array {
  const most = Math.min(count, values.length);
  const list = new Int32Array(most);
  let filled = 0;
  for (let index = 0; index < values.length; index++) {
    const value = values[index]!;
    if (filled === most && (most === 0 || value >= values[list[filled - 1]!]!)) continue;
    let at = filled < most ? filled++ : filled - 1;
    for (; at > 0 && values[list[at - 1]!]! > value; at--) list[at] = list[at - 1]!;
    list[at] = index;
  }
  return list;
}
