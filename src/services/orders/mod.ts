/**
 * Placing an order: the quick answer at the door. Owns the order's id, the check against the cached menu, and the totals
 * the customer agreed to. The restaurant is the authority on stock and prices; it checks again when it reserves.
 *
 * Invariants: the order's actor answers, also when the menu at the door says no: it repeats its first answer whatever the
 * menu says by now, and remembers a refusal like any other (rule 2).
 */
import { actorRef } from "../../actors/runtime/mod.js";
import type { Clock } from "../../lib/clock.js";
import type { Point } from "../../lib/geo.js";
import type { JsonObject } from "../../lib/json.js";
import {
  type Destination,
  ERRORS,
  type ErrorCode,
  type MenuRefusal,
  type MenuView,
  menuRefusal,
  type NamedLine,
  type OrderTotals,
  orderTotals,
  type Place,
  type PlacedReply,
  type PlaceOrder,
} from "../../protocol/mod.js";
import { orderIdOf } from "./ids.js";
import type { ActorClient, AddressFinder, AskOptions, AskResult, FoundWay, MenuReader, WayFinder } from "./ports.js";

export { orderIdOf } from "./ids.js";
export type { AddressFinder, MenuReader, WayFinder } from "./ports.js";

/** What the order actor's `place` takes: the order with the names, the tariff's totals and the pickup point. */
export interface PlaceInput extends Omit<PlaceOrder, "lines" | "destination"> {
  readonly lines: readonly NamedLine[];
  readonly destination: Place;
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

/** What the things on the lines are called, by the menu at the door. */
function named(lines: PlaceOrder["lines"], menu: MenuView): readonly NamedLine[] {
  const items = new Map(menu.items.map((item) => [item.itemId, item]));
  return lines.map(({ options, ...line }) => {
    const item = items.get(line.itemId);
    const name = item?.name ?? line.itemId;
    if (options === undefined) return { ...line, name };
    const choiceOf = (groupId: string, choiceId: string): string =>
      item?.options?.find((group) => group.groupId === groupId)?.choices.find((choice) => choice.choiceId === choiceId)
        ?.name ?? choiceId;
    return {
      ...line,
      name,
      options: options.map((each) => ({ ...each, name: choiceOf(each.groupId, each.choiceId) })),
    };
  });
}

export function createOrderService(deps: {
  readonly client: ActorClient;
  readonly menus: MenuReader;
  readonly clock: Clock;
  /** Says how long the way is; without one the order calculates as the crow flies. */
  readonly router?: WayFinder;
  /** Finds addresses; without it a destination has to be a point. */
  readonly geocoder?: AddressFinder;
  /** Key of the order ids; see `orderIdOf`. */
  readonly orderIdSecret: string;
}): OrderService {
  const { client, menus, router, geocoder } = deps;

  type Resolved =
    | { readonly ok: true; readonly destination: Place }
    | { readonly ok: false; readonly answer: AskResult<PlacedReply> };

  async function resolve({ lat, lng, address }: Destination): Promise<Resolved> {
    const text = address === undefined ? {} : { address };
    if (lat !== undefined && lng !== undefined) return { ok: true, destination: { lat, lng, ...text } };
    const missing = lat === undefined ? "/destination/lat" : "/destination/lng";
    const halfAPoint = lat !== undefined || lng !== undefined;
    if (halfAPoint || address === undefined || geocoder === undefined) {
      return { ok: false, answer: refusal("invalid", { path: missing, problem: "a destination needs lat and lng" }) };
    }
    let found: Point | null;
    try {
      found = await geocoder.locate(address);
    } catch {
      return { ok: false, answer: refusal("unavailable") };
    }
    if (found === null) return { ok: false, answer: refusal("address_unknown", { path: "/destination/address" }) };
    return { ok: true, destination: { lat: found.lat, lng: found.lng, address } };
  }

  function ask(
    orderId: string,
    order: PlaceOrder,
    destination: Place,
    menu: MenuView,
    options: AskOptions,
    reason: MenuRefusal | null,
    way: FoundWay | null,
  ) {
    const input: PlaceInput = {
      ...order,
      destination,
      lines: named(order.lines, menu),
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
      const where = await resolve(order.destination);
      if (!where.ok) return where.answer;
      const { destination } = where;
      let menu: MenuView | null;
      try {
        menu = await menus.menu(order.restaurantId);
      } catch {
        return refusal("unavailable");
      }
      if (menu === null) return refusal("restaurant_unknown");
      const reason = menuRefusal(
        menu,
        { ...order, destination },
        order.deliverAt === undefined ? null : { at: order.deliverAt, ahead: true },
      );
      // What is refused needs no way.
      const way = reason !== null || router === undefined ? null : await router.way(menu, destination);
      return ask(orderId, order, destination, menu, options, reason, way);
    },
  };
}
