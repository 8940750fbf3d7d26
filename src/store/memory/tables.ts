/** The rows of the memory store and how they are compared. Bytes in here belong to the store alone. */

import type { IndexEntry } from "../../actors/runtime/definition.js";
import type {
  ActorAddress,
  ChannelEvent,
  DeadLetter,
  OutboxTell,
  PublishedEvent,
  RememberedCommand,
  TimerRow,
} from "../../actors/runtime/ports.js";
import type { PendingFact } from "../../services/ledger/ports.js";
import type { TermCount } from "../../services/search/ports.js";

export interface ActorRow extends ActorAddress {
  readonly shard: number;
  readonly seq: number;
  readonly version: number;
  readonly epoch: number;
  readonly flushId: string;
  readonly state: Uint8Array;
  readonly cold: Uint8Array | null;
  readonly committedAt: number;
  readonly nextTell: number;
  readonly nextEvent: number;
  readonly commands: Map<string, RememberedCommand & { at: number; seq: number }>;
  readonly tells: Map<number, OutboxTell>;
  readonly timers: Map<string, TimerRow>;
  readonly channels: Map<string, { top: number; events: readonly ChannelEvent[] }>;
  readonly events: PublishedEvent[];
  /** The view is kept as JSON text: what comes back is what Postgres would give back. */
  index: (Omit<IndexEntry, "view"> & { readonly view: string; readonly seq: number }) | null;
}

export interface MemoryTables {
  readonly actors: Map<string, ActorRow>;
  readonly shards: Map<number, { epoch: number; node: string }>;
  readonly claims: Map<string, ActorAddress & { readonly claim: string; readonly value: string }>;
  readonly deadLetters: Map<string, DeadLetter>;
  /** Facts of money that wait for the ledger, by number. */
  readonly facts: Map<number, PendingFact>;
  /** By restaurant, the number of the flush that changed its row of the index last. */
  readonly restaurantChanges: Map<string, number>;
  flushes: number;
  /** By day, then by text. */
  readonly searchTerms: Map<number, Map<string, TermCount>>;
}

export const newTables = (shards: MemoryTables["shards"] = new Map()): MemoryTables => ({
  actors: new Map(),
  shards,
  claims: new Map(),
  deadLetters: new Map(),
  facts: new Map(),
  restaurantChanges: new Map(),
  flushes: 0,
  searchTerms: new Map(),
});

/** Neither kinds nor claims nor values hold a NUL (`batch-rules.ts`), so the texts below are unambiguous. */
export const addressOf = ({ kind, key }: ActorAddress): string => `${kind}\0${key}`;
export const claimOf = (claim: string, value: string): string => `${claim}\0${value}`;

export const copyEvent = (event: ChannelEvent): ChannelEvent => ({ ...event, body: event.body.slice() });

/** The order of Postgres' "C" collation, bytes of UTF-8, which is also that of code points. */
export function compareText(a: string, b: string): number {
  return a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b));
}

export function compareAddress(a: ActorAddress, b: ActorAddress): number {
  return compareText(a.kind, b.kind) || compareText(a.key, b.key);
}
