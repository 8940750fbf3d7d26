/** Accounts in one gateway thread: their store, their threads for passwords, and what the gateway's tokens hear of them. */
import type { Tokens } from "../gateway/mod.js";
import type { Cancel, Clock } from "../lib/clock.js";
import type { Log } from "../lib/log.js";
import type { Notices } from "../lib/notices.js";
import type { Random } from "../lib/random.js";
import type { AnyOperationHandlers } from "../protocol/mod.js";
import { createAccounts, type PersonalRecords, type RestaurantFounder } from "../services/accounts/mod.js";
import { auditOperations } from "../services/audit/mod.js";
import type { HistoryService } from "../services/history/mod.js";
import { createPostgresAccountStore, createPostgresAuditLog } from "../store/postgres/mod.js";
import { createPasswordPool } from "./password-pool.js";
import type { ThreadPlan } from "./plan.js";

export interface OpenAccounts {
  readonly operations: readonly AnyOperationHandlers[];
  /** To be awaited before the gateway listens. */
  start(): Promise<void>;
  close(): Promise<void>;
}

/** The key that a deployment begins with. */
export const SIGNING_KEY_ID = "node";
const MAX_SESSIONS = 20;
const MAX_ADDRESSES = 20;
const MAX_ROLES = 32;
const TIDY_MS = 60_000;

export function openAccounts(options: {
  readonly plan: ThreadPlan;
  readonly tokens: Tokens;
  readonly notices: Notices;
  readonly history: HistoryService;
  readonly records: readonly PersonalRecords[];
  readonly restaurants: RestaurantFounder;
  /** True on one thread of the process: it tidies. */
  readonly tidies: boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}): OpenAccounts {
  const { plan, tokens, notices, history, records, restaurants, clock, random } = options;
  const { config, secrets, connectionString } = plan;
  const log = options.log.child({ part: "accounts" });
  const store = createPostgresAccountStore({ connectionString, clock, log });
  const audit = createPostgresAuditLog({ connectionString, clock, log });
  const passwords = createPasswordPool(config.auth.passwordThreads);
  const accounts = createAccounts({
    store,
    passwords,
    tokens,
    notices,
    orders: history,
    records,
    restaurants,
    clock,
    random,
    log,
    masterSecrets: secrets.masterSecrets,
    firstSigningKey: { kid: SIGNING_KEY_ID, privateKey: secrets.signingKeyPem },
    settings: {
      accessTokenMs: config.auth.accessTokenMs,
      refreshTokenMs: config.auth.refreshTokenMs,
      maxSessions: MAX_SESSIONS,
      maxAddresses: MAX_ADDRESSES,
      maxRoles: MAX_ROLES,
    },
    onSigningKeys: (keys) => tokens.useKeys(keys),
    onRevoked: (revocations) => void tokens.revoke(revocations),
  });
  let stopTidying: Cancel = () => undefined;
  return {
    operations: [accounts.operations, auditOperations(audit)],
    async start() {
      await accounts.start();
      if (!options.tidies) return;
      stopTidying = clock.every(TIDY_MS, () => {
        accounts.tidy().catch((error: unknown) => log.warn({ error: String(error) }, "Accounts could not be tidied"));
      });
    },
    async close() {
      stopTidying();
      accounts.close();
      await Promise.all([passwords.close(), store.close(), audit.close()]);
    },
  };
}
