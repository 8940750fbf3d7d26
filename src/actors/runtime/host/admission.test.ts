import t from "tap";
import { createMemoryActorStore } from "../../../store/memory/mod.js";
import { Account, AccountRef } from "../testkit/fixtures/ledger.js";
import { createTestKit, type TestKit } from "../testkit/mod.js";

const kitOf = (settings = {}): TestKit =>
  createTestKit({ definitions: [Account], store: (clock) => createMemoryActorStore({ clock }), settings });

t.test("R-ENG-6: a full mailbox answers `overloaded` with a hint; what was admitted is done", async (t) => {
  const kit = kitOf({ mailboxLimit: 10 });
  kit.store.failNext("load", { delayMs: 1_000 });
  const replies = await kit.run(() =>
    Promise.all(Array.from({ length: 25 }, () => kit.send(AccountRef, "a", "deposit", { amount: 1 }))),
  );
  t.equal(replies.filter((reply) => reply.ok).length, 10);
  for (const reply of replies) {
    if (reply.ok) continue;
    t.equal(reply.error.code, "overloaded");
    t.ok(reply.error.temporary);
    t.ok((reply.error.retryAfterMs ?? 0) > 0);
  }
  t.equal((await kit.must(AccountRef, "a", "balance", null)).balance, 10);
  t.equal(kit.stats().queued, 0);
  t.equal(kit.stats().longestMailbox, 10, "which says how near the bound anybody came");
  await kit.close();
});

t.test("R-ENG-6, rule 16: the host bounds what waits over all actors", async (t) => {
  const kit = kitOf({ maxQueued: 30 });
  kit.store.failNext("load", { delayMs: 1_000 }, 100);
  const replies = await kit.run(() =>
    Promise.all(Array.from({ length: 100 }, (_, i) => kit.send(AccountRef, `k${i}`, "deposit", { amount: 1 }))),
  );
  t.equal(replies.filter((reply) => reply.ok).length, 30);
  t.ok(replies.every((reply) => reply.ok || reply.error.code === "overloaded"));
  t.equal(kit.stats().queued, 0);
  await kit.close();
});

t.test("R-ENG-6: a peer that ignores its credit is refused, one that keeps to it is not", async (t) => {
  const kit = kitOf({ askWindow: 5 });
  kit.store.failNext("load", { delayMs: 500 });
  const to = { kind: "account", key: "a" };
  for (let id = 1; id <= 8; id++) {
    await kit.inject(to, {
      t: "ask",
      id,
      to,
      name: "deposit",
      input: { amount: 1 },
      commandId: `c${id}`,
      bodyHash: "",
      caller: { id: "x", role: "system" },
      notAfter: null,
    });
  }
  await kit.advance(2_000);
  const errors = kit.rawAnswers.filter((message) => message.t === "error");
  const replies = kit.rawAnswers.filter((message) => message.t === "reply");
  t.same([errors.length, replies.length], [3, 5]);
  t.ok(errors.every((message) => message.t === "error" && message.error.code === "overloaded"));
  const credit = kit.rawAnswers.reduce((sum, message) => sum + (message.t === "credit" ? message.count : 0), 0);
  t.equal(credit, 5 + 8, "the window, and each answer gives one back");
  const many = await kit.run(() =>
    Promise.all(Array.from({ length: 60 }, () => kit.send(AccountRef, "b", "deposit", { amount: 1 }))),
  );
  t.ok(
    many.every((reply) => reply.ok),
    "the client waits for credit instead",
  );
  await kit.close();
});

t.test(
  "R-ENG-6, R-CLU-5: room that was used up while the node might not speak is there again when it may",
  async (t) => {
    const kit = kitOf({ askWindow: 5 });
    kit.cluster.lease(0, false);
    for (let round = 0; round < 4; round++) {
      const lost = await kit.run(() =>
        Promise.all(
          Array.from({ length: 5 }, () => kit.send(AccountRef, "a", "deposit", { amount: 1 }, { timeoutMs: 500 })),
        ),
      );
      t.ok(lost.every((reply) => !reply.ok));
    }
    kit.cluster.lease(0, true);
    const replies = await kit.run(() =>
      Promise.all(Array.from({ length: 20 }, () => kit.send(AccountRef, "b", "deposit", { amount: 1 }))),
    );
    t.ok(replies.every((reply) => reply.ok));
    await kit.close();
  },
);

t.test("R-ENG-6: what was asked before a link began anew gives no credit after it", async (t) => {
  const kit = kitOf({ askWindow: 64 });
  await kit.must(AccountRef, "a", "deposit", { amount: 1 });
  kit.store.failNext("flush", { delayMs: 50 });
  for (let i = 0; i < 64; i++) void kit.send(AccountRef, "a", "deposit", { amount: 1 });
  await kit.advance(5);
  let inHand = 0;
  kit.linkFault = (_from, to, message) => {
    if (message.t === "credit" && to === "node/gateway-0") inHand += message.count;
    if (message.t === "ask") inHand--;
    return null;
  };
  kit.network.partition("node/gateway-0", "node/shards-0");
  kit.network.heal("node/gateway-0", "node/shards-0");
  await kit.advance(5_000);
  t.ok(inHand > 64 * 0.75 && inHand <= 64, `${inHand}`);
  const many = await kit.run(() =>
    Promise.all(Array.from({ length: 200 }, () => kit.send(AccountRef, "a", "deposit", { amount: 1 }))),
  );
  t.ok(
    many.every((reply) => reply.ok),
    "which would be refused, as more than the window",
  );
  await kit.close();
});

