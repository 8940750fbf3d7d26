/**
 * The relay's side of the outbox on PostgreSQL: events that were committed with their actors and wait for the stream.
 * Owns one connection, so that a relay with a long backlog never stands in the way of reads and flushes. Does not own
 * the rows' coming: they are written by the flush function, in the actor's transaction.
 *
 * Invariant: rows of one actor become visible in order of offset, because an actor's flushes follow each other; so the
 * lowest offset there is now is the lowest there will be.
 */

import type { ActorAddress } from "../../actors/runtime/ports.js";
import { type EventOutbox, MAX_COUNTED_EVENTS, type OutboxEvent } from "../../cluster/ports.js";
import type { Clock } from "../../lib/clock.js";
import { type Log, silentLog } from "../../lib/log.js";
import { arrayParameter } from "./binary.js";
import { openConnections } from "./connection.js";
import type pg from "./pg.js";
import { ask, findable } from "./reads.js";
import { repeating } from "./repeat.js";

export interface PostgresEventOutbox extends EventOutbox {
  close(): Promise<void>;
}

export interface PostgresEventOutboxOptions {
  readonly connectionString: string;
  readonly clock: Clock;
  readonly log?: Log;
}

/**
 * Of the oldest events this many are looked at for every actor that is wanted. More would be needed only when a few
 * actors hold all of them; those are passed over at the next call, while they are busy.
 */
const ROWS_PER_WANTED = 20;
const MAX_WAITING = 64;

/**
 * The oldest rows by time give the actors, oldest first; then each actor's rows in order of offset. The sets of shards
 * and of actors to pass over are asked inside COALESCE so that they become hash tables, probed once a row, and never
 * joins with a plan of their own.
 */
const UNPUBLISHED = `
WITH oldest AS MATERIALIZED (
  SELECT e.kind, e.key, e.at FROM event_outbox e
    WHERE coalesce(e.shard IN (SELECT unnest($1::int[])), false)
      AND NOT coalesce((e.kind, e.key) IN (SELECT * FROM unnest($2::text[], $3::text[])), false)
    ORDER BY e.at LIMIT $5::int
), actors AS MATERIALIZED (
  SELECT o.kind, o.key, min(o.at) AS since FROM oldest o GROUP BY o.kind, o.key ORDER BY since, o.kind, o.key
    LIMIT $4::int
)
SELECT e.kind, e.key, e."offset", e.shard, e.type, e.at, e.body
  FROM actors a CROSS JOIN LATERAL (
    SELECT * FROM event_outbox r WHERE r.kind = a.kind AND r.key = a.key ORDER BY r."offset" LIMIT $6::int) e
  ORDER BY a.since, e.kind, e.key, e."offset" LIMIT $4::int`;

const LAG = `
SELECT count(*) AS waiting, min(w.at) AS oldest FROM (
  SELECT e.at FROM event_outbox e WHERE coalesce(e.shard IN (SELECT unnest($1::int[])), false)
    ORDER BY e.at LIMIT ${MAX_COUNTED_EVENTS}) w`;

/** The schema must be up to date (`migrate`). Connects when first used; a lost connection is replaced. */
export function createPostgresEventOutbox(options: PostgresEventOutboxOptions): PostgresEventOutbox {
  const log = (options.log ?? silentLog).child({ part: "event-outbox" });
  const connections = openConnections({
    connectionString: options.connectionString,
    size: 1,
    maxWaiting: MAX_WAITING,
    name: "swift-eats events",
    clock: options.clock,
    log,
  });

  /** Every call here may be repeated. */
  const run = <T>(call: (client: pg.ClientBase) => Promise<T>): Promise<T> => repeating(connections, call);

  return {
    unpublished: async (shards, limit, perActor, except = []) =>
      shards.length === 0 || limit < 1 || perActor < 1
        ? []
        : await run((client) =>
            ask<OutboxEvent & pg.QueryResultRow>(client, "events_unpublished", UNPUBLISHED, [
              arrayParameter("int4", shards),
              ...addressParameters(except),
              limit,
              limit * ROWS_PER_WANTED,
              perActor,
            ]),
          ),
    published: async (events) => {
      if (events.length === 0) return;
      await run((client) =>
        ask(
          client,
          "events_published",
          `DELETE FROM event_outbox e USING unnest($1::text[], $2::text[], $3::int8[]) w(kind, key, number)
             WHERE e.kind = w.kind AND e.key = w.key AND e."offset" = w.number`,
          [
            ...addressParameters(events),
            arrayParameter(
              "int8",
              events.map(({ offset }) => offset),
            ),
          ],
        ),
      );
    },
    forgetEvents: (before, limit) =>
      run(async (client) => {
        const rows = await ask<{ forgotten: number }>(
          client,
          "events_forget",
          `WITH gone AS (
             DELETE FROM event_outbox WHERE (kind, key, "offset") IN (
               SELECT kind, key, "offset" FROM event_outbox WHERE at < $1::float8
                 ORDER BY at, kind, key, "offset" LIMIT $2::int FOR UPDATE SKIP LOCKED) RETURNING 1)
           SELECT count(*) AS forgotten FROM gone`,
          [before, limit],
        );
        return rows[0]!.forgotten;
      }),
    lag: (shards) =>
      run(async (client) => {
        const rows = await ask<{ waiting: number; oldest: number | null }>(client, "events_lag", LAG, [
          arrayParameter("int4", shards),
        ]);
        return { waiting: rows[0]!.waiting, oldestAt: rows[0]!.oldest };
      }),
    close: () => connections.close(),
  };
}

const addressParameters = (actors: readonly ActorAddress[]): [Buffer, Buffer] => [
  arrayParameter(
    "text",
    actors.map(({ kind }) => findable(kind)),
  ),
  arrayParameter(
    "text",
    actors.map(({ key }) => findable(key)),
  ),
];
