/**
 * What a peer is: a fair, tuned, documented program of what a team would take in place of ours, doing the same work with
 * the same durability in the same run.
 *
 * A peer's program is a process of its own that calls `serveProgram` (bench/harness/serve.ts) with the options below and
 * says where it listens. The harness starts it, takes its processor time and memory from the operating system, puts the
 * same load on it as on ours, in turns, and ends it. What goes over the line is the peer's own protocol: the generators
 * (processes of the harness) speak it through an adapter, a module of the peer's that they import by its URL. An adapter
 * does as little as a client can, holds thousands of lines in one process, and never answers for the server: what it
 * tells its generator, it has read off the line.
 *
 * `bench/peers/mod.ts` lists the peers of each scenario.
 */
import type { Address } from "../harness/program-messages.js";

export interface PeerProgram {
  /** Short, as it stands in tables: `socket.io`, `colyseus`, `express`, `nact`. */
  readonly name: string;
  /** One sentence for the report: what it is made of and how it is tuned. */
  readonly what: string;
  /** The compiled module that calls `serveProgram`. */
  readonly program: URL;
  /** More arguments for node itself. */
  readonly nodeOptions?: readonly string[];
  /** Null, or why it is left out on this machine. */
  missing?(): string | null;
}

/** What every peer's program is started with. */
export interface ProgramOptions {
  readonly scenario: string;
  /** A PostgreSQL database of its own, empty, durable as ours is (`synchronous_commit` on, `fsync` on). Null: not asked for. */
  readonly databaseUrl: string | null;
  /** A Redis of its own, without a disk, as ours has. Null: not asked for. */
  readonly redisUrl: string | null;
  /** Of the scenario, as below. */
  readonly plan: unknown;
}

// ── gps, fanout, connect: positions from drivers, and to the customers who follow an order ────────────────────────────

export interface PositionsPlan {
  readonly driverIds: readonly string[];
  /** Order `orderIds[i]` is under way with driver `i`; the other drivers carry nothing. */
  readonly orderIds: readonly string[];
}

export interface Line {
  close(): void;
}
export interface DriverLine extends Line {
  /** One fix. `at`: milliseconds since the epoch. The server judges it, keeps it as the driver's latest, and answers. */
  fix(sequence: number, at: number, lat: number, lng: number): void;
}

/** `export const positions: PositionsAdapter` of a module. */
export interface PositionsAdapter {
  /** `ready`: fixes may come. `acknowledged`: the server has taken the fix of this number and all before it. */
  driver(
    address: Address,
    who: { readonly index: number; readonly driverId: string },
    heard: { ready(): void; acknowledged(sequence: number): void; closed(): void },
  ): DriverLine;
  /** `ready`: the server has said that it follows. `position`: `at` is the fix's own, as the server sent it. */
  customer(
    address: Address,
    who: { readonly index: number; readonly orderId: string },
    heard: { ready(): void; position(at: number): void; closed(): void },
  ): Line;
  /** A line that is open, signed in and silent, for `connect`. */
  idle(address: Address, who: { readonly index: number }, heard: { ready(): void; closed(): void }): Line;
}

export interface PositionsPeer extends PeerProgram {
  /** A module with `positions`. */
  readonly adapter: URL;
}

// ── orders: the whole life of an order ────────────────────────────────────────────────────────────────────────────────

export interface OrdersPlan {
  readonly restaurants: number;
  readonly drivers: number;
  /** Each places one order after another, never two at once. */
  readonly customers: number;
}

/** Milliseconds since the order was due: until the answer to the placing, and until the customer heard `delivered`. */
export interface OrderTimes {
  readonly placedMs: number;
  readonly deliveredMs: number;
}

/**
 * One order: the customer posts it over HTTP with an idempotency key and hears that it is durable; the tablet hears of it
 * over its line and a person accepts; the food is ready; drivers are offered it over their lines, one accepts, collects,
 * delivers; the customer hears every status over a line. Every step is committed before it is answered.
 */
export interface OrdersFlow {
  /** Resolves when the customer has heard `delivered`. Rejects when any answer is not as it must be. */
  order(number: number, customer: number, dueAt: number): Promise<OrderTimes>;
  close(): Promise<void>;
}
/** `export const orders: OrdersAdapter` of a module. */
export interface OrdersAdapter {
  /** Opens everybody's lines; resolves when orders may begin. */
  open(address: Address, plan: OrdersPlan): Promise<OrdersFlow>;
}
export interface OrdersPeer extends PeerProgram {
  readonly adapter: URL;
}
/**
 * Asked after the last round (`{ audit: true }`): how many orders are delivered in its database, and what was captured in
 * all. The harness compares both with what its clients were told.
 */
