import t from "tap";
import { type City, type CityOptions, createCity, must, restaurant, support } from "../fixtures/city.js";
import { Restaurant } from "../mod.js";
import { menuView } from "./state.js";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const soups = (quantity: number) => ({ lines: [{ itemId: "soup", quantity, unitPriceMinor: 2_100 }] });

/** A restaurant with three soups a day, filled a quarter of an hour to half an hour from now, and when that is. */
async function dailySoup(options: CityOptions = {}): Promise<{ readonly city: City; readonly filledAt: number }> {
  const city = createCity(options);
  const filledAt = Math.ceil(city.kit.now / (15 * MINUTE)) * 15 * MINUTE + 15 * MINUTE;
  const at = new Date(filledAt).toISOString().slice(11, 16);
  await city.openRestaurant("r", {
    items: [{ itemId: "soup", name: "Soup", priceMinor: 2_100, refill: { stock: 3, at } }],
  });
  return { city, filledAt };
}

const left = async (city: City): Promise<number | undefined> => (await city.stock("r")).left.soup;
const cancel = (city: City, orderId: string) => must(city.order(orderId, "cancel", { orderId, reason: "no" }, support));

async function order(city: City, orderId: string, quantity: number, deliverAt?: number): Promise<string> {
  await must(city.place(orderId, { ...soups(quantity), ...(deliverAt === undefined ? {} : { deliverAt }) }));
  await city.kit.advance(2_000);
  return city.status(orderId);
}

t.test(
  "R-RST-5, rule 17: of a day's filling no more is promised than it holds, orders for later among it",
  async (t) => {
    const { city, filledAt } = await dailySoup();
    const tomorrow = filledAt + 5 * HOUR;
    t.equal(await order(city, "tomorrow", 3, tomorrow), "confirmed");
    t.equal(await left(city), 3, "it takes nothing of today's");
    t.equal(await order(city, "one-too-many", 1, tomorrow + HOUR), "rejected");
    t.equal(await order(city, "the-day-after", 3, tomorrow + DAY), "confirmed");
    await city.kit.advance(filledAt - city.kit.now - 2 * MINUTE);
    t.equal(await order(city, "today", 2), "confirmed");
    t.equal(await left(city), 1);
    await city.kit.advance(filledAt - city.kit.now + 1_000);
    t.equal(
      await order(city, "beside", 1),
      "rejected",
      "all of the new ones are promised, and two of the old not cooked",
    );
    await cancel(city, "today");
    await cancel(city, "tomorrow");
    await city.kit.advance(1_000);
    t.equal(await left(city), 3);
    t.equal(await order(city, "instead", 3), "confirmed");
    await cancel(city, "the-day-after");
    await city.kit.advance(1_000);
    t.equal(await left(city), 0, "what was not taken is not given back");
    await city.kit.close();
  },
);

t.test(
  "R-RST-5, rule 17: an order for later that is wanted before the next filling takes of what there is",
  async (t) => {
    const { city, filledAt } = await dailySoup();
    await city.kit.advance(filledAt - city.kit.now + 1_000);
    t.equal(await order(city, "now", 1), "confirmed");
    await must(city.order("now", "accept", { orderId: "now", prepMinutes: 60 }, restaurant("r")));
    const bread = { itemId: "bread", name: "Bread", priceMinor: 100 };
    await must(city.kit.ask(Restaurant, "r", "putItem", { item: bread }, { caller: restaurant("r") }));
    t.equal(await left(city), 2, "an edit fills no shelf twice");
    const evening = filledAt + 5 * HOUR;
    t.equal(await order(city, "evening", 2, evening), "confirmed");
    t.equal(await left(city), 0);
    t.equal(await order(city, "too-many", 1, evening + HOUR), "rejected");
    t.equal(await order(city, "tomorrow", 3, evening + DAY), "confirmed", "that is another filling");
    await cancel(city, "evening");
    await city.kit.advance(1_000);
    t.equal(await left(city), 2);
    await city.kit.close();
  },
);

t.test("R-RST-5, rule 17: what was cooked of the last filling is not given back to the next", async (t) => {
  const { city, filledAt } = await dailySoup();
  await city.kit.advance(filledAt - city.kit.now - 2 * MINUTE);
  t.equal(await order(city, "cooked", 2), "confirmed");
  await must(city.order("cooked", "accept", { orderId: "cooked", prepMinutes: 60 }, restaurant("r")));
  t.equal(await order(city, "open", 1), "confirmed");
  await city.kit.advance(filledAt - city.kit.now + 1_000);
  t.equal(await left(city), 2, "one of the new ones is for the order that nobody has begun to cook");
  await cancel(city, "cooked");
  await city.kit.advance(1_000);
  t.equal(await left(city), 2);
  await cancel(city, "open");
  await city.kit.advance(1_000);
  t.equal(await left(city), 3);
  await city.kit.close();
});

