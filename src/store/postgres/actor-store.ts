/**
 * The store on PostgreSQL. Owns its connections: `lanes` of them for flushes, as many and one more for everything else,
 * so that a slow scan never stands in a flush's way. Does not own the schema (`migrate`) nor the server (`embedded/`).
 *
 * Invariants: a flush is one transaction that holds the fences of its shards; nothing is retried here once its outcome
 * is unknown; a caller has at most one flush under way per actor.
 */
import {
  type ActorStore,
  type FlushBatch,
  type LiveCount,
  OutcomeUnknown,
  type StoreMaintenance,
  StoreUnavailable,
} from "../../actors/runtime/ports.js";
import type { Clock } from "../../lib/clock.js";
import { type Log, silentLog } from "../../lib/log.js";
import { storableText } from "../batch-rules.js";
import { arrayParameter } from "./binary.js";
import { type Connections, isConflict, openConnections, type SessionName } from "./connection.js";
import { flushBatch } from "./flush.js";
import { ask, findable, load, pendingTells, queryIndex, rememberedCommand, timersDue } from "./reads.js";

export interface PostgresActorStoreOptions {
  /** `postgresql://user@host/database`, or `postgresql:///database?host=/socket/directory&user=name`. */
  readonly connectionString: string;
  /** Connections for flushes: as many as flushes shall run at once. Default 1. */
  readonly lanes?: number;
  /** Connections for everything else. Default: one more than `lanes`. */
  readonly reads?: number;
  /** Flushes, and separately reads, that may wait in line before StoreUnavailable says "too many". Default 256. */
  readonly maxWaiting?: number;
  readonly clock: Clock;
  readonly log?: Log;
}

export interface PostgresActorStore extends ActorStore, StoreMaintenance {
  /** Calls that wait for a connection right now. */
  waiting(): { flushes: number; reads: number };
}

/** Lost sessions are forgotten when their flush is settled; a caller that never settles costs this many at most. */
const MAX_LOST_SESSIONS = 256;
const MAX_READ_RETRIES = 2;

