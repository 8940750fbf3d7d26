/**
 * The auditor's door: what checkers and tools may read of a store. The engine never uses it. It reads everything, in no
 * hurry, and changes nothing.
 */
import type { ActorAddress, DeadLetter, IndexRow } from "../actors/runtime/ports.js";

export interface AuditedSnapshot extends ActorAddress {
  readonly shard: number;
  readonly seq: number;
  readonly version: number;
  /** The epoch under which it was committed. */
  readonly epoch: number;
  readonly committedAt: number;
  /** Decoded from MessagePack, with the rarely changing part (`cold`) apart. */
  readonly state: unknown;
  readonly cold: unknown;
}

export interface AuditedClaim {
  readonly claim: string;
  readonly value: string;
  readonly holder: ActorAddress;
}

export interface AuditedEvent extends ActorAddress {
  readonly offset: number;
  readonly type: string;
  readonly at: number;
  readonly body: unknown;
}

export interface AuditedTell {
  readonly from: ActorAddress;
  readonly number: number;
  readonly to: ActorAddress;
  readonly name: string;
  readonly input: unknown;
}

export interface AuditedTimer extends ActorAddress {
  readonly name: string;
  readonly at: number;
  readonly run: string;
}

/** Everything is in the order of kind and key (and offset or number), and as of one instant. */
export interface Audit {
  indexRows(kind?: string): AsyncIterable<IndexRow>;
  snapshots(kind?: string): AsyncIterable<AuditedSnapshot>;
  events(kind?: string): AsyncIterable<AuditedEvent>;
  claims(): AsyncIterable<AuditedClaim>;
  /** Messages and effects that are not yet delivered. */
  tells(): AsyncIterable<AuditedTell>;
  timers(): AsyncIterable<AuditedTimer>;
  deadLetters(): AsyncIterable<DeadLetter>;
  close(): Promise<void>;
}
