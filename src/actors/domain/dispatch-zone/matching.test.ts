import fc from "fast-check";
import t from "tap";
import { at } from "../fixtures/city.js";
import { defaultDomainSettings as settings } from "../mod.js";
import { type FreeDriver, match, type WaitingOrder } from "./matching.js";

const NOW = 1_800_000_000_000;
const order = (orderId: string, changes: Partial<WaitingOrder> = {}): WaitingOrder => ({
  orderId,
  pickup: at(0),
  readyAt: NOW,
  excluded: [],
  ...changes,
});
const driver = (driverId: string, northMeters: number): FreeDriver => ({ driverId, ...at(northMeters) });
const chosen = (orders: WaitingOrder[], drivers: FreeDriver[], size = 1) =>
  match(orders, drivers, NOW, size, settings).map(({ orderId, candidates }) => [
    orderId,
    ...candidates.map(({ driverId }) => driverId),
  ]);

t.test("R-DSP-2: the nearest driver who is not excluded and within reach", async (t) => {
  const drivers = [driver("far", 3_000), driver("near", 500), driver("middle", 1_000)];
  t.same(chosen([order("o")], drivers), [["o", "near"]]);
  t.same(chosen([order("o", { excluded: ["near"] })], drivers), [["o", "middle"]]);
  t.same(chosen([order("o")], [driver("abroad", 15_100)]), []);
  t.same(chosen([order("o")], []), []);
});

t.test("R-DSP-1: across the date line the next street is the next street", async (t) => {
  const pickup = { lat: -16.8, lng: 179.999 };
  const drivers = [
    { driverId: "here", lat: -16.82, lng: 179.999 },
    { driverId: "over", lat: -16.8, lng: -179.999 },
  ];
  t.same(chosen([order("o", { pickup })], drivers), [["o", "over"]]);
});

t.test("R-DSP-2: an order waits until its slack is spent", async (t) => {
  const near = driver("near", 100);
  const far = driver("far", 5_000);
  const soon = { readyAt: NOW + settings.zone.matchSlackMs };
  const later = { readyAt: NOW + settings.zone.matchSlackMs + 600_000 };
  t.same(chosen([order("o", soon)], [near]), [["o", "near"]]);
  t.same(chosen([order("o", later)], [near]), [], "the driver would only wait");
  t.same(chosen([order("o", later)], [far]), [["o", "far"]], "from far away it is time to go");
});

t.test("R-DSP-4: broadcast proposes several, best first; nobody is proposed twice", async (t) => {
  const drivers = [driver("a", 100), driver("b", 200), driver("c", 300), driver("d", 400)];
  t.same(chosen([order("o")], drivers, 3), [["o", "a", "b", "c"]]);
  t.same(chosen([order("late", { readyAt: NOW + 1 }), order("early")], drivers, 3), [
    ["early", "a", "b", "c"],
    ["late", "d"],
  ]);
});

t.test("R-DSP-7: every choice is explained", async (t) => {
  const [proposal] = match([order("o", { readyAt: NOW + 240_000 })], [driver("a", 1_000)], NOW, 1, settings);
  t.equal(proposal?.candidates[0]?.why, "#1 by time to the restaurant: 3.5 min, waits 0.5 min for the food");
});

t.test(
  "R-DSP-4: whatever the city looks like, no driver and no order is in two proposals, and order of input does not matter",
  async (t) => {
    const orders = fc.uniqueArray(
      fc.record({
        id: fc.nat(50),
        north: fc.integer({ min: 0, max: 20_000 }),
        ready: fc.integer({ min: -600_000, max: 900_000 }),
      }),
      { selector: ({ id }) => id, maxLength: 15 },
    );
    const drivers = fc.uniqueArray(fc.record({ id: fc.nat(50), north: fc.integer({ min: 0, max: 20_000 }) }), {
      selector: ({ id }) => id,
      maxLength: 15,
    });
    fc.assert(
      fc.property(orders, drivers, fc.integer({ min: 1, max: 3 }), (someOrders, someDrivers, size) => {
        const waiting = someOrders.map(({ id, north, ready }) =>
          order(`o${id}`, { pickup: at(north), readyAt: NOW + ready, excluded: [`d${id}`] }),
        );
        const free = someDrivers.map(({ id, north }) => driver(`d${id}`, north));
        const proposals = match(waiting, free, NOW, size, settings);
        const used = proposals.flatMap(({ candidates }) => candidates.map(({ driverId }) => driverId));
        const backwards = match(waiting.toReversed(), free.toReversed(), NOW, size, settings);
        return (
          new Set(used).size === used.length &&
          new Set(proposals.map(({ orderId }) => orderId)).size === proposals.length &&
          proposals.every(({ orderId, candidates }) =>
            candidates.every(({ driverId }) => driverId !== `d${orderId.slice(1)}`),
          ) &&
          JSON.stringify(proposals) === JSON.stringify(backwards)
        );
      }),
      { numRuns: 300 },
    );
    t.pass("300 cities");
  },
);
