import t from "tap";
import type { DispatchView, DriverEvent, OfferView } from "../../../protocol/mod.js";
import type { ActorWrite } from "../../runtime/ports.js";
import { tripView } from "../driver/state.js";
import { historyProblems } from "../fixtures/checks.js";
import { at, type City, codeOf, createCity, customer, driver, must, restaurant, support } from "../fixtures/city.js";
import { cardOf, twoOrders } from "../fixtures/pair.js";
import { type DomainSettings, Driver, defaultDomainSettings as day, Order, solveQuestion } from "../mod.js";

const horizon: DomainSettings = {
  ...day,
  order: { ...day.order, driverPayPerKmMinor: 0 },
  zone: { ...day.zone, dispatch: "horizon" },
};

async function acceptedTrip(city: City): Promise<OfferView> {
  await city.openRestaurant("r");
  await city.goOnline("d", at(100));
  await twoOrders(city);
  const card = await cardOf(city, "d", 2);
  await must(city.drive("d", "acceptOffer", { offerId: card.offerId }));
  await city.kit.advance(100);
  return card;
}

const tripOf = async (city: City, driverId = "d"): Promise<readonly string[]> => {
  const { work } = await city.driverState(driverId);
  return work.status === "on_trip" ? work.trip.legs.map(({ orderId }) => orderId) : [];
};

const viewOf = async (city: City, orderId: string) => {
  const watching = await city.kit.subscribe({ kind: "order", key: orderId, channel: "view" }, customer(`c-${orderId}`));
  return watching.latest().view as { anotherFirst: boolean; status: string };
};

/** What the driver's phone hears from now on. */
async function phoneOf(city: City, driverId: string) {
  const phone = await city.kit.subscribe({ kind: "driver", key: driverId, channel: "work" }, driver(driverId));
  return () => phone.events.map(({ type, body }) => ({ type, body }) as unknown as DriverEvent);
}

t.test("R-DSP-3, R-TRK-4: two orders of one restaurant are one card, one pay, one trip", async (t) => {
  const city = createCity({ settings: horizon });
  const card = await acceptedTrip(city);
  t.same([...card.orderIds].sort(), ["a", "b"]);
  t.equal(card.payMinor, 2 * horizon.order.driverPayMinor);
  t.same(
    card.stops.map(({ kind, orderId }) => `${kind} ${orderId}`),
    [...card.orderIds.map((id) => `pickup ${id}`), ...card.orderIds.map((id) => `dropoff ${id}`)],
  );
  t.same(await tripOf(city), card.orderIds);
  const [first, second] = card.orderIds as [string, string];
  t.equal((await viewOf(city, first)).anotherFirst, false);
  t.equal((await viewOf(city, second)).anotherFirst, true, "the other customer is told");

  for (const orderId of [second, first]) await must(city.drive("d", "pickUp", { orderId }));
  t.equal(await codeOf(city.drive("d", "deliver", { orderId: second })), "illegal_transition", "as it was planned");
  await must(city.drive("d", "deliver", { orderId: first }));
  await city.reach(first, "delivered");
  t.equal((await viewOf(city, second)).anotherFirst, false, "now this one");
  await must(city.drive("d", "deliver", { orderId: second }));
  await city.reach(second, "delivered");
  t.equal((await city.driverState("d")).work.status, "free");
  t.same(historyProblems(city.kit.store.committed), []);
  t.same(city.kit.logs, []);
  await city.kit.close();
});

