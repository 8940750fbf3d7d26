/**
 * What an order costs, and whether a menu can serve it. One pure calculation for the quick answer at the door and for the
 * restaurant's own, so that the two never disagree on the same menu. Runs in a browser.
 */
import { distanceMeters, insidePolygon, type Point } from "../lib/geo.js";
import type { JsonObject } from "../lib/json.js";
import type { ErrorCode } from "./errors.js";
import { closedBecause, type MenuView, type MenuViewItem } from "./menus.js";
import type { OrderTotals, PlaceOrder, PricedLine } from "./orders.js";

/** How a restaurant charges; part of its menu. */
export interface Tariff {
  readonly currency: string;
  /** Tax on the items, in thousandths; rounded half up to the minor unit. */
  readonly taxPerMille: number;
  readonly deliveryFeeMinor: number;
  /** What the marketplace asks for its service, in thousandths of the items; rounded half up. */
  readonly serviceFeePerMille?: number;
}

/** One portion of a line: the item and what was chosen with it. */
export function portionMinor(line: Pick<PricedLine, "unitPriceMinor" | "options">): number {
  let minor = line.unitPriceMinor;
  for (const { priceMinor } of line.options ?? []) minor += priceMinor;
  return minor;
}

/** In minor units; part of the fee. */
export function serviceFeeMinor(itemsMinor: number, tariff: Pick<Tariff, "serviceFeePerMille">): number {
  return Math.round((itemsMinor * (tariff.serviceFeePerMille ?? 0)) / 1000);
}

/**
 * total = items + fee + tax + tip − discount, all in integer minor units. The fee is for delivery and service. A discount
 * is the marketplace's: the restaurant's items and their tax are what they are without it.
 */
export function orderTotals(
  lines: readonly PricedLine[],
  tariff: Tariff,
  tipMinor = 0,
  discountMinor = 0,
): OrderTotals {
  let itemsMinor = 0;
  for (const line of lines) itemsMinor += line.quantity * portionMinor(line);
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
    | "restaurant_closed"
    | "out_of_area"
    | "item_unavailable"
    | "options_invalid"
    | "price_changed"
    | "below_minimum"
    | "invalid"
  >;
  readonly detail: JsonObject;
}

/** Quantities per item: the same item may stand on several lines. */
export function quantities(lines: readonly Pick<PricedLine, "itemId" | "quantity">[]): ReadonlyMap<string, number> {
  const wanted = new Map<string, number>();
  for (const line of lines) wanted.set(line.itemId, (wanted.get(line.itemId) ?? 0) + line.quantity);
  return wanted;
}

/** When an order is to be served (ms since the epoch), other than now as the menu shows it. */
export interface ServedAt {
  readonly at: number;
  /** True for an order that is placed ahead of its time. */
  readonly ahead: boolean;
}

/** Longer ahead nobody knows what the kitchen will sell, and no card's authorisation lasts. */
const MOST_AHEAD_MS = 7 * 24 * 3_600_000;

/** What is wrong with the time an order is wanted at, in words; null: nothing. */
export function whenProblem(deliverAt: number, now: number): string | null {
  if (deliverAt <= now) return "the time is past; leave it out to have the order as soon as it can be there";
  return deliverAt > now + MOST_AHEAD_MS ? "an order can be placed at most seven days ahead" : null;
}

interface Basket extends Pick<PlaceOrder, "currency"> {
  readonly lines: readonly PricedLine[];
  readonly destination: Point;
}

/**
 * The first reason why this menu cannot serve this order, or null. Availability goes before prices: a dish that is gone
 * needs no new price. `left` absent means: no limit, or plenty. Without `served` the menu's own `open` decides.
 */
export function menuRefusal(menu: MenuView, order: Basket, served: ServedAt | null = null): MenuRefusal | null {
  return (
    closedRefusal(menu, served) ??
    placeRefusal(menu, order) ??
    linesRefusal(menu, order.lines) ??
    minimumRefusal(menu, order.lines)
  );
}

function closedRefusal(menu: MenuView, served: ServedAt | null): MenuRefusal | null {
  const { menuVersion, changesAt } = menu;
  if (served === null) {
    if (menu.open) return null;
    const why = closedBecause(menu, changesAt === undefined ? 0 : changesAt - 1);
    return {
      code: "restaurant_closed",
      detail: {
        menuVersion,
        ...(why === null ? {} : { reason: why }),
        ...(changesAt === undefined ? {} : { changesAt }),
      },
    };
  }
  const reason = closedBecause(menu, served.at, served.ahead);
  return reason === null ? null : { code: "restaurant_closed", detail: { menuVersion, reason } };
}

