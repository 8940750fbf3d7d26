/**
 * The link between nodes, whatever carries its bytes.
 *
 * Owns: which other links there are (presence, silence, farewells, successors under the same name), one `Pair` for each,
 * and the turn's batching. Does not own: the connection (`link.ts`) or a pair's sessions (`pair.ts`).
 *
 * Invariants:
 * - only endpoints of other nodes are peers; those of the own node are joined by MessagePorts;
 * - nothing that arrives throws: what is not understood is dropped and counted;
 * - a handler that throws breaks neither the link nor the order of what follows;
 * - of two links with one name the newer one counts everywhere: peers let go of the older one, which stands back itself
 *   as long as it hears the newer one.
 */
import type { EndpointId, Link, LinkMessage } from "../../actors/runtime/link.js";
import { mayBeDropped } from "../../actors/runtime/mod.js";
import type { Cancel, Clock } from "../../lib/clock.js";
import type { Log, LogFields } from "../../lib/log.js";
import { type Random, uuidV7 } from "../../lib/random.js";
import { endOfTurn } from "../../lib/schedule.js";
import { Pair } from "./pair.js";
import type { PairHost, PairStats } from "./pair-host.js";
import { decodeParcel, decodePresence, encodeParcel, encodePart, encodePresence, strangerIn } from "./parcel.js";
import { checkNatsLinkSettings, DEFAULT_NATS_LINK_SETTINGS, type NatsLinkSettings } from "./settings.js";
import { type ClusterSubjects, nodeOf } from "./subjects.js";

export interface NatsLinkStats {
  /** Whether there is a connection to NATS now. */
  readonly connected: boolean;
  /** True while a newer link with our name is heard: this one says nothing. */
  readonly superseded: boolean;
  /** Parcels and messages that were not understood. */
  readonly malformed: number;
  /** Messages of ours that could not be sent: too big, or of what MessagePack cannot hold. */
  readonly unsendable: number;
  /** Times that a handler has thrown. */
  readonly handlerFailures: number;
  readonly peers: readonly PairStats[];
}

/** What carries the bytes. */
export interface Wire {
  /** May lose them; never throws. */
  publish(subject: string, bytes: Uint8Array): void;
  /** Most bytes of one publication. */
  maxPayload(): number;
}

export interface LinkCoreOptions {
  readonly self: EndpointId;
  readonly subjects: ClusterSubjects;
  readonly wire: Wire;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly settings?: Partial<NatsLinkSettings>;
  /** Runs what this turn of the event loop has gathered. Default: at the real turn's end; virtual time has turns of its own. */
  readonly endOfTurn?: (run: () => void) => void;
}

export interface LinkCore extends Link {
  readonly instance: string;
  stats(): NatsLinkStats;
  room(to: EndpointId): number;
  /** The wire works from now on. */
  connected(): void;
  /** The wire is gone: so is every peer. */
  disconnected(): void;
  hear(bytes: Uint8Array): void;
  hearPresence(bytes: Uint8Array): void;
}

/** The same trouble is logged once in this time; the counts tell how often it was. */
const LOG_EVERY_MS = 5_000;

