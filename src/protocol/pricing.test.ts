import fc from "fast-check";
import t from "tap";
import type { MenuView } from "./menus.js";
import type { PlaceOrder } from "./orders.js";
import { menuRefusal, orderTotals, quantities, sameTotals } from "./pricing.js";

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
