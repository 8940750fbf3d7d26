/** Where the truth is kept: a configured PostgreSQL server, or the embedded one under this node's own care. */
import { join } from "node:path";
import type { Config } from "../../config/mod.js";
import type { Clock } from "../lib/clock.js";
import type { Log } from "../lib/log.js";
import { migrate, startEmbeddedPostgres } from "../store/postgres/mod.js";

export interface Truth {
  readonly connectionString: string;
  stop(): Promise<void>;
}

/** Starts or finds the server and brings its schema up to date. `onLost`: the embedded server is gone for good. */
export async function openTruth(
  config: Config,
  clock: Clock,
  log: Log,
  onLost: (reason: Error) => void,
): Promise<Truth> {
  if (config.store.databaseUrl !== null) {
    await reach(config.store.databaseUrl, log);
    return { connectionString: config.store.databaseUrl, stop: async () => undefined };
  }
  const server = await startEmbeddedPostgres({ dataDir: join(config.node.dataDir, "postgres"), log, clock });
  server.onExit(onLost);
  server.onRestart(() =>
    log.warn({ part: "embedded-postgres" }, "PostgreSQL died and is up again; nothing committed was lost"),
  );
  try {
    await migrate(server.connectionString, { log });
  } catch (cause) {
    await server.stop();
    throw cause;
  }
  return { connectionString: server.connectionString, stop: () => server.stop() };
}

/** A server of somebody's own: what it says is passed on with the setting that leads to it, never with the password in it. */
async function reach(databaseUrl: string, log: Log): Promise<void> {
  try {
    await migrate(databaseUrl, { log });
  } catch (cause) {
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
