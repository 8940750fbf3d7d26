import t from "tap";
import type { OrderView } from "../../../protocol/mod.js";
import { historyProblems } from "../fixtures/checks.js";
import { at, type City, codeOf, createCity, customer, must, restaurant } from "../fixtures/city.js";
import { outcomeOf, preparationSample } from "./eta-learned.js";
import { isPlaced, type PlacedOrder, statusOf } from "./state.js";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const placedOf = async (city: City, orderId: string): Promise<PlacedOrder> => {
  const state = await city.state(orderId);
  if (!isPlaced(state)) throw new Error(`${orderId} was not placed`);
  return state;
};

const viewOf = async (city: City, orderId: string): Promise<OrderView> =>
  (await city.kit.subscribe({ kind: "order", key: orderId, channel: "view" }, customer("c"))).latest().view as never;

const tabletOf = (city: City) =>
  city.kit.subscribe({ kind: "restaurant", key: "r", channel: "inbox" }, restaurant("r"), { epoch: 0, offset: 0 });

t.test(
  "R-ORD-7: an order for later is paid at once, cooked when it is time, and arrives when it is wanted",
  async (t) => {
    const city = createCity();
    await city.openRestaurant("r");
    const tablet = await tabletOf(city);
    const deliverAt = city.kit.now + 3 * HOUR;
    await must(city.place("o", { deliverAt }));
    await city.reach("o", "confirmed");
    const paid = await placedOf(city, "o");
    t.match(paid, { kitchen: { status: "scheduled" }, payment: { status: "authorised" } });
    t.match(await viewOf(city, "o"), { deliverAt, eta: { expected: deliverAt }, status: "confirmed" });
    t.same(tablet.events, [], "the kitchen has other things to do");

    // Through a restart, and long beyond the time a restaurant has to answer.
    await city.kit.advance(HOUR);
    await city.kit.crash();
    await city.kit.restart();
    await city.kit.advance(30 * MINUTE);
    t.equal((await placedOf(city, "o")).kitchen.status, "scheduled");
    const tabletNow = await tabletOf(city);
    while ((await placedOf(city, "o")).kitchen.status === "scheduled") await city.kit.advance(10_000);
    const offeredAt = city.kit.now;
    const leadMinutes = (deliverAt - offeredAt) / MINUTE;
    t.ok(leadMinutes > 15 && leadMinutes < 45, `offered ${leadMinutes} minutes ahead: 15 of cooking, and the way`);
    await city.kit.advance(100);
    t.match(tabletNow.events.at(-1), { type: "order.new", body: { orderId: "o", deliverAt } });
    t.equal((await viewOf(city, "o")).eta?.expected, deliverAt);

    // A kitchen that is faster than thought is not to be ready sooner than the food can be eaten warm.
    await must(city.order("o", "accept", { orderId: "o", prepMinutes: 2 }, restaurant("r")));
    const { readyAt } = (await placedOf(city, "o")).kitchen as { readyAt: number };
    t.ok(
      readyAt > city.kit.now + 5 * MINUTE && readyAt < deliverAt,
      `${(deliverAt - readyAt) / MINUTE} minutes before`,
    );
    t.ok(Math.abs((await viewOf(city, "o")).eta!.expected - deliverAt) < 3 * MINUTE);

    // The driver is asked when it is time to go: planned like an order of now that is wanted then.
    await city.goOnline("d", at(300));
    let askedAt = 0;
    while (askedAt === 0) {
      await city.kit.advance(5_000);
      await city.fix("d", at(300));
      if ((await city.driverState("d")).offers.length > 0) askedAt = city.kit.now;
    }
    t.ok(readyAt - askedAt < 6 * MINUTE, `asked ${(readyAt - askedAt) / MINUTE} minutes before it is ready`);
    await must(city.drive("d", "acceptOffer", { offerId: (await city.offerTo("d")).offerId }));
    await city.kit.advance(100);
    await must(city.order("o", "markReady", { orderId: "o" }, restaurant("r")));
    await must(city.drive("d", "pickUp", { orderId: "o" }));
    await city.reach("o", "picked_up");
    await must(city.drive("d", "deliver", { orderId: "o" }));
    await city.reach("o", "delivered");
    t.same(historyProblems(city.kit.store.committed), []);
    t.same(city.kit.logs, []);

    // What was waited on purpose teaches nothing about kitchens.
    const done = await placedOf(city, "o");
    t.equal(preparationSample(done, city.kit.now, 0, city.settings), null);
    const stages = outcomeOf(done, city.kit.now, city.settings).stages.map(({ stage }) => stage);
    t.notOk(stages.includes("placed") || stages.includes("confirmed"), stages.join());
    await city.kit.close();
  },
);

