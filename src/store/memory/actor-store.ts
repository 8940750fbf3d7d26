/**
 * The store's twin in memory: what the deterministic simulation and the engine's tests commit to. It passes the same
 * contract suite as Postgres.
 *
 * Owns: all rows, as copies of bytes, so that nobody's reference reaches into them. Does not own: latency beyond
 * `latencyMs`, and faults (the test kit wraps a store to inject them).
 *
 * Invariants: a flush is judged and written within one turn of the event loop, so it is atomic; an actor is written
 * whole or not at all; nothing is written for a shard whose epoch differs. One store may serve several hosts at once.
 */
import type {
  ActorAddress,
  ActorStore,
  ActorWrite,
  ChannelEvent,
  DeadLetter,
  FlushBatch,
  FlushResult,
  IndexQuery,
  IndexRow,
  LiveCount,
  LoadedActor,
  PendingTell,
  RememberedCommand,
  StoreMaintenance,
  WriteFailure,
} from "../../actors/runtime/ports.js";
import type { EventOutbox } from "../../cluster/ports.js";
import { type Clock, sleep } from "../../lib/clock.js";
import type { ChatHistory } from "../../services/chat/ports.js";
import type { LedgerStore } from "../../services/ledger/ports.js";
import { SEARCHED_KIND, type SearchSource, type SearchTermStore } from "../../services/search/ports.js";
import type { Audit } from "../audit.js";
import { judgeBatch, MAX_INDEX_ROWS, MAX_LOADED_COMMANDS, storableText } from "../batch-rules.js";
import { auditOf } from "./audit.js";
import { createMemoryChatHistory } from "./chat-history.js";
import { eventOutboxOf } from "./event-outbox.js";
import { ledgerOf, noteFact } from "./ledger.js";
import { searchOf } from "./search.js";
import {
  type ActorRow,
  addressOf,
  claimOf,
  compareAddress,
  compareText,
  copyEvent,
  type MemoryTables,
  newTables,
} from "./tables.js";

export interface MemoryActorStore extends ActorStore, StoreMaintenance {
  /** The auditor's door. See `audit.ts`. */
  audit(): Audit;
  /** The relay's door to the events that flushes left. */
  eventOutbox(): EventOutbox;
  /** Books that are fed by what is committed here. One for all who ask. */
  ledger(): LedgerStore;
  /** What was said in rooms. */
  chatHistory(): ChatHistory;
  /** Search's door to the restaurants in the index, and to what was searched for. */
  search(): SearchSource & SearchTermStore;
}

/**
 * An empty store. `latencyMs` (default 0) delays every answer by that much of `clock`; with 0 an answer comes within the
 * same macrotask. The write itself always happens after the delay, just before the answer.
 */
export function createMemoryActorStore(options: {
  clock: Clock;
  latencyMs?: number;
  /** Rows shared with an ownership store, whose moves then fence the flushes. */
  shards?: MemoryTables["shards"];
}): MemoryActorStore {
  const tables = newTables(options.shards);
  let ledger: LedgerStore | null = null;
  const pause = (): Promise<void> =>
    options.latencyMs === undefined || options.latencyMs <= 0
      ? Promise.resolve()
      : sleep(options.clock, options.latencyMs);

  return {
    ledger() {
      ledger ??= ledgerOf(tables.facts);
      return ledger;
    },
    chatHistory: () => createMemoryChatHistory(tables),
    async claimShards(node, shards) {
      await pause();
      const epochs = new Map<number, number>();
      for (const shard of [...new Set(shards)].sort((a, b) => a - b)) {
        const epoch = (tables.shards.get(shard)?.epoch ?? 0) + 1;
        tables.shards.set(shard, { epoch, node });
        epochs.set(shard, epoch);
      }
      return epochs;
    },
    async load(actors, keepEvents) {
      await pause();
      return actors.map((address) => loadOne(tables, address, keepEvents));
    },
    async flush(batch) {
      await pause();
      return flushBatch(tables, batch);
    },
    async outcomeOf(batch) {
      await pause();
      return batch.actors.map((write) => {
        const row = tables.actors.get(addressOf(write));
        return row !== undefined && row.flushId === batch.flushId && row.seq === write.seq;
      });
    },
    async rememberedCommand(actor, commandId) {
      await pause();
      const row = tables.actors.get(addressOf(actor))?.commands.get(commandId);
      return row === undefined ? null : copyCommand(row);
    },
    async timersDue(shards, before, limit) {
      await pause();
      const wanted = new Set(shards);
      return sortedActors(tables)
        .filter((row) => wanted.has(row.shard))
        .flatMap((row) =>
          [...row.timers.values()]
            .filter((timer) => timer.at < before)
            .map((timer) => ({ ...timer, input: timer.input.slice(), kind: row.kind, key: row.key, shard: row.shard })),
        )
        .sort((a, b) => a.at - b.at || compareAddress(a, b) || compareText(a.name, b.name))
        .slice(0, limit);
    },
    async pendingTells(shards, limit, after) {
      await pause();
      return pendingTells(tables, new Set(shards), limit, after);
    },
    async queryIndex(query) {
      await pause();
      return queryIndex(tables, query);
    },
    async deadLetter(letter: DeadLetter) {
      await pause();
      if (!tables.deadLetters.has(letter.id)) {
        const texts = {
          kind: storableText(letter.kind),
          key: storableText(letter.key),
          name: storableText(letter.name),
        };
        const reason = storableText(letter.reason);
        tables.deadLetters.set(letter.id, { ...letter, ...texts, reason, input: letter.input.slice() });
      }
    },
    async countLive(kind) {
      await pause();
      const counts = new Map<string, LiveCount>();
      for (const { kind: own, index } of tables.actors.values()) {
        if (own !== kind || !index?.live) continue;
        const { status, at } = index;
        const { count, oldestAt } = counts.get(status) ?? { count: 0, oldestAt: at };
        counts.set(status, { status, count: count + 1, oldestAt: Math.min(oldestAt, at) });
      }
      return [...counts.values()];
    },
    async forgetCommands(before, limit) {
      await pause();
      let forgotten = 0;
      for (const row of tables.actors.values()) {
        for (const [id, command] of row.commands) {
          if (forgotten >= limit) return forgotten;
          if (command.at < before && row.commands.delete(id)) forgotten++;
        }
      }
      return forgotten;
    },
    async close() {},
    audit: () => auditOf(tables),
    eventOutbox: () => eventOutboxOf(tables, pause),
    search: () => searchOf(tables, pause),
  };
}

