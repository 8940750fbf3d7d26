/**
 * A plan: for each driver the trips ahead, one after another.
 *
 * Owns which order is in which trip, and keeps cost and times in step with it. Does not choose. Invariants: an order is
 * in one trip or in none; every route is allowed by `Problem.run`; `cost` is the sum over routes and unplanned orders; a
 * route's `id` never means two routes.
 */
import type { Problem, Trip } from "./problem.js";

/** Never changed after it was made. */
export interface Route {
  /** Above 0. Routes with one id are one route, so what was found out about it still holds. */
  readonly id: number;
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
  readonly extra: number;
}

export class Plan<Place> {
  readonly problem: Problem<Place>;
  readonly routes: Route[];
  /** The driver of each order, or -1. */
  readonly driverOf: Int32Array;
  cost: number;
  readonly #empty: readonly Route[];
  readonly #tripCost: Float64Array;
  readonly #unplanned: Float64Array;
  #routeIds = 0;

  constructor(problem: Problem<Place>) {
    this.problem = problem;
    this.#empty = Array.from({ length: problem.drivers }, (_, driver) => ({
      id: ++this.#routeIds,
      trips: [],
      startAt: [problem.freeAt[driver]!],
      startNode: [driver],
      costs: [],
      cost: 0,
    }));
    this.routes = [...this.#empty];
    this.driverOf = new Int32Array(problem.orders).fill(-1);
    this.#tripCost = new Float64Array(problem.orders);
    const { unplannedMs } = problem.situation.settings.weights;
    this.#unplanned = problem.weight.map((weight) => weight * unplannedMs);
    this.cost = this.#unplanned.reduce((sum, cost) => sum + cost, 0);
  }

  /** The route of a driver with these trips, or null when it is not allowed. */
  routeOf(driver: number, trips: readonly Trip[]): Route | null {
    return this.#continued(driver, this.#empty[driver]!, 0, trips);
  }

  /** The route of `trips`, the first `same` of which are those of `route`. */
  #continued(driver: number, route: Route, same: number, trips: readonly Trip[]): Route | null {
    const { problem } = this;
    const startAt = route.startAt.slice(0, same + 1);
    const startNode = route.startNode.slice(0, same + 1);
    const costs = route.costs.slice(0, same);
    let cost = 0;
    for (const known of costs) cost += known;
    for (let k = same; k < trips.length; k++) {
      const { restaurants, orders } = trips[k]!;
      if (!problem.run(driver, startAt[k]!, startNode[k]!, restaurants, orders, orders.length)) return null;
      startAt.push(problem.endAt);
      startNode.push(problem.nodeOf(orders.at(-1)!));
      costs.push(problem.cost);
      cost += problem.cost;
    }
    return { id: ++this.#routeIds, trips, startAt, startNode, costs, cost };
  }

  /** Puts `route` in place of the driver's. */
  replace(driver: number, route: Route): void {
    const old = this.routes[driver]!;
    this.cost += route.cost - old.cost;
    for (const { orders } of old.trips) {
      for (const order of orders) {
        if (this.driverOf[order] !== driver) continue;
        this.driverOf[order] = -1;
        this.cost += this.#unplanned[order]!;
      }
    }
    const { trips, costs } = route;
    for (let k = 0; k < trips.length; k++) {
      for (const order of trips[k]!.orders) {
        if (this.driverOf[order]! < 0) this.cost -= this.#unplanned[order]!;
        this.driverOf[order] = driver;
        this.#tripCost[order] = costs[k]!;
      }
    }
    this.routes[driver] = route;
  }

  /** Puts several routes back as they were together, when the plan cost `cost`. */
  restore(routes: ReadonlyMap<number, Route>, cost: number): void {
    for (const driver of routes.keys()) this.replace(driver, this.#empty[driver]!);
    for (const [driver, route] of routes) this.replace(driver, route);
    // Sums of fractions depend on their order; the plan is the same one, so its cost is.
    this.cost = cost;
  }

  /** What the trip of an order costs; infinite when it is in none. */
  tripCost(order: number): number {
    return this.driverOf[order]! < 0 ? Number.POSITIVE_INFINITY : this.#tripCost[order]!;
  }

  /** What it costs to leave an order unplanned. */
  unplannedCost(order: number): number {
    return this.#unplanned[order]!;
  }

  /** The driver's route without some orders. Removing hardly ever makes a route forbidden. */
  without(driver: number, removed: (order: number) => boolean): Route {
    const { restaurantOf } = this.problem;
    const route = this.routes[driver]!;
    const trips: Trip[] = [];
    let same = 0;
    for (const trip of route.trips) {
      const orders = trip.orders.filter((order) => !removed(order));
      if (orders.length === trip.orders.length) {
        if (same === trips.length && route.trips[same] === trip) same++;
        trips.push(trip);
      } else if (orders.length > 0) {
        const restaurants = trip.restaurants.filter((at) => orders.some((order) => restaurantOf[order] === at));
        trips.push({ orders, restaurants });
      }
    }
    // A shorter trip can end further from the next restaurant. Rare; the driver's orders are then planned anew.
    const empty = this.#empty[driver]!;
    return trips.length === 0 ? empty : (this.#continued(driver, route, same, trips) ?? empty);
  }

  insert(order: number, { driver, trip, position }: Insertion): void {
    const restaurant = this.problem.restaurantOf[order]!;
    const old = this.routes[driver]!;
    const trips = old.trips.slice();
    if (position < 0) trips.splice(trip, 0, { restaurants: [restaurant], orders: [order] });
    else {
      const { restaurants, orders } = trips[trip]!;
      trips[trip] = {
        restaurants: restaurants.includes(restaurant) ? restaurants : [...restaurants, restaurant],
        orders: orders.toSpliced(position, 0, order),
      };
    }
    const route = this.#continued(driver, old, trip, trips);
    if (route === null) throw new Error("matching: an insertion that was allowed is not");
    this.replace(driver, route);
  }
}
