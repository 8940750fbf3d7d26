/**
 * Accounts on PostgreSQL. Owns the statements; every write is one transaction. Does not own what any of it means, nor
 * anything unsealed.
 *
 * Invariants: a session begins only while its account may have it, because its row's lock is shared with who begins and
 * taken by who ends; the audit's entry and the change it tells of are committed together or not at all.
 */

import type { Clock } from "../../lib/clock.js";
import { type Log, silentLog } from "../../lib/log.js";
import {
  type AccountRecord,
  type AccountStore,
  type Ending,
  principalKey,
  type Revocation,
  type SessionRecord,
  sessionKey,
} from "../../services/accounts/ports.js";
import {
  accountValues,
  bucketValues,
  type FoundAccount,
  type KeyRow,
  keyOf,
  type SessionRow,
  sessionOf,
  withRoles,
  writeAudit,
  writeErasure,
  writeRevocations,
  writeRoles,
  writeSession,
} from "./account-rows.js";
import { openConnections } from "./connection.js";
import type pg from "./pg.js";
import { ask, findable } from "./reads.js";
import { repeating } from "./repeat.js";
import { inTransaction } from "./transaction.js";

const CONNECTIONS = 2;
const MAX_WAITING = 512;
/** Of one account. */
const MAX_LISTED_SESSIONS = 1_000;

type Found<T> = T & pg.QueryResultRow;

