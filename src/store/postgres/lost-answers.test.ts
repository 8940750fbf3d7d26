import type { Test } from "tap";
import { OutcomeUnknown, StoreUnavailable } from "../../actors/runtime/ports.js";
import { sleep, systemClock } from "../../lib/clock.js";
import { recordingLog } from "../../lib/log.js";
import { batch, CLEAN, fullWrite, loadOne, write } from "../contract/batches.js";
import { openDoor } from "./fixtures/door.js";
import { holdClaim, openSession, untilBlocked } from "./fixtures/sessions.js";
import { testsAfter } from "./fixtures/tests-after.js";
import { administer, withPostgres } from "./fixtures/with-postgres.js";
import { createPostgresActorStore } from "./mod.js";

const clock = systemClock();
const { connectionString, server, clear } = await withPostgres();

function openStore(t: Test, options: Partial<Parameters<typeof createPostgresActorStore>[0]> = {}) {
  const log = recordingLog();
  const store = createPostgresActorStore({ connectionString, clock, log, ...options });
  t.teardown(() => store.close());
  return { store, log };
}

const test = testsAfter(clear);

test("R-ENG-3: the answer of a committed flush is lost: unknown first, then settled as committed", async (t) => {
  const door = await openDoor(connectionString);
  t.teardown(() => door.close());
  const { store, log } = openStore(t, { connectionString: door.connectionString });
  const epochs = await store.claimShards("a", [0]);
  await store.flush(batch(epochs, [write("warm")]));
  await store.flush(batch(epochs, [write("taken")]));

  door.loseAnswers(() => door.cutClients());
  const sent = batch(epochs, [fullWrite("o1", "m"), write("taken"), write("o3")]);
  await t.rejects(store.flush(sent), OutcomeUnknown);
  door.heal();
  t.strictSame(await store.outcomeOf(sent), [true, false, true]);
  t.equal((await loadOne(store, "o1")).snapshot?.seq, 1);
  t.match(log.lines, [{ level: "warn", fields: { flushId: sent.flushId } }]);
  t.strictSame(
    await store.flush(batch(epochs, [write("o1", { expectedSeq: 1 })])),
    CLEAN,
    "the store goes on by itself",
  );
});

test("R-ENG-3: a flush that arrives after it was settled as lost commits nothing", async (t) => {
  const door = await openDoor(connectionString);
  t.teardown(() => door.close());
  const { store } = openStore(t, { connectionString: door.connectionString });
  const { store: onlooker } = openStore(t);
  const epochs = await store.claimShards("a", [0]);
  await store.flush(batch(epochs, [write("warm")]));

  const release = door.holdRequests();
  const sent = batch(epochs, [fullWrite("o1", "m")]);
  const lost = t.rejects(store.flush(sent), OutcomeUnknown);
  await sleep(clock, 20);
  door.cutClients();
  await lost;
  door.heal();
  t.strictSame(await store.outcomeOf(sent), [false], "the session that sent it is ended, so nobody will run it");
  release();
  await sleep(clock, 50);
  t.equal((await loadOne(onlooker, "o1")).snapshot, null);
  t.strictSame(await store.flush(sent), CLEAN, "sent again it commits");
  t.strictSame(await store.outcomeOf(sent), [true]);
});

test("R-ENG-3: settling waits for a flush that still runs, and then knows that it committed", async (t) => {
  const door = await openDoor(connectionString);
  t.teardown(() => door.close());
  const { store } = openStore(t, { connectionString: door.connectionString });
  const epochs = await store.claimShards("a", [0]);
  await store.flush(batch(epochs, [write("warm")]));

  const rival = await holdClaim(t, connectionString, "d1");
  const sent = batch(epochs, [write("o1", { claims: [{ claim: "trip", value: "d1" }] })]);
  const lost = t.rejects(store.flush(sent), OutcomeUnknown);
  await untilBlocked(t, connectionString, "flush");
  door.cutClients();
  await lost;

  let settled = false;
  const outcome = store.outcomeOf(sent).then((result) => {
    settled = true;
    return result;
  });
  await sleep(clock, 100);
  t.notOk(settled, "the flush still runs");
  await rival.letGo();
  t.strictSame(await outcome, [true]);
});

