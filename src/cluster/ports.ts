/**
 * The ports of the cluster: what the coordinator of a node needs of the database (the only arbiter of ownership), of the
 * network between nodes (hints, never decisions) and of its own node (which shards it serves, and until when it may
 * speak). Adapters: `src/store/{postgres,memory}` (OwnershipStore, EventOutbox), `src/cluster/{nats,memory}` (Hints,
 * EventStream), `src/node` (ShardKeeper).
 */
import type { EndpointId } from "../actors/runtime/link.js";
import { type ActorAddress, type PublishedEvent, SHARD_COUNT } from "../actors/runtime/ports.js";

/** A node as it enters the cluster. */
export interface NodeDescription {
  /** Unique in the cluster; two processes with one id cannot both be members. */
  readonly node: string;
  /** New for every process, so that a restarted node is not taken for the one before. */
  readonly incarnation: string;
  /** Its shard workers: shard `s` of the node is served by worker `s % workers`. */
  readonly workers: number;
  /** Where clients reach its gateways. */
  readonly url: string;
}

export type NodeState = "active" | "draining";

/** A member as the database sees it, by the database's clock. */
export interface MemberRow extends NodeDescription {
  readonly state: NodeState;
  /** Until the lease ends; negative once it has. */
  readonly leaseLeftMs: number;
  /** Whether the member's session is open at the database. False right after the process died. */
  readonly hasSession: boolean;
  /** Numbers its newest session: every session of the cluster has a higher number than those opened before it. */
  readonly joined: number;
  /** The highest session number in the view that the member says it acts by: it knows of every session up to that one. */
  readonly seen: number;
}

export interface ShardRow {
  readonly shard: number;
  readonly epoch: number;
  /** The node that owns it; it may be dead. */
  readonly node: string;
}

/** Members and shards read in one snapshot of the database. */
export interface ClusterView {
  readonly members: readonly MemberRow[];
  /** Ascending; shards that never had an owner are absent. */
  readonly shards: readonly ShardRow[];
  /** The database server's start, milliseconds since the epoch: right after it nobody has a session yet. */
  readonly serverStartedAt: number;
  /** The database's clock when it answered, milliseconds since the epoch. */
  readonly databaseNow: number;
}

/** Another living process is a member under this id. */
export class NodeIdInUse extends Error {
  override readonly name = "NodeIdInUse";
}

/** A lone node works on the database, or (for a lone node) members of a cluster do. */
export class DatabaseNotShared extends Error {
  override readonly name = "DatabaseNotShared";
}

export interface OwnershipStore {
  /**
   * Opens this process's one session: takes the node's lock for as long as the session lives and writes its lease.
   * Waits a few seconds for the lock of a process that has just died. Throws NodeIdInUse, DatabaseNotShared, or what the
   * connection says.
   */
  join(node: NodeDescription, leaseMs: number): Promise<OwnershipSession>;
  close(): Promise<void>;
}

/** A member's session. Once it is lost every call rejects; the member joins anew (same incarnation) or ends. */
export interface OwnershipSession {
  /** Resolves when the session has ended, for whatever reason. Never rejects. */
  readonly lost: Promise<void>;
  /**
   * Renews the lease, sets the state, and reads the view: one round trip. `seen`: the highest session number in the view
   * of this session that the member acts by; 0 (the default): none yet, and nobody may count its missing session.
   */
  renew(leaseMs: number, state: NodeState, seen?: number): Promise<ClusterView>;
  /**
   * Takes shards for this node whose owner may not have them any more: `expectedEpoch` is still the epoch (0: never
   * owned), and the owner is this node itself, or has no live lease, or has no session (and `ifSessionGone` is set) while
   * each of the two knows of the other's newest session by what it said it had `seen`. Judged in the database, one shard
   * after the other in ascending order. Returns shard → new epoch of those taken.
   */
  take(
    shards: readonly { readonly shard: number; readonly expectedEpoch: number }[],
    options: { readonly ifSessionGone: boolean },
  ): Promise<ReadonlyMap<number, number>>;
  /**
   * Gives shards of this node to an active member with a live lease. Only those whose epoch is still this node's move.
   * Returns shard → new epoch of those that moved.
   */
  give(
    shards: readonly { readonly shard: number; readonly epoch: number }[],
    to: string,
  ): Promise<ReadonlyMap<number, number>>;
  /** Ends the lease and the session. Harmless once the session is lost. */
  leave(): Promise<void>;
  /** Ends the session as a dying process would, without a word. For tests. */
  abort(): void;
}

/** Says that shards have moved. May be lost, late or repeated: `epoch` tells which is newer, the database which is true. */
export interface OwnershipHint {
  readonly node: string;
  /** Worker threads of that node: makes the endpoint from the shard. */
  readonly workers: number;
  readonly shards: readonly { readonly shard: number; readonly epoch: number }[];
}

