import t from "tap";
import { isTerminal } from "../../../protocol/mod.js";
import { at, codeOf, createCity, illegalMove, must, restaurant, support } from "../fixtures/city.js";
import { Order } from "../mod.js";
import { travelOf } from "../travel.js";
import type { DeadlineOf } from "./messages.js";

t.test("R-ORD-8, rule 14: a restaurant that does not answer loses the order at the deadline", async (t) => {
  const city = createCity();
  await city.openRestaurant("r");
  await city.bring("o", "confirmed");
  const tablet = await city.kit.subscribe({ kind: "restaurant", key: "r", channel: "inbox" }, restaurant("r"), {
    epoch: 0,
    offset: 0,
  });
  await city.kit.advance(city.settings.order.acceptDeadlineMs + 1_000);
  t.match((await city.state("o")).closed, { status: "cancelled", by: "system", reason: "restaurant_did_not_answer" });
  t.match(tablet.events.at(-1), { type: "order.changed", body: { orderId: "o", status: "cancelled" } });
  t.equal((await city.state("o")).payment.status, "voided");
  await city.kit.close();
});

t.test("R-ORD-8, rule 14: a placement that nobody completes ends", async (t) => {
  const city = createCity({ payment: () => new Promise(() => {}) });
  await city.openRestaurant("r");
  await city.bring("o", "placed");
  await city.kit.advance(city.settings.order.placementDeadlineMs + 1_000);
  t.match((await city.state("o")).closed, { status: "cancelled", reason: "placement_timeout" });
  t.same((await city.stock("r")).orders, {});
  await city.kit.close();
});

for (const [stage, reason, ended] of [
  ["preparing", "kitchen_too_late", "cancelled"],
  ["ready", "no_driver", "cancelled"],
  ["picked_up", "delivery_too_late", "undeliverable"],
] as const) {
  t.test(`R-ORD-8, rule 14: ${stage} for too long is escalated, then ends`, async (t) => {
    const city = createCity();
    await city.openRestaurant("r");
    await city.bring("o", stage);
    const { order: limits } = city.settings;
    const limit = {
      preparing: limits.kitchenLateMs + 60_000,
      ready: limits.assignDeadlineMs,
      picked_up: limits.deliveryDeadlineMs,
    };
    // The driver, if any, goes on sending fixes.
    const pass = async (ms: number) => {
      for (let passed = 0; passed < ms; passed += 60_000) {
        await city.kit.advance(60_000);
        if (stage === "picked_up") await city.fix("d", at(400));
      }
    };
    await pass(limit[stage] + 2_000);
    const order = await city.state("o");
    t.ok(order.timeline.some(({ kind, reason }) => kind === "escalated" && /^late/.test(reason ?? "")));
    t.equal(order.closed, null, "a person has time to help");
    await pass(limit[stage] + 2_000);
    const late = await city.state("o");
    t.match(late.closed, { status: ended, by: "system", reason });
    t.equal(illegalMove(late), null);
    t.equal(late.payment.status, "voided");
    if (stage === "picked_up") t.equal((await city.driverState("d")).work.status, "free");
    await city.kit.close();
  });
}

t.test("R-ORD-8, rule 14: deadlines hold through crashes, at every stage", async (t) => {
  for (const stage of ["placed", "confirmed", "accepted", "preparing", "assigned", "ready", "picked_up"] as const) {
    const city = createCity();
    await city.openRestaurant("r");
    await city.bring("o", stage);
    await city.kit.crash();
    await city.kit.advance(30 * 60_000);
    await city.kit.restart();
    await city.kit.advance(6 * 3_600_000);
    t.ok(isTerminal(await city.status("o")), `${stage} ended as ${await city.status("o")}`);
    await city.kit.close();
  }
});

t.test(
  "R-ORD-8: a driver who waits for the kitchen is not late; once it is ready, the time to fetch begins",
  async (t) => {
    const city = createCity();
    const { pickupDeadlineMs } = city.settings.order;
    await city.openRestaurant("r");
    await city.bring("o", "assigned");
    const pass = async (ms: number): Promise<void> => {
      for (let passed = 0; passed < ms; passed += 30_000) {
        await city.fix("d", at(5));
        await city.kit.advance(30_000);
      }
    };
    await pass(pickupDeadlineMs + 3 * 60_000);
    t.match(await city.state("o"), { delivery: { status: "assigned" }, excluded: [] }, "the kitchen promised a minute");
    await must(city.order("o", "markReady", { orderId: "o" }, restaurant("r")));
    await pass(pickupDeadlineMs - 60_000);
    t.equal((await city.state("o")).delivery.status, "assigned");
    await pass(2 * 60_000);
    const order = await city.state("o");
    t.match(
      order.timeline.findLast(({ kind }) => kind === "driver_unassigned"),
      { reason: "pickup_too_late" },
    );
    await city.kit.close();
  },
);

