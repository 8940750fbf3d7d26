/** What the marketplace's books hold when a seed is over, as the checkers want it. */
import type { LedgerStore, Period } from "../../../src/services/ledger/mod.js";
import type { BookedOrder, Books, StoredOrder } from "../../checkers/mod.js";

const ALWAYS: Period = { from: 0, to: Number.MAX_SAFE_INTEGER };
/** Far more than a small town's day moves. */
const MOST_MOVEMENTS = 10_000;

type Amounts = { -readonly [Part in keyof BookedOrder]: number[] };

/** Reads what customers owe, which every sale and every capture moves, and what went over the provider's account. */
export async function booksOf(
  ledger: Pick<LedgerStore, "cash" | "movements" | "balances" | "backlog">,
  orders: Iterable<Pick<StoredOrder, "customerId">>,
): Promise<Books> {
  const booked = new Map<string, Amounts>();
  const of = (orderId: string): Amounts => {
    const known = booked.get(orderId) ?? { sales: [], captures: [], refunds: [] };
    booked.set(orderId, known);
    return known;
  };
  for (const customerId of new Set([...orders].map((order) => order.customerId))) {
    for (const movement of await ledger.movements(["customer_receivable"], customerId, ALWAYS, MOST_MOVEMENTS))
      if (movement.kind === "sale") of(movement.orderId).sales.push(movement.amountMinor);
  }
  for (const { orderId, kind, amountMinor } of await ledger.cash(ALWAYS, null, MOST_MOVEMENTS))
    of(orderId)[kind === "capture" ? "captures" : "refunds"].push(Math.abs(amountMinor));
  const sums = new Map<string, number>();
  for (const { currency, amountMinor } of await ledger.balances(ALWAYS))
    sums.set(currency, (sums.get(currency) ?? 0) + amountMinor);
  const { waiting, refused } = await ledger.backlog();
  return { orders: booked, sums, waiting, refused };
}
