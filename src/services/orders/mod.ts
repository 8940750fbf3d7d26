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
  CARD_NUMBER_PROBLEM,
  type Destination,
  ERRORS,
  type ErrorCode,
  isCardNumber,
  type MenuRefusal,
  type MenuView,
  menuRefusal,
  type NamedLine,
  type OperationHandlers,
  type OrderTotals,
  orderTotals,
  type Place,
  type PlacedReply,
  type PlaceOrder,
  type PRICE_OPERATIONS,
  serviceFeeMinor,
  whenProblem,
} from "../../protocol/mod.js";
import { orderIdOf } from "./ids.js";
import type {
  ActorClient,
  AddressFinder,
  AskOptions,
  AskResult,
  FoundWay,
  MenuReader,
  PromotionReader,
  WayFinder,
} from "./ports.js";

export { type Deliveries, driverForgetter, orderForgetter } from "./forget.js";
export { orderIdOf } from "./ids.js";
export type { AddressFinder, MenuReader, PromotionReader, WayFinder } from "./ports.js";
export { createOrderSeal, type OrderSeal, openedEntry, openedIndex, openedMirror, sealedClient } from "./sealed.js";

/** What the order actor's `place` takes: the order with the names, the tariff's totals and the pickup point. */
export interface PlaceInput extends Omit<PlaceOrder, "lines" | "destination"> {
  readonly lines: readonly NamedLine[];
  readonly destination: Place;
  readonly restaurant: { readonly name: string; readonly lat: number; readonly lng: number };
  readonly totals: OrderTotals;
  /** From the restaurant to the customer, as the router says. */
  readonly way?: { readonly meters: number; readonly durationMs: number };
  /** What the menu, or the promotion, at the door says against it. */
  readonly refusal?: DoorRefusal;
}

export interface DoorRefusal {
  readonly code: MenuRefusal["code"] | "promotion_refused";
  readonly detail: JsonObject;
}

const Order = actorRef<{ place: { input: PlaceInput; reply: PlacedReply } }>("order");

/** What an order would be, as the door sees it now. */
export interface PricedOrder {
  readonly menu: MenuView;
  readonly destination: Place;
  readonly totals: OrderTotals;
  readonly reason: DoorRefusal | null;
}

type Basket = Pick<
  PlaceOrder,
  "restaurantId" | "lines" | "destination" | "currency" | "tipMinor" | "promotionCode" | "deliverAt"
>;

export interface OrderService {
  /** The very calculation of `place`, without placing. */
  price(
    customerId: string,
    order: Basket,
  ): Promise<{ readonly ok: true; readonly value: PricedOrder } | Extract<AskResult<never>, { ok: false }>>;
  place(idempotencyKey: string, order: PlaceOrder, options: AskOptions): Promise<AskResult<PlacedReply>>;
}

