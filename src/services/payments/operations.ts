/** Saved methods and the provider's own word, by HTTP. */
import { actorRef } from "../../actors/runtime/definition.js";
import type { Clock } from "../../lib/clock.js";
import { isSigned } from "../../lib/signature.js";
import {
  CARD_NUMBER_PROBLEM,
  isCardNumber,
  type OperationHandlers,
  type OperationResult,
  type PAYMENT_OPERATIONS,
} from "../../protocol/mod.js";
import type { MethodService } from "./methods.js";
import type { PaymentOutcome, SavedMethod } from "./ports.js";

/** What the order actor takes from the provider. */
export interface PaymentNotice {
  readonly step: "authorise" | "capture" | "void" | "refund";
  readonly n: number;
  readonly answer: PaymentOutcome;
}

const Order = actorRef<{ paymentTold: { input: PaymentNotice; reply: null } }>("order");
const PROVIDER = { id: "payments", role: "provider" };

/** Clocks of two companies differ, and queues are long; a day later nobody plays a call back. */
const TOLERANCE_MS = 5 * 60_000;

/** The actor client, as far as it is needed. */
export interface OrderTeller {
  ask(
    to: typeof Order,
    key: string,
    name: "paymentTold",
    input: PaymentNotice,
    options: { readonly commandId: string; readonly caller: typeof PROVIDER; readonly timeoutMs: number },
  ): Promise<{ readonly ok: true } | { readonly ok: false; readonly error: { readonly temporary: boolean } }>;
}

const view = ({ id, label, at }: SavedMethod) => ({ methodId: id, label, at });
const unavailable = { ok: false, code: "unavailable", retryAfterMs: 2_000 } as const;

async function attempt<R>(work: () => Promise<OperationResult<R>>): Promise<OperationResult<R>> {
  try {
    return await work();
  } catch {
    return unavailable;
  }
}

export function paymentOperations(deps: {
  readonly methods: MethodService;
  readonly orders: OrderTeller;
  /** What the provider signs with; several while one is replaced. Empty: nobody is believed. */
  readonly webhookSecrets: readonly string[];
  readonly clock: Clock;
}): OperationHandlers<typeof PAYMENT_OPERATIONS> {
  const { methods, orders, webhookSecrets, clock } = deps;
  return {
    "payments.methods": ({ caller }) =>
      attempt(async () => ({ ok: true, value: { methods: (await methods.list(caller.id)).map(view) } })),
    "payments.saveMethod": ({ caller, key, body }) =>
      attempt(async () => {
        for (const name of ["token", "label"] as const) {
          if (!isCardNumber(body[name])) continue;
          return { ok: false, code: "invalid", detail: { path: `/${name}`, problem: CARD_NUMBER_PROBLEM } };
        }
        const saved = await methods.save(caller.id, key, body.token, body.label);
        return saved === null ? { ok: false, code: "too_many_methods" } : { ok: true, value: view(saved) };
      }),
    "payments.removeMethod": ({ caller, params }) =>
      attempt(async () => ({ ok: true, value: { removed: await methods.remove(caller.id, params.methodId) } })),
    "payments.webhook": async ({ headers, bytes, body }) => {
      if (!isSigned(webhookSecrets, headers.signature, bytes, clock.now(), TOLERANCE_MS)) {
        return { ok: false, code: "signature_invalid" };
      }
      const notice = noticeOf(body);
      // A word that concerns no order of ours is heard, so that it is not said again for ever.
      if (notice === null) return { ok: true, value: { received: false } };
      const commandId = `webhook-${body.id}`;
      const told = await orders.ask(Order, body.orderId, "paymentTold", notice, {
        commandId,
        caller: PROVIDER,
        timeoutMs: 5_000,
      });
      return told.ok || !told.error.temporary ? { ok: true, value: { received: told.ok } } : unavailable;
    },
  };
}

const STEPS = {
  authorised: "authorise",
  declined: "authorise",
  captured: "capture",
  voided: "void",
  refunded: "refund",
} as const;

/** Null when the key is none of ours. */
function noticeOf(body: {
  readonly orderId: string;
  readonly key: string;
  readonly outcome: keyof typeof STEPS;
  readonly amountMinor?: number;
  readonly authorisation?: string;
  readonly reason?: string;
}): PaymentNotice | null {
  const { orderId, key, outcome, amountMinor = 0 } = body;
  const step = STEPS[outcome];
  const n = key.startsWith(`${orderId}:${step}:`) ? Number(key.slice(orderId.length + step.length + 2)) : Number.NaN;
  if (!Number.isSafeInteger(n) || n < 1) return null;
  switch (outcome) {
    case "authorised":
      return { step, n, answer: { outcome, authorisation: body.authorisation ?? "" } };
    case "declined":
      return { step, n, answer: { outcome, reason: body.reason ?? "declined" } };
    case "captured":
    case "refunded":
      return { step, n, answer: { outcome, amountMinor } };
    case "voided":
      return { step, n, answer: { outcome } };
  }
}