/** The schema must be up to date (`migrate`). Connects when first used. */
export function createPostgresActorStore(options: PostgresActorStoreOptions): PostgresActorStore {
  const { connectionString, clock, lanes = 1, maxWaiting = 256 } = options;
  if (!Number.isSafeInteger(lanes) || lanes < 1)
    throw new RangeError(`lanes must be a whole number from 1, not ${lanes}`);
  const log = (options.log ?? silentLog).child({ part: "store" });
  const open = (name: string, size: number): Connections =>
    openConnections({ connectionString, size, maxWaiting, name: `swift-eats ${name}`, clock, log });
  const flushes = open("flush", lanes);
  const reads = open("read", options.reads ?? lanes + 1);
  const lost = new Map<string, SessionName[]>();

  /**
   * Reads, and writes that may be repeated. An idle connection may have been cut without anybody noticing, so a lost one
   * is no verdict on the database before a fresh one has failed too.
   */
  async function run<T>(call: Parameters<typeof reads.run<T>>[0]): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await reads.run(call);
      } catch (error) {
        const lostConnection = error instanceof OutcomeUnknown && error.cause !== undefined;
        if ((lostConnection || isConflict(error)) && attempt <= MAX_READ_RETRIES) continue;
        if (error instanceof OutcomeUnknown || isConflict(error)) {
          throw new StoreUnavailable((error as Error).message, { cause: error });
        }
        throw error;
      }
    }
  }

  return {
    claimShards: (node, shards) =>
      run(async (client) => {
        const wanted = [...new Set(shards)].sort((a, b) => a - b);
        const rows = await ask<{ shard: number; epoch: number }>(
          client,
          "claim_shards",
          `INSERT INTO shard_owner AS o (shard, epoch, node) SELECT w.shard, 1, $2 FROM unnest($1::int[]) w(shard)
             ORDER BY w.shard
             ON CONFLICT (shard) DO UPDATE
               SET epoch = o.epoch + 1, node = excluded.node, claimed_at = clock_timestamp()
             RETURNING shard, epoch`,
          [arrayParameter("int4", wanted), node],
        );
        return new Map(rows.map(({ shard, epoch }) => [shard, epoch]));
      }),
    load: async (actors, keepEvents) =>
      actors.length === 0 ? [] : await run((client) => load(client, actors, keepEvents)),
    async flush(batch) {
      let session: SessionName | undefined;
      try {
        return await flushBatch(batch, async (call) => {
          const result = await flushes.run(call, (used) => {
            session = used;
          });
          // It has answered, and may serve another flush by the time that a later part of this one fails.
          session = undefined;
          return result;
        });
      } catch (error) {
        if (error instanceof OutcomeUnknown) {
          log.warn({ flushId: batch.flushId, error: error.message }, "The outcome of a flush is unknown.");
          if (session !== undefined) remember(lost, batch.flushId, session);
        }
        throw error;
      }
    },
    async outcomeOf(batch) {
      const outcome = await run(async (client) => {
        const rows = await ask<{ n: number }>(
          client,
          "flush_outcome",
          "SELECT unnest(flush_outcome_v1($1, $2, $3, $4, $5, $6, $7)) AS n",
          outcomeParameters(batch, lost.get(batch.flushId) ?? []),
        );
        return new Set(rows.map(({ n }) => n));
      });
      lost.delete(batch.flushId);
      return batch.actors.map((_, index) => outcome.has(index + 1));
    },
    rememberedCommand: (actor, commandId) => run((client) => rememberedCommand(client, actor, commandId)),
    timersDue: (shards, before, limit) => run((client) => timersDue(client, shards, before, limit)),
    pendingTells: (shards, limit, after) => run((client) => pendingTells(client, shards, limit, after)),
    queryIndex: (query) => run((client) => queryIndex(client, query)),
    deadLetter: async ({ id, kind, key, name, input, reason, at, attempts, caller, notAfter }) => {
      await run((client) =>
        client.query(
          // One that was settled and comes again, when its command id was forgotten, waits for a person as the first time.
          `INSERT INTO dead_letter AS d (id, kind, key, name, input, reason, at, attempts, caller, not_after)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
             ON CONFLICT (id) DO UPDATE SET state = 'waiting', reason = excluded.reason, at = excluded.at, answer = '',
               input = excluded.input, attempts = excluded.attempts, not_after = excluded.not_after, round = d.round + 1,
               driving_since = NULL, settled_at = NULL
               WHERE d.state <> 'waiting'`,
          [
            storableText(id),
            storableText(kind),
            storableText(key),
            storableText(name),
            Buffer.from(input),
            storableText(reason),
            at,
            attempts ?? 0,
            caller === undefined ? null : JSON.stringify(caller),
            notAfter ?? null,
          ],
        ),
      );
    },
    countLive: (kind) =>
      run(async (client) => {
        const { rows } = await client.query<LiveCount>(
          `SELECT status, count(*)::int AS count, min(at)::float8 AS "oldestAt"
           FROM actor_index WHERE kind = $1 AND live GROUP BY status`,
          [findable(kind)],
        );
        return rows;
      }),
    forgetCommands: (before, limit) =>
      run(async (client) => {
        const { rowCount } = await client.query(
          `DELETE FROM actor_command WHERE (kind, key, id) IN (
             SELECT kind, key, id FROM actor_command WHERE at < $1 ORDER BY at LIMIT $2 FOR UPDATE SKIP LOCKED)`,
          [before, limit],
        );
        return rowCount ?? 0;
      }),
    waiting: () => ({ flushes: flushes.waiting(), reads: reads.waiting() }),
    async close() {
      await Promise.all([flushes.close(), reads.close()]);
    },
  };
}

function remember(lost: Map<string, SessionName[]>, flushId: string, session: SessionName): void {
  lost.set(flushId, [...(lost.get(flushId) ?? []), session]);
  if (lost.size > MAX_LOST_SESSIONS) lost.delete(lost.keys().next().value!);
}

function outcomeParameters(batch: FlushBatch, sessions: readonly SessionName[]): unknown[] {
  return [
    arrayParameter(
      "int4",
      sessions.map(({ pid }) => pid),
    ),
    arrayParameter(
      "text",
      sessions.map(({ name }) => name),
    ),
    arrayParameter(
      "int4",
      batch.fences.map(({ shard }) => shard),
    ),
    batch.flushId,
    arrayParameter(
      "text",
      batch.actors.map(({ kind }) => findable(kind)),
    ),
    arrayParameter(
      "text",
      batch.actors.map(({ key }) => findable(key)),
    ),
    arrayParameter(
      "int8",
      batch.actors.map(({ seq }) => seq),
    ),
  ];
}
