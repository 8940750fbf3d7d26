/** Placing as the service asks for it: what goes first when the node is behind. */
import t from "tap";
import type { ActorClient, AskOptions } from "../../actors/runtime/mod.js";
import { systemClock } from "../../lib/clock.js";
import type { MenuView } from "../../protocol/mod.js";
import { createOrderService, priceOperations } from "./mod.js";

const menu = {
  restaurantId: "r1",
  name: "Soup",
  lat: 41,
  lng: 29,
  currency: "EUR",
  open: true,
  taxPerMille: 0,
  deliveryFeeMinor: 100,
  deliveryRadiusMeters: 20_000,
  items: [{ itemId: "soup", name: "Soup", priceMinor: 500, available: true }],
} as unknown as MenuView;

t.test("R-ENG-6: placing is new work, which a node that is behind holds back before anything under way", async (t) => {
  const asked: AskOptions[] = [];
  const client = {
    ask: (_to: unknown, _key: unknown, _name: unknown, _input: unknown, options: AskOptions) => {
      asked.push(options);
      return Promise.resolve({ ok: false, error: { code: "overloaded", temporary: true, retryAfterMs: 2_000 } });
    },
  } as unknown as ActorClient;
  const orders = createOrderService({
    client,
    menus: { menu: () => Promise.resolve(menu) },
    clock: systemClock(),
    orderIdSecret: "secret",
  });
  const order = {
    restaurantId: "r1",
    lines: [{ itemId: "soup", quantity: 1, unitPriceMinor: 500 }],
    destination: { lat: 41, lng: 29 },
    currency: "EUR",
  };
  const result = await orders.place("key", order, { commandId: "c", caller: { id: "c1", role: "customer" } });
  t.match(asked, [{ commandId: "c", newWork: true }]);
  t.match(result, { ok: false, error: { code: "overloaded", temporary: true, retryAfterMs: 2_000 } });
});

t.test(
  "R-ORD-1, R-ORD-6: the price before placing is the price of placing, with its discount, and changes nothing",
  async (t) => {
    const placed: { totals: unknown; promotionCode?: string; refusal?: unknown }[] = [];
    const client = {
      ask: (_to: unknown, _key: unknown, _name: unknown, input: (typeof placed)[number]) => {
        placed.push(input);
        return Promise.resolve({ ok: true, value: {} });
      },
    } as unknown as ActorClient;
    const asked: unknown[] = [];
    const orders = createOrderService({
      client,
      menus: { menu: () => Promise.resolve({ ...menu, serviceFeePerMille: 50 }) },
      clock: systemClock(),
      promotions: {
        async worth(code, customerId, order) {
          asked.push({ code, customerId, order });
          return code === "soup10" ? { ok: true, discountMinor: 100 } : { ok: false, reason: "used_up" };
        },
      },
      orderIdSecret: "secret",
    });
    const order = {
      restaurantId: "r1",
      lines: [{ itemId: "soup", quantity: 2, unitPriceMinor: 500 }],
      destination: { lat: 41, lng: 29 },
      currency: "EUR",
      tipMinor: 30,
      promotionCode: "soup10",
    };
    const handlers = priceOperations(orders);
    const price = (body: object) =>
      handlers["orders.price"]({ caller: { id: "c1", role: "customer" }, body } as unknown as Parameters<
        (typeof handlers)["orders.price"]
      >[0]);
    const priced = await price(order);
    t.match(priced, {
      ok: true,
      value: {
        totals: { itemsMinor: 1_000, feeMinor: 150, tipMinor: 30, discountMinor: 100, totalMinor: 1_080 },
        deliveryFeeMinor: 100,
        serviceFeeMinor: 50,
      },
    });
    t.same(placed, []);
    await orders.place("key", order, { commandId: "c", caller: { id: "c1", role: "customer" } });
    t.match(placed.pop(), { totals: (priced as { value: { totals: object } }).value.totals, promotionCode: "SOUP10" });
    t.match(asked, [{ order: { itemsMinor: 1_000 } }, { customerId: "c1" }]);
    t.match(await price({ ...order, promotionCode: "gone" }), {
      ok: false,
      code: "promotion_refused",
      detail: { reason: "used_up", totals: { totalMinor: 1_180 } },
    });
    await orders.place(
      "key-2",
      { ...order, promotionCode: "gone" },
      { commandId: "c", caller: { id: "c1", role: "customer" } },
    );
    t.match(placed.pop(), { refusal: { code: "promotion_refused" } }, "the actor remembers the refusal");
    const stale = { ...order, lines: [{ itemId: "soup", quantity: 2, unitPriceMinor: 400 }] };
    t.match(await price(stale), {
      code: "price_changed",
      detail: { items: [{ itemId: "soup", unitPriceMinor: 500 }] },
    });
    for (const days of [-1, 8]) {
      const wanted = { ...order, deliverAt: systemClock().now() + days * 24 * 3_600_000 };
      const wrong = { code: "invalid", detail: { path: "/deliverAt" } };
      t.match(await price(wanted), wrong, "what cannot be placed has no price");
      await orders.place("key-3", wanted, { commandId: "c", caller: { id: "c1", role: "customer" } });
      t.match(placed.pop(), { refusal: wrong });
    }
  },
);

