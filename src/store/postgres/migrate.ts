import { fileURLToPath } from "node:url";
import { type Clock, sleep, systemClock } from "../../lib/clock.js";
import { type Log, silentLog } from "../../lib/log.js";
import pg from "./pg.js";

/** The table in which the database remembers which migrations it has seen. */
const MIGRATIONS_TABLE = "schema_migration";
/** Any constant will do, as long as every release uses the same. */
const ADVISORY_LOCK = 7_313_904_411;
/**
 * Whoever waits for a table to be its own makes all who come after wait behind it, readers too. Behind a backup, which
 * holds every table for as long as it takes, a whole town would stand still for an hour: shorter than a flush may take.
 */
const LOCK_TIMEOUT_MS = 1_000;
/** Many servers end statements of their users after some seconds; an index of a large table takes longer. The most there is. */
const STATEMENT_TIMEOUT_MS = 2_147_483_647;
/** In which those go on who waited behind. */
const PAUSE_MS = { first: 1_000, most: 15_000 };
const LOCK_NOT_AVAILABLE = "55P03";

/**
 * Brings the schema up to date and returns the names of the migrations that ran now. Any number of nodes may call it at
 * once: an advisory lock lets one through at a time. All pending migrations form one transaction. While somebody else
 * holds what they have to change (a backup, a long report) it is tried again, with pauses, until they are done.
 */
export async function migrate(
  connectionString: string,
  options: { log?: Log; clock?: Clock } = {},
): Promise<readonly string[]> {
  const { clock = systemClock() } = options;
  const log = (options.log ?? silentLog).child({ part: "migrate" });
  for (let attempt = 0; ; attempt++) {
    const trouble: string[] = [];
    try {
      return await migrateOnce(connectionString, log, trouble);
    } catch (error) {
      if ((error as { code?: string }).code !== LOCK_NOT_AVAILABLE) {
        for (const detail of trouble) log.error({ detail }, "A migration fails.");
        throw error;
      }
      if (attempt === 0) {
        log.warn(
          { holders: await holders(connectionString) },
          "The schema cannot be brought up to date while others hold its tables: this node waits for them, and tries again.",
        );
      }
      await sleep(clock, Math.min(PAUSE_MS.most, PAUSE_MS.first * 2 ** Math.min(attempt, 10)));
    }
  }
}

/** `trouble` is given what the runner says of a failure: whether it is one, the caller knows. */
async function migrateOnce(connectionString: string, log: Log, trouble: string[]): Promise<readonly string[]> {
  const client = new pg.Client({
    connectionString,
    application_name: "swift-eats migrate",
    lock_timeout: LOCK_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
  });
  // Without a listener a lost connection would end the process; the running query rejects by itself.
  client.on("error", (error) => log.warn({ error: error.message }, "The connection for migrations was lost."));
  await client.connect();
  try {
    // Read when it is needed: every thread of a node imports this folder, one of them migrates.
    const [{ runner }, { MIGRATIONS }] = await Promise.all([import("node-pg-migrate"), import("./migrations/list.js")]);
    await refuseGaps(
      client,
      MIGRATIONS.map(({ name }) => name),
    );
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
      // It goes by the times at which they ran, and a clock that is set back makes the newest the first.
      checkOrder: false,
      singleTransaction: true,
      lockValue: ADVISORY_LOCK,
      advisoryLockMode: "wait",
      logger: {
        debug: (message) => log.debug({ detail: message }, "A migration says something."),
        info: (message) => log.debug({ detail: message }, "A migration says something."),
        warn: (message) => trouble.push(message),
        error: (message) => trouble.push(message),
      },
    });
    const names = ran.map(({ name }) => name);
    if (names.length > 0) log.info({ migrations: names }, "The schema was brought up to date.");
    return names;
  } finally {
    await client.end();
  }
}

/** A migration that comes before one that has run was written for another schema than this one. */
async function refuseGaps(client: pg.Client, names: readonly string[]): Promise<void> {
  const { rows: tables } = await client.query("SELECT 1 WHERE to_regclass($1) IS NOT NULL", [MIGRATIONS_TABLE]);
  if (tables.length === 0) return;
  const { rows } = await client.query<{ name: string }>(`SELECT name FROM ${MIGRATIONS_TABLE}`);
  const ran = new Set(rows.map(({ name }) => name));
  const newest = names.findLast((name) => ran.has(name));
  const missing =
    newest === undefined ? undefined : names.slice(0, names.indexOf(newest)).find((name) => !ran.has(name));
  if (missing !== undefined) {
    throw new Error(`The migration ${missing} has not run, though ${newest} has, which comes after it`);
  }
}

/** Whose transactions have been open for longest: they are what is waited for, as a rule. */
async function holders(connectionString: string): Promise<readonly string[]> {
  const client = new pg.Client({ connectionString, application_name: "swift-eats migrate" });
  client.on("error", () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ who: string }>(
      `SELECT format('%s (pid %s, since %s)', coalesce(nullif(application_name, ''), usename), pid, xact_start) AS who
         FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start < clock_timestamp() - interval '1 s'
         ORDER BY xact_start LIMIT 3`,
    );
    return rows.map(({ who }) => who);
  } catch {
    return [];
  } finally {
    await client.end().catch(() => undefined);
  }
}
