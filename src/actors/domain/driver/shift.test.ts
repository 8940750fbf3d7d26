import t from "tap";
import type { DriverSnapshot } from "../../../protocol/mod.js";
import { codeOf, createCity, driver, must } from "../fixtures/city.js";

t.test("R-DSP-1: a shift begins, shows its state, and does not end on a trip", async (t) => {
  const city = createCity();
  await city.openRestaurant("r");
  await city.bring("o", "assigned");
  t.equal(await codeOf(city.drive("d", "goOffline", {})), "driver_busy");
  t.equal(await codeOf(city.drive("d", "deliver", { orderId: "o" })), "illegal_transition");
  t.equal(await codeOf(city.drive("d", "deliver", { orderId: "other" })), "not_your_trip");
  t.equal(await codeOf(city.drive("d", "arrived", { orderId: "o", stop: "dropoff" })), "illegal_transition");
  t.equal(await codeOf(city.drive("d", "arrived", { orderId: "o", stop: "pickup" })), "ok");
  const stranger = await city.kit.subscribe({ kind: "driver", key: "d", channel: "work" }, driver("x"));
  t.equal(stranger.ended?.code, "not_found");
  const phone = await city.kit.subscribe({ kind: "driver", key: "d", channel: "work" }, driver("d"));
  const snapshot = phone.latest().snapshot as DriverSnapshot;
  t.match(snapshot, { onShift: true, offers: [], gps: { send: true, reason: "on_trip" } });
  t.same(
    snapshot.trip?.stops.map(({ kind, done }) => [kind, done]),
    [
      ["pickup", false],
      ["dropoff", false],
    ],
  );
  await city.kit.close();
});

t.test("R-DSP-1: an open offer is declined by going off shift", async (t) => {
  const city = createCity();
  await city.openRestaurant("r");
  await city.goOnline("d");
  await city.bring("o", "accepted");
  await city.offerTo("d");
  await must(city.drive("d", "goOffline", {}));
  await city.kit.advance(100);
  t.match((await city.state("o")).delivery, { status: "searching" });
  t.match((await city.driverState("d")).past, [{ outcome: "declined" }]);
  await city.kit.close();
});