t.test("R-ENG-6: while the store does not answer, commits are bounded and then refused as `unavailable`", async (t) => {
  const kit = kitOf({ stalledPending: 8 });
  await kit.must(AccountRef, "a", "deposit", { amount: 1 });
  kit.store.failNext("flush", "unavailable", 1_000);
  void kit.send(AccountRef, "a", "deposit", { amount: 1 });
  await kit.advance(100);
  const replies = Array.from({ length: 20 }, () =>
    kit.send(AccountRef, "a", "deposit", { amount: 1 }, { timeoutMs: 60_000 }),
  );
  await kit.advance(100);
  t.equal(kit.stats().queued, 8);
  t.ok(kit.stats().storeStalled);
  kit.store.heal();
  const settled = await kit.run(() => Promise.all(replies));
  t.equal(settled.filter((reply) => reply.ok).length, 7);
  t.equal(settled.filter((reply) => !reply.ok && reply.error.code === "unavailable").length, 13);
  t.equal(
    (await kit.must(AccountRef, "a", "balance", null)).balance,
    9,
    "what was kept is committed when the store is back",
  );
  await kit.close();
});

t.test("R-ENG-6: when the store cannot load, asks are `unavailable` and work again later", async (t) => {
  const kit = kitOf();
  kit.store.failNext("load", "unavailable");
  const refused = await kit.ask(AccountRef, "a", "deposit", { amount: 1 });
  t.equal(!refused.ok && refused.error.code, "unavailable");
  t.ok((await kit.ask(AccountRef, "a", "deposit", { amount: 1 })).ok);
  await kit.close();
});

t.test("R-ENG-7: idle actors leave memory and come back with their state", async (t) => {
  const kit = kitOf();
  for (let i = 0; i < 20; i++) await kit.must(AccountRef, `k${i}`, "deposit", { amount: i + 1 });
  t.equal(kit.stats().actors, 20);
  await kit.advance(50_000);
  t.equal(kit.stats().actors, 20, "not yet");
  await kit.must(AccountRef, "k3", "balance", null);
  await kit.advance(12_000);
  t.equal(kit.stats().actors, 1, "only the used one stays");
  t.equal((await kit.must(AccountRef, "k7", "balance", null)).balance, 8);
  await kit.close();
});

t.test("R-ENG-7: the least recently used leave when room is needed, but never with work or listeners", async (t) => {
  const kit = kitOf({ maxActors: 32 });
  await kit.must(AccountRef, "listened", "deposit", { amount: 1 });
  const listener = await kit.subscribe({ kind: "account", key: "listened", channel: "value" });
  for (let i = 0; i < 200; i++) {
    await kit.must(AccountRef, `k${i}`, "deposit", { amount: 1 });
    t.ok(kit.stats().actors <= 32);
    await kit.advance(1);
  }
  t.equal(listener.ended, null);
  await kit.must(AccountRef, "listened", "deposit", { amount: 1 });
  await kit.advance(10);
  t.equal(listener.latest().balance, 2);
  for (let i = 0; i < 200; i += 20) t.equal((await kit.must(AccountRef, `k${i}`, "balance", null)).balance, 1);
  await kit.close();
});

t.test("R-ENG-7: when nobody can leave, new actors are refused as `overloaded`", async (t) => {
  const kit = kitOf({ maxActors: 4 });
  await kit.must(AccountRef, "warm", "balance", null);
  kit.store.failNext("flush", { delayMs: 1_000 }, 10);
  const replies = await kit.run(() =>
    Promise.all(Array.from({ length: 8 }, (_, i) => kit.send(AccountRef, `k${i}`, "deposit", { amount: 1 }))),
  );
  t.ok(replies.some((reply) => !reply.ok && reply.error.code === "overloaded"));
  t.ok(replies.some((reply) => reply.ok));
  t.ok(kit.stats().actors <= 4);
  await kit.close();
});

t.test("R-ENG-7: reactivation is batched and bounded", async (t) => {
  const kit = kitOf({ loadBatch: 16, loadConcurrency: 2 });
  let loads = 0;
  let open = 0;
  kit.store.decide = (call) => {
    if (call.operation !== "load") return null;
    loads++;
    open++;
    t.ok(open <= 2, "at most two loads at once");
    kit.clock.after(10, () => open--);
    return { delayMs: 10 };
  };
  await kit.run(() =>
    Promise.all(Array.from({ length: 128 }, (_, i) => kit.send(AccountRef, `k${i}`, "balance", null))),
  );
  t.equal(loads, 8);
  await kit.close();
});

t.test("R-ENG-6, R-OPS-3: a store that is away is said now and then, not once for every message", async (t) => {
  const kit = kitOf();
  kit.store.failNext("load", "unavailable", Number.POSITIVE_INFINITY);
  const said = () => kit.logs.filter(({ message }) => message === "Actors could not be loaded");
  const ask = async (key: string) => (await kit.ask(AccountRef, key, "balance", null)).ok;
  for (let n = 0; n < 20; n++) t.notOk(await ask(`a${n}`));
  t.equal(said().length, 1);
  await kit.advance(5_000);
  t.notOk(await ask("b"));
  t.equal(said().length, 2);
  t.equal(said()[1]!.fields.unsaid, 19);
  await kit.close();
});
