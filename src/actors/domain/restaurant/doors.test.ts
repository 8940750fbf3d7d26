import t from "tap";
import { decode, encode } from "../../../lib/msgpack.js";
import { type MenuView, type OpeningHours, wallTime } from "../../../protocol/mod.js";
import { CENTRE, type City, codeOf, createCity, must, restaurant } from "../fixtures/city.js";
import { Restaurant } from "../mod.js";
import type { RestaurantState } from "./state.js";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const ZONE = "Europe/Istanbul";
const admin = { id: "a", role: "admin" };

/** The restaurant's own clock, as `HH:MM`. */
const wallAt = (at: number): string => new Date(wallTime(ZONE, at)).toISOString().slice(11, 16);
/** Every day between these two instants' times of day. */
const daily = (from: number, to: number): OpeningHours => ({
  timeZone: ZONE,
  weekly: [1, 2, 3, 4, 5, 6, 7].map((day) => ({ day, from: wallAt(from), to: wallAt(to) })),
});
/** The next whole quarter of an hour. */
const quarterAfter = (at: number): number => Math.ceil((at + 1) / (15 * MINUTE)) * 15 * MINUTE;

async function menuOf(city: City, key = "r"): Promise<MenuView & { readonly live: boolean; readonly scope: string }> {
  const [row] = await city.kit.store.inner.queryIndex({ kind: "restaurant", keys: [key], limit: 1 });
  return { ...(row!.view as unknown as MenuView), live: row!.live, scope: row!.scope };
}

t.test("R-RST-1 R-SRC-2: doors open and close at their times by durable timers, also after a crash", async (t) => {
  const city = createCity();
  const { kit } = city;
  const opens = quarterAfter(kit.now);
  const closes = opens + 2 * HOUR;
  await city.openRestaurant("r", { hours: daily(opens, closes) });
  t.match(await menuOf(city), { open: false, live: false, changesAt: opens, menuVersion: 1 });
  await must(city.place("early"));
  await city.reach("early", "rejected");
  await kit.crash();
  await kit.restart();
  await kit.advance(opens - kit.now + 1_000);
  t.match(await menuOf(city), { open: true, live: true, changesAt: closes, menuVersion: 2 });
  await must(city.place("dinner"));
  await city.reach("dinner", "confirmed");
  await must(city.order("dinner", "accept", { orderId: "dinner", prepMinutes: 10 }, restaurant("r")));
  await kit.advance(closes - kit.now + 1_000);
  t.match(await menuOf(city), { open: false, live: false, changesAt: opens + 24 * HOUR });
  const told = kit.published({ kind: "restaurant", key: "r" }).map(({ body }) => (body as { open: boolean }).open);
  t.equal(told.at(-1), false, "and the event says so");
  await kit.close();
});

t.test("R-RST-1: the clock decides, not the timer: no order is taken past closing time", async (t) => {
  const city = createCity({ host: { timerGraceMs: 20_000 } });
  const { kit } = city;
  const closes = quarterAfter(kit.now);
  await city.openRestaurant("r", { hours: daily(closes - 5 * HOUR, closes) });
  t.match(await menuOf(city), { open: true, changesAt: closes });
  await kit.crash();
  await kit.advance(closes - kit.now + 1);
  await kit.restart();
  const { lines, totals, destination } = city.placement();
  await kit.must(Restaurant, "r", "reserve", { orderId: "late", lines, totals, destination });
  t.same(Object.keys((await city.stock("r")).orders), [], "refused, with its timer still to come");
  await kit.close();
});

