/**
 * The link between the threads of one process: one MessagePort for each pair of endpoints, straight between them.
 *
 * Owns: the outgoing queue of each peer, batching by turn of the event loop, flow control, and noticing that a peer's
 * port has closed. Does not own: making the channels and handing them out (`threads/`), restarting dead threads, or
 * what the messages mean.
 *
 * Invariants:
 * - messages arrive in order per (sender, receiver), those of one turn as one structured clone;
 * - at most `window` messages that the receiver has not consumed are in a port: a slow receiver makes its senders'
 *   bounded queues grow, never its own memory;
 * - a lost message that may not be lost is never silent: past `maxQueued` the pair starts a new session, both ends see
 *   down and up, and batches of an older session are ignored;
 * - peers are told of changes outside `send`.
 */
import { MessageChannel, type MessagePort, type Transferable } from "node:worker_threads";
import { endOfTurn } from "../../../lib/schedule.js";
import type { EndpointId, Link, LinkMessage } from "../link.js";
import { checkBounds, DEFAULT_LINK_BOUNDS, type LinkBounds, mayBeDropped } from "./bounds.js";
import { type Packed, pack, unpack } from "./parcel.js";

/** One end of a channel between two endpoints. It may be sent to a thread when its `port` is in the transfer list. */
export interface PortEnd {
  readonly port: MessagePort;
  /** Shared by both ends; see `Flow`. */
  readonly flow: SharedArrayBuffer;
  readonly side: 0 | 1;
}

/**
 * Layout of `flow` (Int32): [0] messages of side 0 that side 1 has consumed, [1] the other way round,
 * [2] and [3] whether side 0 or side 1 waits for room. Counts wrap around.
 */
const FLOW_WORDS = 4;

export function createPortPair(): readonly [PortEnd, PortEnd] {
  const { port1, port2 } = new MessageChannel();
  const flow = new SharedArrayBuffer(FLOW_WORDS * Int32Array.BYTES_PER_ELEMENT);
  return [
    { port: port1, flow, side: 0 },
    { port: port2, flow, side: 1 },
  ];
}

export const transferOf = (ends: readonly PortEnd[]): Transferable[] => ends.map((end) => end.port);

export interface MessagePortLinkSettings extends LinkBounds {
  /** Messages in a port that its receiver has not consumed yet. */
  readonly window: number;
  /** Most messages of one structured clone: a long queue does not block the receiver in one piece. */
  readonly maxBatch: number;
}

export const DEFAULT_MESSAGE_PORT_SETTINGS: MessagePortLinkSettings = {
  ...DEFAULT_LINK_BOUNDS,
  window: 16_384,
  maxBatch: 1_024,
};

export interface PeerStats {
  readonly peer: EndpointId;
  /** Waiting to leave now. */
  readonly queued: number;
  readonly sent: number;
  readonly received: number;
  /** Messages that could be lost and were, for want of room. */
  readonly dropped: number;
  /** New sessions because the queue was full. */
  readonly resets: number;
}

export interface MessagePortLink extends Link {
  /** Takes a channel to `peer` into use. A channel to it that was in use is given up first: down, then up. */
  connect(peer: EndpointId, end: PortEnd): void;
  /** Gives up the channel to `peer`: down. Harmless when there is none. */
  disconnect(peer: EndpointId): void;
  stats(): readonly PeerStats[];
}

export interface MessagePortLinkOptions {
  readonly self: EndpointId;
  readonly settings?: Partial<MessagePortLinkSettings>;
  /** Called for every batch that arrives: a sign of life of this thread. */
  readonly onReceived?: () => void;
  /** A message that cannot be cloned was dropped: a fault of the sender's code. */
  readonly onProblem?: (problem: { readonly peer: EndpointId; readonly type: string; readonly error: unknown }) => void;
}

type Parcel =
  | { readonly kind: "batch"; readonly session: number; readonly count: number; readonly packed: Packed }
  | { readonly kind: "reset"; readonly session: number }
  | { readonly kind: "room" };

interface Peer {
  readonly id: EndpointId;
  readonly port: MessagePort;
  readonly flow: Int32Array;
  readonly side: 0 | 1;
  session: number;
  queue: LinkMessage[];
  /** The queue was full in this turn: at its end a new session begins. */
  overflowed: boolean;
  /** In `dirty`, waiting for the end of the turn. */
  marked: boolean;
  /** Batches that came before there was a receiver: at most a window of messages, not consumed yet. */
  early: Parcel[];
  /** Messages given to the port, wrapping like the shared count. */
  posted: number;
  sent: number;
  received: number;
  dropped: number;
  resets: number;
}

