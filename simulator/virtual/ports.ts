/**
 * What the parts of the virtual world give each other: time, chance, the trace, faults, the way between clients and
 * nodes, the people, and what is handed to the judge. The world (`world/`) plugs them together; the workload knows nothing
 * of the judge, and the judge nothing of the workload.
 */
import type { ActorWrite } from "../../src/actors/runtime/mod.js";
import type { ProcessClock } from "../../src/actors/runtime/testkit/mod.js";
import type { Clock } from "../../src/lib/clock.js";
import type { Random } from "../../src/lib/random.js";
import type { LedgerEntry } from "../../src/services/payments/mod.js";
import type { Evidence, History, Violation } from "../checkers/mod.js";

/** The clock of one process or client: a view on the world's time that may be wrong, be paused, and die. */
export type { ProcessClock } from "../../src/actors/runtime/testkit/mod.js";

/** Everything that can be done to the world. Each is counted when it really happens, not when it is planned. */
export const FAULT_KINDS = [
  // Between nodes.
  "link_delay",
  "link_drop",
  "link_duplicate",
  "link_reorder",
  "link_clog",
  "link_partition_one_way",
  "link_server_restart",
  "hint_lost",
  // Between nodes and the database.
  "database_cut",
  "session_ended",
  "database_restart",
  "store_unavailable",
  "store_answer_lost",
  "store_slow",
  "store_serialization",
  "store_stale_epoch",
  // Nodes.
  "node_crash",
  "node_pause",
  "node_pause_beyond_lease",
  "node_drain",
  "node_upgrade",
  "worker_crash",
  "clock_skew",
  "clock_drift",
  "clock_jump",
  // Of the stream of events.
  "stream_away",
  "stream_answer_lost",
  // Of the shared mirror.
  "mirror_away",
  // Of the payment provider.
  "payment_unavailable",
  "payment_slow",
  "payment_answer_lost",
  "payment_repeated",
  "payment_declined",
  // Of clients and their lines.
  "client_signal_lost",
  "client_half_open",
  "client_duplicate_send",
  "client_reconnect_storm",
  "client_slow_reader",
  "client_two_apps",
  "client_stuck_reader",
  // Of whoever asks far more than can be answered.
  "mailbox_flood",
] as const;

export type FaultKind = (typeof FAULT_KINDS)[number];

/** Chaos brings faults; healing ends them; then the world has until a deadline to come to rest. */
export type Phase = "chaos" | "heal" | "converge" | "over";

export interface Faults {
  readonly phase: Phase;
  /**
   * How badly this kind goes in this seed, from 0 (never; always so outside of chaos) to 1. What it means (a chance per
   * message, a rate per minute) is the business of whoever does it.
   */
  intensity(kind: FaultKind): number;
  /** It has happened: counted, traced, and told in stories. `where`: a link, a node, a client. */
  happened(kind: FaultKind, where: string, detail?: string): void;
  readonly counts: Readonly<Record<FaultKind, number>>;
}

/** Chance, split by name: what one component draws changes nothing for another. */
export interface Streams {
  /** The same name gives the same stream object. */
  of(name: string): Random;
}

/** A running hash of all that happens, and the last lines about every entity, for stories. */
export interface Trace {
  /**
   * Something happened now. `what` and `of` are short names; `numbers` are whole numbers that belong to it. All of it goes
   * into the hash; the text of `tell` (a sentence, made only when somebody listens) goes into the stories of `of` alone.
   */
  note(what: string, of: string, numbers?: readonly number[], tell?: () => string): void;
  /** 16 hexadecimal digits. */
  hash(): string;
  readonly notes: number;
  /** Lines about these entities (all entities if none is given), oldest first. */
  story(...of: readonly string[]): readonly StoryLine[];
}

export interface StoryLine {
  readonly number: number;
  /** Virtual milliseconds since the epoch. */
  readonly at: number;
  readonly of: string;
  readonly text: string;
}

export interface Scheduler {
  /** The world's time in whole milliseconds since the epoch: that of the database, and of nobody else. */
  readonly clock: Clock;
  /** `name` orders, by the seed, what falls due at one instant in different processes. */
  process(name: string): ProcessClock;
  /** Things done so far. */
  readonly steps: number;
}

/** One life of a node's process, from its start to its crash or stop. */
export interface ProcessView {
  /** `n1` */
  readonly node: string;
  /** `n1-3`: the third life. */
  readonly life: string;
  readonly clock: ProcessClock;
}

/** How large and how long the world of a seed is. */
export interface Sizes {
  readonly nodes: number;
  readonly workersPerNode: number;
  readonly restaurants: number;
  readonly drivers: number;
  readonly orders: number;
  readonly timeScale: number;
  /** Virtual milliseconds in which the orders are placed. */
  readonly placingMs: number;
}

