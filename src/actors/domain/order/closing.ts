/**
 * How an order ends without a delivery: cancelled, rejected or undeliverable, by whomever. One function tells everybody
 * concerned, so that no ending forgets the driver, the restaurant or the money.
 */
import type { JsonObject } from "../../../lib/json.js";
import type { MovedBy, OrderStatus } from "../../../protocol/mod.js";
import { isTerminal } from "../../../protocol/mod.js";
import type { Rejection } from "../../runtime/definition.js";
import { Driver } from "../driver/messages.js";
import { Restaurant } from "../restaurant/messages.js";
import type { DomainSettings } from "../settings.js";
import { talkOver } from "./conversation.js";
import type { DeadlineOf } from "./messages.js";
import { offersWereClosed } from "./offers-made.js";
import { release } from "./payment.js";
import { releasePromotion } from "./promotion.js";
import { type OrderContext, save } from "./save.js";
import { seatClaims, TRIP_CLAIM } from "./seats.js";
import { type Closing, type Delivery, isPlaced, isUnheld, type Payment, type PlacedOrder, statusOf } from "./state.js";

export interface End {
  readonly status: Closing["status"];
  readonly by: MovedBy;
  readonly reason: string;
  readonly refusal?: { readonly code: string; readonly detail: JsonObject };
  /** The payment as it already stands, when the ending is about the payment. */
  readonly payment?: Payment;
  /** True: the driver has let go already (it told so itself). */
  readonly driverGone?: boolean;
}

export function close(ctx: OrderContext, settings: DomainSettings, order: PlacedOrder, end: End): PlacedOrder {
  const closed: Closing = {
    status: end.status,
    at: ctx.now,
    by: end.by,
    reason: end.reason,
    refusal: end.refusal ?? null,
  };
  if (order.kitchen.status !== "refused") {
    ctx.tell(Restaurant, order.content.restaurant.id, "closeOrder", {
      orderId: ctx.key,
      status: end.status,
      reason: end.reason,
      holds: holdsOf(order),
      pickedUp: order.kitchen.status === "handed_over",
    });
  }
  talkOver(ctx, order);
  const promotion = releasePromotion(ctx, order);
  const next: PlacedOrder = {
    ...order,
    closed,
    ...(promotion === undefined ? {} : { promotion }),
    payment: end.payment ?? release(ctx, order.payment),
    delivery: letGo(ctx, order.delivery, end),
    offersMade:
      order.delivery.status === "offered"
        ? offersWereClosed(order.offersMade, order.delivery.offers, "withdrawn", end.reason, ctx.now)
        : order.offersMade,
  };
  return save(ctx, settings, next, [{ kind: end.status, by: end.by, reason: end.reason }], {
    zone: order.delivery.status !== "none",
  });
}

/** What its restaurant holds for it; null: nothing, or not known. */
function holdsOf({ kitchen, content }: PlacedOrder): readonly { itemId: string; quantity: number }[] | null {
  return kitchen.status === "reserving" || isUnheld(kitchen)
    ? null
    : content.lines.map(({ itemId, quantity }) => ({ itemId, quantity }));
}

/** Offers and trips are taken back; a driver who has the order is asked to acknowledge it. */
function letGo(ctx: OrderContext, delivery: Delivery, end: End): Delivery {
  switch (delivery.status) {
    case "none":
    case "searching":
    case "over":
    case "letting_go":
    case "delivered":
      return delivery.status === "letting_go" ? delivery : { status: "over" };
    case "offered":
      for (const offer of delivery.offers) {
        ctx.tell(Driver, offer.driverId, "withdraw", {
          orderId: ctx.key,
          offerId: offer.offerId,
          what: "offer",
          carrying: true,
          outcome: "withdrawn",
          reason: end.reason,
        });
      }
      return { status: "over" };
    case "assigned":
    case "revoking":
    case "carrying": {
      const { driver } = delivery;
      // Who was to have it next, perhaps because the food is with them.
      const next = delivery.status === "revoking" ? delivery.next : null;
      if (next !== null) ctx.tell(Driver, next.driverId, "notYours", { orderId: ctx.key, reason: end.reason });
      if (end.driverGone === true) {
        for (const place of seatClaims(driver.driverId, driver.seat)) ctx.release(TRIP_CLAIM, place);
        return { status: "over" };
      }
      ctx.tell(Driver, driver.driverId, "withdraw", {
        orderId: ctx.key,
        offerId: driver.offerId,
        what: "trip",
        carrying: true,
        outcome: "withdrawn",
        reason: end.reason,
      });
      return { status: "letting_go", driver };
    }
  }
}

