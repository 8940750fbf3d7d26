/** Where the truth is kept: a configured PostgreSQL server, or the embedded one under this node's own care. */
import { join } from "node:path";
import type { Config } from "../../config/mod.js";
import type { Clock } from "../lib/clock.js";
import type { Log } from "../lib/log.js";
import { DatabaseInUse, lockDatabase, migrate, readRoom, startEmbeddedPostgres } from "../store/postgres/mod.js";

export interface Truth {
  readonly connectionString: string;
  stop(): Promise<void>;
}

/** Of the embedded server's connections, for people and tools that look into it. */
const SPARE_CONNECTIONS = 20;

/**
 * Starts or finds the server and brings its schema up to date. `connections`: how many the node opens at most. `onLost`:
 * the embedded server is gone for good.
 */
export async function openTruth(
  config: Config,
  connections: number,
  clock: Clock,
  log: Log,
  onLost: (reason: Error) => void,
): Promise<Truth> {
  if (config.store.databaseUrl !== null) {
    const connectionString = config.store.databaseUrl;
    return reach(connectionString, async () => {
      await migrate(connectionString, { log });
      await checkRoom(config, connections, log);
      // A node of a cluster shares the database: its session says so when it joins.
      if (config.cluster.natsUrl !== null) return { connectionString, stop: async () => undefined };
      const lock = await lockDatabase({ connectionString, clock, log, onLost });
      return { connectionString, stop: () => lock.release() };
    });
  }
  const server = await startEmbeddedPostgres({
    dataDir: join(config.node.dataDir, "postgres"),
    maxConnections: connections + SPARE_CONNECTIONS,
    log,
    clock,
  });
  server.onExit(onLost);
  server.onRestart(() =>
    log.warn({ part: "embedded-postgres" }, "PostgreSQL died and is up again; nothing committed was lost"),
  );
  const { connectionString } = server;
  try {
    await migrate(connectionString, { log });
    const lock = await lockDatabase({ connectionString, clock, log, onLost });
    return {
      connectionString,
      async stop() {
        await lock.release();
        await server.stop();
      },
    };
  } catch (cause) {
    await server.stop();
    throw cause;
  }
}

/** Said before it matters: under load a server without room refuses, and a member that lost its session cannot come back. */
async function checkRoom({ store, node }: Config, connections: number, log: Log): Promise<void> {
  const { allowed, others } = await readRoom(store.databaseUrl ?? "", node.id);
  const needed = connections * (others + 1);
  if (allowed >= needed) return;
  log.warn(
    { part: "store", allowed, needed, nodes: others + 1 },
    "The database server has room for fewer connections than its nodes open when they are busy: raise its max_connections.",
  );
}

/** A server of somebody's own: what it says is passed on with the setting that leads to it, never with the password in it. */
async function reach<T>(databaseUrl: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof DatabaseInUse) throw cause;
    const where = URL.canParse(databaseUrl) ? ` at ${new URL(databaseUrl).host}` : "";
    throw new Error(
      `The database${where} cannot be used: ${reasonOf(cause)}. Check that the server runs and takes connections, or set another DATABASE_URL; without one the node runs a database of its own.`,
      { cause },
    );
  }
}

/** A host with several addresses fails with one error for each and no message of its own. */
function reasonOf(cause: unknown): string {
  if (cause instanceof AggregateError) return cause.errors.map(reasonOf).join("; ");
  return cause instanceof Error ? cause.message || cause.name : String(cause);
}
