/**
 * Asks from admission to answer.
 *
 * Owns: the bounds on asks, credit, time-outs, and sending an ask again when its endpoint died, its shard moved or the
 * route was wrong. Does not own: where shards live (`router.ts`), how much new work is too much (`pace.ts`) or channels
 * (`subscriptions.ts`).
 *
 * Invariants:
 * - every ask is answered exactly once: a reply, a refusal, `timeout`, `overloaded` or, when the client closes, `unavailable`;
 * - an ask is sent only against a credit of the endpoint it goes to, always with the same command id;
 * - an ask is in exactly one place: waiting for one endpoint's credit, sent to one endpoint, or parked without one.
 */
import type { Clock } from "../../../lib/clock.js";
import type { Random } from "../../../lib/random.js";
import type { ActorError, AskResult } from "../client.js";
import type { EndpointId, Link, LinkMessage } from "../link.js";
import { IdTable } from "../structures/id-table.js";
import { type Begun, Pace } from "./pace.js";
import type { Router } from "./router.js";
import { type ActorClientSettings, reroutePauseMs } from "./settings.js";
import { createTimerWheel, type WheelEntry } from "./timer-wheel.js";

export type AskMessage = Extract<LinkMessage, { t: "ask" }>;

interface Ask extends WheelEntry {
  readonly message: AskMessage;
  readonly shard: number;
  readonly resolve: (result: AskResult<unknown>) => void;
  /** Monotonic milliseconds. */
  readonly giveUpAt: number;
  place: "waiting" | "sent" | "parked";
  /** The endpoint whose credit is awaited or which has the ask; null while parked. */
  target: EndpointId | null;
  /** While waiting: answer `overloaded` at this time. Never again once it was admitted. */
  admitBy: number;
  /** While parked: try again at this time, if nothing changes sooner. */
  resumeAt: number;
  /** Wrong routes met. */
  wrongRoutes: number;
  /** Of new work: what its pace counts until it ends. */
  begun: { readonly pace: Pace; readonly work: Begun } | null;
}

interface Peer {
  readonly id: EndpointId;
  credit: number;
  /** Whether it has given credit since it came up: before that it is starting, not overloaded. */
  granted: boolean;
  readonly waiting: Set<Ask>;
  readonly pace: Pace;
}

export interface AskStats {
  readonly inFlight: number;
  readonly waiting: number;
  readonly parked: number;
  readonly sent: number;
  readonly resent: number;
  readonly overloaded: number;
  /** Of those, new work that was held back. */
  readonly heldBack: number;
  readonly timedOut: number;
}

export interface Asks {
  ask(
    message: AskMessage,
    about: { readonly shard: number; readonly newWork: boolean },
    timeoutMs: number,
    resolve: (result: AskResult<unknown>) => void,
  ): void;
  replied(id: number, value: unknown): void;
  /** False when the id is not of an ask. */
  failed(from: EndpointId, id: number, error: ActorError, owner: EndpointId | undefined): boolean;
  credit(from: EndpointId, count: number): void;
  /** After the router has been told. */
  peer(id: EndpointId, change: "up" | "down"): void;
  /** After the router has been told. */
  moved(shards: readonly number[]): void;
  stats(): AskStats;
  close(): void;
}

const QUICK_REROUTES = 2;
const WHEEL_SLOTS = 1_024;

