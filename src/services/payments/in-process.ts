/** The sandbox's book as a provider without network or disk, for runs in virtual time. The rules are the very same. */
import { type PaymentOutcome, type PaymentProvider, PaymentRefused } from "./ports.js";
import { type Book, createBook, type LedgerEntry, type Operation } from "./sandbox/book.js";

export interface InProcessProvider extends PaymentProvider {
  readonly book: Book;
  /** Everything it has done, in order. */
  readonly entries: readonly LedgerEntry[];
}

/** `now` gives the time of the entries; `decline` says whether the bank refuses this one. */
export function inProcessProvider(now: () => number, decline: () => boolean = () => false): InProcessProvider {
  const book = createBook();
  const entries: LedgerEntry[] = [];
  async function operate(operation: Operation): Promise<PaymentOutcome> {
    const answer = book.apply(operation, now(), decline());
    if (!answer.ok) throw new PaymentRefused(answer.problem);
    if (answer.entry !== null) entries.push(answer.entry);
    return answer.outcome;
  }
  return {
    book,
    entries,
    authorise: (request) => operate({ op: "authorise", ...request }),
    capture: (request) => operate({ op: "capture", ...request }),
    void: (request) => operate({ op: "void", ...request }),
    refund: (request) => operate({ op: "refund", ...request }),
    lookup: async (key) => book.outcomeOf(key),
  };
}