function flushBatch(tables: MemoryTables, batch: FlushBatch): FlushResult {
  const judged = judgeBatch(batch);
  const epochs = new Map(batch.fences.map(({ shard, epoch }) => [shard, epoch]));
  const stale = new Set(judged.unfencedShards);
  for (const [shard, epoch] of epochs) if (tables.shards.get(shard)?.epoch !== epoch) stale.add(shard);

  const failures: { index: number; failure: WriteFailure }[] = [];
  batch.actors.forEach((write, index) => {
    if (stale.has(write.shard)) return;
    const defect = judged.defects[index] ?? null;
    const failure: WriteFailure | null =
      defect === null ? judgeActor(tables, write) : { reason: "invalid", detail: defect };
    if (failure === null) writeActor(tables, write, batch, epochs.get(write.shard)!);
    else failures.push({ index, failure });
  });
  for (const { from, number } of batch.delivered) {
    const sender = tables.actors.get(addressOf(from));
    const lostFence = sender !== undefined && epochs.has(sender.shard) && stale.has(sender.shard);
    if (!lostFence) sender?.tells.delete(number);
  }
  return { staleShards: [...stale].sort((a, b) => a - b), failures };
}

/** Judged in this order, the first failure is told: seq, commands, claims, then numbers that are already used. */
function judgeActor(tables: MemoryTables, write: ActorWrite): WriteFailure | null {
  const row = tables.actors.get(addressOf(write));
  if ((row?.seq ?? 0) !== write.expectedSeq) return { reason: "stale_seq" };
  for (const { id } of write.commands) {
    if (row?.commands.has(id)) return { reason: "duplicate_command", commandId: id };
  }
  for (const { claim, value } of write.claims) {
    const holder = tables.claims.get(claimOf(claim, value));
    if (holder !== undefined && addressOf(holder) !== addressOf(write)) return { reason: "claim_taken", claim, value };
  }
  const used =
    write.tells.some((tell) => row?.tells.has(tell.number)) ||
    write.events.some((event) => row?.events.some((kept) => kept.offset === event.offset)) ||
    write.pushes.some((push) => row?.channels.get(push.channel)?.events.some((kept) => kept.offset === push.offset));
  return used ? { reason: "invalid", detail: "a tell number or an offset is already used" } : null;
}

