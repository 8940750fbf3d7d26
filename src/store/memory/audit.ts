import { decode } from "../../lib/msgpack.js";
import type { Audit } from "../audit.js";
import { type ActorRow, compareAddress, compareText, type MemoryTables } from "./tables.js";

/** Reads the tables as they are at the call of each method. */
export function auditOf(tables: MemoryTables): Audit {
  const rows = (kind?: string): ActorRow[] =>
    [...tables.actors.values()].filter((row) => kind === undefined || row.kind === kind).sort(compareAddress);
  return {
    async *indexRows(kind) {
      for (const { kind: ofKind, key, index } of rows(kind)) {
        if (index !== null) yield { ...index, kind: ofKind, key, view: JSON.parse(index.view) };
      }
    },
    async *snapshots(kind) {
      for (const row of rows(kind)) {
        yield {
          kind: row.kind,
          key: row.key,
          shard: row.shard,
          seq: row.seq,
          version: row.version,
          epoch: row.epoch,
          committedAt: row.committedAt,
          state: decode(row.state),
          cold: row.cold === null ? null : decode(row.cold),
        };
      }
    },
    async *events(kind) {
      for (const row of rows(kind)) {
        for (const { offset, type, at, body } of [...row.events].sort((a, b) => a.offset - b.offset)) {
          yield { kind: row.kind, key: row.key, offset, type, at, body: decode(body) };
        }
      }
    },
    async *claims() {
      const sorted = [...tables.claims.values()].sort(
        (a, b) => compareText(a.claim, b.claim) || compareText(a.value, b.value),
      );
      for (const { claim, value, kind, key } of sorted) yield { claim, value, holder: { kind, key } };
    },
    async *tells() {
      for (const row of rows()) {
        for (const { number, to, name, input } of [...row.tells.values()].sort((a, b) => a.number - b.number)) {
          yield { from: { kind: row.kind, key: row.key }, number, to: { ...to }, name, input: decode(input) };
        }
      }
    },
    async *timers() {
      for (const row of rows()) {
        for (const { name, at, run } of [...row.timers.values()].sort((a, b) => compareText(a.name, b.name))) {
          yield { kind: row.kind, key: row.key, name, at, run };
        }
      }
    },
    async *deadLetters() {
      for (const letter of [...tables.deadLetters.values()].sort((a, b) => compareText(a.id, b.id))) {
        yield { ...letter, input: letter.input.slice() };
      }
    },
    async close() {},
  };
}