/** A member's question that has been heard. */
export interface HeardQuestion {
  readonly node: string;
  readonly incarnation: string;
  readonly question: number;
}

/**
 * What a member says that cannot see the database. By naming a question the speaker promises: it has no sight of the
 * database, and its patience with that member's missing session begins anew now, which is after the question was asked.
 * May be lost, late or repeated: a promise counts from when its question was asked, on the clock of who asked.
 */
export interface Testimony {
  readonly node: string;
  readonly incarnation: string;
  /** Asks the others for their promise; numbers this process's questions from 1. 0: nothing is asked. */
  readonly question: number;
  readonly promises: readonly HeardQuestion[];
}

export interface Hints {
  announce(hint: OwnershipHint): void;
  /** Hints of other nodes. */
  onHint(handler: (hint: OwnershipHint) => void): void;
  testify(testimony: Testimony): void;
  /** Testimony of other nodes. */
  onTestimony(handler: (testimony: Testimony) => void): void;
  close(): Promise<void>;
}

/** A moment on both clocks of this machine. */
export interface Moment {
  readonly monotonic: number;
  readonly wall: number;
}

/** What the coordinator does to its own node. */
export interface ShardKeeper {
  /**
   * Serve these shards under these epochs. `given`: by the member that had them, in order, a moment ago; otherwise nobody
   * served them for a while.
   */
  grant(epochs: ReadonlyMap<number, number>, given: boolean): void;
  /** Refuse what is new, finish and commit what is under way, forget. Resolves when nothing of them is in memory. */
  release(shards: readonly number[]): Promise<void>;
  /** They are another's: forget them at once. */
  revoke(shards: readonly number[]): void;
  /** Now; taken before the lease is asked for. */
  moment(): Moment;
  /** The node may speak until `forMs` after `since`; may also shorten. */
  extend(since: Moment, forMs: number): void;
  /** The node may say nothing until it is extended again. */
  silence(): void;
  /** Where shards live, as far as is known: null while nobody has them. */
  assign(owners: Iterable<readonly [shard: number, owner: EndpointId | null]>): void;
}

/** The endpoint that serves a shard on a node. The one place that knows how endpoints of shard workers are named. */
/** A view's rows by their shards' numbers: every heartbeat reads all of them several times. */
export function rowsByShard(view: ClusterView): readonly (ShardRow | undefined)[] {
  const rows = new Array<ShardRow | undefined>(SHARD_COUNT);
  for (const row of view.shards) rows[row.shard] = row;
  return rows;
}

export function shardEndpoint(node: string, workers: number, shard: number): EndpointId {
  return `${node}/shards-${shard % Math.max(1, workers)}`;
}

/** A committed event on its way out of the cluster. */
export interface OutboxEvent extends PublishedEvent {
  readonly kind: string;
  readonly key: string;
  readonly shard: number;
}

/** The relay's side of the store. */
export interface EventOutbox {
  /**
   * Events of these shards that were not published yet: of each actor in order of offset, at most `perActor` of one
   * actor and `limit` in all, oldest actors first so that nobody starves.
   */
  unpublished(
    shards: readonly number[],
    limit: number,
    perActor: number,
    /** Actors to pass over: their events are on their way already, or wait for another attempt. Default none. */
    except?: readonly ActorAddress[],
  ): Promise<readonly OutboxEvent[]>;
  /** They were published: forgotten. Repeating is harmless. */
  published(events: readonly { readonly kind: string; readonly key: string; readonly offset: number }[]): Promise<void>;
  /** For a node without consumers: forgets what is older than `before` (ms); returns how many. */
  forgetEvents(before: number, limit: number): Promise<number>;
  /** How far these shards' events are behind. For metrics: may take a while when many wait. */
  lag(shards: readonly number[]): Promise<OutboxLag>;
}

export interface OutboxLag {
  /** Events that wait; counted up to `MAX_COUNTED_EVENTS`. */
  readonly waiting: number;
  /** When the oldest of them happened, milliseconds since the epoch; null when none waits. */
  readonly oldestAt: number | null;
}

/** Nobody needs to know more exactly how bad it is. */
export const MAX_COUNTED_EVENTS = 100_000;

/** The stream will not have this event as it is (it is too large): no fault of the stream, and other events may pass. */
export class EventRefused extends Error {
  override readonly name = "EventRefused";
}

/** Where events go: an append-only stream that de-duplicates by message id. */
export interface EventStream {
  /** Resolves once the stream has stored the event (or knew its id). Rejects when it surely or possibly has not. */
  publish(event: OutboxEvent): Promise<void>;
  /** False while the stream is known to be out of reach: publishing is not worth trying. */
  readonly available: boolean;
  close(): Promise<void>;
}
