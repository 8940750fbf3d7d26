import { fileURLToPath } from "node:url";
import { type Log, silentLog } from "../../lib/log.js";
import pg from "./pg.js";

/** The table in which the database remembers which migrations it has seen. */
const MIGRATIONS_TABLE = "schema_migration";
/** Any constant will do, as long as every release uses the same. */
const ADVISORY_LOCK = 7_313_904_411;

/**
 * Brings the schema up to date and returns the names of the migrations that ran now. Any number of nodes may call it at
 * once: an advisory lock lets one through at a time. All pending migrations form one transaction.
 */
export async function migrate(connectionString: string, options: { log?: Log } = {}): Promise<readonly string[]> {
  const log = (options.log ?? silentLog).child({ part: "migrate" });
  const client = new pg.Client({ connectionString, application_name: "swift-eats migrate" });
  // Without a listener a lost connection would end the process; the running query rejects by itself.
  client.on("error", (error) => log.warn({ error: error.message }, "The connection for migrations was lost."));
  await client.connect();
  try {
    // Read when it is needed: every thread of a node imports this folder, one of them migrates.
    const [{ runner }, { MIGRATIONS }] = await Promise.all([import("node-pg-migrate"), import("./migrations/list.js")]);
    const ran = await runner({
      dbClient: client,
      direction: "up",
      dir: fileURLToPath(new URL("./migrations", import.meta.url)),
      // The files are compiled modules that are imported already; the list says their order.
      ignorePattern: "(?!list\\.js$).*",
      migrationLoaderStrategies: [
        {
          extensions: [".js"],
          loader: async () =>
            MIGRATIONS.map(({ name, up, down }) => ({ id: `${name}.js`, filePaths: [], actions: { up, down } })),
        },
      ],
      migrationsTable: MIGRATIONS_TABLE,
      checkOrder: true,
      singleTransaction: true,
      lockValue: ADVISORY_LOCK,
      advisoryLockMode: "wait",
      logger: {
        debug: (message) => log.debug({ detail: message }, "A migration says something."),
        info: (message) => log.debug({ detail: message }, "A migration says something."),
        warn: (message) => log.warn({ detail: message }, "A migration warns."),
        error: (message) => log.error({ detail: message }, "A migration fails."),
      },
    });
    const names = ran.map(({ name }) => name);
    if (names.length > 0) log.info({ migrations: names }, "The schema was brought up to date.");
    return names;
  } finally {
    await client.end();
  }
}
