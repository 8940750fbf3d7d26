import t from "tap";
import { createMemoryActorStore } from "../../../store/memory/mod.js";
import { Account, AccountRef } from "../testkit/fixtures/ledger.js";
import { createTestKit, type StoreFault, type TestKit } from "../testkit/mod.js";

const kitOf = (hosts = 1): TestKit =>
  createTestKit({ definitions: [Account], store: (clock) => createMemoryActorStore({ clock }), hosts });

t.test("R-ENG-3: every output waits for the commit of the state it saw, then leaves in order", async (t) => {
  const kit = kitOf();
  await kit.must(AccountRef, "a", "deposit", { amount: 1 });
  const listener = await kit.subscribe({ kind: "account", key: "a", channel: "value" });
  kit.store.failNext("flush", { delayMs: 1_000 });
  const heard: string[] = [];
  const ask = (name: string, work: Promise<{ ok: boolean }>): void => {
    work.then((result) => heard.push(`${name} ${result.ok}`));
  };
  ask("deposit", kit.send(AccountRef, "a", "deposit", { amount: 2 }));
  ask("read", kit.send(AccountRef, "a", "balance", null));
  ask("refusal", kit.send(AccountRef, "a", "pay", { to: "b", amount: 99 }));
  await kit.cast(AccountRef, "a", "show", { value: 42 });
  ask("pay", kit.send(AccountRef, "a", "pay", { to: "b", amount: 3 }));
  await kit.advance(900);
  t.same(heard, [], "neither reply, read nor refusal left before the commit");
  t.same(listener.slots, [], "no channel value left");
  t.equal(await kit.stored("account", "b"), null, "no tell left");
  await kit.advance(200);
  t.same(heard, ["deposit true", "read true", "refusal false", "pay true"], "in the order of the runs");
  t.same(
    listener.slots.map((item) => [item.slot, item.body]),
    [
      ["balance", 3],
      ["shown", 42],
    ],
  );
  await kit.advance(1_000);
  t.equal((await kit.must(AccountRef, "b", "balance", null)).balance, 3);
  await kit.close();
});

t.test("R-ENG-3: several commands of one actor run ahead and share a flush", async (t) => {
  const kit = kitOf();
  await kit.must(AccountRef, "a", "deposit", { amount: 1 });
  kit.store.failNext("flush", { delayMs: 50 });
  const flushes = kit.store.flushSizes.length;
  const replies = await kit.run(() =>
    Promise.all(Array.from({ length: 20 }, () => kit.send(AccountRef, "a", "deposit", { amount: 1 }))),
  );
  t.same(
    replies.map((reply) => (reply.ok ? reply.value.balance : null)),
    Array.from({ length: 20 }, (_, i) => i + 2),
  );
  t.ok(kit.store.flushSizes.length - flushes <= 2, "20 commands took at most two flushes");
  const stored = await kit.stored("account", "a");
  t.equal(stored?.seq, 21, "each change counts one version");
  await kit.close();
});

const faults: readonly (readonly [string, StoreFault])[] = [
  ["the store fails before the commit", "unavailable"],
  ["the request is lost and the outcome unknown", "request-lost"],
  ["the commit happens and its answer is lost", "answer-lost"],
  ["the commit is slow", { delayMs: 2_500 }],
];
for (const [name, fault] of faults) {
  t.test(`R-ENG-3, rule 1: nothing is lost or repeated when ${name}`, async (t) => {
    const kit = kitOf(2);
    await kit.must(AccountRef, "a", "deposit", { amount: 100 });
    for (let times = 1; times <= 3; times++) {
      kit.store.failNext("flush", fault, times);
      const reply = await kit.ask(AccountRef, "a", "pay", { to: "b", amount: 10 }, { commandId: `pay-${times}` });
      t.same(reply, { ok: true, value: { balance: 100 - times * 10 } });
    }
    await kit.advance(30_000);
    t.equal((await kit.must(AccountRef, "b", "balance", null)).balance, 30);
    t.equal((await kit.must(AccountRef, "a", "balance", null)).balance, 70);
    t.equal(kit.published({ kind: "account", key: "b" }).length, 3, "each tell acted once");
    await kit.close();
  });
}

