import t, { type Test } from "tap";
import { systemClock } from "../../lib/clock.js";
import { ledgerContract } from "../contract/ledger.contract.js";
import { methodsContract } from "../contract/payment-methods.contract.js";
import { promotionsContract } from "../contract/promotions.contract.js";
import { openSession } from "./fixtures/sessions.js";
import { withPostgres } from "./fixtures/with-postgres.js";
import { createPostgresActorStore, createPostgresMoney } from "./mod.js";

const clock = systemClock();
const { connectionString, clear } = await withPostgres();

function open(t: Test) {
  const money = createPostgresMoney({ connectionString, connections: 4, clock });
  t.teardown(() => money.close());
  return money;
}

t.test("the books on Postgres keep the ledger's contract", (t) =>
  ledgerContract(t, async (t) => {
    await clear();
    const store = createPostgresActorStore({ connectionString, clock });
    t.teardown(() => store.close());
    return { store, ledger: open(t).ledger };
  }),
);

t.test("promotions on Postgres keep their contract", (t) =>
  promotionsContract(t, async (t) => {
    await clear();
    return { store: open(t).promotions, otherNode: open(t).promotions };
  }),
);

t.test("payment methods on Postgres keep their contract", (t) =>
  methodsContract(t, async (t) => {
    await clear();
    return open(t).methods;
  }),
);

t.test("R-PAY-2: the database itself refuses to change the books, to skew them, or to forget them", async (t) => {
  await clear();
  const { ledger } = open(t);
  const entries = [
    { account: "provider_clearing", party: "", item: "capture", amountMinor: 5 },
    { account: "customer_receivable", party: "c", item: "capture", amountMinor: -5 },
  ] as const;
  await ledger.book([{ key: "k", kind: "capture", orderId: "o", currency: "COP", at: 1, note: "", entries }], [], []);
  const session = await openSession(t, connectionString);
  for (const sql of [
    "UPDATE ledger_entry SET amount_minor = 6",
    "DELETE FROM ledger_entry",
    "TRUNCATE ledger_entry",
    "UPDATE ledger_transaction SET note = 'x'",
    "DELETE FROM ledger_transaction",
    "TRUNCATE ledger_transaction CASCADE",
  ]) {
    await t.rejects(session.query(sql), /only ever added to/, sql);
  }
  await t.rejects(
    session.query(`INSERT INTO ledger_entry SELECT transaction, 3, account, party, item, currency, 1, at
      FROM ledger_entry WHERE line = 1`),
    /does not sum to zero/,
  );
  await t.rejects(
    session.query(`INSERT INTO ledger_entry SELECT e.transaction, 2 + n, 'tips', 'd', 'tip', 'EUR', 3 - 2 * n, 1
      FROM ledger_entry e, generate_series(1, 2) n WHERE e.line = 1`),
    /does not sum to zero/,
    "another currency in the same transaction",
  );
});

t.test("R-PAY-2: an order's facts outlive the outbox that a relay empties", async (t) => {
  await clear();
  const { ledger } = open(t);
  const session = await openSession(t, connectionString);
  await session.query(`INSERT INTO event_outbox (kind, key, "offset", shard, type, at, body)
    VALUES ('order', 'o', 1, 0, 'order.delivered', 1, decode('80', 'hex'))`);
  await session.query("DELETE FROM event_outbox");
  t.equal((await ledger.pending(10)).length, 1);
});
