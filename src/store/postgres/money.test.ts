import t, { type Test } from "tap";
import { sleep, systemClock } from "../../lib/clock.js";
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
  await t.rejects(
    session.query(`INSERT INTO ledger_entry SELECT e.transaction, 2 + n, 'tips', 'd', 'tip',
      CASE n WHEN 1 THEN 'EUR' ELSE e.currency END, 3 - 2 * n, 1
      FROM ledger_entry e, generate_series(1, 2) n WHERE e.line = 1`),
    /does not sum to zero/,
    "two currencies in one transaction",
  );
});

t.test("R-PAY-2: to add to the books reads none of their entries, however many there are", async (t) => {
  await clear();
  const session = await openSession(t, connectionString);
  const added = async (key: string): Promise<number> => {
    await session.query("BEGIN");
    await session.query(
      `WITH t AS (INSERT INTO ledger_transaction (key, kind, order_id, currency, at) VALUES ($1, 'capture', $1, 'COP', 1)
         RETURNING id)
       INSERT INTO ledger_entry SELECT t.id, n, 'tips', 'd', 'tip', 'COP', 3 - 2 * n, 1 FROM t, generate_series(1, 2) n`,
      [key],
    );
    const { rows } = await session.query(`SELECT seq_tup_read + coalesce(idx_tup_fetch, 0) AS read
      FROM pg_stat_xact_user_tables WHERE relname = 'ledger_entry'`);
    await session.query("COMMIT");
    return Number(rows[0].read);
  };
  for (let i = 0; i < 50; i++) t.equal(await added(`o-${i}`), 0);
});

t.test("R-PAY-2: a page of movements reads no page before it", async (t) => {
  await clear();
  const session = await openSession(t, connectionString);
  await session.query(`INSERT INTO ledger_transaction (key, kind, order_id, currency, at)
    SELECT 'o' || n || ':capture:1', 'capture', 'o' || n, 'COP', n FROM generate_series(1, 3000) n`);
  await session.query(`INSERT INTO ledger_entry SELECT t.id, l, (ARRAY['provider_clearing', 'customer_receivable'])[l],
    '', 'capture', 'COP', 10 - 20 * (l - 1), t.at FROM ledger_transaction t, generate_series(1, 2) l`);
  await session.query("ANALYZE ledger_entry, ledger_transaction");
  const money = createPostgresMoney({ connectionString, connections: 1, clock });
  const { ledger } = money;
  const read = async (): Promise<number> => {
    await session.query("SELECT pg_stat_clear_snapshot()");
    const { rows } = await session.query(`SELECT coalesce(sum(seq_tup_read + coalesce(idx_tup_fetch, 0)), 0) AS read
      FROM pg_stat_user_tables WHERE relname = 'ledger_entry'`);
    return Number(rows[0].read);
  };
  const before = await read();
  let keys = 0;
  for (let after: { at: number; key: string } | null = null; ; ) {
    const page: readonly { at: number; key: string }[] = await ledger.cash({ from: 0, to: 1e13 }, after, 100);
    const last = page.at(-1);
    if (last === undefined) break;
    keys += page.length;
    after = last;
  }
  t.equal(keys, 3_000);
  // What a session has counted is written down when it ends, at the latest.
  await money.close();
  const others = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
  while ((await session.query(others)).rowCount !== 0) await sleep(clock, 20);
  const entries = (await read()) - before;
  t.ok(entries >= 3_000 && entries < 9_000, `${entries} entries were read for 3,000`);
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
