/**
 * From the customer's tap to `confirmed`: reserve at the restaurant, then authorise the payment. Owns the order of the
 * two, and what happens when either says no or says nothing.
 */
import type { JsonObject } from "../../../lib/json.js";
import {
  type NamedLine,
  orderTotals,
  type PlacedReply,
  type PricedLine,
  sameTotals,
  whenProblem,
} from "../../../protocol/mod.js";
import type { EffectResult, Rejection } from "../../runtime/definition.js";
import { zoneOf } from "../dispatch-zone/messages.js";
import { Restaurant } from "../restaurant/messages.js";
import type { DomainSettings } from "../settings.js";
import { close } from "./closing.js";
import type { OrderContract, PaymentAnswer, PaymentNotice, PlaceInput, PromotionAnswer } from "./messages.js";
import { askedFor, authorise, authoriseOther, retryAt, settled, switchMethod, voidNow } from "./payment.js";
import { driverPayMinor } from "./payment-facts.js";
import { refundDone } from "./payment-refund.js";
import { promotionPending, reservePromotion } from "./promotion.js";
import { type OrderContext, save } from "./save.js";
import { confirm } from "./scheduling.js";
import { initialOrder, isPlaced, type OrderContent, type PlacedOrder, statusOf } from "./state.js";

/** Longer than a restaurant takes that is there, and shorter than a person notices. */
const RESERVE_ANSWER = { withinMs: 250, by: ["reserved", "refused"] } as const;

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
  const sum = orderTotals(input.lines, tariff, input.tipMinor ?? 0, totals.discountMinor);
  const expected = { ...sum, taxMinor: totals.taxMinor, totalMinor: sum.totalMinor + totals.taxMinor };
  const discounted = input.promotionCode === undefined ? 0 : totals.itemsMinor;
  if (!sameTotals(expected, totals) || totals.discountMinor > discounted) {
    return ctx.reject("invalid", { path: "/totals", problem: "the totals are not those of the lines" });
  }
  const { deliverAt } = input;
  if (deliverAt !== undefined) {
    const problem = whenProblem(deliverAt, ctx.now);
    if (problem !== null) return ctx.reject("invalid", { path: "/deliverAt", problem });
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
    ...(input.fallbackPaymentMethod === undefined ? {} : { fallbackMethod: input.fallbackPaymentMethod }),
    ...(input.promotionCode === undefined ? {} : { promotionCode: input.promotionCode }),
    terms: {
      driverPayMinor: driverPayMinor(
        { ...input, restaurant: { ...input.restaurant, id: input.restaurantId } },
        settings,
      ),
      commissionPerMille: settings.order.commissionPerMille,
    },
    zone: zoneOf(input.restaurant),
    placedAt: ctx.now,
    ...(deliverAt === undefined ? {} : { deliverAt }),
    ...(input.way === undefined ? {} : { way: input.way }),
  };
  // Most restaurants have only to look, and answer before the order is kept: then both are one commit.
  ctx.tellAhead(RESERVE_ANSWER, Restaurant, input.restaurantId, "reserve", {
    orderId: ctx.key,
    lines: input.lines.map(withoutNames),
    destination: input.destination,
    totals,
    ...(deliverAt === undefined ? {} : { deliverAt }),
    ...(deliverAt === undefined || input.way === undefined ? {} : { wayMs: input.way.durationMs }),
  });
  const placed: PlacedOrder = { ...initialOrder(), content, ...reservePromotion(ctx, content) };
  const order = save(ctx, settings, placed, [{ kind: "placed", by: "customer" }]);
  return reply(ctx.key, order);
}

/** The restaurant knows what its things are called. */
function withoutNames({ itemId, quantity, unitPriceMinor, options }: NamedLine): PricedLine {
  const line = { itemId, quantity, unitPriceMinor };
  if (options === undefined) return line;
  return {
    ...line,
    options: options.map(({ groupId, choiceId, priceMinor }) => ({ groupId, choiceId, priceMinor })),
  };
}

function reply(orderId: string, order: PlacedOrder): PlacedReply {
  return { orderId, status: statusOf(order), version: order.revision, totals: order.content.totals };
}

