import t from "tap";
import type { DriverEvent } from "../../../protocol/mod.js";
import { at, type City, codeOf, createCity, driver, must, restaurant, support } from "../fixtures/city.js";
import { Driver, defaultDomainSettings, Order } from "../mod.js";

const broadcast = {
  ...defaultDomainSettings,
  order: { ...defaultDomainSettings.order, offerMode: "broadcast", broadcastSize: 2 },
} as const;

/** Two drivers hold an offer of the order. */
async function twoOffers(city: City, orderId: string): Promise<readonly [string, string]> {
  await must(city.place(orderId));
  await city.reach(orderId, "confirmed");
  await must(city.order(orderId, "accept", { orderId, prepMinutes: 0 }, restaurant("r")));
  const one = await city.offerTo("d1");
  const two = await city.offerTo("d2");
  return [one.offerId, two.offerId];
}

t.test("R-DSP-4: the loser gets a clear answer", async (t) => {
  const city = createCity({ settings: broadcast });
  await city.openRestaurant("r");
  await city.goOnline("d1", at(200));
  await city.goOnline("d2", at(300));
  const [one, two] = await twoOffers(city, "o");
  const phone = await city.kit.subscribe({ kind: "driver", key: "d2", channel: "work" }, driver("d2"));
  await must(city.drive("d1", "acceptOffer", { offerId: one }));
  await city.kit.advance(50);
  t.equal(await codeOf(city.drive("d2", "acceptOffer", { offerId: two })), "offer_taken");
  const closed = phone.events.map((event) => ({ type: event.type, body: event.body }) as unknown as DriverEvent);
  t.match(closed.at(-1), { type: "offer.closed", body: { offerId: two, outcome: "lost" } });
  await city.kit.close();
});

t.test("rule 13: an expired, declined or withdrawn offer cannot be accepted", async (t) => {
  const city = createCity();
  await city.openRestaurant("r");
  await city.goOnline("d");
  await city.bring("o", "accepted");
  const first = await city.offerTo("d");
  await city.kit.advance(city.settings.order.offerMs + 1_000);
  t.equal(await codeOf(city.drive("d", "acceptOffer", { offerId: first.offerId })), "offer_expired");
  t.equal((await city.state("o")).delivery.status, "searching");
  t.same((await city.state("o")).excluded, ["d"], "and is not asked again at once");

  await city.goOnline("d2");
  const second = await city.offerTo("d2");
  await must(city.drive("d2", "declineOffer", { offerId: second.offerId, reason: "too far" }));
  t.equal(await codeOf(city.drive("d2", "acceptOffer", { offerId: second.offerId })), "offer_expired");
  t.same(await city.drive("d2", "declineOffer", { offerId: second.offerId }), {
    ok: true,
    value: { declined: second.offerId },
  });

  await city.goOnline("d3");
  const third = await city.offerTo("d3");
  await must(city.order("o", "cancel", { orderId: "o", reason: "changed my mind" }, support));
  await city.kit.advance(50);
  t.equal(await codeOf(city.drive("d3", "acceptOffer", { offerId: third.offerId })), "offer_withdrawn");
  t.equal(await codeOf(city.drive("d3", "acceptOffer", { offerId: "never-made" })), "not_found");
  await city.kit.close();
});

t.test("rule 13: an acceptance on its way when the order is cancelled loses, and the driver is free", async (t) => {
  const city = createCity();
  await city.openRestaurant("r");
  await city.goOnline("d");
  await city.bring("o", "accepted");
  const { offerId } = await city.offerTo("d");
  const [accepted, cancelled] = await city.kit.run(() =>
    Promise.all([
      city.kit.send(Driver, "d", "acceptOffer", { offerId }, { caller: driver("d") }),
      city.kit.send(Order, "o", "cancel", { orderId: "o", reason: "no" }, { caller: support }),
    ]),
  );
  t.ok(accepted.ok, "the driver actor took it");
  t.ok(cancelled.ok);
  await city.kit.advance(200);
  t.equal((await city.driverState("d")).work.status, "free");
  t.equal(await city.status("o"), "cancelled");
  await city.kit.close();
});

