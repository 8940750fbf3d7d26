/**
 * The payment provider of the world: the sandbox's own book, which outlives every node, behind a way that fails, is slow,
 * loses answers, repeats requests, and lets some arrive when nobody waits for them any more.
 */
import { type Random, randomInteger } from "../../../src/lib/random.js";
import {
  type InProcessProvider,
  inProcessProvider,
  type LedgerEntry,
  type PaymentOutcome,
  type PaymentProvider,
  PaymentUnavailable,
} from "../../../src/services/payments/mod.js";
import type { FaultKind, ProcessView, World } from "../ports.js";
import { createWire } from "./wire.js";

export interface WorldPayments {
  /** The provider as one process reaches it. */
  providerFor(process: ProcessView): PaymentProvider;
  readonly ledger: readonly LedgerEntry[];
}

/** As the real adapter waits for one call. */
const PATIENCE_MS = 4_000;
/** Of all calls, at an intensity of 1. */
const MOST_OFTEN = 0.4;
/** Later than anybody waits. */
const SLOWEST_MS = 12_000;

export function createPayments(world: World): WorldPayments {
  const { scheduler, streams, faults, trace } = world;
  const { clock } = scheduler;
  const bank = streams.of("bank");
  const book: InProcessProvider = inProcessProvider(
    () => clock.now(),
    () => {
      if (bank.next() >= faults.intensity("payment_declined") * 0.3) return false;
      faults.happened("payment_declined", "bank");
      return true;
    },
  );
  let told = 0;

  async function serve(work: () => Promise<PaymentOutcome>): Promise<PaymentOutcome> {
    const outcome = await work();
    for (; told < book.entries.length; told++) {
      const { operation, outcome: done, number } = book.entries[told] as LedgerEntry;
      trace.note(`book ${done.outcome}`, `order/${operation.orderId}`, [number], () => {
        const amount = "amountMinor" in operation ? ` ${operation.amountMinor}` : "";
        return `the provider books ${operation.op}${amount}: ${done.outcome} (${operation.key})`;
      });
    }
    return outcome;
  }

  function providerFor(process: ProcessView): PaymentProvider {
    const random: Random = streams.of(`payments ${process.node}`);
    const wire = createWire(clock, process.clock);
    async function call(operation: string, orderId: string, work: () => Promise<PaymentOutcome>) {
      const strikes = (kind: FaultKind): boolean => {
        if (random.next() >= faults.intensity(kind) * MOST_OFTEN) return false;
        faults.happened(kind, process.life, `${operation} for ${orderId}`);
        return true;
      };
      const unavailable = strikes("payment_unavailable");
      const slowMs = strikes("payment_slow") ? 500 + randomInteger(random, SLOWEST_MS) : 0;
      const lost = strikes("payment_answer_lost");
      const thereMs = 20 + randomInteger(random, 80) + slowMs;
      // A proxy on the way says it again: the provider must know its keys.
      if (strikes("payment_repeated"))
        clock.after(thereMs + randomInteger(random, 3_000), () => void serve(work).catch(() => {}));
      return wire.send({
        thereMs,
        backMs: lost ? null : 20 + randomInteger(random, 80),
        patienceMs: PATIENCE_MS,
        silence: () => new PaymentUnavailable(`no answer to ${operation}`),
        async serve() {
          if (unavailable) throw new PaymentUnavailable("the provider has a fault of its own");
          return serve(work);
        },
      });
    }
    return {
      authorise: (request) => call("authorise", request.orderId, () => book.authorise(request)),
      capture: (request) => call("capture", request.orderId, () => book.capture(request)),
      void: (request) => call("void", request.orderId, () => book.void(request)),
      refund: (request) => call("refund", request.orderId, () => book.refund(request)),
      lookup: (key) => book.lookup(key),
    };
  }

  return { providerFor, ledger: book.entries };
}