t.test("R-RST-5, rule 17: a wrong figure put right sells no more than the right one", async (t) => {
  const city = createCity();
  const soup = { itemId: "soup", name: "Soup", priceMinor: 2_100, stock: 10 };
  await city.openRestaurant("r", { items: [soup] });
  t.equal(await order(city, "a", 8), "confirmed");
  const put = (stock: number) =>
    must(city.kit.ask(Restaurant, "r", "putItem", { item: { ...soup, stock } }, { caller: restaurant("r") }));
  await put(1);
  const menu = menuView("r", await city.stock("r"), city.settings.restaurant);
  t.equal(menu?.items[0]?.left, 0, "nobody sees that it is less than nothing");
  t.equal(await order(city, "b", 1), "rejected");
  await put(10);
  t.equal(await left(city), 2);
  t.equal(await order(city, "c", 7), "rejected");
  t.equal(await order(city, "d", 2), "confirmed");
  await put(5);
  await cancel(city, "a");
  await city.kit.advance(1_000);
  t.equal(await left(city), 3, "five, of which two are sold");
  await city.kit.close();
});

t.test("R-RST-5: a shelf is filled on every day, also on the one whose clock skips the hour, and once", async (t) => {
  const hours = {
    timeZone: "Europe/Berlin",
    weekly: [1, 2, 3, 4, 5, 6, 7].map((day) => ({ day, from: "00:00", to: "24:00" })),
  };
  const bread = { itemId: "soup", name: "Bread", priceMinor: 2_100, refill: { stock: 3, at: "02:30" } };
  for (const [evening, filledAt] of [
    ["2026-03-28T22:00:00Z", "2026-03-29T01:00:00Z"],
    ["2026-10-24T22:00:00Z", "2026-10-25T00:30:00Z"],
  ] as const) {
    const city = createCity({ startAt: Date.parse(evening) });
    await city.openRestaurant("r", { hours, items: [bread] });
    t.equal(await order(city, "late", 3), "confirmed");
    await must(city.order("late", "accept", { orderId: "late", prepMinutes: 240 }, restaurant("r")));
    await city.kit.advance(Date.parse(filledAt) - city.kit.now + 1_000);
    t.equal(await left(city), 3, filledAt);
    t.equal(await order(city, "night", 2), "confirmed");
    await must(city.order("night", "accept", { orderId: "night", prepMinutes: 240 }, restaurant("r")));
    await city.kit.advance(2 * HOUR);
    t.equal(await left(city), 1, "until tomorrow");
    await city.kit.close();
  }
});

t.test("R-RST-5: a kitchen that opens by hand from now on has its shelves filled by the clock it had", async (t) => {
  const hours = {
    timeZone: "Asia/Tokyo",
    weekly: [1, 2, 3, 4, 5, 6, 7].map((day) => ({ day, from: "00:00", to: "24:00" })),
  };
  const soup = { itemId: "soup", name: "Ramen", priceMinor: 2_100, refill: { stock: 3, at: "06:00" } };
  // Five in the morning there.
  const city = createCity({ startAt: Date.parse("2026-05-31T20:00:00Z") });
  await city.openRestaurant("r", { hours, items: [soup] });
  t.equal(await order(city, "early", 3), "confirmed");
  await must(city.order("early", "accept", { orderId: "early", prepMinutes: 240 }, restaurant("r")));
  await must(city.cook("r", "setHours", { hours: null }));
  await city.kit.advance(HOUR + 1_000);
  t.equal(await left(city), 3, "not nine hours later");
  await city.kit.close();
});

t.test("R-RST-5, rule 17: a time that is set when it has passed fills nothing before tomorrow", async (t) => {
  const city = createCity();
  t.equal(new Date(city.kit.now).toISOString().slice(11, 16), "12:00");
  const dish = (itemId: string, at?: string) => ({
    itemId,
    name: itemId,
    priceMinor: 2_100,
    ...(at === undefined ? {} : { refill: { stock: 3, at } }),
  });
  await city.openRestaurant("r", { items: [dish("soup"), dish("noon", "12:30"), dish("dinner", "15:00")] });
  await city.kit.advance(2 * HOUR);
  await must(city.cook("r", "setItem", { itemId: "soup", stock: 1, refill: { stock: 20, at: "13:00" } }));
  await city.kit.advance(2 * HOUR);
  t.equal(await left(city), 1, "the others' time is not its own");
  await city.kit.advance(21 * HOUR);
  t.equal(await left(city), 20);
  await must(city.cook("r", "setItem", { itemId: "soup", stock: 2 }));
  const hours = {
    timeZone: "America/New_York",
    weekly: [1, 2, 3, 4, 5, 6, 7].map((day) => ({ day, from: "00:00", to: "24:00" })),
  };
  // It is eight in the morning there: one o'clock of yesterday came at six in the evening here.
  await must(city.cook("r", "setHours", { hours }));
  await city.kit.advance(3 * HOUR);
  t.equal(await left(city), 2);
  await city.kit.advance(3 * HOUR);
  t.equal(await left(city), 20);
  await city.kit.close();
});

