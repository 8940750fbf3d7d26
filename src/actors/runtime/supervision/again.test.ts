import t from "tap";
import type { Json } from "../../../lib/json.js";
import { encode } from "../../../lib/msgpack.js";
import { createMemoryActorStore } from "../../../store/memory/mod.js";
import { driveAgain } from "../again.js";
import type { Caller } from "../definition.js";
import type { EffectRunner } from "../ports.js";
import { shardOf } from "../shard.js";
import { Account, AccountRef, type AccountState } from "../testkit/fixtures/ledger.js";
import { createTestKit, type TestKit } from "../testkit/mod.js";

const ADMIN: Caller = { id: "root", role: "admin" };
const ANN: Caller = { id: "ann", role: "customer" };

const kitOf = (charge?: EffectRunner, settings = {}): TestKit =>
  createTestKit({
    definitions: [Account],
    store: (clock) => createMemoryActorStore({ clock }),
    effects: charge === undefined ? {} : { charge },
    settings,
  });

async function release(kit: TestKit, commands: object): Promise<void> {
  kit.cluster.release([{ ...Account, commands: { ...Account.commands, ...commands } }]);
  await kit.crash();
  await kit.restart();
}

const broken = () => {
  throw new TypeError("no such thing");
};

/** Drives the only letter there is. */
const again = (kit: TestKit, commandId = "again", letter = kit.deadLetters[0]!) =>
  kit.run(() => driveAgain(kit.client, letter, { commandId, caller: ADMIN }));

const state = async (kit: TestKit, key = "a") => (await kit.stored<AccountState>("account", key))!.state;

t.test("R-ADM-5: a quarantined command says why and who asked, and runs once when its cause is mended", async (t) => {
  const kit = kitOf();
  await kit.must(AccountRef, "a", "deposit", { amount: 1 });
  await release(kit, { deposit: broken });
  for (let i = 0; i < 4; i++) {
    await kit.ask(AccountRef, "a", "deposit", { amount: 5 }, { commandId: "c", caller: ANN });
  }
  t.match(kit.deadLetters, [
    { name: "deposit", reason: "its handler threw 3 times: TypeError: no such thing", attempts: 3, caller: ANN },
  ]);
  for (let i = 0; i < 5; i++) {
    const early = await again(kit);
    t.same(!early.ok && early.error.code, "internal", "its cause is still there");
  }
  t.equal(kit.deadLetters.length, 1, "what is driven again is put aside no second time");
  const seen: unknown[] = [];
  await release(kit, {
    deposit: (ctx: Parameters<typeof Account.commands.deposit>[0], input: { amount: number }) => {
      seen.push(ctx.command.caller);
      return Account.commands.deposit(ctx, input);
    },
  });
  for (let i = 0; i < 2; i++) t.match(await again(kit), { ok: true, value: { balance: 6 } });
  await kit.crash();
  await kit.restart();
  t.match(await again(kit), { ok: true, value: { balance: 6 } }, "remembered over failover");
  t.same(seen, [ANN], "in the name of who had asked, and once");
  t.equal((await state(kit)).balance, 6);
  await kit.close();
});

t.test("R-ADM-5: what was wanted until then is not done later", async (t) => {
  const kit = kitOf();
  await kit.must(AccountRef, "a", "deposit", { amount: 1 });
  await release(kit, { deposit: broken });
  const notAfter = kit.clock.now() + 60_000;
  for (let i = 0; i < 3; i++) {
    await kit.ask(AccountRef, "a", "deposit", { amount: 5 }, { commandId: "c", caller: ANN, notAfter });
  }
  await release(kit, {});
  await kit.advance(61_000);
  t.match(await again(kit), { ok: false, error: { code: "expired" } });
  const { caller: _, ...old } = kit.deadLetters[0]!;
  t.match(await again(kit, "b", old), { ok: false, error: { code: "unknown_caller", temporary: false } });
  t.equal((await state(kit)).balance, 1);
  await kit.close();
});

