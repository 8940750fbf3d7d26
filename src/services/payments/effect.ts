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

/** Throws (and so is run again later) while the provider does not answer or refuses what must be possible. */
export function paymentEffect(provider: PaymentProvider): EffectRunner {
  return async ({ input }) => {
    const request = input as unknown as Step;
    const { orderId, n } = request;
    const key = paymentKey(orderId, request.step, n);
    const authoriseKey = paymentKey(orderId, "authorise", n);
    let outcome: PaymentOutcome;
    switch (request.step) {
      case "authorise": {
        const { amountMinor, currency, method } = request;
        outcome = await provider.authorise({ key, orderId, amountMinor, currency, method }).catch(refusedIsDeclined);
        break;
      }
      case "capture":
        outcome = await provider.capture({ key, orderId, authoriseKey, amountMinor: request.amountMinor });
        break;
      case "refund":
        outcome = await provider.refund({
          key: paymentKey(orderId, "refund", request.refund ?? n),
          orderId,
          authoriseKey,
          amountMinor: request.amountMinor,
        });
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
