/**
 * The sandbox provider's book: what each operation does, as pure bookkeeping. The server puts a disk and a network
 * around it; deterministic runs use it as it is.
 *
 * Invariants: captured ≤ authorised, refunded ≤ captured; a voided authorisation captures nothing; one key, one entry.
 */
import type { PaymentOutcome } from "../ports.js";

export type Operation =
  | {
      readonly op: "authorise";
      readonly key: string;
      readonly orderId: string;
      readonly amountMinor: number;
      readonly currency: string;
      readonly method: string;
    }
  | {
      readonly op: "capture" | "refund";
      readonly key: string;
      readonly orderId: string;
      readonly authoriseKey: string;
      readonly amountMinor: number;
    }
  | { readonly op: "void"; readonly key: string; readonly orderId: string; readonly authoriseKey: string };

/** One line of the ledger: what was asked, and what came of it. Lines are only ever added. */
export interface LedgerEntry {
  readonly number: number;
  readonly at: number;
  readonly operation: Operation;
  readonly outcome: PaymentOutcome;
}

export type BookAnswer =
  | { readonly ok: true; readonly outcome: PaymentOutcome; readonly entry: LedgerEntry | null }
  | { readonly ok: false; readonly problem: string };

export interface Authorisation {
  readonly orderId: string;
  readonly currency: string;
  readonly authorisedMinor: number;
  readonly capturedMinor: number;
  readonly refundedMinor: number;
  readonly voided: boolean;
}

/** A card that is always declined, for trying it out. */
export const DECLINING_METHOD = "declining";
/** Declined, for another reason. */
export const EXPIRED_METHOD = "expired";
/** Does nothing and never answers. */
export const SILENT_METHOD = "silent";
/** Authorises, and lets everybody wait for the answer. */
export const SLOW_METHOD = "slow";

export interface Book {
  /** Does it, unless its key was seen. `entry`: the new line, null for a repeat. `decline`: the bank says no. */
  apply(operation: Operation, at: number, decline: boolean): BookAnswer;
  /** Takes a line that was written before. */
  replay(entry: LedgerEntry): void;
  outcomeOf(key: string): PaymentOutcome | null;
  authorisations(): ReadonlyMap<string, Authorisation>;
}

export function createBook(): Book {
  const outcomes = new Map<string, { readonly operation: string; readonly outcome: PaymentOutcome }>();
  const authorisations = new Map<string, Authorisation>();
  let entries = 0;

  function post(entry: LedgerEntry): void {
    const { operation, outcome } = entry;
    entries = Math.max(entries, entry.number);
    outcomes.set(operation.key, { operation: JSON.stringify(operation), outcome });
    if (operation.op === "authorise") {
      if (outcome.outcome !== "authorised") return;
      authorisations.set(operation.key, {
        orderId: operation.orderId,
        currency: operation.currency,
        authorisedMinor: operation.amountMinor,
        capturedMinor: 0,
        refundedMinor: 0,
        voided: false,
      });
      return;
    }
    const held = authorisations.get(operation.authoriseKey) ?? {
      // Voided before it was ever asked for: the key is burnt.
      orderId: operation.orderId,
      currency: "",
      authorisedMinor: 0,
      capturedMinor: 0,
      refundedMinor: 0,
      voided: false,
    };
    if (operation.op === "void") authorisations.set(operation.authoriseKey, { ...held, voided: true });
    else if (operation.op === "capture") {
      authorisations.set(operation.authoriseKey, {
        ...held,
        capturedMinor: held.capturedMinor + operation.amountMinor,
      });
    } else {
      authorisations.set(operation.authoriseKey, {
        ...held,
        refundedMinor: held.refundedMinor + operation.amountMinor,
      });
    }
  }

  function decide(operation: Operation, decline: boolean): PaymentOutcome | string {
    if (operation.op === "authorise") {
      if (authorisations.get(operation.key)?.voided) return { outcome: "declined", reason: "voided" };
      if (operation.method === EXPIRED_METHOD) return { outcome: "declined", reason: "expired_card" };
      if (decline || operation.method === DECLINING_METHOD)
        return { outcome: "declined", reason: "insufficient_funds" };
      return { outcome: "authorised", authorisation: `auth-${entries + 1}` };
    }
    const held = authorisations.get(operation.authoriseKey);
    switch (operation.op) {
      case "void":
        if (held !== undefined && held.capturedMinor > 0) return "it is captured: refund it";
        return { outcome: "voided" };
      case "capture":
        if (held === undefined || held.voided) return "there is no such authorisation";
        if (held.capturedMinor + operation.amountMinor > held.authorisedMinor) return "more than was authorised";
        return { outcome: "captured", amountMinor: operation.amountMinor };
      case "refund":
        if (held === undefined) return "there is no such authorisation";
        if (held.refundedMinor + operation.amountMinor > held.capturedMinor) return "more than was captured";
        return { outcome: "refunded", amountMinor: operation.amountMinor };
    }
  }

  return {
    apply(operation, at, decline) {
      const known = outcomes.get(operation.key);
      if (known !== undefined) {
        if (known.operation !== JSON.stringify(operation))
          return { ok: false, problem: "the key was used for another operation" };
        return { ok: true, outcome: known.outcome, entry: null };
      }
      const outcome = decide(operation, decline);
      if (typeof outcome === "string") return { ok: false, problem: outcome };
      const entry: LedgerEntry = { number: entries + 1, at, operation, outcome };
      post(entry);
      return { ok: true, outcome, entry };
    },
    replay: post,
    outcomeOf: (key) => outcomes.get(key)?.outcome ?? null,
    authorisations: () => authorisations,
  };
}
