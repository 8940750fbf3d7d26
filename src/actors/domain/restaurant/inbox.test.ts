import t from "tap";
import type { InboxSnapshot, TabletEvent } from "../../../protocol/mod.js";
import { type City, createCity, must, restaurant, support } from "../fixtures/city.js";
import { Restaurant } from "../mod.js";

const channel = { kind: "restaurant", key: "r", channel: "inbox" };
const tabletOf = (city: City, from: { epoch: number; offset: number } | null = null) =>
  city.kit.subscribe(channel, restaurant("r"), from);
const events = (tablet: Awaited<ReturnType<typeof tabletOf>>) =>
  tablet.events.map(({ type, body }) => ({ type, body }) as unknown as TabletEvent);

t.test("R-RST-4, rule 10: a confirmed order is on the tablet at once, and again until a person answers", async (t) => {
  const city = createCity();
  await city.openRestaurant("r");
  const tablet = await tabletOf(city);
  await city.bring("o", "confirmed");
  await city.kit.advance(50);
  t.match(events(tablet), [{ type: "order.new", body: { orderId: "o", attempt: 1, totals: { totalMinor: 2_444 } } }]);
  tablet.acknowledge(tablet.starts[0]!.epoch, tablet.events.at(-1)!.offset);
  await city.kit.advance(city.settings.restaurant.redeliverMs * 2 + 100);
  t.same(
    events(tablet).map((event) => (event.type === "order.new" ? event.body.attempt : event.type)),
    [1, 2, 3],
  );
  await must(city.order("o", "accept", { orderId: "o", prepMinutes: 5 }, restaurant("r")));
  await city.kit.advance(10 * 60_000);
  t.equal(events(tablet).filter(({ type }) => type === "order.new").length, 3, "answered is answered");
  t.match(events(tablet).at(3), { type: "order.changed", body: { orderId: "o", status: "accepted" } });
  await city.kit.close();
});

t.test("R-RST-4, rule 10: what a device has stored says nothing of an order that came after it", async (t) => {
  const city = createCity();
  await city.openRestaurant("r");
  const tablet = await tabletOf(city);
  await city.bring("first", "confirmed");
  await city.kit.advance(50);
  const { offset } = tablet.events.at(-1)!;
  await must(city.place("second"));
  await city.reach("second", "confirmed");
  await city.kit.advance(50);
  tablet.acknowledge(tablet.starts[0]!.epoch, offset);
  await city.kit.advance(50);
  const inbox = await must(city.kit.ask(Restaurant, "r", "inboxView", null, { caller: support }));
  t.strictSame(
    inbox.orders.map(({ orderId, state }) => [orderId, state]),
    [
      ["first", "delivered"],
      ["second", "sent"],
    ],
  );
  await city.kit.close();
});

t.test("R-RST-4, rule 10: nothing is missed across reconnects, reloads and crashes of the host", async (t) => {
  const city = createCity();
  await city.openRestaurant("r");
  const first = await tabletOf(city);
  await city.bring("a", "confirmed");
  await city.kit.advance(50);
  const { epoch } = first.starts[0]!;
  const offset = first.events.at(-1)!.offset;
  first.close();
  await must(city.place("b"));
  await city.reach("b", "confirmed");
  await city.kit.crash();
  await city.kit.restart();
  await city.kit.advance(100);
  const again = await tabletOf(city, { epoch, offset });
  t.equal(again.starts[0]?.recovered, true);
  t.ok(events(again).some((event) => event.type === "order.new" && event.body.orderId === "b"));
  t.notOk(
    again.events.some((event) => event.offset <= offset),
    "no repeats of what was seen",
  );
  const fresh = await tabletOf(city);
  const snapshot = fresh.latest().snapshot as InboxSnapshot;
  t.same(snapshot.orders.map(({ orderId, status }) => [orderId, status]).sort(), [
    ["a", "confirmed"],
    ["b", "confirmed"],
  ]);
  t.match(snapshot.orders[0], { totals: { totalMinor: 2_444 }, lines: [{ itemId: "arepa", quantity: 2 }] });
  const before = again.events.length;
  await city.kit.advance(city.settings.restaurant.redeliverMs * 2);
  const told = events(again).slice(before);
  t.ok(
    told.some((event) => event.type === "order.new" && event.body.orderId === "a"),
    "redelivery survived the crash",
  );
  await city.kit.close();
});

