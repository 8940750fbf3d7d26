import t from "tap";
import { createMemoryActorStore } from "../../../store/memory/mod.js";
import { actorRef, defineActor } from "../definition.js";
import { createTestKit, type TestKit } from "../testkit/mod.js";

type ShelfContract = {
  put: { input: { what: string }; reply: { count: number } };
  look: { input: null; reply: readonly string[] };
  note: { input: { what: string }; reply: null };
};
const ShelfRef = actorRef<ShelfContract>("shelf");
const Shelf = defineActor<ShelfContract, { held: readonly string[] }>({
  ref: ShelfRef,
  version: 1,
  durability: "commit",
  idleMs: 60_000,
  init: () => ({ held: [] }),
  volatileCommands: ["look"],
  commands: {
    put(ctx, { what }) {
      ctx.become({ held: [...ctx.state.held, what] });
      return { count: ctx.state.held.length };
    },
    look: (ctx) => ctx.state.held,
    note(ctx, { what }) {
      ctx.become({ held: [...ctx.state.held, what] });
      ctx.mayWait(250);
      return null;
    },
  },
});

type ClerkContract = { write: { input: { what: readonly string[] }; reply: null } };
const ClerkRef = actorRef<ClerkContract>("clerk");
const Clerk = defineActor<ClerkContract, { written: number }>({
  ref: ClerkRef,
  version: 1,
  durability: "commit",
  idleMs: 60_000,
  init: () => ({ written: 0 }),
  commands: {
    write(ctx, { what }) {
      for (const one of what) ctx.tell(ShelfRef, "s", "note", { what: one });
      ctx.become({ written: ctx.state.written + what.length });
      return null;
    },
  },
});

const kitOf = (): TestKit =>
  createTestKit({
    definitions: [Shelf, Clerk],
    store: (clock) => createMemoryActorStore({ clock, latencyMs: 1 }),
  });
const shelfCommits = (kit: TestKit): number => kit.store.committed.filter(({ kind }) => kind === "shelf").length;

t.test("R-ENG-3: what nobody waits for goes with the actor's next commit, or by itself after a while", async (t) => {
  const kit = kitOf();
  await kit.must(ShelfRef, "s", "put", { what: "a" });
  for (const clerk of ["c1", "c2", "c3"]) await kit.must(ClerkRef, clerk, "write", { what: [clerk] });
  await kit.advance(50);
  t.equal(shelfCommits(kit), 1, "put off");
  t.same(await kit.must(ShelfRef, "s", "put", { what: "b" }), { count: 5 });
  t.equal(shelfCommits(kit), 2, "one commit for four");
  await kit.must(ClerkRef, "c1", "write", { what: ["d"] });
  await kit.advance(400);
  t.equal(shelfCommits(kit), 3, "not put off for ever");
  const shards = Array.from({ length: 512 }, (_, shard) => shard);
  t.same(await kit.run(() => kit.store.inner.pendingTells(shards, 10)), [], "and its sender is done with it");
  t.same(kit.logs, []);
  await kit.close();
});

t.test(
  "rule 11: a reader never sees what is put off before it is committed, and does not wait for it long",
  async (t) => {
    const kit = kitOf();
    await kit.must(ShelfRef, "s", "put", { what: "a" });
    await kit.must(ClerkRef, "c", "write", { what: ["b"] });
    await kit.advance(20);
    t.equal(shelfCommits(kit), 1);
    t.same(await kit.must(ShelfRef, "s", "look", null), ["a", "b"]);
    t.equal(shelfCommits(kit), 2, "committed before it was read");
    await kit.close();
  },
);

t.test("rule 11: what was put off and lost in a crash is told again, once", async (t) => {
  const kit = kitOf();
  await kit.must(ShelfRef, "s", "put", { what: "a" });
  await kit.must(ClerkRef, "c", "write", { what: ["b", "c"] });
  await kit.advance(20);
  t.equal(shelfCommits(kit), 1);
  await kit.crash();
  await kit.restart();
  await kit.advance(3_000);
  t.same(await kit.must(ShelfRef, "s", "look", null), ["a", "b", "c"]);
  t.same(kit.deadLetters, []);
  await kit.close();
});
