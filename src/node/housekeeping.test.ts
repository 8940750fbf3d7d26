import t from "tap";
import { type Clock, systemClock } from "../lib/clock.js";
import { recordingLog } from "../lib/log.js";
import {
  createPostgresActorStore,
  createPostgresEventOutbox,
  openSession,
  withPostgres,
} from "../store/contract/postgres.js";
import { startHousekeeping } from "./housekeeping.js";

const HOUR_MS = 3_600_000;
const NOW = 1_800_000_000_000;
/** More than two calls forget. */
const OLD = 12_001;

/** Nobody waits here: a pause is over at once, and a minute is over when the test says so. */
function handClock(): { readonly clock: Clock; readonly minutes: (() => void)[] } {
  const minutes: (() => void)[] = [];
  const clock: Clock = {
    now: () => NOW,
    monotonic: () => 0,
    after: (_, run) => {
      queueMicrotask(run);
      return () => undefined;
    },
    every: (_, run) => {
      minutes.push(run);
      return () => undefined;
    },
  };
  return { clock, minutes };
}

t.test("R-ENG-4: a busy node forgets as many old command ids and events as it makes", async (t) => {
  const { connectionString } = await withPostgres();
  const real = systemClock();
  const store = createPostgresActorStore({ connectionString, clock: real });
  const outbox = createPostgresEventOutbox({ connectionString, clock: real });
  const client = await openSession(t, connectionString);
  t.teardown(() => Promise.all([store.close(), outbox.close()]));
  const old = (hours: number): string => `CASE WHEN n = 0 THEN ${NOW} ELSE ${NOW - hours * HOUR_MS} - n END`;
  await client.query(
    `INSERT INTO actor_command (kind, key, id, seq, at, body_hash, outcome)
       SELECT 'order', n::text, 'placed', 1, ${old(24)}, '', '' FROM generate_series(0, ${OLD}) n`,
  );
  await client.query(
    `INSERT INTO event_outbox (kind, key, "offset", shard, type, at, body)
       SELECT 'order', n::text, 1, 0, 'order.placed', ${old(72)}, '' FROM generate_series(0, ${OLD}) n`,
  );
  const { clock, minutes } = handClock();
  const log = recordingLog();
  const stop = startHousekeeping(store, outbox, clock, log);
  for (const minute of minutes) minute();
  const left = async (): Promise<readonly number[]> => {
    const { rows } = await client.query(
      "SELECT (SELECT count(*)::int FROM actor_command) AS commands, (SELECT count(*)::int FROM event_outbox) AS events",
    );
    return [rows[0].commands, rows[0].events];
  };
  for (let looks = 0; looks < 1_000 && (await left()).some((rows) => rows > 1); looks++);
  t.strictSame(await left(), [1, 1], "within one minute, all but what is of today");
  stop();
  t.strictSame(log.lines, []);
});

t.test("R-ENG-4: what is too much at once for a slow database is forgotten in smaller parts", async (t) => {
  const { connectionString } = await withPostgres();
  const store = createPostgresActorStore({ connectionString, clock: systemClock() });
  const client = await openSession(t, connectionString);
  t.teardown(() => store.close());
  await client.query(
    `INSERT INTO actor_command (kind, key, id, seq, at, body_hash, outcome)
       SELECT 'order', n::text, 'placed', 1, ${NOW - 25 * HOUR_MS}, '', '' FROM generate_series(1, 6000) n`,
  );
  // As a disk on which more takes longer than a statement may.
  await client.query(`
    CREATE FUNCTION too_slow() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF (SELECT count(*) FROM gone) > 1000 THEN
        RAISE EXCEPTION USING ERRCODE = 'query_canceled', MESSAGE = 'canceling statement due to statement timeout';
      END IF;
      RETURN NULL;
    END $$;
    CREATE TRIGGER too_slow AFTER DELETE ON actor_command REFERENCING OLD TABLE AS gone
      FOR EACH STATEMENT EXECUTE FUNCTION too_slow()`);
  const { clock, minutes } = handClock();
  const log = recordingLog();
  const stop = startHousekeeping(store, null, clock, log);
  for (const minute of minutes) minute();
  const left = async () => (await client.query("SELECT count(*)::int AS rows FROM actor_command")).rows[0].rows;
  for (let looks = 0; looks < 1_000 && log.lines.length === 0 && (await left()) > 0; looks++);
  t.strictSame([await left(), log.lines], [0, []]);
  stop();
});

t.test("R-OPS-1: a node that stops leaves the rest for later and does not complain of its closed store", async (t) => {
  const minutes: (() => void)[] = [];
  const every: Clock["every"] = (_, run) => {
    minutes.push(run);
    return () => undefined;
  };
  const clock: Clock = { ...systemClock(), every };
  const log = recordingLog();
  let calls = 0;
  let stop = (): void => undefined;
  const settled = new Promise<void>((resolve) => {
    const store = {
      forgetCommands: async () => {
        calls++;
        stop();
        resolve();
        throw new Error("The store is closed.");
      },
    };
    stop = startHousekeeping(store, null, clock, log);
  });
  for (const minute of minutes) minute();
  await settled;
  await new Promise<void>((resolve) => clock.after(0, resolve));
  t.strictSame([calls, log.lines], [1, []]);
});