t.test("R-RST-4: the tablet hears of a cancellation and of the driver who comes", async (t) => {
  const city = createCity();
  await city.openRestaurant("r");
  const tablet = await tabletOf(city);
  await city.bring("o", "assigned");
  await city.kit.advance(50);
  t.match(events(tablet).at(-1), {
    type: "driver.assigned",
    body: { orderId: "o", driver: { name: "Driver d", vehicle: "bicycle" } },
  });
  await must(city.order("o", "cancel", { orderId: "o", reason: "fire" }, support));
  await city.kit.advance(50);
  t.match(events(tablet).at(-1), {
    type: "order.changed",
    body: { orderId: "o", status: "cancelled", reason: "fire" },
  });
  const fresh = await tabletOf(city);
  t.same((fresh.latest().snapshot as InboxSnapshot).orders, []);
  await city.kit.close();
});

t.test(
  "R-RST-4: food that is on its way, and there, is told at once, without a commit of the restaurant's",
  async (t) => {
    const city = createCity();
    const { kit } = city;
    await city.openRestaurant("r");
    const state = { kind: "restaurant", key: "r", channel: "state" };
    const mine = await kit.subscribe(state, restaurant("r"));
    const others = await kit.subscribe(state, restaurant("x"));
    t.equal(others.ended?.code, "not_found");
    await city.bring("o", "assigned");
    const compare = await must(
      kit.ask(Restaurant, "r", "tablet", { deviceId: "counter", holds: ["o"] }, { caller: restaurant("r") }),
    );
    t.match(compare.drivers, [["o", { name: /./, vehicle: /./ }]], "who comes for it");
    await must(city.order("o", "markReady", { orderId: "o" }, restaurant("r")));
    const commits = () => kit.store.committed.filter(({ kind }) => kind === "restaurant").length;
    await kit.advance(1_000);
    const before = commits();
    await must(city.drive("d", "pickUp", { orderId: "o" }));
    await kit.advance(50);
    t.match(mine.latest().o, { orderId: "o", status: "picked_up" });
    await must(city.drive("d", "deliver", { orderId: "o" }));
    await city.reach("o", "delivered");
    await kit.advance(50);
    t.match(mine.latest().o, { orderId: "o", status: "delivered" });
    t.equal(commits(), before);
    await kit.close();
  },
);

t.test("R-RST-4: who comes for an order is known again after a crash", async (t) => {
  const city = createCity();
  await city.openRestaurant("r");
  await city.bring("o", "assigned");
  await city.kit.crash();
  await city.kit.restart();
  const tablet = await tabletOf(city);
  t.match((tablet.latest().snapshot as InboxSnapshot).orders, [{ orderId: "o", driver: { name: /./ } }]);
  await city.kit.close();
});

t.test("R-RST-4: a note reaches the kitchen, also after a crash; never the customer's view", async (t) => {
  const city = createCity();
  await city.openRestaurant("r");
  const { Order } = await import("../mod.js");
  const caller = { id: "c", role: "customer" };
  await city.kit.must(Order, "o", "place", { ...city.placement(), note: "no onions" }, { caller });
  await city.reach("o", "confirmed");
  await city.kit.crash();
  await city.kit.restart();
  const tablet = await tabletOf(city);
  t.match((tablet.latest().snapshot as InboxSnapshot).orders, [{ orderId: "o", note: "no onions" }]);
  const stranger = await city.kit.subscribe(channel, restaurant("other"));
  t.equal(stranger.ended?.code, "not_found");
  await city.kit.close();
});

t.test("R-RST-5: what was picked up while its restaurant was away does not stay open for ever", async (t) => {
  const city = createCity();
  await city.openRestaurant("r", { kitchenCapacity: 1 });
  await city.bring("o", "assigned");
  // The word that the food has left is lost with the host that held it.
  await must(city.order("o", "markReady", { orderId: "o" }, restaurant("r")));
  await must(city.drive("d", "pickUp", { orderId: "o" }));
  await city.reach("o", "picked_up");
  await city.kit.crash();
  await city.kit.restart();
  await must(city.place("next"));
  await city.reach("next", "confirmed");
  t.same(Object.keys((await city.stock("r")).orders), ["next"]);
  await city.kit.close();
});
