/**
 * Where an order would cost least.
 *
 * Owns what was found before: as long as a driver's route is the same one, so is the best place in it, and in a round of
 * the search most routes are. Knows nothing of rounds. Invariant: whatever is remembered, the answer is the one that
 * looking everywhere anew would give.
 */
import { type AllCandidates, LOOK } from "./candidates.js";
import type { Insertion, Plan, Route } from "./plan.js";
import type { Problem } from "./problem.js";

/** What looking up a remembered place costs beside computing a trip. */
const REMEMBER = 0.05;
/** Marks a remembered cost that is only a least one. */
const AT_LEAST = -1;

export class Places<Place> {
  readonly #plan: Plan<Place>;
  readonly #problem: Problem<Place>;
  readonly #candidates: AllCandidates<Place>;
  readonly #ordersOf: readonly (readonly number[])[];
  /** For each restaurant itself, and those near enough to share a trip. */
  readonly #nearby: readonly (readonly number[])[];
  readonly #alone: readonly (readonly number[])[];
  /** In these a driver's orders of the trip that is tried. */
  readonly #scratch: number[] = [];
  readonly #seen: Int32Array;
  #turn = 0;
  /** By order and the driver's rank among the restaurant's candidates: of which route, what was found. */
  readonly #width: number;
  readonly #knownRoute: Int32Array;
  readonly #knownExtra: Float64Array;
  readonly #knownTrip: Int16Array;
  readonly #knownPosition: Int16Array;
  /** The best place so far. */
  #driver = -1;
  #trip = 0;
  #position = 0;
  #extra = 0;

