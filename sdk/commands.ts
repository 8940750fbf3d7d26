/**
 * Commands: sent in order, answered once, resent with the same idempotency key until answered or expired.
 *
 * Owns: the bounded queue of unanswered commands, lanes, retries of temporary refusals, expiry. Does not own the socket.
 *
 * Invariants: commands of one lane (one driver, one restaurant, one order) are sent one after the other, the next only
 * when the one before has its final answer; a command keeps its key and its `notAfter` through every resend; its promise
 * settles exactly once; the queue never holds more than `maxQueued`.
 */
import type { Clock } from "../src/lib/clock.js";
import type { Json, JsonObject } from "../src/lib/json.js";
import { type Random, uuidV7 } from "../src/lib/random.js";
import type { CommandBody, CommandReplies, CommandType } from "../src/protocol/mod.js";
import { OP } from "../src/protocol/mod.js";
import type { Alarm } from "./alarm.js";
import type { CommandStore } from "./command-store.js";
import type { Connection } from "./connection.js";
import { SwiftEatsError } from "./errors.js";

export interface CommandOptions {
  /** The same key again is the same command: one effect, one answer. A fresh one by default. */
  readonly idempotencyKey?: string;
  /** Milliseconds since the epoch; after it the node does nothing. At most 12 hours ahead. */
  readonly notAfter?: number;
  /** How long to go on trying, in milliseconds, when `notAfter` is absent. */
  readonly ttlMs?: number;
  /** Stops waiting. What was already sent may still happen. */
  readonly signal?: AbortSignal;
}

export interface CommandQueueOptions {
  readonly connection: Connection;
  readonly alarm: Alarm;
  readonly clock: Clock;
  readonly random: Random;
  readonly nextId: () => number;
  readonly maxQueued: number;
  readonly maxInFlight: number;
  readonly defaultTtlMs: number;
  /** Keeps unanswered commands over a restart of the application. */
  readonly store: CommandStore | null;
  /** Another way for networks that let no socket through; null: commands wait for the socket. */
  readonly byHttp: CommandsByHttp | null;
}

export interface CommandsByHttp {
  /** How long there may be no socket before commands take this way, in milliseconds. */
  readonly afterMs: number;
  send(type: CommandType, body: JsonObject, options: { idempotencyKey: string; notAfter: number }): Promise<Json>;
}

interface Pending {
  readonly id: number;
  readonly key: string;
  readonly type: CommandType;
  readonly body: JsonObject;
  readonly lane: string;
  /** Monotonic. */
  readonly deadlineMs: number;
  notAfter: number;
  /** Sent on the present socket and not answered. */
  inFlight: boolean;
  everSent: boolean;
  /** Monotonic; a temporary refusal holds the command, and its lane, until then. */
  retryAtMs: number;
  refusals: number;
  readonly resolve: (reply: Json) => void;
  readonly reject: (error: SwiftEatsError) => void;
}

/** What only the present run of the application means is not kept over a restart. */
const PASSING: ReadonlySet<CommandType> = new Set(["restaurant.tablet"]);
const MAX_RETRY_PAUSE_MS = 10_000;
const LONGEST_TTL_MS = 12 * 3_600_000;

/**
 * What must stay in order. A driver's and a restaurant's own commands go to one actor each; commands about an order are
 * ordered per order; placements have nothing to be in order with.
 */
function laneOf(type: CommandType, body: JsonObject, key: string): string {
  if (type.startsWith("driver.") || type.startsWith("restaurant.")) return type.slice(0, type.indexOf("."));
  // What is said in one room stays in its order; that somebody writes waits for nothing.
  if (type.startsWith("chat.")) return type === "chat.typing" ? key : String(body.roomId);
  return typeof body.orderId === "string" ? body.orderId : key;
}

export class CommandQueue {
  readonly #options: CommandQueueOptions;
  readonly #pending = new Map<number, Pending>();
  /** Lane → its commands in order. A lane without commands is absent. */
  readonly #lanes = new Map<string, Pending[]>();
  #inFlight = 0;
  /** Monotonic; since when there is no socket. */
  #downSinceMs: number;

  constructor(options: CommandQueueOptions) {
    this.#options = options;
    this.#downSinceMs = options.clock.monotonic();
  }

  get size(): number {
    return this.#pending.size;
  }