function writeActor(tables: MemoryTables, write: ActorWrite, batch: FlushBatch, epoch: number): void {
  const before = tables.actors.get(addressOf(write));
  const row: ActorRow = {
    kind: write.kind,
    key: write.key,
    shard: write.shard,
    seq: write.seq,
    version: write.version,
    epoch,
    flushId: batch.flushId,
    state: write.state.slice(),
    cold: write.cold === undefined ? (before?.cold ?? null) : write.cold.slice(),
    committedAt: batch.at,
    nextTell: Math.max(before?.nextTell ?? 1, ...write.tells.map((tell) => tell.number + 1)),
    nextEvent: Math.max(before?.nextEvent ?? 1, ...write.events.map((event) => event.offset + 1)),
    commands: before?.commands ?? new Map(),
    tells: before?.tells ?? new Map(),
    timers: before?.timers ?? new Map(),
    channels: before?.channels ?? new Map(),
    events: before?.events ?? [],
    index: before?.index ?? null,
  };
  for (const command of write.commands)
    row.commands.set(command.id, { ...copyCommand(command), at: batch.at, seq: write.seq });
  for (const tell of write.tells)
    row.tells.set(tell.number, { ...tell, to: { ...tell.to }, input: tell.input.slice() });
  for (const name of write.timersCancelled) row.timers.delete(name);
  for (const timer of write.timersSet) row.timers.set(timer.name, { ...timer, input: timer.input.slice() });
  for (const event of write.events) {
    row.events.push({ ...event, body: event.body.slice() });
    noteFact(tables.facts, write, event);
  }
  for (const push of write.pushes) {
    const channel = row.channels.get(push.channel) ?? { top: 0, events: [] };
    row.channels.set(push.channel, {
      top: Math.max(channel.top, push.offset),
      events: [...channel.events, copyEvent(push)].sort((a, b) => a.offset - b.offset),
    });
  }
  for (const { channel, offset } of write.trims) {
    const kept = row.channels.get(channel);
    if (kept) kept.events = kept.events.filter((event) => event.offset > offset);
  }
  for (const { claim, value } of write.releases) {
    const holder = tables.claims.get(claimOf(claim, value));
    if (holder !== undefined && addressOf(holder) === addressOf(write)) tables.claims.delete(claimOf(claim, value));
  }
  for (const { claim, value } of write.claims) {
    tables.claims.set(claimOf(claim, value), { claim, value, kind: write.kind, key: write.key });
  }
  if (write.index === null) row.index = null;
  else if (write.index !== undefined) {
    row.index = { ...write.index, view: JSON.stringify(write.index.view ?? null), seq: write.seq };
  }
  if (write.kind === SEARCHED_KIND && write.index !== undefined) {
    tables.restaurantChanges.set(write.key, ++tables.flushes);
  }
  tables.actors.set(addressOf(write), row);
}

function loadOne(tables: MemoryTables, address: ActorAddress, keepEvents: number): LoadedActor {
  const row = tables.actors.get(addressOf(address));
  if (row === undefined) return { snapshot: null, commands: [], nextTell: 1, nextEvent: 1, channels: {}, timers: [] };
  const newest = [...row.commands.values()]
    .sort((a, b) => a.seq - b.seq || compareText(a.id, b.id))
    .slice(-MAX_LOADED_COMMANDS);
  const channels: Record<string, { top: number; events: ChannelEvent[] }> = {};
  for (const [name, { top, events }] of row.channels) {
    channels[name] = { top, events: keepEvents > 0 ? events.slice(-keepEvents).map(copyEvent) : [] };
  }
  return {
    snapshot: {
      seq: row.seq,
      version: row.version,
      state: row.state.slice(),
      cold: row.cold?.slice() ?? null,
      committedAt: row.committedAt,
    },
    commands: newest.map(copyCommand),
    nextTell: row.nextTell,
    nextEvent: row.nextEvent,
    channels,
    timers: [...row.timers.values()]
      .sort((a, b) => compareText(a.name, b.name))
      .map((timer) => ({ ...timer, input: timer.input.slice() })),
  };
}

function pendingTells(
  tables: MemoryTables,
  shards: ReadonlySet<number>,
  limit: number,
  after: { from: ActorAddress; number: number } | undefined,
): PendingTell[] {
  const found: PendingTell[] = [];
  for (const row of sortedActors(tables)) {
    const side = after === undefined ? 1 : compareAddress(row, after.from);
    if (!shards.has(row.shard) || side < 0) continue;
    for (const tell of [...row.tells.values()].sort((a, b) => a.number - b.number)) {
      if (found.length >= limit) return found;
      if (side === 0 && tell.number <= after!.number) continue;
      found.push({
        ...tell,
        to: { ...tell.to },
        input: tell.input.slice(),
        from: { kind: row.kind, key: row.key },
        fromShard: row.shard,
      });
    }
  }
  return found;
}

const isAfter = (row: { at: number; key: string }, { at, key }: { at: number; key: string }): boolean =>
  row.at > at || (row.at === at && compareText(row.key, key) > 0);

function queryIndex(tables: MemoryTables, query: IndexQuery): IndexRow[] {
  const keys = query.keys === undefined ? null : new Set(query.keys);
  const rows: IndexRow[] = [];
  for (const { kind, key, index } of tables.actors.values()) {
    if (index === null || kind !== query.kind || (keys !== null && !keys.has(key))) continue;
    if (query.scope !== undefined && index.scope !== query.scope) continue;
    if (query.owner !== undefined && index.owner !== query.owner) continue;
    if (query.counterparty !== undefined && index.counterparty !== query.counterparty) continue;
    if (query.live !== undefined && index.live !== query.live) continue;
    if (query.before !== undefined && !(index.at < query.before)) continue;
    if (query.from !== undefined && !isAfter({ at: index.at, key }, query.from)) continue;
    rows.push({ ...index, kind, key, view: query.views === false ? null : JSON.parse(index.view) });
  }
  const rising = query.from === undefined ? -1 : 1;
  rows.sort((a, b) => rising * (a.at - b.at) || compareText(a.key, b.key));
  return rows.slice(0, Math.min(query.limit, MAX_INDEX_ROWS));
}

const sortedActors = (tables: MemoryTables): ActorRow[] => [...tables.actors.values()].sort(compareAddress);

const copyCommand = ({ id, bodyHash, outcome }: RememberedCommand): RememberedCommand => ({
  id,
  bodyHash,
  outcome: outcome.slice(),
});
