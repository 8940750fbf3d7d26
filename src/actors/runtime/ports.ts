/**
 * The ports of the engine. Adapters live in `src/store` (ActorStore, MirrorPort) and in the composition root
 * (EffectRunner); each has a twin in memory that passes the same contract suite in `src/store/contract`.
 */
import type { Json } from "../../lib/json.js";
import type { Caller, IndexEntry } from "./definition.js";

export const SHARD_COUNT = 512;

export interface ActorAddress {
  readonly kind: string;
  readonly key: string;
}

/** A committed snapshot as the store keeps it. `state` and `cold` are opaque bytes (MessagePack). */
export interface Snapshot {
  /** Number of commits of this actor; strictly rises. */
  readonly seq: number;
  /** Version of the state's shape. */
  readonly version: number;
  readonly state: Uint8Array;
  readonly cold: Uint8Array | null;
  readonly committedAt: number;
}

/** A reply (or refusal) that a repeated command id gets again. */
export interface RememberedCommand {
  readonly id: string;
  /** Hash of the command's body; the same id with another body is `key_reused`. Empty: not checked. */
  readonly bodyHash: string;
  /** MessagePack of the outcome. */
  readonly outcome: Uint8Array;
}

/** A durable message to an actor, or (kind `$effect`, key = effect name) to the effect runner. */
export interface OutboxTell {
  /** Per sender, strictly rising from 1: the order of sending. */
  readonly number: number;
  readonly to: ActorAddress;
  readonly name: string;
  readonly input: Uint8Array;
}

export interface PendingTell extends OutboxTell {
  readonly from: ActorAddress;
  readonly fromShard: number;
}

export interface TimerRow {
  readonly name: string;
  readonly at: number;
  readonly run: string;
  readonly input: Uint8Array;
}

export interface DueTimer extends TimerRow, ActorAddress {
  readonly shard: number;
}

export interface ChannelEvent {
  readonly channel: string;
  /** Per (actor, channel), from 1, no holes. */
  readonly offset: number;
  readonly type: string;
  readonly at: number;
  readonly body: Uint8Array;
}

export interface PublishedEvent {
  /** Per actor, from 1, no holes. */
  readonly offset: number;
  readonly type: string;
  readonly at: number;
  readonly body: Uint8Array;
}

/** Everything one actor changes in one flush. All of it is committed or none. */
export interface ActorWrite extends ActorAddress {
  readonly shard: number;
  /** The seq this write builds on; 0 for a new actor. Otherwise `stale_seq`. */
  readonly expectedSeq: number;
  readonly seq: number;
  readonly version: number;
  readonly state: Uint8Array;
  /** Absent: unchanged. */
  readonly cold?: Uint8Array;
  readonly commands: readonly RememberedCommand[];
  readonly tells: readonly OutboxTell[];
  readonly timersSet: readonly TimerRow[];
  readonly timersCancelled: readonly string[];
  readonly events: readonly PublishedEvent[];
  readonly pushes: readonly ChannelEvent[];
  readonly trims: readonly { readonly channel: string; readonly offset: number }[];
  readonly claims: readonly { readonly claim: string; readonly value: string }[];
  readonly releases: readonly { readonly claim: string; readonly value: string }[];
  /** Absent: unchanged. `null`: remove. */
  readonly index?: IndexEntry | null;
}

export interface FlushBatch {
  /** Unique per attempt group; kept on each snapshot row so that an unknown outcome can be settled. */
  readonly flushId: string;
  readonly at: number;
  /** The epochs under which the writer owns the shards of this batch, in ascending shard order. */
  readonly fences: readonly { readonly shard: number; readonly epoch: number }[];
  readonly actors: readonly ActorWrite[];
  /** Tells that their receivers have committed: removed from the outbox. */
  readonly delivered: readonly { readonly from: ActorAddress; readonly number: number }[];
}

export type WriteFailure =
  | { readonly reason: "stale_seq" }
  | { readonly reason: "duplicate_command"; readonly commandId: string }
  | { readonly reason: "claim_taken"; readonly claim: string; readonly value: string }
  /** A row that no store can hold (a NUL or half a surrogate pair in a text, a name over 1,000 bytes, a seq that does not
   * rise): a fault of the handler, never worth a retry. The other actors of the batch are committed all the same. */
  | { readonly reason: "invalid"; readonly detail: string };

export interface FlushResult {
  /** Shards whose epoch in the store is another: nothing of theirs was written. */
  readonly staleShards: readonly number[];
  /** Actors that were skipped whole, by position in the batch. Every other actor is committed. */
  readonly failures: readonly { readonly index: number; readonly failure: WriteFailure }[];
}

/** Thrown when the store gave no answer: the batch may or may not be committed. Settle it with `outcomeOf`. */
export class OutcomeUnknown extends Error {
  override readonly name = "OutcomeUnknown";
}
/** Thrown when the store surely did nothing. Worth retrying after a pause. */
export class StoreUnavailable extends Error {
  override readonly name = "StoreUnavailable";
}

