import t from "tap";
import { createMemoryActorStore } from "../../../store/memory/mod.js";
import { actorRef, defineActor } from "../definition.js";
import { Account, AccountRef } from "../testkit/fixtures/ledger.js";
import { createTestKit, type TestKit } from "../testkit/mod.js";

const kitOf = (hosts = 1): TestKit =>
  createTestKit({ definitions: [Account], store: (clock) => createMemoryActorStore({ clock }), hosts });

t.test("R-ENG-4, rule 2: a repeated command id gets the first answer again", async (t) => {
  const kit = kitOf();
  const first = await kit.ask(AccountRef, "a", "deposit", { amount: 5 }, { commandId: "c1" });
  t.same(await kit.ask(AccountRef, "a", "deposit", { amount: 5 }, { commandId: "c1" }), first);
  await kit.must(AccountRef, "a", "deposit", { amount: 1 });
  t.same(await kit.ask(AccountRef, "a", "deposit", { amount: 5 }, { commandId: "c1" }), first, "also after others");
  await kit.crash();
  await kit.restart();
  t.same(await kit.ask(AccountRef, "a", "deposit", { amount: 5 }, { commandId: "c1" }), first, "also after failover");
  t.equal((await kit.must(AccountRef, "a", "balance", null)).balance, 6);
  await kit.close();
});

t.test("R-ENG-4: repeats that arrive while the first is not committed wait and hear the same", async (t) => {
  const kit = kitOf();
  await kit.must(AccountRef, "a", "balance", null);
  kit.store.failNext("flush", { delayMs: 500 });
  const ask = () => kit.send(AccountRef, "a", "deposit", { amount: 5 }, { commandId: "c1" });
  const replies = await kit.run(() => Promise.all([ask(), ask(), ask(), ask(), ask()]));
  for (const reply of replies) t.same(reply, { ok: true, value: { balance: 5, version: 1 } });
  t.equal(kit.published().length, 1);
  await kit.close();
});

t.test("R-ENG-4: refusals are remembered, also of an actor that did not exist", async (t) => {
  const kit = kitOf();
  const refused = await kit.ask(AccountRef, "a", "pay", { to: "b", amount: 5 }, { commandId: "c1" });
  t.equal(!refused.ok && refused.error.code, "balance_too_low");
  await kit.must(AccountRef, "a", "deposit", { amount: 50 });
  await kit.crash();
  await kit.restart();
  t.same(await kit.ask(AccountRef, "a", "pay", { to: "b", amount: 5 }, { commandId: "c1" }), refused);
  const detailed = await kit.ask(AccountRef, "a", "deposit", { amount: -1 }, { commandId: "c2" });
  await kit.crash();
  await kit.restart();
  t.same(await kit.ask(AccountRef, "a", "deposit", { amount: -1 }, { commandId: "c2" }), detailed);
  t.same(!detailed.ok && detailed.error, { code: "bad_amount", temporary: false, detail: { amount: -1 } });
  await kit.close();
});

type WaverContract = {
  waver: { input: { name: string; refused: boolean }; reply: null };
  look: { input: null; reply: string };
};
const WaverRef = actorRef<WaverContract>("waver");
/** Does everything that a handler may do before it says yes or no. */
const Waver = defineActor<WaverContract, { name: string }>({
  ref: WaverRef,
  version: 1,
  durability: "commit",
  idleMs: 60_000,
  init: () => ({ name: "nobody" }),
  volatileCommands: ["look"],
  commands: {
    waver(ctx, { name, refused }) {
      ctx.become({ name });
      ctx.publish("wavered", { name });
      ctx.claim("name", name);
      ctx.tell(AccountRef, "a", "deposit", { amount: 1 });
      ctx.timer("again", { at: ctx.now + 1_000, run: "waver", input: { name: "woken", refused: false } });
      return refused ? ctx.reject("refused") : null;
    },
    look: (ctx) => ctx.state.name,
  },
});

t.test("R-ENG-4: a handler that refuses has done nothing, whatever it did before", async (t) => {
  const kit = createTestKit({ definitions: [Waver, Account], store: (clock) => createMemoryActorStore({ clock }) });
  await kit.must(WaverRef, "w", "waver", { name: "first", refused: false });
  const refused = await kit.ask(WaverRef, "w", "waver", { name: "second", refused: true });
  t.equal(!refused.ok && refused.error.code, "refused");
  t.equal(await kit.must(WaverRef, "w", "look", null), "first");
  const { tells, timersSet, events, claims } = kit.store.committed.at(-1)!;
  t.same([tells, timersSet, events, claims], [[], [], [], []]);
  await kit.close();
});

