/** What a shard host is told from outside: bounds and delays, a log, hooks. Every queue of the engine has its bound here. */
import type { Log } from "../../../lib/log.js";

export interface HostSettings {
  /** Actors in memory; beyond it the least recently used leave, and when none can, new ones answer `overloaded`. */
  readonly maxActors: number;
  /** Messages of one actor that wait or whose commit is under way. */
  readonly mailboxLimit: number;
  /** The same over all actors of this host. */
  readonly maxQueued: number;
  /** Handler runs of one actor that may be ahead of its last commit. */
  readonly pipelineDepth: number;
  /** Asks one peer may have in flight: its credit. */
  readonly askWindow: number;
  readonly maxSubscriptionsPerActor: number;

  readonly flushActors: number;
  readonly flushDelayMs: number;
  /** Flushes under way at once, each on its own connection; a whole one may wait for one of them beside. An actor is in at most one. */
  readonly lanes: number;
  /** Handler runs of one actor that one flush carries. */
  readonly runsPerWrite: number;
  readonly storeRetryMs: number;
  readonly storeRetryMaxMs: number;
  /** While the store does not answer, an actor takes this many uncommitted runs, then answers `unavailable`. */
  readonly stalledPending: number;

  readonly loadBatch: number;
  readonly loadConcurrency: number;
  readonly rememberedPerActor: number;

  readonly timerHorizonMs: number;
  readonly timerRows: number;
  /** Timers that came due while nobody owned their shard wait this long after it was gained. */
  readonly timerGraceMs: number;

  readonly tellRetryMs: number;
  readonly tellRetryMaxMs: number;
  /** Sends of one tell before it is put aside as a dead letter. */
  readonly tellAttempts: number;
  /** Unsent tells and effects in memory; the rest wait in the store. */
  readonly outboxInMemory: number;
  readonly outboxPage: number;

  /** Effects of one name that run at once. */
  readonly effectConcurrency: number;
  readonly effectAttempts: number;
  readonly effectRetryMs: number;
  readonly effectRetryMaxMs: number;
  readonly effectTimeoutMs: number;

  /** Throws of one command id after which it is quarantined. */
  readonly throwsBeforeQuarantine: number;
  readonly sweepMs: number;
  readonly mirrorBatchMs: number;
  readonly mirrorKeys: number;
  /** The hint given with `overloaded` and `unavailable`. */
  readonly retryAfterMs: number;
}

export const defaultHostSettings: HostSettings = {
  maxActors: 50_000,
  mailboxLimit: 1_000,
  maxQueued: 50_000,
  pipelineDepth: 256,
  askWindow: 4_096,
  maxSubscriptionsPerActor: 10_000,
  flushActors: 64,
  flushDelayMs: 3,
  lanes: 1,
  runsPerWrite: 128,
  storeRetryMs: 50,
  storeRetryMaxMs: 2_000,
  stalledPending: 32,
  loadBatch: 128,
  loadConcurrency: 4,
  rememberedPerActor: 256,
  timerHorizonMs: 60_000,
  timerRows: 5_000,
  timerGraceMs: 15_000,
  tellRetryMs: 500,
  tellRetryMaxMs: 15_000,
  // A day: a poisoned tell is quarantined by its receiver, so this is only for receivers that cannot take anything.
  tellAttempts: 5_760,
  outboxInMemory: 100_000,
  outboxPage: 500,
  effectConcurrency: 64,
  effectAttempts: 12,
  effectRetryMs: 200,
  effectRetryMaxMs: 10_000,
  effectTimeoutMs: 30_000,
  throwsBeforeQuarantine: 3,
  sweepMs: 1_000,
  mirrorBatchMs: 50,
  mirrorKeys: 20_000,
  retryAfterMs: 250,
};

/** Where the engine reports what a person should know. */
export type HostLog = Pick<Log, "warn" | "error">;

/** Called around every handler, so that a watcher on another thread can tell a stuck worker from an idle one. */
export interface HostHooks {
  handlerStarted?(kind: string, key: string, command: string): void;
  handlerEnded?(): void;
}

export interface HostStats {
  readonly actors: number;
  readonly loading: number;
  readonly queued: number;
  readonly handlerRuns: number;
  readonly handlerThrows: number;
  readonly flushes: number;
  readonly actorCommits: number;
  readonly flushFailures: number;
  readonly storeStalled: boolean;
  readonly tellsWaiting: number;
  readonly effectsWaiting: number;
  readonly timersArmed: number;
  readonly deadLetters: number;
  readonly overloaded: number;
  /** The most messages of one actor that waited at once since the host started. */
  readonly longestMailbox: number;
}

/** Doubling from `firstMs` up to `mostMs`; `attempt` counts from 1. */
export function backoffMs(attempt: number, firstMs: number, mostMs: number): number {
  return Math.min(mostMs, firstMs * 2 ** Math.min(attempt - 1, 20));
}
