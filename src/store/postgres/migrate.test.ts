import type { MigrationBuilder } from "node-pg-migrate";
import t, { type Test } from "tap";
import { sleep, systemClock } from "../../lib/clock.js";
import { recordingLog } from "../../lib/log.js";
import { administer, withPostgres } from "./fixtures/with-postgres.js";
import { MIGRATIONS } from "./migrations/list.js";
import { migrate } from "./mod.js";
import pg from "./pg.js";

const { connectionString: migrated, server } = await withPostgres();

async function emptyDatabase(name: string): Promise<string> {
  await administer(server, `CREATE DATABASE ${name}`);
  return migrated.replace(/^(postgresql:\/\/\/)[^?]*/, `$1${name}`);
}

async function ask(t: Test, connectionString: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  t.teardown(() => client.end());
  return (await client.query(sql)).rows.map((row) => Object.values(row)[0]);
}

t.test("R-OPS-1: several nodes that start at once bring the schema up to date once", async (t) => {
  const connectionString = await emptyDatabase("several");
  const log = recordingLog();
  const ran = await Promise.all(Array.from({ length: 5 }, () => migrate(connectionString, { log })));
  const first = ran.filter((names) => names.length > 0);
  t.equal(first.length, 1);
  t.strictSame(first[0], await ask(t, connectionString, "SELECT name FROM schema_migration ORDER BY id"));
  t.equal(log.lines.filter(({ level }) => level === "info").length, 1);
  t.strictSame(await migrate(connectionString), []);
  const tables = await ask(
    t,
    connectionString,
    "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1",
  );
  const wanted = ["actor_claim", "actor_command", "actor_index", "actor_outbox", "actor_snapshot", "actor_timer"];
  wanted.push("channel_event", "channel_head", "dead_letter", "event_outbox", "node_lease", "shard_owner");
  for (const table of wanted) t.ok(tables.includes(table), table);
});

t.test("R-OPS-4: a node of an older release starts on a schema that is ahead of it", async (t) => {
  const connectionString = await emptyDatabase("ahead");
  await migrate(connectionString);
  await ask(t, connectionString, "INSERT INTO schema_migration (name, run_on) VALUES ('9999-of-tomorrow', now())");
  t.strictSame(await migrate(connectionString), []);
});

/** The tests that follow share it: to make a schema takes a second. */
const used = await emptyDatabase("used");

t.test("R-OPS-4: a server that ends long statements of its users ends no migration", async (t) => {
  await administer(server, "ALTER DATABASE used SET statement_timeout = '1ms'");
  t.ok((await migrate(used)).length > 0);
  await administer(server, "ALTER DATABASE used RESET statement_timeout");
});

t.test("R-OPS-4: a migration that waits for a backup keeps nobody waiting behind it", async (t) => {
  const connectionString = used;
  // A step back, behind one that takes a table for itself.
  const pending = MIGRATIONS.slice(MIGRATIONS.findIndex(({ name }) => name === "0034-deliveries-without-pay"));
  const back: string[] = [];
  for (const { down } of pending.toReversed())
    down({ sql: (text: string) => back.push(text) } as unknown as MigrationBuilder);
  await ask(t, connectionString, "DELETE FROM schema_migration WHERE name >= '0034'");
  const dump = new pg.Client({ connectionString, application_name: "pg_dump" });
  await dump.connect();
  t.teardown(() => dump.end());
  await dump.query(back.join(";"));
  await dump.query("BEGIN");
  await dump.query("LOCK TABLE ledger_entry IN ACCESS SHARE MODE");
  const log = recordingLog();
  const migrating = migrate(connectionString, { log });
  const queued = "SELECT 1 FROM pg_locks WHERE relation = 'ledger_entry'::regclass AND NOT granted";
  while ((await ask(t, connectionString, queued)).length === 0) await sleep(systemClock(), 10);
  t.strictSame(await ask(t, connectionString, "SELECT count(*)::int FROM ledger_entry"), [0], "the books are read on");
  const told = () => log.lines.filter(({ level }) => level !== "debug");
  while (told().length === 0) await sleep(systemClock(), 10);
  t.match(told(), [{ level: "warn", fields: { holders: [/^pg_dump /] } }]);
  await dump.query("COMMIT");
  t.strictSame(
    await migrating,
    pending.map(({ name }) => name),
  );
});

t.test("R-OPS-4: a clock that was set back since the schema was made keeps no node from starting", async (t) => {
  const connectionString = used;
  await ask(t, connectionString, "UPDATE schema_migration SET run_on = run_on + interval '1 hour' WHERE id < 5");
  t.strictSame(await migrate(connectionString), []);
  await ask(t, connectionString, "DELETE FROM schema_migration WHERE id = 3");
  await t.rejects(migrate(connectionString), /The migration 0003-cluster has not run, though/);
});

t.test("a migration that fails leaves the schema as it was", async (t) => {
  const connectionString = await emptyDatabase("failing");
  await ask(t, connectionString, "CREATE TABLE dead_letter (in_the_way int)");
  await t.rejects(migrate(connectionString), /dead_letter/);
  t.strictSame(await ask(t, connectionString, "SELECT name FROM schema_migration"), []);
  t.strictSame(await ask(t, connectionString, "SELECT to_regclass('shard_owner')"), [null]);
});