/** What the transport and the workload are made of. */
export interface World {
  readonly seed: number;
  readonly sizes: Sizes;
  readonly scheduler: Scheduler;
  readonly streams: Streams;
  readonly trace: Trace;
  readonly faults: Faults;
}

/** The network between clients and gateways. `App`: what a gateway is built on. */
export interface Transport<App, SocketClass, Fetch> {
  /** The server side of one life of a node, reached by `url`. Replaces an earlier life's. */
  open(process: ProcessView, url: string): App;
  /** The process died without a word: its connections answer nothing, and clients find out by themselves or by a reset. */
  crash(process: ProcessView, machine?: boolean): void;
  /** One device: its own line to the nodes, under its own clock. */
  device(name: string, clock: Clock): { readonly WebSocket: SocketClass; readonly fetch: Fetch };
}

/** The people of a seed: restaurants, drivers, customers and their devices. */
export interface Workload {
  /** Begins; the nodes answer by now. */
  start(): void;
  /** Chaos is over: nobody orders anything more, lost lines come back. */
  heal(): void;
  /** Everything that was ordered has come to an end as its people see it, and all of them are connected. */
  settled(): boolean;
  /** What `settled` still waits for, in words. */
  waitsFor(): readonly string[];
  /** All devices leave. */
  stop(): void;
  history(): History;
  /** Limited items as they were configured, by `restaurant/item`. */
  readonly stockConfigured: ReadonlyMap<string, number>;
  /** Agents that failed in a way nobody foresaw. */
  readonly failures: readonly string[];
}

/** What the world gives the workload beyond `World`. */
export interface City<SocketClass, Fetch> extends World {
  readonly urls: readonly string[];
  readonly operatorSecret: string;
  readonly transport: Transport<unknown, SocketClass, Fetch>;
}

/** One actor's rows as the database took them. */
export interface Commit {
  /** Of all commits, from 1. */
  readonly number: number;
  /** The database's clock. */
  readonly at: number;
  readonly node: string;
  readonly life: string;
  /** Under which the writer believed to own the shard. */
  readonly epoch: number;
  /** Who owned the shard in the database, and under which epoch, when it took the rows. */
  readonly owner: { readonly node: string; readonly epoch: number };
  readonly flushId: string;
  readonly write: ActorWrite;
}

/** An event as a consumer of the stream received it. */
export interface ReceivedEvent {
  readonly at: number;
  readonly kind: string;
  readonly key: string;
  readonly offset: number;
  readonly type: string;
}

/** The largest value that a bounded thing had. `limit`: what it must never exceed. */
export interface BoundSample {
  readonly what: string;
  readonly where: string;
  readonly most: number;
  readonly limit: number;
}

/** Something that a node said about an actor that was another's by the database. */
export interface LateWord {
  readonly at: number;
  readonly life: string;
  readonly of: string;
  readonly what: string;
  readonly to: string;
  readonly owner: string;
}

/** What the world is like at the end. */
export interface EndState {
  /** The conditions of coming to rest that did not hold by the deadline, in words. Empty: it came to rest. */
  readonly unsettled: readonly string[];
  /** Messages of actors that no receiver has committed. */
  readonly unsentTells: readonly { readonly from: string; readonly to: string; readonly name: string }[];
  readonly deadLetters: readonly { readonly to: string; readonly name: string; readonly reason: string }[];
  /** Asks of a flood that nobody ever answered, although the process that asked lived on. */
  readonly unanswered: number;
  /** Events that were committed and never left. */
  readonly unpublished: number;
  /** Facts of money that were committed and are in no book. */
  readonly unbooked: number;
  /** What a log said as an error, oldest first. */
  readonly errors: readonly string[];
}

/** Everything that is known when a seed is over. */
export interface VirtualEvidence {
  readonly seed: number;
  /** What the checkers of real runs look at. */
  readonly evidence: Evidence;
  readonly sizes: Sizes;
  readonly commits: readonly Commit[];
  readonly received: readonly ReceivedEvent[];
  readonly ledger: readonly LedgerEntry[];
  readonly bounds: readonly BoundSample[];
  readonly lateWords: readonly LateWord[];
  readonly end: EndState;
  readonly faults: Readonly<Record<FaultKind, number>>;
  /** Virtual milliseconds since the epoch. */
  readonly times: {
    readonly startedAt: number;
    readonly healedAt: number;
    readonly deadlineAt: number;
    readonly endedAt: number;
  };
  readonly trace: Trace;
}

export type Judge = (evidence: VirtualEvidence) => readonly Violation[];
