/** What the parts of this service share, and the answers they give. */
import type { Clock } from "../../lib/clock.js";
import type { JsonObject } from "../../lib/json.js";
import type { Log } from "../../lib/log.js";
import type { Notices } from "../../lib/notices.js";
import { type Random, uuidV7 } from "../../lib/random.js";
import type { ErrorCode, OperationCaller } from "../../protocol/mod.js";
import type { Keyring } from "./keyring.js";
import type { People } from "./people.js";
import {
  type AccountRecord,
  type AccountStore,
  type AuditDraft,
  type Ending,
  locationKey,
  type Passwords,
  type PersonalRecords,
  type PersonsOrders,
  type RestaurantFounder,
  type Revocation,
  type TokenIssuer,
} from "./ports.js";
import { keyedHash } from "./vault.js";

export interface AccountSettings {
  readonly accessTokenMs: number;
  /** Since the last refresh. */
  readonly refreshTokenMs: number;
  readonly maxSessions: number;
  readonly maxAddresses: number;
  readonly maxRoles: number;
}

export interface AccountContext {
  readonly store: AccountStore;
  readonly keyring: Keyring;
  readonly people: People;
  readonly passwords: Passwords;
  readonly tokens: TokenIssuer;
  readonly notices: Notices;
  readonly orders: PersonsOrders;
  readonly records: readonly PersonalRecords[];
  readonly restaurants: RestaurantFounder;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly settings: AccountSettings;
}

/** What is revoked is said to all under this topic, as a list of `Revocation`. */
export const REVOKED = "accounts.revoked";
/** The signing keys have changed: read them. */
export const KEYS_CHANGED = "accounts.keys";

export type Refused = {
  readonly ok: false;
  readonly code: ErrorCode;
  readonly detail?: JsonObject;
  readonly retryAfterMs?: number;
};
export type Answered<T> = { readonly ok: true; readonly value: T } | Refused;

export const refused = (code: ErrorCode, detail?: JsonObject): Refused => ({
  ok: false,
  code,
  ...(detail === undefined ? {} : { detail }),
});
export const answered = <T>(value: T): { readonly ok: true; readonly value: T } => ({ ok: true, value });

/** An account that was just read is changed by at most this many others before it is written. */
const MAX_ATTEMPTS = 16;
/** Beyond the end of a token: for clocks, and for requests that came just before it. */
export const MARGIN_MS = 60_000;
const MOST_IN_A_NOTICE = 40;

const FOREVER = 8_640_000_000_000;

/**
 * Whether somebody who drives, or did, is located from now on, on any node: while they drive for us and agree to it. A
 * phone that reports by itself has no session that ends with the role.
 */
export function locating(account: AccountRecord): readonly Revocation[] {
  const states = account.roles.filter(({ role }) => role === "driver").map(({ state }) => state);
  if (states.length === 0) return [];
  const may = states.includes("active") && mayBeLocated(account);
  return [{ key: locationKey(account.id), until: may ? 0 : FOREVER, why: "no_consent" }];
}

export const mayBeLocated = (account: AccountRecord): boolean => account.consents.at(-1)?.given ?? false;

/** Until when tokens that were signed before now may live. */
export function tokensUntil({ clock, settings }: AccountContext): number {
  return clock.now() + settings.accessTokenMs + MARGIN_MS;
}

/** Says it to all nodes. When that fails they read it within two seconds. */
export async function tellRevoked(context: AccountContext, revoked: readonly Revocation[]): Promise<void> {
  for (let from = 0; from < revoked.length; from += MOST_IN_A_NOTICE) {
    const part = revoked.slice(from, from + MOST_IN_A_NOTICE).map((each) => ({ ...each }));
    try {
      await context.notices.publish(REVOKED, part);
    } catch (error) {
      context.log.warn({ error: String(error) }, "Ended sessions could not be told to all; every node will read them");
    }
  }
}

export interface Change {
  readonly account: AccountRecord;
  readonly audit?: readonly AuditDraft[];
  readonly end?: Ending;
  readonly revoke?: readonly Revocation[];
}

/**
 * Reads, changes and writes an account, again when somebody else was faster. `change` gives null when nothing is to be
 * changed. Resolves with the account as it stands then.
 */
export async function changeAccount(
  context: AccountContext,
  read: () => Promise<AccountRecord | null>,
  change: (account: AccountRecord) => Change | Refused | null,
): Promise<Answered<AccountRecord>> {
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    const account = await read();
    if (account === null) return refused("not_found");
    const wanted = change(account);
    if (wanted === null) return answered(account);
    if ("ok" in wanted) return wanted;
    const outcome = await context.store.change(wanted.account, {
      audit: wanted.audit ?? [],
      end: wanted.end ?? null,
      revoke: wanted.revoke ?? [],
    });
    if (outcome.kind === "stale") continue;
    await tellRevoked(context, outcome.revoked);
    return answered({ ...wanted.account, version: account.version + 1 });
  }
  return refused("unavailable");
}

/** The account of who calls; null for a token that the operator had made. */
export async function ownAccount(context: AccountContext, caller: OperationCaller): Promise<AccountRecord | null> {
  if (caller.accountId === undefined) return null;
  const account = await context.store.byId(caller.accountId);
  return account === null || account.state === "erased" ? null : account;
}

export function auditBy(
  context: AccountContext,
  caller: OperationCaller,
  action: string,
  subject: string,
  reason: string,
): AuditDraft {
  return {
    at: context.clock.now(),
    role: caller.role,
    principalId: caller.id,
    ...(caller.accountId === undefined ? {} : { accountId: caller.accountId }),
    action,
    subject,
    reason,
  };
}

export const newId = ({ clock, random }: AccountContext): string => uuidV7(clock.now(), random);

/** Addresses that reach the same mailbox in practice are one. */
export const emailText = (email: string): string => email.normalize("NFKC").toLowerCase();

export const emailHashOf = ({ keyring }: AccountContext, email: string): string =>
  keyedHash(keyring.lookup, "email", emailText(email));
