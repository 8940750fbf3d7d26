import t from "tap";
import type { OrderTracking, OrderView } from "../../../protocol/mod.js";
import {
  codeOf,
  createCity,
  customer,
  driver,
  illegalMove,
  moves,
  must,
  restaurant,
  support,
} from "../fixtures/city.js";
import { Order } from "../mod.js";

t.test("R-ORD-3, R-TRK-4: an order from the tap to the door, each move by whom it should be", async (t) => {
  const city = createCity();
  await city.openRestaurant("r");
  await city.bring("o", "delivered");
  await city.kit.advance(1_000);
  const state = await city.state("o");
  t.equal(illegalMove(state), null);
  t.same(
    state.timeline.map(({ kind, by }) => `${kind} by ${by}`),
    [
      "placed by customer",
      "confirmed by system",
      "accepted by restaurant",
      // One minute where the menu says fifteen.
      "eta_changed by system",
      "preparing by restaurant",
      "driver_assigned by system",
      "ready by restaurant",
      "picked_up by driver",
      "delivered by driver",
      "payment_captured by payment",
    ],
  );
  t.equal(state.payment.status, "captured");
  const [authorisation] = [...city.bank.book.authorisations().values()];
  t.same(authorisation, {
    orderId: "o",
    currency: "COP",
    authorisedMinor: 2_444,
    capturedMinor: 2_444,
    refundedMinor: 0,
    voided: false,
  });
  t.same(
    city.kit.published({ kind: "order", key: "o" }).map(({ type }) => type),
    [
      "order.placed",
      "order.confirmed",
      "order.accepted",
      "order.eta_changed",
      "order.preparing",
      "order.offer_made",
      "order.offer_closed",
      "order.driver_assigned",
      "order.ready",
      "order.picked_up",
      "order.delivered",
      "order.payment_captured",
    ],
  );
  t.same(city.kit.logs, []);
  t.same(city.kit.deadLetters, []);
  await city.kit.close();
});

t.test("R-ORD-6: price, tax, fee and tip are fixed at placement", async (t) => {
  const city = createCity();
  await city.openRestaurant("r");
  const placed = await must(city.place("o", { tipMinor: 300 }));
  t.same(placed, {
    orderId: "o",
    status: "placed",
    version: 1,
    totals: {
      currency: "COP",
      itemsMinor: 1_800,
      feeMinor: 500,
      taxMinor: 144,
      tipMinor: 300,
      discountMinor: 0,
      totalMinor: 2_744,
    },
  });
  await must(city.cook("r", "setItem", { itemId: "arepa", priceMinor: 5_000 }));
  await city.reach("o", "confirmed");
  t.equal((await city.state("o")).content?.totals.totalMinor, 2_744, "the new price is for later orders");
  const view = await city.kit.subscribe({ kind: "order", key: "o", channel: "view" }, customer("c"));
  t.equal((view.latest().view as OrderView).totals.totalMinor, 2_744);
  await city.kit.close();
});

t.test("R-ORD-5, rule 2: a refusal at the door is remembered, whatever the menu says by then", async (t) => {
  const city = createCity();
  await city.openRestaurant("r");
  const asked = { caller: customer("c"), commandId: "tap-1" };
  const refusal = { code: "price_changed", detail: { items: [{ itemId: "arepa", unitPriceMinor: 1_000 }] } };
  const first = await city.kit.ask(Order, "o", "place", { ...city.placement({}), refusal }, asked);
  t.match(first, { ok: false, error: { code: "price_changed", detail: refusal.detail } });
  const again = await city.kit.ask(Order, "o", "place", city.placement({}), asked);
  t.same(again, first, "the price is back, the answer stays");
  await city.kit.crash();
  await city.kit.restart();
  t.same(await city.kit.ask(Order, "o", "place", city.placement({}), asked), first, "also after a crash");
  await must(city.place("p", { commandId: "tap-2" }));
  await city.reach("p", "confirmed");
  await city.kit.close();
});

