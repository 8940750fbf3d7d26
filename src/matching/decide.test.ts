import fc from "fast-check";
import t from "tap";
import { seededRandom } from "../lib/random.js";
import {
  type Decision,
  type Driver,
  decide,
  defaultMatchingSettings,
  expectedOrders,
  type MatchingSettings,
  type OpenOrder,
  type Situation,
} from "./mod.js";

interface Spot {
  readonly x: number;
  readonly y: number;
}

const MINUTE = 60_000;
const NOW = 1_000 * MINUTE;
/** A street grid: a unit takes a minute. */
const travel = (a: Spot, b: Spot): number => (Math.abs(a.x - b.x) + Math.abs(a.y - b.y)) * MINUTE;
const service = { collectMs: MINUTE, leaveRestaurantMs: MINUTE, handOverMs: MINUTE, leaveCustomerMs: MINUTE };
/** A driver's time costs nothing here, so that what is expected can be told by counting minutes. */
const settings: MatchingSettings = {
  ...defaultMatchingSettings,
  ...service,
  weights: { ...defaultMatchingSettings.weights, busy: 0, busyPerLoad: 0 },
};
const withTrips = (trips: Partial<MatchingSettings["trips"]>): MatchingSettings => ({
  ...settings,
  trips: { ...settings.trips, ...trips },
});

const order = (orderId: string, readyInMin: number, more: Partial<OpenOrder<Spot>> = {}): OpenOrder<Spot> => ({
  orderId,
  restaurantId: "r",
  pickup: { x: 0, y: 0 },
  dropOff: { x: 5, y: 0 },
  placedAt: NOW - MINUTE,
  readyAt: NOW + readyInMin * MINUTE,
  targetAt: NOW + 39 * MINUTE,
  latestAt: NOW + 89 * MINUTE,
  excluded: [],
  likelihood: 1,
  ...more,
});
const driver = (driverId: string, x: number, more: Partial<Driver<Spot>> = {}): Driver<Spot> => ({
  driverId,
  place: { x, y: 0 },
  freeAt: NOW,
  lastPickupAt: NOW + 240 * MINUTE,
  overworked: 0,
  acceptance: 1,
  poorlyRated: 0,
  ...more,
});
const decided = (
  orders: readonly OpenOrder<Spot>[],
  drivers: readonly Driver<Spot>[],
  more: Partial<Situation<Spot>> = {},
): Decision => decide({ now: NOW, orders, drivers, travel, settings, random: seededRandom(1), previous: [], ...more });
const trips = ({ commits }: Decision): string[] =>
  commits.map(({ driverId, orderIds }) => `${driverId}: ${orderIds.join(" ")}`).sort();

t.test("R-DSP-2: a trip is committed when leaving later would collect later, and not before", async (t) => {
  const far = driver("d", -4);
  const early = decided([order("o", 9)], [far]);
  t.same(early.commits, []);
  t.match(early.tentative, [{ driverId: "d", orderIds: ["o"], commitAt: NOW + 4 * MINUTE, expected: false }]);
  t.same(trips(decided([order("o", 5)], [far])), ["d: o"], "one minute to collect, four to get there");
  t.same(trips(decided([order("o", -3)], [far])), ["d: o"]);
  const lead = { ...settings, commitLeadMs: 4 * MINUTE };
  t.same(trips(decided([order("o", 9)], [far], { settings: lead })), ["d: o"], "a lead makes up for slow answers");
  const picky = driver("d", -4, { acceptance: 0.5 });
  const half = { ...settings, commitLeadMs: 2 * MINUTE };
  t.same(trips(decided([order("o", 9)], [picky], { settings: half })), ["d: o"], "and for those who often decline");
  t.same(trips(decided([order("o", 9)], [far], { settings: half })), []);
});

t.test(
  "R-DSP-2: a driver who is busy is planned where the present trip will end, and committed when it has",
  async (t) => {
    const soon = driver("soon", 0, { freeAt: NOW + 2 * MINUTE });
    const distant = driver("distant", -20);
    const decision = decided([order("o", 0)], [soon, distant]);
    t.same(decision.commits, [], "two minutes later somebody is at the door");
    t.match(decision.tentative, [{ driverId: "soon", commitAt: NOW + 2 * MINUTE }]);
  },
);

t.test("R-DSP-2: all orders are weighed together, not one after another", async (t) => {
  const near = order("a", 0, { restaurantId: "a", pickup: { x: 1, y: 0 } });
  const alone = order("b", 0, { restaurantId: "b", pickup: { x: -1, y: 0 } });
  // `middle` is nearest to both, but only `a` has somebody else near.
  const decision = decided([near, alone], [driver("middle", 0), driver("right", 3)]);
  t.same(trips(decision), ["middle: b", "right: a"]);
  const forA = decision.commits.find(({ driverId }) => driverId === "right");
  t.match(forA?.alternatives, [{ driverId: "middle", extraMs: -MINUTE }], "better placed, needed elsewhere");
});

