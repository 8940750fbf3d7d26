import t from "tap";
import { decode, encode } from "../../../lib/msgpack.js";
import { createMemoryActorStore } from "../../../store/memory/mod.js";
import { Account, AccountRef, type AccountState } from "../testkit/fixtures/ledger.js";
import { createTestKit, type TestKit } from "../testkit/mod.js";

const kitOf = (settings = {}): TestKit =>
  createTestKit({ definitions: [Account], store: (clock) => createMemoryActorStore({ clock }), settings });

t.test("R-ENG-8: a throwing handler leaves no trace and answers `internal`", async (t) => {
  const kit = kitOf();
  await kit.must(AccountRef, "a", "deposit", { amount: 5 });
  kit.store.failNext("flush", { delayMs: 50 });
  const [before, thrown, after] = await kit.run(() =>
    Promise.all([
      kit.send(AccountRef, "a", "deposit", { amount: 1 }),
      kit.send(AccountRef, "a", "explode", {}),
      kit.send(AccountRef, "a", "deposit", { amount: 1 }),
    ]),
  );
  t.equal(before?.ok && before.value.balance, 6);
  t.same(!thrown?.ok && thrown?.error, { code: "internal", temporary: true });
  t.equal(after?.ok && after.value.balance, 7);
  t.ok(kit.logs.some((line) => line.level === "error" && String(line.fields.error).includes("boom")));
  await kit.close();
});

t.test("R-ENG-8: three throws on one command id quarantine that command, for good", async (t) => {
  const kit = kitOf();
  await kit.must(AccountRef, "a", "deposit", { amount: 5 });
  const codes: (string | false)[] = [];
  for (let i = 0; i < 5; i++) {
    const reply = await kit.ask(AccountRef, "a", "explode", {}, { commandId: "poison" });
    codes.push(!reply.ok && reply.error.code);
  }
  t.same(codes, ["internal", "internal", "quarantined", "quarantined", "quarantined"]);
  t.equal(kit.stats().handlerThrows, 3, "it never ran again");
  t.same(
    kit.deadLetters.map((letter) => [letter.kind, letter.key, letter.name, decode(letter.input)]),
    [["account", "a", "explode", {}]],
  );
  await kit.crash();
  await kit.restart();
  const later = await kit.ask(AccountRef, "a", "explode", {}, { commandId: "poison" });
  t.equal(!later.ok && later.error.code, "quarantined", "remembered over failover");
  t.equal((await kit.must(AccountRef, "a", "balance", null)).balance, 5, "others are served");
  await kit.close();
});

t.test("R-ENG-8: a poisoned tell is put aside and acknowledged, so that those behind it get through", async (t) => {
  const kit = kitOf();
  const to = { kind: "account", key: "a" };
  const from = { kind: "account", key: "sender" };
  for (let i = 0; i < 3; i++) {
    await kit.inject(to, { t: "tell", from, number: 1, to, name: "explode", input: encode({}) });
    await kit.advance(100);
  }
  t.equal(kit.deadLetters.length, 1);
  t.same(
    kit.rawAnswers.filter((message) => message.t === "told"),
    [{ t: "told", from, number: 1 }],
  );
  await kit.inject(to, { t: "tell", from, number: 2, to, name: "receive", input: encode({ amount: 3, from: "s" }) });
  await kit.advance(100);
  t.equal((await kit.must(AccountRef, "a", "balance", null)).balance, 3);
  await kit.close();
});

t.test("R-ENG-8: a timer whose command throws is tried again and then put aside", async (t) => {
  const kit = kitOf();
  const broken = {
    ...Account,
    commands: {
      ...Account.commands,
      reminded: () => {
        throw new Error("boom");
      },
    },
  };
  kit.cluster.release([broken]);
  await kit.crash();
  await kit.restart();
  await kit.must(AccountRef, "a", "remind", { name: "r", inMs: 100 });
  await kit.advance(30_000);
  t.equal(kit.stats().handlerThrows, 3);
  t.equal(kit.deadLetters.length, 1);
  kit.cluster.release([Account]);
  await kit.crash();
  await kit.restart();
  await kit.advance(60_000);
  t.same((await kit.stored<AccountState>("account", "a"))?.state.reminders, [], "the timer is gone");
  await kit.close();
});

t.test("R-ENG-8: the quarantine waits for the dead letter to be kept", async (t) => {
  const kit = kitOf();
  kit.store.failNext("deadLetter", "unavailable", 2);
  const codes: (string | false)[] = [];
  for (let i = 0; i < 6; i++) {
    const reply = await kit.ask(AccountRef, "a", "explode", {}, { commandId: "poison" });
    codes.push(!reply.ok && reply.error.code);
  }
  t.same(codes, ["internal", "internal", "internal", "internal", "quarantined", "quarantined"]);
  t.equal(kit.deadLetters.length, 1);
  await kit.close();
});

t.test("R-ENG-8: a handler that returns a promise or uses its context later is a fault", async (t) => {
  const kit = kitOf();
  let leaked: { become(state: AccountState): void } | null = null;
  const sloppy = {
    ...Account,
    commands: {
      ...Account.commands,
      trimNotes: (async () => null) as never,
      show: ((ctx: never) => {
        leaked = ctx;
        return null;
      }) as never,
    },
  };
  kit.cluster.release([sloppy]);
  await kit.crash();
  await kit.restart();
  const promised = await kit.ask(AccountRef, "a", "trimNotes", { offset: 1 });
  t.equal(!promised.ok && promised.error.code, "internal");
  await kit.must(AccountRef, "a", "show", { value: 1 });
  t.throws(() => leaked?.become({} as AccountState), /after the handler had returned/);
  await kit.close();
});
