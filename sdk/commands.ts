/**
 * Commands: sent in order, answered once, resent with the same idempotency key until answered or expired.
 *
 * Owns: the bounded queue of unanswered commands, lanes, retries of temporary refusals, expiry. Does not own the socket.
 *
 * Invariants: commands of one lane (one driver, one restaurant, one order) are sent one after the other, the next only
 * when the one before has its final answer; a command keeps its key and its `notAfter` through every resend; its promise
 * settles exactly once; the queue takes no more than `maxQueued`, beside what an earlier run left; what that left is too
 * late only when a node's clock says so.
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
  /** Rises in the order in which they were given, over restarts too. */
  readonly at: number;
  /** Monotonic. Infinite: left by an earlier run, and no node has told the time yet. */
  deadlineMs: number;
  /** How far the wall clock was ahead of the monotonic one when `deadlineMs` was set. */
  wallAheadMs: number;
  /** 0: not fixed yet. */
  notAfter: number;
  /** `notAfter` is by the device's clock, from a run that had not heard the node's. */
  readonly byDevice: boolean;
  /** Sent on the present socket and not answered. */
  inFlight: boolean;
  /** How often it was sent; once at least when an earlier run has. */
  sendings: number;
  /** Monotonic; a temporary refusal holds the command, and its lane, until then. */
  retryAtMs: number;
  refusals: number;
  readonly outcome: Promise<Json>;
  readonly resolve: (reply: Json) => void;
  readonly reject: (error: SwiftEatsError) => void;
}

