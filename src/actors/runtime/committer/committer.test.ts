import t from "tap";
import { createMemoryActorStore } from "../../../store/memory/mod.js";
import { actorRef, defineActor, type IndexEntry } from "../definition.js";
import { Account, AccountRef } from "../testkit/fixtures/ledger.js";
import { createTestKit, type TestKit } from "../testkit/mod.js";
import { sameJson } from "./write.js";

const kitOf = (settings = {}): TestKit =>
  createTestKit({
    definitions: [Account],
    store: (clock) => createMemoryActorStore({ clock, latencyMs: 1 }),
    settings,
  });

t.test("R-ENG-3: actors that come close together share a flush; a lone one does not wait for company", async (t) => {
  const kit = kitOf();
  for (let i = 0; i < 40; i++) await kit.must(AccountRef, "lone", "deposit", { amount: 1 });
  t.ok(kit.store.flushSizes.every((size) => size === 1));
  for (let i = 0; i < 300; i++) await kit.must(AccountRef, `k${i}`, "balance", null);
  const before = kit.store.flushSizes.length;
  const replies: Promise<{ ok: boolean }>[] = [];
  for (let i = 0; i < 300; i++) {
    replies.push(kit.send(AccountRef, `k${i}`, "deposit", { amount: 1 }));
    if (i % 2 === 1) await kit.advance(1);
  }
  t.ok((await kit.run(() => Promise.all(replies))).every((reply) => reply.ok));
  const flushes = kit.store.flushSizes.length - before;
  t.ok(flushes < 110, `300 actors took ${flushes} flushes`);
  await kit.close();
});

type RowContract = { put: { input: { entry: IndexEntry; n: number }; reply: null } };
const RowRef = actorRef<RowContract>("row");
const Row = defineActor<RowContract, { entry: IndexEntry | null; n: number }>({
  ref: RowRef,
  version: 1,
  durability: "commit",
  idleMs: 60_000,
  init: () => ({ entry: null, n: 0 }),
  index: ({ entry }) => entry,
  commands: {
    put(ctx, next) {
      ctx.become(next);
      return null;
    },
  },
});

t.test("R-ENG-3: what an actor is found by is written when any of it has changed, and only then", async (t) => {
  const kit = createTestKit({ definitions: [Row], store: (clock) => createMemoryActorStore({ clock }) });
  const first: IndexEntry = {
    scope: "s",
    owner: "o",
    counterparty: "c",
    status: "open",
    live: true,
    at: 1,
    view: { lines: [1, 2], named: { a: 1 } },
  };
  const changes: Partial<IndexEntry>[] = [
    { scope: "t" },
    { owner: "p" },
    { counterparty: "d" },
    { status: "shut" },
    { live: false },
    { at: 2 },
    { view: { lines: [1, 2, 3], named: { a: 1 } } },
    { view: { lines: [1], named: { a: 1 } } },
    { view: { lines: { 0: 1, 1: 2 }, named: { a: 1 } } },
    { view: { lines: [1, 2], named: { a: 1, b: 1 } } },
    { view: { lines: [1, 2], named: null } },
  ];
  let n = 0;
  const put = async (entry: IndexEntry) => {
    await kit.must(RowRef, "r", "put", { entry, n: ++n });
    return kit.store.committed.at(-1)?.index;
  };
  t.same(await put(first), first);
  for (const change of changes) {
    const next = { ...first, ...change };
    t.same(await put(next), next, JSON.stringify(change));
    t.equal(await put({ ...next }), undefined, "again the same");
    t.same(await put(first), first, "and back");
  }
  await kit.close();
});

t.test("R-ENG-3: an actor whose state cannot be written is read again at once", async (t) => {
  const kit = kitOf();
  await kit.must(AccountRef, "a", "deposit", { amount: 5 });
  const startedAt = kit.now;
  const [bad, behind] = await kit.run(() =>
    Promise.all([kit.send(AccountRef, "a", "unwritable", null), kit.send(AccountRef, "a", "deposit", { amount: 1 })]),
  );
  t.equal(!bad.ok && bad.error.code, "internal");
  t.same(behind, { ok: true, value: { balance: 6, version: 2 } });
  t.ok(kit.now - startedAt < 50, "nobody waited for something else to happen at the host");
  await kit.close();
});

t.test(
  "R-ENG-3: a flush carries at most 64 actors, fences in ascending order, and each actor is in one flush only",
  async (t) => {
    const kit = kitOf({ lanes: 3 });
    const underWay = new Set<string>();
    kit.store.decide = (call) => {
      if (call.batch === null) return null;
      t.ok(call.batch.actors.length <= 64);
      const shards = call.batch.fences.map((fence) => fence.shard);
      t.same(
        shards,
        [...new Set(shards)].sort((a, b) => a - b),
      );
      for (const { key } of call.batch.actors) {
        if (underWay.has(key)) t.fail(`${key} is in two flushes at once`);
        underWay.add(key);
      }
      const keys = call.batch.actors.map(({ key }) => key);
      kit.clock.after(20, () => {
        for (const key of keys) underWay.delete(key);
      });
      return { delayMs: 20 };
    };
    const replies = await kit.run(() =>
      Promise.all(Array.from({ length: 600 }, (_, i) => kit.send(AccountRef, `k${i % 200}`, "deposit", { amount: 1 }))),
    );
    t.ok(replies.every((reply) => reply.ok));
    kit.store.heal();
    t.equal((await kit.must(AccountRef, "k7", "balance", null)).balance, 3);
    await kit.close();
  },
);

t.test("R-ENG-3: what rarely changes is written only when it changes", async (t) => {
  const kit = kitOf();
  await kit.must(AccountRef, "a", "deposit", { amount: 1 });
  await kit.must(AccountRef, "a", "deposit", { amount: 1 });
  await kit.must(AccountRef, "a", "reserveName", { name: "n" });
  const writes = kit.store.committed.map((write) => ["cold" in write, "index" in write]);
  t.same(writes, [
    [true, true],
    [false, false],
    [false, true],
  ]);
  await kit.crash();
  await kit.restart();
  await kit.must(AccountRef, "a", "deposit", { amount: 1 });
  t.notOk("cold" in kit.store.committed.at(-1)!, "also not after a reload");
  await kit.close();
});

t.test("R-ENG-3: index rows are compared as JSON", (t) => {
  t.ok(sameJson({ a: [1, { b: null }], c: undefined }, { a: [1, { b: null }] }));
  t.notOk(sameJson({ a: 1 }, { a: 1, b: 2 }));
  t.notOk(sameJson({ a: 1, b: 2 }, { a: 1 }));
  t.notOk(sameJson([1, 2], [2, 1]));
  t.notOk(sameJson([], {}));
  t.notOk(sameJson(null, {}));
  t.end();
});
