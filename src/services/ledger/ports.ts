/**
 * Where the books are kept. Amounts are integer minor units; a debit is positive, a credit negative. Times are
 * milliseconds since the epoch. Adapters are in `src/store`; all pass `ledger.contract.ts`.
 */

/** Accounts. Those with parties are kept one for each restaurant, driver or customer. */
export type Account =
  /** What customers owe: from the delivery until the provider has their money. */
  | "customer_receivable"
  /** What the provider has taken for us and not yet paid out. */
  | "provider_clearing"
  /** What restaurants are owed for food, less our commission. */
  | "restaurant_payable"
  /** Tax on food, collected in the restaurant's name and paid out with it. */
  | "tax"
  /** What drivers are owed for deliveries. */
  | "driver_payable"
  /** What drivers are owed because a customer wanted so. */
  | "tips"
  /** Fees and commissions. */
  | "platform_revenue"
  /** What deliveries cost us. */
  | "delivery_cost"
  /** What discounts cost us. */
  | "promotions"
  /** What we gave back out of our own pocket. */
  | "refunds";

/** What an entry is for. */
export type EntryItem =
  | "total"
  | "items"
  | "tax"
  | "fee"
  | "tip"
  | "discount"
  | "commission"
  | "pay"
  | "capture"
  | "refund";

export interface Entry {
  readonly account: Account;
  /** Empty for accounts without parties. */
  readonly party: string;
  readonly item: EntryItem;
  readonly amountMinor: number;
}

/** Entries of one transaction sum to zero. */
export interface Booking {
  /** What happened: booked once, however often it comes. */
  readonly key: string;
  readonly kind: "sale" | "capture" | "refund";
  readonly orderId: string;
  readonly currency: string;
  readonly at: number;
  readonly note: string;
  readonly entries: readonly Entry[];
}

/** An event that waits to be booked. */
export interface PendingFact {
  readonly id: number;
  /** The order's. */
  readonly key: string;
  readonly offset: number;
  readonly at: number;
  /** MessagePack of the event's body. */
  readonly body: Uint8Array;
}

/** From `from` on, before `to`. */
export interface Period {
  readonly from: number;
  readonly to: number;
}

/** One order's part on a party's account, with what it consists of. */
export interface PartyMovement {
  readonly orderId: string;
  readonly at: number;
  readonly kind: Booking["kind"];
  readonly currency: string;
  readonly note: string;
  readonly account: Account;
  readonly item: EntryItem;
  readonly amountMinor: number;
}

export interface PartySum {
  readonly currency: string;
  readonly account: Account;
  readonly item: EntryItem;
  readonly amountMinor: number;
  readonly count: number;
}

/** What went over the provider's account, by the provider's key. */
export interface CashMovement {
  readonly key: string;
  readonly orderId: string;
  readonly kind: "capture" | "refund";
  readonly currency: string;
  /** Positive: taken from the customer. Negative: given back. */
  readonly amountMinor: number;
  readonly at: number;
}

export interface AccountBalance {
  readonly account: Account;
  readonly currency: string;
  readonly amountMinor: number;
}

/** What was to be booked breaks the books' own rules: it never will be, however often it is tried. Nothing was written. */
export class BookingRefused extends Error {
  override readonly name = "BookingRefused";
}

/** Every call rejects with `StoreUnavailable` when the store does not answer; each may be repeated. */
export interface LedgerStore {
  /** Facts in the order in which they came, at most `limit`. */
  pending(limit: number): Promise<readonly PendingFact[]>;
  /**
   * Books, and takes `done` and `refused` out of the inbox, all or nothing. How many bookings were new; null: another
   * node is at it. Rejects with `BookingRefused` when a booking has no entries or does not sum to zero, or holds what the
   * store cannot keep.
   */
  book(
    bookings: readonly Booking[],
    done: readonly number[],
    refused: readonly { readonly id: number; readonly reason: string }[],
  ): Promise<number | null>;
  /** How many facts wait, and how many could not be booked. Counts up to a bound. */
  backlog(): Promise<{ readonly waiting: number; readonly refused: number }>;
  /** Newest first. */
  movements(
    accounts: readonly Account[],
    party: string,
    period: Period,
    limit: number,
  ): Promise<readonly PartyMovement[]>;
  sums(accounts: readonly Account[], party: string, period: Period): Promise<readonly PartySum[]>;
  /** Oldest first, at most `limit`, after (`at`, `key`) of the last one of the page before. */
  cash(
    period: Period,
    after: { readonly at: number; readonly key: string } | null,
    limit: number,
  ): Promise<readonly CashMovement[]>;
  /** Those of these keys that are booked. */
  cashOf(keys: readonly string[]): Promise<readonly CashMovement[]>;
  /** What was booked on each account in the period. All together sum to zero in each currency. */
  balances(period: Period): Promise<readonly AccountBalance[]>;
}
