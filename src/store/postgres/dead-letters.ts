/**
 * Dead letters on PostgreSQL, for operations: those of the engine, and facts of money that nobody could book, which stay
 * in `ledger_refused` until they are given back to the bookkeeper. Of these a row in `dead_letter` keeps that it was done.
 */

import type { Caller } from "../../actors/runtime/definition.js";
import type { Clock } from "../../lib/clock.js";
import { type Log, silentLog } from "../../lib/log.js";
import type { DeadLetterRecord, LetterSource } from "../../protocol/mod.js";
import type { DeadLetterStore } from "../../services/dead-letters/ports.js";
import { writeAudit } from "./account-rows.js";
import { openConnections } from "./connection.js";
import type pg from "./pg.js";
import { ask, findable } from "./reads.js";
import { repeating } from "./repeat.js";
import { inTransaction } from "./transaction.js";

export interface PostgresDeadLetterStore extends DeadLetterStore {
  close(): Promise<void>;
}

const MAX_WAITING = 64;
/** Beyond this it is only told that there are many. */
const MAX_COUNTED = 10_000;
const MONEY = /^money:(\d{1,18})$/;

interface Row extends pg.QueryResultRow {
  readonly id: string;
  readonly kind: string;
  readonly key: string;
  readonly name: string;
  readonly reason: string;
  readonly at: number;
  readonly attempts: number;
  readonly state: DeadLetterRecord["state"];
  readonly drives: number;
  readonly driving_since: number | null;
  readonly answer: string;
  readonly settled_at: number | null;
}

interface WholeRow extends Row {
  readonly input: Uint8Array;
  readonly caller: Caller | null;
  readonly not_after: number | null;
  readonly round: number;
}

const COLUMNS = "id, kind, key, name, reason, at, attempts, state, drives, driving_since, answer, settled_at";

/** Each half by its own index, as far as a page goes. A fact that was given back and refused again waits again. */
const LIST = `
SELECT * FROM (
  (SELECT ${COLUMNS} FROM dead_letter d
     WHERE d.at < $1::float8 AND d.state = $3::text
       AND ($4::text = '' OR split_part(d.id, ':', 1) = $4::text)
       AND NOT (d.name = 'money' AND EXISTS (SELECT FROM ledger_refused r WHERE 'money:' || r.id = d.id))
     ORDER BY d.at DESC, d.id DESC LIMIT $2::int)
  UNION ALL
  (SELECT 'money:' || r.id, 'order', r.key, 'money', r.reason, r.at, 1 + coalesce(d.drives, 0), 'waiting',
       coalesce(d.drives, 0), NULL, '', NULL
     FROM ledger_refused r LEFT JOIN dead_letter d ON d.id = 'money:' || r.id
     WHERE r.at < $1::float8 AND $3::text = 'waiting' AND $4::text IN ('', 'money')
     ORDER BY r.at DESC, r.id DESC LIMIT $2::int)
) l ORDER BY at DESC, id DESC LIMIT $2::int`;

/** The row of the inbox gets the number that it had: facts of one order are booked in their order, as far as they wait. */
const BOOK_AGAIN = `
WITH back AS (
  DELETE FROM ledger_refused WHERE id = $1::int8 RETURNING id, key, "offset", at, body, reason
), given AS (
  INSERT INTO ledger_inbox (id, key, "offset", at, body) OVERRIDING SYSTEM VALUE
    SELECT id, key, "offset", at, body FROM back
)
INSERT INTO dead_letter AS d (id, kind, key, name, input, reason, at, attempts, state, drives, settled_at)
  SELECT 'money:' || id, 'order', key, 'money', ''::bytea, reason, at, 1, 'driven', 1, $2::float8 FROM back
  ON CONFLICT (id) DO UPDATE SET reason = excluded.reason, attempts = d.attempts + 1, state = 'driven',
    drives = d.drives + 1, settled_at = excluded.settled_at
  RETURNING ${COLUMNS}`;

function recordOf(row: Row): DeadLetterRecord {
  const { id, kind, key, name, reason, at, attempts, state, drives, driving_since, answer, settled_at } = row;
  return {
    letterId: id,
    source: id.slice(0, id.indexOf(":")) as LetterSource,
    subject: `${kind}/${key}`,
    name,
    at: Math.floor(at),
    reason,
    attempts,
    state,
    drives,
    ...(driving_since === null ? {} : { drivingSince: Math.floor(driving_since) }),
    ...(answer === "" ? {} : { answer }),
    ...(settled_at === null ? {} : { settledAt: Math.floor(settled_at) }),
  };
}

