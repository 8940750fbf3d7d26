/**
 * Which orders are taken out in a round: one that is badly placed, and some that compete with it for the same drivers,
 * or everything that a few such drivers carry.
 */
import { type Random, randomInteger } from "../lib/random.js";
import { LOOK, smallest } from "./candidates.js";
import type { Plan } from "./plan.js";

/** How often whole routes are taken out. */
const WHOLE_ROUTES = 0.2;
/** How likely the nearest relative is taken, and the next. */
const TAKE = 0.7;

export class Ruin<Place> {
  /** Of the present round. May be put in another order. */
  readonly removed: number[] = [];
  readonly #plan: Plan<Place>;
  readonly #relatives: (Int32Array | undefined)[];
  readonly #removedIn: Int32Array;
  /** From the order whose relatives are looked for. */
  readonly #distance: Float64Array;
  #round = 0;

  constructor(plan: Plan<Place>) {
    this.#plan = plan;
    this.#relatives = new Array(plan.problem.orders);
    this.#removedIn = new Int32Array(plan.problem.orders);
    this.#distance = new Float64Array(plan.problem.orders);
  }

  /** Begins a round. */
  choose(random: Random): void {
    const plan = this.#plan;
    this.#round++;
    this.removed.length = 0;
    const seed = this.#pressing(random);
    const relatives = this.#relativesOf(seed);
    const count = 1 + randomInteger(random, plan.problem.situation.settings.search.mostRemoved);
    this.add(seed);
    if (random.next() < WHOLE_ROUTES) {
      this.#addRoute(seed);
      for (let i = 0; i < relatives.length && this.removed.length < count; i++) {
        this.add(relatives[i]!);
        this.#addRoute(relatives[i]!);
      }
      return;
    }
    for (let i = 0; i < relatives.length && this.removed.length < count; i++)
      if (random.next() < TAKE) this.add(relatives[i]!);
  }

  add(order: number): void {
    if (this.has(order)) return;
    this.#removedIn[order] = this.#round;
    this.removed.push(order);
  }

  has(order: number): boolean {
    return this.#removedIn[order] === this.#round;
  }

  /** Everything that the driver of `order` carries. */
  #addRoute(order: number): void {
    const driver = this.#plan.driverOf[order]!;
    if (driver < 0) return;
    for (const { orders } of this.#plan.routes[driver]!.trips) for (const other of orders) this.add(other);
  }

  /** An order whose trip costs much, more likely than one that is well placed. */
  #pressing(random: Random): number {
    const plan = this.#plan;
    const first = randomInteger(random, plan.problem.orders);
    const second = randomInteger(random, plan.problem.orders);
    return plan.tripCost(second) > plan.tripCost(first) ? second : first;
  }

  /** Orders that compete for the same drivers: near in place and in time. Nearest first. */
  #relativesOf(order: number): Int32Array {
    const known = this.#relatives[order];
    if (known !== undefined) return known;
    const { problem } = this.#plan;
    const restaurant = problem.restaurantOf[order]!;
    const distance = this.#distance;
    problem.work += problem.orders * LOOK;
    for (let other = 0; other < problem.orders; other++) {
      distance[other] =
        problem.betweenRestaurants(restaurant, problem.restaurantOf[other]!) +
        Math.abs(problem.readyAt[order]! - problem.readyAt[other]!) / 2;
    }
    distance[order] = Number.POSITIVE_INFINITY;
    const most = problem.situation.settings.search.mostRemoved * 2;
    const list = smallest(distance, Math.min(most, problem.orders - 1));
    this.#relatives[order] = list;
    return list;
  }
}
