/**
 * How often somebody may guess, come in, and make accounts, for all nodes together. What a guess is worth is made small by
 * the length of passwords, not by this alone; who knows a password is counted too, because each time costs a slow hash.
 *
 * Invariants: whoever guesses from one address keeps the account's owner out at that address only; guesses from many are
 * bounded for the account, too; strangers' guesses never keep somebody who is signed in from changing the password.
 */
import type { Keyring } from "./keyring.js";
import type { AccountStore, AttemptBucket } from "./ports.js";
import { keyedHash } from "./vault.js";

type Pace = Omit<AttemptBucket, "key">;

export interface ThrottleSettings {
  /** At one account from one address. */
  readonly failuresPerPair: Pace;
  /** At one account from anywhere: far above what one address may, or it would lock the owner out. */
  readonly failuresPerAccount: Pace;
  readonly failuresPerAddress: Pace;
  /** Right ones: far more than anybody's devices sign in. */
  readonly entriesPerAccount: Pace;
  readonly entriesPerAddress: Pace;
  /** Each costs a slow hash before anything is known of who asks for it. */
  readonly signUpsPerAddress: Pace;
}

export const DEFAULT_THROTTLE: ThrottleSettings = {
  failuresPerPair: { perMinute: 2, burst: 10 },
  failuresPerAccount: { perMinute: 10, burst: 100 },
  // Many people may stand behind one address.
  failuresPerAddress: { perMinute: 60, burst: 100 },
  entriesPerAccount: { perMinute: 6, burst: 30 },
  entriesPerAddress: { perMinute: 240, burst: 600 },
  signUpsPerAddress: { perMinute: 30, burst: 60 },
};

export interface Throttle {
  /** 0: may try. Otherwise milliseconds to wait. Counted until it is said what it was: one of these comes after it. */
  tries(account: string, address: string): Promise<number>;
  right(account: string, address: string): Promise<void>;
  wrong(account: string, address: string): Promise<void>;
  /** Not even looked at. */
  notTried(account: string, address: string): Promise<void>;
  /** The same of accounts to be made; `notMade` takes it back. */
  makes(address: string): Promise<number>;
  notMade(address: string): Promise<void>;
}

export function createThrottle(
  store: Pick<AccountStore, "takeAttempts" | "giveAttempts">,
  keyring: Keyring,
  settings: ThrottleSettings,
): Throttle {
  // Nobody needs to read from the rows who tried, or from where.
  const bucket = (what: string, whose: string, pace: Pace): AttemptBucket => ({
    key: `${what}:${keyedHash(keyring.lookup, "attempts", whose)}`,
    ...pace,
  });
  const guesses = (account: string, address: string): readonly AttemptBucket[] => [
    bucket("account", account, settings.failuresPerAccount),
    bucket("address", address, settings.failuresPerAddress),
    bucket("pair", `${account}\n${address}`, settings.failuresPerPair),
  ];
  const entries = (account: string, address: string): readonly AttemptBucket[] => [
    bucket("entry", account, settings.entriesPerAccount),
    bucket("entries", address, settings.entriesPerAddress),
  ];
  const both = (account: string, address: string) => [...guesses(account, address), ...entries(account, address)];
  const signUps = (address: string): readonly AttemptBucket[] => [
    bucket("sign-up", address, settings.signUpsPerAddress),
  ];
  return {
    tries: (account, address) => store.takeAttempts(both(account, address)),
    right: (account, address) => store.giveAttempts(guesses(account, address)),
    wrong: (account, address) => store.giveAttempts(entries(account, address)),
    notTried: (account, address) => store.giveAttempts(both(account, address)),
    makes: (address) => store.takeAttempts(signUps(address)),
    notMade: (address) => store.giveAttempts(signUps(address)),
  };
}
