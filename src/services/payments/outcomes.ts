/**
 * What a provider may answer to each operation. Owns telling an answer from something that only looks like one: an order
 * counts as paid, or as paid back, by these words alone. Pure.
 */
import type { PaymentOutcome } from "./ports.js";

export type AskedOf =
  | { readonly op: "authorise" | "void" }
  | { readonly op: "capture" | "refund"; readonly amountMinor: number };

/** Of what a provider says in its own words. */
const MOST_WORDS = 100;

const HAPPENED = { capture: "captured", refund: "refunded" } as const;

/** Null: it is no answer to this operation. */
export function outcomeOf(asked: AskedOf, said: unknown): PaymentOutcome | null {
  if (typeof said !== "object" || said === null) return null;
  const { outcome, authorisation, reason, amountMinor } = said as Readonly<Record<string, unknown>>;
  switch (asked.op) {
    case "authorise":
      if (outcome === "authorised") return { outcome, authorisation: wordsOf(authorisation) };
      return outcome === "declined" ? { outcome, reason: wordsOf(reason) } : null;
    case "void":
      return outcome === "voided" ? { outcome } : null;
    case "capture":
    case "refund":
      if (outcome !== HAPPENED[asked.op]) return null;
      return isPart(amountMinor, asked.amountMinor) ? { outcome: HAPPENED[asked.op], amountMinor } : null;
  }
}

/** Less than was asked for may be true; more, or nothing of something, is not. */
function isPart(amountMinor: unknown, askedMinor: number): amountMinor is number {
  if (!Number.isSafeInteger(amountMinor)) return false;
  return amountMinor === askedMinor || ((amountMinor as number) > 0 && (amountMinor as number) < askedMinor);
}

/** Somebody else's words as any store keeps them: without NUL and halves of characters. */
export function wordsOf(said: unknown): string {
  if (typeof said !== "string") return "";
  return Buffer.from(said.slice(0, MOST_WORDS)).toString().replaceAll("\0", "");
}
