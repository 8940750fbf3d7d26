import fc from "fast-check";
import t from "tap";
import { isTerminal, ORDER_STATUSES } from "../../../protocol/mod.js";
import { at } from "../fixtures/city.js";
import { defaultDomainSettings } from "../mod.js";
import { etaRange } from "./eta.js";

const { travel } = defaultDomainSettings;
const NOW = 1_800_000_000_000;
const base = {
  status: "preparing",
  now: NOW,
  readyAt: NOW + 600_000,
  pickup: at(0),
  dropoff: at(3_000),
  driverAssigned: true,
} as const;

t.test("R-TRK-4: preparation, way and handovers make a range", async (t) => {
  // 10 min of cooking, 2 + 2 min of handovers, 3 km × 1.35 at 6.5 m/s = 10.4 min.
  const middle = NOW + 600_000 + 240_000 + ((3_000 * 1.35) / 6.5) * 1000;
  const eta = etaRange(base, travel);
  t.ok(eta !== null && Math.abs((eta.from + eta.to) / 2 - middle) < 2_000);
  t.equal(etaRange({ ...base, status: "delivered" }, travel), null);
});

t.test("R-TRK-4: the range is in the future, narrows on the way, and ends with the order", async (t) => {
  fc.assert(
    fc.property(
      fc.constantFrom(...ORDER_STATUSES),
      fc.integer({ min: -3_600_000, max: 3_600_000 }),
      fc.integer({ min: 0, max: 20_000 }),
      fc.boolean(),
      (status, ready, north, driverAssigned) => {
        const eta = etaRange({ ...base, status, readyAt: NOW + ready, dropoff: at(north), driverAssigned }, travel);
        if (isTerminal(status)) return eta === null;
        if (eta === null || eta.from < NOW || eta.to <= eta.from) return false;
        const onTheWay = etaRange({ ...base, status: "picked_up", readyAt: NOW + ready, dropoff: at(north) }, travel);
        return onTheWay !== null && onTheWay.to <= eta.to;
      },
    ),
    { numRuns: 500 },
  );
  t.pass("500 orders");
});
