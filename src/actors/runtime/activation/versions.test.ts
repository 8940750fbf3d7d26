import t from "tap";
import type { Json, JsonObject } from "../../../lib/json.js";
import { createMemoryActorStore } from "../../../store/memory/mod.js";
import { type AnyActorDefinition, actorRef, defineActor } from "../definition.js";
import { createTestKit, type TestKit } from "../testkit/mod.js";

type CounterContract = {
  add: { input: { by: number }; reply: { total: number } };
  read: { input: null; reply: Json };
};
const CounterRef = actorRef<CounterContract>("counter");

/** Release 1 counts in `n`; release 2 calls it `total`; release 3 keeps a `unit` beside it. */
const release = (version: number): AnyActorDefinition => {
  const field = version === 1 ? "n" : "total";
  return defineActor<CounterContract, JsonObject>({
    ref: CounterRef,
    version,
    durability: "commit",
    idleMs: 60_000,
    init: () => ({ [field]: 0 }),
    migrate: {
      1: (state) => {
        const { n, ...rest } = state as JsonObject;
        return { ...rest, total: n };
      },
      2: (state) => ({ ...(state as JsonObject), unit: "pieces" }),
    },
    volatileCommands: ["read"],
    commands: {
      add(ctx, { by }) {
        const total = (ctx.state[field] as number) + by;
        ctx.become({ ...ctx.state, [field]: total });
        return { total };
      },
      read: (ctx) => ctx.state,
    },
  });
};

const kitOf = (): TestKit =>
  createTestKit({ definitions: [release(1)], store: (clock) => createMemoryActorStore({ clock }) });

const upgrade = async (kit: TestKit, definition: AnyActorDefinition): Promise<void> => {
  await kit.crash();
  kit.cluster.release([definition]);
  await kit.restart();
};

t.test(
  "R-ENG-10: an older snapshot is migrated step by step, and written in the new shape with the next change",
  async (t) => {
    const kit = kitOf();
    await kit.must(CounterRef, "a", "add", { by: 5 });
    await upgrade(kit, release(3));
    t.same(await kit.must(CounterRef, "a", "read", null), { total: 5, unit: "pieces" });
    t.equal((await kit.stored("counter", "a"))?.version, 1, "reading writes nothing");
    t.same(await kit.must(CounterRef, "a", "add", { by: 1 }), { total: 6 });
    t.same(await kit.stored("counter", "a"), { state: { total: 6, unit: "pieces" }, seq: 2, version: 3 });
    await kit.close();
  },
);

t.test("R-ENG-10: a newer snapshot refuses to load and is never written over", async (t) => {
  const kit = kitOf();
  await upgrade(kit, release(3));
  await kit.must(CounterRef, "a", "add", { by: 5 });
  const before = await kit.stored("counter", "a");
  await upgrade(kit, release(2));
  const refused = await kit.ask(CounterRef, "a", "add", { by: 1 });
  t.same(!refused.ok && [refused.error.code, refused.error.detail], ["unavailable", { reason: "newer_snapshot" }]);
  t.ok(kit.logs.some((line) => line.level === "error"));
  t.same(await kit.stored("counter", "a"), before);
  t.same(await kit.must(CounterRef, "b", "add", { by: 1 }), { total: 1 }, "other actors are served");
  await upgrade(kit, release(3));
  t.same(await kit.must(CounterRef, "a", "add", { by: 1 }), { total: 6 });
  await kit.close();
});

t.test("R-ENG-10: a release keeps what the release after it added without a new version", async (t) => {
  const kit = kitOf();
  const next = {
    ...release(1),
    commands: {
      ...release(1).commands,
      add: (ctx: never, { by }: { by: number }) => {
        const context = ctx as { state: JsonObject; become(state: JsonObject): void };
        const total = (context.state.n as number) + by;
        context.become({ ...context.state, n: total, addedLater: "kept" });
        return { total };
      },
    },
  } as unknown as AnyActorDefinition;
  await upgrade(kit, next);
  await kit.must(CounterRef, "a", "add", { by: 1 });
  await upgrade(kit, release(1));
  await kit.must(CounterRef, "a", "add", { by: 1 });
  t.same((await kit.stored("counter", "a"))?.state, { n: 2, addedLater: "kept" });
  await kit.close();
});

t.test("R-ENG-10: without a migration the old snapshot is refused rather than guessed at", async (t) => {
  const kit = kitOf();
  await kit.must(CounterRef, "a", "add", { by: 5 });
  const { migrate: _, ...bare } = release(2);
  await upgrade(kit, bare as AnyActorDefinition);
  const refused = await kit.ask(CounterRef, "a", "add", { by: 1 });
  t.same(!refused.ok && refused.error.detail, { reason: "no_migration" });
  t.equal((await kit.stored("counter", "a"))?.seq, 1);
  await kit.close();
});
