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
