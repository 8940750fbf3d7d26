import t from "tap";
import { decode } from "../../../lib/msgpack.js";
import { createMemoryActorStore } from "../../../store/memory/mod.js";
import type { LinkMessage } from "../link.js";
import { shardOf } from "../shard.js";
import { Account, AccountRef, type AccountState } from "../testkit/fixtures/ledger.js";
import { createTestKit, type LinkFault, type TestKit } from "../testkit/mod.js";

const kitOf = (settings = {}, seed = 1): TestKit =>
  createTestKit({
    definitions: [Account],
    store: (clock) => createMemoryActorStore({ clock }),
    hosts: 2,
    settings,
    seed,
  });

/** A key whose actor lives on the given host of two. */
const keyOn = (host: number, prefix: string): string => {
  for (let i = 0; ; i++) {
    const key = `${prefix}${i}`;
    if (shardOf({ kind: "account", key }) % 2 === host) return key;
  }
};
const A = keyOn(0, "a");
const B = keyOn(1, "b");

const pendingTells = async (kit: TestKit): Promise<number> =>
  (
    await kit.store.inner.pendingTells(
      Array.from({ length: 512 }, (_, i) => i),
      1_000,
    )
  ).length;

const order = async (kit: TestKit): Promise<number[]> =>
  ((await kit.stored<AccountState>("account", B))?.state.received ?? []).map((id) => Number(id.split(":").at(-1)));

t.test("R-ENG-3: tells arrive in order and act once, whatever the links lose, double or delay", async (t) => {
  for (const seed of [1, 2, 3]) {
    const kit = kitOf({}, seed);
    kit.linkFault = (_from, _to, message): LinkFault | null => {
      if (message.t !== "tell" && message.t !== "told") return null;
      const chance = kit.random.next();
      if (chance < 0.2) return "drop";
      if (chance < 0.4) return "duplicate";
      return chance < 0.6 ? { delayMs: 700 } : null;
    };
    await kit.must(AccountRef, A, "deposit", { amount: 100 });
    for (let i = 0; i < 30; i++) await kit.must(AccountRef, A, "pay", { to: B, amount: 1 });
    await kit.advance(300_000);
    t.equal((await kit.must(AccountRef, B, "balance", null)).balance, 30, `seed ${seed}`);
    const numbers = await order(kit);
    t.same(
      numbers,
      [...numbers].sort((a, b) => a - b),
      "in the order of sending",
    );
    t.equal(await pendingTells(kit), 0, "the outbox is empty");
    t.equal(kit.stats(0).tellsWaiting, 0);
    await kit.close();
  }
});

t.test("R-ENG-3: a tell waits for its receiver's host, however long, and follows its shard", async (t) => {
  const kit = kitOf();
  await kit.must(AccountRef, A, "deposit", { amount: 10 });
  await kit.crash(1);
  await kit.must(AccountRef, A, "pay", { to: B, amount: 4 });
  await kit.advance(60_000);
  t.equal(await pendingTells(kit), 1);
  await kit.takeOver(1, 0);
  await kit.advance(1_000);
  t.equal((await kit.must(AccountRef, B, "balance", null)).balance, 4);
  await kit.advance(1_000);
  t.equal(await pendingTells(kit), 0);
  await kit.close();
});

t.test("R-ENG-3: a host that gains a shard sends what its sleeping actors had not sent", async (t) => {
  const kit = kitOf({ outboxPage: 3 });
  await kit.must(AccountRef, A, "deposit", { amount: 100 });
  kit.linkFault = (_from, _to, message) => (message.t === "tell" ? "drop" : null);
  for (let i = 0; i < 20; i++) await kit.must(AccountRef, A, "pay", { to: B, amount: 1 });
  await kit.crash(0);
  kit.linkFault = () => null;
  await kit.restart(0);
  await kit.advance(10_000);
  t.equal((await kit.must(AccountRef, B, "balance", null)).balance, 20);
  const numbers = await order(kit);
  t.same(
    numbers,
    [...numbers].sort((a, b) => a - b),
  );
  t.equal(await pendingTells(kit), 0);
  await kit.close();
});

t.test("R-ENG-3: tells committed while the outbox is being scanned keep their order", async (t) => {
  const kit = kitOf({ outboxPage: 2 });
  await kit.must(AccountRef, A, "deposit", { amount: 100 });
  kit.linkFault = (_from, _to, message) => (message.t === "tell" ? "drop" : null);
  for (let i = 0; i < 10; i++) await kit.must(AccountRef, A, "pay", { to: B, amount: 1 });
  await kit.crash(0);
  kit.linkFault = () => null;
  const slow = kit.store.decide;
  kit.store.decide = (call) => (call.operation === "pendingTells" ? { delayMs: 50 } : slow(call));
  const back = kit.restart(0);
  for (let i = 0; i < 10; i++) await kit.must(AccountRef, A, "pay", { to: B, amount: 1 });
  await back;
  await kit.advance(10_000);
  const numbers = await order(kit);
  t.same(
    numbers,
    Array.from({ length: 20 }, (_, i) => i + 1),
  );
  await kit.close();
});

