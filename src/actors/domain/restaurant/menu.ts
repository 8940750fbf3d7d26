/** The reservation: the authority on price, stock, being open, area and the kitchen's capacity. */
import type { JsonObject } from "../../../lib/json.js";
import { menuRefusal, orderTotals, sameTotals } from "../../../protocol/mod.js";
import { Order } from "../order/messages.js";
import type { DomainSettings } from "../settings.js";
import { busyWith, outlookOf } from "./kitchen.js";
import { opensFor, whenItBegins } from "./later.js";
import type { ReserveInput } from "./messages.js";
import { isRefillDue, refilled, shelvesFor } from "./refill.js";
import { save } from "./save.js";
import {
  exactMenu,
  isForLater,
  type OpenOrder,
  type RestaurantContext,
  type RestaurantState,
  termsChanged,
} from "./state.js";
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
  const shelves = shelvesFor(state, input.deliverAt, now);
  const menu = exactMenu(restaurantId, { ...state, left: shelves.left }, settings.restaurant, busy);
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

/** Orders that want a place in the kitchen of now. */
function inKitchenNow({ state, volatile: memory, now }: RestaurantContext, settings: DomainSettings): number {
  let count = 0;
  for (const [id, order] of Object.entries(state.orders)) if (!memory.left.has(id) && !isForLater(order)) count++;
  for (const [id, at] of memory.unheld) {
    // The oldest come first. Its order has ended by itself by now.
    if (at > now - settings.order.placementDeadlineMs) break;
    memory.unheld.delete(id);
  }
  return count + memory.unheld.size;
}

/**
 * A cast is an order that asks before it is kept. Where nothing that it wants is counted, the answer is all: nothing is
 * kept, so nothing has to be given back should the order forget that it asked.
 */
export function reserve(ctx: RestaurantContext, settings: DomainSettings, asked: ReserveInput): null {
  const { orderId } = asked;
  const input = whenItBegins(ctx, settings, asked);
  const asksAhead = ctx.command.source === "cast";
  const isNew = ctx.state.orders[orderId] === undefined;
  // The clock fills a shelf, not the timer that comes a little later: who comes in between would take of the old one, and
  // have it of the new.
  if (isNew && isRefillDue(ctx)) {
    if (asksAhead) {
      ctx.castAhead(Order, orderId, "reserveWhenKept", null);
      return null;
    }
    save(ctx, settings, refilled(ctx), true);
  }
  const { state, volatile: memory } = ctx;
  if (isNew) {
    const later = input.deliverAt !== undefined;
    const inKitchen = memory.unheld.has(orderId) ? 0 : inKitchenNow(ctx, settings);
    const busy = later ? new Map<string, number>() : busyWith(ctx);
    // Judged by what was shown, and shown anew: one that is asked ahead keeps nothing, so it asks once more.
    const showsAnew = state.menu !== null && termsChanged(state, settings.restaurant);
    if (asksAhead && showsAnew) {
      ctx.castAhead(Order, orderId, "reserveWhenKept", null);
      return null;
    }
    const refusal = reserveRefusal(ctx.key, state, { now: ctx.now, inKitchen, busy }, input, settings);
    if (refusal !== null) {
      if (showsAnew) save(ctx, settings, state, true);
      if (asksAhead) ctx.castAhead(Order, orderId, "refused", refusal);
      else ctx.tell(Order, orderId, "refused", refusal);
      return null;
    }
    const shelves = shelvesFor(state, input.deliverAt, ctx.now);
    const wanted = tookOf(state.left, input.lines);
    const took = wanted.filter(([itemId]) => !shelves.later.has(itemId));
    const due = wanted.filter(([itemId]) => shelves.later.has(itemId));
    const cooks = cooksOf(state.menu?.items ?? [], input.lines);
    if (asksAhead) {
      if (later || took.length > 0 || cooks.length > 0) {
        ctx.castAhead(Order, orderId, "reserveWhenKept", null);
        return null;
      }
      noteRush(ctx);
      memory.unheld.set(orderId, ctx.now);
      const outlook = outlookOf(ctx, settings, input.lines);
      ctx.castAhead(Order, orderId, "reserved", { menuVersion: state.menuVersion, outlook, unheld: true });
      return null;
    }
    const held: OpenOrder = {
      stage: "held",
      took,
      ...(cooks.length === 0 ? {} : { cooks }),
      ...(input.deliverAt === undefined ? {} : { later: true, deliverAt: input.deliverAt }),
      ...(due.length === 0 ? {} : { due }),
    };
    const orders = { ...state.orders, [orderId]: held };
    memory.unheld.delete(orderId);
    noteRush(ctx);
    save(ctx, settings, { ...state, orders, left: take(state.left, took) }, showsAnew);
  }
  const opensAt = opensFor(ctx, input);
  ctx.tell(Order, orderId, "reserved", {
    menuVersion: ctx.state.menuVersion,
    outlook: outlookOf(ctx, settings, input.lines),
    ...(opensAt > ctx.now ? { opensAt } : {}),
  });
  return null;
}

function noteRush({ volatile: memory, now }: RestaurantContext): void {
  memory.gapMs = now - memory.reservedAt;
  memory.reservedAt = now;
}