t.test("R-ENG-3: the outcome of a flush stays unknown for a while: nothing is said before it is known", async (t) => {
  const kit = kitOf();
  await kit.must(AccountRef, "a", "deposit", { amount: 1 });
  kit.store.failNext("flush", "answer-lost");
  kit.store.failNext("outcomeOf", "unavailable", 5);
  let heard = 0;
  void kit.send(AccountRef, "a", "deposit", { amount: 1 }).then(() => heard++);
  await kit.advance(100);
  t.equal(heard, 0);
  await kit.advance(10_000);
  t.equal(heard, 1);
  t.equal((await kit.must(AccountRef, "a", "balance", null)).balance, 2);
  await kit.close();
});

t.test("R-ENG-3: one bad row in a flush of 64 leaves the other 63 committed", async (t) => {
  const kit = kitOf();
  const keys = Array.from({ length: 64 }, (_, i) => `k${i}`);
  await kit.run(() => Promise.all(keys.map((key) => kit.send(AccountRef, key, "balance", null))));
  let refused = 0;
  kit.store.refuseRow = (write) => {
    if (write.key !== "k13" || refused > 0) return null;
    refused++;
    return { reason: "stale_seq" };
  };
  const replies = await kit.run(() =>
    Promise.all(keys.map((key) => kit.send(AccountRef, key, "deposit", { amount: 7 }))),
  );
  t.ok(kit.store.flushSizes.includes(64), "they were one flush");
  t.equal(refused, 1);
  t.ok(replies.every((reply) => reply.ok && reply.value.balance === 7));
  t.equal(
    kit.store.committed.filter((write) => write.key === "k13").length,
    1,
    "the refused one committed later, once",
  );
  await kit.close();
});

t.test(
  "R-ENG-3: a row that no store can hold is answered `internal`; its neighbours in the actor commit",
  async (t) => {
    const kit = kitOf();
    await kit.must(AccountRef, "a", "deposit", { amount: 1 });
    kit.store.refuseRow = (write) =>
      write.commands.some((command) => command.id === "bad") ? { reason: "invalid", detail: "a NUL" } : null;
    kit.store.failNext("flush", { delayMs: 20 });
    const [first, bad, last] = await kit.run(() =>
      Promise.all([
        kit.send(AccountRef, "a", "deposit", { amount: 1 }),
        kit.send(AccountRef, "a", "deposit", { amount: 10 }, { commandId: "bad" }),
        kit.send(AccountRef, "a", "deposit", { amount: 100 }),
      ]),
    );
    t.same(first, { ok: true, value: { balance: 2, version: 2 } });
    t.equal(bad?.ok === false && bad.error.code, "internal");
    t.same(last, { ok: true, value: { balance: 102, version: 3 } });
    const unwritable = await kit.ask(AccountRef, "a", "unwritable", null);
    t.equal(!unwritable.ok && unwritable.error.code, "internal", "a state that cannot be encoded is refused too");
    t.equal((await kit.must(AccountRef, "a", "balance", null)).balance, 102);
    t.equal(kit.stats().queued, 0, "and they take no room from others");
    await kit.close();
  },
);

t.test("R-ENG-3: a claim that another holds is found out at commit; the handler runs again and says so", async (t) => {
  const kit = kitOf();
  await kit.must(AccountRef, "a", "reserveName", { name: "ada" });
  kit.store.failNext("flush", { delayMs: 20 });
  await kit.must(AccountRef, "b", "balance", null);
  const [deposit, refused, after] = await kit.run(() =>
    Promise.all([
      kit.send(AccountRef, "b", "deposit", { amount: 5 }),
      kit.send(AccountRef, "b", "reserveName", { name: "ada" }, { commandId: "r1" }),
      kit.send(AccountRef, "b", "deposit", { amount: 6 }),
    ]),
  );
  t.same(deposit, { ok: true, value: { balance: 5, version: 1 } });
  t.equal(!refused?.ok && refused?.error.code, "name_taken");
  t.equal(after?.ok && after.value.balance, 11);
  await kit.must(AccountRef, "a", "dropName", { name: "ada" });
  const again = await kit.ask(AccountRef, "b", "reserveName", { name: "ada" }, { commandId: "r1" });
  t.equal(!again.ok && again.error.code, "name_taken", "the refusal is remembered");
  t.ok((await kit.ask(AccountRef, "b", "reserveName", { name: "ada" }, { commandId: "r2" })).ok);
  await kit.close();
});

