import t from "tap";
import { shardOf } from "../../runtime/shard.js";
import type { StoreCall } from "../../runtime/testkit/mod.js";
import {
  at,
  type City,
  codeOf,
  createCity,
  customer,
  driver,
  must,
  type PlaceOptions,
  restaurant,
} from "../fixtures/city.js";
import { Driver, Order } from "../mod.js";

const commitsOf = (city: City, kind: string): number =>
  city.kit.store.committed.filter((write) => write.kind === kind).length;

t.test(
  "R-ORD-1, R-ENG-3: what nobody counts is placed and reserved in one commit; a counted dish is held first",
  async (t) => {
    const city = createCity();
    await city.openRestaurant("r");
    const before = commitsOf(city, "restaurant");
    await must(city.place("o"));
    t.same([commitsOf(city, "order"), commitsOf(city, "restaurant") - before], [1, 0]);
    t.match(await city.state("o"), {
      kitchen: { status: "reserved", unheld: true },
      payment: { status: "authorising" },
    });

    await must(city.place("soup", { lines: [{ itemId: "soup", quantity: 2, unitPriceMinor: 2_100 }] }));
    await city.reach("soup", "confirmed");
    t.equal((await city.stock("r")).left.soup, 3);
    t.match((await city.stock("r")).orders, { soup: { took: [["soup", 2]] } });
    await city.kit.close();
  },
);

t.test(
  "R-RST-4, rule 10: an order of which nothing is held is on the tablet, also when its restaurant crashes before",
  async (t) => {
    const city = createCity();
    await city.openRestaurant("r");
    await must(city.place("o"));
    await city.kit.crash();
    await city.kit.restart();
    await city.reach("o", "confirmed");
    await city.kit.advance(1_000);
    t.match((await city.stock("r")).orders, { o: { stage: "offered", took: [] } });
    await must(city.order("o", "accept", { orderId: "o", prepMinutes: 1 }, restaurant("r")));
    await city.kit.close();
  },
);

t.test("R-ORD-1: refused before it is kept: the order stands, with the reason", async (t) => {
  const city = createCity();
  await city.openRestaurant("r");
  await must(city.cook("r", "setOpen", { open: false }));
  t.match(await must(city.place("o")), { orderId: "o", status: "placed" });
  t.equal(await city.status("o"), "rejected");
  t.match((await city.state("o")).closed, { refusal: { code: "restaurant_closed" } });
  t.equal(commitsOf(city, "order"), 1);
  await city.kit.close();
});

t.test("rule 17: an order of which nothing was held gives nothing back, and no tablet hears of its end", async (t) => {
  const city = createCity({ declines: () => true });
  await city.openRestaurant("r");
  const tablet = await city.kit.subscribe({ kind: "restaurant", key: "r", channel: "inbox" }, restaurant("r"));
  await must(city.place("o"));
  // Counted from now on: what the order wanted was not among them.
  await must(city.cook("r", "setItem", { itemId: "arepa", available: true, stock: 4 }));
  await city.reach("o", "rejected");
  await city.kit.advance(1_000);
  t.equal((await city.stock("r")).left.arepa, 4);
  t.same(
    tablet.events.filter(({ type }) => type.startsWith("order.")),
    [],
  );
  await city.kit.close();
});

t.test("R-RST-5: orders that are still being paid have their place in the kitchen", async (t) => {
  const city = createCity({ declines: () => true });
  await city.openRestaurant("r", { kitchenCapacity: 1 });
  await must(city.place("first"));
  t.equal(await city.status("first"), "placed");
  await must(city.place("second"));
  t.match((await city.state("second")).closed, { refusal: { detail: { reason: "kitchen_full" } } });
  await city.reach("first", "rejected");
  await city.kit.advance(1_000);
  await must(city.place("third"));
  t.equal(await city.status("third"), "placed", "the place is free again");
  await city.reach("third", "rejected");
  await city.kit.advance(1_000);
  // Of an order that a crash has made forget that it asked, nobody hears again.
  const { lines, totals, destination } = city.placement();
  const to = { kind: "restaurant", key: "r" };
  const input = { orderId: "ghost", lines, totals, destination };
  await city.kit.inject(to, { t: "cast", to, name: "reserve", input, caller: null, from: null });
  await must(city.place("fourth"));
  t.match((await city.state("fourth")).closed, { refusal: { detail: { reason: "kitchen_full" } } });
  await city.kit.advance(city.settings.order.placementDeadlineMs);
  await must(city.place("fifth"));
  t.equal(await city.status("fifth"), "placed", "its place does not stay taken");
  await city.kit.close();
});

