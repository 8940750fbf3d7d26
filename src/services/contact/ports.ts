/**
 * The provider of masked numbers: between two people for as long as one brings the other a meal. The marketplace names
 * the two by its own references; whoever bridges the calls knows where they ring. A real number never comes here.
 *
 * The pair's id is the key of every operation: opening again gives the same number, closing again is nothing new, and
 * closing before opening keeps a late opening from ringing.
 */
export interface ContactPair {
  /** Of one order and one driver. */
  readonly pairId: string;
  readonly customerId: string;
  readonly driverId: string;
}

export interface ContactProvider {
  /**
   * One number for both sides: who calls it reaches the other. Rejects with `ContactRefused`, or with
   * `ContactUnavailable` when it may pass.
   */
  open(pair: ContactPair): Promise<{ readonly number: string }>;
  /** From now on the number reaches nobody for these two. Resolves also when there was nothing to close. */
  close(pairId: string): Promise<void>;
}

/** The provider understood and will never do this. */
export class ContactRefused extends Error {
  override readonly name = "ContactRefused";
}

/** No answer, or a passing fault. Asking again with the same pair is safe. */
export class ContactUnavailable extends Error {
  override readonly name = "ContactUnavailable";
}