t.test("R-DSP-3: orders of two restaurants next door are collected and delivered as it is quickest", async (t) => {
  for (const maxTripRestaurants of [2, 1]) {
    const city = createCity({
      settings: { ...horizon, zone: { ...horizon.zone, maxTripRestaurants } },
      decisions: { solve: async (question) => solveQuestion(question) },
    });
    // From west to east: the driver, restaurant s, restaurant r, the customer of r, the customer of s.
    await city.openRestaurant("r", at(0, 250));
    await city.openRestaurant("s", at(0, 0));
    await city.goOnline("d", at(0, -100));
    const places = { a: { from: "r", to: at(0, 2_000) }, b: { from: "s", to: at(0, 2_600) } };
    for (const [orderId, { from, to }] of Object.entries(places)) {
      await must(city.place(orderId, { customerId: `c-${orderId}`, restaurantId: from, destination: to }));
      await city.reach(orderId, "confirmed");
    }
    for (const [orderId, { from }] of Object.entries(places)) {
      await must(city.order(orderId, "accept", { orderId, prepMinutes: 5 }, restaurant(from)));
    }
    const card = await cardOf(city, "d", maxTripRestaurants, at(0, -100));
    if (maxTripRestaurants === 2) {
      const stops = ["pickup b", "pickup a", "dropoff a", "dropoff b"];
      t.same(
        card.stops.map(({ kind, orderId }) => `${kind} ${orderId}`),
        stops,
      );
      await must(city.drive("d", "acceptOffer", { offerId: card.offerId }));
      await city.kit.advance(100);
      const { work } = await city.driverState("d");
      t.equal(work.status, "on_trip");
      if (work.status === "on_trip") {
        t.same(
          tripView(work.trip).stops.map(({ kind, orderId }) => `${kind} ${orderId}`),
          stops,
        );
      }
      const seen = (await must(city.order("a", "dispatchView", null, support))) as DispatchView;
      t.match(seen.offers[0]?.why, /2 orders from 2 restaurants on one trip/);
      for (const orderId of ["b", "a"]) await must(city.drive("d", "pickUp", { orderId }));
      for (const orderId of ["a", "b"]) await must(city.drive("d", "deliver", { orderId }));
      await city.reach("b", "delivered");
      t.same(historyProblems(city.kit.store.committed), []);
    }
    t.same(city.kit.logs, []);
    await city.kit.close();
  }
});

t.test("rule 12: each customer of a trip sees the driver from their own pickup to their own delivery", async (t) => {
  const city = createCity({ settings: horizon });
  const { orderIds } = await acceptedTrip(city);
  const [first, second] = orderIds as [string, string];
  const gateway = await city.kit.subscribe(
    { kind: "driver", key: "d", channel: "location" },
    { id: "g", role: "gateway" },
  );
  const seen = async (): Promise<string[]> => {
    const before = gateway.slots.length;
    await city.kit.advance(5_000);
    await city.fix("d", at(100 + ((city.kit.now / 5_000) % 50)));
    await city.kit.advance(100);
    return [...new Set(gateway.slots.slice(before).map(({ slot }) => slot))].sort();
  };
  t.same(await seen(), []);
  await must(city.drive("d", "pickUp", { orderId: first }));
  await city.kit.advance(100);
  t.same(await seen(), [first]);
  await must(city.drive("d", "pickUp", { orderId: second }));
  await city.kit.advance(100);
  t.same(await seen(), [first, second].sort());
  await must(city.drive("d", "deliver", { orderId: first }));
  await city.kit.advance(100);
  t.same(await seen(), [second]);
  await must(city.drive("d", "deliver", { orderId: second }));
  await city.kit.advance(100);
  t.same(await seen(), []);
  await city.kit.close();
});

t.test("R-DSP-5: an order cancelled before the answer leaves the card, the rest stays on offer", async (t) => {
  const city = createCity({ settings: horizon });
  await city.openRestaurant("r");
  await city.goOnline("d", at(100));
  await twoOrders(city);
  const card = await cardOf(city, "d", 2);
  const heard = await phoneOf(city, "d");
  await must(city.order("a", "cancel", { orderId: "a", reason: "no" }, support));
  await city.kit.advance(100);
  const left = await city.offerTo("d");
  t.match(left, { offerId: card.offerId, orderIds: ["b"], payMinor: horizon.order.driverPayMinor });
  t.match(heard().at(-1), { type: "offer.changed", body: { offerId: card.offerId, orderIds: ["b"] } });
  await must(city.drive("d", "acceptOffer", { offerId: card.offerId }));
  await city.kit.advance(100);
  t.same(await tripOf(city), ["b"]);
  await must(city.order("b", "cancel", { orderId: "b", reason: "no" }, support));
  await city.kit.advance(100);
  t.equal((await city.driverState("d")).work.status, "free");
  t.same(historyProblems(city.kit.store.committed), []);
  await city.kit.close();
});