t.test("R-ORD-1: a total above what the customer saw is refused with the new one, a lower one is not", async (t) => {
  const placed: { refusal?: unknown; totalMinor?: number }[] = [];
  const client = {
    ask: (_to: unknown, _key: unknown, _name: unknown, input: (typeof placed)[number]) => {
      placed.push(input);
      return Promise.resolve({ ok: true, value: {} });
    },
  } as unknown as ActorClient;
  let changes: Partial<MenuView> = {};
  let discountMinor = 100;
  const orders = createOrderService({
    client,
    menus: { menu: () => Promise.resolve({ ...menu, menuVersion: 7, ...changes }) },
    clock: systemClock(),
    promotions: { worth: async () => ({ ok: true, discountMinor }) },
    orderIdSecret: "secret",
  });
  const order = {
    restaurantId: "r1",
    lines: [{ itemId: "soup", quantity: 1, unitPriceMinor: 500 }],
    destination: { lat: 41, lng: 29 },
    currency: "EUR",
    promotionCode: "soup10",
  };
  const place = async (totalMinor?: number) => {
    const body = totalMinor === undefined ? order : { ...order, totalMinor };
    await orders.place("key", body, { commandId: "c", caller: { id: "c1", role: "customer" } });
    return placed.pop();
  };
  t.equal((await place(500))?.refusal, undefined);
  t.equal((await place(501))?.refusal, undefined, "nobody minds that it is less");
  const dearer: readonly [Partial<MenuView>, number, number][] = [
    [{ deliveryFeeMinor: 101 }, 100, 501],
    [{ taxPerMille: 10 }, 100, 505],
    [{ serviceFeePerMille: 20 }, 100, 510],
    [{}, 40, 560],
  ];
  for (const [other, discount, totalMinor] of dearer) {
    changes = other;
    discountMinor = discount;
    const detail = { items: [], totals: { totalMinor }, menuVersion: 7 };
    t.match((await place(500))?.refusal, { code: "price_changed", detail });
    t.equal((await place(totalMinor))?.refusal, undefined, "agreed");
    t.equal((await place())?.refusal, undefined, "whoever names none takes what it is");
  }
});

t.test("R-ACC-4 R-PAY-3: an order that brings a card's number is refused, and reaches no actor", async (t) => {
  const client = { ask: () => t.fail("it was placed") } as unknown as ActorClient;
  const menus = { menu: () => Promise.resolve(menu) };
  const orders = createOrderService({ client, menus, clock: systemClock(), orderIdSecret: "secret" });
  for (const name of ["paymentMethod", "fallbackPaymentMethod"]) {
    const order = {
      restaurantId: "r1",
      lines: [{ itemId: "soup", quantity: 1, unitPriceMinor: 500 }],
      destination: { lat: 41, lng: 29 },
      currency: "EUR",
      [name]: "4111 1111 1111 1111",
    };
    const result = await orders.place("key", order, { commandId: "c", caller: { id: "c1", role: "customer" } });
    t.match(result, { ok: false, error: { code: "invalid", detail: { path: `/${name}` } } });
  }
});