export function createMessagePortLink(options: MessagePortLinkOptions): MessagePortLink {
  const settings = { ...DEFAULT_MESSAGE_PORT_SETTINGS, ...options.settings };
  checkBounds(settings);
  const { self, onProblem, onReceived } = options;
  const peers = new Map<EndpointId, Peer>();
  const peerHandlers: ((peer: EndpointId, change: "up" | "down") => void)[] = [];
  let receiver: ((from: EndpointId, messages: readonly LinkMessage[]) => void) | null = null;
  let dirty: Peer[] = [];
  let flushing = false;
  let closed = false;

  function announce(peer: EndpointId, change: "up" | "down"): void {
    for (const handler of peerHandlers) handler(peer, change);
  }

  function mark(peer: Peer): void {
    if (peer.marked) return;
    peer.marked = true;
    dirty.push(peer);
    if (flushing) return;
    flushing = true;
    endOfTurn(flush);
  }

  function flush(): void {
    flushing = false;
    const batch = dirty;
    dirty = [];
    for (const peer of batch) {
      peer.marked = false;
      if (peers.get(peer.id) !== peer) continue;
      if (peer.overflowed) restart(peer, peer.session + 1, true);
      else flushPeer(peer);
    }
  }

  function flushPeer(peer: Peer): void {
    while (peer.queue.length > 0) {
      let room = roomInPort(peer);
      if (room <= 0) {
        // The receiver looks at this flag after it has consumed; looking once more closes the race between the two.
        Atomics.store(peer.flow, 2 + peer.side, 1);
        room = roomInPort(peer);
        if (room <= 0) return;
        Atomics.store(peer.flow, 2 + peer.side, 0);
      }
      const count = Math.min(room, settings.maxBatch, peer.queue.length);
      const messages = count === peer.queue.length ? peer.queue : peer.queue.splice(0, count);
      if (messages === peer.queue) peer.queue = [];
      post(peer, messages);
    }
  }

  function roomInPort(peer: Peer): number {
    return settings.window - ((peer.posted - Atomics.load(peer.flow, peer.side)) | 0);
  }

  function post(peer: Peer, messages: readonly LinkMessage[]): void {
    const count = messages.length;
    try {
      peer.port.postMessage({ kind: "batch", session: peer.session, count, packed: pack(messages) } satisfies Parcel);
    } catch (error) {
      if (messages.length === 1) {
        onProblem?.({ peer: peer.id, type: messages[0]?.t ?? "", error });
        return;
      }
      // One bad message must not take the others with it: find it by sending each alone.
      for (const message of messages) post(peer, [message]);
      return;
    }
    peer.posted = (peer.posted + count) | 0;
    peer.sent += count;
  }

  function restart(peer: Peer, session: number, tell: boolean): void {
    peer.session = session;
    peer.queue = [];
    peer.overflowed = false;
    peer.resets += 1;
    if (tell) peer.port.postMessage({ kind: "reset", session } satisfies Parcel);
    announce(peer.id, "down");
    if (peers.get(peer.id) === peer) announce(peer.id, "up");
  }

  function take(peer: Peer, parcel: Parcel): void {
    if (peers.get(peer.id) !== peer) return;
    switch (parcel.kind) {
      case "batch": {
        const { count } = parcel;
        if (parcel.session === peer.session) {
          peer.received += count;
          receiver?.(peer.id, unpack(parcel.packed));
        }
        const other = 1 - peer.side;
        Atomics.add(peer.flow, other, count);
        if (Atomics.load(peer.flow, 2 + other) === 1 && Atomics.exchange(peer.flow, 2 + other, 0) === 1)
          peer.port.postMessage({ kind: "room" } satisfies Parcel);
        return;
      }
      case "reset":
        if (parcel.session > peer.session) restart(peer, parcel.session, false);
        return;
      case "room":
        mark(peer);
        return;
    }
  }

  function hear(peer: Peer, parcel: Parcel): void {
    onReceived?.();
    if (parcel.kind === "batch" && (receiver === null || peer.early.length > 0)) peer.early.push(parcel);
    else take(peer, parcel);
  }

  function hearEarly(): void {
    for (const peer of [...peers.values()]) {
      const early = peer.early;
      peer.early = [];
      for (const parcel of early) take(peer, parcel);
    }
  }

  function disconnect(id: EndpointId): void {
    const peer = peers.get(id);
    if (peer === undefined) return;
    peers.delete(id);
    peer.port.close();
    announce(id, "down");
  }

  return {
    self,
    connect(id, end) {
      if (closed) {
        end.port.close();
        return;
      }
      disconnect(id);
      const peer: Peer = {
        id,
        port: end.port,
        flow: new Int32Array(end.flow),
        side: end.side,
        session: 0,
        queue: [],
        overflowed: false,
        marked: false,
        early: [],
        posted: 0,
        sent: 0,
        received: 0,
        dropped: 0,
        resets: 0,
      };
      peers.set(id, peer);
      peer.port.on("close", () => {
        if (peers.get(id) === peer) disconnect(id);
      });
      peer.port.on("message", (parcel: Parcel) => hear(peer, parcel));
      announce(id, "up");
    },
    disconnect,
    send(to, message) {
      const peer = peers.get(to);
      if (peer === undefined) return;
      const waiting = peer.queue.length;
      if (peer.overflowed || (waiting >= settings.maxDroppable && mayBeDropped(message))) {
        peer.dropped += 1;
        return;
      }
      if (waiting >= settings.maxQueued) peer.overflowed = true;
      else peer.queue.push(message);
      // While the receiver has no room its "room" parcel starts the next flush; until then a flush would be in vain.
      if (waiting === 0 || peer.overflowed) mark(peer);
    },
    receive(handler) {
      receiver = handler;
      endOfTurn(hearEarly);
    },
    peers(handler) {
      peerHandlers.push(handler);
      for (const id of [...peers.keys()]) handler(id, "up");
    },
    room(to) {
      const peer = peers.get(to);
      return peer === undefined || peer.overflowed ? 0 : Math.max(0, settings.maxDroppable - peer.queue.length);
    },
    stats: () =>
      [...peers.values()].map(({ id, queue, sent, received, dropped, resets }) => ({
        peer: id,
        queued: queue.length,
        sent,
        received,
        dropped,
        resets,
      })),
    close() {
      if (closed) return;
      closed = true;
      for (const peer of peers.values()) {
        if (!peer.overflowed) flushPeer(peer);
        peer.port.close();
      }
      peers.clear();
    },
  };
}
