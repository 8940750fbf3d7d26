/**
 * A situation in numbers: orders, drivers and restaurants by index, ways looked up once, and what a trip costs.
 *
 * Owns the meaning of cost and of feasibility. Knows neither plans nor how they are found. Invariant: it is a function
 * of the situation alone, and the ways it keeps never change.
 */
import type { Situation } from "./types.js";

/** A trip by index. Never changed after it was made. */
export interface Trip {
  readonly restaurants: readonly number[];
  readonly orders: readonly number[];
}

/** From so many open orders for each driver on not everybody can be served in time; with twice as many, hardly anybody. */
const SCARCE_FROM = 2;

export class Problem<Place> {
  readonly situation: Situation<Place>;
  readonly orders: number;
  readonly drivers: number;
  readonly restaurants: number;
  readonly restaurantOf: Int32Array;
  readonly readyAt: Float64Array;
  /** How much each order counts: its likelihood. */
  readonly weight: Float64Array;
  /** The earliest delivery that any driver could achieve. */
  readonly soonest: Float64Array;
  /** When each driver can set out. */
  readonly freeAt: Float64Array;
  /** What a driver's time is worth, after the load. */
  readonly busyWeight: number;
  /** What lateness weighs, after the load. */
  readonly lateWeight: number;
  readonly mostSharingMs: number;
  readonly load: number;
  /** The result of the last `run`. */
  endAt = 0;
  cost = 0;
  /** How much was computed, in trips; other work is counted by what it takes. The same on every machine, unlike time. */
  work = 0;

  readonly #pickups: Place[] = [];
  // Exact below 16,777 seconds. 0: not looked up yet, or no way at all, which is quickly looked up again: so that pages
  // that are never touched cost nothing.
  // A restaurant's ways from everywhere lie side by side: they are asked for together.
  readonly #toRestaurant: Float32Array;
  readonly #toCustomer: Float32Array;
  readonly #betweenCustomers: Float32Array;
  readonly #betweenRestaurants: Float32Array;
  readonly #targetAt: Float64Array;
  readonly #knownAt: Float64Array;
  readonly #latestAt: Float64Array;
  readonly #lastPickupAt: Float64Array;
  readonly #perOrder: Float64Array;
  readonly #perTrip: Float64Array;
  readonly #excluded: readonly (ReadonlySet<number> | null)[];
  /** When each order of the trip that is being run was collected. */
  readonly #pickedUp: Float64Array;

