/**
 * This node's membership: its session, the heartbeats that renew its lease, and until when it may speak.
 *
 * Owns: joining, joining again, the deadline. Does not own: what a view means for shards (its listeners).
 *
 * Invariants:
 * - the deadline is counted from before the renewal was sent, and never reaches beyond the lease less its margin;
 * - what a view takes away is revoked before the deadline moves, so that a node that slept says nothing old;
 * - when the session is lost the deadline shrinks at once, counted from when the session was surely open (whoever notices
 *   late may not speak late); it grows again only by a renewal on a new session;
 * - one renewal at a time.
 */
import type { Cancel, Clock } from "../../lib/clock.js";
import type { Log } from "../../lib/log.js";
import type { Random } from "../../lib/random.js";
import {
  type ClusterView,
  DatabaseNotShared,
  type Moment,
  type NodeDescription,
  NodeIdInUse,
  type NodeState,
  type OwnershipSession,
  type OwnershipStore,
  type ShardKeeper,
} from "../ports.js";
import type { Sequence } from "./sequence.js";
import type { CoordinatorSettings } from "./settings.js";

/** This machine's clock and the database's differ too much for the node to join. */
export class ClockSkewTooGreat extends Error {
  override readonly name = "ClockSkewTooGreat";
}

export interface LeaseOptions {
  readonly description: NodeDescription;
  readonly store: OwnershipStore;
  readonly keeper: ShardKeeper;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly settings: CoordinatorSettings;
  readonly sequence: Sequence;
  /** Before the deadline moves: take away what the view says is another's. */
  readonly onTruth: (view: ClusterView, asked: number) => void;
  /** After it has moved. */
  readonly onView: (view: ClusterView, asked: number) => void;
  readonly onSessionLost: () => void;
  /** The node cannot be a member any more. */
  readonly onFatal: (reason: Error) => void;
}

export interface Lease {
  /** Joins and reads the first view. Throws NodeIdInUse, DatabaseNotShared, ClockSkewTooGreat, or what the store says. */
  open(): Promise<void>;
  session(): OwnershipSession | null;
  /** Renews within `afterMs`, and once more if a renewal is under way. */
  soon(afterMs: number): void;
  /** Resolves with the next view that is asked for from now on, or when the lease is closed. */
  fresh(): Promise<void>;
  setState(state: NodeState): void;
  leftMs(): number;
  close(): Promise<void>;
}

/** So many measurements of the clocks, of which the quickest counts. */
const CLOCK_TRIES = 4;
/** Heartbeats of many nodes are spread by this part of their period. */
const JITTER = 0.1;

