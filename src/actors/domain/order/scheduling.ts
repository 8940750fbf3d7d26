/**
 * From paid to the restaurant's tablet: at once, or when it is time for the order to arrive when it is wanted.
 *
 * Invariants: an order for later is `confirmed` from the moment it is paid; its restaurant hears of it once, by a durable
 * timer, early enough for the kitchen, the driver's search and the way as they are expected to be, and not before it opens.
 */
import { Restaurant } from "../restaurant/messages.js";
import type { DomainSettings } from "../settings.js";
import { spareMs } from "./eta.js";
import { type Entry, type OrderContext, save, setDeadline } from "./save.js";
import { isPlaced, isUnheld, opensAtOf, type PlacedOrder } from "./state.js";

/** Reserved and paid. */
export function confirm(ctx: OrderContext, settings: DomainSettings, paid: PlacedOrder): void {
  const entries: readonly Entry[] = [{ kind: "confirmed", by: "system" }];
  const waitMs = spareMs(paid, ctx.now, settings);
  if (waitMs < settings.order.minuteMs) {
    offer(ctx, settings, paid, entries);
    return;
  }
  const offerAt = ctx.now + waitMs;
  const opensAt = opensAtOf(paid.kitchen);
  ctx.timer("kitchen", { at: offerAt, run: "offerToKitchen" });
  const kitchen = { status: "scheduled", offerAt, ...(opensAt === 0 ? {} : { opensAt }) } as const;
  save(ctx, settings, { ...paid, kitchen }, entries);
}

/** An order for later, when its time has come. */
export function offerToKitchen(ctx: OrderContext, settings: DomainSettings): null {
  const order = ctx.state;
  if (!isPlaced(order) || order.closed !== null || order.kitchen.status !== "scheduled") return null;
  const offered = offer(ctx, settings, order, []);
  // The public status is the same one; its deadline is another.
  setDeadline(ctx, settings, offered, "confirmed");
  return null;
}

/** Onto the restaurant's tablet. */
function offer(
  ctx: OrderContext,
  settings: DomainSettings,
  order: PlacedOrder,
  entries: readonly Entry[],
): PlacedOrder {
  const acceptBy = ctx.now + settings.order.acceptDeadlineMs;
  const { content, kitchen } = order;
  ctx.tell(Restaurant, content.restaurant.id, "offerOrder", {
    orderId: ctx.key,
    lines: content.lines,
    totals: content.totals,
    ...(content.note === null ? {} : { note: content.note }),
    placedAt: content.placedAt,
    ...(content.deliverAt === undefined ? {} : { deliverAt: content.deliverAt }),
    acceptBy,
    ...(isUnheld(kitchen) ? { unheld: true } : {}),
  });
  return save(ctx, settings, { ...order, kitchen: { status: "offered", acceptBy } }, entries);
}