test("R-ENG-3: the session dies in the middle of a flush: nothing of it is there, and it can be sent again", async (t) => {
  const { store } = openStore(t);
  const epochs = await store.claimShards("a", [0, 1]);
  const rival = await holdClaim(t, connectionString, "driver-m");
  const sent = batch(epochs, [write("first"), fullWrite("o1", "m", { shard: 1 })]);
  const lost = t.rejects(store.flush(sent), OutcomeUnknown);
  await untilBlocked(t, connectionString, "flush");
  const watcher = await openSession(t, connectionString);
  await watcher.query(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'swift-eats flush%'",
  );
  await lost;
  t.strictSame(await store.outcomeOf(sent), [false, false]);
  t.equal((await loadOne(store, "first")).snapshot, null);
  await rival.letGo();
  t.strictSame(await store.flush(sent), CLEAN);
});

test("R-CLU-2: a flush that cannot get on is ended by the server and gives its shards free", async (t) => {
  const { store } = openStore(t);
  const epochs = await store.claimShards("a", [0]);
  await holdClaim(t, connectionString, "d1");
  const sent = batch(epochs, [write("o1", { claims: [{ claim: "trip", value: "d1" }] })]);
  await t.rejects(store.flush(sent));
  t.strictSame([...(await store.claimShards("b", [0]))], [[0, 2]], "nobody holds the fence");
  t.strictSame(await store.outcomeOf(sent), [false]);
});

test("R-CLU-5: a server that is not there is unavailable, not unknown", async (t) => {
  const { store } = openStore(t, { connectionString: "postgresql:///none?host=%2Fnonexistent&user=nobody" });
  await t.rejects(store.flush(batch(new Map([[0, 1]]), [write("o1")])), StoreUnavailable);
  await t.rejects(store.load([{ kind: "order", key: "o1", shard: 0 }], 1), StoreUnavailable);
  await t.rejects(store.claimShards("a", [0]), StoreUnavailable);
  await t.rejects(store.outcomeOf(batch(new Map([[0, 1]]), [write("o1")])), StoreUnavailable);
});

test("R-CLU-5: idle connections that were cut are replaced when next needed", async (t) => {
  const { store, log } = openStore(t);
  const epochs = await store.claimShards("a", [0]);
  await store.flush(batch(epochs, [write("o1")]));
  await administer(
    server,
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'swift-eats %'",
  );
  while (log.lines.length < 2) await sleep(clock, 5);
  t.match(log.lines, [
    { level: "warn", message: "An idle database connection was lost." },
    { level: "warn", message: "An idle database connection was lost." },
  ]);
  t.strictSame(await store.flush(batch(epochs, [write("o1", { expectedSeq: 1 })])), CLEAN);
  t.equal((await loadOne(store, "o1")).snapshot?.seq, 2);
});

test("rule 16: no more than so many flushes wait in line", async (t) => {
  const { store } = openStore(t, { maxWaiting: 2 });
  const epochs = await store.claimShards("a", [0]);
  await store.flush(batch(epochs, [write("warm")]));
  const rival = await holdClaim(t, connectionString, "d1");
  const flushing = ["o1", "o2", "o3"].map((key) =>
    store.flush(batch(epochs, [write(key, { claims: [{ claim: "trip", value: "d1" }] })])),
  );
  await untilBlocked(t, connectionString, "flush");
  t.strictSame(store.waiting(), { flushes: 2, reads: 0 });
  await t.rejects(store.flush(batch(epochs, [write("o4")])), StoreUnavailable);
  await rival.letGo();
  const results = await Promise.all(flushing);
  t.equal(results.filter(({ failures }) => failures.length === 0).length, 1);
  t.strictSame(await store.flush(batch(epochs, [write("o4")])), CLEAN);
});

test("a closed store says so", async (t) => {
  const { store } = openStore(t);
  await store.claimShards("a", [0]);
  await store.close();
  await store.close();
  await t.rejects(store.claimShards("a", [0]), StoreUnavailable);
});