export function createPostgresAccountStore(options: {
  readonly connectionString: string;
  readonly clock: Clock;
  readonly log?: Log;
}): AccountStore {
  const connections = openConnections({
    connectionString: options.connectionString,
    size: CONNECTIONS,
    maxWaiting: MAX_WAITING,
    name: "swift-eats accounts",
    clock: options.clock,
    log: (options.log ?? silentLog).child({ part: "accounts" }),
  });

  /** Every call here may be repeated. */
  const run = <T>(call: (client: pg.ClientBase) => Promise<T>): Promise<T> => repeating(connections, call);

  const write = <T>(call: (client: pg.ClientBase) => Promise<T>): Promise<T> =>
    run((client) => inTransaction(client, call));

  async function found(
    client: pg.ClientBase,
    name: string,
    where: string,
    value: string,
  ): Promise<AccountRecord | null> {
    const rows = await ask<FoundAccount>(client, name, `SELECT a.* FROM account a WHERE ${where}`, [findable(value)]);
    return (await withRoles(client, rows))[0] ?? null;
  }

  /** Ends what still runs of the sessions that `where` names, and revokes their tokens. */
  async function end(
    client: pg.ClientBase,
    name: string,
    where: string,
    values: readonly unknown[],
    how: Pick<Ending, "why" | "now" | "until">,
  ): Promise<readonly Revocation[]> {
    const rows = await ask<Found<{ id: string }>>(
      client,
      name,
      `UPDATE account_session SET ended_at = $1, ended_why = $2 WHERE ended_at IS NULL AND ${where} RETURNING id`,
      [how.now, how.why, ...values],
    );
    const revoked = rows.map(({ id }): Revocation => ({ key: sessionKey(id), until: how.until, why: how.why }));
    await writeRevocations(client, revoked);
    return revoked;
  }

  function endOf(client: pg.ClientBase, accountId: string, ending: Ending): Promise<readonly Revocation[]> {
    const { which } = ending;
    switch (which.kind) {
      case "all":
        return end(client, "account_end_all", "account = $3", [accountId], ending);
      case "others":
        return end(client, "account_end_others", "account = $3 AND id <> $4", [accountId, which.than], ending);
      case "role":
        return end(
          client,
          "account_end_role",
          "account = $3 AND role = $4 AND principal = $5",
          [accountId, which.role, which.principalId],
          ending,
        );
    }
  }

  return {
    create: (account, session) =>
      write(async (client) => {
        const rows = await ask(
          client,
          "account_create",
          `INSERT INTO account (id, state, reason, created_at, version, email_hash, password, data_key, master_id, person,
             consents) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING RETURNING id`,
          accountValues(account),
        );
        if (rows.length === 0) return "exists";
        await writeRoles(client, account);
        await writeSession(client, session);
        return "created";
      }),
    byId: (accountId) => run((client) => found(client, "account_by_id", "a.id = $1", accountId)),
    byEmail: (emailHash) => run((client) => found(client, "account_by_email", "a.email_hash = $1", emailHash)),
    byApplication: (applicationId) =>
      run((client) =>
        found(
          client,
          "account_by_application",
          "a.id = (SELECT r.account FROM account_role r WHERE r.application = $1)",
          applicationId,
        ),
      ),
    change: (account, { audit, end: ending, revoke = [] }) =>
      write(async (client) => {
        const rows = await ask(
          client,
          "account_change",
          `UPDATE account SET state = $2, reason = $3, created_at = $4, version = $5 + 1, email_hash = $6, password = $7,
             data_key = $8, master_id = $9, person = $10, consents = $11 WHERE id = $1 AND version = $5 RETURNING id`,
          accountValues(account),
        );
        if (rows.length === 0) return { kind: "stale" };
        await writeRoles(client, account);
        await writeAudit(client, audit);
        await writeRevocations(client, revoke);
        if (account.state === "erased") await writeErasure(client, account.id);
        const ended = ending === null ? [] : await endOf(client, account.id, ending);
        return { kind: "changed", revoked: [...revoke, ...ended] };
      }),
    erasures: (limit) =>
      run(async (client) => {
        const rows = await ask<Found<{ account: string }>>(
          client,
          "account_erasures",
          `UPDATE account_erasure e SET tried_at = extract(epoch FROM clock_timestamp()) * 1000
             FROM (SELECT account FROM account_erasure WHERE tried_at <= extract(epoch FROM clock_timestamp()) * 1000
               ORDER BY tried_at, asked_at, account LIMIT $1
               FOR UPDATE SKIP LOCKED) n WHERE e.account = n.account RETURNING e.account`,
          [limit],
        );
        return rows.map(({ account }) => account);
      }),
    erasureDone: async (accountId, lateMs) => {
      await run((client) =>
        ask(
          client,
          "account_erasure_done",
          `WITH at AS (SELECT extract(epoch FROM clock_timestamp()) * 1000 AS now),
             done AS (DELETE FROM account_erasure USING at WHERE account = $1 AND asked_at + $2 <= now)
           UPDATE account_erasure SET tried_at = asked_at + $2 FROM at WHERE account = $1 AND asked_at + $2 > now`,
          [findable(accountId), lateMs],
        ),
      );
    },
    holders: (role, principalId, limit) =>
      run(async (client) =>
        withRoles(
          client,
          await ask<FoundAccount>(
            client,
            "account_holders",
            `SELECT a.* FROM account a WHERE a.state <> 'erased' AND a.id IN (SELECT r.account FROM account_role r
               WHERE r.role = $1 AND r.principal = $2 AND r.state = 'active') ORDER BY a.id LIMIT $3`,
            [role, findable(principalId), limit],
          ),
        ),
      ),
    applications: (role, limit) =>
      run(async (client) =>
        withRoles(
          client,
          await ask<FoundAccount>(
            client,
            "account_applications",
            `SELECT a.* FROM (SELECT r.account, min(r.since) AS since FROM (
                 SELECT * FROM account_role w WHERE w.state = 'applied' AND ($1::text IS NULL OR w.role = $1)
                   ORDER BY w.since LIMIT $2) r GROUP BY r.account) waiting
               JOIN account a ON a.id = waiting.account ORDER BY waiting.since, a.id`,
            [role, limit],
          ),
        ),
      ),
    openSession: (session, maxSessions, until) => write((client) => openSession(client, session, maxSessions, until)),
    rotateSession: (sessionId, generation, key, times) =>
      write(async (client) => {
        const rows = await ask<Found<SessionRow>>(
          client,
          "account_rotate",
          `UPDATE account_session SET generation = $2 + 1, last_key = $3, used_at = $4, expires_at = $5
             WHERE id = $1 AND generation <= $2 AND ended_at IS NULL AND expires_at > $4 RETURNING *`,
          [sessionId, generation, key, times.now, times.expiresAt],
        );
        if (rows[0] !== undefined) return { kind: "rotated", session: sessionOf(rows[0]) };
        const [row] = await ask<Found<SessionRow>>(
          client,
          "account_session",
          "SELECT * FROM account_session WHERE id = $1 FOR UPDATE",
          [sessionId],
        );
        if (row === undefined || row.ended_at !== null || row.expires_at <= times.now) return { kind: "ended" };
        if (row.generation === generation + 1 && row.last_key === key) {
          return { kind: "repeated", session: sessionOf(row) };
        }
        const how = { why: "reused", now: times.now, until: times.until } as const;
        return { kind: "reused", revoked: await end(client, "account_end_session", "id = $3", [sessionId], how) };
      }),
    endSession: (sessionId, why, now, until) =>
      write((client) => end(client, "account_end_session", "id = $3", [sessionId], { why, now, until })),
    sessionsOf: (accountId) =>
      run(async (client) => {
        const rows = await ask<Found<SessionRow>>(
          client,
          "account_sessions",
          `SELECT * FROM account_session WHERE account = $1 ORDER BY created_at, id LIMIT ${MAX_LISTED_SESSIONS}`,
          [accountId],
        );
        return rows.map(sessionOf);
      }),
    setPrincipalBan: (role, principalId, { until, now, tokensUntil }, audit) =>
      write(async (client) => {
        const ban: Revocation = { key: principalKey(role, principalId), until, why: "banned" };
        const [before] = await ask<Found<{ until: number }>>(
          client,
          "account_ban_of",
          "SELECT until FROM revocation WHERE key = $1",
          [ban.key],
        );
        // Said again, it is no new ban and no new entry.
        if ((before?.until ?? 0) > now === until > now) return [];
        await writeRevocations(client, [ban]);
        await writeAudit(client, [audit]);
        if (until <= now) return [ban];
        const how = { why: "banned", now, until: tokensUntil } as const;
        const ended = await end(
          client,
          "account_end_principal",
          "principal = $3 AND role = $4",
          [principalId, role],
          how,
        );
        return [ban, ...ended];
      }),
    revocations: (since, now) =>
      run(async (client) => {
        const rows = await ask<Found<{ at: number; key: string | null; until: number; why: Revocation["why"] }>>(
          client,
          since === null ? "revocations" : "revocations_since",
          `SELECT extract(epoch FROM statement_timestamp())::float8 * 1000 AS at, r.key, r.until, r.why
             FROM (SELECT 1) one LEFT JOIN revocation r ON ${since === null ? "r.until > $1" : "r.at >= $1"}`,
          [since ?? now],
        );
        return {
          at: rows[0]?.at ?? 0,
          revocations: rows.flatMap(({ key, until, why }) => (key === null ? [] : [{ key, until, why }])),
        };
      }),
    takeAttempts: (buckets) =>
      run(async (client) => {
        const [row] = await ask<Found<{ wait: number }>>(
          client,
          "password_attempt_take",
          "SELECT password_attempt_v1($1::text[], $2::float8[], $3::float8[]) AS wait",
          bucketValues(buckets),
        );
        return row?.wait ?? 0;
      }),
    giveAttempts: async (buckets) => {
      await run((client) =>
        ask(
          client,
          "password_attempt_give",
          `UPDATE password_attempt a SET full_at = a.full_at - w.token_ms
             FROM unnest($1::text[], $2::float8[]) w(key, token_ms) WHERE a.key = w.key`,
          bucketValues(buckets).slice(0, 2),
        ),
      );
    },
    keys: () =>
      run(async (client) =>
        (await ask<Found<KeyRow>>(client, "account_keys", "SELECT * FROM sealed_key ORDER BY created_at, kid", [])).map(
          keyOf,
        ),
      ),
    addKey: (key, audit, othersUntil) =>
      write(async (client) => {
        const rows = await ask(
          client,
          "account_add_key",
          `INSERT INTO sealed_key (kid, purpose, sealed, master_id, public_key, created_at, active_from, until)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING RETURNING kid`,
          [
            key.kid,
            key.purpose,
            Buffer.from(key.sealed),
            key.masterId,
            key.publicKey,
            key.createdAt,
            key.activeFrom,
            key.until,
          ],
        );
        if (rows.length === 0) return false;
        if (othersUntil !== undefined) {
          await ask(
            client,
            "account_end_keys",
            "UPDATE sealed_key SET until = least(until, $3) WHERE purpose = $1 AND kid <> $2",
            [key.purpose, key.kid, othersUntil],
          );
        }
        await writeAudit(client, audit);
        return true;
      }),
    resealKey: async (kid, sealed, masterId) => {
      await run((client) =>
        ask(client, "account_reseal_key", "UPDATE sealed_key SET sealed = $2, master_id = $3 WHERE kid = $1", [
          kid,
          Buffer.from(sealed),
          masterId,
        ]),
      );
    },
    sealedWith: (masterIds, limit) =>
      run(async (client) => {
        const rows = await ask<Found<{ id: string; data_key: Uint8Array }>>(
          client,
          "account_sealed_with",
          "SELECT id, data_key FROM account WHERE data_key IS NOT NULL AND master_id = ANY($1::text[]) LIMIT $2",
          [masterIds, limit],
        );
        return rows.map(({ id, data_key }) => ({ id, dataKey: data_key }));
      }),
    resealAccount: async (id, before, after, masterId) => {
      await run((client) =>
        ask(
          client,
          "account_reseal",
          "UPDATE account SET data_key = $3, master_id = $4, version = version + 1 WHERE id = $1 AND data_key = $2",
          [id, Buffer.from(before), Buffer.from(after), masterId],
        ),
      );
    },
    forget: (before, limit) =>
      run(async (client) => {
        const [row] = await ask<Found<{ forgotten: number }>>(
          client,
          "account_forget",
          `WITH sessions AS (
             DELETE FROM account_session WHERE id IN (
               SELECT id FROM account_session WHERE expires_at < $1 ORDER BY expires_at LIMIT $2) RETURNING 1),
           revocations AS (
             DELETE FROM revocation WHERE key IN (
               SELECT key FROM revocation WHERE until < $1 AND at < $1 ORDER BY until LIMIT $2) RETURNING 1),
           keys AS (DELETE FROM sealed_key WHERE until < $1 RETURNING 1),
           attempts AS (
             DELETE FROM password_attempt WHERE full_at < extract(epoch FROM clock_timestamp()) * 1000)
           SELECT (SELECT count(*) FROM sessions) + (SELECT count(*) FROM revocations) + (SELECT count(*) FROM keys)
             AS forgotten`,
          [before, limit],
        );
        return row?.forgotten ?? 0;
      }),
    close: () => connections.close(),
  };

  async function openSession(client: pg.ClientBase, session: SessionRecord, maxSessions: number, until: number) {
    const [account] = await ask<Found<{ state: AccountRecord["state"] }>>(
      client,
      "account_lock",
      "SELECT state FROM account WHERE id = $1 FOR SHARE",
      [session.accountId],
    );
    if (account === undefined || account.state === "erased") return { ok: false, why: "not_found" } as const;
    if (account.state === "banned") return { ok: false, why: "banned" } as const;
    const [may] = await ask<Found<{ role: string | null; banned: string | null }>>(
      client,
      "account_may",
      `SELECT r.role, b.key AS banned FROM (SELECT 1) one
         LEFT JOIN account_role r ON r.account = $1 AND r.role = $2 AND r.principal = $3 AND r.state = 'active'
         LEFT JOIN revocation b ON b.key = $4 AND b.until > $5`,
      [
        session.accountId,
        session.role,
        session.principalId,
        principalKey(session.role, session.principalId),
        session.createdAt,
      ],
    );
    if (may?.banned != null) return { ok: false, why: "banned" } as const;
    if (may?.role == null) return { ok: false, why: "role_missing" } as const;
    const isNew = await writeSession(client, session);
    const [row] = await ask<Found<SessionRow>>(
      client,
      "account_read_session",
      "SELECT * FROM account_session WHERE id = $1",
      [session.id],
    );
    if (!isNew) return { ok: true, session: sessionOf(row!), revoked: [] } as const;
    const how = { why: "too_many", now: session.createdAt, until } as const;
    const revoked = await end(
      client,
      "account_end_oldest",
      `id IN (SELECT s.id FROM account_session s WHERE s.account = $3 AND s.ended_at IS NULL AND s.expires_at > $1
         ORDER BY s.id = $4 DESC, s.used_at DESC, s.id OFFSET $5)`,
      [session.accountId, session.id, maxSessions],
      how,
    );
    return { ok: true, session: sessionOf(row!), revoked } as const;
  }
}
