import t from "tap";
import { createMemoryActorStore } from "../../../store/memory/mod.js";
import { Account, AccountRef } from "../testkit/fixtures/ledger.js";
import { createTestKit, type Recorder, record, type TestKit } from "../testkit/mod.js";

const kitOf = (hosts = 1, settings = {}): TestKit =>
  createTestKit({ definitions: [Account], store: (clock) => createMemoryActorStore({ clock }), hosts, settings });

const notes = { kind: "account", key: "a", channel: "notes" };
const value = { kind: "account", key: "a", channel: "value" };
const reader = { id: "r", role: "reader" };
const offsets = (recorder: Recorder): number[] => recorder.events.map((event) => event.offset);

t.test("rule 15: a reliable channel replays from the asked offset, without a gap or a repeat", async (t) => {
  const kit = kitOf();
  for (let i = 0; i < 5; i++) await kit.must(AccountRef, "a", "note", { text: `n${i}` });
  const fresh = await kit.subscribe(notes, reader);
  t.same(
    fresh.starts.map(({ epoch, top, recovered }) => ({ epoch, top, recovered })),
    [{ epoch: 1, top: 5, recovered: false }],
  );
  t.same(fresh.latest(), { notes: 5 }, "a new reader starts from the snapshot");
  const resumed = await kit.subscribe(notes, reader, { epoch: 1, offset: 2 });
  t.ok(resumed.starts[0]?.recovered);
  await kit.must(AccountRef, "a", "note", { text: "n5" });
  await kit.advance(10);
  t.same(offsets(resumed), [3, 4, 5, 6]);
  t.same(offsets(fresh), [6]);
  t.same(resumed.events[0]?.body, { text: "n2" });
  await kit.close();
});

t.test("rule 15: subscribing while events are committing misses none and repeats none", async (t) => {
  const kit = kitOf();
  await kit.must(AccountRef, "a", "note", { text: "first" });
  for (let round = 0; round < 10; round++) {
    kit.store.failNext("flush", { delayMs: 20 });
    for (let i = 0; i < 3; i++) void kit.send(AccountRef, "a", "note", { text: "x" });
    await kit.advance(round * 3);
    const resumed = await kit.subscribe(notes, reader, { epoch: 1, offset: round * 6 + 1 });
    for (let i = 0; i < 3; i++) void kit.send(AccountRef, "a", "note", { text: "y" });
    await kit.advance(100);
    t.same(
      offsets(resumed),
      [2, 3, 4, 5, 6, 7].map((offset) => round * 6 + offset),
      `after ${round * 3} ms`,
    );
    resumed.close();
  }
  await kit.close();
});

t.test("rule 15: history survives a crash under the same epoch; listeners come back by themselves", async (t) => {
  const kit = kitOf();
  const listener = await kit.subscribe(notes, reader);
  await kit.must(AccountRef, "a", "note", { text: "one" });
  await kit.must(AccountRef, "a", "note", { text: "two" });
  await kit.crash();
  await kit.restart();
  await kit.must(AccountRef, "a", "note", { text: "three" });
  await kit.advance(20_000);
  await kit.must(AccountRef, "a", "note", { text: "four" });
  await kit.advance(100);
  t.same(offsets(listener), [1, 2, 3, 4]);
  const resumed = await kit.subscribe(notes, reader, { epoch: 1, offset: 1 });
  t.same(offsets(resumed), [2, 3, 4]);
  await kit.close();
});

t.test("rule 16: only so much history is kept; an older reader starts from a snapshot", async (t) => {
  const kit = kitOf();
  for (let i = 0; i < 100; i++) await kit.must(AccountRef, "a", "note", { text: `n${i}` });
  const inStore = async (): Promise<number> => {
    const [loaded] = await kit.store.inner.load([{ kind: "account", key: "a", shard: 0 }], 1_000);
    return loaded?.channels.notes?.events.length ?? -1;
  };
  t.ok((await inStore()) <= 10, "the store keeps about `keep` events");
  const old = await kit.subscribe(notes, reader, { epoch: 1, offset: 3 });
  t.equal(old.starts[0]?.recovered, false);
  t.same(old.latest(), { notes: 100 });
  t.same(offsets(await kit.subscribe(notes, reader, { epoch: 1, offset: 97 })), [98, 99, 100]);
  t.same(offsets(await kit.subscribe(notes, reader, { epoch: 1, offset: 100 })), []);
  t.equal((await kit.subscribe(notes, reader, { epoch: 1, offset: 500 })).starts[0]?.recovered, false);
  t.equal((await kit.subscribe(notes, reader, { epoch: 9, offset: 100 })).starts[0]?.recovered, false);
  await kit.must(AccountRef, "a", "trimNotes", { offset: 99 });
  t.equal(await inStore(), 1);
  await kit.close();
});

