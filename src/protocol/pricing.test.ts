import fc from "fast-check";
import t from "tap";
import type { MenuView } from "./menus.js";
import type { PlaceOrder } from "./orders.js";
import { menuRefusal, orderTotals, quantities, sameTotals } from "./pricing.js";
import { MOST_MINOR } from "./schemas.js";
import { validateCommandBody } from "./validate.js";

const menu: MenuView = {
  restaurantId: "r",
  menuVersion: 3,
  open: true,
  name: "R",
  lat: 4.65,
  lng: -74.08,
  currency: "COP",
  taxPerMille: 80,
  deliveryFeeMinor: 500,
  deliveryRadiusMeters: 5_000,
  items: [
    { itemId: "a", name: "A", priceMinor: 900 },
    { itemId: "b", name: "B", priceMinor: 100, left: 3 },
    { itemId: "c", name: "C", priceMinor: 50, available: false },
  ],
};
interface Changes {
  readonly currency?: string;
  readonly destination?: { readonly lat: number; readonly lng: number };
}
const order = (lines: PlaceOrder["lines"], changes: Changes = {}) => ({
  lines,
  destination: { lat: 4.66, lng: -74.08 },
  currency: "COP",
  ...changes,
});

t.test("R-ORD-6: total = items + fee + tax + tip − discount, in integers", async (t) => {
  const line = fc.record({
    itemId: fc.constantFrom("a", "b"),
    quantity: fc.integer({ min: 1, max: 99 }),
    unitPriceMinor: fc.nat(1_000_000),
  });
  fc.assert(
    fc.property(
      fc.array(line, { minLength: 1, maxLength: 50 }),
      fc.nat(1000),
      fc.nat(100_000),
      fc.nat(100_000),
      (lines, taxPerMille, deliveryFeeMinor, tip) => {
        const totals = orderTotals(lines, { currency: "COP", taxPerMille, deliveryFeeMinor }, tip);
        const { itemsMinor, feeMinor, taxMinor, tipMinor, discountMinor, totalMinor } = totals;
        const integers = Object.values(totals).every(
          (value) => typeof value === "string" || Number.isSafeInteger(value),
        );
        return (
          integers &&
          totalMinor === itemsMinor + feeMinor + taxMinor + tipMinor - discountMinor &&
          Math.abs(taxMinor - (itemsMinor * taxPerMille) / 1000) <= 0.5 &&
          sameTotals(totals, { ...totals }) &&
          !sameTotals(totals, { ...totals, totalMinor: totalMinor + 1 })
        );
      },
    ),
  );
  t.pass("100 baskets");
});

t.test("R-ORD-1: why a menu cannot serve an order, with the new values", async (t) => {
  const one = (itemId: string, quantity: number, unitPriceMinor: number) => ({ itemId, quantity, unitPriceMinor });
  t.equal(menuRefusal(menu, order([one("a", 1, 900), one("b", 3, 100)])), null);
  t.match(menuRefusal(menu, order([one("a", 1, 800)])), {
    code: "price_changed",
    detail: { items: [{ itemId: "a", unitPriceMinor: 900 }] },
  });
  t.match(menuRefusal(menu, order([one("b", 2, 100), one("b", 2, 100)])), {
    code: "item_unavailable",
    detail: { items: [{ itemId: "b", left: 3 }] },
  });
  t.match(menuRefusal(menu, order([one("c", 1, 50)])), { code: "item_unavailable" });
  t.match(menuRefusal(menu, order([one("nothing", 1, 50)])), { code: "item_unavailable" });
  t.match(menuRefusal({ ...menu, open: false }, order([one("a", 1, 900)])), { code: "restaurant_closed" });
  t.match(menuRefusal(menu, order([one("a", 1, 900)], { currency: "EUR" })), { code: "invalid" });
  t.match(menuRefusal(menu, order([one("a", 1, 900)], { destination: { lat: 5, lng: -74 } })), { code: "out_of_area" });
  t.same(
    [...quantities([one("a", 1, 1), one("b", 2, 1), one("a", 4, 1)])],
    [
      ["a", 5],
      ["b", 2],
    ],
  );
});

