/**
 * Makes a plan better: again and again a few orders that have to do with each other are taken out and put back in
 * another order. What is better stays; what is a little worse may stay for a while, the less the longer it goes on.
 *
 * Owns the rounds and their end: a number of rounds and of computed trips, never a time. The best plan that was met is
 * the one that is left.
 */
import { type Random, randomInteger } from "../lib/random.js";
import type { Places } from "./places.js";
import type { Plan, Route } from "./plan.js";
import { Ruin } from "./ruin.js";

/** What a round costs beside what it computes. */
const ROUND = 20;
/** In one of so many searches for a place, each of the first candidates is passed over. */
const PASS_OVER_ONE_IN = 50;
/** A trip that costs less than this part of the first rounds' tolerance is as good as can be. */
const WORTH = 1 / 8;

export function improve<Place>(plan: Plan<Place>, places: Places<Place>): void {
  const { problem } = plan;
  const { random, settings } = problem.situation;
  const { roundsPerOrder, mostRounds, mostWork, toleranceMs } = settings.search;
  if (problem.orders === 0 || problem.drivers === 0) return;
  const rounds = Math.min(mostRounds, Math.ceil(roundsPerOrder * pressing(plan)));
  const workBefore = problem.work;
  const ruin = new Ruin(plan);
  const touched = new Map<number, Route>();
  let best = plan.cost;
  let kept = plan.routes.slice();
  for (let round = 0; round < rounds && problem.work < mostWork; round++) {
    problem.work += ROUND;
    const before = plan.cost;
    touched.clear();
    ruin.choose(random);
    takeOut(plan, ruin, touched);
    arrange(plan, ruin.removed, random);
    for (const order of ruin.removed) {
      const insertion = places.cheapest(order, randomInteger(random, PASS_OVER_ONE_IN));
      if (insertion === null || insertion.extra >= plan.unplannedCost(order)) continue;
      if (!touched.has(insertion.driver)) touched.set(insertion.driver, plan.routes[insertion.driver]!);
      plan.insert(order, insertion);
    }
    const done = Math.max(round / rounds, (problem.work - workBefore) / (mostWork - workBefore));
    const tolerance = toleranceMs * Math.max(0, 1 - done) * -Math.log(1 - random.next());
    if (plan.cost > before + tolerance) plan.restore(touched, before);
    else if (plan.cost < best - 1e-6) {
      best = plan.cost;
      kept = plan.routes.slice();
    }
  }
  if (plan.cost > best + 1e-6) plan.restore(new Map(kept.entries()), best);
}

/** How many orders are in trips that cost something, or in none: the others can hardly be planned better. */
function pressing<Place>(plan: Plan<Place>): number {
  let count = 0;
  const { weight, situation } = plan.problem;
  const worthMs = situation.settings.search.toleranceMs * WORTH;
  for (let order = 0; order < weight.length; order++) if (plan.tripCost(order) > worthMs * weight[order]!) count++;
  return count;
}

function takeOut<Place>(plan: Plan<Place>, ruin: Ruin<Place>, touched: Map<number, Route>): void {
  const isRemoved = (order: number): boolean => ruin.has(order);
  // `removed` may grow on the way.
  for (let i = 0; i < ruin.removed.length; i++) {
    const driver = plan.driverOf[ruin.removed[i]!]!;
    if (driver < 0) continue;
    const old = plan.routes[driver]!;
    if (!touched.has(driver)) touched.set(driver, old);
    const route = plan.without(driver, isRemoved);
    plan.replace(driver, route);
    // `without` may have had to give up the whole route.
    if (route.trips.length === 0) for (const { orders } of old.trips) for (const order of orders) ruin.add(order);
  }
}

/** In which order they are put back: by readiness, by chance, or the furthest customers first. */
function arrange<Place>({ problem }: Plan<Place>, orders: number[], random: Random): void {
  const { readyAt, soonest } = problem;
  const how = randomInteger(random, 3);
  if (how === 0) orders.sort((a, b) => readyAt[a]! - readyAt[b]! || a - b);
  else if (how === 1) orders.sort((a, b) => soonest[b]! - readyAt[b]! - (soonest[a]! - readyAt[a]!) || a - b);
  else {
    for (let i = orders.length - 1; i > 0; i--) {
      const j = randomInteger(random, i + 1);
      [orders[i], orders[j]] = [orders[j]!, orders[i]!];
    }
  }
}