t.test("rule 16: tells beyond the bound in memory wait in the store and are sent later, in order", async (t) => {
  const kit = kitOf({ outboxInMemory: 5, outboxPage: 3 });
  await kit.must(AccountRef, A, "deposit", { amount: 1_000 });
  kit.linkFault = (_from, _to, message) => (message.t === "tell" ? "drop" : null);
  for (let i = 0; i < 60; i++) {
    await kit.must(AccountRef, A, "pay", { to: B, amount: 1 });
    t.ok(kit.stats(0).tellsWaiting <= 5 + 3);
  }
  kit.linkFault = () => null;
  await kit.advance(120_000);
  t.same(
    await order(kit),
    Array.from({ length: 60 }, (_, i) => i + 1),
  );
  t.equal(await pendingTells(kit), 0);
  await kit.close();
});

t.test("R-ENG-3: a tell that is never accepted is put aside, and those behind it go on", async (t) => {
  const kit = kitOf({ tellAttempts: 5 });
  await kit.must(AccountRef, A, "deposit", { amount: 10 });
  let first: number | null = null;
  const isFirst = (message: LinkMessage): boolean => {
    if (message.t !== "tell") return false;
    first ??= message.number;
    return message.number === first;
  };
  kit.linkFault = (_from, _to, message) => (isFirst(message) ? "drop" : null);
  await kit.must(AccountRef, A, "pay", { to: B, amount: 1 });
  await kit.must(AccountRef, A, "pay", { to: B, amount: 2 });
  await kit.advance(60_000);
  t.equal((await kit.must(AccountRef, B, "balance", null)).balance, 2);
  t.same(
    kit.deadLetters.map((letter) => [letter.kind, letter.key, letter.name, decode(letter.input)]),
    [["account", B, "receive", { amount: 1, from: A }]],
  );
  t.equal(await pendingTells(kit), 0);
  await kit.close();
});

t.test("R-ENG-3: what a tell is given up for is its own: the sends of those before it do not count", async (t) => {
  const kit = kitOf({ tellAttempts: 3 });
  await kit.must(AccountRef, A, "deposit", { amount: 100 });
  const sent = new Map<number, number>();
  // Ten arrive at once, so that ten retries come to nothing at one time; each of the others is lost once.
  kit.linkFault = (_from, _to, message) => {
    if (message.t !== "tell") return null;
    const times = (sent.get(message.number) ?? 0) + 1;
    sent.set(message.number, times);
    return message.number > 10 && times === 1 ? "drop" : null;
  };
  await kit.run(() =>
    Promise.all(Array.from({ length: 15 }, () => kit.send(AccountRef, A, "pay", { to: B, amount: 1 }))),
  );
  await kit.advance(60_000);
  t.same(kit.deadLetters, []);
  t.same(
    await order(kit),
    Array.from({ length: 15 }, (_, i) => i + 1),
  );
  t.same([...sent.values()], [...Array(10).fill(1), ...Array(5).fill(2)], "nor is one sent again for them");
  await kit.close();
});

t.test(
  "R-ENG-3, rule 16: a host that gives a shard away keeps nothing of its tells, and finds them when it has it again",
  async (t) => {
    const kit = kitOf();
    await kit.must(AccountRef, A, "deposit", { amount: 100 });
    kit.linkFault = (_from, _to, message) => (message.t === "tell" ? "drop" : null);
    for (let i = 0; i < 3; i++) await kit.must(AccountRef, A, "pay", { to: B, amount: 1 });
    await kit.moveAll(0, 0);
    await kit.advance(0);
    t.equal(kit.stats(0).tellsWaiting, 3);
    kit.linkFault = () => null;
    await kit.advance(60_000);
    t.same(await order(kit), [1, 2, 3]);
    await kit.must(AccountRef, A, "balance", null);
    await kit.advance(120_000);
    t.equal(kit.stats(0).actors, 0, "and once they have arrived, their sender may leave memory");
    await kit.close();
  },
);

t.test("R-ENG-4: a tell that comes twice is acknowledged twice and acts once, also long after", async (t) => {
  const kit = kitOf();
  const to = { kind: "account", key: B };
  const from = { kind: "account", key: "ghost" };
  const { encode } = await import("../../../lib/msgpack.js");
  const tell: LinkMessage = {
    t: "tell",
    from,
    number: 1,
    to,
    name: "receive",
    input: encode({ amount: 1, from: "g" }),
  };
  await kit.inject(to, tell);
  await kit.inject(to, tell);
  await kit.advance(100);
  for (let i = 0; i < 300; i++) await kit.must(AccountRef, B, "deposit", { amount: 1 });
  await kit.crash(1);
  await kit.restart(1);
  await kit.inject(to, tell);
  await kit.advance(100);
  t.equal(kit.rawAnswers.filter((message) => message.t === "told").length, 3);
  t.equal((await kit.must(AccountRef, B, "balance", null)).balance, 301);
  await kit.close();
});
