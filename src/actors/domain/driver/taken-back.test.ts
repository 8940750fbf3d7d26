import t from "tap";
import { at, type City, codeOf, createCity, driver, must, restaurant } from "../fixtures/city.js";

/** Driver `d` was on the way to collect `o`, nothing was heard for so long that the order was taken back. */
async function lost(): Promise<City> {
  const city = createCity();
  await city.openRestaurant("r");
  await city.bring("o", "assigned");
  await must(city.order("o", "markReady", { orderId: "o" }, restaurant("r")));
  for (let waited = 0; (await city.driverState("d")).work.status !== "free"; waited += 10_000) {
    if (waited > city.settings.driver.stalledMs * 3) throw new Error("never taken for lost");
    await city.kit.advance(10_000);
  }
  return city;
}

const kinds = async (city: City): Promise<string[]> =>
  (await city.state("o")).timeline.map(({ kind }) => kind).filter((kind) => /driver_|picked|delivered/.test(kind));

t.test("R-DSP-6: a driver back from the basement with the food has the order again", async (t) => {
  const city = await lost();
  const phone = await city.kit.subscribe({ kind: "driver", key: "d", channel: "work" }, driver("d"));
  t.equal(await codeOf(city.drive("d", "arrived", { orderId: "o", stop: "pickup" })), "ok", "said out of reach");
  await must(city.drive("d", "pickUp", { orderId: "o" }));
  t.equal(await codeOf(city.drive("d", "pickUp", { orderId: "o" })), "ok", "touched twice");
  await city.reach("o", "picked_up");
  t.match((await city.state("o")).delivery, { status: "carrying", driver: { driverId: "d" } });
  t.match(phone.events.at(-1), { type: "trip.changed", body: { trip: { stops: [{ done: true }, { done: false }] } } });
  await must(city.drive("d", "deliver", { orderId: "o" }));
  await city.reach("o", "delivered");
  t.same(await kinds(city), ["driver_assigned", "driver_unassigned", "driver_assigned", "picked_up", "delivered"]);
  t.equal((await city.driverState("d")).work.status, "free");
  t.same((await city.driverState("d")).takenBack, []);
  await city.kit.close();
});

t.test("R-DSP-6: collected and delivered before the phone was heard again: both count", async (t) => {
  const city = await lost();
  await must(city.drive("d", "pickUp", { orderId: "o" }));
  t.equal(await codeOf(city.drive("d", "deliver", { orderId: "o" })), "ok", "what the phone kept comes in one go");
  await city.reach("o", "delivered");
  t.match((await kinds(city)).slice(-2), ["picked_up", "delivered"]);
  t.equal((await city.driverState("d")).work.status, "free");
  await city.kit.close();
});

t.test("R-DSP-6, rule 7: another driver who is on the way to fetch it is sent elsewhere first", async (t) => {
  const city = await lost();
  await city.goOnline("d2");
  await must(city.drive("d2", "acceptOffer", { offerId: (await city.offerTo("d2")).offerId }));
  await city.kit.advance(200);
  t.match((await city.state("o")).delivery, { status: "assigned", driver: { driverId: "d2" } });
  const second = await city.kit.subscribe({ kind: "driver", key: "d2", channel: "work" }, driver("d2"));
  await must(city.drive("d", "pickUp", { orderId: "o" }));
  await city.reach("o", "picked_up");
  t.match((await city.state("o")).delivery, { status: "carrying", driver: { driverId: "d" } });
  t.equal((await city.driverState("d2")).work.status, "free");
  t.ok(
    second.events.some(({ type, body }) => type === "trip.changed" && /food on board/.test(JSON.stringify(body))),
    "who is told why",
  );
  await city.kit.close();
});

t.test("R-DSP-6: an offer that is open to another is taken back", async (t) => {
  const city = await lost();
  await city.goOnline("d2");
  const { offerId } = await city.offerTo("d2");
  await must(city.drive("d", "pickUp", { orderId: "o" }));
  await city.reach("o", "picked_up");
  t.match((await city.state("o")).delivery, { driver: { driverId: "d" } });
  t.equal(await codeOf(city.drive("d2", "acceptOffer", { offerId })), "offer_withdrawn");
  await city.kit.close();
});

t.test("rule 7: with two who say that they have the food, the first keeps it and a person is called", async (t) => {
  const city = await lost();
  await city.goOnline("d2");
  await must(city.drive("d2", "acceptOffer", { offerId: (await city.offerTo("d2")).offerId }));
  await city.kit.advance(200);
  await must(city.drive("d2", "pickUp", { orderId: "o" }));
  await city.reach("o", "picked_up");
  const phone = await city.kit.subscribe({ kind: "driver", key: "d", channel: "work" }, driver("d"));
  await must(city.drive("d", "pickUp", { orderId: "o" }));
  await city.kit.advance(500);
  const order = await city.state("o");
  t.match(order.delivery, { status: "carrying", driver: { driverId: "d2" } });
  t.match(order.timeline.at(-1), { kind: "escalated", reason: /another driver says/ });
  t.match(phone.events.at(-1), { type: "trip.changed", body: { trip: null, reason: "offer_taken" } });
  t.equal(await codeOf(city.drive("d", "deliver", { orderId: "o" })), "not_your_trip");
  await city.kit.close();
});

