/** The sandbox's book as movements of money, for whoever reconciles with it. Pure. */
import type { ProviderMovement } from "../ports.js";
import type { Book, LedgerEntry } from "./book.js";

/** Captures and refunds among the entries; nothing else moves money. */
export function movementsOf(entries: readonly LedgerEntry[], book: Book): readonly ProviderMovement[] {
  const held = book.authorisations();
  return entries.flatMap(({ number, at, operation }): readonly ProviderMovement[] => {
    if (operation.op !== "capture" && operation.op !== "refund") return [];
    const { op: kind, key, orderId, amountMinor, authoriseKey } = operation;
    const currency = held.get(authoriseKey)?.currency ?? "";
    return [{ key, orderId, kind, currency, amountMinor, at, number }];
  });
}

/** What is authorised and neither captured nor voided, by currency. */
export function heldOf(book: Book): readonly { currency: string; count: number; amountMinor: number }[] {
  const sums = new Map<string, { currency: string; count: number; amountMinor: number }>();
  for (const { currency, authorisedMinor, capturedMinor, voided } of book.authorisations().values()) {
    const left = voided || capturedMinor > 0 ? 0 : authorisedMinor;
    if (left === 0) continue;
    const sum = sums.get(currency) ?? { currency, count: 0, amountMinor: 0 };
    sum.count++;
    sum.amountMinor += left;
    sums.set(currency, sum);
  }
  return [...sums.values()];
}
