import type { Test } from "tap";
import { type ActorWrite, StoreUnavailable } from "../../actors/runtime/ports.js";
import { systemClock } from "../../lib/clock.js";
import { batch, CLEAN, fullWrite, indexEntry, loadOne, write } from "../contract/batches.js";
import { testsAfter } from "./fixtures/tests-after.js";
import { administer, withPostgres } from "./fixtures/with-postgres.js";
import { createPostgresActorStore } from "./mod.js";

const clock = systemClock();
const { connectionString, server, clear } = await withPostgres();
const database = new URL(connectionString).pathname.slice(1);

function openStore(t: Test) {
  const store = createPostgresActorStore({ connectionString, clock });
  t.teardown(() => store.close());
  return store;
}

/** Takes one of the functions away for as long as a test lasts: what still succeeds went the other way. */
async function takeAway(t: Test, name: "flush_actors_v1" | "flush_few_v1"): Promise<void> {
  const rename = (from: string, to: string): Promise<void> =>
    administer(server, `ALTER FUNCTION ${from} RENAME TO ${to}`, database);
  await rename(name, `${name}_away`);
  t.teardown(() => rename(`${name}_away`, name));
}

const test = testsAfter(clear);

/** A write to every table but that of claims, twice: what is set first is changed or taken back by the second. */
const life = (key: string, mark: string): readonly ActorWrite[] => [
  fullWrite(key, mark, { claims: [], index: indexEntry({ owner: mark }) }),
  fullWrite(key, `${mark}-2`, {
    expectedSeq: 1,
    claims: [],
    timersCancelled: [`timer-${mark}`],
    trims: [{ channel: "inbox", offset: 1 }],
    index: indexEntry({ owner: mark, status: "delivered", live: false }),
  }),
  write(key, { expectedSeq: 2, index: null }),
];

test("R-ENG-3: a flush of few actors leaves the rows that one of many leaves", async (t) => {
  const store = openStore(t);
  const seen: Record<string, unknown[]> = { alone: [], among: [] };
  const rowsOf = async (key: string): Promise<unknown> => {
    const loaded = await loadOne(store, key);
    const tells = await store.pendingTells([0], 100);
    const timers = await store.timersDue([0], 1e6, 100);
    const listed = await store.queryIndex({ kind: "order", owner: "m", limit: 10 });
    // What differs by design: which order it is, and the name of the flush.
    return JSON.parse(
      JSON.stringify({ loaded, tells, timers, listed }, (name, value) => (name === "flushId" ? undefined : value)),
    );
  };
  for (const [way, company] of [
    ["alone", 0],
    ["among", 2],
  ] as const) {
    await clear();
    const epochs = await store.claimShards("a", [0]);
    for (const [step, actor] of life("o1", "m").entries()) {
      const others = Array.from({ length: company }, (_, i) => write(`other-${i}`, { expectedSeq: step }));
      const delivered = step === 1 ? [{ from: { kind: "order", key: "o1" }, number: 1 }] : [];
      t.strictSame(await store.flush(batch(epochs, [actor, ...others], { delivered })), CLEAN);
      seen[way]!.push(await rowsOf("o1"));
    }
  }
  t.strictSame(seen.alone, seen.among);
  t.equal(new Set(seen.alone!.map((rows) => JSON.stringify(rows))).size, 3, "every step left its mark");
});

test("R-ENG-3: few go the short way by themselves; many, and those with claims, the long one", async (t) => {
  await t.test("without the long way", async (t) => {
    const store = openStore(t);
    const epochs = await store.claimShards("a", [0]);
    await takeAway(t, "flush_actors_v1");
    t.strictSame(await store.flush(batch(epochs, [write("a1"), write("a2")])), CLEAN);
    await t.rejects(store.flush(batch(epochs, [write("b1"), write("b2"), write("b3")])), StoreUnavailable);
    await t.rejects(
      store.flush(batch(epochs, [write("c1", { claims: [{ claim: "trip", value: "d" }] })])),
      StoreUnavailable,
    );
    // What only the long way judges is refused by the short one, whole.
    await t.rejects(store.flush(batch(epochs, [write("a3"), write("a1")])), StoreUnavailable, "a seq");
    await t.rejects(store.flush(batch(new Map([[0, 99]]), [write("a3")])), StoreUnavailable, "an epoch");
    const said = { commands: [{ id: "c", bodyHash: "h", outcome: new Uint8Array([1]) }] };
    t.strictSame(await store.flush(batch(epochs, [write("a1", { expectedSeq: 1, ...said })])), CLEAN);
    await t.rejects(
      store.flush(batch(epochs, [write("a1", { expectedSeq: 2, ...said })])),
      StoreUnavailable,
      "a command",
    );
    t.equal((await loadOne(store, "a3")).snapshot, null);
    t.equal((await loadOne(store, "a1")).snapshot?.seq, 2);
  });
  await t.test("without the short one", async (t) => {
    const store = openStore(t);
    const epochs = await store.claimShards("a", [0]);
    await takeAway(t, "flush_few_v1");
    await t.rejects(store.flush(batch(epochs, [write("d1")])), StoreUnavailable);
    t.strictSame(await store.flush(batch(epochs, [write("d1"), write("d2"), write("d3")])), CLEAN);
  });
});
