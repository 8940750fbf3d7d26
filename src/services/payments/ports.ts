/**
 * The payment provider as the marketplace sees it: authorise at placement, capture on delivery, void or refund else.
 *
 * Every operation carries an idempotency key: the same key is the same operation, however often and however late it
 * arrives. An authorisation is named by the key it was asked for with, so that it can be voided without its answer ever
 * having come; once voided, a late authorisation under that key holds nothing.
 */
export type PaymentOutcome =
  | { readonly outcome: "authorised"; readonly authorisation: string }
  | { readonly outcome: "declined"; readonly reason: string }
  | { readonly outcome: "captured"; readonly amountMinor: number }
  | { readonly outcome: "voided" }
  | { readonly outcome: "refunded"; readonly amountMinor: number };

export interface Authorise {
  readonly key: string;
  readonly orderId: string;
  readonly amountMinor: number;
  readonly currency: string;
  readonly method: string;
}

/** On an authorisation: `key` is the operation's own, `authoriseKey` that of the authorisation. */
export interface OnAuthorisation {
  readonly key: string;
  readonly orderId: string;
  readonly authoriseKey: string;
}

export interface PaymentProvider {
  /** Resolves with `authorised` or `declined`. */
  authorise(request: Authorise): Promise<PaymentOutcome>;
  /** Resolves with `captured`. Never more than was authorised. */
  capture(request: OnAuthorisation & { readonly amountMinor: number }): Promise<PaymentOutcome>;
  /** Resolves with `voided`, also when there was nothing to void. */
  void(request: OnAuthorisation): Promise<PaymentOutcome>;
  /** Resolves with `refunded`. Never more than was captured. */
  refund(request: OnAuthorisation & { readonly amountMinor: number }): Promise<PaymentOutcome>;
  /** What became of an operation, or null when the provider has never seen its key. */
  lookup(key: string): Promise<PaymentOutcome | null>;
}

/** The provider understood and will never do this. Asking again is useless. */
export class PaymentRefused extends Error {
  override readonly name = "PaymentRefused";
}

/** No answer, or a passing fault. It may or may not have happened; asking again under the same key is safe. */
export class PaymentUnavailable extends Error {
  override readonly name = "PaymentUnavailable";
}

/** A provider's token under the customer's own name for it. The token is sealed before it comes here. */
export interface SavedMethod {
  readonly id: string;
  readonly customerId: string;
  /** As the customer knows it: "Visa 4242". */
  readonly label: string;
  readonly sealedToken: string;
  readonly at: number;
}

/** Where saved methods are kept. Adapters are in `src/store`; all pass `payment-methods.contract.ts`. */
export interface MethodStore {
  /** Keeps it, unless the customer has `most` already (then false). The same id again changes nothing. */
  save(method: SavedMethod, most: number): Promise<boolean>;
  /** Oldest first. */
  ofCustomer(customerId: string): Promise<readonly SavedMethod[]>;
  /** Null when there is none or it is another's. */
  find(customerId: string, id: string): Promise<SavedMethod | null>;
  /** False when there was none. */
  remove(customerId: string, id: string): Promise<boolean>;
}

/** Seals what must not be readable at rest. `context` binds a text to what it belongs to. */
export interface Vault {
  seal(text: string, context: string): string | Promise<string>;
  /** Rejects what was sealed with another key, or for another context. */
  open(sealed: string, context: string): string | Promise<string>;
}

/** One movement of money on the provider's side. */
export interface ProviderMovement {
  /** The key it was asked for with. */
  readonly key: string;
  readonly orderId: string;
  readonly kind: "capture" | "refund";
  readonly currency: string;
  readonly amountMinor: number;
  readonly at: number;
  /** The provider's own count; pages go by it. */
  readonly number: number;
}

/** The provider's books, for reconciliation. Rejects with `PaymentUnavailable`. */
export interface ProviderLedger {
  /** Movements of the period with a number above `after`, in the order of their numbers, at most `limit`. */
  movements(
    period: { readonly from: number; readonly to: number },
    after: number,
    limit: number,
  ): Promise<readonly ProviderMovement[]>;
  /** Those of these keys that there are. */
  movementsOf(keys: readonly string[]): Promise<readonly ProviderMovement[]>;
  /** Authorised and neither captured nor voided. */
  held(): Promise<readonly { readonly currency: string; readonly count: number; readonly amountMinor: number }[]>;
}
