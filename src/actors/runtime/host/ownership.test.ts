import t from "tap";
import { createMemoryActorStore } from "../../../store/memory/mod.js";
import { actorRef, defineActor } from "../definition.js";
import type { LinkMessage } from "../link.js";
import type { ActorAddress } from "../ports.js";
import { shardOf } from "../shard.js";
import { Account, AccountRef } from "../testkit/fixtures/ledger.js";
import { createTestKit, type TestKit } from "../testkit/mod.js";

const kitOf = (settings = {}): TestKit =>
  createTestKit({ definitions: [Account], store: (clock) => createMemoryActorStore({ clock }), hosts: 2, settings });

const keyOn = (host: number, prefix: string): string => {
  for (let i = 0; ; i++) {
    const key = `${prefix}${i}`;
    if (shardOf({ kind: "account", key }) % 2 === host) return key;
  }
};
const A = keyOn(0, "a");

type BoardContract = { show: { input: { n: number }; reply: null } };
const BoardRef = actorRef<BoardContract>("board");
const Board = defineActor<BoardContract, { n: number }>({
  ref: BoardRef,
  version: 1,
  durability: "commit",
  idleMs: 60_000,
  init: () => ({ n: 0 }),
  channels: {
    shown: {
      delivery: "latest",
      admit: () => true,
      snapshot: (ctx) => ({ n: { body: ctx.state.n, ttlMs: 60_000 } }),
    },
  },
  commands: {
    show(ctx, { n }) {
      ctx.become({ n });
      ctx.mirror("board", n, 1_000);
      ctx.emit("shown", "n", n, 60_000);
      return null;
    },
  },
});

/** A question as it comes over the link. */
const askFor = (to: ActorAddress): LinkMessage => ({
  t: "ask",
  id: 9,
  to,
  name: "balance",
  input: null,
  commandId: "c",
  bodyHash: "",
  caller: { id: "x", role: "system" },
  notAfter: null,
});

t.test("R-ENG-1: a message to a host that does not own the shard answers `not_owner` with the owner", async (t) => {
  const kit = kitOf();
  await kit.must(AccountRef, A, "deposit", { amount: 1 });
  const to = { kind: "account", key: A };
  kit.cluster.shardMap.ownerOf = () => "node/shards-1";
  await kit.inject(to, askFor(to));
  await kit.advance(10);
  const error = kit.rawAnswers.find((message) => message.t === "error");
  t.equal(error?.t === "error" && error.error.code, "not_owner");
  t.notOk(error?.t === "error" && error.owner, "the owner it knows is itself: it does not send in circles");
  await kit.close();
});

t.test("rule 4: a host that lost its shards without knowing commits nothing and says so", async (t) => {
  const kit = kitOf();
  await kit.must(AccountRef, A, "deposit", { amount: 10 });
  kit.store.failNext("flush", { delayMs: 200 });
  const slow = kit.send(AccountRef, A, "deposit", { amount: 5 }, { commandId: "slow" });
  await kit.advance(10);
  await kit.takeOver(0, 1);
  t.same(await kit.run(() => slow), { ok: true, value: { balance: 15, version: 2 } }, "done by the new owner, once");
  await kit.advance(1_000);
  t.equal((await kit.must(AccountRef, A, "balance", null)).balance, 15);
  t.equal(kit.published({ kind: "account", key: A }).length, 2);
  await kit.close();
});

t.test("rule 4: what is still being loaded when its shard goes is not answered by who had it", async (t) => {
  const kit = kitOf();
  await kit.must(AccountRef, A, "deposit", { amount: 10 });
  kit.crash(0);
  await kit.run(() => kit.cluster.boot(0));
  const to = { kind: "account", key: A };
  kit.store.failNext("load", { delayMs: 200 });
  await kit.inject(to, askFor(to));
  await kit.advance(100);
  kit.cluster.revoke(0, kit.cluster.shardsOf(0));
  await kit.advance(1_000);
  const said = kit.rawAnswers.filter(({ t }) => t === "reply" || t === "error");
  t.equal(said.length, 1);
  t.equal(said[0]?.t === "error" && said[0].error.code, "not_owner");
  await kit.close();
});

t.test("rule 4: a shard that has gone and come back is served only once it was started again", async (t) => {
  const kit = kitOf();
  await kit.must(AccountRef, A, "deposit", { amount: 10 });
  const shards = kit.cluster.shardsOf(0);
  kit.cluster.revoke(0, shards);
  const host = await kit.run(() => kit.cluster.grant(0, shards));
  const to = { kind: "account", key: A };
  await kit.inject(to, askFor(to));
  await kit.advance(100);
  const said = kit.rawAnswers.find(({ t }) => t === "reply" || t === "error");
  t.equal(said?.t === "error" && said.error.code, "not_owner", "its timers and messages are still those of before");
  await kit.run(async () => host?.start(shards));
  t.equal((await kit.must(AccountRef, A, "balance", null)).balance, 10);
  await kit.close();
});

