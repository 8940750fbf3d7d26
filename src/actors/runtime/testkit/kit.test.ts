import t from "tap";
import { createMemoryActorStore } from "../../../store/memory/mod.js";
import { Account, AccountRef, type AccountState } from "./fixtures/ledger.js";
import { createTestKit } from "./mod.js";

const kitOf = (seed = 1, hosts = 1) =>
  createTestKit({ definitions: [Account], store: (clock) => createMemoryActorStore({ clock }), seed, hosts });

t.test("R-ENG-11: the kit asks, lets time pass, crashes and restarts on a virtual clock", async (t) => {
  const kit = kitOf();
  const startedAt = kit.now;
  t.same(await kit.ask(AccountRef, "a", "deposit", { amount: 5 }), { ok: true, value: { balance: 5, version: 1 } });
  await kit.must(AccountRef, "a", "remind", { name: "later", inMs: 3_600_000 });
  t.ok(kit.now - startedAt < 1_000, "asking takes only the time it needs");
  await kit.crash();
  await kit.restart();
  t.equal((await kit.must(AccountRef, "a", "balance", null)).balance, 5, "what was acknowledged survives");
  await kit.advance(3_600_000);
  const stored = await kit.stored<AccountState>("account", "a");
  t.equal(stored?.state.reminders.length, 1);
  t.same(stored?.state.profile, { about: "changes rarely" }, "cold parts are put back");
  t.same(
    kit.published({ kind: "account", key: "a" }).map((event) => [event.offset, event.type]),
    [
      [1, "deposited"],
      [2, "reminded"],
    ],
  );
  t.same(kit.logs, []);
  await kit.close();
});

t.test("R-ENG-11: one seed gives one run", async (t) => {
  const run = async (seed: number): Promise<string> => {
    const kit = kitOf(seed, 2);
    await kit.must(AccountRef, "a", "deposit", { amount: 100 });
    for (let i = 0; i < 10; i++) await kit.must(AccountRef, "a", "pay", { to: `b${i}`, amount: i + 1 });
    await kit.advance(5_000);
    const text = JSON.stringify([kit.now, kit.store.committed.map(({ kind, key, seq }) => [kind, key, seq])]);
    await kit.close();
    return text;
  };
  t.equal(await run(7), await run(7));
});
