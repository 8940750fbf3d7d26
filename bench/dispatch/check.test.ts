import t from "tap";
import { violations } from "./check.js";
import type { Instance } from "./instance.js";
import { type Assignment, solutionFiles } from "./solution.js";

/** One street: a minute is 100 metres. The courier stands at the restaurant; two customers, 5 and 8 minutes away. */
const instance: Instance = {
  name: "street",
  restaurants: new Map([
    ["r1", { x: 0, y: 0 }],
    ["r2", { x: 100, y: 0 }],
  ]),
  orders: [
    { id: "o1", x: 450, y: 0, placement: 10, restaurant: "r1", ready: 20 },
    { id: "o2", x: 800, y: 0, placement: 12, restaurant: "r1", ready: 21 },
    { id: "o3", x: 100, y: 0, placement: 12, restaurant: "r2", ready: 30 },
  ],
  couriers: [
    { id: "c1", x: 0, y: 0, on: 0, off: 100 },
    { id: "c2", x: 0, y: 0, on: 50, off: 60 },
  ],
  metersPerMinute: 100,
  pickupServiceMinutes: 4,
  dropoffServiceMinutes: 4,
  targetMinutes: 40,
  maximumMinutes: 90,
  payPerOrder: 10,
  payPerHour: 15,
};
const trip: Assignment = {
  courier: "c1",
  restaurant: "r1",
  assigned: 15,
  departure: 15,
  pickup: 21,
  stops: [
    { order: "o1", departure: 23, dropoff: 30 },
    { order: "o2", departure: 32, dropoff: 38 },
  ],
};
const last: Assignment = {
  courier: "c1",
  restaurant: "r2",
  assigned: 40,
  departure: 40,
  pickup: 49,
  stops: [{ order: "o3", departure: 51, dropoff: 53 }],
};
const judged = (assignments: readonly Assignment[], of = instance): readonly string[] =>
  violations(of, solutionFiles(instance, assignments));

t.test("R-DSP-8: a solution that keeps every rule has no violations", async (t) => {
  t.strictSame(judged([trip, last]), []);
  t.strictSame(judged([trip]), [], "an order that nobody delivers breaks no rule");
  t.strictSame(judged([]), []);
});

t.test("R-DSP-8: every broken rule is found", async (t) => {
  const [first, second] = trip.stops as [Assignment["stops"][0], Assignment["stops"][0]];
  const cases: readonly [what: RegExp, assignments: readonly Assignment[], of?: Partial<Instance>][] = [
    [/o1 is in more than one assignment/, [trip, { ...last, stops: [{ ...first, departure: 51, dropoff: 58 }] }]],
    [/o2 is assigned before it is placed/, [{ ...trip, assigned: 11, departure: 11 }]],
    [/bundle of several restaurants/, [{ ...trip, stops: [first, { ...second, order: "o3" }] }]],
    [/is not on shift/, [trip, { ...last, courier: "c2", assigned: 40, departure: 40 }]],
    [/after the shift's end at 60/, [trip, { ...last, courier: "c2", assigned: 55, departure: 55, pickup: 61 }]],
    [/the assignment before ends at 40/, [trip, { ...last, assigned: 39 }]],
    [/leaves for r1 at 14, before 15/, [{ ...trip, departure: 14 }]],
    [
      /collects at 48, but arrives at 47/,
      [trip, { ...last, pickup: 48, stops: [{ order: "o3", departure: 51, dropoff: 53 }] }],
    ],
    [/collects o2 before it is ready/, [{ ...trip, pickup: 20 }]],
    [/leaves for o1 at 22, before 23/, [{ ...trip, stops: [{ ...first, departure: 22 }, second] }]],
    [/delivers o1 at 29, but arrives at 28/, [{ ...trip, stops: [{ ...first, dropoff: 29 }, second] }]],
    [/leaves for o2 at 31, before 32/, [{ ...trip, stops: [first, { ...second, departure: 31 }] }]],
    [/o2 takes 26 minutes, more than 25/, [trip], { maximumMinutes: 25 }],
    [/times are not whole minutes/, [{ ...trip, assigned: 14.5, departure: 15 }]],
    [/o2 differs from the instance/, [trip], { orders: instance.orders.map((order) => ({ ...order, placement: 11 })) }],
    [/order o4 is not listed/, [trip], { orders: [...instance.orders, { ...instance.orders[0]!, id: "o4" }] }],
    [/courier c1 of an assignment is not in the instance/, [trip], { couriers: [] }],
  ];
  for (const [what, assignments, of = {}] of cases)
    t.match(judged(assignments, { ...instance, ...of }).join("\n"), what);
});

t.test("R-DSP-8: files that disagree with each other are found", async (t) => {
  const files = solutionFiles(instance, [trip, last]);
  const couriers = files["solution_info_couriers.txt"];
  const orders = files["solution_info_orders.txt"];
  const withCouriers = (text: string) =>
    violations(instance, { ...files, "solution_info_couriers.txt": text }).join("\n");
  const withOrders = (text: string) => violations(instance, { ...files, "solution_info_orders.txt": text }).join("\n");
  t.match(
    withCouriers(couriers.replace("c1 32 o1 o2", "c1 32 r1 o2")),
    /should go from o1 to o2, but goes from r1 to o2/,
  );
  t.match(withCouriers(`${couriers}c1 90 o3 r1\n`), /moves without an assignment at 90/);
  t.match(withCouriers(`${couriers}c2 90 c2 r1\n`), /courier c2 moves without any assignment/);
  t.match(withOrders(orders.replace("21 30 c1", "22 30 c1")), /o1 is told differently/);
  t.match(
    withOrders(orders.replace("21 30 c1", "NaN NaN NaN")),
    /o1 is delivered without an assignment, or not delivered with one/,
  );
  t.match(withOrders(orders.replace(/o3 .*\n/, "o1 10 r1 20 21 30 c1\n")), /order o1 is listed twice/);
});

t.test("what went otherwise than planned is not held to whole minutes, the maximum and the shift's end", async (t) => {
  const late = { ...trip, pickup: 21.5, stops: [{ order: "o1", departure: 23.5, dropoff: 30.5 }] };
  const of = { ...instance, maximumMinutes: 10, couriers: [{ ...instance.couriers[0]!, off: 20 }] };
  t.strictSame(violations(of, solutionFiles(instance, [late]), "as it went"), []);
  const strict = violations(of, solutionFiles(instance, [late])).join("\n");
  for (const what of [/no whole minute of delivery/, /more than 10/, /after the shift's end at 20/])
    t.match(strict, what);
});