t.test("R-DSP-6: the driver of an order that is over by then hears why", async (t) => {
  const city = await lost();
  await must(city.order("o", "cancel", { orderId: "o", reason: "too late for me" }, { id: "s", role: "support" }));
  await city.kit.advance(200);
  const phone = await city.kit.subscribe({ kind: "driver", key: "d", channel: "work" }, driver("d"));
  await must(city.drive("d", "pickUp", { orderId: "o" }));
  await city.kit.advance(500);
  t.match(phone.events.at(-1), { type: "trip.changed", body: { trip: null, reason: "too late for me" } });
  t.equal((await city.driverState("d")).work.status, "free");
  t.equal(await codeOf(city.drive("d", "pickUp", { orderId: "o" })), "not_your_trip");
  await city.kit.close();
});

t.test(
  "R-DSP-6: whoever has the food hears it, when the order ends or goes to another while it is on its way",
  async (t) => {
    const support = { id: "s", role: "support" };
    const ends: Readonly<Record<string, (city: City) => Promise<unknown>>> = {
      "too late for me": (city) => city.order("o", "cancel", { orderId: "o", reason: "too late for me" }, support),
      offer_taken: (city) =>
        city.order("o", "assignManually", { orderId: "o", driverId: "d3", reason: "nearer" }, support),
    };
    for (const [reason, end] of Object.entries(ends)) {
      const city = await lost();
      await city.goOnline("d2");
      await must(city.drive("d2", "acceptOffer", { offerId: (await city.offerTo("d2")).offerId }));
      await city.kit.advance(200);
      const phone = await city.kit.subscribe({ kind: "driver", key: "d", channel: "work" }, driver("d"));
      // Whoever was sent in their place lets go a little later.
      city.kit.store.decide = ({ batch }) =>
        batch?.actors.some(({ kind, key }) => kind === "driver" && key === "d2") ? { delayMs: 1_000 } : null;
      await must(city.drive("d", "pickUp", { orderId: "o" }));
      await city.kit.advance(100);
      t.match((await city.state("o")).delivery, { status: "revoking", next: { driverId: "d" } });
      await end(city);
      await city.kit.advance(3_000);
      t.match(phone.events.at(-1), { type: "trip.changed", body: { trip: null, reason } });
      t.equal(await codeOf(city.drive("d", "deliver", { orderId: "o" })), "not_your_trip");
      await city.kit.close();
    }
  },
);

t.test("R-DSP-6: whom a person has replaced stays replaced", async (t) => {
  const city = createCity();
  await city.openRestaurant("r");
  await city.bring("o", "assigned");
  await city.goOnline("d2", at(100));
  const support = { id: "s", role: "support" };
  await must(city.order("o", "assignManually", { orderId: "o", driverId: "d2", reason: "complaints" }, support));
  await city.kit.advance(200);
  t.equal(await codeOf(city.drive("d", "pickUp", { orderId: "o" })), "not_your_trip");
  await city.kit.close();
});

t.test("R-DSP-6: a crash between the steps loses none of them", async (t) => {
  for (let steps = 0; steps < 4; steps++) {
    const city = await lost();
    await must(city.drive("d", "pickUp", { orderId: "o" }));
    for (let i = 0; i < steps; i++) await city.kit.advance(2);
    await city.kit.crash();
    await city.kit.restart();
    await city.reach("o", "picked_up");
    t.match((await city.state("o")).delivery, { driver: { driverId: "d" } }, `after ${steps} steps`);
    await city.kit.close();
  }
});

t.test("R-DSP-6, R-DSP-3: two orders with the food of both come back on one trip", async (t) => {
  const city = await lost();
  await city.bring("p", "assigned");
  await must(city.order("p", "markReady", { orderId: "p" }, restaurant("r")));
  while ((await city.driverState("d")).work.status !== "free") await city.kit.advance(10_000);
  await must(city.drive("d", "pickUp", { orderId: "o" }));
  await must(city.drive("d", "pickUp", { orderId: "p" }));
  await city.reach("o", "picked_up");
  await city.reach("p", "picked_up");
  const { work } = await city.driverState("d");
  t.match(work, { status: "on_trip", trip: { legs: [{ orderId: "o" }, { orderId: "p" }], claims: [] } });
  t.equal(await codeOf(city.drive("d", "deliver", { orderId: "p" })), "illegal_transition", "the first goes first");
  await must(city.drive("d", "deliver", { orderId: "o" }));
  await must(city.drive("d", "deliver", { orderId: "p" }));
  await city.reach("p", "delivered");
  await city.kit.close();
});
