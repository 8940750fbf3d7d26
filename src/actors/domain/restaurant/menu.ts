/** The menu and the reservation: the authority on price, stock, being open, area and the kitchen's capacity. */
import type { JsonObject } from "../../../lib/json.js";
import { type CommandBody, menuRefusal, orderTotals, sameTotals } from "../../../protocol/mod.js";
import type { Rejection } from "../../runtime/definition.js";
import { Order } from "../order/messages.js";
import type { DomainSettings } from "../settings.js";
import { outlookOf } from "./kitchen.js";
import type { ReserveInput } from "./messages.js";
import { type RestaurantContext, save } from "./save.js";
import { exactMenu, type RestaurantState } from "./state.js";
import { restocked, take, tookOf } from "./stock.js";

type Changed = { readonly menuVersion: number };

/** Only the restaurant itself and admins; to others it does not exist. */
function mayEdit(ctx: RestaurantContext): boolean {
  const { caller } = ctx.command;
  return caller?.role === "admin" || (caller?.role === "restaurant" && caller.id === ctx.key);
}

export function configure(
  ctx: RestaurantContext,
  settings: DomainSettings,
  input: CommandBody<"restaurant.configure">,
): Changed | Rejection {
  if (!mayEdit(ctx)) return ctx.reject("not_found");
  const { items, ...profile } = input.profile;
  const seen = new Set<string>();
  for (const [index, item] of items.entries()) {
    // No record can hold this key: its stock would not be counted.
    if (item.itemId === "__proto__") {
      return ctx.reject("invalid", { path: `/profile/items/${index}/itemId`, problem: "no item can have this id" });
    }
    if (seen.has(item.itemId)) {
      return ctx.reject("invalid", { path: `/profile/items/${index}/itemId`, problem: "the item is there twice" });
    }
    seen.add(item.itemId);
  }
  const { state } = ctx;
  const first = state.menu === null;
  const next: RestaurantState = {
    ...state,
    menu: { profile, items },
    // A new restaurant opens with its first menu; later its doors are its own business.
    open: first ? true : state.open,
    left: restocked(state.left, state.menu?.items ?? [], items),
  };
  return { menuVersion: save(ctx, settings, next, true).menuVersion };
}

export function setItem(
  ctx: RestaurantContext,
  settings: DomainSettings,
  input: CommandBody<"restaurant.item">,
): Changed | Rejection {
  const { state } = ctx;
  if (!mayEdit(ctx) || state.menu === null) return ctx.reject("not_found");
  const { itemId, available, stock, priceMinor } = input;
  const known = state.menu.items.find((item) => item.itemId === itemId);
  if (known === undefined) return ctx.reject("not_found");
  const edited = {
    ...known,
    ...(available === undefined ? {} : { available }),
    ...(priceMinor === undefined ? {} : { priceMinor }),
    ...(stock === undefined ? {} : { stock }),
  };
  const next: RestaurantState = {
    ...state,
    menu: { ...state.menu, items: state.menu.items.map((item) => (item === known ? edited : item)) },
    // A person counted what is on the shelf: open orders' share is not on it any more.
    left: stock === undefined ? state.left : { ...state.left, [itemId]: stock },
  };
  return { menuVersion: save(ctx, settings, next, true).menuVersion };
}

export function setOpen(ctx: RestaurantContext, settings: DomainSettings, open: boolean): Changed | Rejection {
  const { state } = ctx;
  if (!mayEdit(ctx) || state.menu === null) return ctx.reject("not_found");
  if (state.open === open) return { menuVersion: state.menuVersion };
  return { menuVersion: save(ctx, settings, { ...state, open }, true).menuVersion };
}

/** Why this order cannot be served now, or null. Pure. */
export function reserveRefusal(
  restaurantId: string,
  state: RestaurantState,
  inKitchen: number,
  input: ReserveInput,
  settings: DomainSettings,
): { readonly code: string; readonly detail: JsonObject } | null {
  const menu = exactMenu(restaurantId, state, settings.restaurant);
  if (menu === null) return { code: "restaurant_unknown", detail: {} };
  if (state.tombstones.some(([id]) => id === input.orderId)) return { code: "expired", detail: {} };
  const { lines, destination, totals } = input;
  const refusal = menuRefusal(menu, { lines: [...lines], destination, currency: totals.currency });
  if (refusal !== null) return refusal;
  const capacity = state.menu?.profile.kitchenCapacity ?? settings.restaurant.defaultKitchenCapacity;
  if (inKitchen >= capacity) return { code: "restaurant_closed", detail: { reason: "kitchen_full" } };
  // The discount is between the marketplace and the customer: whether it is due is the promotion's to say.
  const expected = orderTotals(lines, menu, totals.tipMinor, totals.discountMinor);
  if (!sameTotals(expected, totals)) {
    return { code: "price_changed", detail: { items: [], totals: { ...expected }, menuVersion: menu.menuVersion } };
  }
  return null;
}

export function reserve(ctx: RestaurantContext, settings: DomainSettings, input: ReserveInput): null {
  const { orderId } = input;
  const { state } = ctx;
  if (state.orders[orderId] === undefined) {
    const inKitchen = Object.keys(state.orders).filter((id) => !ctx.volatile.left.has(id)).length;
    const refusal = reserveRefusal(ctx.key, state, inKitchen, input, settings);
    if (refusal !== null) {
      ctx.tell(Order, orderId, "refused", refusal);
      return null;
    }
    const took = tookOf(state.left, input.lines);
    const orders = { ...state.orders, [orderId]: { stage: "held", took } as const };
    save(ctx, settings, { ...state, orders, left: take(state.left, took) });
  }
  ctx.tell(Order, orderId, "reserved", {
    menuVersion: ctx.state.menuVersion,
    outlook: outlookOf(ctx, settings, input.lines),
  });
  return null;
}
