/**
 * A payment provider over HTTP. Owns the time limit of one call, a few quick repeats, and a circuit breaker that spares a
 * provider that is down. The patient repeats are the effect runner's; every repeat is under the same key.
 */
import { ConsecutiveBreaker, circuitBreaker, ExponentialBackoff, handleType, retry, wrap } from "cockatiel";
import { type Clock, systemClock } from "../../lib/clock.js";
import { keptConnection } from "./connection.js";
import { type PaymentOutcome, type PaymentProvider, PaymentRefused, PaymentUnavailable } from "./ports.js";

export interface HttpProviderSettings {
  readonly url: string;
  /** Of one call. */
  readonly timeoutMs: number;
  /** Quick repeats within one ask. */
  readonly repeats: number;
  /** So many failures in a row open the circuit, for `openMs`. */
  readonly breakAfter: number;
  readonly openMs: number;
}

export const defaultHttpProviderSettings: Omit<HttpProviderSettings, "url"> = {
  timeoutMs: 4_000,
  repeats: 2,
  breakAfter: 20,
  openMs: 2_000,
};

interface Body {
  readonly outcome?: PaymentOutcome | null;
  readonly refused?: string;
  readonly unavailable?: string;
}

/** Rejects with `PaymentRefused` or, for anything that may pass, `PaymentUnavailable`. */
export function httpPaymentProvider(settings: HttpProviderSettings, clock: Clock = systemClock()): PaymentProvider {
  const passing = handleType(PaymentUnavailable);
  const repeated = retry(passing, {
    maxAttempts: settings.repeats,
    backoff: new ExponentialBackoff({ initialDelay: 50, maxDelay: 500 }),
  });
  const breaker = circuitBreaker(passing, {
    halfOpenAfter: settings.openMs,
    breaker: new ConsecutiveBreaker(settings.breakAfter),
  });
  const connection = keptConnection(settings.url, clock);
  const policy = wrap(repeated, breaker);

  async function call(path: string, body: object | null): Promise<PaymentOutcome | null> {
    try {
      return await policy.execute(async () => {
        let answer: Body;
        try {
          answer = (await connection.call(path, body, settings.timeoutMs)) as Body;
        } catch (error) {
          throw new PaymentUnavailable(`The payment provider does not answer: ${String(error)}`);
        }
        if (answer.refused !== undefined) throw new PaymentRefused(answer.refused);
        if (answer.outcome === undefined) throw new PaymentUnavailable(answer.unavailable ?? "no outcome");
        return answer.outcome;
      });
    } catch (error) {
      if (error instanceof PaymentRefused || error instanceof PaymentUnavailable) throw error;
      throw new PaymentUnavailable(String(error));
    }
  }

  async function operate(body: object): Promise<PaymentOutcome> {
    const outcome = await call("/operations", body);
    if (outcome === null) throw new PaymentUnavailable("no outcome");
    return outcome;
  }

  return {
    authorise: (request) => operate({ op: "authorise", ...request }),
    capture: (request) => operate({ op: "capture", ...request }),
    void: (request) => operate({ op: "void", ...request }),
    refund: (request) => operate({ op: "refund", ...request }),
    lookup: (key) => call(`/operations/${encodeURIComponent(key)}`, null),
  };
}