export interface OrdersAudit {
  readonly delivered: number;
  readonly capturedMinor: number;
}
/** What every order of the scenario costs, all in all. */
export const ORDER_MINOR = 1_200;

// ── menu, poll: GET over keep-alive connections ───────────────────────────────────────────────────────────────────────

/**
 * Answers `GET path` with `200`, `content-type: application/json` and an entity tag; `body` is what it has to answer, byte
 * for byte before compression, made from what it keeps in its database (or, for `poll`, in Redis).
 */
export interface ReadsPlan {
  readonly documents: readonly { readonly path: string; readonly body: string }[];
  /** True: with `content-encoding: br` or `gzip` where the request takes it. */
  readonly compressed: boolean;
}
export type ReadsPeer = PeerProgram;

// ── mailbox: the actor library alone, inside its program ──────────────────────────────────────────────────────────────

/** Asked of the program one after another; `plan` is null. */
export type MailboxQuestion =
  /** `count` messages without an answer over `actors` actors in turn; ends when the last is handled. */
  | { readonly measure: "tells"; readonly actors: number; readonly count: number }
  /** Asks with an answer, `inFlight` at a time, over `actors` actors in turn. */
  | { readonly measure: "asks"; readonly actors: number; readonly count: number; readonly inFlight: number }
  /** Makes so many actors and has each handle one message; they stay. */
  | { readonly measure: "activate"; readonly actors: number };
export interface MailboxAnswer {
  /** Wall time of what was asked, from before the first message to after the last was handled. */
  readonly seconds: number;
  /** Every message carries a number (its index modulo 1,000) that its actor adds to its state: the sum of all states. */
  readonly sum: number;
  /** For `activate`: by how much the heap grew, after a collection (`--expose-gc`). */
  readonly heapBytes?: number;
}
export type MailboxPeer = PeerProgram;

// ── storm: thousands of lines that break and come back while events flow ──────────────────────────────────────────────

export interface StormPlan {
  readonly sockets: number;
  /** Line `i` listens to channel `i % channels`: what happens there reaches all its lines. */
  readonly channels: number;
  /** Every line is away for about `awayMs` of every `everyMs`. */
  readonly everyMs: number;
  readonly awayMs: number;
  /** Published, over all channels; each is heard by `sockets / channels` lines. */
  readonly eventsPerSecond: number;
  readonly seed: number;
}

export interface StormLine {
  /** Breaks the line without a goodbye, and says from where to go on: given to the next `open` as it is. */
  cut(): unknown;
  close(): void;
}
export interface StormHeard {
  /**
   * Everything that had happened on the channel when the server answered has been handed up. `recovered`: the server knew
   * where the line had stopped; false: what was missed had to be asked for anew.
   */
  live(recovered: boolean): void;
  /**
   * `position`: the server's own count of the channel's events, 1, 2, 3…; `number`: the storm's own of what it published;
   * null for an event that is none of these.
   */
  event(position: number, number: number | null): void;
  /** Not after `cut` or `close`. */
  closed(reason: string): void;
}
export interface StormAdapter {
  /** `resume`: what the cut line of this number said; null: the first one. */
  open(
    who: { readonly index: number; readonly channel: number; readonly resume: unknown },
    heard: StormHeard,
  ): StormLine;
  /**
   * Publishes event `number` on a channel; resolves when it is as durable as the server makes it. The events of a channel
   * are published one after another.
   */
  publish(channel: number, number: number): Promise<void>;
  close(): Promise<void>;
}
/** `export const storm: StormAdapterMaker` of a module. `note`: what the program said of itself when it was ready. */
export type StormAdapterMaker = (address: Address, note: unknown, plan: StormPlan) => StormAdapter;
export interface StormPeer extends PeerProgram {
  readonly adapter: URL;
}

export interface Peers {
  readonly gps: readonly PositionsPeer[];
  readonly fanout: readonly PositionsPeer[];
  readonly connect: readonly PositionsPeer[];
  readonly orders: readonly OrdersPeer[];
  readonly menu: readonly ReadsPeer[];
  readonly poll: readonly ReadsPeer[];
  readonly mailbox: readonly MailboxPeer[];
  readonly storm: readonly StormPeer[];
}
