/** The restaurant's part: accept, reject, preparing, ready. Only the order's own restaurant can; to others it does not exist. */
import type { AlertStep } from "../../../protocol/mod.js";
import type { Rejection } from "../../runtime/definition.js";
import { Restaurant } from "../restaurant/messages.js";
import type { DomainSettings } from "../settings.js";
import { close } from "./closing.js";
import { armPickup } from "./dispatch.js";
import { wantedReadyAt } from "./eta.js";
import { searchBegan } from "./offers-made.js";
import { type OrderContext, save } from "./save.js";
import { isPlaced, type PlacedOrder, statusOf } from "./state.js";

type Moved = { readonly status: string; readonly version: number };

const moved = (order: PlacedOrder): Moved => ({ status: statusOf(order), version: order.revision });

/** The order, if the caller is its restaurant. */
function own(ctx: OrderContext): PlacedOrder | null {
  const { caller } = ctx.command;
  const order = ctx.state;
  if (!isPlaced(order) || caller?.role !== "restaurant" || caller.id !== order.content.restaurant.id) return null;
  return order;
}

function illegal(ctx: OrderContext, order: PlacedOrder): Rejection {
  return ctx.reject("illegal_transition", { status: statusOf(order) });
}

export function accept(
  ctx: OrderContext,
  settings: DomainSettings,
  prepMinutes: number | undefined,
): Moved | Rejection {
  const order = own(ctx);
  if (order === null) return ctx.reject("not_found");
  if (order.closed !== null || order.kitchen.status !== "offered") return illegal(ctx, order);
  const { order: limits } = settings;
  const prepMs = prepMinutes === undefined ? limits.defaultPrepMs : Math.round(prepMinutes * limits.minuteMs);
  // Ordered for later: not sooner than it can be eaten warm.
  const readyAt = Math.max(ctx.now + prepMs, wantedReadyAt(order, settings) ?? 0);
  ctx.tell(Restaurant, order.content.restaurant.id, "orderAccepted", {
    orderId: ctx.key,
    status: "accepted",
    readyAt,
  });
  ctx.timer("kitchen", { at: ctx.now + limits.preparingDelayMs, run: "kitchenStarts" });
  const next: PlacedOrder = {
    ...order,
    kitchen: { status: "accepted", readyAt },
    delivery: { status: "searching", notBefore: ctx.now },
    offersMade: searchBegan(order.offersMade, ctx.now),
  };
  return moved(save(ctx, settings, next, [{ kind: "accepted", by: "restaurant" }]));
}

export function rejectByRestaurant(ctx: OrderContext, settings: DomainSettings, reason: string): Moved | Rejection {
  const order = own(ctx);
  if (order === null) return ctx.reject("not_found");
  if (order.closed !== null || order.kitchen.status !== "offered") return illegal(ctx, order);
  return moved(close(ctx, settings, order, { status: "rejected", by: "restaurant", reason }));
}

export function startPreparing(ctx: OrderContext, settings: DomainSettings): Moved | Rejection {
  const order = own(ctx);
  if (order === null) return ctx.reject("not_found");
  if (order.closed !== null) return illegal(ctx, order);
  // The timer may have been faster; saying it again is not an error.
  if (order.kitchen.status === "preparing") return moved(order);
  if (order.kitchen.status !== "accepted") return illegal(ctx, order);
  ctx.cancelTimer("kitchen");
  const { readyAt } = order.kitchen;
  const next: PlacedOrder = { ...order, kitchen: { status: "preparing", readyAt } };
  return moved(save(ctx, settings, next, [{ kind: "preparing", by: "restaurant" }]));
}

/** Nobody said so, but a kitchen that accepted starts. */
export function kitchenStarts(ctx: OrderContext, settings: DomainSettings): null {
  const order = ctx.state;
  if (!isPlaced(order) || order.closed !== null || order.kitchen.status !== "accepted") return null;
  const { readyAt } = order.kitchen;
  save(ctx, settings, { ...order, kitchen: { status: "preparing", readyAt } }, [{ kind: "preparing", by: "system" }]);
  return null;
}

export function markReady(ctx: OrderContext, settings: DomainSettings): Moved | Rejection {
  const order = own(ctx);
  if (order === null) return ctx.reject("not_found");
  const { kitchen } = order;
  if (order.closed !== null) return illegal(ctx, order);
  // A driver who took the food along said it first.
  if (kitchen.status === "ready" || kitchen.status === "handed_over") return moved(order);
  if (kitchen.status !== "accepted" && kitchen.status !== "preparing") return illegal(ctx, order);
  ctx.cancelTimer("kitchen");
  const next: PlacedOrder = { ...order, kitchen: { status: "ready", readyAt: ctx.now } };
  if (next.delivery.status === "assigned") armPickup(ctx, settings, next);
  return moved(save(ctx, settings, next, [{ kind: "ready", by: "restaurant" }]));
}

/** Part of the order's history: support reads how the restaurant was reached for, and whether its tablet had the order. */
export function kitchenAlerted(ctx: OrderContext, settings: DomainSettings, step: AlertStep, delivered: boolean): null {
  const order = ctx.state;
  if (!isPlaced(order) || order.closed !== null || order.kitchen.status !== "offered") return null;
  const reason = `restaurant: ${step}, ${delivered ? "nobody answers the tablet" : "no tablet has the order"}`;
  save(ctx, settings, order, [{ kind: "escalated", by: "system", reason }]);
  return null;
}