export function createAsks(options: {
  readonly link: Link;
  readonly router: Router;
  readonly clock: Clock;
  readonly random: Random;
  readonly settings: ActorClientSettings;
}): Asks {
  const { link, router, clock, random, settings } = options;
  const inFlight = new IdTable<Ask>();
  const parked = new Set<Ask>();
  const peers = new Map<EndpointId, Peer>();
  const wheel = createTimerWheel<Ask>({ clock, tickMs: settings.tickMs, slots: WHEEL_SLOTS, expire });
  let sent = 0;
  let resent = 0;
  let overloaded = 0;
  let heldBack = 0;
  let timedOut = 0;
  let closed = false;

  const retryAfterMs = (usualMs = settings.retryAfterMs): number => Math.round(usualMs * (0.5 + random.next()));

  function overload(usualMs?: number): AskResult<unknown> {
    overloaded += 1;
    return { ok: false, error: { code: "overloaded", temporary: true, retryAfterMs: retryAfterMs(usualMs) } };
  }

  function peerOf(id: EndpointId): Peer {
    let peer = peers.get(id);
    if (peer === undefined) {
      const { lateMs, paceWindowMs, maxInFlight } = settings;
      const pace = new Pace({ lateMs, windowMs: paceWindowMs, most: maxInFlight });
      peer = { id, credit: 0, granted: false, waiting: new Set(), pace };
      peers.set(id, peer);
    }
    return peer;
  }

  /** Takes the ask out of the place it is in. */
  function lift(ask: Ask): void {
    if (ask.place === "parked") parked.delete(ask);
    else if (ask.place === "waiting" && ask.target !== null) peers.get(ask.target)?.waiting.delete(ask);
  }

  function finish(ask: Ask, result: AskResult<unknown>): void {
    lift(ask);
    wheel.disarm(ask);
    inFlight.delete(ask.message.id);
    const { begun } = ask;
    begun?.pace.ended(begun.work, clock.monotonic(), result.ok || !result.error.temporary);
    ask.resolve(result);
  }

  function dispatch(ask: Ask, peer: Peer): void {
    peer.credit -= 1;
    ask.place = "sent";
    ask.target = peer.id;
    if (ask.dueAt !== ask.giveUpAt) wheel.arm(ask, ask.giveUpAt);
    ask.admitBy = Number.POSITIVE_INFINITY;
    sent += 1;
    link.send(peer.id, ask.message);
  }

  /** Finds a place for an ask that is in none. */
  function route(ask: Ask): void {
    const target = router.targetOf(ask.shard);
    if (target === null) {
      park(ask, Number.POSITIVE_INFINITY);
      return;
    }
    const peer = peerOf(target);
    if (peer.credit > 0 && peer.waiting.size === 0) {
      dispatch(ask, peer);
      return;
    }
    ask.place = "waiting";
    ask.target = target;
    peer.waiting.add(ask);
    wheel.arm(ask, Math.min(ask.admitBy, ask.giveUpAt));
  }

  function park(ask: Ask, resumeAt: number): void {
    ask.place = "parked";
    ask.target = null;
    ask.resumeAt = resumeAt;
    parked.add(ask);
    wheel.arm(ask, Math.min(resumeAt, ask.giveUpAt));
  }

  /** Gives an admitted ask another place. It is never refused for want of room: it has its room already. */
  function reroute(ask: Ask): void {
    if (ask.place === "sent") resent += 1;
    lift(ask);
    route(ask);
  }

  function expire(ask: Ask): void {
    const now = clock.monotonic();
    if (now >= ask.giveUpAt) {
      timedOut += 1;
      finish(ask, { ok: false, error: { code: "timeout", temporary: true, retryAfterMs: retryAfterMs() } });
    } else if (ask.place === "waiting" && now >= ask.admitBy) {
      finish(ask, overload());
    } else if (ask.place === "parked" && now >= ask.resumeAt) {
      reroute(ask);
    } else {
      wheel.arm(ask, ask.giveUpAt);
    }
  }

  /** Whether a new ask has room where it would have to wait; sets how long it may. */
  function hasRoom(ask: Ask): boolean {
    if (inFlight.size >= settings.maxInFlight) return false;
    const target = router.targetOf(ask.shard);
    if (target === null) return parked.size < settings.maxParked;
    const peer = peerOf(target);
    if (peer.credit > 0 && peer.waiting.size === 0) return true;
    if (peer.granted) ask.admitBy = clock.monotonic() + settings.admissionWaitMs;
    return peer.waiting.size < settings.maxWaitingPerPeer;
  }

  /** False: its endpoint is behind. Work without an endpoint is nobody's yet. */
  function mayBegin(ask: Ask): boolean {
    const target = router.targetOf(ask.shard);
    if (target === null) return true;
    const { pace } = peerOf(target);
    const work = pace.begin(clock.monotonic());
    if (work === null) return false;
    ask.begun = { pace, work };
    return true;
  }

  return {
    ask(message, { shard, newWork }, timeoutMs, resolve) {
      if (closed) {
        resolve({ ok: false, error: { code: "unavailable", temporary: true } });
        return;
      }
      const giveUpAt = clock.monotonic() + timeoutMs;
      const ask: Ask = {
        message,
        shard,
        resolve,
        giveUpAt,
        place: "sent",
        target: null,
        admitBy: Number.POSITIVE_INFINITY,
        resumeAt: Number.POSITIVE_INFINITY,
        wrongRoutes: 0,
        begun: null,
        dueAt: 0,
        wheelNext: null,
        wheelPrevious: null,
      };
      if (!hasRoom(ask)) {
        resolve(overload());
        return;
      }
      if (newWork && !mayBegin(ask)) {
        heldBack += 1;
        // By then what is late now has been answered.
        resolve(overload(2 * settings.lateMs));
        return;
      }
      inFlight.set(message.id, ask);
      wheel.arm(ask, giveUpAt);
      route(ask);
    },

    replied(id, value) {
      // From whomever: a reply that left its gate is committed, and remembered for every later owner.
      const ask = inFlight.get(id);
      if (ask !== undefined) finish(ask, { ok: true, value });
    },

    failed(from, id, error, owner) {
      const ask = inFlight.get(id);
      if (ask === undefined) return false;
      // The word of an endpoint that no longer has the ask counts for nothing; the one that has it will answer.
      if (ask.place !== "sent" || ask.target !== from) return true;
      if (error.code !== "not_owner") {
        finish(ask, { ok: false, error });
        return true;
      }
      router.wrongRoute(ask.shard, from, owner);
      ask.wrongRoutes += 1;
      const next = router.targetOf(ask.shard);
      if (ask.wrongRoutes <= QUICK_REROUTES && next !== null && next !== from) {
        reroute(ask);
      } else {
        resent += 1;
        park(ask, clock.monotonic() + reroutePauseMs(settings, ask.wrongRoutes, random.next()));
      }
      return true;
    },

    credit(from, count) {
      const peer = peerOf(from);
      peer.credit += count;
      peer.granted = true;
      for (const ask of peer.waiting) {
        if (peer.credit <= 0) break;
        peer.waiting.delete(ask);
        dispatch(ask, peer);
      }
    },

    peer(id, change) {
      if (change === "up") {
        for (const ask of [...parked]) if (router.targetOf(ask.shard) === id) reroute(ask);
        return;
      }
      peers.delete(id);
      for (const ask of inFlight.values()) if (ask.target === id) reroute(ask);
    },

    moved(shards) {
      const changed = new Set(shards);
      for (const ask of inFlight.values()) {
        if (!changed.has(ask.shard)) continue;
        const target = router.targetOf(ask.shard);
        // While the new owner is not up the old one may still answer.
        if (target !== null && target !== ask.target) reroute(ask);
      }
    },

    stats() {
      let waiting = 0;
      for (const peer of peers.values()) waiting += peer.waiting.size;
      return { inFlight: inFlight.size, waiting, parked: parked.size, sent, resent, overloaded, heldBack, timedOut };
    },

    close() {
      if (closed) return;
      closed = true;
      for (const ask of inFlight.values()) finish(ask, { ok: false, error: { code: "unavailable", temporary: true } });
      wheel.close();
    },
  };
}
