import t from "tap";
import { decode } from "../../../lib/msgpack.js";
import type { InboxView, TabletEvent } from "../../../protocol/mod.js";
import { type City, codeOf, createCity, must, restaurant, support } from "../fixtures/city.js";
import { Restaurant } from "../mod.js";

const SECOND = 1_000;
const MINUTE = 60_000;
const channel = { kind: "restaurant", key: "r", channel: "inbox" };

const tabletOf = (city: City) => city.kit.subscribe(channel, restaurant("r"));
type Tablet = Awaited<ReturnType<typeof tabletOf>>;
const told = (tablet: Tablet, type: TabletEvent["type"]) =>
  tablet.events.filter((event) => event.type === type).map(({ body, at }) => ({ ...(body as object), pushedAt: at }));
const attempts = (tablet: Tablet) => told(tablet, "order.new").map((body) => (body as { attempt?: number }).attempt);
const stored = (tablet: Tablet) => tablet.acknowledge(tablet.starts.at(-1)!.epoch, tablet.events.at(-1)!.offset);
const lookAt = (city: City): Promise<InboxView> =>
  city.kit.must(Restaurant, "r", "inboxView", null, { caller: support });
const present = (city: City, deviceId: string, holds: string[] = []) =>
  must(city.cook("r", "tablet", { deviceId, holds }));

/** What the restaurant asked the notifications for: step and seconds since the offer. */
function alerts(city: City): readonly (readonly [string, number])[] {
  const events = city.kit.store.committed.flatMap(({ kind, events }) => (kind === "restaurant" ? events : []));
  const bodies = events.filter(({ type }) => type === "restaurant.alert").map(({ body }) => decode(body));
  const offered = offeredAt(city);
  return (bodies as { step: string; at: number }[]).map(({ step, at }) => [step, Math.round((at - offered) / SECOND)]);
}
const offeredAt = (city: City): number => {
  const order = city.kit.store.committed
    .filter(({ kind }) => kind === "restaurant")
    .map(({ state }) => decode<{ orders: Record<string, { offeredAt?: number }> }>(state).orders.o?.offeredAt)
    .find((at) => at !== undefined);
  return order ?? 0;
};
const history = async (city: City): Promise<readonly string[]> =>
  (await city.state("o")).timeline.filter(({ kind }) => kind === "escalated").map(({ reason }) => reason ?? "");

t.test("R-RST-4: sent, delivered when a device has stored it, accepted when a person answers", async (t) => {
  const city = createCity();
  await city.openRestaurant("r");
  const tablet = await tabletOf(city);
  await city.bring("o", "confirmed");
  await city.kit.advance(100);
  t.match(await lookAt(city), { listening: true, orders: [{ orderId: "o", state: "sent", attempts: 1, steps: [] }] });
  stored(tablet);
  await city.kit.advance(100);
  t.match((await lookAt(city)).orders, [{ state: "delivered", deliveredAt: Number, sentAt: Number }]);
  await city.kit.advance(5 * SECOND);
  t.same(attempts(tablet), [1], "what a device has is not pushed again at once");
  await city.kit.crash();
  await city.kit.restart();
  t.match((await lookAt(city)).orders, [{ state: "delivered" }], "a commit has kept it");
  await must(city.order("o", "accept", { orderId: "o", prepMinutes: 5 }, restaurant("r")));
  await city.kit.advance(100);
  t.match((await lookAt(city)).orders, [{ state: "accepted", status: "accepted" }]);
  await city.kit.advance(5 * MINUTE);
  t.same(alerts(city), []);
  await city.kit.close();
});

t.test("R-RST-4: a device that does not acknowledge is pushed again, each time after twice as long", async (t) => {
  const city = createCity();
  await city.openRestaurant("r");
  const tablet = await tabletOf(city);
  await city.bring("o", "confirmed");
  await city.kit.advance(50 * SECOND);
  const offered = offeredAt(city);
  const times = told(tablet, "order.new").map(({ pushedAt }) => Math.round((pushedAt - offered) / SECOND));
  t.same(times, [0, 3, 9, 21, 41]);
  stored(tablet);
  await city.kit.advance(12 * SECOND);
  t.equal(attempts(tablet).length, 5, "now a device has it");
  await city.kit.advance(40 * SECOND);
  t.equal(attempts(tablet).length, 7, "and a person is reminded");
  await city.kit.close();
});

