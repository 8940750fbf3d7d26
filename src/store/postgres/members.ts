/** The members of a cluster and what they own, for people who watch it. The engine has its own view (`ownership.ts`). */
import pg from "./pg.js";

export interface MemberStatus {
  readonly node: string;
  /** Where clients reach it. */
  readonly url: string;
  readonly state: "active" | "draining";
  /** Negative once the lease has ended. */
  readonly leaseLeftMs: number;
  /** Whether its session is open at the database. */
  readonly hasSession: boolean;
  /** How many it owns. */
  readonly shards: number;
}

const MEMBERS = `
  SELECT l.node, l.address AS url, l.state, l.lock_number IN (SELECT s.lock_number FROM member_sessions_v1() s) AS "hasSession",
      (extract(epoch FROM l.expires_at - clock_timestamp()) * 1000)::float8 AS "leaseLeftMs",
      (SELECT count(*)::int FROM shard_owner o WHERE o.node = l.node) AS shards
    FROM node_lease l WHERE l.incarnation <> '' ORDER BY l.node`;

/** As of now, by a connection of its own. Rejects when the database cannot be asked within `timeoutMs`. */
export async function readMembers(connectionString: string, timeoutMs: number): Promise<readonly MemberStatus[]> {
  const client = new pg.Client({
    connectionString,
    application_name: "swift-eats members",
    connectionTimeoutMillis: timeoutMs,
    query_timeout: timeoutMs,
  });
  client.on("error", () => {});
  try {
    await client.connect();
    return (await client.query<MemberStatus>(MEMBERS)).rows;
  } finally {
    await client.end().catch(() => {});
  }
}
