/** Why this driver: the terms of a trip's cost, and who would have been next. */
import type { AllCandidates } from "./candidates.js";
import type { Problem, Trip } from "./problem.js";
import type { Alternative, Commit, TripTerms } from "./types.js";

const MOST_ALTERNATIVES = 3;

export function explain<Place>(
  problem: Problem<Place>,
  candidates: AllCandidates<Place>,
  driver: number,
  trip: Trip,
  departAt: number,
  node: number,
): Omit<Commit, "driverId" | "restaurantIds" | "orderIds"> {
  const expected = expectedCourse(problem, driver, trip, departAt, node);
  const { restaurants, orders } = trip;
  return {
    ...expected,
    alternatives: alternatives(problem, candidates, driver, restaurants, orders, expected.terms.costMs),
  };
}

/** The times of a trip that leaves at `departAt`, and what it is judged by. */
export function expectedCourse<Place>(
  problem: Problem<Place>,
  driver: number,
  { restaurants, orders }: Trip,
  departAt: number,
  node: number,
): Pick<Commit, "departAt" | "pickupAt" | "deliverAt"> & { readonly terms: TripTerms } {
  const { drivers, settings } = problem.situation;
  const pickupAt: number[] = [];
  const deliverAt: number[] = [];
  let [foodWaitsMs, driverWaitsMs, delayMs, lateMs, sharingMs] = [0, 0, 0, 0, 0];
  const allowed = problem.run(driver, departAt, node, restaurants, orders, orders.length, {
    collected: (_, arrivedAt, at) => {
      pickupAt.push(at);
      driverWaitsMs += at - arrivedAt;
    },
    delivered: (order, at, waits, late, sharing) => {
      deliverAt.push(at);
      foodWaitsMs += waits;
      lateMs += late;
      sharingMs += Math.max(0, sharing);
      delayMs += at - problem.soonest[order]!;
    },
  });
  if (!allowed) throw new Error("matching: a planned trip is not allowed");
  const costMs = problem.cost;
  const { overworked, acceptance, poorlyRated } = drivers[driver]!;
  const terms = {
    travelMs: problem.toRestaurant(node, restaurants[0]!),
    foodWaitsMs,
    driverWaitsMs,
    delayMs,
    lateMs,
    sharingMs,
    busyMs: problem.endAt - departAt,
    costMs,
    fairnessMs: overworked * settings.weights.fairnessMs * orders.length,
    acceptanceMs: ((1 - acceptance) / acceptance) * settings.weights.declineMs,
    ratingMs: poorlyRated * settings.weights.ratingMs * orders.length,
  };
  return { departAt, pickupAt, deliverAt, terms };
}

function alternatives<Place>(
  problem: Problem<Place>,
  candidates: AllCandidates<Place>,
  chosen: number,
  restaurants: readonly number[],
  orders: readonly number[],
  costMs: number,
): readonly Alternative[] {
  const found: { driver: number; extraMs: number }[] = [];
  for (const driver of candidates.of(restaurants[0]!).drivers) {
    if (driver === chosen) continue;
    if (!problem.run(driver, problem.freeAt[driver]!, driver, restaurants, orders, orders.length)) continue;
    found.push({ driver, extraMs: problem.cost - costMs });
  }
  return found
    .sort((a, b) => a.extraMs - b.extraMs || a.driver - b.driver)
    .slice(0, MOST_ALTERNATIVES)
    .map(({ driver, extraMs }) => ({ driverId: problem.situation.drivers[driver]!.driverId, extraMs }));
}