/** The restaurant holds the stock. Too late (the order is over): the closing told it to let go already. */
export function reserved(
  ctx: OrderContext,
  settings: DomainSettings,
  { outlook, unheld, opensAt }: OrderContract["reserved"]["input"],
): null {
  const order = ctx.state;
  if (!isPlaced(order)) return null;
  if (order.closed !== null && order.kitchen.status === "refused" && unheld !== true) {
    // Refused when it asked ahead, and held when its asking came once more: nobody else gives that back.
    ctx.tell(Restaurant, order.content.restaurant.id, "closeOrder", {
      orderId: ctx.key,
      status: order.closed.status,
      reason: order.closed.reason,
      holds: null,
      pickedUp: false,
    });
    return null;
  }
  if (order.closed !== null || order.kitchen.status !== "reserving") return null;
  save(ctx, settings, {
    ...order,
    kitchen: {
      status: "reserved",
      ...(unheld === true ? { unheld } : {}),
      ...(opensAt === undefined ? {} : { opensAt }),
    },
    payment: promotionPending(order) ? order.payment : authorise(ctx, settings, order),
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

/** The promotion holds a use for this order, or says why not. */
export function promotionDone(
  ctx: OrderContext,
  settings: DomainSettings,
  result: EffectResult<PromotionAnswer>,
): null {
  const order = ctx.state;
  if (!isPlaced(order)) return null;
  const { promotion } = order;
  const isRelease = result.key.startsWith("release");
  if (promotion?.status === "releasing" && isRelease) {
    if (result.ok && result.value.outcome !== "unavailable") {
      save(ctx, settings, { ...order, promotion: { status: "released" } }, [], { zone: false });
      return null;
    }
    const attempts = promotion.attempts + 1;
    ctx.timer("promotion", { at: retryAt(ctx, settings, attempts), run: "retryPromotion" });
    save(ctx, settings, { ...order, promotion: { ...promotion, attempts } }, [], { zone: false });
    return null;
  }
  if (promotion?.status !== "asked" || isRelease || order.closed !== null) return null;
  if (!result.ok || result.value.outcome === "unavailable") {
    const refusal = { code: "unavailable", detail: {} };
    close(ctx, settings, order, { status: "cancelled", by: "system", reason: "promotion_unavailable", refusal });
    return null;
  }
  if (result.value.outcome === "refused") {
    const refusal = { code: "promotion_refused", detail: { reason: result.value.reason } };
    const refused: PlacedOrder = { ...order, promotion: { status: "refused" } };
    close(ctx, settings, refused, { status: "rejected", by: "system", reason: "promotion_refused", refusal });
    return null;
  }
  const held: PlacedOrder = { ...order, promotion: { status: "held" } };
  const ready = order.kitchen.status === "reserved" && order.payment.status === "none";
  save(ctx, settings, ready ? { ...held, payment: authorise(ctx, settings, held) } : held);
  return null;
}

/** The provider answered, or the effect runner gave up. */
export function paymentDone(ctx: OrderContext, settings: DomainSettings, result: EffectResult<PaymentAnswer>): null {
  const order = ctx.state;
  if (!isPlaced(order)) return null;
  const { step, n } = askedFor(result.key);
  if (step === "refund") refundDone(ctx, settings, order, result);
  else if (step !== "authorise") settled(ctx, settings, order, result);
  else if (order.payment.status === "authorising" && order.payment.n === n) {
    authorisationDone(ctx, settings, order, n, result.ok ? result.value : null);
  }
  return null;
}

/** What the provider tells by itself counts like the answer it may have overtaken; told twice it counts once. */
export function paymentTold(ctx: OrderContext, settings: DomainSettings, { step, n, answer }: PaymentNotice): null {
  const order = ctx.state;
  if (!isPlaced(order) || ctx.command.caller?.role !== "provider") return null;
  paymentDone(ctx, settings, { ok: true, key: `${step}:${n}`, value: answer });
  // An authorisation that nobody waits for any more, of an order that is over: it may not stay held (rule 8).
  const late = step === "authorise" && answer.outcome === "authorised" && order.closed !== null;
  if (late && (order.payment.status === "none" || order.payment.status === "declined")) {
    save(ctx, settings, { ...order, payment: voidNow(ctx, n) }, [], { zone: false });
  }
  return null;
}

/** `answer` null: nobody knows what became of it. */
function authorisationDone(
  ctx: OrderContext,
  settings: DomainSettings,
  order: PlacedOrder,
  n: number,
  answer: PaymentAnswer | null,
): void {
  const declined = answer?.outcome === "declined" || answer?.outcome === "refused";
  if (order.content.fallbackMethod !== undefined) ctx.cancelTimer("payment");
  if (order.closed !== null) {
    // The order ended while the provider was thinking. Declined: nothing is held. Else nothing may stay held (rule 8).
    const payment = declined ? ({ status: "declined", n } as const) : voidNow(ctx, n);
    save(ctx, settings, { ...order, payment }, [], { zone: false });
    return;
  }
  if (answer === null || declined) {
    const other = declined ? authoriseOther(ctx, settings, order, n) : switchMethod(ctx, order, n);
    if (other !== null) {
      save(ctx, settings, { ...order, payment: other }, [], { zone: false });
      return;
    }
  }
  if (answer === null) {
    const payment = voidNow(ctx, n);
    const refusal = { code: "payment_failed", detail: {} };
    close(ctx, settings, order, { status: "cancelled", by: "payment", reason: "payment_failed", refusal, payment });
    return;
  }
  if (answer.outcome === "declined" || answer.outcome === "refused") {
    const refusal = { code: "payment_declined", detail: { reason: answer.reason } };
    const payment = { status: "declined", n } as const;
    close(ctx, settings, order, { status: "rejected", by: "payment", reason: "payment_declined", refusal, payment });
    return;
  }
  confirm(ctx, settings, { ...order, payment: { status: "authorised", n } });
}