t.test("R-ORD-1: a changed price, a dish that is gone, a closed door, a far door, a full kitchen", async (t) => {
  const city = createCity();
  await city.openRestaurant("r", { kitchenCapacity: 1, deliveryRadiusMeters: 5_000 });
  const refusal = async (id: string) => {
    await city.reach(id, "rejected");
    const { closed, payment } = await city.state(id);
    t.equal(payment.status, "none", "nothing was authorised");
    return closed?.refusal;
  };
  await must(city.cook("r", "setItem", { itemId: "arepa", priceMinor: 1_000 }));
  await must(city.place("price"));
  t.match(await refusal("price"), {
    code: "price_changed",
    detail: { items: [{ itemId: "arepa", unitPriceMinor: 1_000 }] },
  });
  await must(city.place("gone", { lines: [{ itemId: "soup", quantity: 6, unitPriceMinor: 2_100 }] }));
  t.match(await refusal("gone"), { code: "item_unavailable", detail: { items: [{ itemId: "soup", left: 5 }] } });
  const soup = [{ itemId: "soup", quantity: 1, unitPriceMinor: 2_100 }];
  await must(city.place("far", { lines: soup, destination: { lat: 4.8, lng: -74.08 } }));
  t.match(await refusal("far"), { code: "out_of_area" });
  await must(city.place("first", { lines: soup }));
  await must(city.place("second", { lines: soup }));
  t.match(await refusal("second"), { code: "restaurant_closed", detail: { reason: "kitchen_full" } });
  await must(city.cook("r", "setOpen", { open: false }));
  await must(city.place("late", { lines: soup }));
  t.match(await refusal("late"), { code: "restaurant_closed" });
  await city.kit.close();
});

t.test("R-ORD-5, rule 2: the same placement five times is one order and one charge", async (t) => {
  const city = createCity();
  await city.openRestaurant("r");
  const send = () => city.kit.send(Order, "o", "place", city.placement(), { caller: customer("c"), commandId: "k" });
  const replies = await city.kit.run(() => Promise.all([send(), send(), send(), send(), send()]));
  for (const reply of replies) t.same(reply, replies[0]);
  await city.reach("o", "confirmed");
  t.same(await city.place("o", { commandId: "k" }), replies[0], "also later");
  t.equal(city.bank.book.authorisations().size, 1);
  t.equal(Object.keys((await city.stock("r")).orders).length, 1);
  await city.kit.close();
});

t.test("R-ACC-3: another's order does not exist", async (t) => {
  const city = createCity();
  await city.openRestaurant("r");
  await city.openRestaurant("other");
  await city.bring("o", "confirmed");
  const reason = { orderId: "o", reason: "no" };
  t.equal(await codeOf(city.order("o", "cancel", reason, customer("stranger"))), "not_found");
  t.equal(await codeOf(city.order("o", "cancel", reason, restaurant("other"))), "not_found");
  t.equal(await codeOf(city.order("o", "cancel", reason, driver("d"))), "not_found");
  t.equal(await codeOf(city.order("o", "accept", { orderId: "o" }, restaurant("other"))), "not_found");
  t.equal(await codeOf(city.order("o", "accept", { orderId: "o" }, customer("c"))), "not_found");
  t.equal(await codeOf(city.order("o", "assignManually", { ...reason, driverId: "d" }, customer("c"))), "not_found");
  const stranger = await city.kit.subscribe({ kind: "order", key: "o", channel: "view" }, customer("stranger"));
  t.equal(stranger.ended?.code, "not_found");
  const agent = await city.kit.subscribe({ kind: "order", key: "o", channel: "view" }, support);
  t.equal(agent.ended, null);
  t.equal(await codeOf(city.place("o", { customerId: "stranger", commandId: "other" })), "not_found");
  await city.kit.close();
});

t.test("R-TRK-1: the mirror answers polls with the same view that subscribers get", async (t) => {
  const city = createCity();
  await city.openRestaurant("r");
  await city.bring("o", "accepted");
  const listener = await city.kit.subscribe({ kind: "order", key: "o", channel: "view" }, customer("c"));
  await must(city.order("o", "startPreparing", { orderId: "o" }, restaurant("r")));
  await city.kit.advance(500);
  const [entry] = await city.mirror.read(["view:o"]);
  const tracking = entry?.value as unknown as OrderTracking;
  t.equal(tracking.customerId, "c");
  t.same(tracking.view, listener.latest().view);
  t.same(tracking, listener.latest().tracking);
  t.same(moves(tracking.view), ["placed", "confirmed", "accepted", "preparing"]);
  t.equal("note" in tracking, false);
  await city.kit.close();
});
