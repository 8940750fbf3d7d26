/**
 * Finds a good plan: orders are put in one by one where they cost least, beginning with the decision before; then the
 * plan is improved.
 */
import { AllCandidates } from "./candidates.js";
import { improve } from "./improve.js";
import { Places } from "./places.js";
import { Plan } from "./plan.js";
import { Problem, type Trip } from "./problem.js";
import type { Situation } from "./types.js";

export interface Found<Place> {
  readonly plan: Plan<Place>;
  readonly candidates: AllCandidates<Place>;
}

export function search<Place>(situation: Situation<Place>): Found<Place> {
  const problem = new Problem(situation);
  const plan = new Plan(problem);
  const candidates = new AllCandidates(problem);
  const places = new Places(plan, candidates);
  resume(plan);
  putInTheRest(plan, places);
  improve(plan, places);
  return { plan, candidates };
}

/** The decision before, as far as it still holds. */
function resume<Place>(plan: Plan<Place>): void {
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
}

/** The orders that are new, the most pressing first. */
function putInTheRest<Place>(plan: Plan<Place>, places: Places<Place>): void {
  const { readyAt } = plan.problem;
  const missing = Array.from(readyAt.keys()).filter((order) => plan.driverOf[order]! < 0);
  missing.sort((a, b) => readyAt[a]! - readyAt[b]! || a - b);
  for (const order of missing) {
    const insertion = places.cheapest(order, -1);
    if (insertion !== null && insertion.extra < plan.unplannedCost(order)) plan.insert(order, insertion);
  }
}
