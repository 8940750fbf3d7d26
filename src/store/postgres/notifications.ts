/** Notifications on PostgreSQL. Every call may be repeated; the trigger that fills the inbox is in migration 0015. */

import type { Clock } from "../../lib/clock.js";
import { type Log, silentLog } from "../../lib/log.js";
import type { NotificationRecord, NotificationWishes } from "../../protocol/mod.js";
import type {
  Draft,
  NotificationStore,
  PendingEvent,
  Profile,
  PushDevice,
  Recipient,
  Taken,
} from "../../services/notifications/ports.js";
import { writeAudit } from "./account-rows.js";
import { arrayParameter } from "./binary.js";
import { openConnections } from "./connection.js";
import type pg from "./pg.js";
import { ask, findable } from "./reads.js";
import { inTransaction } from "./transaction.js";

export interface PostgresNotificationStore extends NotificationStore {
  close(): Promise<void>;
}

const MAX_WAITING = 128;

/**
 * Of a device `n`: it was registered without a session, or by one that lasts. What ends a session takes its devices out; one
 * that runs out, because nobody has used it for weeks, ends without a word.
 */
const lasts = (now: string): string =>
  `(n.session IS NULL OR EXISTS (SELECT FROM account_session s WHERE s.id = n.session AND s.expires_at > ${now}))`;

interface Row extends pg.QueryResultRow {
  readonly id: string;
  readonly state: NotificationRecord["state"];
  readonly attempts: number;
  readonly next_at: number;
  readonly expires_at: number;
  readonly settled_at: number | null;
  readonly reason: string;
  readonly draft: Draft;
}

/**
 * Spelled out, not a parameter: only so can the indexes be used that hold the few of a state. Who asks for the dead would
 * otherwise have all read that were sent since.
 */
const STATE_IS: Readonly<Record<NotificationRecord["state"], string>> = {
  waiting: "state = 'waiting'",
  sent: "state = 'sent'",
  dead: "state = 'dead'",
  dropped: "state = 'dropped'",
};
const COLUMNS = "id, state, attempts, next_at, expires_at, settled_at, reason, draft";

function recordOf({ id, state, attempts, next_at, settled_at, reason, draft }: Row): NotificationRecord {
  const { role, principalId, kind, channel, subject, createdAt } = draft;
  return {
    notificationId: id,
    role,
    principalId,
    kind,
    channel,
    subject,
    state,
    attempts,
    createdAt,
    ...(state === "waiting" ? { nextAt: next_at } : {}),
    ...(settled_at === null ? {} : { settledAt: settled_at }),
    ...(reason === "" ? {} : { reason }),
  };
}

