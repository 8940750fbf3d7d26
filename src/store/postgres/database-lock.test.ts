import t from "tap";
import { sleep, systemClock } from "../../lib/clock.js";
import { recordingLog } from "../../lib/log.js";
import { DatabaseInUse, lockDatabase } from "./database-lock.js";
import { openDoor } from "./fixtures/door.js";
import { withPostgres } from "./fixtures/with-postgres.js";
import pg from "./pg.js";

const clock = systemClock();

/** Ends the sessions of nodes. The server does it a moment after it has said so. */
async function endSessions(connectionString: string): Promise<void> {
  await query(
    connectionString,
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'swift-eats node' AND datname = current_database()",
  );
}

async function query(connectionString: string, sql: string): Promise<readonly Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  const { rows } = await client.query(sql);
  await client.end();
  return rows;
}

/** The session that has the lock, or that waits for it. */
async function sessionThatHas(connectionString: string, granted: boolean): Promise<unknown> {
  const rows = await query(
    connectionString,
    `SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted = ${granted}
     AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
  );
  return rows[0]?.pid;
}

/** Waits until there is one, other than `than`. */
async function sessionWith(connectionString: string, granted: boolean, than: unknown = null): Promise<unknown> {
  for (;;) {
    const pid = await sessionThatHas(connectionString, granted);
    if (pid !== undefined && pid !== than) return pid;
    await sleep(clock, 20);
  }
}

t.test("rule 4: a second node on the same database is refused until the first has gone", async (t) => {
  const { connectionString } = await withPostgres();
  const options = { connectionString, clock, log: recordingLog(), onLost: () => t.fail("nobody took it") };
  const first = await lockDatabase(options);
  await t.rejects(lockDatabase(options), DatabaseInUse);
  await first.release();
  const second = await lockDatabase(options);
  await second.release();
});

t.test("a session that is cut is opened again, and the lock with it", async (t) => {
  const { connectionString } = await withPostgres();
  const log = recordingLog();
  const options = { connectionString, clock, log, onLost: () => t.fail("nobody took it") };
  const lock = await lockDatabase(options);
  const cut = await sessionWith(connectionString, true);
  await endSessions(connectionString);
  await sessionWith(connectionString, true, cut);
  await t.rejects(lockDatabase(options), DatabaseInUse, "it is held again");
  t.ok(
    log.lines.some(({ level }) => level === "warn"),
    "and somebody heard of it",
  );
  await lock.release();
});

t.test("a session that the network has cut and the server goes on with is no other node's", async (t) => {
  const { connectionString } = await withPostgres();
  const door = await openDoor(connectionString);
  t.teardown(() => door.close());
  let taken: Error | null = null;
  const lock = await lockDatabase({
    connectionString: door.connectionString,
    clock,
    log: recordingLog(),
    onLost: (reason) => {
      taken = reason;
    },
  });
  const cut = await sessionWith(connectionString, true);
  door.loseAnswers(() => undefined);
  door.cutClients();
  door.heal();
  // Whichever comes first: it is held again, or the node believes in another one.
  for (let now: unknown = cut; taken === null && (now === cut || now === undefined); ) {
    await sleep(clock, 50);
    now = await sessionThatHas(connectionString, true);
  }
  t.equal(taken, null);
  await t.rejects(
    lockDatabase({ connectionString, clock, log: recordingLog(), onLost: () => undefined }),
    DatabaseInUse,
  );
  await lock.release();
});

t.test("rule 4: a node whose database another has taken hears that it must end", async (t) => {
  const { connectionString } = await withPostgres();
  let heard: (reason: Error) => void = () => undefined;
  const lost = new Promise<Error>((resolve) => {
    heard = resolve;
  });
  const lock = await lockDatabase({ connectionString, clock, log: recordingLog(), onLost: (reason) => heard(reason) });
  const rival = new pg.Client({ connectionString });
  await rival.connect();
  const taken = rival.query("SELECT pg_advisory_lock(7313904412)");
  // Next in the queue before the session ends, or the node itself might be first again.
  await sessionWith(connectionString, false);
  await endSessions(connectionString);
  await taken;
  t.type(await lost, DatabaseInUse);
  await lock.release();
  await rival.end();
});
