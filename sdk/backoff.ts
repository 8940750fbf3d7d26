/** How long to stay away after a connection was lost or refused. Pure: time and randomness are arguments. */
import type { Random } from "../src/lib/random.js";
import { CLOSE } from "../src/protocol/mod.js";

export interface BackoffOptions {
  /** Upper bound of the first pause in milliseconds. It doubles with each attempt. */
  readonly baseMs: number;
  /** No pause is longer. */
  readonly maxMs: number;
}

/**
 * Full jitter: anything between nothing and an exponentially growing bound, so that clients which lost their node in the
 * same instant come back spread out (Brooker, “Exponential Backoff And Jitter”, 2015). A node that closed for too many
 * frames is left alone for at least one base pause.
 */
export function pauseMs(options: BackoffOptions, attempt: number, closeCode: number, random: Random): number {
  const bound = Math.min(options.maxMs, options.baseMs * 2 ** Math.min(attempt, 30));
  const floor = closeCode === CLOSE.rate ? options.baseMs : 0;
  return floor + random.next() * bound;
}

/** A moment inside the window that a node names in GOAWAY. */
export function goawayDelayMs(minMs: number, maxMs: number, random: Random): number {
  return minMs + random.next() * Math.max(0, maxMs - minMs);
}
