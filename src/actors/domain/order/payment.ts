/**
 * The payment machine: authorise, then capture or void. Owns the keys under which the provider is asked, the one step
 * from a method to the other, and what an answer means, whether it came as one or by the provider's own word.
 *
 * Invariants: capture is asked for only after `delivered`, void only for a closed order or a method that is given up,
 * never both; a second method is asked only once the first surely holds nothing; the provider's key is (order, step, n),
 * so asking again is asking for the same thing, and an answer counts only for the step that waits for it.
 */
import { amountText } from "../../../lib/amount-text.js";
import type { EffectResult } from "../../runtime/definition.js";
import { asJson } from "../json.js";
import type { DomainSettings } from "../settings.js";
import type { PaymentAnswer, PaymentRequest } from "./messages.js";
import { captureFact } from "./payment-facts.js";
import { type OrderContext, save } from "./save.js";
import type { Payment, PlacedOrder } from "./state.js";

const MOST_RETRY_MS = 600_000;

/** Asks the provider. `attempt` tells asks of the same step apart for the engine; the provider sees one key. */
export function ask(ctx: OrderContext, request: PaymentRequest, attempt = 0): void {
  const n = request.step === "refund" ? request.refund : request.n;
  const key = `${request.step}:${n}${attempt === 0 ? "" : `:${attempt}`}`;
  ctx.effect("payment", key, asJson(request), "paymentDone");
}

/** Of the key that `ask` made: which step of which number it was. */
export function askedFor(key: string): { readonly step: string; readonly n: number } {
  const [step = "", n] = key.split(":");
  return { step, n: Number(n) };
}

/** How long until the next try. */
export function retryAt(ctx: OrderContext, settings: DomainSettings, attempts: number): number {
  return ctx.now + Math.min(MOST_RETRY_MS, settings.order.paymentRetryMs * 2 ** Math.min(attempts - 1, 10));
}

/** The method of the n-th authorisation, or null: there is none left to ask. */
function methodOf({ content }: PlacedOrder, n: number): string | null {
  return n === 1 ? content.paymentMethod : n === 2 ? (content.fallbackMethod ?? null) : null;
}

export function authorise(ctx: OrderContext, settings: DomainSettings, order: PlacedOrder, n = 1): Payment {
  const { totals, customerId } = order.content;
  // The effect is patient with a provider that is down; with one method's silence the customer is not.
  if (methodOf(order, n + 1) !== null)
    ctx.timer("payment", { at: ctx.now + settings.order.otherMethodAfterMs, run: "retryPayment" });
  ask(ctx, {
    step: "authorise",
    orderId: ctx.key,
    n,
    amountMinor: totals.totalMinor,
    currency: totals.currency,
    method: methodOf(order, n) ?? "",
    customerId,
  });
  return { status: "authorising", n };
}

/** After a refusal, which holds nothing: the other method is asked at once. Null: there is no other. */
export function authoriseOther(
  ctx: OrderContext,
  settings: DomainSettings,
  order: PlacedOrder,
  n: number,
): Payment | null {
  return methodOf(order, n + 1) === null ? null : authorise(ctx, settings, order, n + 1);
}

/** After silence, which may hold something: the first is voided, then the other is asked. Null: there is no other. */
export function switchMethod(ctx: OrderContext, order: PlacedOrder, n: number): Payment | null {
  if (methodOf(order, n + 1) === null) return null;
  ask(ctx, { step: "void", orderId: ctx.key, n });
  return { status: "switching", n, attempts: 0 };
}

export function capture(ctx: OrderContext, order: PlacedOrder): Payment {
  const { payment } = order;
  if (payment.status !== "authorised") return payment;
  ask(ctx, { step: "capture", orderId: ctx.key, n: payment.n, amountMinor: order.content.totals.totalMinor });
  return { status: "capturing", n: payment.n, attempts: 0 };
}