t.test("R-ADM-5: a poisoned tell, a timer and an effect's result are driven again as what they were", async (t) => {
  const kit = kitOf(async () => "paid");
  const to = { kind: "account", key: "a" };
  const from = { kind: "account", key: "sender" };
  await kit.must(AccountRef, "a", "deposit", { amount: 1 });
  const senders: unknown[] = [];
  await release(kit, { receive: broken, reminded: broken, charged: broken });
  await kit.must(AccountRef, "a", "remind", { name: "r", inMs: 100 });
  await kit.must(AccountRef, "a", "charge", { key: "k", amount: 5 });
  for (let i = 0; i < 3; i++) {
    const input = encode({ amount: 3, from: "s" });
    await kit.inject(to, { t: "tell", from, number: 1, to, name: "receive", input });
    await kit.advance(30_000);
  }
  t.same(kit.deadLetters.map(({ name }) => name).sort(), ["charged", "receive", "reminded"]);
  await release(kit, {
    receive: (ctx: Parameters<typeof Account.commands.receive>[0], input: { amount: number; from: string }) => {
      senders.push(ctx.command.from);
      return Account.commands.receive(ctx, input);
    },
  });
  for (let round = 0; round < 2; round++) {
    for (const letter of kit.deadLetters) t.match(await again(kit, `again ${letter.id}`, letter), { ok: true });
  }
  t.same(senders, [from]);
  t.match(await state(kit), {
    balance: 4,
    reminders: [{ name: "r" }],
    charges: [{ ok: true, key: "k", value: "paid" }],
  });
  await kit.close();
});

t.test(
  "R-ADM-5: an effect that was given up runs again under the id that the world knows, and acts once",
  async (t) => {
    const ids: string[] = [];
    let isDown = true;
    const kit = kitOf(
      async ({ effectId, input }): Promise<Json> => {
        if (isDown) throw new Error("not today");
        ids.push(effectId);
        return { input };
      },
      { effectAttempts: 3 },
    );
    await kit.must(AccountRef, "a", "charge", { key: "k", amount: 5 });
    await kit.advance(60_000);
    t.match(kit.deadLetters, [{ name: "effect charge", reason: "Error: not today", attempts: 3 }]);
    t.match(await again(kit, "first"), { ok: true }, "it is under way");
    await kit.advance(60_000);
    t.equal(kit.deadLetters.length, 2, "still in vain: that is a letter of its own");
    isDown = false;
    for (let i = 0; i < 2; i++) t.match(await again(kit, "second", kit.deadLetters[1]), { ok: true });
    await kit.crash();
    await kit.restart();
    await kit.advance(60_000);
    t.same(new Set(ids), new Set(["charge:account/a:k"]));
    const charges = (await state(kit)).charges as readonly { ok: boolean }[];
    t.same(
      charges.map(({ ok }) => ok),
      [false, false, true],
    );
    const nobody = { ...kit.deadLetters[0]!, key: "nobody" };
    t.match(await again(kit, "third", nobody), { ok: false, error: { code: "not_found" } });
    t.equal(await kit.stored("account", "nobody"), null, "no actor comes of it");
    await kit.close();
  },
);

t.test("R-ADM-5: a tell that nobody took is told again by its sender, in the line of what it tells", async (t) => {
  const kit = createTestKit({
    definitions: [Account],
    store: (clock) => createMemoryActorStore({ clock }),
    hosts: 2,
    settings: { tellAttempts: 2 },
  });
  const keyOn = (host: number): string => {
    for (let i = 0; ; i++) if (shardOf({ kind: "account", key: `k${i}` }) % 2 === host) return `k${i}`;
  };
  const [here, there] = [keyOn(0), keyOn(1)];
  await kit.must(AccountRef, here, "deposit", { amount: 10 });
  kit.linkFault = (_from, _to, message) => (message.t === "tell" ? "drop" : null);
  await kit.must(AccountRef, here, "pay", { to: there, amount: 4 });
  await kit.advance(60_000);
  t.match(kit.deadLetters, [{ id: `tell:account/${here}:1`, key: there, name: "receive", attempts: 2 }]);
  kit.linkFault = () => null;
  await kit.must(AccountRef, here, "pay", { to: there, amount: 1 });
  for (let i = 0; i < 2; i++) t.match(await again(kit), { ok: true });
  await kit.advance(5_000);
  t.equal((await state(kit, there)).balance, 5);
  await kit.close();
});
