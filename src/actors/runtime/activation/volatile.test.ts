import t from "tap";
import type { Json } from "../../../lib/json.js";
import { createMemoryActorStore } from "../../../store/memory/mod.js";
import { actorRef, defineActor } from "../definition.js";
import { Account, AccountRef } from "../testkit/fixtures/ledger.js";
import { createTestKit, type TestKit } from "../testkit/mod.js";

type BoardContract = {
  see: { input: { who: string }; reply: { count: number } };
  list: { input: null; reply: readonly string[] };
  alarm: { input: { inMs: number }; reply: null };
  rang: { input: null; reply: null };
  gift: { input: { to: string; amount: number }; reply: null };
  lookUp: { input: Json; reply: null };
  found: { input: Json; reply: null };
  publish: { input: null; reply: null };
};
const BoardRef = actorRef<BoardContract>("board");

/** A volatile actor that rebuilds what it knows from the index. */
const Board = defineActor<BoardContract, { seen: readonly string[] }, { funded: string[] }>({
  ref: BoardRef,
  version: 1,
  durability: "volatile",
  idleMs: 30_000,
  init: () => ({ seen: [] }),
  volatile: () => ({ funded: [] }),
  hydrate: {
    queries: () => [{ kind: "account", scope: "bank", live: true, limit: 100 }],
    apply: (ctx, rows) => {
      for (const row of rows) ctx.volatile.funded.push(row.key);
    },
  },
  commands: {
    see(ctx, { who }) {
      ctx.become({ seen: [...ctx.state.seen, who] });
      return { count: ctx.state.seen.length };
    },
    list: (ctx) => [...ctx.volatile.funded].sort().concat(ctx.state.seen),
    alarm(ctx, { inMs }) {
      ctx.timer("alarm", { at: ctx.now + inMs, run: "rang" });
      return null;
    },
    rang(ctx) {
      ctx.become({ seen: [...ctx.state.seen, "rang"] });
      return null;
    },
    gift(ctx, { to, amount }) {
      ctx.tell(AccountRef, to, "receive", { amount, from: "board" });
      return null;
    },
    lookUp(ctx, input) {
      ctx.effect("lookUp", "k", input, "found");
      return null;
    },
    found(ctx, result) {
      ctx.become({ seen: [...ctx.state.seen, JSON.stringify(result)] });
      return null;
    },
    publish(ctx) {
      ctx.publish("never", null);
      return null;
    },
  },
});

const kitOf = (): TestKit =>
  createTestKit({
    definitions: [Account, Board],
    store: (clock) => createMemoryActorStore({ clock }),
    effects: { lookUp: async ({ input }) => ({ echoed: input }) },
  });

t.test("R-ENG-9: a volatile actor keeps nothing, commits nothing and rebuilds itself from the index", async (t) => {
  const kit = kitOf();
  await kit.must(AccountRef, "rich", "deposit", { amount: 10 });
  await kit.ask(AccountRef, "poor", "pay", { to: "x", amount: 1 });
  const commits = kit.store.committed.length;
  t.same(await kit.must(BoardRef, "b", "see", { who: "one" }), { count: 1 });
  t.same(await kit.must(BoardRef, "b", "see", { who: "one" }, { commandId: "same" }), { count: 2 });
  t.same(await kit.must(BoardRef, "b", "see", { who: "one" }, { commandId: "same" }), { count: 3 });
  t.same(await kit.must(BoardRef, "b", "list", null), ["rich", "one", "one", "one"]);
  t.equal(kit.store.committed.length, commits);
  await kit.crash();
  await kit.restart();
  t.same(await kit.must(BoardRef, "b", "list", null), ["rich"]);
  await kit.close();
});

t.test("R-ENG-9: timers of a volatile actor live in memory and keep it there", async (t) => {
  const kit = kitOf();
  await kit.must(BoardRef, "b", "alarm", { inMs: 100_000 });
  await kit.advance(99_000);
  t.equal(kit.stats().actors, 1);
  await kit.advance(1_100);
  t.same(await kit.must(BoardRef, "b", "list", null), ["rang"]);
  await kit.advance(32_000);
  t.equal(kit.stats().actors, 0, "then it may leave");
  await kit.close();
});

t.test("R-ENG-9: what a volatile actor tells and asks of the world is said once; it cannot publish", async (t) => {
  const kit = kitOf();
  await kit.must(BoardRef, "b", "gift", { to: "a", amount: 4 });
  await kit.must(BoardRef, "b", "lookUp", { q: 1 });
  await kit.advance(100);
  t.equal((await kit.must(AccountRef, "a", "balance", null)).balance, 4);
  t.same(await kit.must(BoardRef, "b", "list", null), ['{"ok":true,"key":"k","value":{"echoed":{"q":1}}}']);
  const refused = await kit.ask(BoardRef, "b", "publish", null);
  t.equal(!refused.ok && refused.error.code, "internal");
  await kit.close();
});