const sized: MenuView = {
  ...menu,
  minimumOrderMinor: 1_000,
  items: [
    {
      itemId: "pizza",
      name: "Pizza",
      priceMinor: 800,
      options: [
        {
          groupId: "size",
          name: "Size",
          min: 1,
          choices: [
            { choiceId: "small", name: "Small", priceMinor: 0 },
            { choiceId: "large", name: "Large", priceMinor: 300 },
          ],
        },
        {
          groupId: "extra",
          name: "Extra",
          max: 2,
          choices: [
            { choiceId: "olives", name: "Olives", priceMinor: 100 },
            { choiceId: "ham", name: "Ham", priceMinor: 150 },
            { choiceId: "truffle", name: "Truffle", priceMinor: 900, available: false },
          ],
        },
      ],
    },
  ],
};
type Chosen = readonly (readonly [groupId: string, choiceId: string, priceMinor: number])[];
const pizza = (chosen: Chosen, quantity = 1, unitPriceMinor = 800) => ({
  itemId: "pizza",
  quantity,
  unitPriceMinor,
  options: chosen.map(([groupId, choiceId, priceMinor]) => ({ groupId, choiceId, priceMinor })),
});

t.test("R-RST-2 R-ORD-1: what is chosen has to fit the menu, and its prices have to be the menu's", async (t) => {
  const why = (...lines: PlaceOrder["lines"]) => menuRefusal(sized, order(lines));
  t.equal(why(pizza([["size", "large", 300]])), null);
  t.equal(
    why(
      pizza([
        ["size", "small", 0],
        ["extra", "olives", 100],
        ["extra", "ham", 150],
      ]),
    ),
    null,
  );
  t.match(why({ itemId: "pizza", quantity: 2, unitPriceMinor: 800 }), {
    code: "options_invalid",
    detail: {
      lines: [{ line: 0, itemId: "pizza", groupId: "size", min: 1, chosen: 0, problem: "too few are chosen" }],
    },
  });
  t.match(
    why(
      pizza([
        ["size", "small", 0],
        ["size", "large", 300],
      ]),
    ),
    {
      code: "options_invalid",
      detail: { lines: [{ groupId: "size", problem: "too many are chosen" }] },
    },
  );
  t.match(
    why(
      pizza([
        ["size", "small", 0],
        ["size", "small", 0],
      ]),
    ),
    {
      code: "options_invalid",
      detail: { lines: [{ groupId: "size", choiceId: "small", problem: "is chosen twice" }] },
    },
  );
  t.match(
    why(
      pizza([
        ["size", "large", 300],
        ["extra", "truffle", 900],
      ]),
    ),
    {
      code: "item_unavailable",
      detail: { items: [{ itemId: "pizza", line: 0, groupId: "extra", choiceId: "truffle", left: 0 }] },
    },
  );
  t.match(
    why(
      pizza([
        ["size", "large", 300],
        ["sauce", "hot", 0],
      ]),
    ),
    { code: "item_unavailable" },
  );
  t.match(why(pizza([["size", "large", 200]], 1, 700)), {
    code: "price_changed",
    detail: {
      items: [
        { itemId: "pizza", unitPriceMinor: 800, options: [{ groupId: "size", choiceId: "large", priceMinor: 300 }] },
      ],
    },
  });
  t.match(why(pizza([["size", "small", 0]])), {
    code: "below_minimum",
    detail: { minimumMinor: 1_000, itemsMinor: 800, missingMinor: 200 },
  });
  t.match(menuRefusal(menu, order([{ ...pizza([["size", "large", 1]]), itemId: "a", unitPriceMinor: 900 }])), {
    code: "item_unavailable",
  });
});

