/**
 * How often somebody may guess. Counts failures only, per account and per address, in bounded memory of this thread; what
 * a guess is worth is made small by the length of passwords, not by this alone.
 */
import { Buckets } from "../../lib/buckets.js";

export interface ThrottleSettings {
  readonly failuresPerAccount: { readonly perMinute: number; readonly burst: number };
  readonly failuresPerAddress: { readonly perMinute: number; readonly burst: number };
  readonly maxKeys: number;
}

export const DEFAULT_THROTTLE: ThrottleSettings = {
  failuresPerAccount: { perMinute: 2, burst: 10 },
  // Many people may stand behind one address.
  failuresPerAddress: { perMinute: 60, burst: 100 },
  maxKeys: 100_000,
};

export class Throttle {
  readonly #accounts: Buckets;
  readonly #addresses: Buckets;

  constructor(settings: ThrottleSettings) {
    this.#accounts = new Buckets(settings.failuresPerAccount, settings.maxKeys);
    this.#addresses = new Buckets(settings.failuresPerAddress, settings.maxKeys);
  }

  /** 0: may try. Otherwise milliseconds to wait. Counted as a failure until `right` says otherwise. `now` is monotonic. */
  tries(account: string, address: string, now: number): number {
    const ofAccount = this.#accounts.take(account, now);
    if (ofAccount > 0) return ofAccount;
    const ofAddress = this.#addresses.take(address, now);
    if (ofAddress > 0) this.#accounts.give(account);
    return ofAddress;
  }

  right(account: string, address: string): void {
    this.#accounts.give(account);
    this.#addresses.give(address);
  }
}
