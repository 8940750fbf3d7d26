import t from "tap";
import { CENTRE, codeOf, createCity, customer, must, restaurant } from "../fixtures/city.js";
import { Driver, Order, Restaurant } from "../mod.js";

const HOME = { lat: 4.668123, lng: -74.081234, address: "Calle 93 # 14-20, the blue door" };
const NOTE = "ring at Ana's";
const accounts = { id: "c", role: "accounts" };

t.test("R-ACC-4: an order that is over forgets whose door it was, and keeps the money and the story", async (t) => {
  const city = createCity();
  await city.openRestaurant("r");
  const forget = (orderId: string, customerId = "c") =>
    city.kit.ask(Order, orderId, "forgetPerson", { customerId }, { caller: accounts });
  for (const orderId of ["o", "cancelled"]) {
    const placement = { ...city.placement(), destination: HOME, note: NOTE };
    await must(city.kit.ask(Order, orderId, "place", placement, { caller: customer("c") }));
    await city.reach(orderId, "confirmed");
  }
  t.equal(await codeOf(forget("o")), "illegal_transition", "food is on its way to that door");
  t.equal(await codeOf(forget("o", "somebody")), "not_found");
  t.equal(await codeOf(forget("nobodys")), "not_found");
  await must(city.order("cancelled", "cancel", { orderId: "cancelled", reason: NOTE }, customer("c")));
  await must(city.order("o", "accept", { orderId: "o", prepMinutes: 1 }, restaurant("r")));
  await city.goOnline("d");
  await must(city.drive("d", "acceptOffer", { offerId: (await city.offerTo("d")).offerId }));
  while ((await city.state("o")).delivery.status !== "assigned") await city.kit.advance(20);
  await must(city.order("o", "markReady", { orderId: "o" }, restaurant("r")));
  await must(city.drive("d", "pickUp", { orderId: "o" }));
  await city.reach("o", "picked_up");
  t.equal(await codeOf(forget("o")), "illegal_transition");
  await must(city.drive("d", "deliver", { orderId: "o" }));
  await city.reach("o", "delivered");
  await city.kit.advance(5_000);
  const before = await city.state("o");

  for (const orderId of ["o", "cancelled"]) t.same(await must(forget(orderId)), { forgotten: true });
  const after = await city.state("o");
  t.match(after.content, { destination: { lat: 4.67, lng: -74.08 }, note: null, totals: before.content!.totals });
  t.same(after.content!.lines, before.content!.lines);
  t.same([after.payment, after.delivery, after.timeline], [before.payment, before.delivery, before.timeline]);
  t.equal((await city.state("cancelled")).closed?.reason, "");
  for (const orderId of ["o", "cancelled"]) await must(forget(orderId));
  t.equal((await city.state("o")).revision, after.revision, "again it changes nothing");

  // What devices may ask for again is gone with it; who has not heard all starts from a snapshot.
  await city.kit.advance(1_000);
  const inbox = { kind: Restaurant.kind, key: "r", channel: "inbox" };
  const late = await city.kit.subscribe(inbox, restaurant("r"), { epoch: 1, offset: 1 });
  t.equal(late.starts[0]?.recovered, false);
  await city.place("next");
  await city.reach("next", "confirmed");
  await city.kit.advance(1_000);
  t.match(late.events, [{ type: "order.new" }], "and hears what is new");

  const addresses = [
    ...["o", "cancelled"].map((key) => ({ kind: "order", key, shard: 0 })),
    { kind: "restaurant", key: "r", shard: 0 },
    { kind: "driver", key: "d", shard: 0 },
  ];
  const loaded = await city.kit.store.inner.load(addresses, 1_000);
  const rows = await city.kit.store.inner.queryIndex({ kind: "order", owner: "c", limit: 10 });
  const kept = JSON.stringify([loaded, rows], (_name, value: unknown) =>
    value instanceof Uint8Array ? Buffer.from(value).toString() : value,
  );
  t.ok(kept.includes("arepa"), "it was really read");
  for (const secret of ["Calle 93", "668123", NOTE]) t.notOk(kept.includes(secret), secret);
  await city.kit.close();
});

t.test("R-ACC-4: a driver who is forgotten has no name in the orders they brought, and drives no more", async (t) => {
  const city = createCity();
  await city.openRestaurant("r");
  const RIDER = "Danubio Quispe";
  const forget = (driverId: string) =>
    city.kit.ask(Order, "o", "forgetDriver", { driverId }, { caller: { id: driverId, role: "accounts" } });
  const leave = () => city.kit.ask(Driver, "d", "forgetPerson", null, { caller: { id: "d", role: "accounts" } });
  await must(city.place("o"));
  await city.reach("o", "confirmed");
  await must(city.order("o", "accept", { orderId: "o", prepMinutes: 1 }, restaurant("r")));
  await must(city.drive("d", "goOnline", { name: RIDER, vehicle: "bicycle", ...CENTRE }));
  await must(city.drive("d", "acceptOffer", { offerId: (await city.offerTo("d")).offerId }));
  while ((await city.state("o")).delivery.status !== "assigned") await city.kit.advance(20);
  t.equal(await codeOf(forget("d")), "illegal_transition");
  t.equal(await codeOf(leave()), "driver_busy", "somebody waits for the food");
  await must(city.order("o", "markReady", { orderId: "o" }, restaurant("r")));
  await must(city.drive("d", "pickUp", { orderId: "o" }));
  await city.reach("o", "picked_up");
  await must(city.drive("d", "deliver", { orderId: "o" }));
  await city.reach("o", "delivered");
  await city.kit.advance(5_000);
  const before = await city.state("o");

  await must(leave());
  await must(leave());
  await must(forget("another"));
  t.equal((await city.state("o")).revision, before.revision, "not theirs: nothing changes");
  await must(forget("d"));
  await must(forget("d"));
  const after = await city.state("o");
  t.equal(after.revision, before.revision + 1);
  t.same([after.content, after.payment, after.timeline], [before.content, before.payment, before.timeline]);
  t.match(after.delivery, { status: "delivered", driver: { driverId: "d", name: "" } });
  await city.kit.advance(1_000);
  const loaded = await city.kit.store.inner.load(
    ["order/o", "restaurant/r", "driver/d"].map((address) => {
      const [kind = "", key = ""] = address.split("/");
      return { kind, key, shard: 0 };
    }),
    1_000,
  );
  const rows = await city.kit.store.inner.queryIndex({ kind: "order", owner: "c", limit: 10 });
  const kept = JSON.stringify([loaded, rows], (_name, value: unknown) =>
    value instanceof Uint8Array ? Buffer.from(value).toString() : value,
  );
  t.ok(kept.includes("arepa"), "it was really read");
  t.notOk(kept.includes(RIDER));
  t.notOk(JSON.stringify(rows).includes('"driver":'), "the view has no driver without a name");
  await city.kit.close();
});