t.test(
  "R-RST-4, R-COM-3, R-ORD-8: push, SMS, call, then the order ends, is paid back, and the restaurant paused",
  async (t) => {
    const city = createCity();
    await city.openRestaurant("r");
    await city.bring("o", "confirmed");
    await city.kit.advance(11 * MINUTE);
    t.same(alerts(city), [
      ["push", 10],
      ["sms", 30],
      ["call", 75],
    ]);
    t.same(await history(city), [
      "restaurant: push, no tablet has the order",
      "restaurant: sms, no tablet has the order",
      "restaurant: call, no tablet has the order",
    ]);
    const order = await city.state("o");
    t.match(order.closed, { status: "cancelled", reason: "restaurant_did_not_answer" });
    t.equal(order.payment.status, "voided");
    t.match(await lookAt(city), { missed: 1, doors: { open: false, paused: { reason: /not answered/ } }, orders: [] });
    await must(city.place("next"));
    await city.reach("next", "rejected");
    await must(city.cook("r", "resume", {}));
    await must(city.place("after"));
    await city.reach("after", "confirmed");
    t.equal((await lookAt(city)).missed, 0);
    await city.kit.close();
  },
);

t.test("R-RST-4: another device is reached for before an SMS; a delivered order only waits for the call", async (t) => {
  const city = createCity();
  await city.openRestaurant("r");
  await present(city, "counter");
  await present(city, "kitchen");
  await city.bring("o", "confirmed");
  await city.kit.advance(40 * SECOND);
  t.same(alerts(city), [
    ["push", 10],
    ["second_device", 30],
  ]);
  const { missing } = await present(city, "counter");
  t.match(missing, [{ orderId: "o", status: "confirmed", lines: [{ itemId: "arepa" }] }], "it lacks the order");
  t.same((await present(city, "counter", ["o"])).missing, []);
  t.match((await lookAt(city)).orders, [{ state: "delivered", steps: [{ step: "push" }, { step: "second_device" }] }]);
  await city.kit.advance(40 * SECOND);
  t.same(alerts(city).at(-1), ["call", 75]);
  t.match((await history(city)).at(-1), /call, nobody answers the tablet/);
  await city.kit.close();
});

t.test("R-RST-4: as many missed orders as are configured pause; an answer begins the count anew", async (t) => {
  const base = createCity().settings;
  const city = createCity({ settings: { ...base, restaurant: { ...base.restaurant, pauseAfterMissed: 2 } } });
  await city.openRestaurant("r");
  const miss = async (orderId: string) => {
    await must(city.place(orderId));
    await city.kit.advance(11 * MINUTE);
  };
  await miss("a");
  await must(city.place("b"));
  await city.reach("b", "confirmed");
  await must(city.order("b", "rejectByRestaurant", { orderId: "b", reason: "no" }, restaurant("r")));
  await city.kit.advance(SECOND);
  t.equal((await lookAt(city)).missed, 0, "a person said no: somebody is there");
  await miss("c");
  t.match(await lookAt(city), { missed: 1, doors: { open: true } });
  await miss("d");
  t.match(await lookAt(city), { missed: 2, doors: { open: false } });
  await city.kit.close();
});

t.test("R-RST-4: a crash in every second of the ladder leaves out no step and repeats none", async (t) => {
  for (const crashAt of [1, 3, 9, 10, 11, 29, 30, 31, 74, 75, 76, 300]) {
    const city = createCity();
    await city.openRestaurant("r");
    await city.bring("o", "confirmed");
    await city.kit.advance(Math.max(0, offeredAt(city) + crashAt * SECOND - city.kit.now));
    await city.kit.crash();
    await city.kit.advance(2 * SECOND);
    await city.kit.restart();
    await city.kit.advance(12 * MINUTE);
    t.same(
      alerts(city).map(([step]) => step),
      ["push", "sms", "call"],
      `crashed after ${crashAt} s`,
    );
    t.equal((await history(city)).length, 3);
    t.equal(await city.status("o"), "cancelled");
    t.match(await lookAt(city), { doors: { open: false, paused: {} } });
    await city.kit.close();
  }
});

t.test(
  "R-RST-4, R-ENG-5: an order past its time does not keep its restaurant busy until somebody says so",
  async (t) => {
    const city = createCity();
    const { kit } = city;
    await city.openRestaurant("r");
    const { lines, totals, destination } = city.placement();
    // Its order says nothing any more, as while nobody owns its shard.
    await kit.must(Restaurant, "r", "reserve", { orderId: "silent", lines, totals, destination });
    const offer = { orderId: "silent", lines, totals, placedAt: kit.now, acceptBy: kit.now + 10 * MINUTE };
    await kit.must(Restaurant, "r", "offerOrder", offer);
    await kit.crash();
    await kit.advance(20 * MINUTE);
    kit.store.committed.length = 0;
    await kit.restart();
    await kit.advance(5 * MINUTE);
    t.ok(kit.store.committed.length <= 2, `${kit.store.committed.length} commits`);
    t.same(alerts(city), [], "nobody is reached for any more");
    t.match((await city.stock("r")).orders, { silent: { stage: "offered" } }, "what it holds, it holds");
    await kit.close();
  },
);