  constructor(situation: Situation<Place>) {
    this.situation = situation;
    const { orders, drivers, settings, now } = situation;
    this.orders = orders.length;
    this.drivers = drivers.length;
    const restaurantIndex = new Map<string, number>();
    this.restaurantOf = Int32Array.from(orders, ({ restaurantId, pickup }) => {
      const known = restaurantIndex.get(restaurantId);
      if (known !== undefined) return known;
      restaurantIndex.set(restaurantId, this.#pickups.length);
      return this.#pickups.push(pickup) - 1;
    });
    this.restaurants = this.#pickups.length;
    this.readyAt = Float64Array.from(orders, ({ readyAt }) => readyAt);
    this.weight = Float64Array.from(orders, ({ likelihood }) => likelihood);
    this.#knownAt = Float64Array.from(orders, ({ placedAt, likelihood }) =>
      likelihood < 1 ? Math.max(now, placedAt) : now,
    );
    this.#targetAt = Float64Array.from(orders, ({ targetAt }) => targetAt);
    this.#latestAt = Float64Array.from(orders, ({ latestAt }) => latestAt);
    this.freeAt = Float64Array.from(drivers, ({ freeAt }) => Math.max(freeAt, now));
    this.#lastPickupAt = Float64Array.from(drivers, ({ lastPickupAt }) => lastPickupAt);
    const { weights, trips } = settings;
    this.#pickedUp = new Float64Array(trips.mostOrders);
    this.#perOrder = Float64Array.from(
      drivers,
      ({ overworked, poorlyRated }) => overworked * weights.fairnessMs + poorlyRated * weights.ratingMs,
    );
    this.#perTrip = Float64Array.from(drivers, ({ acceptance: p }) => ((1 - p) / p) * weights.declineMs);
    const driverIndex = new Map(drivers.map(({ driverId }, index) => [driverId, index]));
    this.#excluded = orders.map(({ excluded }) =>
      excluded.length === 0 ? null : new Set(excluded.flatMap((id) => driverIndex.get(id) ?? [])),
    );
    this.#toRestaurant = new Float32Array((this.drivers + this.orders) * this.restaurants);
    this.#toCustomer = new Float32Array(this.restaurants * this.orders);
    this.#betweenCustomers = new Float32Array(this.orders * this.orders);
    this.#betweenRestaurants = new Float32Array(this.restaurants * this.restaurants);
    this.soonest = Float64Array.from(
      this.readyAt,
      (_, order) =>
        this.earliestPickup(order) +
        settings.leaveRestaurantMs +
        this.toCustomer(this.restaurantOf[order]!, order) +
        settings.handOverMs,
    );
    this.load = this.drivers === 0 ? 0 : this.orders / this.drivers;
    this.busyWeight = Math.min(weights.mostBusy, weights.busy + weights.busyPerLoad * this.load);
    const open = orders.filter(({ likelihood }) => likelihood >= 1).length;
    const shortage = this.drivers === 0 ? 0 : open / this.drivers - SCARCE_FROM;
    this.lateWeight = weights.late - weights.lateWhenScarce * Math.min(1, Math.max(0, shortage / SCARCE_FROM));
    this.mostSharingMs = Math.min(trips.mostSharingMs, trips.sharingMs + trips.sharingPerLoadMs * this.load);
  }

  /** The node of a drop-off, where a driver's next trip begins. Nodes below `drivers` are the drivers' own places. */
  nodeOf(order: number): number {
    return this.drivers + order;
  }

  earliestPickup(order: number): number {
    return Math.max(this.readyAt[order]!, this.#knownAt[order]!);
  }

  /** What an order costs at least when nobody is at the restaurant for it before `pickupAt`. */
  leastCost(order: number, pickupAt: number): number {
    const { weights } = this.situation.settings;
    const earliest = this.earliestPickup(order);
    const delay = Math.max(0, pickupAt - earliest);
    const late = Math.max(0, this.soonest[order]! + delay - this.#targetAt[order]!);
    const foodWaits = earliest + delay - this.readyAt[order]!;
    return this.weight[order]! * (delay + this.lateWeight * late + weights.foodWaits * foodWaits);
  }

  mayCarry(driver: number, order: number): boolean {
    return this.#excluded[order]?.has(driver) !== true;
  }

  toRestaurant(node: number, restaurant: number): number {
    const at = restaurant * (this.drivers + this.orders) + node;
    const known = this.#toRestaurant[at]!;
    if (known > 0) return known;
    const { drivers, orders, travel } = this.situation;
    const from = node < this.drivers ? drivers[node]!.place : orders[node - this.drivers]!.dropOff;
    const way = Math.fround(travel(from, this.#pickups[restaurant]!));
    this.#toRestaurant[at] = way;
    return way;
  }

  /** Writes when each driver would be at the restaurant, coming straight from where the present trip ends. */
  arrivals(restaurant: number, arrivalAt: Float64Array): void {
    const { drivers, travel } = this.situation;
    const pickup = this.#pickups[restaurant]!;
    const ways = this.#toRestaurant;
    const first = restaurant * (this.drivers + this.orders);
    for (let driver = 0; driver < this.drivers; driver++) {
      const known = ways[first + driver]!;
      const way = known > 0 ? known : Math.fround(travel(drivers[driver]!.place, pickup));
      ways[first + driver] = way;
      arrivalAt[driver] = this.freeAt[driver]! + way;
    }
  }

  toCustomer(restaurant: number, order: number): number {
    const at = restaurant * this.orders + order;
    const known = this.#toCustomer[at]!;
    if (known > 0) return known;
    const { orders, travel } = this.situation;
    const way = Math.fround(travel(this.#pickups[restaurant]!, orders[order]!.dropOff));
    this.#toCustomer[at] = way;
    return way;
  }

  betweenCustomers(from: number, to: number): number {
    const at = from * this.orders + to;
    const known = this.#betweenCustomers[at]!;
    if (known > 0) return known;
    const { orders, travel } = this.situation;
    const way = Math.fround(travel(orders[from]!.dropOff, orders[to]!.dropOff));
    this.#betweenCustomers[at] = way;
    return way;
  }

  betweenRestaurants(from: number, to: number): number {
    if (from === to) return 0;
    const at = from * this.restaurants + to;
    const known = this.#betweenRestaurants[at]!;
    if (known > 0) return known;
    const way = Math.fround(this.situation.travel(this.#pickups[from]!, this.#pickups[to]!));
    this.#betweenRestaurants[at] = way;
    return way;
  }

  /**
   * Runs a trip from `node` at `startAt`: false when it is not allowed (too late for a customer or for the shift, too
   * long shared, an excluded driver), else `endAt` and `cost` tell what came out. `trace` is told every stop.
   */
  run(
    driver: number,
    startAt: number,
    node: number,
    restaurants: readonly number[],
    orders: readonly number[],
    count: number,
    trace?: Trace,
  ): boolean {
    this.work++;
    if (count === 1 && restaurants.length === 1 && trace === undefined)
      return this.#runAlone(driver, startAt, node, restaurants[0]!, orders[0]!);
    const { settings } = this.situation;
    const { collectMs, leaveRestaurantMs, handOverMs, leaveCustomerMs, weights } = settings;
    const readyAt = this.readyAt;
    const restaurantOf = this.restaurantOf;
    for (let i = 0; i < count; i++) {
      const knownAt = this.#knownAt[orders[i]!]!;
      if (knownAt > startAt) startAt = knownAt;
    }
    let place = restaurants[0]!;
    const way = this.toRestaurant(node, place);
    let time = startAt + way;
    let firstPickup = 0;
    let cost = (this.#perTrip[driver]! + this.#perOrder[driver]! * count) * this.weight[orders[0]!]!;
    for (let r = 0; r < restaurants.length; r++) {
      const restaurant = restaurants[r]!;
      if (r > 0) {
        time += this.betweenRestaurants(place, restaurant);
        place = restaurant;
      }
      const arrived = time + collectMs;
      time = arrived;
      for (let i = 0; i < count; i++) {
        const order = orders[i]!;
        if (restaurantOf[order] === restaurant && readyAt[order]! > time) time = readyAt[order]!;
      }
      if (r === 0) firstPickup = time;
      if (time > this.#lastPickupAt[driver]!) return false;
      for (let i = 0; i < count; i++) {
        if (restaurantOf[orders[i]!] === restaurant) this.#pickedUp[i] = time;
      }
      trace?.collected(restaurant, arrived, time);
      time += leaveRestaurantMs;
    }
    let previous = -1;
    for (let i = 0; i < count; i++) {
      const order = orders[i]!;
      if (!this.mayCarry(driver, order)) return false;
      time += previous < 0 ? this.toCustomer(place, order) : this.betweenCustomers(previous, order);
      time += handOverMs;
      if (time > this.#latestAt[order]!) return false;
      const pickup = this.#pickedUp[i]!;
      const own = restaurantOf[order]!;
      let sharing = 0;
      if (count > 1) {
        const alone = Math.max(startAt + this.toRestaurant(node, own) + collectMs, readyAt[order]!);
        sharing = time - (alone + leaveRestaurantMs + this.toCustomer(own, order) + handOverMs);
        if (sharing > this.mostSharingMs) return false;
      }
      const late = Math.max(0, time - this.#targetAt[order]!);
      const foodWaits = pickup - readyAt[order]!;
      cost +=
        this.weight[order]! * (time - this.soonest[order]! + this.lateWeight * late + weights.foodWaits * foodWaits);
      trace?.delivered(order, time, foodWaits, late, sharing);
      time += leaveCustomerMs;
      previous = order;
    }
    this.endAt = time;
    // Waiting for food at the first restaurant does not bind the driver: whoever need not leave yet stays uncommitted.
    const busy = time - (firstPickup - collectMs - way);
    this.cost = cost + this.busyWeight * this.weight[previous]! * busy;
    return true;
  }

  /** `run` for one order alone, as most trips are: the same rules and the same sums, without a loop. */
  #runAlone(driver: number, startAt: number, node: number, restaurant: number, order: number): boolean {
    const { collectMs, leaveRestaurantMs, handOverMs, leaveCustomerMs, weights } = this.situation.settings;
    if (!this.mayCarry(driver, order)) return false;
    const readyAt = this.readyAt[order]!;
    const way = this.toRestaurant(node, restaurant);
    const leaveAt = Math.max(startAt, this.#knownAt[order]!);
    const pickup = Math.max(leaveAt + way + collectMs, readyAt);
    if (pickup > this.#lastPickupAt[driver]!) return false;
    const delivered = pickup + leaveRestaurantMs + this.toCustomer(restaurant, order) + handOverMs;
    if (delivered > this.#latestAt[order]!) return false;
    const weight = this.weight[order]!;
    const late = Math.max(0, delivered - this.#targetAt[order]!);
    const own = (this.#perTrip[driver]! + this.#perOrder[driver]!) * weight;
    const delay = delivered - this.soonest[order]! + this.lateWeight * late + weights.foodWaits * (pickup - readyAt);
    this.endAt = delivered + leaveCustomerMs;
    const busy = this.endAt - (pickup - collectMs - way);
    this.cost = own + weight * delay + this.busyWeight * weight * busy;
    return true;
  }
}

/** Hears the stops of a trip as `run` computes them. */
export interface Trace {
  collected(restaurant: number, arrivedAt: number, pickupAt: number): void;
  delivered(order: number, deliverAt: number, foodWaitsMs: number, lateMs: number, sharingMs: number): void;
}
