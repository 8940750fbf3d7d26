/**
 * The right to be the only node on a database, as a session advisory lock. It ends with the session, so a node that dies
 * frees it at once, however it dies.
 *
 * A lost session is opened again and the lock taken again. When another node has it by then, this node's shards are
 * gone (their epochs were raised) and `onLost` says so: the node must end rather than refuse every write for ever.
 * The server may go on for minutes with a session that the network has cut: while that one has the lock, it is ended, and
 * nobody else has anything.
 */

import type { Cancel, Clock } from "../../lib/clock.js";
import type { Log } from "../../lib/log.js";
import { LONE_NODE_LOCK } from "./lock-numbers.js";
import pg from "./pg.js";

const RETRY_MS = 500;
/** A session ends a moment after its process: a node that starts right after a killed one waits that long. */
const PATIENCE_MS = 5_000;
/** A session cut by the network is noticed by asking. */
const ASK_MS = 5_000;
/** The server's side of it: what a machine that vanished has left is freed after about a minute. */
const SETTINGS = "SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3";
/** Of a lock whose number takes 64 bits. */
const IS_OURS = `l.locktype = 'advisory' AND l.objsubid = 1 AND l.granted
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND (l.classid::bigint << 32) + l.objid::bigint = ${LONE_NODE_LOCK}`;

/** A session as the server knows it. Process ids come again; with the same beginning they do not. */
interface Name {
  readonly pid: number;
  readonly since: string;
}
interface Held {
  readonly client: pg.Client;
  readonly name: Name;
}

/** Another living node uses the database. */
export class DatabaseInUse extends Error {
  override readonly name = "DatabaseInUse";
}

export interface DatabaseLock {
  release(): Promise<void>;
}

/** Throws DatabaseInUse, or what the connection says when there is none to be had. */
export async function lockDatabase(options: {
  readonly connectionString: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Called once: another node has taken the database. */
  readonly onLost: (reason: Error) => void;
}): Promise<DatabaseLock> {
  const { connectionString, clock, onLost } = options;
  const log = options.log.child({ part: "database-lock" });
  let session: pg.Client | null = null;
  let name: Name | null = null;
  let released = false;
  let cancel: Cancel = () => undefined;

  /** `own`: whoever has the lock is the session that this node has lost. */
  async function open(): Promise<Held | "own" | "another"> {
    const client = new pg.Client({
      connectionString,
      application_name: "swift-eats node",
      keepAlive: true,
      query_timeout: ASK_MS,
      connectionTimeoutMillis: ASK_MS,
    });
    client.on("error", () => undefined);
    await client.connect();
    try {
      await client.query(SETTINGS);
      const { rows } = await client.query(
        `SELECT pg_try_advisory_lock(${LONE_NODE_LOCK}) AS mine, a.pid, a.backend_start::text AS since
         FROM pg_stat_activity a WHERE a.pid = pg_backend_pid()`,
      );
      const { mine, pid, since } = rows[0];
      if (mine === true) return { client, name: { pid, since } };
      const isOwn = name !== null && (await endOwn(client, name));
      await client.end();
      return isOwn ? "own" : "another";
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    }
  }

  /** False when the lock is not that session's. Where it does not end at once, the next try finds it again. */
  async function endOwn(client: pg.Client, { pid, since }: Name): Promise<boolean> {
    const { rows } = await client.query(
      `SELECT pg_terminate_backend(a.pid) FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
       WHERE ${IS_OURS} AND a.pid = $1 AND a.backend_start::text = $2`,
      [pid, since],
    );
    return rows.length > 0;
  }

  async function take(): Promise<Held> {
    let deadline = clock.monotonic() + PATIENCE_MS;
    for (;;) {
      const opened = await open();
      if (typeof opened === "object") return opened;
      if (opened === "own") deadline = clock.monotonic() + PATIENCE_MS;
      if (clock.monotonic() >= deadline) {
        throw new DatabaseInUse(
          "Another node works on this database. Stop it first (one whose machine is gone has the database for another minute), or give this one a database of its own with DATABASE_URL.",
        );
      }
      await new Promise<void>((resolve) => clock.after(RETRY_MS, resolve));
      if (released) throw new DatabaseInUse("This node has ended.");
    }
  }

  function watch({ client, name: known }: Held): void {
    session = client;
    name = known;
    client.once("end", lost);
    cancel = clock.after(ASK_MS, ask);
  }

  function ask(): void {
    const asked = session;
    if (asked === null || released) return;
    asked.query("SELECT 1").then(
      () => {
        if (session === asked && !released) cancel = clock.after(ASK_MS, ask);
      },
      () => void asked.end().catch(() => undefined),
    );
  }

  function lost(): void {
    if (released || session === null) return;
    session = null;
    cancel();
    log.warn({}, "The session that holds the database for this node was lost; it is opened again");
    void again();
  }

  async function again(): Promise<void> {
    while (!released) {
      try {
        const held = await take();
        if (released) await held.client.end();
        else watch(held);
        return;
      } catch (error) {
        if (released) return;
        if (error instanceof DatabaseInUse) {
          released = true;
          onLost(error);
          return;
        }
        // The server is away. While it is, nobody else can take the database either.
        await new Promise<void>((resolve) => clock.after(RETRY_MS, resolve));
      }
    }
  }

  watch(await take());
  return {
    async release() {
      released = true;
      cancel();
      await session?.end();
    },
  };
}
