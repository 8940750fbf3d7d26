/**
 * The payment machine: authorise, then capture or void. Owns the keys under which the provider is asked.
 *
 * Invariants: capture is asked for only after `delivered`, void only for a closed order, never both; the provider's key
 * is (order, step, n), so asking again is asking for the same thing.
 */
import type { EffectResult } from "../../runtime/definition.js";
import { asJson } from "../json.js";
import type { DomainSettings } from "../settings.js";
import type { PaymentAnswer, PaymentRequest } from "./messages.js";
import { type OrderContext, save } from "./save.js";
import type { Payment, PlacedOrder } from "./state.js";

const MOST_RETRY_MS = 600_000;

/** Asks the provider. `attempt` tells asks of the same step apart for the engine; the provider sees one key. */
function ask(ctx: OrderContext, request: PaymentRequest, attempt = 0): void {
  const key = `${request.step}:${request.n}${attempt === 0 ? "" : `:${attempt}`}`;
  ctx.effect("payment", key, asJson(request), "paymentDone");
}

export function authorise(ctx: OrderContext, order: PlacedOrder): Payment {
  const { totals, paymentMethod: method } = order.content;
  const n = 1;
  ask(ctx, {
    step: "authorise",
    orderId: ctx.key,
    n,
    amountMinor: totals.totalMinor,
    currency: totals.currency,
    method,
  });
  return { status: "authorising", n };
}

export function capture(ctx: OrderContext, order: PlacedOrder): Payment {
  const { payment } = order;
  if (payment.status !== "authorised") return payment;
  ask(ctx, { step: "capture", orderId: ctx.key, n: payment.n, amountMinor: order.content.totals.totalMinor });
  return { status: "capturing", n: payment.n, attempts: 0 };
}

/** What a closed order does about its money: voids what is authorised; an authorisation on its way is voided when it comes. */
export function release(ctx: OrderContext, payment: Payment): Payment {
  if (payment.status !== "authorised") return payment;
  return voidNow(ctx, payment.n);
}

/** Voids by the authorisation's key, whether or not the provider ever answered it. */
export function voidNow(ctx: OrderContext, n: number): Payment {
  ask(ctx, { step: "void", orderId: ctx.key, n });
  return { status: "voiding", n, attempts: 0 };
}

/** The answer to capture or void. The order may be closed; its money is settled all the same. */
export function settled(
  ctx: OrderContext,
  settings: DomainSettings,
  order: PlacedOrder,
  result: EffectResult<PaymentAnswer>,
): void {
  const { payment } = order;
  if (payment.status !== "capturing" && payment.status !== "voiding") return;
  if (!result.ok) {
    const attempts = payment.attempts + 1;
    ctx.timer("payment", {
      at: ctx.now + Math.min(MOST_RETRY_MS, settings.order.paymentRetryMs * 2 ** Math.min(attempts - 1, 10)),
      run: "retryPayment",
    });
    save(ctx, settings, { ...order, payment: { ...payment, attempts } }, [], { zone: false });
    return;
  }
  const done: Payment =
    payment.status === "capturing" ? { status: "captured", n: payment.n } : { status: "voided", n: payment.n };
  const kind = done.status === "captured" ? "payment_captured" : "payment_voided";
  save(ctx, settings, { ...order, payment: done }, [{ kind, by: "payment" }], { zone: false });
}

export function retry(ctx: OrderContext, order: PlacedOrder): void {
  const { payment } = order;
  const orderId = ctx.key;
  if (payment.status === "capturing") {
    const amountMinor = order.content.totals.totalMinor;
    ask(ctx, { step: "capture", orderId, n: payment.n, amountMinor }, payment.attempts);
  } else if (payment.status === "voiding") {
    ask(ctx, { step: "void", orderId, n: payment.n }, payment.attempts);
  }
}