function placeRefusal(menu: MenuView, order: Basket): MenuRefusal | null {
  if (order.currency !== menu.currency) {
    return { code: "invalid", detail: { path: "/currency", problem: `this restaurant charges in ${menu.currency}` } };
  }
  if (delivers(menu, order.destination)) return null;
  const { deliveryRadiusMeters, deliveryPolygon } = menu;
  const detail = { distanceMeters: Math.round(distanceMeters(menu, order.destination)) };
  return {
    code: "out_of_area",
    detail: deliveryPolygon === undefined ? { ...detail, deliveryRadiusMeters } : detail,
  };
}

/** Is this point within the delivery area: the polygon where there is one, else the radius? */
export function delivers(
  menu: Pick<MenuView, "lat" | "lng" | "deliveryRadiusMeters" | "deliveryPolygon">,
  point: Point,
): boolean {
  return menu.deliveryPolygon === undefined
    ? distanceMeters(menu, point) <= menu.deliveryRadiusMeters
    : insidePolygon(point, menu.deliveryPolygon);
}

function linesRefusal(menu: MenuView, lines: readonly PricedLine[]): MenuRefusal | null {
  const { menuVersion } = menu;
  const items = new Map(menu.items.map((item) => [item.itemId, item]));
  const gone: JsonObject[] = [];
  for (const [itemId, quantity] of quantities(lines)) {
    const item = items.get(itemId);
    const left = item === undefined || item.available === false ? 0 : item.left;
    if (left !== undefined && left < quantity) gone.push({ itemId, left });
  }
  const wrong: JsonObject[] = [];
  const changed: JsonObject[] = [];
  for (const [index, line] of lines.entries()) {
    const item = items.get(line.itemId);
    if (item === undefined) continue;
    const chosen = lookUp(item, line);
    for (const option of chosen.gone) gone.push({ itemId: line.itemId, line: index, ...option });
    for (const problem of chosen.wrong) wrong.push({ line: index, itemId: line.itemId, ...problem });
    const stale = chosen.prices.some(({ priceMinor }, i) => priceMinor !== line.options?.[i]?.priceMinor);
    if (item.priceMinor === line.unitPriceMinor && !stale) continue;
    const options = chosen.prices.length === 0 ? {} : { options: chosen.prices };
    changed.push({ itemId: line.itemId, line: index, unitPriceMinor: item.priceMinor, ...options });
  }
  if (gone.length > 0) return { code: "item_unavailable", detail: { items: gone, menuVersion } };
  if (wrong.length > 0) return { code: "options_invalid", detail: { lines: wrong, menuVersion } };
  if (changed.length > 0) return { code: "price_changed", detail: { items: changed, menuVersion } };
  return null;
}

export interface Chosen {
  /** By the menu, in the line's order; nothing when an option is gone. */
  readonly prices: readonly { readonly groupId: string; readonly choiceId: string; readonly priceMinor: number }[];
  readonly gone: readonly { readonly groupId: string; readonly choiceId: string; readonly left: 0 }[];
  readonly wrong: readonly JsonObject[];
}

const NOTHING_CHOSEN: Chosen = { prices: [], gone: [], wrong: [] };

/** What was chosen with an item, as the menu has it. */
export function lookUp(item: MenuViewItem, line: Pick<PricedLine, "options">): Chosen {
  const groups = item.options ?? [];
  const options = line.options ?? [];
  if (groups.length === 0 && options.length === 0) return NOTHING_CHOSEN;
  const prices: { groupId: string; choiceId: string; priceMinor: number }[] = [];
  const gone: { groupId: string; choiceId: string; left: 0 }[] = [];
  const wrong: JsonObject[] = [];
  const counts = new Map<string, Set<string>>();
  for (const { groupId, choiceId } of options) {
    const group = groups.find((each) => each.groupId === groupId);
    const choice = group?.choices.find((each) => each.choiceId === choiceId);
    if (choice === undefined || choice.available === false) gone.push({ groupId, choiceId, left: 0 });
    else prices.push({ groupId, choiceId, priceMinor: choice.priceMinor });
    const chosen = counts.get(groupId) ?? new Set();
    if (chosen.has(choiceId)) wrong.push({ groupId, choiceId, problem: "is chosen twice" });
    counts.set(groupId, chosen.add(choiceId));
  }
  for (const { groupId, min = 0, max = 1 } of groups) {
    const chosen = counts.get(groupId)?.size ?? 0;
    if (chosen >= min && chosen <= max) continue;
    wrong.push({ groupId, min, max, chosen, problem: chosen < min ? "too few are chosen" : "too many are chosen" });
  }
  return { prices: gone.length > 0 ? [] : prices, gone, wrong };
}

function minimumRefusal(menu: MenuView, lines: readonly PricedLine[]): MenuRefusal | null {
  const minimumMinor = menu.minimumOrderMinor ?? 0;
  if (minimumMinor === 0) return null;
  const itemsMinor = lines.reduce((sum, line) => sum + line.quantity * portionMinor(line), 0);
  return itemsMinor >= minimumMinor
    ? null
    : { code: "below_minimum", detail: { minimumMinor, itemsMinor, missingMinor: minimumMinor - itemsMinor } };
}