/** What a closed order does about its money: voids what is authorised; an authorisation on its way is voided when it comes. */
export function release(ctx: OrderContext, payment: Payment): Payment {
  // The void that a change of methods asked for goes on; it ends with it.
  if (payment.status === "switching") return { ...payment, status: "voiding" };
  if (payment.status !== "authorised") return payment;
  return voidNow(ctx, payment.n);
}

/** Voids by the authorisation's key, whether or not the provider ever answered it. */
export function voidNow(ctx: OrderContext, n: number): Payment {
  ask(ctx, { step: "void", orderId: ctx.key, n });
  return { status: "voiding", n, attempts: 0 };
}

/** Whether this answer is the one that capture or void waits for. */
function isAwaited(payment: Payment, step: string, n: number): payment is Extract<Payment, { attempts: number }> {
  switch (payment.status) {
    case "capturing":
      return step === "capture" && payment.n === n;
    case "voiding":
    case "switching":
      return step === "void" && payment.n === n;
    default:
      return false;
  }
}

/** How much of what was asked for was taken or given back. The provider's own word may leave it out: then all of it. */
export function movedMinor(answer: PaymentAnswer, askedMinor: number): number {
  const saidMinor = "amountMinor" in answer ? answer.amountMinor : 0;
  return saidMinor > 0 && saidMinor < askedMinor ? saidMinor : askedMinor;
}

/** The answer to capture or void. The order may be closed; its money is settled all the same. */
export function settled(
  ctx: OrderContext,
  settings: DomainSettings,
  order: PlacedOrder,
  result: EffectResult<PaymentAnswer>,
): void {
  const { payment } = order;
  const { step, n } = askedFor(result.key);
  if (!isAwaited(payment, step, n)) return;
  if (!result.ok || result.value.outcome === "refused" || result.value.outcome === "unavailable") {
    const attempts = payment.attempts + 1;
    ctx.timer("payment", { at: retryAt(ctx, settings, attempts), run: "retryPayment" });
    save(ctx, settings, { ...order, payment: { ...payment, attempts } }, [], { zone: false });
    return;
  }
  ctx.cancelTimer("payment");
  if (payment.status === "switching") {
    save(ctx, settings, { ...order, payment: authorise(ctx, settings, order, payment.n + 1) }, [], { zone: false });
    return;
  }
  if (payment.status === "capturing") {
    const { totalMinor, currency } = order.content.totals;
    const amountMinor = movedMinor(result.value, totalMinor);
    const isWhole = amountMinor === totalMinor;
    const captured: PlacedOrder = {
      ...order,
      payment: { status: "captured", n: payment.n, ...(isWhole ? {} : { amountMinor }) },
    };
    const fact = captureFact(ctx.key, captured, payment.n);
    const reason = isWhole
      ? {}
      : { reason: `${amountText(amountMinor, currency)} of ${amountText(totalMinor, currency)}` };
    save(ctx, settings, captured, [{ kind: "payment_captured", by: "payment", ...reason, fact }], { zone: false });
    return;
  }
  const voided: PlacedOrder = { ...order, payment: { status: "voided", n: payment.n } };
  save(ctx, settings, voided, [{ kind: "payment_voided", by: "payment" }], { zone: false });
}

/** By the timer: what has no answer is asked again, and a method that has none gives way to the other. */
export function retry(ctx: OrderContext, settings: DomainSettings, order: PlacedOrder): void {
  const { payment } = order;
  const orderId = ctx.key;
  if (payment.status === "authorising" && order.closed === null) {
    const other = switchMethod(ctx, order, payment.n);
    if (other !== null) save(ctx, settings, { ...order, payment: other }, [], { zone: false });
  } else if (payment.status === "capturing") {
    const amountMinor = order.content.totals.totalMinor;
    ask(ctx, { step: "capture", orderId, n: payment.n, amountMinor }, payment.attempts);
  } else if (payment.status === "voiding" || payment.status === "switching") {
    ask(ctx, { step: "void", orderId, n: payment.n }, payment.attempts);
  }
}
