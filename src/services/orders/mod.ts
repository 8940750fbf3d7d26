/**
 * Placing an order: the quick answer at the door. Owns the order's id, the check against the cached menu, and the totals
 * the customer agreed to. The restaurant is the authority on stock and prices; it checks again when it reserves.
 *
 * Invariants: the order's actor answers, also when the menu at the door says no: it repeats its first answer whatever the
 * menu says by now, and remembers a refusal like any other (rule 2).
 */
import { actorRef } from "../../actors/runtime/mod.js";
import type { Clock } from "../../lib/clock.js";
import type { JsonObject } from "../../lib/json.js";
import {
  ERRORS,
  type ErrorCode,
  type MenuRefusal,
  type MenuView,
  menuRefusal,
  type OrderLine,
  type OrderTotals,
  orderTotals,
  type PlacedReply,
  type PlaceOrder,
} from "../../protocol/mod.js";
import { orderIdOf } from "./ids.js";
import type { ActorClient, AskOptions, AskResult, FoundWay, MenuReader, WayFinder } from "./ports.js";

export { orderIdOf } from "./ids.js";
export type { MenuReader, WayFinder } from "./ports.js";

/** What the order actor's `place` takes: the order with the names, the tariff's totals and the pickup point. */
export interface PlaceInput extends Omit<PlaceOrder, "lines"> {
  readonly lines: readonly (OrderLine & { readonly name: string })[];
  readonly restaurant: { readonly name: string; readonly lat: number; readonly lng: number };
  readonly totals: OrderTotals;
  /** From the restaurant to the customer, as the router says. */
  readonly way?: { readonly meters: number; readonly durationMs: number };
  /** What the menu at the door says against it. */
  readonly refusal?: MenuRefusal;
}

const Order = actorRef<{ place: { input: PlaceInput; reply: PlacedReply } }>("order");

export interface OrderService {
  place(idempotencyKey: string, order: PlaceOrder, options: AskOptions): Promise<AskResult<PlacedReply>>;
}

function refusal(code: ErrorCode, detail?: JsonObject): AskResult<PlacedReply> {
  return {
    ok: false,
    error: { code, temporary: ERRORS[code].temporary, ...(detail === undefined ? {} : { detail }) },
  };
}

export function createOrderService(deps: {
  readonly client: ActorClient;
  readonly menus: MenuReader;
  readonly clock: Clock;
  /** Says how long the way is; without one the order calculates as the crow flies. */
  readonly router?: WayFinder;
  /** Key of the order ids; see `orderIdOf`. */
  readonly orderIdSecret: string;
}): OrderService {
  const { client, menus, router } = deps;

  function ask(
    orderId: string,
    order: PlaceOrder,
    menu: MenuView,
    options: AskOptions,
    reason: MenuRefusal | null,
    way: FoundWay | null,
  ) {
    const names = new Map(menu.items.map((item) => [item.itemId, item.name]));
    const input: PlaceInput = {
      ...order,
      lines: order.lines.map((line) => ({ ...line, name: names.get(line.itemId) ?? line.itemId })),
      restaurant: { name: menu.name, lat: menu.lat, lng: menu.lng },
      totals: orderTotals(order.lines, menu, order.tipMinor ?? 0),
      ...(way === null ? {} : { way: { meters: way.meters, durationMs: way.durationMs } }),
      ...(reason === null ? {} : { refusal: reason }),
    };
    // When the node is behind, orders under way go before new ones.
    return client.ask(Order, orderId, "place", input, { ...options, newWork: true });
  }

  return {
    async place(idempotencyKey, order, options) {
      const orderId = orderIdOf(deps.orderIdSecret, options.caller.id, idempotencyKey);
      let menu: MenuView | null;
      try {
        menu = await menus.menu(order.restaurantId);
      } catch {
        return refusal("unavailable");
      }
      if (menu === null) return refusal("restaurant_unknown");
      const reason = menuRefusal(menu, order);
      // What is refused needs no way.
      const way = reason !== null || router === undefined ? null : await router.way(menu, order.destination);
      return ask(orderId, order, menu, options, reason, way);
    },
  };
}