  constructor(plan: Plan<Place>, candidates: AllCandidates<Place>) {
    this.#plan = plan;
    this.#problem = plan.problem;
    this.#candidates = candidates;
    const problem = plan.problem;
    const ordersOf: number[][] = Array.from({ length: problem.restaurants }, () => []);
    problem.restaurantOf.forEach((restaurant, order) => {
      ordersOf[restaurant]!.push(order);
    });
    this.#ordersOf = ordersOf;
    this.#alone = ordersOf.map((_, restaurant) => [restaurant]);
    const { trips, search } = problem.situation.settings;
    this.#nearby = ordersOf.map((_, restaurant) => {
      const all = [restaurant];
      if (trips.mostRestaurants < 2) return all;
      for (let other = 0; other < problem.restaurants; other++) {
        if (other !== restaurant && problem.betweenRestaurants(restaurant, other) <= trips.nearbyMs) all.push(other);
      }
      return all;
    });
    this.#seen = new Int32Array(problem.drivers);
    this.#width = Math.min(search.candidates, problem.drivers);
    this.#knownRoute = new Int32Array(problem.orders * this.#width);
    this.#knownExtra = new Float64Array(problem.orders * this.#width);
    this.#knownTrip = new Int16Array(problem.orders * this.#width);
    this.#knownPosition = new Int16Array(problem.orders * this.#width);
  }

  /**
   * The cheapest place for an unplanned order, or null. `passedOver`: the rank of one candidate who is not looked at,
   * so that the search does not always do the same; -1 for none.
   */
  cheapest(order: number, passedOver: number): Insertion | null {
    const problem = this.#problem;
    const { collectMs } = problem.situation.settings;
    const restaurant = problem.restaurantOf[order]!;
    // A driver's time is bound at least for part of the way to the customer, alone or shared.
    const direct = problem.soonest[order]! - problem.earliestPickup(order);
    const bound = problem.weight[order]! * problem.busyWeight * direct * 0.5;
    const { drivers, arrivalAt } = this.#candidates.of(restaurant);
    const first = order * this.#width;
    const turn = ++this.#turn;
    this.#driver = -1;
    this.#extra = Number.POSITIVE_INFINITY;
    for (let rank = 0; rank < drivers.length; rank++) {
      problem.work += REMEMBER;
      if (problem.leastCost(order, arrivalAt[rank]! + collectMs) + bound >= this.#extra) break;
      const driver = drivers[rank]!;
      this.#seen[driver] = turn;
      if (rank !== passedOver) this.#remember(first + rank, driver, order);
    }
    // Whoever goes there anyway, though from further away.
    for (const near of this.#nearby[restaurant]!) {
      for (const other of this.#ordersOf[near]!) {
        const driver = this.#plan.driverOf[other]!;
        if (driver < 0 || this.#seen[driver] === turn) continue;
        this.#seen[driver] = turn;
        problem.work += LOOK;
        const arrival = problem.freeAt[driver]! + problem.toRestaurant(driver, restaurant);
        if (problem.leastCost(order, arrival + collectMs) + bound >= this.#extra) continue;
        this.#look(driver, order, this.#plan.routes[driver]!);
      }
    }
    if (this.#driver < 0) return null;
    return { driver: this.#driver, trip: this.#trip, position: this.#position, extra: this.#extra };
  }

  #remember(slot: number, driver: number, order: number): void {
    const route = this.#plan.routes[driver]!;
    if (this.#knownRoute[slot] === route.id) {
      const extra = this.#knownExtra[slot]!;
      if (extra >= this.#extra) return;
      const trip = this.#knownTrip[slot]!;
      if (trip !== AT_LEAST) {
        this.#take(driver, trip, this.#knownPosition[slot]!, extra);
        return;
      }
    }
    const bar = this.#extra;
    this.#look(driver, order, route);
    const better = this.#extra < bar;
    this.#knownRoute[slot] = route.id;
    this.#knownExtra[slot] = this.#extra;
    this.#knownTrip[slot] = better ? this.#trip : AT_LEAST;
    this.#knownPosition[slot] = this.#position;
  }

  #take(driver: number, trip: number, position: number, extra: number): void {
    this.#driver = driver;
    this.#trip = trip;
    this.#position = position;
    this.#extra = extra;
  }

  /** Takes the best place in the driver's route when it is better than the best so far. */
  #look(driver: number, order: number, route: Route): void {
    const problem = this.#problem;
    if (!problem.mayCarry(driver, order)) return;
    const { collectMs, trips: limits } = problem.situation.settings;
    const { mostOrders, mostAhead } = limits;
    const restaurant = problem.restaurantOf[order]!;
    const { trips, startAt, startNode } = route;
    const scratch = this.#scratch;
    for (let k = 0; k <= trips.length; k++) {
      const pickupAt = startAt[k]! + problem.toRestaurant(startNode[k]!, restaurant) + collectMs;
      // What the order itself would cost at least: most places need no closer look.
      if (problem.leastCost(order, pickupAt) >= this.#extra) continue;
      if (trips.length < mostAhead) {
        scratch[0] = order;
        const extra = this.#extraOf(driver, route, k, k, this.#alone[restaurant]!, 1);
        if (extra < this.#extra) this.#take(driver, k, -1, extra);
      }
      if (k === trips.length) break;
      const { orders } = trips[k]!;
      // Real orders never share with those that are only expected.
      if (orders.length >= mostOrders || problem.weight[orders[0]!] !== problem.weight[order]) continue;
      const restaurants = this.#shared(trips[k]!.restaurants, restaurant);
      if (restaurants === null) continue;
      for (let position = 0; position <= orders.length; position++) {
        for (let i = 0; i < position; i++) scratch[i] = orders[i]!;
        scratch[position] = order;
        for (let i = position; i < orders.length; i++) scratch[i + 1] = orders[i]!;
        const extra = this.#extraOf(driver, route, k, k + 1, restaurants, orders.length + 1);
        if (extra < this.#extra) this.#take(driver, k, position, extra);
      }
    }
  }

  /** The restaurants of a trip with one more, or null when it may not be. */
  #shared(restaurants: readonly number[], restaurant: number): readonly number[] | null {
    if (restaurants.includes(restaurant)) return restaurants;
    if (restaurants.length >= this.#problem.situation.settings.trips.mostRestaurants) return null;
    const near = this.#nearby[restaurant]!;
    return restaurants.every((other) => near.includes(other)) ? [...restaurants, restaurant] : null;
  }

  /** What the route costs more with the scratch trip at `from` and then its trips from `rest` on; infinite if not allowed. */
  #extraOf(
    driver: number,
    route: Route,
    from: number,
    rest: number,
    restaurants: readonly number[],
    count: number,
  ): number {
    const problem = this.#problem;
    const { trips, startAt, startNode, costs } = route;
    if (!problem.run(driver, startAt[from]!, startNode[from]!, restaurants, this.#scratch, count))
      return Number.POSITIVE_INFINITY;
    let extra = problem.cost;
    if (from < rest) extra -= costs[from]!;
    let time = problem.endAt;
    let node = problem.nodeOf(this.#scratch[count - 1]!);
    for (let k = rest; k < trips.length; k++) {
      if (time === startAt[k] && node === startNode[k]) return extra;
      if (extra >= this.#extra && time >= startAt[k]!) return Number.POSITIVE_INFINITY;
      const trip = trips[k]!;
      if (!problem.run(driver, time, node, trip.restaurants, trip.orders, trip.orders.length))
        return Number.POSITIVE_INFINITY;
      extra += problem.cost - costs[k]!;
      time = problem.endAt;
      node = problem.nodeOf(trip.orders.at(-1)!);
    }
    return extra;
  }
}