t.test("R-DSP-6: declined, ignored, then capped and escalated; the history says why", async (t) => {
  const settings = {
    ...defaultDomainSettings,
    order: { ...defaultDomainSettings.order, maxOfferRounds: 2, assignDeadlineMs: 3_600_000, kitchenLateMs: 3_600_000 },
  };
  const city = createCity({ settings });
  await city.openRestaurant("r");
  await city.goOnline("d1", at(100));
  await city.bring("o", "accepted");
  await must(city.drive("d1", "declineOffer", { offerId: (await city.offerTo("d1")).offerId, reason: "rain" }));
  await city.goOnline("d2", at(200));
  await city.offerTo("d2");
  await city.kit.advance(settings.order.offerMs + 2_000);
  const order = await city.state("o");
  t.match(order.timeline.at(-1), { kind: "escalated", reason: "no driver after 2 rounds of offers" });
  t.same(order.excluded, [], "after the pause everybody may be asked again");
  t.match(order.delivery, { status: "searching" });
  const closed = city.kit.published({ kind: "order", key: "o" }).filter(({ type }) => type === "order.offer_closed");
  t.match(
    closed.map(({ body }) => body),
    [
      { driverId: "d1", outcome: "declined", reason: "rain" },
      { driverId: "d2", outcome: "expired", reason: "no answer in time" },
    ],
  );
  await city.kit.advance(settings.order.retryPauseMs);
  await city.goOnline("d1", at(100));
  await must(city.drive("d1", "acceptOffer", { offerId: (await city.offerTo("d1")).offerId }));
  await city.kit.advance(100);
  t.equal((await city.state("o")).delivery.status, "assigned");
  await city.kit.close();
});

t.test("R-DSP-6, rule 7: support replaces the driver; the first lets go before the second is asked", async (t) => {
  const city = createCity();
  await city.openRestaurant("r");
  await city.bring("o", "assigned");
  await city.goOnline("d2");
  const phone = await city.kit.subscribe({ kind: "driver", key: "d", channel: "work" }, driver("d"));
  const manual = await must(
    city.order("o", "assignManually", { orderId: "o", driverId: "d2", reason: "flat tyre" }, support),
  );
  await city.kit.advance(100);
  t.equal((await city.driverState("d")).work.status, "free");
  t.match(phone.events.at(-2)?.body, { trip: null, reason: "flat tyre" });
  const offer = await city.offerTo("d2");
  t.equal(offer.offerId, manual.offerId);
  await must(city.drive("d2", "acceptOffer", { offerId: offer.offerId }));
  await city.kit.advance(100);
  t.match((await city.state("o")).delivery, { status: "assigned", driver: { driverId: "d2" } });
  t.match(
    (await city.state("o")).timeline
      .filter(({ kind }) => kind.startsWith("driver_"))
      .map(({ kind, reason }) => [kind, reason]),
    [["driver_assigned"], ["driver_unassigned", "flat tyre"], ["driver_assigned", "assigned by support: flat tyre"]],
  );
  t.equal(
    await codeOf(city.order("o", "assignManually", { orderId: "o", driverId: "d2", reason: "again" }, support)),
    "order_not_assignable",
  );
  await city.kit.close();
});

t.test("rule 7: a driver who picks up while being replaced keeps the order", async (t) => {
  const city = createCity();
  await city.openRestaurant("r");
  await city.bring("o", "assigned");
  await city.goOnline("d2");
  const { kit } = city;
  // The revocation is on its way when the driver taps "picked up".
  await kit.run(() =>
    Promise.all([
      kit.send(Driver, "d", "pickUp", { orderId: "o" }, { caller: driver("d") }),
      kit.send(Order, "o", "assignManually", { orderId: "o", driverId: "d2", reason: "late" }, { caller: support }),
    ]),
  );
  await city.kit.advance(500);
  t.equal(await city.status("o"), "picked_up");
  t.match((await city.state("o")).delivery, { status: "carrying", driver: { driverId: "d" } });
  t.equal((await city.driverState("d")).work.status, "on_trip");
  t.same((await city.driverState("d2")).offers, []);
  await city.kit.close();
});

t.test("R-DSP-6: a driver gives the order back before pickup; not after", async (t) => {
  const city = createCity();
  await city.openRestaurant("r");
  await city.bring("o", "assigned");
  await must(city.drive("d", "releaseTrip", { orderId: "o", reason: "flat tyre" }));
  await city.kit.advance(100);
  t.match((await city.state("o")).delivery, { status: "searching" });
  t.equal((await city.driverState("d")).work.status, "free");
  await city.goOnline("d2");
  await must(city.drive("d2", "acceptOffer", { offerId: (await city.offerTo("d2")).offerId }));
  await city.kit.advance(100);
  await must(city.drive("d2", "pickUp", { orderId: "o" }));
  t.equal(await codeOf(city.drive("d2", "releaseTrip", { orderId: "o", reason: "tired" })), "illegal_transition");
  t.equal(await codeOf(city.drive("d", "pickUp", { orderId: "o" })), "not_your_trip");
  await city.kit.close();
});