export function createLinkCore(options: LinkCoreOptions): LinkCore {
  const { self, subjects, wire, clock, random } = options;
  const settings = checkNatsLinkSettings({ ...DEFAULT_NATS_LINK_SETTINGS, ...options.settings });
  const log = options.log.child({ part: "nats-link", endpoint: self });
  const atEndOfTurn = options.endOfTurn ?? endOfTurn;
  const ownNode = nodeOf(self);
  const instance = uuidV7(clock.now(), random);
  const presence = encodePresence({ endpoint: self, instance });
  const pairs = new Map<EndpointId, Pair>();
  const peerHandlers: ((peer: EndpointId, change: "up" | "down") => void)[] = [];
  const loggedAt = new Map<string, number>();
  let receiver: ((from: EndpointId, messages: readonly LinkMessage[]) => void) | null = null;
  let sessions = 0;
  let dirty = new Set<Pair>();
  let flushing = false;
  /** Peers with words that may wait for company, and the end of their wait. */
  const gathering = new Set<Pair>();
  /** When anybody was written to the last time, by the monotonic clock: one write carries the parcels of all peers. */
  let flushedAt = Number.NEGATIVE_INFINITY;
  let gathered: Cancel | null = null;
  let working = false;
  let closed = false;
  let malformed = 0;
  let unsendable = 0;
  let handlerFailures = 0;
  let supersededUntil = Number.NEGATIVE_INFINITY;
  let tickedAt = clock.monotonic();
  let ticking: Cancel | null = clock.every(settings.heartbeatMs, tick);

  function warn(fields: LogFields, message: string): void {
    const now = clock.monotonic();
    const last = loggedAt.get(message);
    if (last !== undefined && now - last < LOG_EVERY_MS) return;
    loggedAt.set(message, now);
    log.warn(fields, message);
  }

  const superseded = (): boolean => clock.monotonic() < supersededUntil;
  const speaks = (): boolean => working && !closed && !superseded();

  function announce(peer: EndpointId, change: "up" | "down"): void {
    if (closed) return;
    for (const handler of [...peerHandlers]) guard(() => handler(peer, change));
  }

  function guard(run: () => void): void {
    try {
      run();
    } catch (error) {
      handlerFailures += 1;
      warn(
        { error: error instanceof Error ? (error.stack ?? error.message) : String(error) },
        "A handler of the link has thrown.",
      );
    }
  }

  function bad(what: string, from: string): void {
    malformed += 1;
    warn({ what, from, malformed }, "Something on NATS was not understood and is ignored.");
  }

  function flush(): void {
    flushing = false;
    const batch = dirty;
    dirty = new Set();
    const now = clock.monotonic();
    const waitMs = flushedAt + settings.gatherMs - now;
    for (const pair of batch) {
      if (waitMs <= 0 || !pair.canWait) flushPair(pair, now);
      else gathering.add(pair);
    }
    // If an end is set already, all go then: it comes within `gatherMs`.
    if (gathering.size > 0) gathered ??= clock.after(waitMs, endGathering);
  }

  /** All that wait go together: one write to the connection carries the parcels of all. */
  function endGathering(): void {
    gathered = null;
    const now = clock.monotonic();
    for (const pair of [...gathering]) flushPair(pair, now);
  }

  function flushPair(pair: Pair, now: number): void {
    gathering.delete(pair);
    if (!speaks() || pairs.get(pair.peer) !== pair) return;
    flushedAt = now;
    pair.flush();
  }

  function wake(pair: Pair): void {
    dirty.add(pair);
    if (flushing) return;
    flushing = true;
    atEndOfTurn(flush);
  }

  function leaveOut(peer: EndpointId, message: LinkMessage, reason: string): void {
    unsendable += 1;
    warn(
      { peer, type: message.t, mayBeDropped: mayBeDropped(message), reason },
      "A message cannot be sent to another node.",
    );
  }

  function meet(peer: EndpointId, theirInstance: string): Pair | null {
    const known = pairs.get(peer);
    if (known !== undefined) {
      if (known.instance === theirInstance) return known;
      // The older of two with one name: it is over, or about to learn it.
      if (theirInstance < known.instance) return null;
      forget(known);
    } else if (pairs.size >= settings.maxPeers) {
      warn({ peer, maxPeers: settings.maxPeers }, "There are too many peers: this one is ignored.");
      return null;
    }
    if (!speaks()) return null;
    const inbox = subjects.inbox(peer, theirInstance);
    const host: PairHost = {
      settings,
      nextSession: () => ++sessions,
      encode: ({ kind, mine, theirs, number, consumed }, messages) =>
        encodeParcel({ kind, from: self, instance, mine, theirs, number, consumed }, messages),
      encodePart: ({ kind, mine, theirs, number, consumed }, part) =>
        encodePart({ kind, from: self, instance, mine, theirs, number, consumed }, part),
      publish: (parcel) => {
        if (working) wire.publish(inbox, parcel);
      },
      maxParcelBytes: () => wire.maxPayload(),
      unsendable: (message, reason) => leaveOut(peer, message, reason),
      announce: (change) => announce(peer, change),
      deliver(messages) {
        const handler = receiver;
        if (handler === null) return false;
        guard(() => handler(peer, messages));
        return true;
      },
      wake: () => wake(pair),
      malformed: (what) => bad(what, peer),
    };
    const pair = new Pair(peer, theirInstance, clock.monotonic(), host);
    pairs.set(peer, pair);
    return pair;
  }

  function forget(pair: Pair): void {
    if (pairs.get(pair.peer) === pair) pairs.delete(pair.peer);
    pair.drop();
  }

  function forgetAll(): void {
    for (const pair of [...pairs.values()]) forget(pair);
  }

  function tick(): void {
    const now = clock.monotonic();
    // After a pause of our own (a full processor, a stopped process) what the peers said is still in the socket.
    const late = now - tickedAt > settings.heartbeatMs * 2;
    tickedAt = now;
    if (!speaks()) return;
    wire.publish(subjects.presence, presence);
    for (const pair of [...pairs.values()]) {
      if (!late && now - pair.heardAt > settings.silenceMs) {
        if (pair.up) warn({ peer: pair.peer, silenceMs: settings.silenceMs }, "A peer has fallen silent.");
        pair.renounce();
        forget(pair);
      } else pair.beat();
    }
  }

  return {
    self,
    instance,
    connected() {
      if (closed) return;
      working = true;
      if (!superseded()) wire.publish(subjects.presence, presence);
    },
    disconnected() {
      working = false;
      forgetAll();
    },
    hearPresence(bytes) {
      if (closed || !working) return;
      const heard = decodePresence(bytes);
      if (heard === null) {
        const stranger = strangerIn(bytes);
        if (stranger === null) bad("presence", "");
        else {
          malformed += 1;
          warn(
            { from: stranger },
            "A node whose release writes other messages between nodes is there: neither hears the other until both run the same release.",
          );
        }
        return;
      }
      if (heard.endpoint === self) {
        if (heard.instance === instance) return;
        const newer = heard.instance > instance;
        warn({ newer }, "Another link has our name: the newer one counts.");
        if (!newer) return;
        supersededUntil = clock.monotonic() + settings.silenceMs;
        forgetAll();
        return;
      }
      if (nodeOf(heard.endpoint) === ownNode || superseded()) return;
      const known = pairs.get(heard.endpoint);
      if (known?.instance !== heard.instance) meet(heard.endpoint, heard.instance)?.beat();
    },
    hear(bytes) {
      if (closed || !working) return;
      const parcel = decodeParcel(bytes);
      if (parcel === null) {
        bad("parcel", "");
        return;
      }
      if (nodeOf(parcel.from) === ownNode) {
        bad("sender", parcel.from);
        return;
      }
      if (superseded()) return;
      if (parcel.kind === "bye") {
        const leaving = pairs.get(parcel.from);
        if (leaving?.instance === parcel.instance) forget(leaving);
        return;
      }
      const pair = meet(parcel.from, parcel.instance);
      if (pair?.take(parcel)) pair.heardAt = clock.monotonic();
    },
    send(to, message) {
      if (!closed) pairs.get(to)?.send(message);
    },
    receive(handler) {
      receiver = handler;
      atEndOfTurn(() => {
        if (!closed) for (const pair of [...pairs.values()]) pair.hearEarly();
      });
    },
    peers(handler) {
      peerHandlers.push(handler);
      for (const pair of [...pairs.values()]) if (pair.up) guard(() => handler(pair.peer, "up"));
    },
    room: (to) => (closed ? 0 : (pairs.get(to)?.room ?? 0)),
    stats: () => ({
      connected: working,
      superseded: superseded(),
      malformed,
      unsendable,
      handlerFailures,
      peers: [...pairs.values()].map((pair) => pair.stats()),
    }),
    close() {
      if (closed) return;
      if (speaks()) for (const pair of [...pairs.values()]) pair.farewell();
      closed = true;
      gathered?.();
      gathering.clear();
      ticking?.();
      ticking = null;
      pairs.clear();
    },
  };
}