t.test("R-RST-1: a pause ends by itself or by a person; the switch and the hours hold all the same", async (t) => {
  const city = createCity();
  const { kit } = city;
  await city.openRestaurant("r");
  await must(city.cook("r", "pause", { minutes: 30, reason: "a full house" }));
  t.match(await menuOf(city), { open: false, paused: { until: Number, reason: "a full house" } });
  await must(city.place("o"));
  await city.reach("o", "rejected");
  await kit.advance(30 * MINUTE + 1_000);
  const after = await menuOf(city);
  t.match(after, { open: true });
  t.equal(after.paused, undefined, "forgotten");
  await must(city.cook("r", "pause", {}));
  await kit.advance(24 * HOUR);
  t.match(await menuOf(city), { open: false, paused: {} });
  await must(city.cook("r", "setOpen", { open: false }));
  await must(city.cook("r", "resume", {}));
  t.match(await menuOf(city), { open: false, shut: true }, "resumed, but shut by hand");
  await must(city.cook("r", "setOpen", { open: true }));
  t.match(await menuOf(city), { open: true });
  t.equal(await codeOf(city.cook("r", "pause", { until: kit.now - 1 })), "invalid");
  await kit.close();
});

t.test("R-RST-1: hours are changed by themselves, and what is no zone or no day is refused", async (t) => {
  const city = createCity();
  await city.openRestaurant("r");
  const opens = quarterAfter(city.kit.now + HOUR);
  await must(city.cook("r", "setHours", { hours: daily(opens, opens + HOUR) }));
  t.match(await menuOf(city), { open: false, changesAt: opens });
  await must(city.cook("r", "setHours", { hours: null }));
  const byHand = await menuOf(city);
  t.match(byHand, { open: true });
  t.same([byHand.hours, byHand.changesAt], [undefined, undefined]);
  const wrong: readonly OpeningHours[] = [
    { timeZone: "Europe/Atlantis", weekly: [] },
    { timeZone: ZONE, weekly: [], exceptions: [{ date: "2027-02-30", spans: [] }] },
    {
      timeZone: ZONE,
      weekly: [],
      exceptions: [
        { date: "2027-02-01", spans: [] },
        { date: "2027-02-01", spans: [] },
      ],
    },
  ];
  for (const hours of wrong) t.equal(await codeOf(city.cook("r", "setHours", { hours })), "invalid");
  await city.kit.close();
});

t.test("R-RST-1: no profile has a currency that there is not, or an area whose edges cross", async (t) => {
  const city = createCity();
  const { kit } = city;
  const good = { name: "New", lat: 4.6, lng: -74.08, currency: "COP" };
  const corner = (lat: number, lng: number) => ({ lat, lng });
  const corners = [corner(4.5, -74.1), corner(4.5, -74), corner(4.7, -74), corner(4.7, -74.1)];
  const items = [{ itemId: "a", name: "A", priceMinor: 100 }];
  const found = (profile: object) =>
    kit.ask(Restaurant, "r", "found", { profile: { ...good, ...profile } }, { caller: admin });
  const configure = (profile: object) =>
    kit.ask(
      Restaurant,
      "r",
      "configure",
      { restaurantId: "r", profile: { ...good, ...profile, items } },
      { caller: admin },
    );
  const bowTie = { deliveryPolygon: [corners[0]!, corners[2]!, corners[1]!, corners[3]!] };
  for (const put of [found, configure]) {
    const at = put === found ? "" : "/profile";
    t.match(await put({ currency: "ZZZ" }), { error: { code: "invalid", detail: { path: `${at}/currency` } } });
    t.match(await put(bowTie), { error: { code: "invalid", detail: { path: `${at}/deliveryPolygon` } } });
    await must(put({ deliveryPolygon: corners }));
  }
  await kit.close();
});