/** Who may cancel when. Null: this caller may, now. Pure. */
export function cancelRefusal(
  order: PlacedOrder,
  caller: { readonly id: string; readonly role: string } | null,
  settings: DomainSettings,
): { readonly code: "not_found" | "illegal_transition"; readonly status?: OrderStatus } | null {
  const status = statusOf(order);
  switch (caller?.role) {
    case "customer":
      if (caller.id !== order.content.customerId) return { code: "not_found" };
      return settings.order.customerMayCancelIn.includes(status) && !isTerminal(status)
        ? null
        : { code: "illegal_transition", status };
    case "restaurant":
      if (caller.id !== order.content.restaurant.id) return { code: "not_found" };
      return isTerminal(status) || status === "placed" || status === "picked_up"
        ? { code: "illegal_transition", status }
        : null;
    case "support":
    case "admin":
      return isTerminal(status) ? { code: "illegal_transition", status } : null;
    default:
      return { code: "not_found" };
  }
}

export function cancel(
  ctx: OrderContext,
  settings: DomainSettings,
  reason: string,
): { status: string; version: number } | Rejection {
  const order = ctx.state;
  if (!isPlaced(order)) return ctx.reject("not_found");
  const { caller } = ctx.command;
  const refusal = cancelRefusal(order, caller, settings);
  if (refusal !== null)
    return ctx.reject(refusal.code, refusal.status === undefined ? undefined : { status: refusal.status });
  const by = (caller?.role ?? "system") as MovedBy;
  const after = close(ctx, settings, order, { status: "cancelled", by, reason });
  return { status: "cancelled", version: after.revision };
}

/** Somebody is on the way to the food, or letting go of it. */
const hasDriver = ({ delivery: { status } }: PlacedOrder): boolean => status === "assigned" || status === "revoking";

/** How often an order that is ready may be given more time because a driver comes for it: every search has an end. */
const MOST_MORE = 3;

/** A status lasted too long. First a person is called for where one can help; then the order ends. */
export function deadline(
  ctx: OrderContext,
  settings: DomainSettings,
  of: Exclude<DeadlineOf, "pickup">,
  escalated: boolean,
  more = 0,
): null {
  const order = ctx.state;
  if (!isPlaced(order)) return null;
  const status = statusOf(order);
  if (isTerminal(status) || stageOf(status) !== of) return null;
  const limits = settings.order;
  switch (of) {
    case "placed":
      close(ctx, settings, order, { status: "cancelled", by: "system", reason: "placement_timeout" });
      return null;
    case "confirmed":
      close(ctx, settings, order, { status: "cancelled", by: "system", reason: "restaurant_did_not_answer" });
      return null;
    case "kitchen":
      if (!escalated) return escalate(ctx, settings, order, of, limits.kitchenLateMs);
      close(ctx, settings, order, { status: "cancelled", by: "system", reason: "kitchen_too_late" });
      return null;
    case "ready":
      if (!escalated) return escalate(ctx, settings, order, of, limits.assignDeadlineMs);
      if (hasDriver(order) && more < MOST_MORE) {
        const at = ctx.now + limits.pickupDeadlineMs;
        ctx.timer("deadline", { at, run: "deadline", input: { of, escalated: true, more: more + 1 } });
        return null;
      }
      close(ctx, settings, order, { status: "cancelled", by: "system", reason: "no_driver" });
      return null;
    case "road":
      if (!escalated) return escalate(ctx, settings, order, of, limits.deliveryDeadlineMs);
      close(ctx, settings, order, { status: "undeliverable", by: "system", reason: "delivery_too_late" });
      return null;
  }
}

function stageOf(status: OrderStatus): DeadlineOf | null {
  switch (status) {
    case "placed":
    case "confirmed":
    case "ready":
      return status;
    case "accepted":
    case "preparing":
      return "kitchen";
    case "picked_up":
      return "road";
    default:
      return null;
  }
}

function escalate(
  ctx: OrderContext,
  settings: DomainSettings,
  order: PlacedOrder,
  of: DeadlineOf,
  againMs: number,
): null {
  ctx.timer("deadline", { at: ctx.now + againMs, run: "deadline", input: { of, escalated: true } });
  const next = { ...order, escalations: order.escalations + 1, excluded: [] };
  save(ctx, settings, next, [{ kind: "escalated", by: "system", reason: `late: ${of}` }]);
  return null;
}
