import t from "tap";
import { systemClock } from "../../lib/clock.js";
import { silentLog } from "../../lib/log.js";
import { eventOutboxContract } from "../contract/event-outbox.contract.js";
import { openSession } from "./fixtures/sessions.js";
import { withPostgres } from "./fixtures/with-postgres.js";
import { createPostgresActorStore, createPostgresEventOutbox } from "./mod.js";

const clock = systemClock();
const { connectionString, clear } = await withPostgres();

t.test("the Postgres outbox keeps the outbox's contract", (t) =>
  eventOutboxContract(t, async (t) => {
    await clear();
    const options = { connectionString, clock, log: silentLog };
    const store = createPostgresActorStore(options);
    const outbox = createPostgresEventOutbox(options);
    const otherNode = createPostgresEventOutbox(options);
    t.teardown(() => Promise.all([store.close(), outbox.close(), otherNode.close()]));
    return { store, outbox, otherNode };
  }),
);

t.test("R-CLU-3: a long backlog is read by its index, whoever's it is", async (t) => {
  await clear();
  const session = await openSession(t, connectionString);
  const outbox = createPostgresEventOutbox({ connectionString, clock });
  t.teardown(() => outbox.close());
  // One actor that has everything old, another node's shards, and 20,000 orders of ten events each.
  await session.query(`
    INSERT INTO event_outbox (kind, key, "offset", shard, type, at, body)
      SELECT 'zone', 'hot', n, 1, 'zone.split', n, decode('80', 'hex') FROM generate_series(1, 20000) n
    UNION ALL
      SELECT 'order', 'other-' || n, 1, 300, 'order.placed', 20000 + n, decode('80', 'hex') FROM generate_series(1, 20000) n
    UNION ALL
      SELECT 'order', 'o-' || lpad((n % 20000)::text, 5, '0'), 1 + n / 20000, 2, 'order.placed', 50000 + n, decode('80', 'hex')
        FROM generate_series(0, 199999) n`);
  const own = [1, 2];
  const hot = [{ kind: "zone", key: "hot" }];
  const first = await outbox.unpublished(own, 512, 16);
  t.strictSame(
    first.map(({ key, offset }) => [key, offset]),
    Array.from({ length: 16 }, (_, n) => ["hot", n + 1]),
    "what fills the front holds nobody back for more than one call",
  );
  const second = await outbox.unpublished(own, 512, 16, hot);
  t.equal(second.length, 512);
  t.equal(new Set(second.map(({ key }) => key)).size, 52);
  t.equal(second[0]!.key, "o-00000");
  t.strictSame(await outbox.lag([300]), { waiting: 20_000, oldestAt: 20_001 });
  const plan = await session.query("SET enable_seqscan = off; EXPLAIN SELECT * FROM event_outbox ORDER BY at LIMIT 10");
  t.match(JSON.stringify(plan), "event_outbox_at");
});