t.test("R-ORD-6 R-RST-2: options are part of the price, once for every portion", async (t) => {
  const line = fc.record({
    itemId: fc.constantFrom("a", "b"),
    quantity: fc.integer({ min: 1, max: 99 }),
    unitPriceMinor: fc.nat(MOST_MINOR),
    options: fc.array(
      fc.record({ groupId: fc.constant("g"), choiceId: fc.constant("c"), priceMinor: fc.nat(MOST_MINOR) }),
      {
        maxLength: 60,
      },
    ),
  });
  const tariff = { currency: "COP", taxPerMille: 0, deliveryFeeMinor: 0 };
  fc.assert(
    fc.property(fc.array(line, { minLength: 1, maxLength: 50 }), (lines) => {
      let expected = 0n;
      for (const { quantity, unitPriceMinor, options } of lines) {
        for (let n = 0; n < quantity; n++) {
          expected += BigInt(unitPriceMinor);
          for (const { priceMinor } of options) expected += BigInt(priceMinor);
        }
      }
      const { itemsMinor } = orderTotals(lines, tariff);
      const plain = lines.map(({ options: _options, ...rest }) => rest);
      return (
        Number.isSafeInteger(itemsMinor) &&
        BigInt(itemsMinor) === expected &&
        orderTotals(plain, tariff).itemsMinor <= itemsMinor
      );
    }),
    { numRuns: 50 },
  );
  t.pass("fifty baskets at the limits of the schema");
});

t.test("R-ORD-6: what is dear in small money can be sold, and given back whole", async (t) => {
  // Two million rupiah, of a hundred sen each.
  const cake = { itemId: "cake", name: "A cake for fifty", priceMinor: 200_000_000 };
  t.equal(validateCommandBody("restaurant.put_item", { item: cake }), null);
  t.equal(validateCommandBody("restaurant.item", { itemId: "cake", priceMinor: cake.priceMinor }), null);
  const amountMinor = orderTotals([{ itemId: "cake", quantity: 30, unitPriceMinor: cake.priceMinor }], {
    currency: "IDR",
    taxPerMille: 110,
    deliveryFeeMinor: 2_000_000,
  }).totalMinor;
  t.equal(validateCommandBody("ops.refund", { orderId: "o", amountMinor, reason: "never came" }), null);
  t.match(validateCommandBody("restaurant.item", { itemId: "cake", priceMinor: MOST_MINOR + 1 }), {
    path: "/priceMinor",
  });
  t.ok(MOST_MINOR < 2 ** 32, "the search keeps prices of dishes in 32 bits");
});

t.test("R-RST-1 R-ORD-7: an order is judged by the hours of its own time", async (t) => {
  const hours = { timeZone: "UTC", weekly: [{ day: 1, from: "10:00", to: "12:00" }] };
  const monday = Date.parse("2026-06-01T11:00:00Z");
  const basket = order([{ itemId: "a", quantity: 1, unitPriceMinor: 900 }]);
  const closed = { ...menu, open: false, hours, changesAt: monday };
  t.match(menuRefusal(closed, basket), { code: "restaurant_closed", detail: { changesAt: monday } });
  t.equal(menuRefusal(closed, basket, { at: monday, ahead: true }), null);
  t.match(menuRefusal(closed, basket, { at: monday + 3_600_000, ahead: true }), {
    code: "restaurant_closed",
    detail: { reason: "hours" },
  });
});

t.test("R-ORD-1 R-RST-1: an order that finds the restaurant closed is told why, by the menu alone too", async (t) => {
  const basket = order([{ itemId: "a", quantity: 1, unitPriceMinor: 900 }]);
  t.match(menuRefusal({ ...menu, open: false, paused: { reason: "busy" } }, basket), {
    code: "restaurant_closed",
    detail: { reason: "paused" },
  });
  t.match(menuRefusal({ ...menu, open: false, paused: { until: 9_000 }, changesAt: 9_000 }, basket), {
    detail: { reason: "paused", changesAt: 9_000 },
  });
  t.match(menuRefusal({ ...menu, open: false, shut: true }, basket), { detail: { reason: "shut" } });
  t.match(menuRefusal({ ...menu, open: false, status: "suspended" }, basket), { detail: { reason: "not_listed" } });
});