t.test("R-ORD-1: a restaurant that cannot be reached does not hold the customer up", async (t) => {
  const city = createCity({ hosts: 2 });
  await city.openRestaurant("r");
  city.kit.linkFault = (_from, _to, message) => (message.t === "cast" || message.t === "tell" ? "drop" : null);
  const startedAt = city.kit.now;
  const orders = ["o1", "o2", "o3", "o4"];
  for (const orderId of orders) t.match(await must(city.place(orderId)), { orderId, status: "placed" });
  t.ok(city.kit.now - startedAt < orders.length * 300);
  city.kit.linkFault = () => null;
  for (const orderId of orders) await city.reach(orderId, "confirmed");
  await city.kit.close();
});

/** An order on offer to driver `d`, who can be asked. */
async function onOffer(city: City): Promise<string> {
  await city.openRestaurant("r");
  await city.goOnline("d");
  await city.bring("o", "accepted");
  return (await city.offerTo("d")).offerId;
}

t.test("R-DSP-4, R-ENG-3: claimed and won are one commit of the driver", async (t) => {
  const city = createCity();
  const offerId = await onOffer(city);
  await city.kit.advance(1_000);
  const before = commitsOf(city, "driver");
  t.same(await must(city.drive("d", "acceptOffer", { offerId })), { claiming: offerId });
  t.equal(commitsOf(city, "driver") - before, 1);
  t.equal((await city.driverState("d")).work.status, "on_trip", "who is told so has the trip");
  await city.kit.advance(1_000);
  t.same([(await city.state("o")).delivery.status, commitsOf(city, "driver") - before], ["assigned", 1]);
  await city.kit.close();
});

t.test("rule 5: a claim that a crash forgot is won all the same: its card was still open", async (t) => {
  const city = createCity();
  const offerId = await onOffer(city);
  const { kit } = city;
  kit.store.decide = (call) =>
    call.batch?.actors.some(({ kind, key }) => kind === "driver" && key === "d") ? "unavailable" : null;
  // Whoever tapped is gone with the crash, too: nobody asks again.
  const tap = kit.send(Driver, "d", "acceptOffer", { offerId }, { caller: driver("d"), timeoutMs: 100 });
  await kit.advance(60);
  t.equal((await city.state("o")).delivery.status, "assigned");
  t.equal((await city.driverState("d")).work.status, "free", "nothing of it is kept");
  await kit.crash();
  kit.store.heal();
  await kit.restart();
  await kit.run(() => tap);
  await kit.advance(3_000);
  t.match(await city.state("o"), { delivery: { status: "assigned", driver: { driverId: "d", offerId } } });
  const { work } = await city.driverState("d");
  t.match(work, { status: "on_trip", trip: { legs: [{ orderId: "o" }], claims: [] } });
  const { delivery } = await city.state("o");
  if (work.status === "free" || delivery.status !== "assigned") throw new Error("not won");
  const forgotten = delivery.driver.seat?.trip ?? 0;
  t.not(work.trip.number % 4, forgotten % 4, "claimed anew under a number that meets the forgotten one in the guard");
  t.equal(await codeOf(city.drive("d", "pickUp", { orderId: "o" })), "ok");
  await city.kit.close();
});

