/**
 * This node's membership: its session, the heartbeats that renew its lease, and until when it may speak.
 *
 * Owns: joining, joining again, the deadline. Does not own: what a view means for shards (its listeners).
 *
 * Invariants:
 * - the deadline is counted from before the renewal was sent, and never reaches beyond the lease less its margin;
 * - what a view takes away is revoked before the deadline moves, so that a node that slept says nothing old;
 * - when the session is lost the deadline shrinks at once, counted from when the session was surely open (whoever notices
 *   late may not speak late). It grows again by a renewal on a new session, or by the word of all other members that they
 *   cannot see the database either, given before it has passed: once the others' patience may be over, their word is worth
 *   nothing;
 * - one renewal at a time.
 *
 * A clock that goes wrong later keeps nobody out: the node may be the only one. It is measured and told with every renewal.
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
  /** Whether the node can see the database: it has no session, or an answer is late. */
  readonly onDoubt: (inDoubt: boolean) => void;
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
  /** Every other member has begun its patience with this one anew, at `since` or later. */
  vouched(since: Moment): void;
  leftMs(): number;
  /** So much this machine's clock is surely ahead of the database's, as of the last renewal; negative: behind. */
  clockSkewMs(): number;
  close(): Promise<void>;
}

/** How often a wrong clock is told of. */
const SAY_SKEW_MS = 60_000;
/** So many measurements of the clocks, of which the quickest counts. */
const CLOCK_TRIES = 4;
/** Heartbeats of many nodes are spread by this part of their period. */
const JITTER = 0.1;
/** Of the time that a lost session leaves after the next heartbeat: an answer later than that is a reason to ask the others. */
const DOUBT_PART = 0.5;
const NEVER: Moment = { monotonic: Number.NEGATIVE_INFINITY, wall: Number.NEGATIVE_INFINITY };

const later = (since: Moment, forMs: number): Moment => ({
  monotonic: since.monotonic + forMs,
  wall: since.wall + forMs,
});
const earlier = (a: Moment, b: Moment): Moment => ({
  monotonic: Math.min(a.monotonic, b.monotonic),
  wall: Math.min(a.wall, b.wall),
});

export function createLease(options: LeaseOptions): Lease {
  const { description, store, keeper, clock, random, settings, sequence } = options;
  const log = options.log;
  let current: OwnershipSession | null = null;
  let state: NodeState = "active";
  let deadline = NEVER;
  /** From before the last renewal that was answered. The lease counts from here. */
  let renewedAt = NEVER;
  /**
   * Nobody's patience with a missing session of this node has begun before: the session was surely open then, or all
   * others have promised since.
   */
  let safeAt = NEVER;
  /** Whether a view was read on the current session. */
  let proven = false;
  /** The highest session number in that view. */
  let seen = 0;
  let goesOn = false;
  let skewMs = 0;
  let skewSaidAt = Number.NEGATIVE_INFINITY;
  const speakMs = settings.leaseMs - settings.leaseMarginMs;
  const doubtAfterMs = Math.max(1, Math.floor((settings.sessionLossMs - settings.heartbeatMs) * DOUBT_PART));
  let closed = false;
  let beating = false;
  let again = false;
  let due: { readonly at: number; readonly cancel: Cancel } | null = null;
  let waiting: (() => void)[] = [];

  function schedule(delayMs: number): void {
    due?.cancel();
    due = closed ? null : { at: clock.monotonic() + delayMs, cancel: clock.after(delayMs, () => void beat()) };
  }

  function speak(): void {
    const leaseEnd = later(renewedAt, speakMs);
    deadline = proven ? leaseEnd : earlier(leaseEnd, later(safeAt, settings.sessionLossMs));
    keeper.extend(deadline, 0);
  }

  function leftUntil(until: Moment): number {
    const now = keeper.moment();
    return Math.max(0, Math.min(until.monotonic - now.monotonic, until.wall - now.wall));
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
    const stopWaiting = clock.after(doubtAfterMs, () => session === current && options.onDoubt(true));
    try {
      const view = await session.renew(settings.leaseMs, state, seen);
      if (closed || session !== current) waiting.push(...heard);
      else {
        lookAtClock(since, keeper.moment(), view.databaseNow);
        options.onTruth(view, asked);
        // What the others promised to the members of an earlier view says nothing about one that came since.
        renewedAt = safeAt = since;
        proven = true;
        goesOn = false;
        const newest = view.members.reduce((most, { joined }) => Math.max(most, joined), 0);
        // The others count on each other's sessions only once both have said that they know them.
        if (newest > seen) again = true;
        seen = newest;
        speak();
        options.onDoubt(false);
        options.onView(view, asked);
        for (const resolve of heard) resolve();
      }
    } catch (error) {
      waiting.push(...heard);
      if (!closed) log.warn({ error: messageOf(error) }, "The lease could not be renewed.");
    } finally {
      stopWaiting();
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
    proven = false;
    seen = 0;
    void session.lost.then(() => {
      if (session !== current || closed) return;
      current = null;
      proven = false;
      due?.cancel();
      due = null;
      speak();
      log.warn({ speakMs: leftUntil(deadline) }, "The session at the database was lost; the node joins again.");
      options.onSessionLost();
      options.onDoubt(true);
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
          options.onDoubt(false);
          wakeAll();
          options.onFatal(error);
          return;
        }
        log.debug({ error: messageOf(error) }, "The node could not join again yet.");
      }
      await new Promise<void>((resolve) => clock.after(settings.rejoinMs * (0.5 + random.next()), resolve));
    }
  }

  /** What the round trip leaves open counts in the clock's favour. */
  function lookAtClock(before: Moment, after: Moment, databaseNow: number): void {
    const doubtMs = Math.max(after.wall - before.wall, after.monotonic - before.monotonic) / 2;
    const measured = (before.wall + after.wall) / 2 - databaseNow;
    skewMs = Math.sign(measured) * Math.max(0, Math.abs(measured) - doubtMs);
    if (Math.abs(skewMs) <= settings.maxClockSkewMs || after.monotonic - skewSaidAt < SAY_SKEW_MS) return;
    skewSaidAt = after.monotonic;
    log.warn(
      { skewMs: Math.round(skewMs), mostMs: settings.maxClockSkewMs },
      "This machine's clock is not the database's any more: deadlines of its orders come too early or too late. Let both be set by NTP: a node that starts with such a clock is not let in.",
    );
  }

  /** Refuses a clock that is surely wrong, as above. */
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
    vouched(since) {
      if (closed || since.monotonic <= safeAt.monotonic) return;
      if (leftUntil(later(safeAt, settings.sessionLossMs)) <= 0) return;
      safeAt = since;
      if (proven) return;
      speak();
      if (!goesOn)
        log.warn(
          { leaseLeftMs: leftUntil(later(renewedAt, speakMs)) },
          "No other member can see the database either; the node goes on from memory until its lease ends.",
        );
      goesOn = true;
    },
    leftMs: () => leftUntil(deadline),
    clockSkewMs: () => skewMs,
    async close() {
      if (!closed) {
        closed = true;
        due?.cancel();
        options.onDoubt(false);
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