/** The schema must be up to date (`migrate`). Connects when first used; a lost connection is replaced. */
export function createPostgresNotificationStore(options: {
  readonly connectionString: string;
  readonly clock: Clock;
  readonly log?: Log;
}): PostgresNotificationStore {
  const { clock } = options;
  const connections = openConnections({
    connectionString: options.connectionString,
    size: 1,
    maxWaiting: MAX_WAITING,
    name: "swift-eats notifications",
    clock,
    log: (options.log ?? silentLog).child({ part: "notifications" }),
  });
  const run = <R extends pg.QueryResultRow>(name: string, sql: string, values: readonly unknown[]) =>
    connections.run((client) => ask<R>(client, `notification_${name}`, sql, [...values]));
  const of = ({ role, principalId }: Recipient): readonly [string, string] => [role, findable(principalId)];

  const transaction = <T>(work: (client: pg.ClientBase) => Promise<T>): Promise<T> =>
    connections.run((client) => inTransaction(client, work));

  return {
    pending: (limit) =>
      run<PendingEvent & pg.QueryResultRow>(
        "pending",
        `SELECT id, kind, key, "offset", type, at, body FROM notification_inbox ORDER BY id LIMIT $1::int`,
        [limit],
      ),
    plan: (drafts, events) =>
      transaction(async (client) => {
        const text = (value: (draft: Draft) => string): Buffer => arrayParameter("text", drafts.map(value));
        const number = (value: (draft: Draft) => number): Buffer => arrayParameter("float8", drafts.map(value));
        const rows = await ask<{ id: string } & pg.QueryResultRow>(
          client,
          "notification_plan",
          `INSERT INTO notification (id, role, principal, state, next_at, expires_at, created_at, draft)
             SELECT d.id, d.role, d.principal, 'waiting', d.created_at, d.expires_at, d.created_at, d.draft::json
               FROM unnest($1::text[], $2::text[], $3::text[], $4::float8[], $5::float8[], $6::text[])
                 AS d (id, role, principal, expires_at, created_at, draft)
             ON CONFLICT (id) DO NOTHING RETURNING id`,
          [
            text(({ notificationId }) => notificationId),
            text(({ role }) => role),
            text(({ principalId }) => principalId),
            number(({ expiresAt }) => expiresAt),
            number(({ createdAt }) => createdAt),
            text((draft) => JSON.stringify(draft)),
          ],
        );
        await ask(client, "notification_planned", "DELETE FROM notification_inbox WHERE id = ANY($1::int8[])", [
          arrayParameter("int8", [...events]),
        ]);
        return rows.length;
      }),
    async take(now, leaseMs, limit, channels) {
      const rows = await run<Row>(
        "take",
        `UPDATE notification n SET attempts = n.attempts + 1, next_at = $1::float8 + $2::float8
           FROM (SELECT id FROM notification WHERE state = 'waiting' AND next_at <= $1::float8
                   AND draft ->> 'channel' = ANY($4::text[]) ORDER BY next_at LIMIT $3::int FOR UPDATE SKIP LOCKED) d
           WHERE n.id = d.id RETURNING ${COLUMNS.replace(/\b(id|reason)\b/g, "n.$1")}`,
        [now, leaseMs, limit, arrayParameter("text", [...channels])],
      );
      return rows.map(({ draft, attempts, expires_at }): Taken => ({ ...draft, expiresAt: expires_at, attempts }));
    },
    async settle(notificationId, attempts, outcome, now) {
      const waits = outcome.state === "waiting";
      await run(
        "settle",
        `UPDATE notification SET state = $3::text, next_at = $4::float8, settled_at = $5::float8, reason = $6::text
           WHERE id = $1::text AND attempts = $2::int AND state = 'waiting'`,
        [
          notificationId,
          attempts,
          outcome.state,
          waits ? outcome.nextAt : now,
          waits ? null : now,
          "reason" in outcome ? outcome.reason : "",
        ],
      );
    },
    async list({ state, principalId }, before, limit) {
      const rows = await run<Row>(
        `list${state === undefined ? "" : `_${state}`}${principalId === undefined ? "" : "_of"}`,
        `SELECT ${COLUMNS} FROM notification WHERE created_at < $1::float8
             ${state === undefined ? "" : `AND ${STATE_IS[state]}`}
             ${principalId === undefined ? "AND $2::text IS NULL" : "AND principal = $2::text"}
           ORDER BY created_at DESC, id DESC LIMIT $3::int`,
        [before, principalId === undefined ? null : findable(principalId), limit],
      );
      return rows.map(recordOf);
    },
    retry: (notificationId, now, expiresAt, audit) =>
      transaction(async (client) => {
        const rows = await ask<Row>(
          client,
          "notification_retry",
          `UPDATE notification SET state = 'waiting', attempts = 0, next_at = $2::float8, settled_at = NULL,
               expires_at = greatest(expires_at, $3::float8)
             WHERE id = $1::text AND state = 'dead' RETURNING ${COLUMNS}`,
          [findable(notificationId), now, expiresAt],
        );
        if (rows[0] !== undefined) {
          await writeAudit(client, [audit]);
          return recordOf(rows[0]);
        }
        const known = await ask(client, "notification_known", "SELECT 1 AS one FROM notification WHERE id = $1::text", [
          findable(notificationId),
        ]);
        return known.length === 0 ? "not_found" : "not_dead";
      }),
    async forget(before, limit) {
      const rows = await run<{ id: string } & pg.QueryResultRow>(
        "forget",
        `DELETE FROM notification WHERE id IN (
           SELECT id FROM notification WHERE state <> 'waiting' AND settled_at < $1::float8 LIMIT $2::int) RETURNING id`,
        [before, limit],
      );
      return rows.length;
    },
    async wishes(recipient) {
      const rows = await run<{ wishes: NotificationWishes } & pg.QueryResultRow>(
        "wishes",
        "SELECT wishes FROM notification_wishes WHERE role = $1::text AND principal = $2::text",
        of(recipient),
      );
      return rows[0]?.wishes ?? null;
    },
    async profiles(recipients) {
      const rows = await run<{ wishes: NotificationWishes | null; devices: string[] | null } & pg.QueryResultRow>(
        "profiles",
        `SELECT w.wishes, d.devices FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS r (role, principal, place)
           LEFT JOIN notification_wishes w ON w.role = r.role AND w.principal = r.principal
           LEFT JOIN LATERAL (SELECT json_agg(device ORDER BY since, device) AS devices FROM notification_device n
             WHERE n.role = r.role AND n.principal = r.principal AND ${lasts("$3::float8")}) d ON true
           ORDER BY r.place`,
        [
          arrayParameter(
            "text",
            recipients.map(({ role }) => role),
          ),
          arrayParameter(
            "text",
            recipients.map(({ principalId }) => findable(principalId)),
          ),
          clock.now(),
        ],
      );
      return rows.map(({ wishes, devices }): Profile => ({ wishes, deviceIds: devices ?? [] }));
    },
    async saveWishes(recipient, wishes) {
      await run(
        "save_wishes",
        `INSERT INTO notification_wishes (role, principal, wishes) VALUES ($1::text, $2::text, $3::text::json)
           ON CONFLICT (role, principal) DO UPDATE SET wishes = excluded.wishes`,
        [...of(recipient), JSON.stringify(wishes)],
      );
    },
    devices: (recipient) =>
      run<PushDevice & pg.QueryResultRow>(
        "devices",
        `SELECT n.device AS "deviceId", n.token, n.since FROM notification_device n
           WHERE n.role = $1::text AND n.principal = $2::text AND ${lasts("$3::float8")} ORDER BY n.since, n.device`,
        [...of(recipient), clock.now()],
      ),
    saveDevice: (recipient, { deviceId, token, since, sessionId }, most) =>
      transaction(async (client) => {
        const [role, principal] = of(recipient);
        // Held to the transaction's end: two at once do not get past the limit together, nor keep one token for two people.
        for (const held of [`${role}/${principal}`, `token ${token}`])
          await client.query("SELECT pg_advisory_xact_lock(hashtextextended($1, 15))", [held]);
        await ask(
          client,
          "notification_token_moves",
          "DELETE FROM notification_device WHERE token = $1::text AND principal <> $2::text",
          [token, principal],
        );
        // Held, so that whoever ends the session waits for this device and takes it out.
        const [session] = await ask<{ ended: boolean } & pg.QueryResultRow>(
          client,
          "notification_session",
          "SELECT ended_at IS NOT NULL OR expires_at <= $2::float8 AS ended FROM account_session WHERE id = $1::text FOR SHARE",
          [sessionId ?? null, clock.now()],
        );
        if (session?.ended === true) return "ended";
        // Else phones of years past would take all the places that there are.
        await ask(
          client,
          "notification_devices_forgotten",
          `DELETE FROM notification_device n WHERE n.role = $1::text AND n.principal = $2::text AND NOT ${lasts("$3::float8")}`,
          [role, principal, clock.now()],
        );
        const rows = await ask(
          client,
          "notification_save_device",
          `INSERT INTO notification_device (role, principal, device, token, since, session)
             SELECT $1::text, $2::text, $3::text, $4::text, $5::float8, $7::text
               WHERE (SELECT count(*) FROM notification_device d
                        WHERE d.role = $1::text AND d.principal = $2::text AND d.device <> $3::text) < $6::int
             ON CONFLICT (role, principal, device) DO UPDATE
               SET token = excluded.token, session = excluded.session RETURNING device`,
          [role, principal, deviceId, token, since, most, sessionId ?? null],
        );
        return rows.length > 0;
      }),
    async removeDevice(recipient, deviceId) {
      await run(
        "remove_device",
        "DELETE FROM notification_device WHERE role = $1::text AND principal = $2::text AND device = $3::text",
        [...of(recipient), findable(deviceId)],
      );
    },
    erase: (recipient) =>
      transaction(async (client) => {
        for (const table of ["notification", "notification_wishes", "notification_device"]) {
          await client.query(`DELETE FROM ${table} WHERE role = $1 AND principal = $2`, [...of(recipient)]);
        }
      }),
    close: () => connections.close(),
  };
}
