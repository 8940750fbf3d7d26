import t from "tap";
import { randomInteger, seededRandom } from "../lib/random.js";
import { AllCandidates, smallest } from "./candidates.js";
import { defaultMatchingSettings, type Situation } from "./mod.js";
import { Places } from "./places.js";
import { Plan, type Route } from "./plan.js";
import { Problem } from "./problem.js";
import { Ruin } from "./ruin.js";

interface Spot {
  readonly x: number;
  readonly y: number;
}

const MINUTE = 60_000;
const NOW = 1_000 * MINUTE;

/** A made-up evening with too few drivers, some of whom decline often, and some orders that are only expected. */
function evening(seed: number, mostRestaurants: number): Situation<Spot> {
  const random = seededRandom(seed);
  const upTo = (bound: number): number => randomInteger(random, bound);
  const spot = (): Spot => ({ x: upTo(15), y: upTo(15) });
  const restaurants = Array.from({ length: 5 }, (_, index) => ({ restaurantId: `r${index}`, pickup: spot() }));
  const settings = { ...defaultMatchingSettings };
  return {
    now: NOW,
    orders: Array.from({ length: 24 }, (_, index) => {
      const expected = index % 5 === 4;
      const placedAt = NOW + (expected ? upTo(10) : -upTo(10)) * MINUTE;
      return {
        ...restaurants[upTo(restaurants.length)]!,
        orderId: `o${index}`,
        dropOff: spot(),
        placedAt,
        readyAt: placedAt + upTo(25) * MINUTE,
        targetAt: placedAt + 40 * MINUTE,
        latestAt: placedAt + 90 * MINUTE,
        excluded: index % 7 === 0 ? [`d${upTo(6)}`] : [],
        likelihood: expected ? 0.2 : 1,
      };
    }),
    drivers: Array.from({ length: 6 }, (_, index) => ({
      driverId: `d${index}`,
      place: spot(),
      freeAt: NOW + (upTo(30) - 10) * MINUTE,
      lastPickupAt: NOW + (40 + upTo(80)) * MINUTE,
      overworked: random.next(),
      acceptance: 0.5 + random.next() / 2,
      poorlyRated: 0,
    })),
    travel: (a, b) => (Math.abs(a.x - b.x) + Math.abs(a.y - b.y)) * MINUTE,
    settings: {
      ...settings,
      trips: { ...settings.trips, mostRestaurants, nearbyMs: 8 * MINUTE },
      // What is left out unseen then costs no less than what was seen.
      weights: { ...settings.weights, busy: 0, busyPerLoad: 0, foodWaits: 0.1 },
      search: { ...settings.search, candidates: 4 },
    },
    random,
    previous: [],
  };
}

t.test("what is remembered of a route is what looking again would find, however the plan changes", async (t) => {
  let compared = 0;
  for (let seed = 1; seed <= 20; seed++) {
    const situation = evening(seed, 1 + (seed % 2));
    const problem = new Problem(situation);
    const plan = new Plan(problem);
    const candidates = new AllCandidates(problem);
    const places = new Places(plan, candidates);
    const ruin = new Ruin(plan);
    const { random } = situation;
    for (let round = 0; round < 60; round++) {
      const touched = new Map<number, Route>();
      const before = { cost: plan.cost, driverOf: [...plan.driverOf], routes: [...plan.routes] };
      const touch = (driver: number): void => {
        if (!touched.has(driver)) touched.set(driver, plan.routes[driver]!);
      };
      ruin.choose(random);
      for (const order of ruin.removed) {
        const driver = plan.driverOf[order]!;
        if (driver < 0) continue;
        touch(driver);
        plan.replace(
          driver,
          plan.without(driver, (one) => ruin.has(one)),
        );
      }
      for (const order of ruin.removed) {
        if (plan.driverOf[order]! >= 0) continue;
        const known = places.cheapest(order, -1);
        const anew = new Places(plan, candidates).cheapest(order, -1);
        compared++;
        if (Math.abs((known?.extra ?? -1) - (anew?.extra ?? -1)) > 1e-3)
          t.fail(`order ${order} costs ${known?.extra}, not ${anew?.extra}, in round ${round} of ${seed}`);
        if (known === null) continue;
        touch(known.driver);
        const cost = plan.cost;
        plan.insert(order, known);
        if (Math.abs(plan.cost - (cost + known.extra - plan.unplannedCost(order))) > 1e-3)
          t.fail(`putting in ${order} did not cost what was said, in round ${round} of ${seed}`);
      }
      if (random.next() < 0.5) {
        plan.restore(touched, before.cost);
        t.strictSame([plan.cost, [...plan.driverOf], plan.routes], [before.cost, before.driverOf, before.routes]);
      }
    }
    let cost = 0;
    plan.routes.forEach((route, driver) => {
      cost += route.cost;
      const anew = plan.routeOf(driver, route.trips)!;
      t.match(anew, { startAt: route.startAt, startNode: route.startNode, costs: route.costs });
      for (const { orders } of route.trips)
        for (const order of orders) t.equal(plan.driverOf[order], driver, "an order knows who carries it");
    });
    plan.driverOf.forEach((driver, order) => {
      if (driver < 0) cost += plan.unplannedCost(order);
    });
    t.ok(Math.abs(cost - plan.cost) < 1, "the plan costs what its routes cost, and what is in none");
  }
  t.ok(compared > 1_000, `${compared} places were compared`);
});

t.test("one order alone costs by the short way what it costs by the long one", async (t) => {
  let allowed = 0;
  for (let seed = 1; seed <= 20; seed++) {
    const problem = new Problem(evening(seed, 1));
    for (let order = 0; order < problem.orders; order++) {
      for (let driver = 0; driver < problem.drivers; driver++) {
        const from = problem.freeAt[driver]! + (order % 40) * MINUTE;
        const ask = (trace?: Parameters<typeof problem.run>[6]): unknown =>
          problem.run(driver, from, driver, [problem.restaurantOf[order]!], [order], 1, trace) && {
            cost: problem.cost,
            endAt: problem.endAt,
          };
        const short = ask();
        if (short !== false) allowed++;
        t.strictSame(short, ask({ collected: () => {}, delivered: () => {} }));
      }
    }
  }
  t.ok(allowed > 500 && allowed < 20 * 24 * 6, `${allowed} of ${20 * 24 * 6} were allowed`);
});

t.test("the smallest values come in order, of equal ones the first", async (t) => {
  t.strictSame([...smallest(Float64Array.of(3, 1, 2, 1, 0), 3)], [4, 1, 3]);
  t.strictSame([...smallest(Float64Array.of(2, 1), 5)], [1, 0]);
  t.strictSame([...smallest(Float64Array.of(2, 1), 0)], []);
});