/** What only the present run of the application means is not kept over a restart. */
const PASSING: ReadonlySet<CommandType> = new Set(["restaurant.tablet"]);
const MAX_RETRY_PAUSE_MS = 10_000;
/** So much more on the wall clock than on the monotonic one: the device has slept. */
const SLEPT_MS = 10_000;
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
  #lastAt = 0;
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

  /** Of a command without an answer, whoever gave it, in this run or an earlier one; null when there is none of this key. */
  outcome(idempotencyKey: string): Promise<Json> | null {
    return this.#find(idempotencyKey)?.outcome ?? null;
  }

  /** Rejects with a `SwiftEatsError`: the node's refusal, or `expired`, `timeout`, `queue_full`, `closed`, `aborted`. */
  async send<T extends CommandType>(
    type: T,
    body: CommandBody<T>,
    options: CommandOptions = {},
  ): Promise<CommandReplies[T]> {
    const { clock, connection, maxQueued, alarm } = this.#options;
    if (connection.state.name === "closed") throw closed();
    if (options.signal?.aborted) throw aborted();
    if (this.#pending.size >= maxQueued) {
      throw new SwiftEatsError(
        { code: "queue_full", temporary: true, detail: { maxQueued } },
        `${maxQueued} commands wait for an answer already`,
      );
    }
    const ttlMs =
      options.notAfter !== undefined
        ? options.notAfter - connection.serverNow()
        : (options.ttlMs ?? this.#options.defaultTtlMs);
    if (ttlMs <= 0) throw expired(false);
    const key = options.idempotencyKey ?? uuidV7(clock.now(), this.#options.random);
    const twin = this.#find(key);
    this.#lastAt = Math.max(this.#lastAt + 1, clock.now());
    const pending = this.#take({
      key,
      type,
      body: body as JsonObject,
      at: this.#lastAt,
      deadlineMs: clock.monotonic() + Math.min(ttlMs, LONGEST_TTL_MS),
      notAfter: options.notAfter ?? 0,
      byDevice: false,
      sendings: 0,
    });
    if (options.signal !== undefined) this.#until(options.signal, pending);
    alarm.atLatest("command-expiry", ttlMs, () => this.#expire());
    if (this.#lanes.get(pending.lane)?.[0] === pending) this.#sendHead(pending);
    // What has just been sent is kept already, and so is the same command given before.
    if (pending.sendings === 0 && twin === undefined) this.#persist(pending);
    return pending.outcome as Promise<CommandReplies[T]>;
  }

  /** A signal may live as long as the page: it holds a command no longer than the command waits. */
  #until(signal: AbortSignal, pending: Pending): void {
    const abort = (): void => this.#settle(pending, () => pending.reject(aborted()));
    const forget = (): void => signal.removeEventListener("abort", abort);
    signal.addEventListener("abort", abort, { once: true });
    pending.outcome.then(forget, forget);
  }

  /** The last of its lane. */
  #take(
    given: Pick<Pending, "key" | "type" | "body" | "at" | "deadlineMs" | "notAfter" | "byDevice" | "sendings">,
  ): Pending {
    let resolve!: Pending["resolve"];
    let reject!: Pending["reject"];
    const outcome = new Promise<Json>((...both) => {
      [resolve, reject] = both;
    });
    const pending: Pending = {
      ...given,
      id: this.#options.nextId(),
      wallAheadMs: this.#wallAheadMs(),
      lane: laneOf(given.type, given.body, given.key),
      inFlight: false,
      retryAtMs: 0,
      refusals: 0,
      outcome,
      resolve,
      reject,
    };
    this.#pending.set(pending.id, pending);
    const lane = this.#lanes.get(pending.lane);
    if (lane === undefined) this.#lanes.set(pending.lane, [pending]);
    else lane.push(pending);
    return pending;
  }

  /** The connection is live: everything unanswered goes out again, in order. */
  live(): void {
    for (const pending of this.#pending.values()) {
      pending.inFlight = false;
      if (pending.deadlineMs === Number.POSITIVE_INFINITY) this.#readDeadline(pending);
    }
    this.#inFlight = 0;
    this.#expire();
    this.#pump();
  }

  /** Of a command that an earlier run left. */
  #readDeadline(pending: Pending): void {
    const { clock, connection } = this.#options;
    let leftMs = pending.notAfter - connection.serverNow();
    if (pending.byDevice && pending.sendings === 0) {
      // The device's clock was wrong then, or has been set since: late is what is late by both. It is told anew.
      leftMs = Math.max(leftMs, pending.notAfter - clock.now());
      pending.notAfter = 0;
    }
    pending.deadlineMs = clock.monotonic() + Math.min(leftMs, LONGEST_TTL_MS);
    pending.wallAheadMs = this.#wallAheadMs();
  }

  #wallAheadMs(): number {
    return this.#options.clock.now() - this.#options.clock.monotonic();
  }

  /**
   * The monotonic clock stands still on a phone that sleeps, the person's evening does not: what was never sent, and so
   * bears no time by which the node would judge it, is older by as much. A wall clock that was set forward ends it, too
   * early rather than done long after anybody wanted it.
   */
  #countSleep(pending: Pending): void {
    const aheadMs = this.#wallAheadMs();
    const sleptMs = aheadMs - pending.wallAheadMs;
    if (pending.notAfter !== 0 || sleptMs < SLEPT_MS) return;
    pending.deadlineMs -= sleptMs;
    pending.wallAheadMs = aheadMs;
    const leftMs = pending.deadlineMs - this.#options.clock.monotonic();
    this.#options.alarm.atLatest("command-expiry", leftMs, () => this.#expire());
  }

  /** The socket is gone; what was in flight waits for the next one. */
  lost(): void {
    for (const pending of this.#pending.values()) pending.inFlight = false;
    this.#inFlight = 0;
    this.#downSinceMs = this.#options.clock.monotonic();
    const { byHttp, alarm } = this.#options;
    if (byHttp !== null) alarm.in("command-http", byHttp.afterMs, () => this.#pump());
  }

  /** The client is closed for good: nobody will answer here. What the store keeps goes on with the next client. */
  closeAll(): void {
    const unanswered = [...this.#pending.values()];
    this.#pending.clear();
    this.#lanes.clear();
    this.#inFlight = 0;
    for (const pending of unanswered) pending.reject(closed());
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
      if (code === "expired" && pending.sendings > 1) {
        // The node refuses this sending. What became of those before it is not said.
        this.#settle(pending, () => pending.reject(expired(true)));
        return true;
      }
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
    const { connection, maxInFlight, clock } = this.#options;
    if (pending.inFlight || this.#inFlight >= maxInFlight) return;
    this.#countSleep(pending);
    // It comes to its turn because the one before it ran out of time, and is the next to do so.
    if (pending.deadlineMs <= clock.monotonic() + 1) return;
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
    this.#sent(pending);
    connection.sendEncoded(data);
  }

  #sent(pending: Pending): void {
    pending.inFlight = true;
    this.#inFlight += 1;
    pending.sendings += 1;
    if (pending.sendings === 1) this.#persist(pending);
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
    this.#sent(pending);
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
    const twin = this.#find(pending.key);
    if (twin === undefined) this.#options.store?.remove(pending.key);
    else this.#persist(twin);
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
      this.#countSleep(pending);
      if (pending.deadlineMs <= now + 1) {
        this.#settle(pending, () => pending.reject(expired(pending.sendings > 0)));
      } else earliest = Math.min(earliest, pending.deadlineMs);
    }
    if (earliest < Number.POSITIVE_INFINITY) {
      this.#options.alarm.in("command-expiry", earliest - now, () => this.#expire());
    }
  }

  /**
   * Takes up what an earlier run of the application left unanswered. Their promises are gone with that run, so their
   * outcomes go to `settled`, none before this returns. Call once, before connecting.
   */
  restore(settled: (outcome: RestoredOutcome) => void): void {
    for (const { key, type, body, notAfter, at = 0, sent, byDevice } of this.#options.store?.load() ?? []) {
      this.#lastAt = Math.max(this.#lastAt, at);
      const { outcome } = this.#take({
        key,
        type,
        body,
        at,
        deadlineMs: Number.POSITIVE_INFINITY,
        notAfter,
        byDevice: byDevice === true,
        sendings: sent === true ? 1 : 0,
      });
      // One by one: what the application throws at one outcome keeps no other from it.
      outcome.then(
        (reply) => settled({ type, body, idempotencyKey: key, ok: true, reply }),
        (error: SwiftEatsError) => settled({ type, body, idempotencyKey: key, ok: false, error }),
      );
    }
    this.#pump();
  }

  #find(key: string): Pending | undefined {
    for (const pending of this.#pending.values()) if (pending.key === key) return pending;
    return undefined;
  }

  #persist({ id, key, type, body, at, notAfter, deadlineMs, byDevice, sendings }: Pending): void {
    const { store, clock, connection } = this.#options;
    // Too large to be sent: it is settled already.
    if (store === null || PASSING.has(type) || !this.#pending.has(id)) return;
    const guessed = sendings === 0 && (notAfter === 0 ? !connection.knowsServerTime : byDevice);
    store.put({
      key,
      type,
      body,
      notAfter: notAfter || Math.floor(connection.serverNow() + deadlineMs - clock.monotonic()),
      at,
      ...(sendings > 0 ? { sent: true } : {}),
      ...(guessed ? { byDevice: true } : {}),
    });
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
