/** RULES 9, of the marketplace's own books: they sum to zero, and say what the provider's say. */
import type { BookedOrder, Booking, EvidenceIndex, Rule, Violation } from "../evidence.js";
import { storyOfOrder } from "../story.js";

const NOTHING: BookedOrder = { sales: [], captures: [], refunds: [] };

/**
 * What the provider has taken or given back stands in the books once, with the same amount, and nothing else does; what was
 * delivered is sold once, for its total. While facts are on their way the books may be behind the provider, never ahead.
 */
export const booksAgree: Rule = {
  name: "rule-09-books-agree",
  check(index) {
    const { books, database } = index;
    const found: Violation[] = [];
    if (books === undefined) return found;
    const wrong = (subject: string, summary: string): void =>
      void found.push({ rule: this.name, subject, summary, story: [summary] });
    for (const [currency, sum] of books.sums)
      if (sum !== 0) wrong(currency, `the accounts in ${currency} sum to ${sum}`);
    if (books.refused > 0) wrong("books", `${books.refused} facts of money could not be booked`);
    const atRest = index.atRest === true;
    if (atRest && books.waiting > 0) wrong("books", `${books.waiting} facts of money are at rest and in no book`);

    for (const orderId of new Set([...books.orders.keys(), ...index.bookingsByOrder.keys()])) {
      const ours = books.orders.get(orderId) ?? NOTHING;
      const bookings = index.bookingsByOrder.get(orderId) ?? [];
      const problem =
        difference("captured", ours.captures, amounts(bookings, "captured"), atRest) ??
        difference("refunded", ours.refunds, amounts(bookings, "refunded"), atRest);
      if (problem !== null) found.push(violation(this.name, orderId, problem, index));
    }
    for (const { orderId, status, totals } of database?.orders.values() ?? []) {
      const { sales } = books.orders.get(orderId) ?? NOTHING;
      const owed = status === "delivered" ? [totals.totalMinor] : [];
      if (isSame(sales, owed) || (!atRest && sales.length === 0)) continue;
      const problem = `is ${status}, its total is ${totals.totalMinor}, and the books have it sold for: ${listed(sales)}`;
      found.push(violation(this.name, orderId, problem, index));
    }
    return found;
  },
};

const amounts = (bookings: readonly Booking[], kind: Booking["kind"]): readonly number[] =>
  bookings.filter((booking) => booking.kind === kind).map(({ amountMinor }) => amountMinor);

function difference(kind: string, ours: readonly number[], theirs: readonly number[], atRest: boolean): string | null {
  const missing = without(theirs, ours);
  const invented = without(ours, theirs);
  if (invented.length === 0 && (missing.length === 0 || !atRest)) return null;
  return `was ${kind} by the books: ${listed(ours)}; by the provider: ${listed(theirs)}`;
}

/** What is left of the first when the second is taken away, each as often as it is there. */
function without(all: readonly number[], taken: readonly number[]): readonly number[] {
  const left = [...all];
  for (const one of taken) {
    const place = left.indexOf(one);
    if (place >= 0) left.splice(place, 1);
  }
  return left;
}

const isSame = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && without(a, b).length === 0;

const listed = (all: readonly number[]): string => (all.length === 0 ? "nothing" : all.join(", "));

function violation(rule: string, orderId: string, problem: string, index: EvidenceIndex): Violation {
  const story = storyOfOrder(index, orderId, ["placement", "payment", "stored"]);
  return { rule, subject: orderId, summary: `order ${orderId} ${problem}`, story };
}
