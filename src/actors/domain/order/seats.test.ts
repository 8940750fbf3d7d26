import fc from "fast-check";
import t from "tap";
import type { JsonObject } from "../../../lib/json.js";
import { MOST_ON_TRIP, seatClaims } from "./seats.js";
import { initialOrder, withTrips } from "./state.js";

const common = (one: readonly string[], other: readonly string[]): number =>
  one.filter((name) => other.includes(name)).length;
const place = fc.integer({ min: 0, max: MOST_ON_TRIP - 1 });

t.test("R-DSP-5, rule 6: orders of one trip claim different names, so that all of them fit", async (t) => {
  fc.assert(
    fc.property(fc.nat(1_000), place, place, (trip, one, other) => {
      const shared = common(seatClaims("d", { trip, place: one }), seatClaims("d", { trip, place: other }));
      return shared === (one === other ? MOST_ON_TRIP : 0);
    }),
  );
  t.pass("whatever the trip's number");
});

t.test("R-DSP-5, rule 6: an order of a later trip always meets what is left of an earlier one", async (t) => {
  fc.assert(
    fc.property(fc.nat(1_000), fc.integer({ min: 1, max: MOST_ON_TRIP }), place, place, (trip, later, left, next) => {
      return common(seatClaims("d", { trip, place: left }), seatClaims("d", { trip: trip + later, place: next })) === 1;
    }),
  );
  t.same(common(seatClaims("d", { trip: 1, place: 0 }), seatClaims("e", { trip: 2, place: 0 })), 0, "drivers differ");
});

t.test("rule 6: a claim from before is its driver's name, and a place that is none is refused", async (t) => {
  t.same(seatClaims("d", null), ["d"]);
  for (const wrong of [-1, MOST_ON_TRIP, 0.5]) t.throws(() => seatClaims("d", { trip: 0, place: wrong }), RangeError);
});

t.test("R-ENG-10: an order of version 1 goes on as one of version 2, with its claim and its driver", async (t) => {
  const { offersMade, ...old } = initialOrder();
  t.same(withTrips(old as unknown as JsonObject), { ...old, offersMade });
  const driver = { driverId: "d", offerId: "offer", name: "D", vehicle: "car" };
  const carrying = { ...old, delivery: { status: "carrying", driver, grant: 1, since: 5 } };
  t.match(withTrips(carrying as unknown as JsonObject).delivery, {
    status: "carrying",
    driver: { ...driver, tripId: "offer", seat: null, before: 0 },
    grant: 1,
  });
});