t.test(
  "rule 16: one write forgets of a channel what the furthest of its runs forgets, and what is beyond `keep`",
  async (t) => {
    const kit = kitOf();
    for (let i = 0; i < 10; i++) await kit.must(AccountRef, "a", "note", { text: `n${i}` });
    kit.store.failNext("flush", { delayMs: 20 });
    const replies = await kit.run(() =>
      Promise.all([
        kit.send(AccountRef, "a", "deposit", { amount: 1 }),
        kit.send(AccountRef, "a", "trimNotes", { offset: 2 }),
        kit.send(AccountRef, "a", "trimNotes", { offset: 5 }),
        kit.send(AccountRef, "a", "note", { text: "n10" }),
      ]),
    );
    t.ok(replies.every(({ ok }) => ok));
    t.same(kit.store.committed.at(-1)?.trims, [{ channel: "notes", offset: 5 }]);
    t.same(kit.logs, []);
    await kit.close();
  },
);

t.test("rule 12: every channel says who may listen", async (t) => {
  const kit = kitOf();
  const stranger = await kit.subscribe(notes, { id: "s", role: "stranger" });
  t.equal(stranger.ended?.code, "forbidden");
  const nowhere = await kit.subscribe({ ...notes, channel: "nowhere" }, reader);
  t.equal(nowhere.ended?.code, "unknown_channel");
  await kit.close();
});

t.test("R-ENG-3: latest-wins slots carry rising versions, also over passivation, crash and handoff", async (t) => {
  const kit = kitOf(2);
  await kit.must(AccountRef, "a", "deposit", { amount: 1 });
  const listener = await kit.subscribe(value, reader);
  t.same(listener.latest(), { balance: 1 });
  await kit.must(AccountRef, "a", "deposit", { amount: 1 });
  await kit.cast(AccountRef, "a", "show", { value: 7 });
  await kit.advance(10);
  t.same(listener.latest(), { balance: 2, shown: 7 });
  await kit.moveAll(0, 1);
  await kit.moveAll(1, 0);
  await kit.advance(20_000);
  await kit.must(AccountRef, "a", "deposit", { amount: 1 });
  await kit.advance(100);
  t.equal(listener.latest().balance, 3);
  const versions = listener.slots.map((item) => item.version);
  for (let i = 1; i < versions.length; i++) {
    const [before, after] = [versions[i - 1]!, versions[i]!];
    t.ok(after[0] > before[0] || (after[0] === before[0] && after[1] > before[1]));
  }
  await kit.close();
});

t.test("R-ENG-3: nobody hears of a channel that was left, and it does not keep the actor in memory", async (t) => {
  const kit = kitOf();
  const listener = await kit.subscribe(value, reader);
  await kit.advance(70_000);
  t.equal(kit.stats().actors, 1);
  listener.close();
  await kit.must(AccountRef, "a", "deposit", { amount: 1 });
  await kit.advance(10);
  t.same(listener.slots, []);
  await kit.advance(70_000);
  t.equal(kit.stats().actors, 0);
  await kit.close();
});

t.test(
  "rule 16: who leaves a channel at its bounds leaves nothing behind, though they had not begun to listen",
  async (t) => {
    const bounds = [
      ["a full mailbox", { mailboxLimit: 4 }],
      ["a full host", { maxQueued: 4 }],
      ["a store that does not answer", { stalledPending: 4 }],
    ] as const;
    for (const [bound, settings] of bounds) {
      const kit = kitOf(1, settings);
      await kit.must(AccountRef, "a", "deposit", { amount: 1 });
      kit.store.decide = ({ operation }) => (operation === "flush" ? "unavailable" : null);
      void kit.send(AccountRef, "a", "deposit", { amount: 1 });
      await kit.advance(200);
      const listener = record((sink) => kit.client.subscribe(value, reader, null, sink));
      await kit.advance(10);
      for (let i = 0; i < 8; i++) void kit.send(AccountRef, "a", "deposit", { amount: 1 });
      await kit.advance(10);
      listener.close();
      await kit.advance(100);
      kit.store.heal();
      await kit.advance(70_000);
      t.same([listener.starts.length, kit.stats().actors], [0, 0], bound);
      await kit.close();
    }
  },
);

