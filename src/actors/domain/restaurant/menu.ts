/** The reservation: the authority on price, stock, being open, area and the kitchen's capacity. */
import type { JsonObject } from "../../../lib/json.js";
import { menuRefusal, orderTotals, sameTotals } from "../../../protocol/mod.js";
import { Order } from "../order/messages.js";
import type { DomainSettings } from "../settings.js";
import { busyWith, outlookOf } from "./kitchen.js";
import type { ReserveInput } from "./messages.js";
import { save } from "./save.js";
import { exactMenu, isForLater, type OpenOrder, type RestaurantContext, type RestaurantState } from "./state.js";
import { cooksOf, take, tookOf } from "./stock.js";

/** What of the moment an order is judged by. */
interface Moment {
  readonly now: number;
  /** Orders in the kitchen. */
  readonly inKitchen: number;
  /** Portions in the kitchen, of what is cooked so many at once. */
  readonly busy: ReadonlyMap<string, number>;
}

/** Why this order cannot be served now, or null. Pure. */
export function reserveRefusal(
  restaurantId: string,
  state: RestaurantState,
  { now, inKitchen, busy }: Moment,
  input: ReserveInput,
  settings: DomainSettings,
): { readonly code: string; readonly detail: JsonObject } | null {
  const menu = exactMenu(restaurantId, state, settings.restaurant, busy);
  if (menu === null) return { code: "restaurant_unknown", detail: {} };
  if (state.tombstones.some(([id]) => id === input.orderId)) return { code: "expired", detail: {} };
  const { lines, destination, totals } = input;
  // The clock decides, not the timer that comes a little later.
  const { deliverAt } = input;
  const served = { at: deliverAt ?? now, ahead: deliverAt !== undefined };
  const refusal = menuRefusal(menu, { lines, destination, currency: totals.currency }, served);
  if (refusal !== null) return refusal;
  const capacity = state.menu?.profile.kitchenCapacity ?? settings.restaurant.defaultKitchenCapacity;
  if (deliverAt === undefined && inKitchen >= capacity)
    return { code: "restaurant_closed", detail: { reason: "kitchen_full" } };
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
    const later = input.deliverAt !== undefined;
    const inKitchen = Object.entries(state.orders).filter(
      ([id, order]) => !ctx.volatile.left.has(id) && !isForLater(order),
    ).length;
    const busy = later ? new Map<string, number>() : busyWith(ctx);
    const refusal = reserveRefusal(ctx.key, state, { now: ctx.now, inKitchen, busy }, input, settings);
    if (refusal !== null) {
      ctx.tell(Order, orderId, "refused", refusal);
      return null;
    }
    const took = tookOf(state.left, input.lines);
    const cooks = cooksOf(state.menu?.items ?? [], input.lines);
    const held: OpenOrder = {
      stage: "held",
      took,
      ...(cooks.length === 0 ? {} : { cooks }),
      ...(later ? { later: true } : {}),
    };
    const orders = { ...state.orders, [orderId]: held };
    ctx.volatile.gapMs = ctx.now - ctx.volatile.reservedAt;
    ctx.volatile.reservedAt = ctx.now;
    save(ctx, settings, { ...state, orders, left: take(state.left, took) });
  }
  ctx.tell(Order, orderId, "reserved", {
    menuVersion: ctx.state.menuVersion,
    outlook: outlookOf(ctx, settings, input.lines),
  });
  return null;
}
