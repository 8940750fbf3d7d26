/**
 * Accounts: who somebody is, which roles they have, and what is kept about them. Owns sign-up to erasure and the keys of
 * tokens; the gateway decides what a role may do, the store keeps the rows.
 */
import type { Clock } from "../../lib/clock.js";
import type { Log } from "../../lib/log.js";
import type { Notices } from "../../lib/notices.js";
import type { Random } from "../../lib/random.js";
import type { ACCOUNT_OPERATIONS, OperationHandlers } from "../../protocol/mod.js";
import { createAdministration } from "./administration.js";
import { type AccountContext, type AccountSettings, type Answered, answered, type Refused } from "./context.js";
import { createErasing } from "./erasing.js";
import { createKeyring, type SigningKey } from "./keyring.js";
import { createOwnAccount } from "./own.js";
import { createPeople } from "./people.js";
import type {
  AccountStore,
  Passwords,
  PersonalRecords,
  PersonsOrders,
  RestaurantFounder,
  Revocation,
  TokenIssuer,
} from "./ports.js";
import { createSessions } from "./sessions.js";
import { DEFAULT_THROTTLE, type ThrottleSettings } from "./throttle.js";
import { createVault } from "./vault.js";
import { watchAccounts } from "./watch.js";

export { type Contacts, createContacts } from "./contacts.js";
export type { AccountSettings } from "./context.js";
export type { SigningKey } from "./keyring.js";
export {
  type AccountStore,
  type Passwords,
  PasswordsBusy,
  type PersonalRecords,
  type RestaurantFounder,
  type Revocation,
  type TokenIssuer,
} from "./ports.js";

export interface Accounts {
  /** Reads the keys, and begins to hear of what is revoked. To be awaited before the first request. */
  start(): Promise<void>;
  readonly operations: OperationHandlers<typeof ACCOUNT_OPERATIONS>;
  /** Seals with the newest master key what was sealed with an older one, forgets what has ended, goes on erasing. Any node may. */
  tidy(): Promise<void>;
  close(): void;
}

export interface AccountsOptions {
  readonly store: AccountStore;
  readonly passwords: Passwords;
  readonly tokens: TokenIssuer;
  readonly notices: Notices;
  readonly orders: PersonsOrders;
  /** What else is kept about people, for erasing. */
  readonly records: readonly PersonalRecords[];
  /** Opens the restaurants of approved applications. */
  readonly restaurants: RestaurantFounder;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** The first seals, all open. */
  readonly masterSecrets: readonly string[];
  readonly firstSigningKey: { readonly kid: string; readonly privateKey: string };
  readonly settings: AccountSettings;
  readonly throttle?: ThrottleSettings;
  readonly onSigningKeys: (keys: readonly SigningKey[]) => void;
  readonly onRevoked: (revocations: readonly Revocation[]) => void;
}

/** Tokens that the operator had made live up to a week; and a day, for clocks and nodes that were away. */
const OLD_KEYS_MS = 8 * 24 * 3_600_000;
/** Nodes read the keys three times in this. */
const KEYS_SPREAD_MS = 60_000;
const KEEP_ENDED_MS = 30 * 24 * 3_600_000;
const TIDY_AT_ONCE = 500;
const TIDY_CALLS = 40;
const ERASE_AT_ONCE = 100;

