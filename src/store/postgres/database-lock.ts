/**
 * The right to be the only node on a database, as a session advisory lock. It ends with the session, so a node that dies
 * frees it at once, however it dies.
 *
 * A lost session is opened again and the lock taken again. When another node has it by then, this node's shards are
 * gone (their epochs were raised) and `onLost` says so: the node must end rather than refuse every write for ever.
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
  let released = false;
  let cancel: Cancel = () => undefined;

  /** Null: another session has the lock. */
  async function open(): Promise<pg.Client | null> {
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
      const { rows } = await client.query(`SELECT pg_try_advisory_lock(${LONE_NODE_LOCK}) AS mine`);
      if (rows[0].mine === true) return client;
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    }
    await client.end();
    return null;
  }

  async function take(): Promise<pg.Client> {
    const deadline = clock.monotonic() + PATIENCE_MS;
    for (;;) {
      const client = await open();
      if (client !== null) return client;
      if (clock.monotonic() >= deadline) {
        throw new DatabaseInUse(
          "Another node works on this database. Stop it first, or give this one a database of its own with DATABASE_URL.",
        );
      }
      await new Promise<void>((resolve) => clock.after(RETRY_MS, resolve));
    }
  }

  function watch(client: pg.Client): void {
    session = client;
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
        const client = await take();
        if (released) await client.end();
        else watch(client);
        return;
      } catch (error) {
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
