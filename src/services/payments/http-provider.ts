/**
 * A payment provider over HTTP. Owns the time limit of one call, a few quick repeats, and a circuit breaker that spares a
 * provider that is down. The patient repeats are the effect runner's; every repeat is under the same key.
 */
import { ConsecutiveBreaker, circuitBreaker, ExponentialBackoff, handleType, retry, wrap } from "cockatiel";
import { type Clock, systemClock } from "../../lib/clock.js";
import { keptConnection } from "./connection.js";
import { type AskedOf, outcomeOf, wordsOf } from "./outcomes.js";
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

/** What an answer may say; it is somebody else's, so nothing of it is believed unseen. */
interface Body {
  readonly outcome?: unknown;
  readonly refused?: unknown;
  readonly unavailable?: unknown;
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

  /** The answer's `outcome`. Whatever is none may pass, and counts like silence. */
  async function call<R>(path: string, body: object | null, read: (outcome: unknown) => R | undefined): Promise<R> {
    try {
      return await policy.execute(async () => {
        let answer: Body | null;
        try {
          answer = (await connection.call(path, body, settings.timeoutMs)) as Body | null;
        } catch (error) {
          throw new PaymentUnavailable(`The payment provider does not answer: ${String(error)}`);
        }
        if (typeof answer?.refused === "string") throw new PaymentRefused(wordsOf(answer.refused));
        const outcome = read(answer?.outcome);
        if (outcome === undefined)
          throw new PaymentUnavailable(
            wordsOf(answer?.unavailable) || `no outcome: ${wordsOf(JSON.stringify(answer))}`,
          );
        return outcome;
      });
    } catch (error) {
      if (error instanceof PaymentRefused || error instanceof PaymentUnavailable) throw error;
      throw new PaymentUnavailable(String(error));
    }
  }

  const operate = (body: AskedOf): Promise<PaymentOutcome> =>
    call("/operations", body, (outcome) => outcomeOf(body, outcome) ?? undefined);

  return {
    authorise: (request) => operate({ op: "authorise", ...request }),
    capture: (request) => operate({ op: "capture", ...request }),
    void: (request) => operate({ op: "void", ...request }),
    refund: (request) => operate({ op: "refund", ...request }),
    lookup: (key) =>
      call(`/operations/${encodeURIComponent(key)}`, null, (outcome) => outcome as PaymentOutcome | null | undefined),
  };
}
