import t, { type Test } from "tap";
import { systemClock } from "../../lib/clock.js";
import { silentLog } from "../../lib/log.js";
import { encode } from "../../lib/msgpack.js";
import type { AuditDraft, DeadLetterStore } from "../../services/dead-letters/ports.js";
import { createBookkeeper } from "../../services/ledger/mod.js";
import { openSession } from "./fixtures/sessions.js";
import { withPostgres } from "./fixtures/with-postgres.js";
import { createPostgresActorStore, createPostgresDeadLetterStore, createPostgresMoney } from "./mod.js";

const clock = systemClock({ keepAlive: false });
const caller = { id: "ann", role: "customer" };
const because = (once: string): AuditDraft => ({
  at: 1,
  role: "admin",
  principalId: "root",
  action: "dead_letter.drive",
  subject: "dead_letter/x",
  reason: "mended",
  once,
});

async function open(t: Test) {
  const { connectionString } = await withPostgres();
  const session = await openSession(t, connectionString);
  const letters = createPostgresDeadLetterStore({ connectionString, clock });
  const actors = createPostgresActorStore({ connectionString, clock, log: silentLog });
  const { ledger, close } = createPostgresMoney({ connectionString, clock });
  t.teardown(() => Promise.all([letters.close(), actors.close(), close()]));
  const put = (id: string, at: number, more = {}) =>
    actors.deadLetter({ id, kind: "order", key: "o", name: "cancel", input: encode(null), reason: "why", at, ...more });
  const count = async (table: string) =>
    Number((await session.query<{ n: string }>(`SELECT count(*) AS n FROM ${table}`)).rows[0]!.n);
  return { session, letters, ledger, put, count };
}

const ids = async (store: DeadLetterStore, ...asked: Parameters<DeadLetterStore["list"]>) =>
  (await store.list(...asked)).map(({ letterId }) => letterId);

t.test("R-ADM-5: letters are listed by state and source, newest first, and counted while they wait", async (t) => {
  const { letters, put } = await open(t);
  await put("command:order/o:a", 10, { attempts: 3, caller, notAfter: 99 });
  await put("effect:order/o#1", 20);
  await put("tell:driver/d:1", 30.5);
  t.same(await letters.list({ source: "command" }, 100, 10), [
    {
      letterId: "command:order/o:a",
      source: "command",
      subject: "order/o",
      name: "cancel",
      at: 10,
      reason: "why",
      attempts: 3,
      state: "waiting",
      drives: 0,
    },
  ]);
  t.same(await ids(letters, {}, 100, 2), ["tell:driver/d:1", "effect:order/o#1"]);
  t.same(await ids(letters, {}, 20, 2), ["command:order/o:a"]);
  t.equal(await letters.waiting(), 3);
  t.match(await letters.setAside("effect:order/o#1", 50, because("1")), { state: "set_aside", settledAt: 50 });
  t.same(await ids(letters, { state: "set_aside" }, 100, 9), ["effect:order/o#1"]);
  t.equal(await letters.waiting(), 2);
  t.equal(await letters.forget(50, 10), 0);
  t.equal(await letters.forget(51, 10), 1, "what waits stays");
  t.equal(await letters.waiting(), 2);
});