export interface LoadedActor {
  readonly snapshot: Snapshot | null;
  /** The newest remembered commands, at most 256; older ones are guarded by `duplicate_command`. */
  readonly commands: readonly RememberedCommand[];
  readonly nextTell: number;
  readonly nextEvent: number;
  /** Per channel: the highest offset ever used, and the events kept (newest `keepEvents`, ascending). */
  readonly channels: Readonly<Record<string, { readonly top: number; readonly events: readonly ChannelEvent[] }>>;
  /** Names of the actor's live timers. */
  readonly timers: readonly TimerRow[];
}

export interface IndexQuery {
  readonly kind: string;
  readonly scope?: string;
  readonly owner?: string;
  readonly counterparty?: string;
  readonly live?: boolean;
  readonly keys?: readonly string[];
  /** Rows with `at` before this, newest first. */
  readonly before?: number;
  /** Rows after this one by (`at`, key), oldest first: to read on where a page ended, or what has changed since. */
  readonly from?: { readonly at: number; readonly key: string };
  /** False: rows come without their view, which is then null. Default true. */
  readonly views?: boolean;
  /** At most 1,000. */
  readonly limit: number;
}

export interface IndexRow extends IndexEntry {
  readonly kind: string;
  readonly key: string;
  readonly seq: number;
}

export interface ActorStore {
  /** Takes the shards for this node: raises each epoch by one and returns the new ones. */
  claimShards(node: string, shards: readonly number[]): Promise<ReadonlyMap<number, number>>;
  load(actors: readonly (ActorAddress & { shard: number })[], keepEvents: number): Promise<readonly LoadedActor[]>;
  /** Throws OutcomeUnknown or StoreUnavailable; never half-writes an actor. */
  flush(batch: FlushBatch): Promise<FlushResult>;
  /** Which actors of a batch with an unknown outcome were committed by it, by position. Waits out a running transaction. */
  outcomeOf(batch: FlushBatch): Promise<readonly boolean[]>;
  rememberedCommand(actor: ActorAddress, commandId: string): Promise<RememberedCommand | null>;
  /** Timers of these shards due before `before`, soonest first. */
  timersDue(shards: readonly number[], before: number, limit: number): Promise<readonly DueTimer[]>;
  /** Unsent tells of these shards, per sender in order. `after` continues a scan. */
  pendingTells(
    shards: readonly number[],
    limit: number,
    after?: { from: ActorAddress; number: number },
  ): Promise<readonly PendingTell[]>;
  queryIndex(query: IndexQuery): Promise<readonly IndexRow[]>;
  /** Puts aside a message that keeps failing, for a person to see and drive again. Idempotent per `id`. */
  deadLetter(letter: DeadLetter): Promise<void>;
  close(): Promise<void>;
}

export interface DeadLetter {
  readonly id: string;
  readonly kind: string;
  readonly key: string;
  readonly name: string;
  readonly input: Uint8Array;
  readonly reason: string;
  readonly at: number;
  /** How often it was tried before. These three are absent in what an older release put aside. */
  readonly attempts?: number;
  /** Who asked, of a command that somebody asked for; and until when they wanted it. */
  readonly caller?: Caller;
  readonly notAfter?: number;
}

/** Live rows of the index that say the same. */
export interface LiveCount {
  readonly status: string;
  readonly count: number;
  /** `at` of the oldest, milliseconds since the epoch. */
  readonly oldestAt: number;
}

/** Housekeeping that one caller per cluster runs now and then. */
export interface StoreMaintenance {
  /** What lives of a kind, as the index has it, by status; in no order. Reads every live row: not for every request. */
  countLive(kind: string): Promise<readonly LiveCount[]>;
  /** Removes remembered commands older than `before` (ms); returns how many. */
  forgetCommands(before: number, limit: number): Promise<number>;
}

/** Where polls are answered from: latest values with expiry, written only if newer. Losing it loses nothing that matters. */
export interface MirrorEntry {
  readonly key: string;
  /** (shard epoch, counter): compared in that order. */
  readonly version: readonly [number, number];
  readonly value: Json;
  readonly expiresAt: number;
}

export interface MirrorPort {
  /** Writes a batch; entries not newer than what is held are ignored. Never throws: a lost mirror is not an error. */
  write(entries: readonly MirrorEntry[]): void;
  /** Absent: it wants all. False: nobody would read it, so it is not even made; asked for each, in order. */
  wants?(key: string, value: Json): boolean;
  /** Absent: nobody is nearer than others. Told each as it is said, before it is collected. False: nobody else is to be told. */
  atOnce?(entry: MirrorEntry): boolean;
  /** The values, in the order of the keys; null where there is none or it has expired. Rejects when unreachable. */
  read(keys: readonly string[]): Promise<readonly (MirrorEntry | null)[]>;
  close(): Promise<void>;
}

/** Runs effects. Must be idempotent per `effectId`. Throwing means: try again later (up to the runtime's cap). */
export type EffectRunner = (request: {
  readonly effectId: string;
  readonly actor: ActorAddress;
  readonly key: string;
  readonly input: Json;
  readonly attempt: number;
}) => Promise<Json>;