  pending(): readonly PendingCommand[] {
    return [...this.#pending.values()].map(({ type, body, key }) => ({ type, body, idempotencyKey: key }));
  }

  /** Rejects with a `SwiftEatsError`: the node's refusal, or `expired`, `timeout`, `queue_full`, `closed`, `aborted`. */
  send<T extends CommandType>(type: T, body: CommandBody<T>, options: CommandOptions = {}): Promise<CommandReplies[T]> {
    return new Promise((resolve, reject) => {
      this.#add(type, body as JsonObject, options, resolve as (reply: Json) => void, reject);
    });
  }

  #add(
    type: CommandType,
    body: JsonObject,
    options: CommandOptions,
    resolve: (reply: Json) => void,
    reject: (error: SwiftEatsError) => void,
  ): void {
    const { clock, connection } = this.#options;
    if (connection.state.name === "closed") {
      reject(closed());
      return;
    }
    if (options.signal?.aborted) {
      reject(aborted());
      return;
    }
    if (this.#pending.size >= this.#options.maxQueued) {
      reject(
        new SwiftEatsError(
          { code: "queue_full", temporary: true, detail: { maxQueued: this.#options.maxQueued } },
          `${this.#options.maxQueued} commands wait for an answer already`,
        ),
      );
      return;
    }
    const ttlMs =
      options.notAfter !== undefined
        ? options.notAfter - connection.serverNow()
        : (options.ttlMs ?? this.#options.defaultTtlMs);
    if (ttlMs <= 0) {
      reject(expired(false));
      return;
    }
    const key = options.idempotencyKey ?? uuidV7(clock.now(), this.#options.random);
    const pending: Pending = {
      id: this.#options.nextId(),
      key,
      type,
      body,
      lane: laneOf(type, body, key),
      deadlineMs: clock.monotonic() + Math.min(ttlMs, LONGEST_TTL_MS),
      notAfter: options.notAfter ?? 0,
      inFlight: false,
      everSent: false,
      retryAtMs: 0,
      refusals: 0,
      resolve,
      reject,
    };
    this.#pending.set(pending.id, pending);
    const lane = this.#lanes.get(pending.lane);
    if (lane === undefined) this.#lanes.set(pending.lane, [pending]);
    else lane.push(pending);
    options.signal?.addEventListener(
      "abort",
      () => this.#pending.has(pending.id) && this.#settle(pending, () => reject(aborted())),
      { once: true },
    );
    this.#options.alarm.atLatest("command-expiry", ttlMs, () => this.#expire());
    this.#persist();
    if (lane === undefined) this.#sendHead(pending);
  }

  /** The connection is live: everything unanswered goes out again, in order. */
  live(): void {
    for (const pending of this.#pending.values()) pending.inFlight = false;
    this.#inFlight = 0;
    this.#pump();
  }

  /** The socket is gone; what was in flight waits for the next one. */
  lost(): void {
    for (const pending of this.#pending.values()) pending.inFlight = false;
    this.#inFlight = 0;
    this.#downSinceMs = this.#options.clock.monotonic();
    const { byHttp, alarm } = this.#options;
    if (byHttp !== null) alarm.in("command-http", byHttp.afterMs, () => this.#pump());
  }

  /** The client is closed for good: nobody will answer. */
  closeAll(): void {
    for (const pending of [...this.#pending.values()]) this.#settle(pending, () => pending.reject(closed()));
  }

  /** True when the number belongs to a command of this queue. */
  replied(id: number, body: Json): boolean {
    const pending = this.#pending.get(id);
    if (pending === undefined) return false;
    this.#settle(pending, () => pending.resolve(body));
    return true;
  }

  refused(id: number, code: string, temporary: boolean, retryAfterMs: number, detail: JsonObject | undefined): boolean {
    const pending = this.#pending.get(id);
    if (pending === undefined) return false;
    if (!temporary) {
      const facts = { code, temporary, retryAfterMs, ...(detail === undefined ? {} : { detail }) };
      this.#settle(pending, () => pending.reject(new SwiftEatsError(facts)));
      return true;
    }
    // The same key is tried again until the command expires; the pause grows, with jitter, and is never shorter than asked.
    this.#release(pending);
    pending.refusals += 1;
    const bound = Math.min(MAX_RETRY_PAUSE_MS, 100 * 2 ** Math.min(pending.refusals, 10));
    const pauseMs = retryAfterMs + this.#options.random.next() * bound;
    pending.retryAtMs = this.#options.clock.monotonic() + pauseMs;
    this.#options.alarm.atLatest("command-retry", pauseMs, () => this.#pump());
    this.#pump();
    return true;
  }

  #pump(): void {
    const now = this.#options.clock.monotonic();
    let nextRetryMs = Number.POSITIVE_INFINITY;
    for (const lane of this.#lanes.values()) {
      const head = lane[0]!;
      if (head.retryAtMs > now) nextRetryMs = Math.min(nextRetryMs, head.retryAtMs);
      else this.#sendHead(head);
    }
    if (nextRetryMs < Number.POSITIVE_INFINITY) {
      this.#options.alarm.in("command-retry", nextRetryMs - now, () => this.#pump());
    }
  }

  #sendHead(pending: Pending): void {
    const { connection, maxInFlight } = this.#options;
    if (pending.inFlight || this.#inFlight >= maxInFlight) return;
    if (connection.state.name !== "live") {
      this.#sendByHttp(pending);
      return;
    }
    this.#fixNotAfter(pending);
    const { data, fits } = connection.encode([
      OP.cmd,
      pending.id,
      pending.key,
      pending.type,
      pending.body,
      pending.notAfter,
    ]);
    if (!fits) {
      this.#settle(pending, () => pending.reject(new SwiftEatsError({ code: "too_large", temporary: false })));
      return;
    }
    pending.inFlight = true;
    pending.everSent = true;
    this.#inFlight += 1;
    connection.sendEncoded(data);
  }

  /** Fixed at the first sending: the node compares what it gets under one key. */
  #fixNotAfter(pending: Pending): void {
    if (pending.notAfter !== 0) return;
    const { clock, connection } = this.#options;
    const leftMs = pending.deadlineMs - clock.monotonic();
    pending.notAfter = Math.floor(connection.serverNow() + Math.min(leftMs, LONGEST_TTL_MS - 60_000));
  }

  /** The same command under the same key: should the socket come back meanwhile and take it too, it happens once. */
  #sendByHttp(pending: Pending): void {
    const { byHttp, clock, alarm, connection } = this.#options;
    if (byHttp === null || connection.state.name === "closed") return;
    const waitMs = this.#downSinceMs + byHttp.afterMs - clock.monotonic();
    if (waitMs > 1) {
      alarm.atLatest("command-http", waitMs, () => this.#pump());
      return;
    }
    this.#fixNotAfter(pending);
    pending.inFlight = true;
    pending.everSent = true;
    this.#inFlight += 1;
    const { type, body, key: idempotencyKey, notAfter } = pending;
    byHttp.send(type, body, { idempotencyKey, notAfter }).then(
      (reply) => this.replied(pending.id, reply),
      (error: unknown) => {
        const { code, temporary, retryAfterMs, detail } =
          error instanceof SwiftEatsError ? error : new SwiftEatsError({ code: "network", temporary: true });
        // What went by this way and failed for now is the socket's again once that is live.
        if (temporary && connection.state.name === "live") return;
        this.refused(pending.id, code, temporary, retryAfterMs, detail);
      },
    );
  }

  #release(pending: Pending): void {
    if (!pending.inFlight) return;
    pending.inFlight = false;
    this.#inFlight -= 1;
  }

  #settle(pending: Pending, settle: () => void): void {
    const wasFull = this.#inFlight >= this.#options.maxInFlight;
    this.#release(pending);
    this.#pending.delete(pending.id);
    const lane = this.#lanes.get(pending.lane);
    if (lane !== undefined) {
      const at = lane.indexOf(pending);
      if (at >= 0) lane.splice(at, 1);
      if (lane.length === 0) this.#lanes.delete(pending.lane);
    }
    this.#persist();
    settle();
    if (wasFull) this.#pump();
    else if (lane !== undefined && lane.length > 0 && lane[0]!.retryAtMs <= this.#options.clock.monotonic()) {
      this.#sendHead(lane[0]!);
    }
  }

  #expire(): void {
    const now = this.#options.clock.monotonic();
    let earliest = Number.POSITIVE_INFINITY;
    for (const pending of [...this.#pending.values()]) {
      if (pending.deadlineMs <= now + 1) {
        this.#settle(pending, () => pending.reject(expired(pending.everSent)));
      } else earliest = Math.min(earliest, pending.deadlineMs);
    }
    if (earliest < Number.POSITIVE_INFINITY) {
      this.#options.alarm.in("command-expiry", earliest - now, () => this.#expire());
    }
  }

  /**
   * Takes up what an earlier run of the application left unanswered. Their promises are gone with that run, so their
   * outcomes go to `settled`. Call once, before connecting.
   */
  restore(settled: (outcome: RestoredOutcome) => void): number {
    const stored = this.#options.store?.load() ?? [];
    for (const { key, type, body, notAfter } of stored) {
      this.#add(
        type,
        body,
        { idempotencyKey: key, notAfter },
        (reply) => settled({ type, body, idempotencyKey: key, ok: true, reply }),
        (error) => settled({ type, body, idempotencyKey: key, ok: false, error }),
      );
    }
    return stored.length;
  }

  #persist(): void {
    const { store, clock, connection } = this.#options;
    if (store === null) return;
    const now = clock.monotonic();
    store.save(
      [...this.#pending.values()]
        .filter(({ type }) => !PASSING.has(type))
        .map(({ key, type, body, notAfter, deadlineMs }) => ({
          key,
          type,
          body,
          notAfter: notAfter || Math.floor(connection.serverNow() + deadlineMs - now),
        })),
    );
  }
}

/** A command without an answer. */
export interface PendingCommand {
  readonly type: CommandType;
  readonly body: JsonObject;
  readonly idempotencyKey: string;
}

/** What became of a command that an earlier run of the application had queued. */
export type RestoredOutcome = {
  readonly type: CommandType;
  readonly body: JsonObject;
  readonly idempotencyKey: string;
} & ({ readonly ok: true; readonly reply: Json } | { readonly ok: false; readonly error: SwiftEatsError });

/** Never sent: nothing was done. Sent without an answer: nobody here knows. */
function expired(everSent: boolean): SwiftEatsError {
  return everSent
    ? new SwiftEatsError({ code: "timeout", temporary: true }, "no answer before the command expired")
    : new SwiftEatsError({ code: "expired", temporary: false }, "the command expired before it could be sent");
}

function closed(): SwiftEatsError {
  return new SwiftEatsError({ code: "closed", temporary: false }, "the client is closed");
}

function aborted(): SwiftEatsError {
  return new SwiftEatsError({ code: "aborted", temporary: false }, "the caller stopped waiting");
}
