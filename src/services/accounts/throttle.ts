/**
 * How often somebody may guess. Counts failures only, per account and per address, for all nodes together; what a guess is
 * worth is made small by the length of passwords, not by this alone.
 */
import type { Keyring } from "./keyring.js";
import type { AccountStore, AttemptBucket } from "./ports.js";
import { keyedHash } from "./vault.js";

export interface ThrottleSettings {
  readonly failuresPerAccount: { readonly perMinute: number; readonly burst: number };
  readonly failuresPerAddress: { readonly perMinute: number; readonly burst: number };
}

export const DEFAULT_THROTTLE: ThrottleSettings = {
  failuresPerAccount: { perMinute: 2, burst: 10 },
  // Many people may stand behind one address.
  failuresPerAddress: { perMinute: 60, burst: 100 },
};

export interface Throttle {
  /** 0: may try. Otherwise milliseconds to wait. Counted as a failure until `right` says otherwise. */
  tries(account: string, address: string): Promise<number>;
  right(account: string, address: string): Promise<void>;
}

export function createThrottle(
  store: Pick<AccountStore, "takeAttempts" | "giveAttempts">,
  keyring: Keyring,
  settings: ThrottleSettings,
): Throttle {
  // Nobody needs to read from the rows who tried, or from where.
  const buckets = (account: string, address: string): readonly AttemptBucket[] => [
    { key: `account:${keyedHash(keyring.lookup, "attempts", account)}`, ...settings.failuresPerAccount },
    { key: `address:${keyedHash(keyring.lookup, "attempts", address)}`, ...settings.failuresPerAddress },
  ];
  return {
    tries: (account, address) => store.takeAttempts(buckets(account, address)),
    right: (account, address) => store.giveAttempts(buckets(account, address)),
  };
}