t.test("R-DSP-5: all orders of a card cancelled close it; an answer then hears so", async (t) => {
  const city = createCity({ settings: horizon });
  await city.openRestaurant("r");
  await city.goOnline("d", at(100));
  await twoOrders(city);
  const card = await cardOf(city, "d", 2);
  for (const orderId of ["a", "b"]) await must(city.order(orderId, "cancel", { orderId, reason: "no" }, support));
  await city.kit.advance(100);
  t.same((await city.driverState("d")).offers, []);
  t.equal(await codeOf(city.drive("d", "acceptOffer", { offerId: card.offerId })), "offer_withdrawn");
  await city.kit.close();
});

t.test("R-DSP-5: an order cancelled on the way leaves the trip, the stops of the other stay", async (t) => {
  const city = createCity({ settings: horizon });
  const { orderIds } = await acceptedTrip(city);
  const [first, second] = orderIds as [string, string];
  const heard = await phoneOf(city, "d");
  for (const orderId of orderIds) await must(city.drive("d", "pickUp", { orderId }));
  await must(city.order(first, "cancel", { orderId: first, reason: "no" }, support));
  await city.kit.advance(100);
  t.same(await tripOf(city), [second]);
  t.match(heard().at(-1), {
    type: "trip.changed",
    body: { trip: { stops: [{ orderId: second }, { orderId: second }] } },
  });
  t.equal((await viewOf(city, second)).anotherFirst, false);
  await must(city.drive("d", "deliver", { orderId: second }));
  await city.reach(second, "delivered");
  t.equal((await city.state(first)).delivery.status, "over");
  await city.kit.close();
});

t.test("rules 5 and 6: what the claim is lost for is missing from the trip, and found another driver", async (t) => {
  const city = createCity({ settings: horizon });
  await city.openRestaurant("r");
  await city.goOnline("d", at(100));
  await twoOrders(city);
  const card = await cardOf(city, "d", 2);
  // The store finds the driver on another trip, for one of the two.
  city.kit.store.refuseRow = (write: ActorWrite) => {
    const claim = write.kind === "order" && write.key === "a" ? write.claims[0] : undefined;
    return claim === undefined ? null : { reason: "claim_taken", ...claim };
  };
  await must(city.drive("d", "acceptOffer", { offerId: card.offerId }));
  await city.kit.advance(500);
  city.kit.store.heal();
  t.same(await tripOf(city), ["b"]);
  t.match((await city.state("b")).delivery, { status: "assigned", driver: { driverId: "d" } });
  t.match((await city.state("a")).excluded, ["d"]);
  await city.goOnline("d2", at(100));
  const other = await cardOf(city, "d2", 1);
  t.equal(other.orderId, "a");
  await must(city.drive("d2", "acceptOffer", { offerId: other.offerId }));
  await city.kit.advance(100);
  t.match((await city.state("a")).delivery, { status: "assigned", driver: { driverId: "d2" } });
  t.same(historyProblems(city.kit.store.committed), []);
  await city.kit.close();
});

t.test("R-DSP-6: a driver lost with two orders loses both, and both are offered again", async (t) => {
  const city = createCity({ settings: horizon });
  await acceptedTrip(city);
  await city.kit.advance(horizon.driver.stalledMs * 2 + 20_000);
  t.equal((await city.driverState("d")).work.status, "free");
  for (const orderId of ["a", "b"]) {
    t.match(
      (await city.state(orderId)).timeline.find(({ kind }) => kind === "driver_unassigned"),
      { reason: "driver_lost" },
      orderId,
    );
  }
  await city.goOnline("d2", at(100));
  const card = await cardOf(city, "d2", 2);
  await must(city.drive("d2", "acceptOffer", { offerId: card.offerId }));
  await city.kit.advance(100);
  t.equal((await tripOf(city, "d2")).length, 2);
  t.same(historyProblems(city.kit.store.committed), []);
  await city.kit.close();
});

