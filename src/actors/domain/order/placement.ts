/**
 * From the customer's tap to `confirmed`: reserve at the restaurant, then authorise the payment. Owns the order of the
 * two, and what happens when either says no or says nothing.
 */
import type { Outlook } from "../../../eta/mod.js";
import type { JsonObject } from "../../../lib/json.js";
import { orderTotals, type PlacedReply, sameTotals } from "../../../protocol/mod.js";
import type { EffectResult, Rejection } from "../../runtime/definition.js";
import { zoneOf } from "../dispatch-zone/messages.js";
import { Restaurant } from "../restaurant/messages.js";
import type { DomainSettings } from "../settings.js";
import { close } from "./closing.js";
import type { PaymentAnswer, PlaceInput } from "./messages.js";
import { authorise, settled, voidNow } from "./payment.js";
import { type OrderContext, save } from "./save.js";
import { initialOrder, isPlaced, type OrderContent, type PlacedOrder, statusOf } from "./state.js";

export function place(ctx: OrderContext, settings: DomainSettings, input: PlaceInput): PlacedReply | Rejection {
  const { caller } = ctx.command;
  if (caller?.role !== "customer") return ctx.reject("forbidden");
  const known = ctx.state;
  if (isPlaced(known)) {
    // The id is derived from the customer and the key: only the same customer can mean this order.
    if (known.content.customerId !== caller.id) return ctx.reject("not_found");
    return reply(ctx.key, known);
  }
  if (input.refusal !== undefined) return ctx.reject(input.refusal.code, input.refusal.detail);
  // The tariff is the restaurant's to check; that the sum is a sum can be seen here.
  const { totals } = input;
  const tariff = { currency: input.currency, taxPerMille: 0, deliveryFeeMinor: totals.feeMinor };
  const sum = orderTotals(input.lines, tariff, input.tipMinor ?? 0);
  const expected = { ...sum, taxMinor: totals.taxMinor, totalMinor: sum.totalMinor + totals.taxMinor };
  if (!sameTotals(expected, totals)) {
    return ctx.reject("invalid", { path: "/totals", problem: "the totals are not those of the lines" });
  }
  const { name, lat, lng } = input.restaurant;
  const content: OrderContent = {
    customerId: caller.id,
    restaurant: { id: input.restaurantId, name, lat, lng },
    destination: input.destination,
    lines: input.lines,
    totals,
    note: input.note ?? null,
    paymentMethod: input.paymentMethod ?? "default",
    zone: zoneOf(input.restaurant),
    placedAt: ctx.now,
    ...(input.way === undefined ? {} : { way: input.way }),
  };
  ctx.tell(Restaurant, input.restaurantId, "reserve", {
    orderId: ctx.key,
    lines: input.lines.map(({ itemId, quantity, unitPriceMinor }) => ({ itemId, quantity, unitPriceMinor })),
    destination: input.destination,
    totals,
  });
  const order = save(ctx, settings, { ...initialOrder(), content }, [{ kind: "placed", by: "customer" }]);
  return reply(ctx.key, order);
}

function reply(orderId: string, order: PlacedOrder): PlacedReply {
  return { orderId, status: statusOf(order), version: order.revision, totals: order.content.totals };
}

/** The restaurant holds the stock. Too late (the order is over): the closing told it to let go already. */
export function reserved(ctx: OrderContext, settings: DomainSettings, outlook: Outlook | undefined): null {
  const order = ctx.state;
  if (!isPlaced(order) || order.closed !== null || order.kitchen.status !== "reserving") return null;
  save(ctx, settings, {
    ...order,
    kitchen: { status: "reserved" },
    payment: authorise(ctx, order),
    ...(outlook === undefined ? {} : { outlook }),
  });
  return null;
}

export function refused(ctx: OrderContext, settings: DomainSettings, code: string, detail: JsonObject): null {
  const order = ctx.state;
  if (!isPlaced(order) || order.closed !== null || order.kitchen.status !== "reserving") return null;
  const next: PlacedOrder = { ...order, kitchen: { status: "refused" } };
  close(ctx, settings, next, { status: "rejected", by: "restaurant", reason: code, refusal: { code, detail } });
  return null;
}

export function paymentDone(ctx: OrderContext, settings: DomainSettings, result: EffectResult<PaymentAnswer>): null {
  const order = ctx.state;
  if (!isPlaced(order)) return null;
  if (order.payment.status !== "authorising") {
    settled(ctx, settings, order, result);
    return null;
  }
  const { n } = order.payment;
  if (order.closed !== null) {
    // The order ended while the provider was thinking. Declined: nothing is held. Else nothing may stay held (rule 8).
    const declined = result.ok && result.value.outcome === "declined";
    const payment = declined ? ({ status: "declined", n } as const) : voidNow(ctx, n);
    save(ctx, settings, { ...order, payment }, [], { zone: false });
    return null;
  }
  if (!result.ok) {
    const payment = voidNow(ctx, n);
    const refusal = { code: "payment_failed", detail: {} };
    close(ctx, settings, order, { status: "cancelled", by: "payment", reason: "payment_failed", refusal, payment });
    return null;
  }
  if (result.value.outcome === "declined") {
    const refusal = { code: "payment_declined", detail: { reason: result.value.reason } };
    const payment = { status: "declined", n } as const;
    close(ctx, settings, order, { status: "rejected", by: "payment", reason: "payment_declined", refusal, payment });
    return null;
  }
  const acceptBy = ctx.now + settings.order.acceptDeadlineMs;
  const { content } = order;
  ctx.tell(Restaurant, content.restaurant.id, "offerOrder", {
    orderId: ctx.key,
    lines: content.lines,
    totals: content.totals,
    ...(content.note === null ? {} : { note: content.note }),
    placedAt: content.placedAt,
    acceptBy,
  });
  const next: PlacedOrder = {
    ...order,
    kitchen: { status: "offered", acceptBy },
    payment: { status: "authorised", n },
  };
  save(ctx, settings, next, [{ kind: "confirmed", by: "system" }]);
  return null;
}