t.test("rule 4: of shards that have gone before it was told to start them a host reads nothing", async (t) => {
  const kit = kitOf();
  const theirs = keyOn(1, "b");
  await kit.must(AccountRef, theirs, "deposit", { amount: 10 });
  await kit.must(AccountRef, theirs, "remind", { name: "soon", inMs: 20_000 });
  kit.linkFault = (_from, _to, message) => (message.t === "tell" ? "drop" : null);
  await kit.must(AccountRef, theirs, "pay", { to: A, amount: 4 });
  // Granted and revoked again: by the time that the host comes to it they are another's.
  await kit.run(() => kit.cluster.host(0).start(kit.cluster.shardsOf(1)));
  await kit.advance(1_000);
  const { timersArmed, tellsWaiting } = kit.stats(0);
  t.same([timersArmed, tellsWaiting], [0, 0]);
  t.same([kit.stats(1).timersArmed, kit.stats(1).tellsWaiting], [1, 1]);
  await kit.close();
});

t.test("rule 4: a stale host never answers a read from uncommitted state after it was fenced", async (t) => {
  const kit = kitOf();
  await kit.must(AccountRef, A, "deposit", { amount: 10 });
  const heard: unknown[] = [];
  kit.store.failNext("flush", { delayMs: 200 });
  void kit.send(AccountRef, A, "deposit", { amount: 5 }, { commandId: "w", timeoutMs: 300 }).then((r) => heard.push(r));
  void kit.send(AccountRef, A, "balance", null, { timeoutMs: 300 }).then((r) => heard.push(r));
  await kit.store.inner.claimShards("thief", kit.cluster.shardsOf(0));
  await kit.advance(2_000);
  t.ok(heard.length === 2 && heard.every((r) => (r as { ok: boolean }).ok === false));
  t.equal(kit.store.committed.filter((write) => write.key === A).length, 1);
  await kit.close();
});

t.test("R-ENG-3: while the lease has passed nothing is said; afterwards everything is", async (t) => {
  const kit = kitOf();
  const listener = await kit.subscribe({ kind: "account", key: A, channel: "notes" });
  await kit.must(AccountRef, A, "note", { text: "one" });
  kit.cluster.lease(0, false);
  let answered = false;
  const ask = kit.send(AccountRef, A, "note", { text: "two" }, { commandId: "two", timeoutMs: 30_000 });
  void ask.then(() => {
    answered = true;
  });
  await kit.advance(1_000);
  t.notOk(answered);
  t.equal(listener.events.length, 1);
  kit.cluster.lease(0, true);
  t.same(await kit.ask(AccountRef, A, "note", { text: "two" }, { commandId: "two" }), {
    ok: true,
    value: { offset: 2 },
  });
  await kit.advance(20_000);
  t.same(
    listener.events.map((event) => event.offset),
    [1, 2],
    "the listener has caught up without a gap",
  );
  kit.cluster.lease(0, false);
  void kit.send(AccountRef, A, "note", { text: "three" }, { timeoutMs: 100 });
  await kit.advance(1_000);
  kit.cluster.lease(0, true);
  await kit.advance(20_000);
  t.same(
    listener.events.map((event) => event.offset),
    [1, 2, 3],
    "each time",
  );
  await kit.close();
});

t.test(
  "R-ENG-3: the lease ends while something is being said: who listens has caught up when it is back",
  async (t) => {
    let ends = false;
    const kit = createTestKit({
      definitions: [Board],
      store: (clock) => createMemoryActorStore({ clock }),
      // Asked once the gate has opened, before what is said to listeners.
      mirror: {
        wants: () => {
          if (ends) kit.cluster.lease(0, false);
          ends = false;
          return true;
        },
        write: () => {},
        read: async (keys) => keys.map(() => null),
        close: async () => {},
      },
    });
    const listener = await kit.subscribe({ kind: "board", key: "b", channel: "shown" });
    await kit.must(BoardRef, "b", "show", { n: 1 });
    ends = true;
    void kit.send(BoardRef, "b", "show", { n: 2 });
    await kit.advance(300);
    t.notOk(ends);
    t.same(listener.latest(), { n: 1 });
    kit.cluster.lease(0, true);
    await kit.advance(20_000);
    t.same(listener.latest(), { n: 2 });
    await kit.close();
  },
);