export function createLease(options: LeaseOptions): Lease {
  const { description, store, keeper, clock, random, settings, sequence } = options;
  const log = options.log;
  let current: OwnershipSession | null = null;
  let state: NodeState = "active";
  let deadline: Moment = { monotonic: Number.NEGATIVE_INFINITY, wall: Number.NEGATIVE_INFINITY };
  /** When the session was surely open. It may have ended right after, and the others' patience begun. */
  let provenAt: Moment = deadline;
  let closed = false;
  let beating = false;
  let again = false;
  let due: { readonly at: number; readonly cancel: Cancel } | null = null;
  let waiting: (() => void)[] = [];

  function schedule(delayMs: number): void {
    due?.cancel();
    due = closed ? null : { at: clock.monotonic() + delayMs, cancel: clock.after(delayMs, () => void beat()) };
  }

  function speakUntil(since: Moment, forMs: number): void {
    deadline = { monotonic: since.monotonic + forMs, wall: since.wall + forMs };
    keeper.extend(since, forMs);
  }

  function leftMs(): number {
    const now = keeper.moment();
    return Math.max(0, Math.min(deadline.monotonic - now.monotonic, deadline.wall - now.wall));
  }

  async function beat(): Promise<void> {
    if (closed || current === null) return;
    if (beating) {
      again = true;
      return;
    }
    beating = true;
    again = false;
    due?.cancel();
    due = null;
    const session = current;
    const since = keeper.moment();
    const asked = sequence.next();
    const heard = waiting;
    waiting = [];
    try {
      const view = await session.renew(settings.leaseMs, state);
      if (closed || session !== current) waiting.push(...heard);
      else {
        options.onTruth(view, asked);
        provenAt = since;
        speakUntil(since, settings.leaseMs - settings.leaseMarginMs);
        options.onView(view, asked);
        for (const resolve of heard) resolve();
      }
    } catch (error) {
      waiting.push(...heard);
      if (!closed) log.warn({ error: messageOf(error) }, "The lease could not be renewed.");
    } finally {
      beating = false;
      if (closed) wakeAll();
      else if (current !== null) schedule(again ? 0 : settings.heartbeatMs * (1 - JITTER * random.next()));
    }
  }

  function wakeAll(): void {
    for (const resolve of waiting.splice(0)) resolve();
  }

  function hold(session: OwnershipSession): void {
    current = session;
    void session.lost.then(() => {
      if (session !== current || closed) return;
      current = null;
      due?.cancel();
      due = null;
      speakUntil(provenAt, Math.min(settings.sessionLossMs, settings.leaseMs - settings.leaseMarginMs));
      log.warn({ speakMs: leftMs() }, "The session at the database was lost; the node joins again.");
      options.onSessionLost();
      clock.after(0, () => void rejoin());
    });
  }

  async function rejoin(): Promise<void> {
    while (!closed) {
      try {
        const session = await store.join(description, settings.leaseMs);
        if (closed) await session.leave();
        else {
          hold(session);
          log.info({}, "The node is a member again.");
          await beat();
        }
        return;
      } catch (error) {
        if (closed) return;
        if (error instanceof NodeIdInUse || error instanceof DatabaseNotShared) {
          keeper.silence();
          closed = true;
          wakeAll();
          options.onFatal(error);
          return;
        }
        log.debug({ error: messageOf(error) }, "The node could not join again yet.");
      }
      await new Promise<void>((resolve) => clock.after(settings.rejoinMs * (0.5 + random.next()), resolve));
    }
  }

  /** Refuses a clock that is surely wrong: what the round trip leaves open counts in its favour. */
  async function checkClock(session: OwnershipSession): Promise<void> {
    let best = { skewMs: 0, doubtMs: Number.POSITIVE_INFINITY };
    for (let i = 0; i < CLOCK_TRIES; i++) {
      const before = keeper.moment();
      const { databaseNow } = await session.renew(settings.leaseMs, state);
      const after = keeper.moment();
      const doubtMs = Math.max(after.wall - before.wall, after.monotonic - before.monotonic) / 2;
      if (doubtMs < best.doubtMs) best = { skewMs: (before.wall + after.wall) / 2 - databaseNow, doubtMs };
    }
    if (Math.abs(best.skewMs) - best.doubtMs > settings.maxClockSkewMs) {
      throw new ClockSkewTooGreat(
        `This machine's clock is ${Math.round(Math.abs(best.skewMs))} ms ${best.skewMs > 0 ? "ahead of" : "behind"} the database's; at most ${settings.maxClockSkewMs} ms are allowed. Let both be set by NTP.`,
      );
    }
  }

  return {
    async open() {
      const session = await store.join(description, settings.leaseMs);
      try {
        await checkClock(session);
      } catch (error) {
        await session.leave();
        throw error;
      }
      if (closed) return session.leave();
      const heard = new Promise<void>((resolve) => waiting.push(resolve));
      hold(session);
      await beat();
      await heard;
    },
    session: () => current,
    soon(afterMs) {
      if (closed || current === null) return;
      if (beating) again = true;
      else if (due === null || due.at > clock.monotonic() + afterMs) schedule(Math.max(0, afterMs));
    },
    fresh() {
      if (closed) return Promise.resolve();
      const heard = new Promise<void>((resolve) => waiting.push(resolve));
      this.soon(0);
      return heard;
    },
    setState(next) {
      state = next;
    },
    leftMs,
    async close() {
      if (!closed) {
        closed = true;
        due?.cancel();
        keeper.silence();
      }
      wakeAll();
      const session = current;
      current = null;
      await session?.leave();
    },
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error);
}
