import t from "tap";
import { type MenuView, OPERATIONS, type OrderStatus, type OrderView, validateSchema } from "../../protocol/mod.js";
import { ordersAgain } from "./again.js";
import { againOperations } from "./mod.js";

const order = (n: number, restaurantId: string, items: Record<string, number>, status: OrderStatus = "delivered") =>
  ({
    orderId: `o${n}`,
    status,
    restaurant: { id: restaurantId, name: "Then", lat: 0, lng: 0 },
    lines: Object.entries(items).map(([itemId, quantity]) => ({ itemId, name: itemId, quantity, unitPriceMinor: 100 })),
    totals: { currency: "EUR" },
    placedAt: n,
  }) as unknown as OrderView;

const MENU = {
  name: "Now",
  open: true,
  items: [
    { itemId: "soup", name: "Soup of today", priceMinor: 120 },
    { itemId: "cake", name: "Cake", priceMinor: 300, left: 1 },
    { itemId: "tea", name: "Tea", priceMinor: 90, available: false },
  ],
} as unknown as MenuView;

t.test("R-SRC-4: what one had before comes back with today's prices, the most frequent first", async (t) => {
  const past = [
    order(9, "r2", { soup: 1 }, "cancelled"),
    order(8, "gone", { soup: 1 }),
    order(7, "r1", { cake: 2, tea: 1, pie: 1 }),
    order(6, "r1", { soup: 2, tea: 1 }),
    order(5, "r1", { tea: 1, soup: 2 }),
  ];
  const asked: string[] = [];
  const operations = againOperations({
    orders: {
      orders: async (customerId) => {
        asked.push(customerId);
        if (customerId === "away") throw new Error("the index is away");
        return { orders: past };
      },
    },
    menus: { menu: async (id) => (id === "r1" ? MENU : null) },
  });
  const call = (id: string, limit?: number) =>
    operations["search.again"]({
      caller: { id, role: "customer" },
      params: undefined,
      query: limit === undefined ? {} : { limit },
      body: undefined,
      bytes: new Uint8Array(),
      headers: { signature: "", userAgent: "" },
      key: "",
      address: "",
    });
  const result = await call("c1");
  t.match(result, {
    ok: true,
    value: {
      again: [
        {
          restaurantId: "r1",
          name: "Now",
          open: true,
          times: 2,
          lastOrderId: "o6",
          lines: [
            { itemId: "soup", name: "Soup of today", quantity: 2, unitPriceMinor: 120, available: true },
            { itemId: "tea", quantity: 1, unitPriceMinor: 90, available: false },
          ],
        },
        { restaurantId: "gone", name: "Then", open: false, lines: [{ itemId: "soup", available: false }] },
        {
          times: 1,
          lines: [
            { itemId: "cake", quantity: 2, available: false },
            { itemId: "tea", available: false },
            { itemId: "pie", available: false },
          ],
        },
      ],
    },
  });
  t.match(await call("c1", 1), { value: { again: { length: 1 } } });
  t.match(await call("away"), { ok: false, code: "unavailable" });
  t.strictSame(asked, ["c1", "c1", "away"], "nobody else's orders are read");
});

t.test(
  "R-SRC-4: what was chosen with a dish comes back with it, at today's price, and makes another basket",
  async (t) => {
    const pizza = (n: number, chosen: readonly string[], lines = 1) =>
      ({
        ...order(n, "r", {}),
        lines: Array.from({ length: lines }, () => ({
          itemId: "pizza",
          name: "Pizza",
          quantity: 1,
          unitPriceMinor: 900,
          options: chosen.map((choiceId) => ({ groupId: "size", choiceId, name: `${choiceId} then`, priceMinor: 1 })),
        })),
      }) as unknown as OrderView;
    const choices = [
      { choiceId: "small", name: "Small", priceMinor: 0 },
      { choiceId: "large", name: "Large", priceMinor: 300 },
      { choiceId: "giant", name: "Giant", priceMinor: 600, available: false },
    ];
    const menu = {
      name: "Now",
      open: true,
      items: [
        {
          itemId: "pizza",
          name: "Pizza",
          priceMinor: 950,
          left: 1,
          options: [{ groupId: "size", name: "Size", min: 1, choices }],
        },
      ],
    } as unknown as MenuView;
    const past = [pizza(9, ["small"]), pizza(8, ["large"]), pizza(7, ["large"])];
    const again = await ordersAgain({ orders: async () => ({ orders: past }) }, { menu: async () => menu }, "c", 10);
    t.match(again, [
      {
        times: 2,
        lastOrderId: "o8",
        lines: [{ available: true, options: [{ choiceId: "large", name: "Large", priceMinor: 300 }] }],
      },
      { times: 1, lastOrderId: "o9", lines: [{ available: true, options: [{ choiceId: "small", priceMinor: 0 }] }] },
    ]);
    t.equal(again.length, 2);
    for (const [what, view] of Object.entries({
      "a choice that is sold out": pizza(1, ["giant"]),
      "one that is not on the menu any more": pizza(1, ["party"]),
      "none where one has to be made": pizza(1, []),
      "one more than there are, on two lines": pizza(1, ["small"], 2),
    })) {
      const [basket] = await ordersAgain(
        { orders: async () => ({ orders: [view] }) },
        { menu: async () => menu },
        "c",
        1,
      );
      t.notOk(basket?.lines[0]?.available, what);
      t.equal(validateSchema(OPERATIONS["search.again"]!.reply, { again: [basket] }), null);
    }
  },
);
