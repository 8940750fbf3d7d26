import t from "tap";
import { systemClock } from "../../lib/clock.js";
import { batch, bytes, fullWrite, indexEntry, write } from "../contract/batches.js";
import { withPostgres } from "./fixtures/with-postgres.js";
import { createPostgresActorStore, openAudit } from "./mod.js";

const { connectionString } = await withPostgres();

async function all<T>(rows: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const row of rows) list.push(row);
  return list;
}

t.test("the auditor reads everything, decoded, page after page, as of one instant", async (t) => {
  const store = createPostgresActorStore({ connectionString, clock: systemClock() });
  t.teardown(() => store.close());
  const epochs = await store.claimShards("a", [0]);
  const actors = Array.from({ length: 1_201 }, (_, i) =>
    write(`o${String(i).padStart(5, "0")}`, { state: bytes({ i }), index: indexEntry({ at: i }) }),
  );
  await store.flush(batch(epochs, actors));
  await store.flush(batch(epochs, [fullWrite("d1", "m", { kind: "driver", cold: bytes(["rare"]) })], { at: 77 }));

  const door = await openAudit(connectionString);
  t.teardown(() => door.close());
  const orders = await all(door.snapshots("order"));
  t.strictSame(
    orders.map(({ state }) => state),
    actors.map((_, i) => ({ i })),
  );
  t.strictSame(await all(door.snapshots("driver")), [
    {
      kind: "driver",
      key: "d1",
      shard: 0,
      seq: 1,
      version: 1,
      epoch: 1,
      committedAt: 77,
      state: { key: "d1" },
      cold: ["rare"],
    },
  ]);
  t.equal((await all(door.indexRows("order"))).length, 1_201);
  t.match((await all(door.indexRows("driver")))[0], { key: "d1", seq: 1, owner: "customer-m", view: { total: 1299 } });
  t.strictSame(await all(door.claims()), [{ claim: "trip", value: "driver-m", holder: { kind: "driver", key: "d1" } }]);
  t.strictSame(await all(door.tells()), [
    {
      from: { kind: "driver", key: "d1" },
      number: 1,
      to: { kind: "driver", key: "driver-m" },
      name: "offer",
      input: { mark: "m" },
    },
  ]);
  t.strictSame(await all(door.timers()), [{ kind: "driver", key: "d1", name: "timer-m", at: 1_001, run: "escalate" }]);
  t.match(await all(door.events()), [{ key: "d1", offset: 1, type: "order.changed", body: { mark: "m" } }]);

  await store.flush(batch(epochs, [fullWrite("d2", "n", { kind: "driver" })]));
  t.equal((await all(door.snapshots("driver"))).length, 1, "what comes later is not seen");
  const later = await openAudit(connectionString);
  t.equal((await all(later.snapshots("driver"))).length, 2);
  for await (const _ of later.snapshots()) break;
  t.equal((await all(later.claims())).length, 2, "a reader may stop half way");
  await later.close();
});
