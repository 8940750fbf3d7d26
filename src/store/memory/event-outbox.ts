import { type EventOutbox, MAX_COUNTED_EVENTS, type OutboxEvent } from "../../cluster/ports.js";
import { type ActorRow, addressOf, compareAddress, type MemoryTables } from "./tables.js";

/** The outbox of the rows that flushes wrote. `pause` delays every call as the store's own are delayed. */
export function eventOutboxOf(tables: MemoryTables, pause: () => Promise<void>): EventOutbox {
  const eventsOf = (row: ActorRow): OutboxEvent[] =>
    [...row.events]
      .sort((a, b) => a.offset - b.offset)
      .map((event) => ({ ...event, body: event.body.slice(), kind: row.kind, key: row.key, shard: row.shard }));
  const waiting = (shards: readonly number[]): ActorRow[] => {
    const wanted = new Set(shards);
    return [...tables.actors.values()].filter((row) => row.events.length > 0 && wanted.has(row.shard));
  };
  const since = (row: ActorRow): number => row.events.reduce((oldest, { at }) => Math.min(oldest, at), Infinity);

  return {
    async unpublished(shards, limit, perActor, except = []) {
      await pause();
      const passedOver = new Set(except.map(addressOf));
      return waiting(shards)
        .filter((row) => !passedOver.has(addressOf(row)))
        .sort((a, b) => since(a) - since(b) || compareAddress(a, b))
        .flatMap((row) => eventsOf(row).slice(0, Math.max(0, perActor)))
        .slice(0, Math.max(0, limit));
    },
    async published(events) {
      await pause();
      for (const { kind, key, offset } of events) {
        const row = tables.actors.get(addressOf({ kind, key }));
        const index = row?.events.findIndex((event) => event.offset === offset) ?? -1;
        if (index >= 0) row!.events.splice(index, 1);
      }
    },
    async forgetEvents(before, limit) {
      await pause();
      const old = [...tables.actors.values()]
        .flatMap(eventsOf)
        .filter(({ at }) => at < before)
        .sort((a, b) => a.at - b.at || compareAddress(a, b) || a.offset - b.offset)
        .slice(0, Math.max(0, limit));
      for (const { kind, key, offset } of old) {
        const { events } = tables.actors.get(addressOf({ kind, key }))!;
        events.splice(
          events.findIndex((event) => event.offset === offset),
          1,
        );
      }
      return old.length;
    },
    async lag(shards) {
      await pause();
      const rows = waiting(shards);
      const count = rows.reduce((sum, row) => sum + row.events.length, 0);
      return {
        waiting: Math.min(MAX_COUNTED_EVENTS, count),
        oldestAt: count === 0 ? null : Math.min(...rows.map(since)),
      };
    },
  };
}