t.test("R-RST-1: a restaurant is a draft until an admin has looked; a suspended one takes no orders", async (t) => {
  const city = createCity();
  const { kit } = city;
  const profile = { name: "New", lat: 4.6, lng: -74.08, currency: "COP" };
  const found = (caller: { id: string; role: string }) => kit.ask(Restaurant, "r", "found", { profile }, { caller });
  t.equal(await codeOf(found(restaurant("r"))), "forbidden");
  await must(found(admin));
  t.equal(await codeOf(found(admin)), "already_exists");
  t.match(await menuOf(city), { status: "draft", open: false, live: false, scope: "unlisted", items: [] });
  const status = (to: "verified" | "suspended" | "draft", caller = admin) =>
    kit.ask(Restaurant, "r", "setStatus", { restaurantId: "r", status: to }, { caller });
  t.equal(await codeOf(status("verified")), "illegal_transition", "there is nothing to eat yet");
  const items = [{ itemId: "soup", name: "Soup", priceMinor: 9_000 }];
  await must(city.cook("r", "configure", { restaurantId: "r", profile: { ...profile, items } }));
  t.match(await menuOf(city), { status: "draft", open: false, scope: "unlisted" }, "its people write the menu");
  await city.openRestaurant("r");
  t.match(await menuOf(city), { status: "draft", open: false, scope: "unlisted" }, "an admin's writing is no look");
  t.equal(await codeOf(status("verified", restaurant("r"))), "not_found");
  await must(status("verified"));
  const listed = await menuOf(city);
  t.match(listed, { open: true, live: true, scope: "restaurants" });
  t.equal(listed.status, undefined);
  await must(status("suspended"));
  t.match(await menuOf(city), { status: "suspended", open: false, scope: "unlisted" });
  await must(city.place("o"));
  await city.reach("o", "rejected");
  await kit.close();
});

t.test("R-RST-1: a menu of somebody whom no admin has taken on is a draft too; an admin's own is listed", async (t) => {
  const city = createCity();
  const profile = {
    name: "New",
    ...CENTRE,
    currency: "COP",
    items: [{ itemId: "soup", name: "Soup", priceMinor: 9_000 }],
  };
  const write = (id: string, caller: { id: string; role: string }) =>
    city.kit.ask(Restaurant, id, "configure", { restaurantId: id, profile }, { caller });
  for (const again of ["first", "again"]) {
    await must(write("r", restaurant("r")));
    t.match(await menuOf(city), { status: "draft", open: false, live: false, scope: "unlisted" }, again);
  }
  await must(write("r", admin));
  t.match(await menuOf(city), { status: "draft" }, "writing a menu is not the look at it");
  await must(city.kit.ask(Restaurant, "r", "setStatus", { restaurantId: "r", status: "verified" }, { caller: admin }));
  await must(write("r", restaurant("r")));
  t.match(await menuOf(city), { open: true, live: true, scope: "restaurants" });
  await must(write("admins", admin));
  t.match(await menuOf(city, "admins"), { open: true, live: true, scope: "restaurants" });
  await city.kit.close();
});

t.test("R-RST-2: one choice is changed by itself; the menu's order, too", async (t) => {
  const city = createCity();
  const choices = [
    { choiceId: "small", name: "Small", priceMinor: 0 },
    { choiceId: "large", name: "Large", priceMinor: 300 },
  ];
  const size = { groupId: "size", name: "Size", min: 1, choices };
  await city.openRestaurant("r", { items: [{ itemId: "arepa", name: "Arepa", priceMinor: 900, options: [size] }] });
  const large = { itemId: "arepa", groupId: "size", choiceId: "large" };
  await must(city.cook("r", "setChoice", { ...large, priceMinor: 400 }));
  const chosen = (priceMinor: number) => ({
    lines: [
      {
        itemId: "arepa",
        quantity: 1,
        unitPriceMinor: 900,
        options: [{ groupId: "size", choiceId: "large", priceMinor }],
      },
    ],
  });
  await must(city.place("stale", chosen(300)));
  await city.reach("stale", "rejected");
  await must(city.place("fresh", chosen(400)));
  await city.reach("fresh", "confirmed");
  const { view } = (await city.kit.store.inner.queryIndex({ kind: "order", keys: ["fresh"], limit: 1 }))[0]!;
  t.match(view, {
    view: {
      lines: [{ options: [{ choiceId: "large", name: String, priceMinor: 400 }] }],
      totals: { itemsMinor: 1_300 },
    },
  });
  await must(city.cook("r", "setChoice", { ...large, available: false }));
  await must(city.place("gone", chosen(400)));
  await city.reach("gone", "rejected");
  t.equal(await codeOf(city.cook("r", "setChoice", { ...large, choiceId: "huge", available: true })), "not_found");
  await must(city.cook("r", "setCategories", { categories: [{ name: "Soups" }, { name: "Sweets" }] }));
  t.match(await menuOf(city), { categories: [{ name: "Soups" }, { name: "Sweets" }] });
  for (const options of [
    [size, size],
    [{ ...size, choices: [choices[0]!, choices[0]!] }],
    [{ ...size, min: 2, max: 1 }],
    [{ ...size, min: 3, max: 3 }],
  ]) {
    const profile = {
      name: "R",
      lat: 4,
      lng: -74,
      currency: "COP",
      items: [{ itemId: "a", name: "A", priceMinor: 1, options }],
    };
    t.equal(await codeOf(city.cook("r", "configure", { restaurantId: "r", profile })), "invalid");
  }
  await city.kit.close();
});

