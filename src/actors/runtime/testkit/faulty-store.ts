/**
 * Wraps any ActorStore with fault points: before and after each call, and single rows of a flush. It also keeps a record
 * of what was committed, so that tests can look at published events and compare a run with a model.
 */
import { type Clock, sleep } from "../../../lib/clock.js";
import {
  type ActorStore,
  type ActorWrite,
  type DeadLetter,
  type FlushBatch,
  type FlushResult,
  OutcomeUnknown,
  StoreUnavailable,
  type WriteFailure,
} from "../ports.js";

export type StoreOperation =
  | "claimShards"
  | "load"
  | "flush"
  | "outcomeOf"
  | "rememberedCommand"
  | "timersDue"
  | "pendingTells"
  | "queryIndex"
  | "deadLetter";

export interface StoreCall {
  readonly operation: StoreOperation;
  /** Counts all calls of all hosts, from 1. */
  readonly number: number;
  readonly batch: FlushBatch | null;
}

/**
 * - `unavailable`: nothing is done, the caller sees StoreUnavailable.
 * - `request-lost`: nothing is done, the caller sees OutcomeUnknown.
 * - `answer-lost`: it is done, the caller sees OutcomeUnknown.
 * - `crash-before`, `crash-after`: the calling host dies before or after it is done.
 * - `delayMs`: it is done after that much virtual time.
 */
export type StoreFault =
  | "unavailable"
  | "request-lost"
  | "answer-lost"
  | "crash-before"
  | "crash-after"
  | { readonly delayMs: number };

export class FaultyStore {
  readonly inner: ActorStore;
  readonly #clock: Clock;
  /** Decides about each call; null: all is well. */
  decide: (call: StoreCall) => StoreFault | null = () => null;
  /** Decides about each row of a flush; a failure skips that actor alone. */
  refuseRow: (write: ActorWrite) => WriteFailure | null = () => null;
  /** Writes that were committed, in order. */
  readonly committed: ActorWrite[] = [];
  readonly deadLetters: DeadLetter[] = [];
  readonly flushSizes: number[] = [];
  calls = 0;
  finished = 0;
  readonly #open = new Set<Promise<unknown>>();

  constructor(inner: ActorStore, clock: Clock) {
    this.inner = inner;
    this.#clock = clock;
  }

  /** The next calls of this operation meet the fault; others are well. */
  failNext(operation: StoreOperation, fault: StoreFault, times = 1): void {
    let left = times;
    const before = this.decide;
    this.decide = (call) => {
      if (left > 0 && call.operation === operation) {
        left--;
        return fault;
      }
      return before(call);
    };
  }

  heal(): void {
    this.decide = () => null;
    this.refuseRow = () => null;
  }

  /** Calls that the real store is working on; a pump waits for them. */
  get open(): ReadonlySet<Promise<unknown>> {
    return this.#open;
  }

  /** The store as one host sees it. Once the host is dead its calls are never answered. */
  forHost(alive: () => boolean, die: () => void): ActorStore {
    const { inner } = this;
    const call = <T>(operation: StoreOperation, batch: FlushBatch | null, work: () => Promise<T>): Promise<T> =>
      this.#call(operation, batch, work, alive, die);
    return {
      claimShards: (node, shards) => call("claimShards", null, () => inner.claimShards(node, shards)),
      load: (actors, keepEvents) => call("load", null, () => inner.load(actors, keepEvents)),
      flush: (batch) => call("flush", batch, () => this.#flush(batch)),
      outcomeOf: (batch) => call("outcomeOf", batch, () => inner.outcomeOf(batch)),
      rememberedCommand: (actor, id) => call("rememberedCommand", null, () => inner.rememberedCommand(actor, id)),
      timersDue: (shards, before, limit) => call("timersDue", null, () => inner.timersDue(shards, before, limit)),
      pendingTells: (shards, limit, after) =>
        call("pendingTells", null, () => inner.pendingTells(shards, limit, after)),
      queryIndex: (query) => call("queryIndex", null, () => inner.queryIndex(query)),
      deadLetter: (letter) =>
        call("deadLetter", null, async () => {
          await inner.deadLetter(letter);
          if (!this.deadLetters.some((one) => one.id === letter.id)) this.deadLetters.push(letter);
        }),
      close: async () => {},
    };
  }

  async #call<T>(
    operation: StoreOperation,
    batch: FlushBatch | null,
    work: () => Promise<T>,
    alive: () => boolean,
    die: () => void,
  ): Promise<T> {
    const never = new Promise<T>(() => {});
    if (!alive()) return never;
    this.calls++;
    const fault = this.decide({ operation, number: this.calls, batch });
    if (fault === "crash-before") {
      die();
      return never;
    }
    if (fault === "unavailable") throw new StoreUnavailable(`fault: ${operation}`);
    if (fault === "request-lost") throw new OutcomeUnknown(`fault: ${operation}`);
    if (typeof fault === "object" && fault !== null) await sleep(this.#clock, fault.delayMs);
    const running = work();
    this.#open.add(running);
    try {
      const answer = await running;
      if (fault === "crash-after") die();
      if (!alive()) return never;
      if (fault === "answer-lost") throw new OutcomeUnknown(`fault: ${operation}`);
      return answer;
    } finally {
      this.#open.delete(running);
      this.finished++;
    }
  }

  async #flush(batch: FlushBatch): Promise<FlushResult> {
    const refused: { index: number; failure: WriteFailure }[] = [];
    const kept: number[] = [];
    batch.actors.forEach((write, index) => {
      const failure = this.refuseRow(write);
      if (failure === null) kept.push(index);
      else refused.push({ index, failure });
    });
    const actors = kept.map((index) => batch.actors[index] as ActorWrite);
    const result = await this.inner.flush(refused.length === 0 ? batch : { ...batch, actors });
    const failures = [
      ...result.failures.map((one) => ({ index: kept[one.index] as number, failure: one.failure })),
      ...refused,
    ];
    const failed = new Set(failures.map((one) => one.index));
    const stale = new Set(result.staleShards);
    this.flushSizes.push(batch.actors.length);
    batch.actors.forEach((write, index) => {
      if (!failed.has(index) && !stale.has(write.shard)) this.committed.push(write);
    });
    return { staleShards: result.staleShards, failures };
  }
}