t.test("R-DSP-3: orders share a trip when drivers are few, in the order that is quickest", async (t) => {
  const two = [order("far", 0, { dropOff: { x: 9, y: 0 } }), order("close", 1, { dropOff: { x: 3, y: 0 } })];
  t.same(trips(decided(two, [driver("d", 0)])), ["d: close far"]);
  t.same(trips(decided(two, [driver("d", 0), driver("e", 0)])).length, 2, "with two at hand each goes alone");
  const apart = [order("west", 0, { dropOff: { x: -30, y: 0 } }), order("east", 0, { dropOff: { x: 30, y: 0 } })];
  const bounded = decided(apart, [driver("d", 0)], { settings: withTrips({ sharingMs: 0, sharingPerLoadMs: 0 }) });
  t.same(bounded.commits[0]?.orderIds.length, 1, "nobody is driven about for another");
});

t.test("R-DSP-3: restaurants next to each other share a trip only where it is allowed", async (t) => {
  const two = [order("a", 0), order("b", 0, { restaurantId: "s", pickup: { x: 1, y: 0 } })];
  const one = decided(two, [driver("d", 0)], { settings: withTrips({ mostRestaurants: 1 }) });
  t.same(
    one.commits.map(({ restaurantIds }) => restaurantIds.length),
    [1],
  );
  const both = decided(two, [driver("d", 0)], { settings: withTrips({ mostRestaurants: 2 }) });
  t.match(both.commits, [{ driverId: "d", restaurantIds: ["r", "s"], pickupAt: [NOW + MINUTE, NOW + 4 * MINUTE] }]);
  const remote = [order("a", 0), order("b", 0, { restaurantId: "s", pickup: { x: 4, y: 0 } })];
  const apart = decided(remote, [driver("d", 0)], { settings: withTrips({ mostRestaurants: 2 }) });
  t.same(
    apart.commits.map(({ restaurantIds }) => restaurantIds.length),
    [1],
    "four minutes are not next door",
  );
});

t.test("R-DSP-6: who declined is not asked again, and who would be too late is not sent", async (t) => {
  const drivers = [driver("near", 1), driver("far", 6)];
  t.same(trips(decided([order("o", 0, { excluded: ["near"] })], drivers)), ["far: o"]);
  const nobody = [{ orderId: "o", reason: "no_driver_in_time" }];
  t.same(decided([order("o", 0, { excluded: ["near", "far"] })], drivers).unplanned, nobody);
  t.same(decided([order("o", 0, { latestAt: NOW + 5 * MINUTE })], drivers).unplanned, nobody);
  t.same(decided([order("o", 30)], [driver("leaving", 0, { lastPickupAt: NOW + 20 * MINUTE })]).unplanned, nobody);
  t.same(decided([order("o", 0)], []).unplanned, nobody);
  t.same(decided([], drivers), { commits: [], tentative: [], unplanned: [], costMs: 0 });
});

t.test("R-DSP-7: ratings decide where ways are about equal, and the terms say what they weighed", async (t) => {
  const liked = driver("liked", 3, { poorlyRated: 0.25 });
  const decision = decided([order("o", -2)], [driver("disliked", 3, { poorlyRated: 0.5 }), liked]);
  t.same(trips(decision), ["liked: o"]);
  const { ratingMs } = settings.weights;
  t.equal(decision.commits[0]?.terms.ratingMs, 0.25 * ratingMs);
  t.match(decision.commits[0]?.alternatives, [{ driverId: "disliked", extraMs: 0.25 * ratingMs }]);
  const nearer = driver("disliked", 2, { poorlyRated: 0.5 });
  t.same(
    trips(decided([order("o", -2)], [nearer, liked])),
    ["disliked: o"],
    "a minute of everybody's waiting weighs more",
  );
});

t.test("R-DSP-7: equal ways are decided by fairness and acceptance, and the terms say so", async (t) => {
  const decision = decided([order("o", -2)], [driver("much", 3, { overworked: 1 }), driver("fair", 3)]);
  t.same(trips(decision), ["fair: o"]);
  const [commit] = decision.commits;
  t.match(commit?.terms, {
    travelMs: 3 * MINUTE,
    foodWaitsMs: 6 * MINUTE,
    driverWaitsMs: 0,
    delayMs: 4 * MINUTE,
    lateMs: 0,
    sharingMs: 0,
    busyMs: 12 * MINUTE,
    fairnessMs: 0,
    acceptanceMs: 0,
  });
  t.match(commit, { departAt: NOW, pickupAt: [NOW + 4 * MINUTE], deliverAt: [NOW + 11 * MINUTE] });
  t.match(commit?.alternatives, [{ driverId: "much", extraMs: settings.weights.fairnessMs }]);
  t.same(trips(decided([order("o", 0)], [driver("picky", 3, { acceptance: 0.5 }), driver("sure", 3)])), ["sure: o"]);
});