t.test(
  "R-RST-2: a dish is put on the menu, written anew and taken off; what is left of the others stays",
  async (t) => {
    const city = createCity();
    const { kit } = city;
    await city.openRestaurant("r");
    const ask = (name: "putItem" | "removeItem", input: never, caller = restaurant("r")) =>
      kit.ask(Restaurant, "r", name, input, { caller });
    const put = (item: object, caller = restaurant("r")) => ask("putItem", { item } as never, caller);
    const remove = (itemId: string) => ask("removeItem", { itemId } as never);
    const names = async () => (await menuOf(city)).items.map(({ name }) => name);
    const before = await menuOf(city);
    const counted = (await city.stock("r")).left;
    await must(put({ itemId: "cake", name: "Cake", priceMinor: 450, stock: 4 }));
    t.same(await names(), [...before.items.map(({ name }) => name), "Cake"]);
    t.same((await city.stock("r")).left, { ...counted, cake: 4 });
    await must(put({ itemId: "cake", name: "Cheesecake", priceMinor: 500, stock: 6 }));
    t.equal((await names()).at(-1), "Cheesecake");
    t.equal((await city.stock("r")).left.cake, 6);
    await must(put({ itemId: "cake", name: "Cheesecake", priceMinor: 500 }));
    t.notOk(Object.hasOwn((await city.stock("r")).left, "cake"), "made to order from now on");
    t.equal(await codeOf(put({ itemId: "__proto__", name: "X", priceMinor: 1 })), "invalid");
    const group = { groupId: "g", name: "G", min: 2, choices: [{ choiceId: "a", name: "A", priceMinor: 0 }] };
    t.equal(await codeOf(put({ itemId: "x", name: "X", priceMinor: 1, options: [group] })), "invalid");
    t.equal(await codeOf(put({ itemId: "x", name: "X", priceMinor: 1 }, restaurant("other"))), "not_found");
    t.equal(await codeOf(remove("x")), "not_found");
    await must(remove("cake"));
    t.same((await menuOf(city)).items, before.items);
    t.same((await city.stock("r")).left, counted);
    for (const { itemId } of before.items.slice(1)) await must(remove(itemId));
    t.equal(await codeOf(remove(before.items[0]!.itemId)), "illegal_transition", "guests find no empty menu");
    for (let i = 1; i < 500; i++) await must(put({ itemId: `i${i}`, name: "X", priceMinor: 1 }));
    t.equal(await codeOf(put({ itemId: "one-more", name: "X", priceMinor: 1 })), "too_many");
    await kit.close();
  },
);