t.test("rules 5 and 7: support gives one order of a card away while the driver accepts it", async (t) => {
  for (const seed of [1, 2, 3, 4, 5]) {
    const city = createCity({ settings: horizon, seed });
    await city.openRestaurant("r");
    await city.goOnline("d", at(100));
    await twoOrders(city);
    const card = await cardOf(city, "d", 2);
    await city.goOnline("d2", at(150));
    const { kit } = city;
    const assign = { orderId: "a", driverId: "d2", reason: "asked for" };
    const calls = [
      () => kit.send(Driver, "d", "acceptOffer", { offerId: card.offerId }, { caller: driver("d") }),
      () => kit.send(Order, "a", "assignManually", assign, { caller: support }),
    ];
    await kit.run(() => Promise.all((seed % 2 === 0 ? calls : calls.toReversed()).map((call) => call())));
    await kit.advance(500);
    const offer = await city.offerTo("d2");
    await must(city.drive("d2", "acceptOffer", { offerId: offer.offerId }));
    await kit.advance(500);
    t.match((await city.state("a")).delivery, { status: "assigned", driver: { driverId: "d2" } });
    t.match((await city.state("b")).delivery, { status: "assigned", driver: { driverId: "d" } });
    t.same([await tripOf(city), await tripOf(city, "d2")], [["b"], ["a"]]);
    t.same(historyProblems(kit.store.committed), []);
    await kit.close();
  }
});

t.test(
  "rules 1, 5, 6: the host dies at every commit between the tap and the trip; both orders end up on it",
  async (t) => {
    for (const fault of ["crash-before", "crash-after", "answer-lost"] as const) {
      for (let nth = 1; nth <= 5; nth++) {
        const city = createCity({ settings: horizon });
        const { kit } = city;
        await city.openRestaurant("r");
        await city.goOnline("d", at(100));
        await twoOrders(city);
        const card = await cardOf(city, "d", 2);
        let flushes = 0;
        kit.store.decide = ({ operation }) => (operation === "flush" && ++flushes === nth ? fault : null);
        void kit.send(Driver, "d", "acceptOffer", { offerId: card.offerId }, { caller: driver("d"), commandId: "tap" });
        await kit.advance(1_000);
        kit.store.heal();
        if (!kit.cluster.isAlive(0)) await kit.restart();
        // The phone sends it again under the same key.
        await kit.ask(Driver, "d", "acceptOffer", { offerId: card.offerId }, { caller: driver("d"), commandId: "tap" });
        await kit.advance(30_000);
        t.same(await tripOf(city), card.orderIds, `${fault} at flush ${nth}`);
        t.same(historyProblems(kit.store.committed), []);
        await kit.close();
      }
    }
  },
);

t.test("R-DSP-4: declined, the pair is excluded and the plan made anew at once; ignored, it expires", async (t) => {
  const city = createCity({ settings: horizon });
  await city.openRestaurant("r");
  await city.goOnline("d", at(100));
  await twoOrders(city);
  const card = await cardOf(city, "d", 2);
  await city.goOnline("d2", at(300));
  await must(city.drive("d", "declineOffer", { offerId: card.offerId, reason: "rain" }));
  for (const orderId of ["a", "b"]) {
    await city.kit.advance(100);
    t.same((await city.state(orderId)).excluded, ["d"]);
  }
  const second = await city.offerTo("d2", 5_000);
  t.equal(second.orderIds.length, 2);
  await city.kit.advance(horizon.order.offerMs + 2_000);
  t.equal(await codeOf(city.drive("d2", "acceptOffer", { offerId: second.offerId })), "offer_expired");
  for (const orderId of ["a", "b"]) t.same((await city.state(orderId)).excluded, ["d", "d2"]);
  const { record } = await city.driverState("d2");
  t.match(record, { answered: 1, accepted: 0 }, "silence is an answer");
  await city.kit.close();
});

