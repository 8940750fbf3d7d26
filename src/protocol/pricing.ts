/**
 * What an order costs, and whether a menu can serve it. One pure calculation for the quick answer at the door and for the
 * restaurant's own, so that the two never disagree on the same menu. Runs in a browser.
 */
import { distanceMeters } from "../lib/geo.js";
import type { JsonObject } from "../lib/json.js";
import type { ErrorCode } from "./errors.js";
import type { MenuView, OrderLine, OrderTotals, PlaceOrder } from "./orders.js";

/** How a restaurant charges; part of its menu. */
export interface Tariff {
  readonly currency: string;
  /** Tax on the items, in thousandths; rounded half up to the minor unit. */
  readonly taxPerMille: number;
  readonly deliveryFeeMinor: number;
  /** What the marketplace asks for its service, in thousandths of the items; rounded half up. */
  readonly serviceFeePerMille?: number;
}

/** In minor units; part of the fee. */
export function serviceFeeMinor(itemsMinor: number, tariff: Pick<Tariff, "serviceFeePerMille">): number {
  return Math.round((itemsMinor * (tariff.serviceFeePerMille ?? 0)) / 1000);
}

/**
 * total = items + fee + tax + tip − discount, all in integer minor units. The fee is for delivery and service. A discount
 * is the marketplace's: the restaurant's items and their tax are what they are without it.
 */
export function orderTotals(lines: readonly OrderLine[], tariff: Tariff, tipMinor = 0, discountMinor = 0): OrderTotals {
  let itemsMinor = 0;
  for (const line of lines) itemsMinor += line.quantity * line.unitPriceMinor;
  const taxMinor = Math.round((itemsMinor * tariff.taxPerMille) / 1000);
  const feeMinor = tariff.deliveryFeeMinor + serviceFeeMinor(itemsMinor, tariff);
  return {
    currency: tariff.currency,
    itemsMinor,
    feeMinor,
    taxMinor,
    tipMinor,
    discountMinor,
    totalMinor: itemsMinor + feeMinor + taxMinor + tipMinor - discountMinor,
  };
}

export function sameTotals(a: OrderTotals, b: OrderTotals): boolean {
  return (
    a.currency === b.currency &&
    a.itemsMinor === b.itemsMinor &&
    a.feeMinor === b.feeMinor &&
    a.taxMinor === b.taxMinor &&
    a.tipMinor === b.tipMinor &&
    a.discountMinor === b.discountMinor &&
    a.totalMinor === b.totalMinor
  );
}

/** Why a menu cannot serve an order. `detail` carries the new values, so that the app can ask again. */
export interface MenuRefusal {
  readonly code: Extract<
    ErrorCode,
    "restaurant_closed" | "out_of_area" | "item_unavailable" | "price_changed" | "invalid"
  >;
  readonly detail: JsonObject;
}

/** Quantities per item: the same item may stand on several lines. */
export function quantities(lines: readonly Pick<OrderLine, "itemId" | "quantity">[]): ReadonlyMap<string, number> {
  const wanted = new Map<string, number>();
  for (const line of lines) wanted.set(line.itemId, (wanted.get(line.itemId) ?? 0) + line.quantity);
  return wanted;
}

/**
 * The first reason why this menu cannot serve this order, or null. Availability goes before prices: a dish that is gone
 * needs no new price. `left` absent means: no limit, or plenty.
 */
export function menuRefusal(
  menu: MenuView,
  order: Pick<PlaceOrder, "lines" | "destination" | "currency">,
): MenuRefusal | null {
  if (!menu.open) return { code: "restaurant_closed", detail: { menuVersion: menu.menuVersion } };
  if (order.currency !== menu.currency) {
    return { code: "invalid", detail: { path: "/currency", problem: `this restaurant charges in ${menu.currency}` } };
  }
  const distance = distanceMeters(menu, order.destination);
  if (distance > menu.deliveryRadiusMeters) {
    return {
      code: "out_of_area",
      detail: { distanceMeters: Math.round(distance), deliveryRadiusMeters: menu.deliveryRadiusMeters },
    };
  }
  const items = new Map(menu.items.map((item) => [item.itemId, item]));
  const gone: JsonObject[] = [];
  for (const [itemId, quantity] of quantities(order.lines)) {
    const item = items.get(itemId);
    const left = item === undefined || item.available === false ? 0 : item.left;
    if (left !== undefined && left < quantity) gone.push({ itemId, left });
  }
  if (gone.length > 0) return { code: "item_unavailable", detail: { items: gone, menuVersion: menu.menuVersion } };
  const changed: JsonObject[] = [];
  for (const line of order.lines) {
    const item = items.get(line.itemId);
    if (item !== undefined && item.priceMinor !== line.unitPriceMinor) {
      changed.push({ itemId: line.itemId, unitPriceMinor: item.priceMinor });
    }
  }
  if (changed.length > 0) return { code: "price_changed", detail: { items: changed, menuVersion: menu.menuVersion } };
  return null;
}