function refusal(code: ErrorCode, detail?: JsonObject): Extract<AskResult<never>, { ok: false }> {
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
  /** Knows promotions; without it no code is good. */
  readonly promotions?: PromotionReader;
  /** Key of the order ids; see `orderIdOf`. */
  readonly orderIdSecret: string;
}): OrderService {
  const { client, menus, router, geocoder, promotions } = deps;

  type Resolved =
    | { readonly ok: true; readonly destination: Place }
    | { readonly ok: false; readonly answer: ReturnType<typeof refusal> };

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

  function whenRefusal(deliverAt: number | undefined): DoorRefusal | null {
    const problem = deliverAt === undefined ? null : whenProblem(deliverAt, deps.clock.now());
    return problem === null ? null : { code: "invalid", detail: { path: "/deliverAt", problem } };
  }

  function ask(
    orderId: string,
    { promotionCode, totalMinor: _agreed, ...order }: PlaceOrder,
    { destination, menu, totals, reason }: PricedOrder,
    options: AskOptions,
    way: FoundWay | null,
  ) {
    const input: PlaceInput = {
      ...order,
      ...(promotionCode === undefined ? {} : { promotionCode: promotionCode.toUpperCase() }),
      destination,
      lines: named(order.lines, menu),
      restaurant: { name: menu.name, lat: menu.lat, lng: menu.lng },
      totals,
      ...(way === null ? {} : { way: { meters: way.meters, durationMs: way.durationMs } }),
      ...(reason === null ? {} : { refusal: reason }),
    };
    // When the node is behind, orders under way go before new ones.
    return client.ask(Order, orderId, "place", input, { ...options, newWork: true });
  }

  async function price(customerId: string, order: Basket): ReturnType<OrderService["price"]> {
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
    const tipMinor = order.tipMinor ?? 0;
    const totals = orderTotals(order.lines, menu, tipMinor);
    const value = { menu, destination, totals };
    const { deliverAt } = order;
    const reason =
      whenRefusal(deliverAt) ??
      menuRefusal(menu, { ...order, destination }, deliverAt === undefined ? null : { at: deliverAt, ahead: true });
    if (reason !== null || order.promotionCode === undefined) return { ok: true, value: { ...value, reason } };
    const { restaurantId, currency, promotionCode } = order;
    let worth: Awaited<ReturnType<PromotionReader["worth"]>>;
    try {
      const { itemsMinor } = totals;
      worth = (await promotions?.worth(promotionCode, customerId, { restaurantId, itemsMinor, currency })) ?? UNKNOWN;
    } catch {
      return refusal("unavailable");
    }
    if (!worth.ok) {
      const detail = { reason: worth.reason, totals: { ...totals } };
      return { ok: true, value: { ...value, reason: { code: "promotion_refused", detail } } };
    }
    return {
      ok: true,
      value: { ...value, totals: orderTotals(order.lines, menu, tipMinor, worth.discountMinor), reason },
    };
  }

  return {
    price,
    async place(idempotencyKey, order, options) {
      for (const name of ["paymentMethod", "fallbackPaymentMethod"] as const) {
        if (!isCardNumber(order[name] ?? "")) continue;
        return refusal("invalid", { path: `/${name}`, problem: CARD_NUMBER_PROBLEM });
      }
      const orderId = orderIdOf(deps.orderIdSecret, options.caller.id, idempotencyKey);
      const priced = await price(options.caller.id, order);
      if (!priced.ok) return priced;
      const { menu, destination } = priced.value;
      const reason = priced.value.reason ?? dearerThan(order.totalMinor, priced.value);
      // What is refused needs no way.
      const way = reason !== null || router === undefined ? null : await router.way(menu, destination);
      return ask(orderId, order, { ...priced.value, reason }, options, way);
    },
  };
}

/** Items have their own prices to be agreed on; delivery, fees, tax and discount change too while somebody looks. */
function dearerThan(agreedMinor: number | undefined, { menu, totals }: PricedOrder): DoorRefusal | null {
  if (agreedMinor === undefined || totals.totalMinor <= agreedMinor) return null;
  const { menuVersion } = menu;
  return { code: "price_changed", detail: { items: [], totals: { ...totals }, menuVersion } };
}

const UNKNOWN = { ok: false, reason: "unknown" } as const;

/** What an order would cost, by HTTP. */
export function priceOperations(orders: Pick<OrderService, "price">): OperationHandlers<typeof PRICE_OPERATIONS> {
  return {
    "orders.price": async ({ caller, body }) => {
      const priced = await orders.price(caller.id, body);
      if (!priced.ok) {
        const { code, detail } = priced.error;
        return { ok: false, code: code as ErrorCode, ...(detail === undefined ? {} : { detail }) };
      }
      const { menu, totals, reason } = priced.value;
      if (reason !== null) return { ok: false, ...reason };
      return {
        ok: true,
        value: {
          totals: { ...totals },
          deliveryFeeMinor: menu.deliveryFeeMinor,
          serviceFeeMinor: serviceFeeMinor(totals.itemsMinor, menu),
          menuVersion: menu.menuVersion,
        },
      };
    },
  };
}
