import t from "tap";
import { type Clock, sleep, systemClock } from "../lib/clock.js";
import { recordingLog } from "../lib/log.js";
import { openSession, withPostgres } from "../store/contract/postgres.js";
import { createPostgresActorStore, createPostgresEventOutbox } from "../store/postgres/mod.js";
import { startHousekeeping } from "./housekeeping.js";

const clock = systemClock();
const HOUR_MS = 3_600_000;
/** More than one call takes. */
const MANY = 12_000;

t.test(
  "R-ENG-4, R-ADM-4: a minute's housekeeping forgets all that is old, however much it is, and nothing else",
  async (t) => {
    const { connectionString } = await withPostgres();
    const client = await openSession(t, connectionString);
    const log = recordingLog();
    const store = createPostgresActorStore({ connectionString, clock, log });
    const outbox = createPostgresEventOutbox({ connectionString, clock, log });
    t.teardown(() => Promise.all([store.close(), outbox.close()]));
    const rows = async (): Promise<unknown> =>
      (
        await client.query(
          "SELECT (SELECT count(*)::int FROM actor_command) AS commands, (SELECT count(*)::int FROM event_outbox) AS events",
        )
      ).rows[0];
    for (const [age, count] of [
      [25 * HOUR_MS, MANY],
      [23 * HOUR_MS, 3],
    ] as const) {
      await client.query(
        `INSERT INTO actor_command (kind, key, id, seq, at, body_hash, outcome)
         SELECT 'order', 'o' || n, 'c' || $1::float8, 1, $1::float8, '', '' FROM generate_series(1, $2::int) n`,
        [clock.now() - age, count],
      );
    }
    for (const [age, count] of [
      [73 * HOUR_MS, MANY],
      [71 * HOUR_MS, 2],
    ] as const) {
      await client.query(
        `INSERT INTO event_outbox (kind, key, "offset", shard, type, at, body)
         SELECT 'order', 'o' || n, $1::float8::int8, 1, 'order.placed', $1::float8, '' FROM generate_series(1, $2::int) n`,
        [clock.now() - age, count],
      );
    }
    // The one minute comes at once, and only once.
    let minute = (): void => undefined;
    const once: Clock = {
      ...clock,
      every(_, run) {
        minute = run;
        return () => undefined;
      },
    };
    const stop = startHousekeeping(store, outbox, once, log);
    minute();
    const left = { commands: 3, events: 2 };
    while (JSON.stringify(await rows()) !== JSON.stringify(left)) await sleep(clock, 20);
    stop();
    t.same(await rows(), left);
    t.same(log.lines, []);
  },
);
