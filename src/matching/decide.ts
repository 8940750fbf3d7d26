/**
 * The decision: which trips are offered now, which are kept open, and why.
 *
 * A plan is made for all open orders and all drivers who are free or soon will be. Of it, only what cannot wait is
 * committed: the first trip of a driver who is free, once leaving later would collect later. Everything else stays
 * tentative and is planned anew next time, when more orders are known.
 */
import { expectedCourse, explain } from "./explain.js";
import type { Plan } from "./plan.js";
import { search } from "./search.js";
import type { Commit, Decision, Situation, Tentative, TripPlan } from "./types.js";

/**
 * Equal situations (with equally seeded randomness) give equal decisions. Throws a `RangeError` when two orders or two
 * drivers have the same id, or an acceptance is not in 0 < p ≤ 1.
 */
export function decide<Place>(situation: Situation<Place>): Decision {
  check(situation);
  const { plan, candidates } = search(situation);
  const { problem } = plan;
  const { now, orders, drivers, settings } = situation;
  const commits: Commit[] = [];
  const tentative: Tentative[] = [];
  plan.routes.forEach(({ trips, startAt, startNode }, driver) => {
    trips.forEach((trip, k) => {
      const named = name(plan, driver, k);
      const from = startAt[k]!;
      // Whoever often declines is asked so much earlier, that there is time to ask somebody else.
      const leadMs = settings.commitLeadMs / drivers[driver]!.acceptance;
      const dueAt = latestDeparture(plan, driver, k) - leadMs;
      const commitAt = Math.max(from, dueAt);
      const expected = problem.weight[trip.orders[0]!]! < 1;
      const isNext = k === 0 && !expected;
      if (isNext && drivers[driver]!.freeAt <= now && commitAt <= now) {
        commits.push({ ...named, ...explain(problem, candidates, driver, trip, from, startNode[k]!) });
        return;
      }
      const terms = isNext ? expectedCourse(problem, driver, trip, from, startNode[k]!).terms : null;
      tentative.push({ ...named, commitAt, dueAt, expected, terms });
    });
  });
  const unplanned = orders
    .filter(({ likelihood }, order) => likelihood >= 1 && plan.driverOf[order]! < 0)
    .map(({ orderId }) => ({ orderId, reason: "no_driver_in_time" as const }));
  return { commits, tentative, unplanned, costMs: plan.cost };
}

function name<Place>(plan: Plan<Place>, driver: number, k: number): TripPlan {
  const { orders, drivers } = plan.problem.situation;
  const trip = plan.routes[driver]!.trips[k]!;
  const restaurantIds = trip.restaurants.map(
    (at) => orders[trip.orders.find((order) => plan.problem.restaurantOf[order] === at)!]!.restaurantId,
  );
  return { driverId: drivers[driver]!.driverId, restaurantIds, orderIds: trip.orders.map((o) => orders[o]!.orderId) };
}

/** Leaving later than this, the driver collects later at the first restaurant than need be. It may be long ago. */
function latestDeparture<Place>({ problem, routes }: Plan<Place>, driver: number, k: number): number {
  const { collectMs } = problem.situation.settings;
  const route = routes[driver]!;
  const { restaurants, orders } = route.trips[k]!;
  const first = restaurants[0]!;
  let readyAt = 0;
  for (const order of orders)
    if (problem.restaurantOf[order] === first) readyAt = Math.max(readyAt, problem.readyAt[order]!);
  const way = problem.toRestaurant(route.startNode[k]!, first);
  return readyAt - collectMs - way;
}

function check<Place>({ orders, drivers }: Situation<Place>): void {
  const orderIds = new Set(orders.map(({ orderId }) => orderId));
  if (orderIds.size < orders.length) throw new RangeError("decide: two orders have the same orderId");
  const driverIds = new Set(drivers.map(({ driverId }) => driverId));
  if (driverIds.size < drivers.length) throw new RangeError("decide: two drivers have the same driverId");
  const strange = drivers.find(({ acceptance }) => !(acceptance > 0 && acceptance <= 1));
  if (strange !== undefined)
    throw new RangeError(`decide: the acceptance of ${strange.driverId} is ${strange.acceptance}, not in 0 < p <= 1`);
}
