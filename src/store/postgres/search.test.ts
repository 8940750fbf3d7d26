import t from "tap";
import { systemClock } from "../../lib/clock.js";
import { batch, indexEntry, write } from "../contract/batches.js";
import { searchContract } from "../contract/search.contract.js";
import { openSession } from "./fixtures/sessions.js";
import { withPostgres } from "./fixtures/with-postgres.js";
import { createPostgresActorStore, createPostgresSearchStore } from "./mod.js";

const clock = systemClock();
const { connectionString, clear } = await withPostgres();

t.test("Postgres keeps search's contract", (t) =>
  searchContract(t, async (t) => {
    await clear();
    const store = createPostgresActorStore({ connectionString, clock });
    const search = createPostgresSearchStore({ connectionString, clock });
    const otherNode = createPostgresSearchStore({ connectionString, clock });
    t.teardown(() => Promise.all([store.close(), search.close(), otherNode.close()]));
    return { store, search, otherNode };
  }),
);

t.test("R-SRC-2: a change that was not committed yet when the log was read is told by a later reading", async (t) => {
  await clear();
  const store = createPostgresActorStore({ connectionString, clock });
  const search = createPostgresSearchStore({ connectionString, clock });
  t.teardown(() => Promise.all([store.close(), search.close()]));
  const session = await openSession(t, connectionString);
  const start = await search.changes(null, 10);
  await session.query("BEGIN");
  await session.query(
    `INSERT INTO actor_index (kind, key, seq, scope, owner, counterparty, status, live, at, view)
       VALUES ('restaurant', 'slow', 1, '', '', '', '', true, 1, '{}')`,
  );
  const epochs = await store.claimShards("node", [0]);
  await store.flush(batch(epochs, [write("quick", { kind: "restaurant", index: indexEntry() })]));
  const first = await search.changes(start.position, 10);
  t.strictSame(first.rows, [{ key: "quick", version: 1 }]);
  await session.query("COMMIT");
  const second = await search.changes(first.position, 10);
  t.match(
    second.rows.filter(({ key }) => key === "slow"),
    [{ version: 1 }],
    "the transaction began before the first reading and ended after it",
  );
});
