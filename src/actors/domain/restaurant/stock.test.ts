import fc from "fast-check";
import t from "tap";
import { codeOf, createCity, customer, must, restaurant } from "../fixtures/city.js";
import { Order } from "../mod.js";
import { giveBack, restocked, take, tookOf } from "./stock.js";

t.test("R-RST-5, rule 17: taking and giving back, in any order, neither loses nor makes a dish", async (t) => {
  const step = fc.record({
    give: fc.boolean(),
    which: fc.nat(20),
    item: fc.constantFrom("a", "b", "c"),
    quantity: fc.integer({ min: 1, max: 9 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const start = { a: 20, b: 7 };
      let left: Readonly<Record<string, number>> = start;
      const taken: (readonly (readonly [string, number])[])[] = [];
      for (const { give, which, item, quantity } of steps) {
        if (give && taken.length > 0) {
          const [took] = taken.splice(which % taken.length, 1);
          left = giveBack(left, took!);
          continue;
        }
        const took = tookOf(left, [{ itemId: item, quantity }]);
        if (took.some(([id, count]) => (left[id] ?? 0) < count)) continue;
        left = take(left, took);
        taken.push(took);
      }
      for (const took of taken) left = giveBack(left, took);
      return JSON.stringify(left) === JSON.stringify(start) && Object.values(left).every((count) => count >= 0);
    }),
    { numRuns: 500 },
  );
  t.throws(() => take({ a: 1 }, [["a", 2]]), RangeError, "and never oversells, even when asked to");
  t.same(tookOf({ a: 1 }, [{ itemId: "made-to-order", quantity: 3 }]), [], "made to order takes nothing");
});

t.test("R-RST-5: writing the menu again keeps what is left; another figure adds or takes the difference", async (t) => {
  const items = (stock: number) => [{ itemId: "a", stock }];
  t.same(restocked({}, [], items(10)), { a: 10 });
  t.same(restocked({ a: 4 }, items(10), items(10)), { a: 4 });
  t.same(restocked({ a: 4 }, items(10), items(15)), { a: 9 });
  t.same(restocked({ a: 4 }, items(10), items(3)), { a: -3 }, "six were sold: three more than there are to sell");
  t.same(restocked({ a: -3 }, items(3), items(10)), { a: 4 });
  t.same(restocked({ a: 4 }, items(10), [{ itemId: "a" }]), {}, "made to order from now on");
});

t.test("R-RST-5, rule 17: a dish named like a property of every object is counted as any other", async (t) => {
  const names = ["constructor", "toString", "valueOf", "hasOwnProperty"];
  for (const itemId of names) {
    t.same(tookOf({}, [{ itemId, quantity: 1 }]), [], `${itemId} made to order takes nothing`);
    t.same(giveBack({}, [[itemId, 1]]), {}, `${itemId} is not invented`);
    t.throws(() => take({}, [[itemId, 1]]), RangeError);
    t.same(restocked({}, [{ itemId, stock: 1 }], [{ itemId, stock: 3 }]), { [itemId]: 3 });
  }
  const { Restaurant } = await import("../mod.js");
  const city = createCity();
  const { kit } = city;
  const menu = (itemId: string, stock?: number) => ({
    restaurantId: "r",
    profile: {
      name: "R",
      lat: 52.52,
      lng: 13.4,
      currency: "EUR",
      items: [{ itemId, name: "dish", priceMinor: 500, ...(stock === undefined ? {} : { stock }) }],
    },
  });
  const write = (itemId: string, stock?: number) =>
    kit.ask(Restaurant, "r", "configure", menu(itemId, stock), { caller: restaurant("r") });
  t.equal(await codeOf(write("__proto__", 2)), "invalid", "no record can count this one");
  for (const itemId of names) {
    await must(write(itemId));
    t.same((await city.stock("r")).left, {}, `${itemId} made to order has no count`);
    await must(write(itemId, 2));
    t.equal((await city.stock("r")).left[itemId], 2);
  }
  await kit.close();
});

t.test("R-RST-5, rule 17: forty customers, five soups, all at once", async (t) => {
  for (let seed = 1; seed <= 5; seed++) {
    const city = createCity({ seed });
    await city.openRestaurant("r");
    const input = city.placement({ lines: [{ itemId: "soup", quantity: 1, unitPriceMinor: 2_100 }] });
    await city.kit.run(() =>
      Promise.all(
        Array.from({ length: 40 }, (_, i) =>
          city.kit.send(Order, `o${i}`, "place", input, { caller: customer(`c${i}`) }),
        ),
      ),
    );
    await city.kit.advance(2_000);
    const statuses = await Promise.all(Array.from({ length: 40 }, (_, i) => city.status(`o${i}`)));
    t.equal(statuses.filter((status) => status === "confirmed").length, 5);
    t.equal(statuses.filter((status) => status === "rejected").length, 35);
    t.equal((await city.stock("r")).left.soup, 0);
    await city.kit.close();
  }
});

t.test(
  "rule 17: a release that arrives twice, or before the reservation, gives back once and refuses the late one",
  async (t) => {
    const { Restaurant } = await import("../mod.js");
    const city = createCity();
    await city.openRestaurant("r");
    const { kit } = city;
    const close = { orderId: "ghost", status: "cancelled", reason: "no", holds: null, pickedUp: false } as const;
    await kit.must(Restaurant, "r", "closeOrder", close);
    const { lines, totals, destination } = city.placement({
      lines: [{ itemId: "soup", quantity: 2, unitPriceMinor: 2_100 }],
    });
    await kit.must(Restaurant, "r", "reserve", { orderId: "ghost", lines, totals, destination });
    t.equal((await city.stock("r")).left.soup, 5, "the tombstone refused it");
    await kit.must(Restaurant, "r", "reserve", { orderId: "real", lines, totals, destination });
    await kit.must(Restaurant, "r", "reserve", { orderId: "real", lines, totals, destination });
    t.equal((await city.stock("r")).left.soup, 3, "asked twice, taken once");
    for (let i = 0; i < 3; i++)
      await kit.must(Restaurant, "r", "closeOrder", { ...close, orderId: "real", holds: lines });
    t.equal((await city.stock("r")).left.soup, 5, "told three times, given back once");
    await city.kit.close();
  },
);

t.test("R-RST-4, R-RST-5: sold out and back again show on the menu; the version rises with each change", async (t) => {
  const city = createCity();
  await city.openRestaurant("r");
  const menu = async () => {
    await city.kit.advance(300);
    const [entry] = await city.mirror.read(["menu:r"]);
    return entry?.value as unknown as {
      menuVersion: number;
      open: boolean;
      items: { itemId: string; left?: number; available?: boolean }[];
    };
  };
  const first = await menu();
  t.match(first, { menuVersion: 1, open: true, items: [{ itemId: "arepa" }, { itemId: "soup", left: 5 }] });
  await must(city.place("o", { lines: [{ itemId: "soup", quantity: 5, unitPriceMinor: 2_100 }] }));
  await city.reach("o", "confirmed");
  t.match(await menu(), { menuVersion: 2, items: [{}, { left: 0 }] });
  await must(city.cook("r", "setItem", { itemId: "arepa", available: false }));
  t.match(await menu(), { menuVersion: 3, items: [{ available: false }] });
  await must(city.cook("r", "setOpen", { open: false }));
  await must(city.cook("r", "setOpen", { open: false }));
  t.match(await menu(), { menuVersion: 4, open: false });
  t.equal(await codeOf(city.cook("r", "setItem", { itemId: "nothing", available: true })), "not_found");
  await city.kit.close();
});

t.test("R-ACC-3: only the restaurant itself and admins write its menu", async (t) => {
  const { Restaurant } = await import("../mod.js");
  const city = createCity();
  await city.openRestaurant("r");
  for (const caller of [restaurant("other"), customer("c"), { id: "s", role: "support" }]) {
    t.equal(await codeOf(city.kit.ask(Restaurant, "r", "setOpen", { open: false }, { caller })), "not_found");
  }
  t.equal(
    await codeOf(city.kit.ask(Restaurant, "r", "setOpen", { open: false }, { caller: { id: "a", role: "admin" } })),
    "ok",
  );
  const twice = [
    { itemId: "a", name: "A", priceMinor: 1 },
    { itemId: "a", name: "B", priceMinor: 2 },
  ];
  const profile = { name: "R", lat: 4, lng: -74, currency: "COP", items: twice };
  t.equal(await codeOf(city.cook("r", "configure", { restaurantId: "r", profile })), "invalid");
  await city.kit.close();
});

t.test("R-RST-5: a kitchen's capacity is free again when the food is picked up", async (t) => {
  const city = createCity();
  await city.openRestaurant("r", { kitchenCapacity: 1 });
  await city.bring("o", "ready");
  await must(city.place("full"));
  await city.reach("full", "rejected");
  await city.goOnline("d");
  await must(city.drive("d", "acceptOffer", { offerId: (await city.offerTo("d")).offerId }));
  await city.kit.advance(100);
  await must(city.drive("d", "pickUp", { orderId: "o" }));
  await city.kit.advance(100);
  await must(city.place("next"));
  await city.reach("next", "confirmed");
  t.same(Object.keys((await city.stock("r")).orders), ["next"], "and it is forgotten with the next commit");
  await city.kit.close();
});

t.test("R-RST-5, R-ORD-7, rule 17: counted with what is promised for later, a shelf is not sold twice", async (t) => {
  const city = createCity();
  const { kit } = city;
  await city.openRestaurant("r");
  const left = async () => (await city.stock("r")).left.soup;
  const soups = (quantity: number) => [{ itemId: "soup", quantity, unitPriceMinor: 2_100 }];
  await must(city.place("evening", { lines: soups(3), deliverAt: kit.now + 6 * 3_600_000 }));
  await city.reach("evening", "confirmed");
  t.equal(await left(), 2);
  // Its kitchen has not heard of it yet: all five are there.
  await must(city.cook("r", "setItem", { itemId: "soup", stock: 5 }));
  t.equal(await left(), 2);
  await must(city.place("too many", { lines: soups(3) }));
  await kit.advance(2_000);
  t.equal(await city.status("too many"), "rejected");
  await must(city.cook("r", "setItem", { itemId: "soup", stock: 1 }));
  t.equal(await left(), -2, "one, and three are promised");
  await must(city.order("evening", "cancel", { orderId: "evening", reason: "no" }, customer("c")));
  await kit.advance(2_000);
  t.equal(await left(), 1);
  // What the kitchen has heard of is its own to count.
  await must(city.place("now", { lines: soups(1) }));
  await city.reach("now", "confirmed");
  await must(city.cook("r", "setItem", { itemId: "soup", stock: 4 }));
  t.equal(await left(), 4);
  await kit.close();
});

t.test(
  "rule 17: a cancel that meets the restaurant's answer gives back what was taken, and nothing else",
  async (t) => {
    for (const [stock, taken] of [
      [5, 3],
      [2, 0],
    ] as const) {
      const city = createCity();
      const { kit } = city;
      await city.openRestaurant("r", { items: [{ itemId: "soup", name: "Soup", priceMinor: 2_100, stock }] });
      const soup = { lines: [{ itemId: "soup", quantity: 3, unitPriceMinor: 2_100 }] };
      const caller = customer("c");
      const ask = kit.run(() =>
        Promise.all([
          kit.send(Order, "o", "place", city.placement(soup), { caller }),
          kit.send(Order, "o", "cancel", { orderId: "o", reason: "no" }, { caller }),
        ]),
      );
      t.match(await ask, [{ ok: true }, { ok: true }], `${taken} of ${stock} are to be taken`);
      await kit.advance(2_000);
      t.equal(await city.status("o"), "cancelled");
      t.equal((await city.stock("r")).left.soup, stock);
      await kit.close();
    }
  },
);
