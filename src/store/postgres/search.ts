/**
 * Search's side of PostgreSQL: the restaurants in the index, what changed of them, and what was searched for. Owns two
 * connections, so that reading a whole catalogue never stands in the way of flushes. Does not own the rows' coming: the
 * flush function writes them, a trigger says which.
 *
 * Invariant: a position is the oldest transaction that was still open when it was taken; whatever was not visible then
 * has that number or a higher one, and is told by a later call. What was visible may be told twice.
 */

import type { Clock } from "../../lib/clock.js";
import { type Log, silentLog } from "../../lib/log.js";
import { SEARCHED_KIND, type SearchSource, type SearchTermStore, type SourceRow } from "../../services/search/ports.js";
import { arrayParameter } from "./binary.js";
import { openConnections } from "./connection.js";
import type pg from "./pg.js";
import { ask, findable } from "./reads.js";
import { repeating } from "./repeat.js";

export interface PostgresSearchStore extends SearchSource, SearchTermStore {
  close(): Promise<void>;
}

export interface PostgresSearchStoreOptions {
  readonly connectionString: string;
  readonly clock: Clock;
  readonly log?: Log;
}

const MAX_WAITING = 16;

interface Position {
  /** A transaction's number. */
  readonly since: string;
  /** In the middle of a long list: the last that was told, and the position for when the list is over. */
  readonly after?: { readonly changed: string; readonly key: string; readonly next: string };
}

const CHANGES = `
WITH log AS MATERIALIZED (SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS horizon)
SELECT log.horizon, c.key, c.changed::text AS changed, i.seq AS version FROM log
  LEFT JOIN LATERAL (
    SELECT r.key, r.changed FROM restaurant_change r WHERE (r.changed, r.key) > ($1::text::xid8, $2)
      ORDER BY r.changed, r.key LIMIT $3::int) c ON true
  LEFT JOIN actor_index i ON i.kind = '${SEARCHED_KIND}' AND i.key = c.key
  ORDER BY c.changed, c.key`;

/** The schema must be up to date (`migrate`). Connects when first used; a lost connection is replaced. */
export function createPostgresSearchStore(options: PostgresSearchStoreOptions): PostgresSearchStore {
  const connections = openConnections({
    connectionString: options.connectionString,
    size: 2,
    maxWaiting: MAX_WAITING,
    name: "swift-eats search",
    clock: options.clock,
    log: (options.log ?? silentLog).child({ part: "search-store" }),
  });

  const read = <R extends pg.QueryResultRow>(name: string, text: string, values: unknown[]): Promise<R[]> =>
    repeating(connections, (client) => ask<R>(client, name, text, values));

  return {
    rows: (after, limit) =>
      read<SourceRow & pg.QueryResultRow>(
        "search_rows",
        "SELECT key, seq AS version, view FROM actor_index WHERE kind = $1 AND key > $2 ORDER BY key LIMIT $3::int",
        [SEARCHED_KIND, after, limit],
      ),
    versions: (after, limit) =>
      read(
        "search_versions",
        "SELECT key, seq AS version FROM actor_index WHERE kind = $1 AND key > $2 ORDER BY key LIMIT $3::int",
        [SEARCHED_KIND, after, limit],
      ),
    read: (keys) =>
      read<SourceRow & pg.QueryResultRow>(
        "search_read",
        "SELECT key, seq AS version, view FROM actor_index WHERE kind = $1 AND key = ANY($2::text[])",
        [SEARCHED_KIND, arrayParameter("text", keys.map(findable))],
      ),
    async changes(text, limit) {
      const position = text === null ? null : (JSON.parse(text) as Position);
      const from = [position?.after?.changed ?? position?.since ?? "0", position?.after?.key ?? ""];
      const told = await read<{ horizon: string; key: string | null; changed: string; version: number | null }>(
        "search_changes",
        CHANGES,
        // Where the log stands is asked without reading any of it.
        [...from, position === null ? 0 : limit],
      );
      const next = position?.after?.next ?? told[0]!.horizon;
      const rows = told.flatMap(({ key, version }) => (key === null ? [] : [{ key, version }]));
      const last = told.at(-1)!;
      const more = position !== null && rows.length > 0 && rows.length >= limit;
      const goOn: Position =
        more && last.key !== null
          ? { since: position.since, after: { changed: last.changed, key: last.key, next } }
          : { since: next };
      return { rows, position: JSON.stringify(goOn), more };
    },
    popularity: (orders) =>
      read(
        "search_popularity",
        `SELECT o.counterparty AS key, count(*) AS orders FROM (
           SELECT counterparty FROM actor_index WHERE kind = 'order' AND status = 'delivered' ORDER BY at DESC
             LIMIT $1::int) o GROUP BY o.counterparty`,
        [orders],
      ),
    async add(day, terms) {
      if (terms.length === 0) return;
      // In one order for all nodes, so that none waits for another in a circle.
      const sorted = [...terms].sort((a, b) => Buffer.compare(Buffer.from(a.text), Buffer.from(b.text)));
      // Counted twice would be wrong: a lost answer is not asked for again.
      await repeating(
        connections,
        (client) =>
          ask(
            client,
            "search_term_add",
            `INSERT INTO search_term AS t (day, text, searches, found_nothing)
             SELECT $1::int, w.text, w.searches, w.found_nothing
               FROM unnest($2::text[], $3::int8[], $4::int8[]) w(text, searches, found_nothing)
             ON CONFLICT (day, text) DO UPDATE SET searches = t.searches + excluded.searches,
               found_nothing = t.found_nothing + excluded.found_nothing`,
            [
              day,
              arrayParameter(
                "text",
                sorted.map(({ text }) => text),
              ),
              arrayParameter(
                "int8",
                sorted.map(({ searches }) => searches),
              ),
              arrayParameter(
                "int8",
                sorted.map(({ foundNothing }) => foundNothing),
              ),
            ],
          ),
        false,
      );
    },
    async top(sinceDay, order, limit) {
      const sums = `SELECT text, sum(searches)::int8 AS searches, sum(found_nothing)::int8 AS "foundNothing"
         FROM search_term WHERE day >= $1::int GROUP BY text`;
      return order === "searches"
        ? read("search_term_top", `${sums} ORDER BY 2 DESC, text LIMIT $2::int`, [sinceDay, limit])
        : read("search_term_nothing", `${sums} HAVING sum(found_nothing) > 0 ORDER BY 3 DESC, text LIMIT $2::int`, [
            sinceDay,
            limit,
          ]);
    },
    async forget(beforeDay, limit) {
      const rows = await read<{ forgotten: number }>(
        "search_term_forget",
        `WITH gone AS (
           DELETE FROM search_term WHERE (day, text) IN (
             SELECT day, text FROM search_term WHERE day < $1::int ORDER BY day, text LIMIT $2::int
               FOR UPDATE SKIP LOCKED) RETURNING 1)
         SELECT count(*) AS forgotten FROM gone`,
        [beforeDay, limit],
      );
      return rows[0]!.forgotten;
    },
    close: () => connections.close(),
  };
}