t.test("R-ADM-5: a drive counts, is written down once, and keeps its round until it surely did nothing", async (t) => {
  const { letters, put, count } = await open(t);
  const id = "command:order/o:a";
  await put(id, 10, { attempts: 3, caller, notAfter: 99 });
  const begin = async (now: number, once = "1") => {
    const begun = await letters.begin(id, now, now - 100, because(once));
    if (begun === null) throw new Error("it is there");
    return begun;
  };
  t.equal(await letters.begin("command:order/o:b", 20, 0, because("0")), null);
  t.match(await begin(20), {
    record: { drives: 1, drivingSince: 20, state: "waiting" },
    letter: { id, kind: "order", key: "o", name: "cancel", input: encode(null), caller, notAfter: 99 },
    round: 0,
  });
  t.match(await begin(30), { record: { drives: 2, drivingSince: 20 }, round: 0 }, "the same id for the engine");
  t.equal(await count("audit_entry"), 1, "the same request is one deed");
  t.match(await begin(121), { stands: { drives: 2, drivingSince: 20 } }, "nobody knows what came of it");
  const inVain = { state: "waiting", answer: "internal", isRemembered: false } as const;
  t.match(await letters.settle(id, 0, inVain, 40), { state: "waiting", answer: "internal" });
  t.match(await begin(50), { record: { drives: 3, drivingSince: 50 }, round: 0 });
  const refused = { state: "waiting", answer: "order_closed", isRemembered: true } as const;
  t.match(await letters.settle(id, 0, refused, 60), { answer: "order_closed" });
  t.match(await begin(70, "2"), { round: 1 });
  t.match(await letters.settle(id, 0, { state: "driven" }, 70), { state: "waiting" }, "the answer to an older drive");
  const done = await letters.settle(id, 1, { state: "driven" }, 80);
  t.match(done, { state: "driven", settledAt: 80 });
  t.notOk(done !== null && ("drivingSince" in done || "answer" in done));
  t.match(await begin(90), { stands: { state: "driven" } });
  t.match(await letters.setAside(id, 91, because("3")), { state: "driven" }, "what is done is done");
  await put(id, 200, { attempts: 3, caller });
  t.match(await begin(210), { record: { at: 200, drives: 5 }, round: 2 }, "a day later, when its id was forgotten");
});

t.test(
  "R-ADM-5, R-PAY-2: a fact that could not be booked is given back to the books, which book it once",
  async (t) => {
    const { session, letters, ledger, count } = await open(t);
    const key = "o:capture:1";
    const money = { fact: "capture", orderId: "o", customerId: "ann", key, currency: "TRY", amountMinor: 500 };
    await session.query(
      `INSERT INTO event_outbox (kind, key, "offset", shard, type, at, body)
       VALUES ('order', 'o', 1, 0, 'order.payment_captured', 7, $1), ('order', 'p', 1, 0, 'order.payment_captured', 8, $1)`,
      [Buffer.from(encode({ money }))],
    );
    const facts = await ledger.pending(10);
    // As a release did that had a fault.
    await ledger.book([], [], [{ id: facts[0]!.id, reason: "an account is missing" }]);
    const bookkeeper = createBookkeeper({ store: ledger, clock, log: silentLog });
    await bookkeeper.work();
    t.match(await letters.list({ source: "money" }, 100, 10), [
      { subject: "order/p", reason: "the fact is about another order", at: 8 },
      { subject: "order/o", reason: "an account is missing", at: 7, name: "money", state: "waiting", drives: 0 },
    ]);
    t.equal(await letters.waiting(), 2);
    const [other, letter] = (await ids(letters, {}, 100, 10)) as [string, string];
    for (const once of ["1", "2"]) t.match(await letters.bookAgain(letter, 50, because(once)), { state: "driven" });
    t.match(await letters.bookAgain(other, 50, because("3")), { state: "driven" });
    t.equal(await letters.bookAgain("money:12345", 50, because("4")), null);
    t.equal(await letters.bookAgain("money:x", 50, because("4")), null);
    t.equal(await count("audit_entry"), 2);
    await bookkeeper.work();
    await bookkeeper.stop();
    t.equal(await count("ledger_transaction"), 1);
    t.match(
      await letters.list({}, 100, 10),
      [{ letterId: other, attempts: 2, drives: 1 }],
      "still none of its order's",
    );
    t.same(await ids(letters, { state: "driven" }, 100, 10), [letter]);
    await letters.bookAgain(other, 60, because("5"));
    t.match(await letters.list({ state: "driven", source: "money" }, 100, 1), [{ letterId: other, drives: 2 }]);
  },
);

t.test("R-ACC-4: what somebody asked for in vain goes with them", async (t) => {
  const { letters, put } = await open(t);
  await put("command:order/o:a", 10, { caller });
  await put("command:order/o:b", 11, { caller: { id: "ann", role: "driver" } });
  await put("command:order/o:c", 12, { caller: { id: "bob", role: "customer" } });
  await put("effect:order/o#1", 13);
  await letters.erase(caller);
  t.same(await ids(letters, {}, 100, 9), ["effect:order/o#1", "command:order/o:c", "command:order/o:b"]);
});
