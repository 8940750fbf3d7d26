/** The ledger's statements. What they mean is in the port; what the database itself watches is in migration 0009. */

import {
  type Account,
  type AccountBalance,
  type Booking,
  BookingRefused,
  type CashMovement,
  type LedgerStore,
  type PartyMovement,
  type PartySum,
  type PendingFact,
} from "../../services/ledger/ports.js";
import { arrayParameter } from "./binary.js";
import type { Ask } from "./money.js";
import pg from "./pg.js";
import { findable } from "./reads.js";

/** Beyond this a backlog is only told to be long. */
const MAX_COUNTED = 10_000;

const CASH = `SELECT t.key, t.order_id AS "orderId", t.kind, e.currency, e.amount_minor AS "amountMinor", e.at
  FROM ledger_entry e JOIN ledger_transaction t ON t.id = e.transaction
  WHERE e.account = 'provider_clearing' AND e.party = ''`;

/** SQLSTATE classes of what no repetition mends: data that the types cannot hold, and broken constraints. */
const REFUSES = /^2[23]/;

const text = (values: readonly string[]): Buffer => arrayParameter("text", values);

export function postgresLedger(ask: Ask): LedgerStore {
  const accountsOf = (accounts: readonly Account[]): Buffer => text(accounts);
  return {
    pending: (limit) =>
      ask<PendingFact & { body: Uint8Array }>(
        "ledger_pending",
        `SELECT id, key, "offset", at, body FROM ledger_inbox ORDER BY id LIMIT $1::int`,
        [limit],
      ),
    async book(bookings, done, refused) {
      const rows = await ask<{ booked: number }>(
        "ledger_book",
        `SELECT ledger_book_v1($1::text[], $2::text[], $3::text[], $4::text[], $5::float8[], $6::text[], $7::text[],
           $8::int[], $9::text[], $10::text[], $11::text[], $12::int8[], $13::int8[], $14::int8[], $15::text[]) AS booked`,
        parametersOf(bookings, done, refused),
      ).catch((error: unknown) => {
        if (error instanceof pg.DatabaseError && REFUSES.test(error.code ?? ""))
          throw new BookingRefused(error.message, { cause: error });
        throw error;
      });
      const { booked } = rows[0]!;
      return booked < 0 ? null : booked;
    },
    async backlog() {
      const [row] = await ask<{ waiting: number; refused: number }>(
        "ledger_backlog",
        `SELECT (SELECT count(*) FROM (SELECT FROM ledger_inbox LIMIT ${MAX_COUNTED}) w) AS waiting,
           (SELECT count(*) FROM (SELECT FROM ledger_refused LIMIT ${MAX_COUNTED}) r) AS refused`,
        [],
      );
      return row!;
    },
    movements: (accounts, party, { from, to }, limit) =>
      ask<PartyMovement & { currency: string }>(
        "ledger_movements",
        `SELECT t.order_id AS "orderId", e.at, t.kind, e.currency, t.note, e.account, e.item, e.amount_minor AS "amountMinor"
           FROM ledger_entry e JOIN ledger_transaction t ON t.id = e.transaction
           WHERE e.account = ANY($1::text[]) AND e.party = $2::text AND e.at >= $3::float8 AND e.at < $4::float8
           ORDER BY e.at DESC, e.transaction DESC, e.line LIMIT $5::int`,
        [accountsOf(accounts), findable(party), from, to, limit],
      ),
    sums: (accounts, party, { from, to }) =>
      ask<PartySum & { currency: string }>(
        "ledger_sums",
        `SELECT e.currency, e.account, e.item, sum(e.amount_minor)::bigint AS "amountMinor", count(*) AS count
           FROM ledger_entry e
           WHERE e.account = ANY($1::text[]) AND e.party = $2::text AND e.at >= $3::float8 AND e.at < $4::float8
           GROUP BY e.currency, e.account, e.item ORDER BY e.currency, e.account, e.item`,
        [accountsOf(accounts), findable(party), from, to],
      ),
    cash: ({ from, to }, after, limit) =>
      ask<CashMovement & { currency: string }>(
        "ledger_cash",
        // That a page begins where the last one ended has to be said of the entries alone: what compares columns of two
        // tables finds no place in an index, and each page would read all before it.
        `${CASH} AND e.at >= greatest($1::float8, $3::float8) AND e.at < $2::float8
           AND (e.at, t.key) > ($3::float8, $4::text COLLATE "C") ORDER BY e.at, t.key LIMIT $5::int`,
        [from, to, after?.at ?? -1, after?.key ?? "", limit],
      ),
    cashOf: (keys) =>
      ask<CashMovement & { currency: string }>("ledger_cash_of", `${CASH} AND t.key = ANY($1::text[]) ORDER BY t.key`, [
        text(keys.map(findable)),
      ]),
    balances: ({ from, to }) =>
      ask<AccountBalance & { currency: string }>(
        "ledger_balances",
        `SELECT e.account, e.currency, sum(e.amount_minor)::bigint AS "amountMinor" FROM ledger_entry e
           WHERE e.at >= $1::float8 AND e.at < $2::float8 GROUP BY e.account, e.currency ORDER BY e.account, e.currency`,
        [from, to],
      ),
  };
}

function parametersOf(
  bookings: readonly Booking[],
  done: readonly number[],
  refused: readonly { readonly id: number; readonly reason: string }[],
): unknown[] {
  const lines = bookings.flatMap(({ key, entries }) =>
    entries.map((entry, index) => ({ ...entry, key, line: index + 1 })),
  );
  const ofBookings = (value: (booking: Booking) => string): Buffer => text(bookings.map(value));
  const ofLines = (value: (line: (typeof lines)[number]) => string): Buffer => text(lines.map(value));
  return [
    ofBookings(({ key }) => key),
    ofBookings(({ kind }) => kind),
    ofBookings(({ orderId }) => orderId),
    ofBookings(({ currency }) => currency),
    arrayParameter(
      "float8",
      bookings.map(({ at }) => at),
    ),
    ofBookings(({ note }) => note),
    ofLines(({ key }) => key),
    arrayParameter(
      "int4",
      lines.map(({ line }) => line),
    ),
    ofLines(({ account }) => account),
    ofLines(({ party }) => party),
    ofLines(({ item }) => item),
    arrayParameter(
      "int8",
      lines.map(({ amountMinor }) => amountMinor),
    ),
    arrayParameter("int8", done),
    arrayParameter(
      "int8",
      refused.map(({ id }) => id),
    ),
    text(refused.map(({ reason }) => reason)),
  ];
}
