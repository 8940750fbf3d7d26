import t from "tap";
import type { Json } from "../../../lib/json.js";
import { createMemoryActorStore } from "../../../store/memory/mod.js";
import type { EffectRunner } from "../ports.js";
import { Account, AccountRef, type AccountState } from "../testkit/fixtures/ledger.js";
import { createTestKit, type TestKit } from "../testkit/mod.js";

const kitOf = (charge: EffectRunner | null, settings = {}): TestKit =>
  createTestKit({
    definitions: [Account],
    store: (clock) => createMemoryActorStore({ clock }),
    effects: charge === null ? {} : { charge },
    settings,
  });

const charges = async (kit: TestKit): Promise<readonly Json[]> =>
  (await kit.stored<AccountState>("account", "a"))?.state.charges ?? [];

t.test("R-ENG-3: an effect is durable before it runs and its result comes back once", async (t) => {
  const seen: string[] = [];
  let kit: TestKit | null = null;
  kit = kitOf(async ({ effectId, actor, key, input, attempt }) => {
    const unsent = await kit!.store.inner.pendingTells(
      Array.from({ length: 512 }, (_, i) => i),
      10,
    );
    seen.push(`${effectId} ${actor.kind}/${actor.key} ${key} ${attempt} committed:${unsent.length}`);
    return { input };
  });
  await kit.must(AccountRef, "a", "charge", { key: "o1-1", amount: 5 });
  await kit.advance(1_000);
  t.same(seen, ["charge:account/a:o1-1 account/a o1-1 1 committed:1"]);
  t.same(await charges(kit), [{ ok: true, key: "o1-1", value: { input: { amount: 5 } } }]);
  t.equal(
    (
      await kit.store.inner.pendingTells(
        Array.from({ length: 512 }, (_, i) => i),
        10,
      )
    ).length,
    0,
  );
  await kit.close();
});

t.test("R-ENG-3: an effect that fails is tried again under the same id, and given up with a dead letter", async (t) => {
  const ids = new Set<string>();
  let attempts = 0;
  const kit = kitOf(
    async ({ effectId }) => {
      ids.add(effectId);
      attempts++;
      if (attempts < 4) throw new Error("not now");
      return { attempts };
    },
    { effectAttempts: 6 },
  );
  await kit.must(AccountRef, "a", "charge", { key: "k1", amount: 5 });
  await kit.advance(30_000);
  t.same(await charges(kit), [{ ok: true, key: "k1", value: { attempts: 4 } }]);
  t.equal(ids.size, 1);
  attempts = -1_000;
  await kit.must(AccountRef, "a", "charge", { key: "k2", amount: 5 });
  await kit.advance(120_000);
  const [, second] = (await charges(kit)) as { ok: boolean; code: string; key: string }[];
  t.same([second?.ok, second?.key, second?.code], [false, "k2", "effect_failed"]);
  t.equal(kit.deadLetters.length, 1);
  await kit.close();
});

t.test("R-ENG-3: an effect that never ends is tried again after its time limit", async (t) => {
  let attempts = 0;
  const kit = kitOf(() => (++attempts === 1 ? new Promise<Json>(() => {}) : Promise.resolve("done")));
  await kit.must(AccountRef, "a", "charge", { key: "k", amount: 5 });
  await kit.advance(60_000);
  t.same(await charges(kit), [{ ok: true, key: "k", value: "done" }]);
  await kit.close();
});

t.test("R-ENG-3: an effect without a runner fails for good and says so to its actor", async (t) => {
  const kit = kitOf(null, { effectAttempts: 2 });
  await kit.must(AccountRef, "a", "charge", { key: "k", amount: 5 });
  await kit.advance(60_000);
  const [only] = (await charges(kit)) as { ok: boolean }[];
  t.equal(only?.ok, false);
  t.equal(kit.deadLetters.length, 1);
  await kit.close();
});

t.test(
  "R-ENG-3: a crash while the effect runs, or before its result is committed, runs it again; it acts once",
  async (t) => {
    for (const fault of ["crash-before", "crash-after"] as const) {
      const ids: string[] = [];
      const kit = kitOf(async ({ effectId }) => {
        ids.push(effectId);
        if (ids.length === 1) kit.store.failNext("flush", fault);
        return ids.length;
      });
      void kit.send(AccountRef, "a", "charge", { key: "k", amount: 5 });
      await kit.advance(2_000);
      t.notOk(kit.cluster.isAlive(0));
      await kit.restart();
      await kit.advance(10_000);
      t.equal((await charges(kit)).length, 1, fault);
      t.equal(new Set(ids).size, 1);
      t.equal(ids.length, 2, "the outbox row was still there");
      await kit.close();
    }
  },
);

t.test("rule 16: only so many effects run at once", async (t) => {
  let running = 0;
  let most = 0;
  const kit = kitOf(
    async () => {
      running++;
      most = Math.max(most, running);
      await new Promise<void>((resolve) => kit.clock.after(100, resolve));
      running--;
      return null;
    },
    { effectConcurrency: 4 },
  );
  for (let i = 0; i < 20; i++) await kit.must(AccountRef, `k${i}`, "charge", { key: "k", amount: 1 });
  await kit.advance(5_000);
  t.equal(most, 4);
  t.equal(kit.stats().effectsWaiting, 0);
  await kit.close();
});

t.test(
  "R-ENG-3, rule 16: an effect runs only where the node may speak, and afterwards nothing is kept of it",
  async (t) => {
    let runs = 0;
    const kit = kitOf(async () => ++runs);
    await kit.must(AccountRef, "a", "deposit", { amount: 1 });
    kit.cluster.lease(0, false);
    void kit.send(AccountRef, "a", "charge", { key: "k", amount: 5 });
    await kit.advance(2_000);
    t.same([runs, kit.stats().effectsWaiting], [0, 1], "kept, and left to whoever may have the shard by now");
    kit.cluster.lease(0, true);
    await kit.advance(5_000);
    t.same([runs, kit.stats().effectsWaiting, (await charges(kit)).length], [1, 0, 1]);
    await kit.advance(70_000);
    t.equal(kit.stats().actors, 0, "its actor leaves memory as any other");
    await kit.close();
  },
);