t.test("R-RST-4: without a sign of a tablet for the grace no new orders come, until one is back", async (t) => {
  const city = createCity();
  const { kit } = city;
  const grace = city.settings.restaurant.tabletGraceMs;
  await city.openRestaurant("r");
  await kit.advance(2 * grace);
  t.match(await lookAt(city), { doors: { open: true } }, "a restaurant that never had a tablet is left alone");
  await present(city, "counter");
  for (let i = 0; i < 6; i++) {
    await kit.advance(grace / 2);
    await present(city, "counter");
  }
  t.match(await lookAt(city), { doors: { open: true } }, "heard from time to time");
  const listening = await tabletOf(city);
  await kit.advance(3 * grace);
  t.match(await lookAt(city), { doors: { open: true }, listening: true }, "who listens is there");
  listening.close();
  await kit.advance(2 * grace + SECOND);
  t.match(await lookAt(city), { doors: { open: false, offlineSince: Number } });
  const [row] = await kit.store.inner.queryIndex({ kind: "restaurant", keys: ["r"], limit: 1 });
  t.match(row, { status: "closed", view: { open: false, offlineSince: Number } }, "and customers are shown that");
  await must(city.place("o"));
  await city.reach("o", "rejected");
  const back = await tabletOf(city);
  await present(city, "counter");
  t.match(told(back, "doors.changed"), [{ open: true }]);
  await must(city.place("next"));
  await city.reach("next", "confirmed");
  await must(city.cook("r", "forgetTablet", { deviceId: "counter" }));
  back.close();
  await kit.advance(3 * grace);
  t.match(await lookAt(city), { tablets: [], doors: { offlineSince: undefined } }, "no tablet is expected any more");
  await kit.close();
});

t.test("R-RST-4: a kitchen that is closed may put its tablets away", async (t) => {
  const city = createCity();
  const { kit } = city;
  const grace = city.settings.restaurant.tabletGraceMs;
  await city.openRestaurant("r");
  await present(city, "counter");
  await must(city.cook("r", "pause", { minutes: 60 }));
  await kit.advance(60 * MINUTE + grace - SECOND);
  t.match(await lookAt(city), { doors: { open: true, offlineSince: undefined } }, "open again, and given its time");
  await kit.advance(2 * SECOND);
  t.match(await lookAt(city), { doors: { open: false, offlineSince: Number } });
  await kit.close();
});

t.test("R-RST-4: after a crash tablets have the whole grace to come back", async (t) => {
  const city = createCity();
  const { kit } = city;
  const grace = city.settings.restaurant.tabletGraceMs;
  await city.openRestaurant("r");
  await present(city, "counter");
  await kit.advance(grace - SECOND);
  await kit.crash();
  await kit.advance(grace);
  await kit.restart();
  await kit.advance(grace - SECOND);
  t.match(await lookAt(city), { doors: { open: true } });
  await kit.advance(2 * SECOND);
  t.match(await lookAt(city), { doors: { open: false, offlineSince: Number } });
  await kit.close();
});

t.test("R-RST-4, R-ACC-3: only so many tablets are remembered, and only its own people see the inbox", async (t) => {
  const city = createCity();
  await city.openRestaurant("r");
  const { maxTablets } = city.settings.restaurant;
  for (let i = 0; i <= maxTablets; i++) {
    await present(city, `d${i}`);
    await city.kit.advance(SECOND);
  }
  const { tablets } = await lookAt(city);
  t.same(
    tablets.map(({ deviceId }) => deviceId).sort(),
    Array.from({ length: maxTablets }, (_, i) => `d${i + 1}`),
  );
  const seen = (caller: { id: string; role: string }) =>
    codeOf(city.kit.ask(Restaurant, "r", "inboxView", null, { caller }));
  t.equal(await seen(restaurant("r")), "ok");
  t.equal(await seen(restaurant("other")), "not_found");
  t.equal(await seen({ id: "c", role: "customer" }), "not_found");
  const other = city.kit.ask(Restaurant, "r", "tablet", { deviceId: "x", holds: [] }, { caller: restaurant("other") });
  t.equal(await codeOf(other), "not_found");
  await city.kit.close();
});
