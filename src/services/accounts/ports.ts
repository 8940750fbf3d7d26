/** What accounts need from their surroundings: rows, hashes of passwords, tokens, and what else is known of a person. */
import type { JsonObject } from "../../lib/json.js";
import type { AuditEntry, ErrorCode, OpeningRestaurant, Role } from "../../protocol/mod.js";

export type AuditDraft = Omit<AuditEntry, "entryId">;

export interface RoleRecord {
  readonly role: Role;
  /** Under which id its holder acts: the account's own, or a restaurant's. */
  readonly principalId: string;
  readonly state: "active" | "applied" | "rejected" | "ended";
  readonly applicationId: string | null;
  readonly since: number;
  readonly reason: string;
  /** What was asked for, sealed with the account's data key. */
  readonly asks: Uint8Array | null;
}

export interface ConsentRecord {
  readonly what: "location";
  readonly given: boolean;
  readonly at: number;
}

export interface AccountRecord {
  readonly id: string;
  readonly state: "active" | "banned" | "erased";
  readonly reason: string;
  readonly createdAt: number;
  /** Rises with every change; a change names the one it was made of. */
  readonly version: number;
  /** Keyed hash as hexadecimal digits. Null once erased. */
  readonly emailHash: string | null;
  /** Argon2's own text form. */
  readonly password: string | null;
  /** The account's data key, sealed with a master key. */
  readonly dataKey: Uint8Array | null;
  readonly masterId: string | null;
  /** Sealed with the data key. */
  readonly person: Uint8Array | null;
  readonly consents: readonly ConsentRecord[];
  readonly roles: readonly RoleRecord[];
}

export type EndReason =
  | "no_consent"
  | "signed_out"
  | "reused"
  | "banned"
  | "role_ended"
  | "password_changed"
  | "erased"
  | "too_many";

export interface SessionRecord {
  readonly id: string;
  readonly accountId: string;
  readonly role: Role;
  readonly principalId: string;
  /** How often it was refreshed. */
  readonly generation: number;
  /** Hash of the idempotency key of the last refresh, so that a repetition gets the same answer. */
  readonly lastKey: string;
  readonly createdAt: number;
  readonly usedAt: number;
  readonly expiresAt: number;
  readonly endedAt: number | null;
  readonly endedWhy: EndReason | null;
}

/**
 * Whose tokens count for nothing, until when: `s:<session>` or `p:<role>/<id>`; or who may not be located: `g:<account>`.
 * In the past: lifted.
 */
export interface Revocation {
  readonly key: string;
  readonly until: number;
  readonly why: EndReason;
}

export const sessionKey = (sessionId: string): string => `s:${sessionId}`;
export const locationKey = (accountId: string): string => `g:${accountId}`;
export const principalKey = (role: Role, id: string): string => `p:${role}/${id}`;

/** Which sessions of an account end with a change of it. */
export interface Ending {
  readonly which:
    | { readonly kind: "all" }
    | { readonly kind: "others"; readonly than: string }
    | { readonly kind: "role"; readonly role: Role; readonly principalId: string };
  readonly why: EndReason;
  readonly now: number;
  /** No access token of such a session lives longer. */
  readonly until: number;
}

export interface KeyRecord {
  readonly kid: string;
  readonly purpose: "lookup" | "refresh" | "signing";
  /** With a master key. */
  readonly sealed: Uint8Array;
  readonly masterId: string;
  /** PEM, of a signing key. */
  readonly publicKey: string | null;
  readonly createdAt: number;
  /** A signing key signs from here on … */
  readonly activeFrom: number;
  /** … and verifies until here. */
  readonly until: number;
}

export type Opened =
  | { readonly ok: true; readonly session: SessionRecord; readonly revoked: readonly Revocation[] }
  | { readonly ok: false; readonly why: "not_found" | "banned" | "role_missing" };

export type Rotated =
  | { readonly kind: "rotated" | "repeated"; readonly session: SessionRecord }
  /** An older token came back: whoever holds the newer one or this one stole it. The session has ended. */
  | { readonly kind: "reused"; readonly revoked: readonly Revocation[] }
  | { readonly kind: "ended" };

/** So many attempts at once, and one more every so often. */
export interface AttemptBucket {
  readonly key: string;
  readonly perMinute: number;
  readonly burst: number;
}

/** Every write is one transaction. Throws when the store does not answer; each call may be repeated. */
export interface AccountStore {
  /** With its first session. `exists`: the e-mail's hash or the id is taken. */
  create(account: AccountRecord, session: SessionRecord): Promise<"created" | "exists">;
  byId(accountId: string): Promise<AccountRecord | null>;
  byEmail(emailHash: string): Promise<AccountRecord | null>;
  byApplication(applicationId: string): Promise<AccountRecord | null>;
  /** Accounts that are not erased and act in this role under this id, by id; at most `limit`. */
  holders(role: Role, principalId: string, limit: number): Promise<readonly AccountRecord[]>;
  /**
   * Writes `account` if the stored one still has its version; the new one is one higher. Roles are added or changed,
   * never removed. `stale`: read again. The audit's entries, the ends of sessions and what else is revoked are part of it.
   * An account that is erased with it is among the `erasures` from then on.
   */
  change(
    account: AccountRecord,
    also: {
      readonly audit: readonly AuditDraft[];
      readonly end: Ending | null;
      readonly revoke?: readonly Revocation[];
    },
  ): Promise<{ readonly kind: "changed"; readonly revoked: readonly Revocation[] } | { readonly kind: "stale" }>;
  /**
   * Erased, while something of the person may still stand elsewhere: those that this gave longest ago, so that some which
   * have to wait do not keep the others waiting. None that is put off.
   */
  erasures(limit: number): Promise<readonly string[]>;
  /**
   * Nothing stands any more. What was under way when it was asked for may still arrive for `lateMs`: until then it is put
   * off, not done, and is among the `erasures` once more.
   */
  erasureDone(accountId: string, lateMs: number): Promise<void>;
  /** Longest waiting first. */
  applications(role: Role | null, limit: number): Promise<readonly AccountRecord[]>;