t.test("R-ENG-3: a claim and its release run ahead together are still judged by the store in between", async (t) => {
  const kit = kitOf();
  await kit.must(AccountRef, "a", "reserveName", { name: "ada" });
  await kit.must(AccountRef, "b", "balance", null);
  kit.store.failNext("flush", { delayMs: 20 });
  void kit.send(AccountRef, "b", "deposit", { amount: 1 });
  const [claimed, dropped] = await kit.run(() =>
    Promise.all([
      kit.send(AccountRef, "b", "reserveName", { name: "ada" }),
      kit.send(AccountRef, "b", "dropName", { name: "ada" }),
    ]),
  );
  t.equal(!claimed?.ok && claimed?.error.code, "name_taken");
  t.ok(dropped?.ok);
  const other = await kit.ask(AccountRef, "c", "reserveName", { name: "ada" });
  t.equal(!other.ok && other.error.code, "name_taken", "the holder still holds it");
  await kit.close();
});

t.test("R-ENG-3, rules 1 and 11: a crash between any two steps neither loses nor repeats an effect", async (t) => {
  // The story: a deposit, a payment to another actor on another host, a charge, a reminder. Every store call of the
  // undisturbed run is once the place where the host that makes it dies, before and after the call is done.
  const story = async (crashAt: number, where: "crash-before" | "crash-after"): Promise<number> => {
    const charges = new Set<string>();
    const kit = createTestKit({
      definitions: [Account],
      store: (clock) => createMemoryActorStore({ clock }),
      hosts: 2,
      effects: {
        charge: async ({ effectId }) => {
          charges.add(effectId);
          return { paid: effectId };
        },
      },
      settings: { timerGraceMs: 0 },
    });
    await kit.advance(0);
    const first = kit.store.calls;
    let dead = -1;
    kit.store.decide = (call) => (call.number - first === crashAt ? where : null);
    const must = async (name: "deposit" | "pay" | "charge" | "remind", input: never, id: string): Promise<void> => {
      for (let attempt = 0; attempt < 20; attempt++) {
        const reply = await kit.run(() => {
          const asked = kit.send(AccountRef, "a", name, input, { commandId: id, timeoutMs: 2_000 });
          return asked;
        });
        for (const host of [0, 1]) {
          if (kit.cluster.isAlive(host)) continue;
          dead = host;
          await kit.restart(host);
        }
        if (reply.ok) return;
      }
      throw new Error(`${name} never succeeded`);
    };
    await must("deposit", { amount: 100 } as never, "c1");
    await must("pay", { to: "b", amount: 30 } as never, "c2");
    await must("charge", { key: "k", amount: 5 } as never, "c3");
    await must("remind", { name: "r", inMs: 5_000 } as never, "c4");
    for (let i = 0; i < 12; i++) {
      await kit.advance(5_000);
      for (const host of [0, 1]) {
        if (kit.cluster.isAlive(host)) continue;
        dead = host;
        await kit.restart(host);
      }
    }
    const calls = kit.store.calls - first;
    const label = `${where} ${crashAt} (host ${dead})`;
    const count = (key: string, type: string): number =>
      kit.published({ kind: "account", key }).filter((event) => event.type === type).length;
    t.equal((await kit.must(AccountRef, "a", "balance", null)).balance, 70, `${label}: balance of a`);
    t.equal((await kit.must(AccountRef, "b", "balance", null)).balance, 30, `${label}: balance of b`);
    t.same(
      [
        count("a", "deposited"),
        count("a", "paid"),
        count("b", "received"),
        count("a", "charged"),
        count("a", "reminded"),
      ],
      [1, 1, 1, 1, 1],
      `${label}: everything happened once`,
    );
    t.equal(charges.size, 1, `${label}: one charge by its id`);
    await kit.close();
    return calls;
  };
  const calls = await story(-1, "crash-before");
  t.ok(calls > 8);
  const until = Math.min(calls, 40);
  for (let at = 1; at <= until; at++) {
    await story(at, "crash-before");
    await story(at, "crash-after");
  }
});
