/** Placing as the service asks for it: what goes first when the node is behind. */
import t from "tap";
import type { ActorClient, AskOptions } from "../../actors/runtime/mod.js";
import { systemClock } from "../../lib/clock.js";
import type { MenuView } from "../../protocol/mod.js";
import { createOrderService } from "./mod.js";

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
