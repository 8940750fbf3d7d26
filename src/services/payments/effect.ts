/** The effect `payment`: what an order asks for becomes one operation at the provider, keyed (order, step, n). */
import type { EffectRunner } from "../../actors/runtime/ports.js";
import { type PaymentOutcome, type PaymentProvider, PaymentRefused, PaymentUnavailable } from "./ports.js";

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

/** Orders ask for what must be done until it is: `<step>:<n>`, and from the second time on `<step>:<n>:<attempt>`. */
const isAskedAgain = (key: string): boolean => key.split(":").length > 2;

/**
 * Throws (and so is run again soon, and is put aside in the end) while the provider does not answer or refuses what must
 * be possible. Once that has been put aside for a person, the order goes on asking by its own timer: it is told, and
 * nothing is put aside again, or an outage would leave a heap of what has long been done.
 */
export function paymentEffect(provider: PaymentProvider, tokenOf?: MethodReader): EffectRunner {
  const run = operationOf(provider, tokenOf);
  return async (asked) => {
    try {
      return await run(asked);
    } catch (error) {
      const isProviders = error instanceof PaymentRefused || error instanceof PaymentUnavailable;
      if (!isProviders || !isAskedAgain(asked.key)) throw error;
      return { outcome: "unavailable", reason: error.message };
    }
  };
}

function operationOf(provider: PaymentProvider, tokenOf?: MethodReader): EffectRunner {
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