t.test("rule 16: so many listen to an actor at once, and whoever goes makes room for who waits", async (t) => {
  const kit = kitOf(1, { maxSubscriptionsPerActor: 3 });
  await kit.must(AccountRef, "a", "deposit", { amount: 1 });
  // They wait at the gate together: the bound holds for those who are about to listen, too.
  kit.store.failNext("flush", { delayMs: 50 });
  void kit.send(AccountRef, "a", "deposit", { amount: 1 });
  await kit.advance(5);
  const listeners = Array.from({ length: 4 }, () => record((sink) => kit.client.subscribe(value, reader, null, sink)));
  const started = (): number => listeners.filter(({ starts }) => starts.length > 0).length;
  await kit.advance(500);
  t.equal(started(), 3);
  await kit.advance(10_000);
  t.equal(started(), 3);
  listeners.find(({ starts }) => starts.length > 0)?.close();
  await kit.until(() => started() === 4);
  await kit.close();
});

t.test("rule 16, R-CLU-5: who comes to listen while nothing may be said takes nobody's place for good", async (t) => {
  const kit = kitOf(1, { maxSubscriptionsPerActor: 3 });
  await kit.must(AccountRef, "a", "deposit", { amount: 1 });
  kit.cluster.lease(0, false);
  for (let i = 0; i < 3; i++) {
    const early = record((sink) => kit.client.subscribe(value, reader, null, sink));
    await kit.advance(10);
    t.equal(early.starts.length, 0);
    early.close();
  }
  kit.cluster.lease(0, true);
  t.same((await kit.subscribe(value, reader)).latest(), { balance: 1 });
  await kit.close();
});

t.test("rule 16: who listened at an endpoint that has gone keeps no actor in memory", async (t) => {
  const kit = kitOf();
  const listener = await kit.subscribe(value, reader);
  t.equal(listener.starts.length, 1);
  kit.network.partition("node/gateway-0", "node/shards-0");
  await kit.advance(70_000);
  t.equal(kit.stats().actors, 0);
  await kit.close();
});

t.test("rule 16: a subscription that still waits when its link begins anew does not begin", async (t) => {
  for (const operation of ["flush", "load"] as const) {
    const kit = kitOf();
    if (operation === "flush") await kit.must(AccountRef, "a", "deposit", { amount: 1 });
    else await kit.advance(1);
    // It waits at the gate for a commit, or in the mailbox of an actor that is being loaded.
    kit.store.failNext(operation, { delayMs: 200 });
    void kit.send(AccountRef, "a", "deposit", { amount: 1 });
    await kit.advance(2);
    const listener = record((sink) => kit.client.subscribe(value, reader, null, sink));
    await kit.advance(2);
    kit.network.partition("node/gateway-0", "node/shards-0");
    kit.network.heal("node/gateway-0", "node/shards-0");
    await kit.advance(1_000);
    t.equal(listener.starts.length, 1, "asked for anew, it has begun");
    listener.close();
    await kit.advance(70_000);
    t.equal(kit.stats().actors, 0, operation);
    await kit.close();
  }
});

t.test("rule 16: under pressure an actor with listeners may leave; its listeners come back", async (t) => {
  const kit = kitOf(1, { maxActors: 4 });
  const listener = await kit.subscribe(value, reader);
  const others: Recorder[] = [];
  for (let i = 0; i < 4; i++) {
    others.push(await kit.subscribe({ ...value, key: `o${i}` }, reader));
    await kit.advance(5);
  }
  t.ok(kit.stats().actors <= 4);
  for (const other of others.slice(1)) other.close();
  await kit.advance(30_000);
  await kit.must(AccountRef, "a", "deposit", { amount: 1 });
  await kit.advance(100);
  t.equal(listener.latest().balance, 1);
  await kit.close();
});
