/**
 * The auditor's door into a database: for checkers and tools, never for the engine. Everything it reads is as of the
 * first read, in a transaction that can change nothing.
 */

import type { IndexRow } from "../../actors/runtime/ports.js";
import { decode } from "../../lib/msgpack.js";
import type { Audit } from "../audit.js";
import { RESULT_TYPES } from "./binary.js";
import pg from "./pg.js";
import { INDEX_COLUMNS } from "./reads.js";

/** Rows per round trip. */
const PAGE = 500;

type Row = Record<string, unknown>;

/** Opens a connection of its own. Close it soon: while it is open the database keeps what it sees. */
export async function openAudit(connectionString: string): Promise<Audit> {
  const client = new pg.Client({ connectionString, application_name: "swift-eats audit" });
  let lost: Error | undefined;
  client.on("error", (error) => {
    lost = error;
  });
  await client.connect();
  await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  let cursors = 0;

  async function* rows(sql: string, values: unknown[] = []): AsyncGenerator<Row> {
    const cursor = `audit_${++cursors}`;
    await client.query(`DECLARE ${cursor} NO SCROLL CURSOR FOR ${sql}`, values);
    try {
      for (;;) {
        if (lost !== undefined) throw lost;
        const query: pg.QueryConfig = {
          text: `FETCH ${PAGE} FROM ${cursor}`,
          types: RESULT_TYPES,
        };
        const page = (await client.query<Row>(query)).rows;
        yield* page;
        if (page.length < PAGE) return;
      }
    } finally {
      if (lost === undefined) await client.query(`CLOSE ${cursor}`);
    }
  }
  const ofKind = (kind: string | undefined): [string, unknown[]] =>
    kind === undefined ? ["", []] : ["WHERE kind = $1", [kind]];

  return {
    async *indexRows(kind) {
      const [where, values] = ofKind(kind);
      for await (const row of rows(`SELECT ${INDEX_COLUMNS} FROM actor_index ${where} ORDER BY kind, key`, values)) {
        yield row as unknown as IndexRow;
      }
    },
    async *snapshots(kind) {
      const [where, values] = ofKind(kind);
      const sql = `SELECT kind, key, shard, seq, version, epoch, committed_at, state, cold FROM actor_snapshot ${where}
        ORDER BY kind, key`;
      for await (const { committed_at, state, cold, ...row } of rows(sql, values)) {
        yield {
          ...(row as { kind: string; key: string; shard: number; seq: number; version: number; epoch: number }),
          committedAt: committed_at as number,
          state: decode(state as Uint8Array),
          cold: cold === null ? null : decode(cold as Uint8Array),
        };
      }
    },
    async *events(kind) {
      const [where, values] = ofKind(kind);
      const sql = `SELECT kind, key, "offset", type, at, body FROM event_outbox ${where} ORDER BY kind, key, "offset"`;
      for await (const { body, ...row } of rows(sql, values)) {
        yield {
          ...(row as { kind: string; key: string; offset: number; type: string; at: number }),
          body: decode(body as Uint8Array),
        };
      }
    },
    async *claims() {
      for await (const row of rows("SELECT claim, value, kind, key FROM actor_claim ORDER BY claim, value")) {
        const { claim, value, kind, key } = row as Record<string, string>;
        yield { claim: claim!, value: value!, holder: { kind: kind!, key: key! } };
      }
    },
    async *tells() {
      const sql = "SELECT kind, key, number, to_kind, to_key, name, input FROM actor_outbox ORDER BY kind, key, number";
      for await (const row of rows(sql)) {
        yield {
          from: { kind: row.kind as string, key: row.key as string },
          number: row.number as number,
          to: { kind: row.to_kind as string, key: row.to_key as string },
          name: row.name as string,
          input: decode(row.input as Uint8Array),
        };
      }
    },
    async *timers() {
      for await (const row of rows("SELECT kind, key, name, at, run FROM actor_timer ORDER BY kind, key, name")) {
        yield row as unknown as { kind: string; key: string; name: string; at: number; run: string };
      }
    },
    async *deadLetters() {
      for await (const row of rows("SELECT id, kind, key, name, input, reason, at FROM dead_letter ORDER BY id")) {
        yield row as {
          id: string;
          kind: string;
          key: string;
          name: string;
          input: Uint8Array;
          reason: string;
          at: number;
        };
      }
    },
    async close() {
      await client.end();
    },
  };
}