t.test(
  "R-ORD-7: a time that is past or too far ahead is refused; one that is nearly now is as soon as possible",
  async (t) => {
    const city = createCity();
    await city.openRestaurant("r");
    const placed = async (orderId: string, inMs: number) => city.place(orderId, { deliverAt: city.kit.now + inMs });
    for (const [orderId, inMs] of [
      ["past", 0],
      ["far", 7 * 24 * HOUR + 1_000],
    ] as const) {
      const result = await placed(orderId, inMs);
      t.match(result, { ok: false, error: { code: "invalid", detail: { path: "/deliverAt", problem: String } } });
    }
    const inAWeek = city.kit.now + 7 * 24 * HOUR;
    await must(placed("week", 7 * 24 * HOUR));
    await must(placed("soon", 5 * MINUTE));
    await city.reach("soon", "confirmed");
    t.equal((await placedOf(city, "soon")).kitchen.status, "offered");
    const { eta } = await viewOf(city, "soon");
    t.ok(
      eta !== undefined && eta.expected > city.kit.now + 5 * MINUTE,
      "what can be kept is shown, not what was wished",
    );
    await city.reach("week", "confirmed");
    const { offerAt } = (await placedOf(city, "week")).kitchen as { offerAt: number };
    t.ok(offerAt > inAWeek - HOUR && offerAt < inAWeek);
    await city.kit.close();
  },
);

t.test(
  "R-ORD-7, rule 17: cancelled while it waits, an order for later gives back its stock and its money",
  async (t) => {
    const city = createCity();
    await city.openRestaurant("r");
    const tablet = await tabletOf(city);
    const lines = [{ itemId: "soup", quantity: 2, unitPriceMinor: 2_100 }];
    await must(city.place("o", { deliverAt: city.kit.now + 5 * HOUR, lines }));
    await city.reach("o", "confirmed");
    t.equal((await city.stock("r")).left.soup, 3);
    t.equal(await codeOf(city.order("o", "accept", { orderId: "o" }, restaurant("r"))), "illegal_transition");
    await must(city.order("o", "cancel", { orderId: "o", reason: "changed plans" }, customer("c")));
    await city.kit.advance(1_000);
    t.equal((await city.stock("r")).left.soup, 5);
    t.equal((await placedOf(city, "o")).payment.status, "voided");
    await city.kit.advance(6 * HOUR);
    t.equal(statusOf(await placedOf(city, "o")), "cancelled");
    t.same(tablet.events, [], "a tablet that never saw it needs not hear that it is over");
    t.same(historyProblems(city.kit.store.committed), []);
    await city.kit.close();
  },
);

t.test("R-ORD-7, rule 14: a restaurant that does not answer loses an order for later too", async (t) => {
  const city = createCity();
  await city.openRestaurant("r");
  await must(city.place("o", { deliverAt: city.kit.now + 2 * HOUR }));
  await city.kit.advance(2 * HOUR + city.settings.order.acceptDeadlineMs);
  t.match((await placedOf(city, "o")).closed, { status: "cancelled", reason: "restaurant_did_not_answer" });
  await city.kit.close();
});

t.test("R-ORD-7: orders for later do not fill the kitchen of now", async (t) => {
  const city = createCity();
  await city.openRestaurant("r", { kitchenCapacity: 1 });
  await must(city.place("later", { deliverAt: city.kit.now + 5 * HOUR }));
  await city.reach("later", "confirmed");
  await must(city.place("now"));
  await city.reach("now", "confirmed");
  await must(city.place("too much"));
  await city.reach("too much", "rejected");
  t.match((await placedOf(city, "too much")).closed, { refusal: { detail: { reason: "kitchen_full" } } });
  await city.kit.close();
});

t.test("R-ORD-7: what counts is whether the restaurant is open when the food is wanted", async (t) => {
  const city = createCity();
  t.equal(new Date(city.kit.now).getUTCHours(), 12);
  const weekly = [1, 2, 3, 4, 5, 6, 7].map((day) => ({ day, from: "14:00", to: "18:00" }));
  await city.openRestaurant("r", { hours: { timeZone: "UTC", weekly } });
  await must(city.place("now"));
  await city.reach("now", "rejected");
  for (const [orderId, inMs, status] of [
    ["early", HOUR, "rejected"],
    ["evening", 4 * HOUR, "confirmed"],
  ] as const) {
    await must(city.place(orderId, { deliverAt: city.kit.now + inMs }));
    await city.reach(orderId, status);
  }
  t.match((await placedOf(city, "early")).closed, {
    refusal: { code: "restaurant_closed", detail: { reason: "hours" } },
  });
  await city.kit.advance(2 * HOUR - 20_000 - (city.kit.now % HOUR));
  await must(city.place("first", { deliverAt: city.kit.now + 25 * MINUTE }));
  await city.reach("first", "confirmed");
  t.pass("also in the minute before they open");
  await city.kit.close();
});

