/** The effect `payment`: what an order asks for becomes one operation at the provider, keyed (order, step, n). */
import type { EffectRunner } from "../../actors/runtime/ports.js";
import { type PaymentOutcome, type PaymentProvider, PaymentRefused } from "./ports.js";

type Step =
  | {
      readonly step: "authorise";
      readonly orderId: string;
      readonly n: number;
      readonly amountMinor: number;
      readonly currency: string;
      readonly method: string;
      /** Whose saved methods `method` may name; absent in orders of an older version. */
      readonly customerId?: string;
    }
  | { readonly step: "capture"; readonly orderId: string; readonly n: number; readonly amountMinor: number }
  /** `n` is the authorisation's, `refund` counts the refunds of the order; absent: it is the only one. */
  | {
      readonly step: "refund";
      readonly orderId: string;
      readonly n: number;
      readonly refund?: number;
      readonly amountMinor: number;
    }
  | { readonly step: "void"; readonly orderId: string; readonly n: number };

/** The provider's key of a step: the same step of the same order is the same operation, however often it is asked for. */
export function paymentKey(orderId: string, step: Step["step"], n: number): string {
  return `${orderId}:${step}:${n}`;
}

/** The provider's token behind what an order names; null: there is no such method. */
export type MethodReader = (customerId: string, method: string) => Promise<string | null>;

/** Throws (and so is run again later) while the provider does not answer or refuses what must be possible. */
export function paymentEffect(provider: PaymentProvider, tokenOf?: MethodReader): EffectRunner {
  return async ({ input }) => {
    const request = input as unknown as Step;
    const { orderId, n } = request;
    const key = paymentKey(orderId, request.step, n);
    const authoriseKey = paymentKey(orderId, "authorise", n);
    let outcome: PaymentOutcome;
    switch (request.step) {
      case "authorise": {
        const { amountMinor, currency, customerId } = request;
        const method =
          tokenOf === undefined || customerId === undefined
            ? request.method
            : await tokenOf(customerId, request.method);
        if (method === null) {
          // It may have been removed since the provider was asked, whose answer was lost: then nothing may stay held.
          await provider.void({ key: paymentKey(orderId, "void", n), orderId, authoriseKey });
          return { outcome: "declined", reason: "method_unknown" };
        }
        outcome = await provider.authorise({ key, orderId, amountMinor, currency, method }).catch(refusedIsDeclined);
        break;
      }
      case "capture":
        outcome = await provider.capture({ key, orderId, authoriseKey, amountMinor: request.amountMinor });
        break;
      case "refund":
        try {
          const refundKey = paymentKey(orderId, "refund", request.refund ?? n);
          outcome = await provider.refund({ key: refundKey, orderId, authoriseKey, amountMinor: request.amountMinor });
        } catch (error) {
          // Nobody waits for this money but the customer: support hears that it cannot be given back so.
          if (error instanceof PaymentRefused) return { outcome: "refused", reason: error.message };
          throw error;
        }
        break;
      case "void":
        outcome = await provider.void({ key, orderId, authoriseKey });
        break;
    }
    return { ...outcome };
  };
}

function refusedIsDeclined(error: unknown): PaymentOutcome {
  if (error instanceof PaymentRefused) return { outcome: "declined", reason: error.message };
  throw error;
}