export function createAccounts(options: AccountsOptions): Accounts {
  const { store, clock, random, log, notices } = options;
  const vault = createVault(options.masterSecrets, random);
  const keyring = createKeyring({
    store,
    vault,
    clock,
    first: options.firstSigningKey,
    settings: { spreadMs: KEYS_SPREAD_MS, keepMs: OLD_KEYS_MS },
    onSigning: options.onSigningKeys,
    onOther: (kid) =>
      log.warn(
        { kid },
        "The given signing key is not the one that this deployment began with, and counts for nothing: POST /v1/auth/keys/rotate makes a new one, OPERATIONS.md says how the old one ends",
      ),
  });
  const people = createPeople(vault, random);
  const context: AccountContext = {
    store,
    keyring,
    people,
    passwords: options.passwords,
    tokens: options.tokens,
    notices,
    orders: options.orders,
    records: options.records,
    restaurants: options.restaurants,
    clock,
    random,
    log,
    settings: options.settings,
  };
  const sessions = createSessions(context, options.throttle ?? DEFAULT_THROTTLE);
  const erasing = createErasing(context);
  const own = createOwnAccount(context, sessions, erasing);
  const administration = createAdministration(context);
  let stop: () => void = () => undefined;

  const done = { ok: true, value: { done: true } } as const;
  const doneOr = (outcome: Answered<true>): typeof done | Refused => (outcome.ok ? done : outcome);

  const handlers: OperationHandlers<typeof ACCOUNT_OPERATIONS> = {
    "accounts.signUp": ({ body, key, address }) => sessions.signUp(body, key, address),
    "accounts.signIn": ({ body, key, address }) => sessions.signIn(body, key, address),
    "accounts.refresh": ({ body, key }) => sessions.refresh(body.refreshToken, key),
    "accounts.signOut": async ({ body }) => {
      await sessions.signOut(body.refreshToken);
      return done;
    },
    "accounts.signOutEverywhere": async ({ caller }) => doneOr(await own.signOutEverywhere(caller)),
    "accounts.keys": () => ({ ok: true, value: { keys: [...keyring.jwks()] }, cacheControl: "public, max-age=30" }),
    "accounts.me": ({ caller }) => own.me(caller),
    "accounts.update": ({ caller, body }) => own.update(caller, body),
    "accounts.changePassword": async ({ caller, body, address }) =>
      doneOr(await own.changePassword(caller, body.password, body.newPassword, address)),
    "accounts.saveAddress": ({ caller, params, body }) => own.saveAddress(caller, params.addressId, body),
    "accounts.removeAddress": ({ caller, params }) => own.removeAddress(caller, params.addressId),
    "accounts.apply": ({ caller, body }) => own.apply(caller, body),
    "accounts.consent": ({ caller, body }) => own.consent(caller, body.given),
    "accounts.export": ({ caller }) => own.export(caller),
    "accounts.erase": async ({ caller, body, address }) => doneOr(await own.erase(caller, body.password, address)),
    "accounts.applications": async ({ query }) => ({
      ok: true,
      value: { applications: [...(await administration.applications(query.role ?? null, query.limit ?? 50))] },
    }),
    "accounts.approve": ({ caller, params, body }) =>
      administration.decide(caller, params.applicationId, "active", body.reason ?? ""),
    "accounts.reject": ({ caller, params, body }) =>
      administration.decide(caller, params.applicationId, "rejected", body.reason),
    "accounts.find": ({ body }) => administration.find(body.email),
    "accounts.read": ({ params }) => administration.read(params.accountId),
    "accounts.ban": ({ caller, params, body }) => administration.setBan(caller, params.accountId, true, body.reason),
    "accounts.unban": ({ caller, params, body }) => administration.setBan(caller, params.accountId, false, body.reason),
    "accounts.banPrincipal": async ({ caller, params, body }) => {
      await administration.setPrincipalBan(caller, params.role, params.principalId, true, body.reason);
      return done;
    },
    "accounts.unbanPrincipal": async ({ caller, params, body }) => {
      await administration.setPrincipalBan(caller, params.role, params.principalId, false, body.reason);
      return done;
    },
    "accounts.grantRole": ({ caller, params, body }) =>
      administration.setRole(
        caller,
        params.accountId,
        { role: params.role, restaurantId: body.restaurantId, given: true },
        body.reason,
      ),
    "accounts.endRole": ({ caller, params, body }) =>
      administration.setRole(
        caller,
        params.accountId,
        { role: params.role, restaurantId: body.restaurantId, given: false },
        body.reason,
      ),
    "accounts.rotateKeys": async ({ caller, body, key }) =>
      answered(await administration.rotateKeys(caller, key, body.reason)),
  };

  async function resealAccounts(): Promise<void> {
    if (vault.olderIds.length === 0) return;
    for (const { id, dataKey } of await store.sealedWith(vault.olderIds, TIDY_AT_ONCE)) {
      let sealed: Uint8Array;
      try {
        sealed = people.rewrap(id, dataKey);
      } catch (error) {
        log.warn({ accountId: id, error: String(error) }, "The key of an account does not open, and stays as it is");
        continue;
      }
      await store.resealAccount(id, dataKey, sealed, vault.masterId);
    }
  }

  async function forgetEnded(): Promise<void> {
    // As long as calls come back full, there is more: a market may end more sessions in a minute than one call forgets.
    for (let calls = 0; calls < TIDY_CALLS; calls++) {
      if ((await store.forget(clock.now() - KEEP_ENDED_MS, TIDY_AT_ONCE)) < TIDY_AT_ONCE) return;
    }
  }

  return {
    async start() {
      await keyring.load();
      stop = await watchAccounts({ store, keyring, notices, clock, log, onRevoked: options.onRevoked });
    },
    operations: sayUnavailable(handlers, log),
    async tidy() {
      // What cannot be done of one holds up neither the others nor those who want to be forgotten.
      const failed: unknown[] = [];
      for (const step of [resealAccounts, forgetEnded, () => erasing.resume(ERASE_AT_ONCE)]) {
        await step().catch((error: unknown) => void failed.push(error));
      }
      if (failed.length > 0) throw failed[0];
    },
    close: () => stop(),
  };
}

/** A store that does not answer is no fault of ours: the same request succeeds later. */
function sayUnavailable<T extends Readonly<Record<string, (call: never) => unknown>>>(handlers: T, log: Log): T {
  const wrapped = Object.entries(handlers).map(([name, handler]) => [
    name,
    async (call: never) => {
      try {
        return await handler(call);
      } catch (error) {
        if (!isAway(error)) throw error;
        log.warn({ operation: name, error: String(error) }, "The store of accounts does not answer");
        return { ok: false, code: "unavailable", retryAfterMs: 2_000 };
      }
    },
  ]);
  return Object.fromEntries(wrapped) as T;
}

const isAway = (error: unknown): boolean =>
  error instanceof Error && (error.name === "StoreUnavailable" || error.name === "OutcomeUnknown");
