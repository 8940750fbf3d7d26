/**
 * Finds a good plan: orders are put in one by one where they cost least, then again and again a few that have to do with
 * each other are taken out and put back in another order, and what is better stays.
 */
import { pick, type Random, randomInteger } from "../lib/random.js";
import { LOOK, Plan, type Route, smallest } from "./plan.js";
import { Problem, type Trip } from "./problem.js";
import type { Situation } from "./types.js";

export function search<Place>(situation: Situation<Place>): Plan<Place> {
  const problem = new Problem(situation);
  const plan = new Plan(problem);
  begin(plan);
  improve(plan);
  return plan;
}

/** The decision before, as far as it still holds; then the orders that are new, the most pressing first. */
function begin<Place>(plan: Plan<Place>): void {
  const { problem } = plan;
  const { previous, orders, drivers } = problem.situation;
  const orderIndex = new Map(orders.map(({ orderId }, index) => [orderId, index]));
  const driverIndex = new Map(drivers.map(({ driverId }, index) => [driverId, index]));
  for (const { driverId, restaurantIds, orderIds } of previous) {
    const driver = driverIndex.get(driverId);
    const known = orderIds.flatMap((id) => orderIndex.get(id) ?? []).filter((order) => plan.driverOf[order]! < 0);
    if (driver === undefined || known.length === 0) continue;
    const byId = new Map(known.map((order) => [orders[order]!.restaurantId, problem.restaurantOf[order]!]));
    const trip: Trip = { orders: known, restaurants: restaurantIds.flatMap((id) => byId.get(id) ?? []) };
    if (trip.restaurants.length !== byId.size) continue;
    const route = plan.routeOf(driver, [...plan.routes[driver]!.trips, trip]);
    if (route !== null) plan.replace(driver, route);
  }
  putIn(
    plan,
    Array.from(orders.keys()).filter((order) => plan.driverOf[order]! < 0),
    byReadiness(problem),
  );
}

const byReadiness =
  <Place>({ readyAt }: Problem<Place>) =>
  (a: number, b: number): number =>
    readyAt[a]! - readyAt[b]! || a - b;

function putIn<Place>(plan: Plan<Place>, orders: number[], before: (a: number, b: number) => number): void {
  for (const order of orders.sort(before)) {
    const insertion = plan.cheapest(order);
    if (
      insertion !== null &&
      insertion.extra < plan.problem.weight[order]! * plan.problem.situation.settings.weights.unplannedMs
    )
      plan.insert(order, insertion);
  }
}

function improve<Place>(plan: Plan<Place>): void {
  const { problem } = plan;
  const { random, settings } = problem.situation;
  const { roundsPerOrder, mostRounds, mostRemoved, mostWork, toleranceMs } = settings.search;
  if (problem.orders === 0 || problem.drivers === 0) return;
  const rounds = Math.min(mostRounds, Math.ceil(roundsPerOrder * problem.orders));
  const relatives: (Int32Array | undefined)[] = new Array(problem.orders);
  const removed = new Set<number>();
  const isRemoved = (order: number): boolean => removed.has(order);
  let best = plan.cost;
  let kept = plan.routes.slice();
  for (let round = 0; round < rounds && problem.work < mostWork; round++) {
    const seed = pressing(plan, random);
    const count = 1 + randomInteger(random, mostRemoved);
    relatives[seed] ??= related(problem, seed, mostRemoved * 2);
    removed.clear();
    removed.add(seed);
    for (const order of relatives[seed]) {
      if (removed.size >= count) break;
      if (random.next() < 0.7) removed.add(order);
    }
    const before = plan.cost;
    const touched = new Map<number, Route>();
    takeOut(plan, removed, isRemoved, touched);
    const missing = [...removed];
    const order = pick(random, ORDERS);
    putInWatching(plan, missing, order, touched);
    const tolerance = toleranceMs * (1 - round / rounds) * -Math.log(1 - random.next());
    if (plan.cost > before + tolerance) restore(plan, touched);
    else if (plan.cost < best - 1e-6) {
      best = plan.cost;
      kept = plan.routes.slice();
    }
  }
  if (plan.cost > best + 1e-6) restoreAll(plan, kept);
}

/** An order whose trip costs much, more likely than one that is well placed. */
function pressing<Place>(plan: Plan<Place>, random: Random): number {
  const first = randomInteger(random, plan.problem.orders);
  const second = randomInteger(random, plan.problem.orders);
  return plan.tripCost(second) > plan.tripCost(first) ? second : first;
}

function takeOut<Place>(
  plan: Plan<Place>,
  removed: Set<number>,
  isRemoved: (order: number) => boolean,
  touched: Map<number, Route>,
): void {
  for (const order of [...removed]) {
    const driver = plan.driverOf[order]!;
    if (driver < 0) continue;
    const old = plan.routes[driver]!;
    if (!touched.has(driver)) touched.set(driver, old);
    const route = plan.without(driver, isRemoved);
    plan.replace(driver, route);
    // `without` may have had to give up the whole route.
    if (route.trips.length === 0) for (const trip of old.trips) for (const other of trip.orders) removed.add(other);
  }
}

const ORDERS = ["ready", "random", "far"] as const;

function putInWatching<Place>(
  plan: Plan<Place>,
  missing: number[],
  how: (typeof ORDERS)[number],
  touched: Map<number, Route>,
): void {
  const { problem } = plan;
  const { random, settings } = problem.situation;
  switch (how) {
    case "ready":
      missing.sort(byReadiness(problem));
      break;
    case "far":
      missing.sort((a, b) => problem.soonest[b]! - problem.readyAt[b]! - (problem.soonest[a]! - problem.readyAt[a]!));
      break;
    case "random":
      for (let i = missing.length - 1; i > 0; i--) {
        const j = randomInteger(random, i + 1);
        [missing[i], missing[j]] = [missing[j]!, missing[i]!];
      }
  }
  for (const order of missing) {
    const insertion = plan.cheapest(order);
    if (insertion === null || insertion.extra >= problem.weight[order]! * settings.weights.unplannedMs) continue;
    if (!touched.has(insertion.driver)) touched.set(insertion.driver, plan.routes[insertion.driver]!);
    plan.insert(order, insertion);
  }
}

function restore<Place>(plan: Plan<Place>, touched: ReadonlyMap<number, Route>): void {
  const none: Route = { trips: [], startAt: [], startNode: [], costs: [], cost: 0 };
  for (const driver of touched.keys()) plan.replace(driver, none);
  for (const [driver, route] of touched) plan.replace(driver, route);
}

function restoreAll<Place>(plan: Plan<Place>, routes: readonly Route[]): void {
  restore(plan, new Map(routes.entries()));
}

/** Orders that compete for the same drivers: near in place and in time. Nearest first. */
function related<Place>(problem: Problem<Place>, order: number, count: number): Int32Array {
  const restaurant = problem.restaurantOf[order]!;
  const distance = new Float64Array(problem.orders);
  problem.work += problem.orders * LOOK;
  for (let other = 0; other < problem.orders; other++) {
    distance[other] =
      problem.betweenRestaurants(restaurant, problem.restaurantOf[other]!) +
      Math.abs(problem.readyAt[order]! - problem.readyAt[other]!) / 2;
  }
  distance[order] = Number.POSITIVE_INFINITY;
  return smallest(distance, Math.min(count, problem.orders - 1));
}
