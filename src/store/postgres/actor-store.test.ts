import t from "tap";
import { systemClock } from "../../lib/clock.js";
import { silentLog } from "../../lib/log.js";
import { actorStoreContract } from "../contract/actor-store.contract.js";
import { entriesRead, openSession } from "./fixtures/sessions.js";
import { withPostgres } from "./fixtures/with-postgres.js";
import { createPostgresActorStore, openAudit } from "./mod.js";

const clock = systemClock();
const { connectionString, clear } = await withPostgres();

t.test("the Postgres store keeps the store's contract", (t) =>
  actorStoreContract(t, async (t) => {
    await clear();
    const options = { connectionString, lanes: 3, clock, log: silentLog };
    const store = createPostgresActorStore(options);
    const otherNode = createPostgresActorStore(options);
    t.teardown(() => Promise.all([store.close(), otherNode.close()]));
    return { store, otherNode, audit: () => openAudit(connectionString) };
  }),
);

t.test(
  "R-ENG-7, R-RST-4: what wakes a kitchen reads its open orders, and none of those that it ever had",
  async (t) => {
    await clear();
    const session = await openSession(t, connectionString);
    await session.query(`
    INSERT INTO actor_index (kind, key, seq, scope, owner, counterparty, status, live, at, view)
      SELECT 'order', 'o' || n, 1, 'z' || n % 9, 'c' || n, 'kitchen', CASE WHEN n > 997 THEN 'preparing' ELSE 'delivered' END,
        n > 997, n, '{}' FROM generate_series(1, 1000) n`);
    await session.query("ANALYZE actor_index");
    const read = await entriesRead(t, connectionString, "actor_index", async () => {
      const store = createPostgresActorStore({ connectionString, clock, log: silentLog });
      const open = await store.queryIndex({ kind: "order", counterparty: "kitchen", live: true, limit: 1_000 });
      t.strictSame(
        open.map(({ key }) => key),
        ["o1000", "o999", "o998"],
      );
      await store.close();
    });
    t.strictSame(read, { actor_index_live_counterparty: 3 });
  },
);
