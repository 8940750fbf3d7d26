/**
 * Money back after the delivery, by support. Owns how much may be given back, and asking until it is done.
 *
 * Invariants: what was asked for and not refused never exceeds what was captured (rule 9); a refund keeps its number, and
 * with it the provider's key, however often it is asked for.
 */
import { amountText } from "../../../lib/amount-text.js";
import type { CommandBody, CommandReplies } from "../../../protocol/mod.js";
import type { EffectResult, Rejection } from "../../runtime/definition.js";
import type { DomainSettings } from "../settings.js";
import type { PaymentAnswer } from "./messages.js";
import { ask, askedFor, movedMinor, retryAt } from "./payment.js";
import { refundFact } from "./payment-facts.js";
import { type OrderContext, save } from "./save.js";
import {
  capturedMinor,
  isPlaced,
  type Payment,
  type PlacedOrder,
  type Refund,
  refundedMinor,
  statusOf,
} from "./state.js";

/** Of one order; whoever wants more has another problem. */
const MOST_REFUNDS = 20;

type Captured = Extract<Payment, { status: "captured" }>;

export function refund(
  ctx: OrderContext,
  settings: DomainSettings,
  input: CommandBody<"ops.refund">,
): CommandReplies["ops.refund"] | Rejection {
  const order = ctx.state;
  const role = ctx.command.caller?.role;
  if (!isPlaced(order) || (role !== "support" && role !== "admin")) return ctx.reject("not_found");
  const { payment } = order;
  if (payment.status !== "captured") {
    return ctx.reject("illegal_transition", { status: statusOf(order), payment: payment.status });
  }
  const refunds = payment.refunds ?? [];
  const leftMinor = refunds.length >= MOST_REFUNDS ? 0 : capturedMinor(order) - refundedMinor(payment);
  if (input.amountMinor > leftMinor) return ctx.reject("refund_too_large", { leftMinor });
  const next: Refund = {
    number: refunds.length + 1,
    amountMinor: input.amountMinor,
    reason: input.reason,
    bearer: input.bearer ?? "platform",
    status: "asked",
    attempts: 0,
  };
  askFor(ctx, payment, next);
  const after: Captured = { ...payment, refunds: [...refunds, next] };
  save(ctx, settings, { ...order, payment: after }, [], { zone: false });
  return {
    refund: next.number,
    refundedMinor: refundedMinor(after),
    leftMinor: capturedMinor(order) - refundedMinor(after),
  };
}

function askFor(ctx: OrderContext, { n }: Captured, { number, amountMinor, attempts }: Refund): void {
  ask(ctx, { step: "refund", orderId: ctx.key, n, refund: number, amountMinor }, attempts);
}

/** The answer to a refund. */
export function refundDone(
  ctx: OrderContext,
  settings: DomainSettings,
  order: PlacedOrder,
  result: EffectResult<PaymentAnswer>,
): void {
  const { payment } = order;
  if (payment.status !== "captured") return;
  const { n } = askedFor(result.key);
  const known = payment.refunds?.find((each) => each.number === n);
  if (known?.status !== "asked") return;
  const change = (changed: Refund): PlacedOrder => ({
    ...order,
    payment: { ...payment, refunds: (payment.refunds ?? []).map((each) => (each.number === n ? changed : each)) },
  });
  if (!result.ok || result.value.outcome === "unavailable") {
    const attempts = known.attempts + 1;
    ctx.timer("refunds", { at: retryAt(ctx, settings, attempts), run: "retryRefunds" });
    save(ctx, settings, change({ ...known, attempts }), [], { zone: false });
    return;
  }
  const { currency } = order.content.totals;
  if (result.value.outcome !== "refunded") {
    const why = "reason" in result.value ? result.value.reason : "";
    const reason = `${amountText(known.amountMinor, currency)}: ${why || "refused"}`.slice(0, 200);
    const told = { kind: "payment_refund_refused", by: "payment", reason } as const;
    save(ctx, settings, change({ ...known, status: "refused" }), [told], { zone: false });
    return;
  }
  const done: Refund = { ...known, amountMinor: movedMinor(result.value, known.amountMinor), status: "done" };
  const reason = `${amountText(done.amountMinor, currency)}: ${known.reason}`.slice(0, 200);
  const fact = refundFact(ctx.key, order, done);
  save(ctx, settings, change(done), [{ kind: "payment_refunded", by: "support", reason, fact }], {
    zone: false,
  });
}

/** Asks again for every refund without an answer that has been given up once; one that is still being asked for is asked twice at worst. */
export function retryRefunds(ctx: OrderContext, order: PlacedOrder): void {
  const { payment } = order;
  if (payment.status !== "captured") return;
  for (const each of payment.refunds ?? []) {
    if (each.status === "asked" && each.attempts > 0) askFor(ctx, payment, each);
  }
}