t.test("R-RST-5, rule 17: a menu that is written again as it was leaves what a person has counted", async (t) => {
  const city = createCity();
  const dish = { itemId: "soup", name: "Soup", priceMinor: 2_100 };
  for (const [id, limit] of [
    ["r", { stock: 10 }],
    ["r2", { refill: { stock: 10, at: "06:00" } }],
  ] as const) {
    const profile = { items: [{ ...dish, ...limit }] };
    await city.openRestaurant(id, profile);
    await must(city.cook(id, "setItem", { itemId: "soup", stock: 4 }));
    await city.openRestaurant(id, profile);
    t.equal((await city.stock(id)).left.soup, 4, `six of ${JSON.stringify(limit)} were dropped`);
    await must(city.kit.ask(Restaurant, id, "putItem", { item: { ...dish, stock: 12 } }, { caller: restaurant(id) }));
    t.equal((await city.stock(id)).left.soup, 6, "two more were baked");
  }
  await city.kit.close();
});

t.test("R-RST-5, rule 17: a daily dish that becomes a counted one keeps what is promised of tomorrow's", async (t) => {
  const { city, filledAt } = await dailySoup();
  const soup = { itemId: "soup", name: "Soup", priceMinor: 2_100 };
  const put = (item: object) =>
    must(city.kit.ask(Restaurant, "r", "putItem", { item: { ...soup, ...item } }, { caller: restaurant("r") }));
  t.equal(await order(city, "tomorrow", 2, filledAt + 5 * HOUR), "confirmed");
  await put({ stock: 3 });
  t.equal(await left(city), 1, "three in all, of which two are promised");
  t.equal(await order(city, "too-many", 2), "rejected");
  t.equal(await order(city, "last", 1), "confirmed");
  await must(city.cook("r", "setItem", { itemId: "soup", stock: 4 }));
  t.equal(await left(city), 2, "so it is when the shelf is counted");
  await cancel(city, "tomorrow");
  await city.kit.advance(1_000);
  t.equal(await left(city), 4, "what it held goes back");
  await city.kit.close();
});

t.test(
  "R-RST-5, rule 17: a counted dish that becomes a daily one counts what was promised for another day",
  async (t) => {
    const city = createCity();
    const filledAt = city.kit.now + 2 * HOUR;
    const at = new Date(filledAt).toISOString().slice(11, 16);
    await city.openRestaurant("r", { items: [{ itemId: "soup", name: "Soup", priceMinor: 2_100, stock: 3 }] });
    const tomorrow = filledAt + 5 * HOUR;
    t.equal(await order(city, "tomorrow", 2, tomorrow), "confirmed");
    t.equal(await left(city), 1);
    await must(city.cook("r", "setItem", { itemId: "soup", refill: { stock: 3, at } }));
    t.equal(await left(city), 3, "of today's it takes nothing any more");
    t.equal(await order(city, "one-too-many", 2, tomorrow), "rejected", "of tomorrow's three two are promised");
    t.equal(await order(city, "beside", 1, tomorrow), "confirmed");
    await city.kit.advance(filledAt - city.kit.now + 1_000);
    t.equal(await left(city), 0);
    await cancel(city, "tomorrow");
    await city.kit.advance(1_000);
    t.equal(await left(city), 2);
    await city.kit.close();
  },
);

t.test("R-RST-5: a filling that nobody could make in time is made, whoever comes before its timer", async (t) => {
  const { city, filledAt } = await dailySoup({ host: { timerGraceMs: 15_000 } });
  const tablet = () => city.cook("r", "tablet", { deviceId: "counter", holds: [] });
  await must(tablet());
  t.equal(await order(city, "a", 3), "confirmed");
  await must(city.order("a", "accept", { orderId: "a", prepMinutes: 60 }, restaurant("r")));
  await city.kit.advance(filledAt - city.kit.now - MINUTE);
  t.ok((await city.stock("r")).offlineSince, "the tablet has not been heard for long");
  await city.kit.crash();
  await city.kit.advance(2 * MINUTE);
  await city.kit.restart();
  await must(tablet());
  await city.kit.advance(30_000);
  t.equal(await left(city), 3);
  await city.kit.close();
});

t.test(
  "R-RST-5, rule 17: the clock fills a shelf, not the timer: who comes in between gets none of the old",
  async (t) => {
    const { city, filledAt } = await dailySoup({ host: { timerGraceMs: 15_000 } });
    t.equal(await order(city, "promised", 3, filledAt + 5 * HOUR), "confirmed");
    await city.kit.advance(filledAt - city.kit.now - MINUTE);
    await city.kit.crash();
    await city.kit.advance(2 * MINUTE);
    await city.kit.restart();
    t.equal(await order(city, "now", 1), "rejected", "all of today's are promised");
    t.equal(await order(city, "later", 1, filledAt + 6 * HOUR), "rejected");
    await city.kit.advance(30_000);
    t.equal(await left(city), 0);
    await city.kit.close();
  },
);
