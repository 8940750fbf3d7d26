/** How many connections the server has room for, asked once by a connection of its own. */
import pg from "./pg.js";

export interface Room {
  /** What the server gives to everybody who is no superuser. */
  readonly allowed: number;
  /** Living members of a cluster on this database, but for `self`. */
  readonly others: number;
}

const ASK_MS = 5_000;
const ROOM = `
  SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
      - coalesce(current_setting('reserved_connections', true)::int, 0) AS allowed,
    (SELECT count(*)::int FROM node_lease l
       WHERE l.incarnation <> '' AND l.node <> $1 AND l.expires_at > clock_timestamp()) AS others`;

/** The schema must be up to date. Rejects with what the connection says. */
export async function readRoom(connectionString: string, self: string): Promise<Room> {
  const client = new pg.Client({
    connectionString,
    application_name: "swift-eats room",
    connectionTimeoutMillis: ASK_MS,
    query_timeout: ASK_MS,
  });
  client.on("error", () => {});
  try {
    await client.connect();
    return (await client.query<Room>(ROOM, [self])).rows[0]!;
  } finally {
    await client.end().catch(() => {});
  }
}
