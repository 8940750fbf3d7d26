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
  const minutes: (() => void)[] = [];
  const clock: Clock = {
    now: () => NOW,
    monotonic: () => 0,
    // Nobody waits here: a pause is over at once, and a minute is over when the test says so.
    after: (_, run) => {
      queueMicrotask(run);
      return () => undefined;
    },
    every: (_, run) => {
      minutes.push(run);
      return () => undefined;
    },
  };
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