  /**
   * Opens a session of an account that may have it, or finds the one that has this id already. Beyond `maxSessions` the
   * one longest unused ends. `until`: as of `Ending`.
   */
  openSession(session: SessionRecord, maxSessions: number, until: number): Promise<Opened>;
  /**
   * By the token of this generation, or its repetition under the same key. A token newer than what is stored was given out
   * before the store came back from a backup, or from a replica that lagged behind: it counts.
   */
  rotateSession(
    sessionId: string,
    generation: number,
    key: string,
    times: { readonly now: number; readonly expiresAt: number; readonly until: number },
  ): Promise<Rotated>;
  endSession(sessionId: string, why: EndReason, now: number, until: number): Promise<readonly Revocation[]>;
  sessionsOf(accountId: string): Promise<readonly SessionRecord[]>;

  /** Bans whoever acts under this id, or lifts that: all its sessions end, and no new ones begin. */
  setPrincipalBan(
    role: Role,
    principalId: string,
    ban: { readonly until: number; readonly now: number; readonly tokensUntil: number },
    audit: AuditDraft,
  ): Promise<readonly Revocation[]>;
  /**
   * Everything revoked at `since` or later by the store's clock; with null, everything that still counts. `at` is the
   * store's time.
   */
  revocations(
    since: number | null,
    now: number,
  ): Promise<{ readonly at: number; readonly revocations: readonly Revocation[] }>;

  /**
   * Takes one attempt from each bucket, or none from any: 0, or milliseconds to wait. All nodes take from the same ones,
   * by the store's clock; a bucket that is full again may be forgotten.
   */
  takeAttempts(buckets: readonly AttemptBucket[]): Promise<number>;
  /** Takes a `takeAttempts` back. */
  giveAttempts(buckets: readonly AttemptBucket[]): Promise<void>;

  keys(): Promise<readonly KeyRecord[]>;
  /** False: there is one of this name. With `othersUntil`, older keys of its purpose end then, if not sooner. */
  addKey(key: KeyRecord, audit: readonly AuditDraft[], othersUntil?: number): Promise<boolean>;
  /** Sealed with another master key. */
  resealKey(kid: string, sealed: Uint8Array, masterId: string): Promise<void>;
  /** Ids and data keys of accounts that are sealed with one of these master keys. */
  sealedWith(
    masterIds: readonly string[],
    limit: number,
  ): Promise<readonly { readonly id: string; readonly dataKey: Uint8Array }[]>;
  resealAccount(id: string, before: Uint8Array, after: Uint8Array, masterId: string): Promise<void>;
  /** Forgets sessions and revocations that ended before, and keys that verify nothing any more. */
  forget(before: number, limit: number): Promise<number>;
  close(): Promise<void>;
}

/** Hashes slowly, in threads of its own. */
export interface Passwords {
  hash(password: string): Promise<string>;
  verify(encoded: string, password: string): Promise<boolean>;
}

/** More wait for a hash than may. */
export class PasswordsBusy extends Error {
  override readonly name = "PasswordsBusy";
}

export interface TokenIssuer {
  issue(
    principal: { readonly id: string; readonly role: Role; readonly accountId: string; readonly sessionId: string },
    ttlSeconds: number,
  ): string;
}

/** What others keep about a person: for export. */
export interface PersonsOrders {
  orders(
    customerId: string,
    options: { readonly before?: number; readonly limit: number },
  ): Promise<{ readonly orders: readonly object[]; readonly nextBefore?: number }>;
}

/** What others keep about a person: for erasing, and for the copy that a person may ask for. */
export interface PersonalRecords {
  /** For the log. */
  readonly name: string;
  /** What is kept, by name, for the person to read: no tokens or keys. Rejects when nobody can say. Absent: nothing to read. */
  kept?(account: {
    readonly id: string;
    readonly roles: readonly Pick<RoleRecord, "role" | "principalId">[];
  }): Promise<Readonly<Record<string, unknown>>>;
  /**
   * Forgets what is personal of the holder of these roles. False: something is still in use, ask again later. Rejects when
   * nobody can say. May be asked any number of times.
   */
  forget(account: {
    readonly id: string;
    readonly roles: readonly Pick<RoleRecord, "role" | "principalId">[];
  }): Promise<boolean>;
}

/** Restaurants as the catalogue makes them: `locate` when somebody asks to open one, `found` once an admin says yes. */
export interface RestaurantFounder {
  locate(
    opening: OpeningRestaurant,
  ): Promise<{ readonly ok: true; readonly value: LocatedRestaurant } | FounderRefused>;
  /** The same key again finds what it made. */
  found(
    restaurantId: string,
    opening: LocatedRestaurant,
    options: { readonly key: string; readonly caller: { readonly id: string; readonly role: Role } },
  ): Promise<{ readonly ok: true } | FounderRefused>;
}

type LocatedRestaurant = OpeningRestaurant & { readonly lat: number; readonly lng: number };
interface FounderRefused {
  readonly ok: false;
  readonly code: ErrorCode;
  readonly detail?: JsonObject;
  readonly retryAfterMs?: number;
}
