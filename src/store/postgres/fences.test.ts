import { OutcomeUnknown, StoreUnavailable } from "../../actors/runtime/ports.js";
import { systemClock } from "../../lib/clock.js";
import { batch, CLEAN, loadOne, write } from "../contract/batches.js";
import { holdClaim, openSession, untilBlocked } from "./fixtures/sessions.js";
import { testsAfter } from "./fixtures/tests-after.js";
import { withPostgres } from "./fixtures/with-postgres.js";
import { flushBatch } from "./flush.js";
import { createPostgresActorStore } from "./mod.js";

const { connectionString, clear } = await withPostgres();
const options = { connectionString, clock: systemClock(), lanes: 2 };
let store: ReturnType<typeof createPostgresActorStore>;
let otherNode: ReturnType<typeof createPostgresActorStore>;

const test = testsAfter(async (t) => {
  await clear();
  store = createPostgresActorStore(options);
  otherNode = createPostgresActorStore(options);
  t.teardown(() => Promise.all([store.close(), otherNode.close()]));
});

const claims = [{ claim: "trip", value: "d1" }];

test("rule 4: an epoch is not raised while a flush under it is still running", async (t) => {
  const epochs = await store.claimShards("a", [0, 1]);
  const rival = await holdClaim(t, connectionString, "d1");
  const flushing = store.flush(batch(epochs, [write("o1", { shard: 1, claims })]));
  await untilBlocked(t, connectionString, "flush");
  let claimed = false;
  const claiming = otherNode.claimShards("b", [1]).finally(() => {
    claimed = true;
  });
  await untilBlocked(t, connectionString, "read");
  t.strictSame([...(await otherNode.claimShards("b", [2]))], [[2, 1]], "another shard is not held up");
  t.notOk(claimed, "this one waits");
  await rival.letGo();
  // Had the epoch been raised before, the flush would have found its fence gone. Which answer is heard first says nothing.
  t.strictSame(await flushing, CLEAN);
  t.strictSame([...(await claiming)], [[1, 2]]);
  t.equal(
    (await loadOne(otherNode, "o1")).snapshot?.seq,
    1,
    "the new owner loads what was committed under the old epoch",
  );
});

test("rule 4: a flush that waits for its fence commits nothing when the epoch is raised meanwhile", async (t) => {
  const epochs = await store.claimShards("a", [0, 1]);
  const session = await openSession(t, connectionString);
  await session.query("BEGIN");
  await session.query("UPDATE shard_owner SET epoch = epoch + 1, node = 'b' WHERE shard = 1");
  const flushing = store.flush(batch(epochs, [write("o0"), write("o1", { shard: 1 })]));
  await untilBlocked(t, connectionString, "flush");
  await session.query("COMMIT");
  t.strictSame(await flushing, { staleShards: [1], failures: [] });
  t.equal((await loadOne(store, "o0")).snapshot?.seq, 1);
  t.equal((await loadOne(store, "o1")).snapshot, null);
});

test("rule 6: a flush that waits for a claim loses it when the rival commits, and gets it when the rival does not", async (t) => {
  const epochs = await store.claimShards("a", [0]);
  for (const ending of ["COMMIT", "ROLLBACK"]) {
    await clear();
    const fresh = await store.claimShards("a", [0]);
    const session = await openSession(t, connectionString);
    await session.query("BEGIN");
    await session.query("INSERT INTO actor_claim VALUES ('trip', 'd1', 'order', 'rival')");
    const flushing = store.flush(batch(fresh, [write("beside"), write("o1", { claims })]));
    await untilBlocked(t, connectionString, "flush");
    await session.query(ending);
    const failure = { reason: "claim_taken", ...claims[0] };
    const failures = ending === "COMMIT" ? [{ index: 1, failure }] : [];
    t.strictSame(await flushing, { staleShards: [], failures });
    t.equal((await loadOne(store, "beside")).snapshot?.seq, 1);
  }
  t.equal(epochs.size, 1);
});

test("a row that only the database refuses fails its actor alone", async (t) => {
  const session = await openSession(t, connectionString);
  await session.query("ALTER TABLE actor_snapshot ADD CONSTRAINT small CHECK (octet_length(state) < 10000)");
  t.teardown(() => session.query("ALTER TABLE actor_snapshot DROP CONSTRAINT small"));
  const epochs = await store.claimShards("a", [0, 1]);
  await store.flush(
    batch(epochs, [
      write("sender", { tells: [{ number: 1, to: { kind: "x", key: "y" }, name: "n", input: new Uint8Array(1) }] }),
    ]),
  );
  const actors = Array.from({ length: 64 }, (_, i) =>
    write(`n${i}`, { shard: i % 2, ...(i === 20 || i === 63 ? { state: new Uint8Array(10_000) } : {}) }),
  );
  const delivered = [{ from: { kind: "order", key: "sender" }, number: 1 }];
  const { failures, staleShards } = await store.flush(batch(epochs, actors, { delivered }));
  t.strictSame(staleShards, []);
  t.match(failures, [
    { index: 20, failure: { reason: "invalid", detail: /small/ } },
    { index: 63, failure: { reason: "invalid", detail: /small/ } },
  ]);
  t.equal(failures.length, 2);
  const loaded = await store.load(actors, 0);
  t.strictSame(
    loaded.map(({ snapshot }) => snapshot?.seq ?? 0),
    actors.map((_, i) => (i === 20 || i === 63 ? 0 : 1)),
  );
  t.strictSame(await store.pendingTells([0], 10), [], "what was delivered is gone");
});

test("R-ENG-3: a database that goes while a bad row is looked for: what was written before is not unwritten", async (t) => {
  const session = await openSession(t, connectionString);
  await session.query("ALTER TABLE actor_snapshot ADD CONSTRAINT small CHECK (octet_length(state) < 10000)");
  t.teardown(() => session.query("ALTER TABLE actor_snapshot DROP CONSTRAINT small"));
  const epochs = await store.claimShards("a", [0]);
  // All four, the first two, the first alone; then the bad one alone, and the last two.
  for (const goes of [1, 2, 3, 4, 5]) {
    const actors = Array.from({ length: 4 }, (_, i) =>
      write(`goes-${goes}-${i}`, i === 1 ? { state: new Uint8Array(10_000) } : {}),
    );
    const sent = batch(epochs, actors);
    let calls = 0;
    const flushing = flushBatch(sent, async (call) => {
      calls++;
      if (calls === goes) throw new StoreUnavailable("no connection can be had");
      return call(session);
    });
    await t.rejects(flushing, goes <= 3 ? StoreUnavailable : OutcomeUnknown, `call ${goes}`);
    t.strictSame(await store.outcomeOf(sent), [goes > 3, false, false, false]);
  }
});
