/**
 * A provider without a telephone network: it gives numbers that nobody has and remembers who is connected with whom. The
 * number is made of the pair's id, so that every thread of every node gives the same one.
 */
import { createHash } from "node:crypto";
import { type ContactPair, type ContactProvider, ContactRefused } from "./ports.js";

export interface ContactSandbox extends ContactProvider {
  /** Whom somebody reaches who calls this number now: the other side, or null. */
  call(number: string, callerId: string): string | null;
  /** Pairs that are connected. */
  readonly connected: number;
}

/** Closed pairs that are remembered, so that none is opened after its end. */
const MOST_CLOSED = 10_000;

/** +999 is a country code that was never given out. */
export function sandboxNumber(pairId: string): string {
  const digits = createHash("sha256").update(`masked contact\n${pairId}`).digest().readBigUInt64BE() % 10_000_000_000n;
  return `+999${digits.toString().padStart(10, "0")}`;
}

export function contactSandbox(): ContactSandbox {
  const pairs = new Map<string, ContactPair>();
  const closed = new Set<string>();
  return {
    async open(pair) {
      if (closed.has(pair.pairId)) throw new ContactRefused("closed before");
      pairs.set(pair.pairId, pair);
      return { number: sandboxNumber(pair.pairId) };
    },
    async close(pairId) {
      pairs.delete(pairId);
      closed.add(pairId);
      if (closed.size > MOST_CLOSED) closed.delete(closed.values().next().value as string);
    },
    call(number, callerId) {
      for (const { pairId, customerId, driverId } of pairs.values()) {
        if (sandboxNumber(pairId) !== number) continue;
        if (callerId === customerId) return driverId;
        if (callerId === driverId) return customerId;
      }
      return null;
    },
    get connected() {
      return pairs.size;
    },
  };
}