/** The schema must be up to date (`migrate`). Connects when first used; a lost connection is replaced. */
export function createPostgresDeadLetterStore(options: {
  readonly connectionString: string;
  readonly clock: Clock;
  readonly log?: Log;
}): PostgresDeadLetterStore {
  const connections = openConnections({
    connectionString: options.connectionString,
    size: 1,
    maxWaiting: MAX_WAITING,
    name: "swift-eats letters",
    clock: options.clock,
    log: (options.log ?? silentLog).child({ part: "dead-letters" }),
  });
  const run = <T>(work: (client: pg.ClientBase) => Promise<T>): Promise<T> => repeating(connections, work);
  const transaction = <T>(work: (client: pg.ClientBase) => Promise<T>): Promise<T> =>
    run((client) => inTransaction(client, work));

  async function standing(client: pg.ClientBase, letterId: string): Promise<DeadLetterRecord | null> {
    const sql = `SELECT ${COLUMNS} FROM dead_letter WHERE id = $1::text`;
    const [row] = await ask<Row>(client, "dead_letter_read", sql, [findable(letterId)]);
    return row === undefined ? null : recordOf(row);
  }

  return {
    list: ({ state = "waiting", source = "" }, before, limit) =>
      run(async (client) => {
        const rows = await ask<Row>(client, "dead_letter_list", LIST, [before, limit, state, source]);
        return rows.map(recordOf);
      }),
    begin: (letterId, now, unknownBefore, audit) =>
      transaction(async (client) => {
        const [row] = await ask<WholeRow>(
          client,
          "dead_letter_begin",
          `UPDATE dead_letter SET drives = drives + 1, driving_since = coalesce(driving_since, $2::float8), answer = ''
             WHERE id = $1::text AND state <> 'driven' AND name <> 'money'
               AND coalesce(driving_since >= $3::float8, true)
             RETURNING ${COLUMNS}, input, caller, not_after, round`,
          [findable(letterId), now, unknownBefore],
        );
        if (row === undefined) {
          const stands = await standing(client, letterId);
          return stands === null ? null : { stands };
        }
        await writeAudit(client, [audit]);
        const { id, kind, key, name, input, reason, at, attempts, caller, not_after, round } = row;
        const more = {
          ...(caller === null ? {} : { caller }),
          ...(not_after === null ? {} : { notAfter: not_after }),
        };
        return { record: recordOf(row), letter: { id, kind, key, name, input, reason, at, attempts, ...more }, round };
      }),
    settle: (letterId, round, outcome, now) =>
      run(async (client) => {
        const isDriven = outcome.state === "driven";
        const [row] = await ask<Row>(
          client,
          "dead_letter_settle",
          `UPDATE dead_letter SET state = CASE WHEN $3::bool THEN 'driven' ELSE state END, answer = $4::text,
               round = round + $5::int, settled_at = CASE WHEN $3::bool THEN $6::float8 ELSE settled_at END,
               driving_since = NULL
             WHERE id = $1::text AND round = $2::int AND state <> 'driven' RETURNING ${COLUMNS}`,
          [
            findable(letterId),
            round,
            isDriven,
            isDriven ? "" : outcome.answer,
            !isDriven && outcome.isRemembered ? 1 : 0,
            now,
          ],
        );
        return row === undefined ? standing(client, letterId) : recordOf(row);
      }),
    bookAgain: (letterId, now, audit) =>
      transaction(async (client) => {
        const number = MONEY.exec(letterId)?.[1];
        if (number === undefined) return null;
        const [row] = await ask<Row>(client, "dead_letter_book_again", BOOK_AGAIN, [number, now]);
        if (row === undefined) return standing(client, letterId);
        await writeAudit(client, [audit]);
        return recordOf(row);
      }),
    setAside: (letterId, now, audit) =>
      transaction(async (client) => {
        const [row] = await ask<Row>(
          client,
          "dead_letter_set_aside",
          `UPDATE dead_letter SET state = 'set_aside', settled_at = $2::float8
             WHERE id = $1::text AND state = 'waiting' RETURNING ${COLUMNS}`,
          [findable(letterId), now],
        );
        if (row === undefined) return standing(client, letterId);
        await writeAudit(client, [audit]);
        return recordOf(row);
      }),
    erase: ({ role, id }) =>
      run(async (client) => {
        await ask(
          client,
          "dead_letter_erase",
          "DELETE FROM dead_letter WHERE caller ->> 'id' = $1::text AND caller ->> 'role' = $2::text",
          [findable(id), role],
        );
      }),
    waiting: () =>
      run(async (client) => {
        const [row] = await ask<{ waiting: number }>(
          client,
          "dead_letter_waiting",
          `SELECT (SELECT count(*) FROM (SELECT FROM dead_letter WHERE state = 'waiting' LIMIT ${MAX_COUNTED}) d)
             + (SELECT count(*) FROM (SELECT FROM ledger_refused LIMIT ${MAX_COUNTED}) r) AS waiting`,
          [],
        );
        return row!.waiting;
      }),
    forget: (before, limit) =>
      run(async (client) => {
        const rows = await ask(
          client,
          "dead_letter_forget",
          `DELETE FROM dead_letter WHERE id IN (
             SELECT id FROM dead_letter WHERE state <> 'waiting' AND settled_at < $1::float8 LIMIT $2::int) RETURNING 1`,
          [before, limit],
        );
        return rows.length;
      }),
    close: () => connections.close(),
  };
}
