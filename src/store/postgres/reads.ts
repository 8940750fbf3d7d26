/** The store's questions to Postgres, each one prepared statement and one round trip. */

import type {
  ActorAddress,
  ChannelEvent,
  DueTimer,
  IndexQuery,
  IndexRow,
  LoadedActor,
  PendingTell,
  RememberedCommand,
  Snapshot,
  TimerRow,
} from "../../actors/runtime/ports.js";
import { isStorable, MAX_INDEX_ROWS, MAX_LOADED_COMMANDS } from "../batch-rules.js";
import { arrayParameter, RESULT_TYPES } from "./binary.js";
import type pg from "./pg.js";

/** Runs a prepared statement. */
export async function ask<R extends pg.QueryResultRow>(
  client: pg.ClientBase,
  name: string,
  text: string,
  values: unknown[],
): Promise<R[]> {
  const query: pg.QueryConfig = {
    name,
    text,
    values,
    types: RESULT_TYPES,
  };
  return (await client.query<R>(query)).rows;
}

/**
 * The text, or one that no row has: what no row can hold must find nothing, not fail a question about a hundred others.
 * The control character stands in no stored text by accident and in no name of ours.
 */
export const findable = (text: string): string => (isStorable(text) ? text : "\u0001 not storable");

/** All that an activation needs, as one list of rows: `part` says which table a row comes from. */
const LOAD_SQL = `
WITH wanted AS MATERIALIZED (
  SELECT w.kind COLLATE "C" AS kind, w.key COLLATE "C" AS key, w.n::int AS n
    FROM unnest($1::text[], $2::text[]) WITH ORDINALITY w(kind, key, n)
)
SELECT w.n AS actor, 0 AS part, s.seq AS a, s.version::bigint AS b, s.next_tell AS c, s.next_event AS d,
    s.committed_at AS at, NULL::text AS name, NULL::text AS detail, s.state AS bytes, s.cold AS cold
  FROM wanted w JOIN actor_snapshot s ON s.kind = w.kind AND s.key = w.key
UNION ALL
SELECT w.n, 1, c.seq, NULL, NULL, NULL, NULL, c.id, c.body_hash, c.outcome, NULL
  FROM wanted w CROSS JOIN LATERAL (
    SELECT * FROM actor_command r WHERE r.kind = w.kind AND r.key = w.key
      ORDER BY r.seq DESC, r.id DESC LIMIT ${MAX_LOADED_COMMANDS}) c
UNION ALL
SELECT w.n, 2, NULL, NULL, NULL, NULL, t.at, t.name, t.run, t.input, NULL
  FROM wanted w JOIN actor_timer t ON t.kind = w.kind AND t.key = w.key
UNION ALL
SELECT w.n, 3, h.top, NULL, NULL, NULL, NULL, h.channel, NULL, NULL, NULL
  FROM wanted w JOIN channel_head h ON h.kind = w.kind AND h.key = w.key
UNION ALL
SELECT w.n, 4, e."offset", NULL, NULL, NULL, e.at, e.channel, e.type, e.body, NULL
  FROM wanted w JOIN channel_head h ON h.kind = w.kind AND h.key = w.key
  CROSS JOIN LATERAL (
    SELECT * FROM channel_event r WHERE r.kind = w.kind AND r.key = w.key AND r.channel = h.channel
      ORDER BY r."offset" DESC LIMIT $3::int) e`;

interface LoadRow {
  actor: number;
  part: number;
  a: number;
  b: number;
  c: number;
  d: number;
  at: number;
  name: string;
  detail: string;
  bytes: Uint8Array;
  cold: Uint8Array | null;
}

interface Loading {
  snapshot: Snapshot | null;
  nextTell: number;
  nextEvent: number;
  readonly commands: { seq: number; command: RememberedCommand }[];
  readonly timers: TimerRow[];
  readonly channels: Record<string, { top: number; events: ChannelEvent[] }>;
}

export async function load(
  client: pg.ClientBase,
  actors: readonly ActorAddress[],
  keepEvents: number,
): Promise<readonly LoadedActor[]> {
  const loading = actors.map(
    (): Loading => ({ snapshot: null, nextTell: 1, nextEvent: 1, commands: [], timers: [], channels: {} }),
  );
  const rows = await ask<LoadRow>(client, "load", LOAD_SQL, [
    arrayParameter(
      "text",
      actors.map(({ kind }) => findable(kind)),
    ),
    arrayParameter(
      "text",
      actors.map(({ key }) => findable(key)),
    ),
    Math.max(0, keepEvents),
  ]);
  for (const row of rows) if (row.part !== 4) addRow(loading[row.actor - 1]!, row);
  // Events last: their channels are all known by then.
  for (const row of rows) {
    if (row.part !== 4) continue;
    const { name: channel, a: offset, detail: type, at, bytes: body } = row;
    loading[row.actor - 1]!.channels[channel]!.events.push({ channel, offset, type, at, body });
  }
  return loading.map((actor) => {
    for (const { events } of Object.values(actor.channels)) events.sort((x, y) => x.offset - y.offset);
    actor.commands.sort((x, y) => x.seq - y.seq || compare(x.command.id, y.command.id));
    actor.timers.sort((x, y) => compare(x.name, y.name));
    return { ...actor, commands: actor.commands.map(({ command }) => command) };
  });
}