t.test(
  "rule 14: an order's own word that crosses a lost claim does not answer it: the claim is told again",
  async (t) => {
    const city = createCity({ hosts: 2 });
    const { kit } = city;
    const hostOf = (kind: string, key: string) => kit.cluster.shardMap.ownerOf(shardOf({ kind, key }));
    await city.openRestaurant("r");
    // An order at another host than its driver.
    const orderId = Array.from({ length: 20 }, (_, i) => `o${i}`).find(
      (key) => hostOf("order", key) !== hostOf("driver", "d"),
    );
    if (orderId === undefined) throw new Error("all orders are at the driver's host");
    await city.goOnline("d");
    await city.bring(orderId, "accepted");
    const { offerId } = await city.offerTo("d");
    await kit.advance(1_000);
    kit.linkFault = (_from, _to, message) => (message.t === "cast" && message.name === "claim" ? "drop" : null);
    const tap = kit.send(Driver, "d", "acceptOffer", { offerId }, { caller: driver("d") });
    await kit.advance(2);
    await must(city.order(orderId, "cancel", { orderId, reason: "too slow" }, customer("c")));
    await kit.run(() => tap);
    kit.linkFault = () => null;
    await kit.advance(5_000);
    t.equal(await city.status(orderId), "cancelled");
    t.equal((await city.driverState("d")).work.status, "free");
    await kit.close();
  },
);

t.test("rule 13: won by a claim that a crash forgot, and heard of too late: the order looks on", async (t) => {
  const city = createCity();
  const offerId = await onOffer(city);
  const { kit } = city;
  const ofDriver = (call: StoreCall): boolean =>
    call.batch?.actors.some(({ kind, key }) => kind === "driver" && key === "d") ?? false;
  kit.store.decide = (call) => (ofDriver(call) ? "unavailable" : null);
  const tap = kit.send(Driver, "d", "acceptOffer", { offerId }, { caller: driver("d"), timeoutMs: 100 });
  await kit.advance(60);
  t.equal((await city.state("o")).delivery.status, "assigned");
  await kit.crash();
  await kit.run(() => tap);
  await kit.advance(city.settings.order.offerMs);
  kit.store.heal();
  await kit.restart();
  t.equal(await codeOf(city.drive("d", "acceptOffer", { offerId })), "offer_expired");
  await kit.advance(3_000);
  t.equal((await city.driverState("d")).work.status, "free");
  t.match((await city.state("o")).delivery.status, /searching|offered/);
  await city.kit.close();
});

t.test("rule 6: a driver who has won what is on no card of theirs lets it go", async (t) => {
  const city = createCity();
  await onOffer(city);
  await city.goOnline("d2", at(400));
  // As an order would tell that decided for a claim of before a crash, when the card has closed since.
  await must(city.kit.ask(Driver, "d2", "claimWon", { orderId: "o", offerId: "forgotten" }));
  await city.kit.advance(500);
  t.equal((await city.driverState("d2")).work.status, "free");
  t.match((await city.state("o")).delivery, { status: "offered" }, "what it was not asked for changes nothing");
  await city.kit.close();
});

const ONE_SOUP: PlaceOptions = { lines: [{ itemId: "soup", quantity: 1, unitPriceMinor: 2_100 }] };
for (const [what, wanted] of [
  ["its only portion", ONE_SOUP],
  ["its place in the kitchen", {}],
] as const) {
  t.test(`rule 17: refused ahead, and held when the asking came once more: ${what} is free again`, async (t) => {
    const city = createCity({ hosts: 2 });
    const { kit } = city;
    await city.openRestaurant("r", { kitchenCapacity: 1 });
    await must(city.cook("r", "setItem", { itemId: "soup", stock: 1 }));
    await must(city.place("a", wanted));
    await city.reach("a", "confirmed");
    // The asking ahead comes when the order has been kept, and asks again, for which the restaurant has become free.
    kit.linkFault = (_from, _to, message) => {
      if (!("name" in message) || message.name !== "reserve") return null;
      return message.t === "cast" ? { delayMs: 260 } : { delayMs: 150 };
    };
    const placing = kit.send(Order, "b1", "place", city.placement(wanted), { caller: customer("c2") });
    await kit.advance(290);
    const cancelling = kit.send(Order, "a", "cancel", { orderId: "a", reason: "no" }, { caller: customer("c") });
    await kit.advance(5_000);
    await kit.run(() => Promise.all([placing, cancelling]));
    kit.linkFault = () => null;
    t.equal(await city.status("b1"), "rejected");
    t.match(await city.stock("r"), { orders: {}, left: { soup: 1 } });
    t.same(Object.keys((await city.stock("r")).orders), []);
    await must(city.place("after", wanted));
    await city.reach("after", "confirmed");
    await kit.close();
  });
}