t.test("R-ENG-4: the same id with another body is `key_reused`", async (t) => {
  const kit = kitOf();
  await kit.must(AccountRef, "a", "deposit", { amount: 5 }, { commandId: "c1", bodyHash: "h5" });
  const other = await kit.ask(AccountRef, "a", "deposit", { amount: 6 }, { commandId: "c1", bodyHash: "h6" });
  t.equal(!other.ok && other.error.code, "key_reused");
  t.ok((await kit.ask(AccountRef, "a", "deposit", { amount: 5 }, { commandId: "c1", bodyHash: "h5" })).ok);
  await kit.close();
});

t.test("R-ENG-4: ids beyond those in memory are guarded by the store", async (t) => {
  const kit = kitOf();
  const first = await kit.ask(AccountRef, "a", "deposit", { amount: 5 }, { commandId: "old" });
  for (let i = 0; i < 300; i++) await kit.must(AccountRef, "a", "deposit", { amount: 1 });
  await kit.crash();
  await kit.restart();
  t.same(await kit.ask(AccountRef, "a", "deposit", { amount: 5 }, { commandId: "old" }), first);
  t.equal((await kit.must(AccountRef, "a", "balance", null)).balance, 305);
  const neighbours = await kit.run(() =>
    Promise.all([
      kit.send(AccountRef, "a", "deposit", { amount: 1 }, { commandId: "n1" }),
      kit.send(AccountRef, "a", "deposit", { amount: 5 }, { commandId: "old" }),
      kit.send(AccountRef, "a", "deposit", { amount: 1 }, { commandId: "n2" }),
    ]),
  );
  t.same(
    neighbours.map((reply) => reply.ok && reply.value.balance),
    [306, 5, 307],
  );
  await kit.close();
});

t.test("R-ENG-4: a command past its `notAfter` does nothing, unless it was done in time", async (t) => {
  const kit = kitOf();
  const notAfter = kit.now + 1_000;
  const first = await kit.ask(AccountRef, "a", "deposit", { amount: 5 }, { commandId: "c1", notAfter });
  for (let i = 0; i < 300; i++) await kit.must(AccountRef, "a", "deposit", { amount: 1 });
  await kit.advance(60_000);
  t.same(await kit.ask(AccountRef, "a", "deposit", { amount: 5 }, { commandId: "c1", notAfter }), first);
  const late = await kit.ask(AccountRef, "a", "deposit", { amount: 5 }, { commandId: "c2", notAfter });
  t.equal(!late.ok && late.error.code, "expired");
  t.equal((await kit.must(AccountRef, "a", "balance", null)).balance, 305);
  await kit.close();
});

t.test("R-ENG-2: messages of one sender run in order, also while the actor is being loaded", async (t) => {
  const kit = kitOf();
  kit.store.failNext("load", { delayMs: 200 });
  const order: number[] = [];
  await kit.run(() =>
    Promise.all(
      Array.from({ length: 50 }, async (_, i) => {
        const reply = await kit.send(AccountRef, "a", "deposit", { amount: 1 });
        if (reply.ok) order.push(reply.value.balance - 1 - i);
      }),
    ),
  );
  t.same(order, new Array(50).fill(0));
  await kit.close();
});

t.test("R-ENG-2: time in a context never precedes the last commit of the actor", async (t) => {
  const kit = kitOf();
  await kit.advance(10_000);
  await kit.must(AccountRef, "a", "deposit", { amount: 1 });
  const committedAt = kit.now;
  const store = kit.store.inner;
  const later = createTestKit({ definitions: [Account], store, startAt: committedAt - 5_000 });
  t.ok((await later.must(AccountRef, "a", "clock", null)).now >= committedAt - 3, "a clock set back is not believed");
  await later.close();
  await kit.close();
});

t.test("R-ENG-1: commands and kinds that do not exist are refused", async (t) => {
  const kit = kitOf();
  const unknown = await kit.ask({ kind: "account" }, "a", "nonsense", null);
  t.equal(!unknown.ok && unknown.error.code, "unknown_command");
  const nobody = await kit.ask({ kind: "nobody" }, "a", "nonsense", null);
  t.equal(!nobody.ok && nobody.error.code, "unavailable");
  await kit.close();
});

t.test(
  "R-ENG-9: volatile commands are not remembered and never commit; reads see the newest committed state",
  async (t) => {
    const kit = kitOf();
    await kit.must(AccountRef, "a", "deposit", { amount: 1 });
    const commits = kit.store.committed.length;
    for (let i = 0; i < 100; i++) await kit.cast(AccountRef, "a", "ping", { n: 1 });
    const one = await kit.must(AccountRef, "a", "balance", null, { commandId: "same" });
    await kit.must(AccountRef, "a", "deposit", { amount: 1 });
    const two = await kit.must(AccountRef, "a", "balance", null, { commandId: "same" });
    t.same([one.balance, two.balance], [1, 2], "the same id is answered anew");
    t.same([one.version, two.version], [1, 2], "a read counts no version");
    t.equal(kit.store.committed.length, commits + 1);
    await kit.close();
  },
);