t.test(
  "R-RST-1, R-RST-4: a restaurant that closed the day an order was wanted is not paused for its silence",
  async (t) => {
    const city = createCity();
    const { kit } = city;
    const weekly = [1, 2, 3, 4, 5, 6, 7].map((day) => ({ day, from: "00:00", to: "24:00" }));
    await city.openRestaurant("r", { hours: { timeZone: "UTC", weekly } });
    await must(city.place("o", { deliverAt: kit.now + 2 * DAY }));
    await city.reach("o", "confirmed");
    const date = new Date(kit.now + 2 * DAY).toISOString().slice(0, 10);
    const hours = { timeZone: "UTC", weekly, exceptions: [{ date, spans: [] }] };
    await must(city.cook("r", "setHours", { hours }));
    await kit.advance(2 * DAY + HOUR);
    t.match((await city.state("o")).closed, { status: "cancelled", reason: "restaurant_did_not_answer" });
    await kit.advance(DAY);
    const { paused, accepting } = await city.stock("r");
    t.same({ paused, accepting }, { paused: undefined, accepting: true });
    await kit.close();
  },
);

t.test(
  "R-ORD-7, R-RST-4: a restaurant hears of an order for later when it opens, however early its customer wants to eat",
  async (t) => {
    const city = createCity();
    const { kit } = city;
    t.equal(new Date(kit.now).getUTCHours(), 12);
    const weekly = [1, 2, 3, 4, 5, 6, 7].map((day) => ({ day, from: "14:00", to: "22:00" }));
    await city.openRestaurant("r", { hours: { timeZone: "UTC", weekly } });
    const opens = Math.floor(kit.now / HOUR) * HOUR + 2 * HOUR;
    await must(city.place("o", { deliverAt: opens }));
    await city.reach("o", "confirmed");
    const { eta } = await viewOf(city, "o");
    t.ok(eta !== undefined && eta.expected > opens + 15 * MINUTE, "what can be kept is shown, not what was wished");
    const tablet = await tabletOf(city);
    await kit.advance(opens - kit.now - 1_000);
    t.same(tablet.events, [], "nobody is there");
    await kit.advance(2_000);
    t.match(tablet.events.at(-1), { type: "order.new", body: { orderId: "o", deliverAt: opens } });
    t.equal((await viewOf(city, "o")).eta?.expected, eta?.expected);
    await kit.advance(MINUTE);
    await must(city.order("o", "accept", { orderId: "o", prepMinutes: 10 }, restaurant("r")));
    await kit.close();
  },
);

t.test("R-ORD-7, R-RST-1: an order for later waits for the end of a pause", async (t) => {
  const city = createCity();
  await city.openRestaurant("r");
  await must(city.cook("r", "pause", { minutes: 30, reason: "the oven" }));
  const resumes = city.kit.now + 30 * MINUTE;
  await must(city.place("o", { deliverAt: resumes + 5 * MINUTE }));
  await city.reach("o", "confirmed");
  const { offerAt } = (await placedOf(city, "o")).kitchen as { offerAt: number };
  t.ok(Math.abs(offerAt - resumes) < 1_000, `${(offerAt - resumes) / MINUTE} minutes after it ends`);
  await city.kit.close();
});

t.test("R-ORD-7, R-RST-1, R-RST-5: what has to be begun now is an order of now, whatever time it names", async (t) => {
  const city = createCity();
  const weekly = [1, 2, 3, 4, 5, 6, 7].map((day) => ({ day, from: "00:00", to: "24:00" }));
  await city.openRestaurant("r", { kitchenCapacity: 1, hours: { timeZone: "UTC", weekly } });
  const place = async (orderId: string, inMs: number): Promise<string> => {
    await must(city.place(orderId, { deliverAt: city.kit.now + inMs }));
    await city.kit.advance(2_000);
    return city.status(orderId);
  };
  t.equal(await place("first", 5 * MINUTE), "confirmed");
  t.equal(await place("second", 5 * MINUTE), "rejected");
  t.match((await placedOf(city, "second")).closed, { refusal: { detail: { reason: "kitchen_full" } } });
  t.equal(await place("evening", 5 * HOUR), "confirmed");
  await must(city.order("first", "rejectByRestaurant", { orderId: "first", reason: "no" }, restaurant("r")));
  await must(city.cook("r", "setOpen", { open: false }));
  t.equal(await place("shut", 5 * MINUTE), "rejected");
  t.match((await placedOf(city, "shut")).closed, {
    refusal: { code: "restaurant_closed", detail: { reason: "shut" } },
  });
  t.equal(await place("tomorrow", DAY), "confirmed", "they will have opened by then");
  await city.kit.close();
});