t.test("an expected order keeps a driver at hand, and is never committed itself", async (t) => {
  const expected = order("next", 6, { placedAt: NOW + 5 * MINUTE, likelihood: 0.5 });
  const real = order("o", 0, { restaurantId: "s", pickup: { x: 2, y: 0 } });
  const drivers = [driver("atTheDoor", 0), driver("aside", 4)];
  t.same(trips(decided([real, expected], drivers)), ["aside: o"]);
  const late = decided([expected], drivers, { now: NOW + 60 * MINUTE });
  t.same([late.commits, late.unplanned], [[], []]);
  const [copy] = expectedOrders([order("p", 4), order("old", 4, { placedAt: NOW - 21 * MINUTE })], NOW, {
    aheadMs: 20 * MINUTE,
    likelihood: 0.4,
  });
  t.match(copy, { placedAt: NOW + 19 * MINUTE, readyAt: NOW + 24 * MINUTE, likelihood: 0.4 });
});

t.test("the plan before is where the next begins; what is gone from it is no trouble", async (t) => {
  const previous = [
    { driverId: "gone", restaurantIds: ["r"], orderIds: ["o"] },
    { driverId: "d", restaurantIds: ["r", "x"], orderIds: ["delivered", "o"] },
    { driverId: "d", restaurantIds: ["r"], orderIds: ["o"] },
  ];
  t.same(trips(decided([order("o", 0)], [driver("d", 1)], { previous })), ["d: o"]);
});

t.test("strange input is refused with a reason", async (t) => {
  t.throws(() => decided([order("o", 0), order("o", 1)], []), /two orders have the same orderId/);
  t.throws(() => decided([], [driver("d", 0), driver("d", 1)]), /two drivers have the same driverId/);
  t.throws(() => decided([], [driver("d", 0, { acceptance: 0 })]), /acceptance of d is 0/);
});

const spot = fc.record({ x: fc.integer({ min: -9, max: 9 }), y: fc.integer({ min: -9, max: 9 }) });
const cities = fc.record({
  restaurants: fc.array(spot, { minLength: 1, maxLength: 3 }),
  orders: fc.array(
    fc.record({ restaurant: fc.nat(2), dropOff: spot, ready: fc.integer({ min: -5, max: 20 }), excluded: fc.nat(5) }),
    { maxLength: 9 },
  ),
  drivers: fc.array(
    fc.record({ place: spot, free: fc.integer({ min: -5, max: 15 }), last: fc.integer({ min: 0, max: 60 }) }),
    {
      maxLength: 5,
    },
  ),
});
type City = typeof cities extends fc.Arbitrary<infer T> ? T : never;
const peopled = (city: City): { orders: OpenOrder<Spot>[]; drivers: Driver<Spot>[] } => ({
  orders: city.orders.map(({ restaurant, dropOff, ready, excluded }, index) => {
    const at = restaurant % city.restaurants.length;
    const who = { restaurantId: `r${at}`, pickup: city.restaurants[at]!, excluded: [`d${excluded}`] };
    return order(`o${index}`, ready, { ...who, dropOff });
  }),
  drivers: city.drivers.map(({ place, free, last }, index) =>
    driver(`d${index}`, 0, { place, freeAt: NOW + free * MINUTE, lastPickupAt: NOW + last * MINUTE }),
  ),
});