const compare = (a: string, b: string): number => (a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b)));

function addRow(actor: Loading, row: LoadRow): void {
  switch (row.part) {
    case 0:
      actor.snapshot = { seq: row.a, version: row.b, state: row.bytes, cold: row.cold, committedAt: row.at };
      actor.nextTell = row.c;
      actor.nextEvent = row.d;
      return;
    case 1:
      actor.commands.push({ seq: row.a, command: { id: row.name, bodyHash: row.detail, outcome: row.bytes } });
      return;
    case 2:
      actor.timers.push({ name: row.name, at: row.at, run: row.detail, input: row.bytes });
      return;
    case 3:
      actor.channels[row.name] = { top: row.a, events: [] };
      return;
    default:
      throw new TypeError(`A load gives an unknown part: ${row.part}`);
  }
}

export async function rememberedCommand(
  client: pg.ClientBase,
  actor: ActorAddress,
  commandId: string,
): Promise<RememberedCommand | null> {
  const rows = await ask<{ id: string; body_hash: string; outcome: Uint8Array }>(
    client,
    "remembered_command",
    "SELECT id, body_hash, outcome FROM actor_command WHERE kind = $1 AND key = $2 AND id = $3",
    [findable(actor.kind), findable(actor.key), findable(commandId)],
  );
  const row = rows[0];
  return row === undefined ? null : { id: row.id, bodyHash: row.body_hash, outcome: row.outcome };
}

export async function timersDue(
  client: pg.ClientBase,
  shards: readonly number[],
  before: number,
  limit: number,
): Promise<readonly DueTimer[]> {
  return await ask<DueTimer & pg.QueryResultRow>(
    client,
    "timers_due",
    `SELECT kind, key, name, shard, at, run, input FROM actor_timer
       WHERE at < $1::float8 AND shard = ANY($2::int[]) ORDER BY at, kind, key, name LIMIT $3::int`,
    [before, arrayParameter("int4", shards), limit],
  );
}

export async function pendingTells(
  client: pg.ClientBase,
  shards: readonly number[],
  limit: number,
  after: { from: ActorAddress; number: number } | undefined,
): Promise<readonly PendingTell[]> {
  interface Row extends pg.QueryResultRow {
    kind: string;
    key: string;
    number: number;
    shard: number;
    to_kind: string;
    to_key: string;
    name: string;
    input: Uint8Array;
  }
  const rows = await ask<Row>(
    client,
    "pending_tells",
    `SELECT kind, key, number, shard, to_kind, to_key, name, input FROM actor_outbox
       WHERE (kind, key, number) > ($1, $2, $3::bigint) AND shard = ANY($4::int[])
       ORDER BY kind, key, number LIMIT $5::int`,
    [after?.from.kind ?? "", after?.from.key ?? "", after?.number ?? 0, arrayParameter("int4", shards), limit],
  );
  return rows.map((row) => ({
    from: { kind: row.kind, key: row.key },
    fromShard: row.shard,
    number: row.number,
    to: { kind: row.to_kind, key: row.to_key },
    name: row.name,
    input: row.input,
  }));
}

/** The columns that make an `IndexRow`. */
export const INDEX_COLUMNS = "kind, key, seq, scope, owner, counterparty, status, live, at, view";

export async function queryIndex(client: pg.ClientBase, query: IndexQuery): Promise<readonly IndexRow[]> {
  const conditions = ["kind = $1"];
  const values: unknown[] = [findable(query.kind)];
  const given: string[] = [];
  const where = (name: string, condition: string, value: unknown): void => {
    values.push(value);
    conditions.push(`${condition.replace("?", `$${values.length}`)}`);
    given.push(name);
  };
  if (query.scope !== undefined) where("scope", "scope = ?", findable(query.scope));
  if (query.owner !== undefined) where("owner", "owner = ?", findable(query.owner));
  if (query.counterparty !== undefined) where("counterparty", "counterparty = ?", findable(query.counterparty));
  if (query.keys !== undefined) where("keys", "key = ANY(?::text[])", arrayParameter("text", query.keys.map(findable)));
  if (query.before !== undefined) where("before", "at < ?::float8", query.before);
  if (query.from !== undefined) {
    values.push(query.from.at, findable(query.from.key));
    conditions.push(`(at, key) > ($${values.length - 1}::float8, $${values.length})`);
    given.push("from");
  }
  if (query.live !== undefined) {
    // Spelled out, not a parameter: only so can the partial index of live rows be used.
    conditions.push(query.live ? "live" : "NOT live");
    given.push(query.live ? "live" : "ended");
  }
  values.push(Math.max(0, Math.min(query.limit, MAX_INDEX_ROWS)));
  const columns = query.views === false ? INDEX_COLUMNS.replace(", view", ", NULL AS view") : INDEX_COLUMNS;
  if (query.views === false) given.push("bare");
  const order = query.from === undefined ? "at DESC, key" : "at, key";
  return await ask<IndexRow & pg.QueryResultRow>(
    client,
    `index_${given.join("_")}`,
    `SELECT ${columns} FROM actor_index WHERE ${conditions.join(" AND ")}
       ORDER BY ${order} LIMIT $${values.length}::int`,
    values,
  );
}