t.test("R-DSP-6: whoever was sent from far away and comes as expected is not called back half way", async (t) => {
  for (const walks of [true, false]) {
    const city = createCity();
    const { pickupDeadlineMs } = city.settings.order;
    await city.openRestaurant("r");
    await city.bring("o", "ready");
    const start = at(2_500);
    await must(city.drive("d", "goOnline", { name: "D", vehicle: "walking", ...start }));
    await must(city.drive("d", "acceptOffer", { offerId: (await city.offerTo("d")).offerId }));
    const { speedMetersPerSecond, streetFactor } = travelOf("walking", city.settings.travel);
    const pace = (speedMetersPerSecond / streetFactor) * 30;
    let [north, seconds] = [2_500, 0];
    const isOff = async () => (await city.state("o")).timeline.some(({ kind }) => kind === "driver_unassigned");
    for (; north > 0 && !(await isOff()); seconds += 30) {
      if (walks) north -= pace;
      await city.kit.advance(30_000);
      await city.fix("d", at(Math.max(0, north)));
    }
    if (walks) {
      t.ok(seconds * 1_000 > 1.5 * pickupDeadlineMs, `${seconds / 60} minutes on foot`);
      t.match((await city.state("o")).delivery, { status: "assigned", driver: { driverId: "d" } });
      t.equal(await codeOf(city.drive("d", "pickUp", { orderId: "o" })), "ok");
    } else {
      const minutes = seconds / 60;
      t.ok(minutes > 40 && minutes < 55, `who does not come is replaced after ${minutes} minutes`);
    }
    await city.kit.close();
  }
});

t.test(
  "R-ORD-8, rule 14: an order for which a driver comes is not given up for want of one; it has an end",
  async (t) => {
    const city = createCity();
    const { assignDeadlineMs, pickupDeadlineMs } = city.settings.order;
    await city.openRestaurant("r");
    await city.bring("o", "ready");
    const readyAt = city.kit.now;
    await city.kit.advance(2 * assignDeadlineMs - 120_000);
    const drivers = ["d", "e", "f", "g", "h"];
    for (const driver of drivers) await city.goOnline(driver, at(900));
    // Each accepts what is offered and never comes, so that the order is taken off one and offered to the next.
    const pass = async (ms: number): Promise<void> => {
      for (let passed = 0; passed < ms && (await city.state("o")).closed === null; passed += 10_000) {
        for (const driver of drivers) {
          await city.fix(driver, at(900));
          if ((await city.driverState(driver)).offers.length > 0)
            await city.drive(driver, "acceptOffer", { offerId: (await city.offerTo(driver)).offerId });
        }
        await city.kit.advance(10_000);
      }
    };
    await pass(240_000);
    t.match(await city.state("o"), { closed: null, delivery: { status: "assigned" } });
    await pass(8 * pickupDeadlineMs);
    const order = await city.state("o");
    t.match(order.closed, { status: "cancelled", reason: "no_driver" });
    t.equal(Math.round((order.closed!.at - readyAt) / 60_000), (2 * assignDeadlineMs + 3 * pickupDeadlineMs) / 60_000);
    t.equal(illegalMove(order), null);
    await city.kit.advance(60_000);
    for (const driver of drivers) t.equal((await city.driverState(driver)).work.status, "free");
    await city.kit.close();
  },
);

t.test("R-ORD-8: the deadline of a status that is past ends nothing, however late it comes", async (t) => {
  const city = createCity();
  await city.openRestaurant("r");
  await city.bring("o", "preparing");
  const late = (of: DeadlineOf) => city.kit.must(Order, "o", "deadline", { of, escalated: true });
  for (const of of ["placed", "confirmed"] as const) await late(of);
  t.equal(await city.status("o"), "preparing");
  await must(city.order("o", "cancel", { orderId: "o", reason: "fire" }, support));
  const { revision } = await city.state("o");
  await late("kitchen");
  t.equal((await city.state("o")).revision, revision);
  await city.kit.close();
});