t.test("R-RST-5: a daily refill comes at its time, once, however long the restaurant slept", async (t) => {
  const city = createCity();
  const { kit } = city;
  const first = quarterAfter(kit.now);
  const hours: OpeningHours = {
    timeZone: ZONE,
    weekly: [1, 2, 3, 4, 5, 6, 7].map((day) => ({ day, from: "00:00", to: "24:00" })),
  };
  const items = [
    { itemId: "arepa", name: "Arepa", priceMinor: 900, refill: { stock: 3, at: wallAt(first) } },
    { itemId: "soup", name: "Soup", priceMinor: 2_100, stock: 1, refill: { stock: 5, at: wallAt(first + 6 * HOUR) } },
  ];
  await city.openRestaurant("r", { hours, items });
  const left = async () => (await city.stock("r")).left;
  t.same(await left(), { arepa: 3, soup: 1 }, "the shelf is as it was counted, else full");
  await must(city.place("o", { lines: [{ itemId: "arepa", quantity: 3, unitPriceMinor: 900 }] }));
  await city.reach("o", "confirmed");
  t.same(await left(), { arepa: 0, soup: 1 });
  await kit.advance(first - kit.now + 1_000);
  t.same(await left(), { arepa: 3, soup: 1 }, "each at its own time");
  await must(city.cook("r", "setItem", { itemId: "arepa", stock: 1 }));
  await kit.crash();
  await kit.advance(3 * 24 * HOUR + HOUR);
  await kit.restart();
  await kit.advance(1_000);
  t.same(await left(), { arepa: 3, soup: 5 });
  await must(city.cook("r", "setItem", { itemId: "arepa", stock: 2 }));
  await kit.advance(HOUR);
  t.same(await left(), { arepa: 2, soup: 5 }, "not again before its time");
  await kit.close();
});

t.test(
  "R-RST-5: of a dish that is cooked three at once no fourth is taken until one has left the kitchen",
  async (t) => {
    const city = createCity();
    await city.openRestaurant("r", { items: [{ itemId: "arepa", name: "Arepa", priceMinor: 900, atOnce: 3 }] });
    const order = (quantity: number) => ({ lines: [{ itemId: "arepa", quantity, unitPriceMinor: 900 }] });
    await must(city.place("two", order(2)));
    await city.reach("two", "confirmed");
    await must(city.place("other-two", order(2)));
    await city.reach("other-two", "rejected");
    await must(city.place("one", order(1)));
    await city.reach("one", "confirmed");
    await must(city.order("two", "cancel", { orderId: "two", reason: "no" }, { id: "customer", role: "support" }));
    await city.kit.advance(1_000);
    await must(city.place("again", order(2)));
    await city.reach("again", "confirmed");
    t.same((await city.stock("r")).left, {}, "none of it is counted as stock");
    await city.kit.close();
  },
);

t.test("R-ENG-8: a restaurant as an older version kept it loads, and goes on as it was", async (t) => {
  const city = createCity();
  const { kit } = city;
  await city.openRestaurant("r");
  await must(city.place("o"));
  await city.reach("o", "confirmed");
  const write = kit.store.committed.findLast(({ kind }) => kind === "restaurant")!;
  const { accepting, changedAt, ...old } = decode<RestaurantState>(write.state);
  t.same([accepting, typeof changedAt], [true, "number"]);
  await kit.crash();
  const epoch = (await kit.store.inner.claimShards("older", [write.shard])).get(write.shard)!;
  const { cold: _cold, ...rest } = write;
  const nothing = { commands: [], tells: [], timersSet: [], timersCancelled: [], events: [], pushes: [], trims: [] };
  await kit.store.inner.flush({
    flushId: "older",
    at: kit.now,
    fences: [{ shard: write.shard, epoch }],
    actors: [
      {
        ...rest,
        ...nothing,
        expectedSeq: write.seq,
        seq: write.seq + 1,
        state: encode({ ...old, open: false }),
      },
    ],
    delivered: [],
  });
  await kit.restart();
  await must(city.place("shut"));
  await city.reach("shut", "rejected");
  await must(city.cook("r", "setOpen", { open: true }));
  t.match(await menuOf(city), { open: true });
  await must(city.place("open"));
  await city.reach("open", "confirmed");
  await kit.close();
});
