/** Announcements on PostgreSQL. Every call may be repeated. */
import type { Clock } from "../../lib/clock.js";
import { type Log, silentLog } from "../../lib/log.js";
import type { AnnouncementRecord } from "../../protocol/mod.js";
import type { AnnouncementStore } from "../../services/announcements/ports.js";
import { openConnections } from "./connection.js";
import { inTransaction } from "./transaction.js";

export interface PostgresAnnouncementStore extends AnnouncementStore {
  close(): Promise<void>;
}

const MAX_WAITING = 64;
/** Held to the transaction's end: two at once do not get past the limit together. */
const LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('announcement', 0))";
const ADD = `
INSERT INTO announcement (announcement_id, starts_at, ends_at, record)
  SELECT $1, $2, $3, $4
    WHERE (SELECT count(*) FROM announcement a WHERE a.ends_at > $6 AND a.withdrawn_at IS NULL) < $5
  ON CONFLICT (announcement_id) DO NOTHING`;

/** The schema must be up to date (`migrate`). Connects when first used; a lost connection is replaced. */
export function createPostgresAnnouncementStore(options: {
  readonly connectionString: string;
  readonly clock: Clock;
  readonly log?: Log;
}): PostgresAnnouncementStore {
  const connections = openConnections({
    connectionString: options.connectionString,
    size: 1,
    maxWaiting: MAX_WAITING,
    name: "swift-eats announcements",
    clock: options.clock,
    log: (options.log ?? silentLog).child({ part: "announcements" }),
  });

  const records = (text: string, values: readonly unknown[]): Promise<readonly AnnouncementRecord[]> =>
    connections.run(async (client) => {
      const { rows } = await client.query<{ record: AnnouncementRecord }>(text, [...values]);
      return rows.map(({ record }) => record);
    });
  const one = async (text: string, values: readonly unknown[]): Promise<AnnouncementRecord | null> =>
    (await records(text, values))[0] ?? null;
  const BY_ID = "SELECT record FROM announcement WHERE announcement_id = $1";

  return {
    async add(record, most, now) {
      const { announcementId, startsAt, endsAt } = record;
      const known = await one(BY_ID, [announcementId]);
      if (known !== null) return known;
      await connections.run((client) =>
        inTransaction(client, async () => {
          await client.query(LOCK);
          // The count is of a snapshot taken after the lock was had.
          await client.query(ADD, [announcementId, startsAt, endsAt, JSON.stringify(record), most, now]);
        }),
      );
      return one(BY_ID, [announcementId]);
    },
    async withdraw(announcementId, at, reason) {
      const withdrawn = await one(
        `UPDATE announcement SET withdrawn_at = $2::bigint,
             record = record || jsonb_build_object('withdrawnAt', $2::bigint, 'withdrawnBecause', $3::text)
           WHERE announcement_id = $1 AND withdrawn_at IS NULL RETURNING record`,
        [announcementId, at, reason],
      );
      return withdrawn ?? one(BY_ID, [announcementId]);
    },
    current: (now, limit) =>
      records(
        `SELECT record FROM announcement WHERE ends_at > $1 AND withdrawn_at IS NULL
           ORDER BY starts_at, announcement_id LIMIT $2`,
        [now, limit],
      ),
    list: (before, limit) =>
      records(
        `SELECT record FROM announcement WHERE starts_at < $1
           ORDER BY starts_at DESC, announcement_id DESC LIMIT $2`,
        [before, limit],
      ),
    close: () => connections.close(),
  };
}