t.test("R-DSP-5, rule 6: the store's unique claim is the last guard against two trips", async (t) => {
  const city = createCity();
  await city.openRestaurant("r");
  await city.bring("o", "assigned");
  // An order that believes it may have the driver (as a bug or a lost commit would make it) is stopped by the store.
  let refused = 0;
  await must(city.place("o2"));
  await city.reach("o2", "confirmed");
  await must(city.order("o2", "accept", { orderId: "o2", prepMinutes: 0 }, restaurant("r")));
  const manual = await must(
    city.order("o2", "assignManually", { orderId: "o2", driverId: "d9", reason: "x" }, support),
  );
  await city.kit.advance(0);
  const claims = city.kit.store.committed.filter((write) => write.claims.some(({ value }) => value.startsWith("d/")));
  t.equal(claims.length, 1, "the winner's claim is in the store");
  await city.goOnline("d9");
  await must(city.order("o2", "assignManually", { orderId: "o2", driverId: "d9", reason: "y" }, support));
  const offer = await city.offerTo("d9");
  t.not(offer.offerId, manual.offerId, "the first offer was withdrawn");
  city.kit.store.refuseRow = (write) => {
    const claim = write.claims.find(({ value }) => value.startsWith("d9/"));
    if (claim === undefined || refused > 0) return null;
    refused++;
    return { reason: "claim_taken", ...claim };
  };
  await must(city.drive("d9", "acceptOffer", { offerId: offer.offerId }));
  await city.kit.advance(500);
  t.equal(refused, 1);
  t.equal((await city.driverState("d9")).work.status, "free", "the claim was lost");
  t.match((await city.state("o2")).delivery.status, /searching|offered/);
  await city.kit.close();
});

t.test("R-DSP-6: a driver who does not come for ready food is replaced", async (t) => {
  const city = createCity();
  await city.openRestaurant("r");
  await city.bring("o", "assigned");
  await must(city.order("o", "markReady", { orderId: "o" }, restaurant("r")));
  // The phone is alive, the driver just does not come.
  for (let passed = 0; passed < city.settings.order.pickupDeadlineMs; passed += 60_000) {
    await city.kit.advance(60_000);
    await city.fix("d", at(300));
  }
  await city.kit.advance(1_000);
  t.match((await city.state("o")).timeline.at(-1), { kind: "driver_unassigned", reason: "pickup_too_late" });
  t.equal((await city.driverState("d")).work.status, "free");
  await city.kit.close();
});

t.test("R-DSP-6: silence on a trip: before pickup another driver, after it a person", async (t) => {
  const city = createCity();
  await city.openRestaurant("r");
  await city.bring("o", "assigned");
  await city.kit.advance(city.settings.driver.stalledMs * 2 + 20_000);
  t.match(
    (await city.state("o")).timeline.find(({ kind }) => kind === "driver_unassigned"),
    { reason: "driver_lost" },
  );
  t.equal((await city.driverState("d")).work.status, "free");

  const second = createCity();
  await second.openRestaurant("r");
  await second.bring("o", "picked_up");
  await second.kit.advance(second.settings.driver.stalledMs * 2 + 20_000);
  t.match((await second.state("o")).timeline.at(-1), { kind: "escalated", reason: /driver silent/ });
  t.equal(await second.status("o"), "picked_up");
  await city.kit.close();
  await second.kit.close();
});

t.test("R-DSP-6: a driver who speaks is not lost, though the phone finds no place in the basement", async (t) => {
  const city = createCity();
  await city.openRestaurant("r");
  await city.bring("o", "assigned");
  const { stalledMs } = city.settings.driver;
  await city.kit.advance(stalledMs - 20_000);
  await must(city.drive("d", "arrived", { orderId: "o", stop: "pickup" }));
  await city.kit.advance(stalledMs - 20_000);
  t.match((await city.state("o")).delivery, { status: "assigned", driver: { driverId: "d" } });
  await city.kit.advance(stalledMs);
  t.match(
    (await city.state("o")).timeline.find(({ kind }) => kind === "driver_unassigned"),
    { reason: "driver_lost" },
    "nothing more is heard",
  );
  await city.kit.close();
});

t.test(
  "R-DSP-6: whoever said no is asked again when there is nobody else, a driver who was off shift too",
  async (t) => {
    const city = createCity();
    const { askAgainMs } = city.settings.order;
    await city.openRestaurant("r");
    await city.goOnline("d", at(100));
    await city.bring("o", "accepted");
    await must(city.drive("d", "declineOffer", { offerId: (await city.offerTo("d")).offerId, reason: "at the pump" }));
    const pass = async (ms: number): Promise<void> => {
      for (let passed = 0; passed < ms; passed += 5_000) {
        await city.fix("d", at(100));
        await city.kit.advance(5_000);
      }
    };
    await pass(askAgainMs - 10_000);
    t.same((await city.driverState("d")).offers, [], "somebody else would have had the time to be found");
    await pass(20_000);
    t.equal((await city.driverState("d")).offers.length, 1);
    t.match(await city.state("o"), { rounds: 2, escalations: 0 });
    await must(city.drive("d", "goOffline", {}));
    await city.kit.advance(10_000);
    t.same((await city.state("o")).excluded, ["d"]);
    await city.goOnline("d", at(100));
    await pass(askAgainMs);
    await must(city.drive("d", "acceptOffer", { offerId: (await city.offerTo("d")).offerId }));
    await city.kit.advance(200);
    t.equal((await city.state("o")).delivery.status, "assigned");
    await city.kit.close();
  },
);