t.test(
  "R-DSP-3, R-DSP-5: whatever the city, trips keep every rule and equal situations give equal decisions",
  async (t) => {
    fc.assert(
      fc.property(cities, fc.integer({ min: 1, max: 2 }), (city, mostRestaurants) => {
        const { orders, drivers } = peopled(city);
        const rules = withTrips({ mostRestaurants });
        const decision = decided(orders, drivers, { settings: rules });
        t.strictSame(decided(orders, drivers, { settings: rules }), decision);
        const planned = [...decision.commits, ...decision.tentative].flatMap(({ orderIds }) => orderIds);
        const all = [...planned, ...decision.unplanned.map(({ orderId }) => orderId)];
        t.strictSame(all.sort(), orders.map(({ orderId }) => orderId).sort(), "each order is in one place");
        const committed = decision.commits.map(({ driverId }) => driverId);
        t.equal(new Set(committed).size, committed.length, "nobody is sent twice");
        for (const { driverId, orderIds, restaurantIds, pickupAt, deliverAt, departAt } of decision.commits) {
          const who = drivers.find((one) => one.driverId === driverId)!;
          const what = orderIds.map((id) => orders.find(({ orderId }) => orderId === id)!);
          t.ok(who.freeAt <= NOW && departAt === NOW);
          t.ok(orderIds.length <= rules.trips.mostOrders && restaurantIds.length <= mostRestaurants);
          t.strictSame([...new Set(what.map(({ restaurantId }) => restaurantId))].sort(), [...restaurantIds].sort());
          let [time, place] = [departAt, who.place];
          restaurantIds.forEach((id, k) => {
            const mine = what.filter(({ restaurantId }) => restaurantId === id);
            const there = time + travel(place, mine[0]!.pickup) + service.collectMs;
            time = Math.max(there, ...mine.map(({ readyAt }) => readyAt));
            t.equal(pickupAt[k], time);
            t.ok(time <= who.lastPickupAt);
            time += service.leaveRestaurantMs;
            place = mine[0]!.pickup;
          });
          what.forEach(({ dropOff, latestAt, excluded }, k) => {
            time += travel(place, dropOff) + service.handOverMs;
            t.equal(deliverAt[k], time);
            t.ok(time <= latestAt && !excluded.includes(driverId));
            time += service.leaveCustomerMs;
            place = dropOff;
          });
        }
      }),
      { seed: 5, numRuns: 60 },
    );
  },
);

t.test("the plan is the best there is, as far as every plan can be tried", async (t) => {
  const alone = {
    ...withTrips({ mostOrders: 1 }),
    weights: { ...settings.weights, lateWhenScarce: 0 },
    search: { ...settings.search, roundsPerOrder: 100 },
  };
  fc.assert(
    fc.property(cities, (city) => {
      const { orders, drivers } = peopled({
        ...city,
        orders: city.orders.slice(0, 4),
        drivers: city.drivers.slice(0, 2),
      });
      const { costMs } = decided(orders, drivers, { settings: alone });
      t.ok(Math.abs(costMs - leastCost(orders, drivers, alone)) < 1e-6);
    }),
    { seed: 11, numRuns: 100 },
  );
});

/** Tries every driver, or none, for every order, in every order of driving. */
function leastCost(
  orders: readonly OpenOrder<Spot>[],
  drivers: readonly Driver<Spot>[],
  rules: MatchingSettings,
): number {
  const { weights } = rules;
  const next = (
    left: readonly OpenOrder<Spot>[],
    at: readonly { readonly time: number; readonly place: Spot }[],
  ): number => {
    let least = left.length * weights.unplannedMs;
    for (const one of left) {
      drivers.forEach((who, index) => {
        if (one.excluded.includes(who.driverId)) return;
        const { time, place } = at[index]!;
        const pickup = Math.max(time + travel(place, one.pickup) + service.collectMs, one.readyAt);
        const delivered = pickup + service.leaveRestaurantMs + travel(one.pickup, one.dropOff) + service.handOverMs;
        if (pickup > who.lastPickupAt || delivered > one.latestAt) return;
        const late = weights.late * Math.max(0, delivered - one.targetAt);
        const waits = pickup - Math.max(NOW, one.readyAt) + weights.foodWaits * (pickup - one.readyAt);
        const then = { time: delivered + service.leaveCustomerMs, place: one.dropOff };
        const rest = next(
          left.filter((other) => other !== one),
          at.with(index, then),
        );
        least = Math.min(least, late + waits + rest);
      });
    }
    return least;
  };
  return next(
    orders,
    drivers.map(({ freeAt, place }) => ({ time: Math.max(NOW, freeAt), place })),
  );
}

t.test("R-DSP-7: a broken promise weighs less, the more orders there are for each driver", async (t) => {
  const weightWith = (orders: number): number => {
    const all = Array.from({ length: orders }, (_, i) => order(`o${i}`, 0, { targetAt: NOW - 10 * MINUTE }));
    const { commits } = decided(all, [driver("d", 3)], { settings: withTrips({ mostOrders: 1 }) });
    const [commit] = commits;
    if (commit === undefined) throw new Error("nobody was sent");
    return (commit.terms.costMs - commit.terms.delayMs) / commit.terms.lateMs;
  };
  const weights = [1, 2, 3, 4, 6].map((orders) => Math.round(100 * weightWith(orders)) / 100);
  t.same(weights, [1, 1, 0.5, 0, 0]);
});