t.test("R-DSP-2: a driver is asked when it is time to go, not before; R-DSP-7: and support sees why", async (t) => {
  const city = createCity({ settings: horizon });
  await city.openRestaurant("r");
  await city.goOnline("d", at(300));
  await must(city.place("o"));
  await city.reach("o", "confirmed");
  await must(city.order("o", "accept", { orderId: "o", prepMinutes: 20 }, restaurant("r")));
  const acceptedAt = city.kit.now;
  const offers = async (): Promise<number> => (await city.state("o")).offersMade.newest.length;
  while ((await offers()) === 0) {
    await city.kit.advance(5_000);
    await city.fix("d", at(300));
  }
  const minutes = (city.kit.now - acceptedAt) / 60_000;
  t.ok(minutes > 15 && minutes < 18, `asked after ${minutes} of 20 minutes of cooking, with 1.6 of way`);
  const seen = await must(city.order("o", "dispatchView", null, support));
  const [offer] = (seen as DispatchView).offers;
  t.match(offer, {
    driverId: "d",
    by: "horizon",
    outcome: "open",
    orderIds: ["o"],
    evidence: { terms: { lateMs: 0 } },
  });
  t.match(offer?.why, /^planned: \d+\.\d min to the restaurant/);
  await must(city.drive("d", "acceptOffer", { offerId: (await city.offerTo("d")).offerId }));
  await city.kit.advance(100);
  const after = (await must(city.order("o", "dispatchView", null, support))) as DispatchView;
  t.match(after, { search: "assigned", driverId: "d", offers: [{ outcome: "won" }] });
  t.ok(after.firstOfferAt !== null && after.dueAt !== null && after.firstOfferAt >= after.dueAt);
  t.equal((await city.state("o")).timeline.find(({ kind }) => kind === "driver_assigned")?.reason, offer?.why);
  for (const stranger of [customer("c"), driver("d"), restaurant("r")]) {
    t.equal(await codeOf(city.order("o", "dispatchView", null, stranger)), "not_found");
  }
  await city.kit.close();
});

t.test("R-DSP-1, R-DSP-2: equal cities with equal seeds decide alike, however the pool's answers fall", async (t) => {
  const story = async (): Promise<string> => {
    const city = createCity({ settings: horizon, seed: 5 });
    await city.openRestaurant("r");
    for (let i = 0; i < 4; i++) await city.goOnline(`d${i}`, at(100 + 400 * i));
    for (let i = 0; i < 6; i++) {
      await must(city.place(`o${i}`, { destination: at(1_500 + 300 * i, 100 * i) }));
      await city.reach(`o${i}`, "confirmed");
      await must(city.order(`o${i}`, "accept", { orderId: `o${i}`, prepMinutes: i }, restaurant("r")));
    }
    for (let i = 0; i < 60; i++) {
      await city.kit.advance(5_000);
      for (let d = 0; d < 4; d++) await city.fix(`d${d}`, at(100 + 400 * d));
    }
    const lines: string[] = [];
    for (let i = 0; i < 6; i++) {
      lines.push(JSON.stringify((await city.state(`o${i}`)).offersMade));
    }
    await city.kit.close();
    return lines.join("\n");
  };
  const one = await story();
  t.match(one, /horizon/);
  t.equal(one, await story());
});

t.test("R-DSP-1: the parts of a hot zone plan for themselves", async (t) => {
  const settings = { ...horizon, zone: { ...horizon.zone, splitAbove: 1, mergeBelow: 1 } };
  const city = createCity({ settings });
  await city.openRestaurant("r");
  await twoOrders(city, 0);
  await city.kit.advance(1_100);
  await city.goOnline("d", at(100));
  const card = await cardOf(city, "d", 2);
  await must(city.drive("d", "acceptOffer", { offerId: card.offerId }));
  await city.kit.advance(100);
  t.same(await tripOf(city), card.orderIds);
  await city.kit.close();
});