t.test(
  "R-ENG-3: who listens to an actor that leaves memory while the lease has passed is told to begin anew",
  async (t) => {
    const notes = { kind: "account", key: A, channel: "notes" };
    const hears = async (kit: TestKit, leave: () => Promise<void>): Promise<void> => {
      const listener = await kit.subscribe(notes);
      kit.cluster.lease(0, false);
      await leave();
      await kit.advance(500);
      kit.cluster.lease(0, true);
      await kit.advance(5_000);
      await kit.must(AccountRef, A, "note", { text: "after" });
      await kit.advance(100);
      t.same(
        listener.events.map((event) => event.offset),
        [1],
      );
      await kit.close();
    };
    const full = kitOf({ maxActors: 1 });
    await hears(full, async () => {
      void full.send(AccountRef, keyOn(0, "b"), "note", { text: "needs room" }, { timeoutMs: 100 });
    });
    // The lease ran out, and the node gets its shards again under new epochs.
    const again = kitOf();
    await hears(again, async () => {
      const shards = again.cluster.shardsOf(0);
      again.cluster.revoke(0, shards);
      await again.run(() => again.cluster.host(0).releaseShards(shards, 2_000));
      await again.run(() => again.cluster.gain(0, shards));
    });
  },
);

t.test("R-ENG-1: a planned handoff loses and repeats nothing under load", async (t) => {
  const kit = kitOf();
  const keys = Array.from({ length: 20 }, (_, i) => `k${i}`);
  const replies: Promise<{ ok: boolean }>[] = [];
  for (let round = 0; round < 10; round++) {
    for (const key of keys) replies.push(kit.send(AccountRef, key, "deposit", { amount: 1 }, { timeoutMs: 60_000 }));
    await kit.advance(2);
    if (round === 3) await kit.moveAll(0, 1);
    if (round === 6) await kit.moveAll(1, 0);
  }
  const settled = await kit.run(() => Promise.all(replies));
  t.ok(settled.every((reply) => reply.ok));
  for (const key of keys) t.equal((await kit.must(AccountRef, key, "balance", null)).balance, 10);
  await kit.close();
});

t.test("R-CLU-1: shards that come back while they are still being given up are served", async (t) => {
  const kit = kitOf();
  await kit.must(AccountRef, A, "deposit", { amount: 10 });
  kit.store.failNext("flush", { delayMs: 600 });
  const slow = kit.send(AccountRef, A, "deposit", { amount: 5 }, { commandId: "slow", timeoutMs: 30_000 });
  await kit.advance(10);
  // Another has them, this host hears, and before it has let go of the last actor they are its own again.
  const shards = kit.cluster.shardsOf(0);
  const released = kit.cluster.host(0).releaseShards(shards, 2_000);
  await kit.advance(50);
  await kit.run(() => kit.cluster.gain(0, shards));
  await kit.run(() => released);
  await kit.advance(3_000);
  t.same(await kit.run(() => slow), { ok: true, value: { balance: 15, version: 2 } });
  t.equal((await kit.must(AccountRef, A, "balance", null)).balance, 15);
  await kit.close();
});

t.test("rule 4: a shard that is claimed anew by its own host starts afresh, and unsent tells are found", async (t) => {
  const kit = kitOf();
  await kit.must(AccountRef, A, "deposit", { amount: 10 });
  kit.store.failNext("flush", "answer-lost");
  kit.store.failNext("outcomeOf", { delayMs: 500 });
  const paid = kit.send(AccountRef, A, "pay", { to: "other", amount: 4 }, { commandId: "p", timeoutMs: 5_000 });
  await kit.advance(100);
  await kit.run(() => kit.cluster.gain(0, kit.cluster.shardsOf(0)));
  await kit.advance(2_000);
  t.equal((await kit.must(AccountRef, "other", "balance", null)).balance, 4, "the tell of the dropped commit was sent");
  await kit.run(() => paid);
  const again = await kit.ask(AccountRef, A, "pay", { to: "other", amount: 4 }, { commandId: "p" });
  t.same(again, { ok: true, value: { balance: 6 } });
  await kit.advance(2_000);
  t.equal((await kit.must(AccountRef, "other", "balance", null)).balance, 4);
  await kit.close();
});

t.test("R-CLU-4: stopping commits and answers what was admitted, then falls silent", async (t) => {
  const kit = kitOf();
  await kit.must(AccountRef, A, "deposit", { amount: 1 });
  kit.store.failNext("flush", { delayMs: 500 });
  const asked = kit.send(AccountRef, A, "deposit", { amount: 1 });
  await kit.advance(5);
  const host = kit.cluster.host(0);
  await kit.run(() => host.stop());
  t.same(await kit.run(() => asked), { ok: true, value: { balance: 2, version: 2 } });
  t.equal((await kit.stored<{ balance: number }>("account", A))?.state.balance, 2);
  await kit.close();
});
