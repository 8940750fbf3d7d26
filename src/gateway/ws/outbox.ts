/**
 * What a socket is being told. Two ways out: reliable frames in order, and latest-wins slots that are overwritten while
 * the socket is backed up. Owns the bound on both.
 *
 * Invariants: unsent bytes never exceed `reliableBacklogBytes` plus one frame, after which the socket closes with 4003;
 * one waiting value per slot; nothing is said after the socket is closed.
 */
import type { FrameCodec, ServerFrame } from "../../protocol/mod.js";
import type { Broadcast } from "../fanout/broadcast.js";
import type { NativeSocket } from "../native.js";
import type { GatewayStats } from "../stats.js";

/** One for all outboxes of a gateway. */
export interface OutboxTerms {
  readonly slotBacklogBytes: number;
  readonly reliableBacklogBytes: number;
  readonly stats: GatewayStats;
  /** The socket must be closed: it reads too slowly. */
  tooSlow(ws: NativeSocket<unknown>): void;
}

/** What the native socket gives when it would not take a message. */
const DROPPED = 2;
/** What a frame may take on the line beyond its own bytes. */
const FRAME_HEAD_BYTES = 10;
/** Of one UTF-16 unit in UTF-8, at most. */
const UTF8_PER_UNIT = 3;

export class Outbox {
  readonly ws: NativeSocket<unknown>;
  readonly codec: FrameCodec;
  readonly #terms: OutboxTerms;
  /** Made when the first value has to wait: most sockets never need it. */
  #slots: Map<string, Broadcast> | null = null;
  #closed = false;
  #hasSpoken = false;
  /** The most that may be unsent: what was when the native socket was asked last, and all that it has taken since. */
  #unsentAtMost = 0;

  constructor(ws: NativeSocket<unknown>, codec: FrameCodec, terms: OutboxTerms) {
    this.ws = ws;
    this.codec = codec;
    this.#terms = terms;
  }

  /** A frame that must not be lost. */
  frame(frame: ServerFrame): void {
    if (!this.#closed) this.#reliable(this.codec.encode(frame));
  }

  /** The same, for a frame that goes to many. */
  broadcast(broadcast: Broadcast): void {
    if (!this.#closed) this.#reliable(broadcast.bytes(this.codec.name));
  }

  /** The newest value of a slot. `slot` names it among all slots of this socket. */
  latest(slot: string, broadcast: Broadcast): void {
    if (this.#closed) return;
    if (this.#slots !== null && this.#slots.size > 0) {
      if (this.#slots.has(slot)) this.#terms.stats.slotsOverwritten++;
      this.#slots.set(slot, broadcast);
      // The drain event may have come while other slots were filled; a socket that is empty must not wait for it.
      if (this.ws.getBufferedAmount() === 0) this.drain();
      return;
    }
    if (this.#isBehind(this.#terms.slotBacklogBytes)) {
      this.#slots ??= new Map();
      this.#slots.set(slot, broadcast);
      return;
    }
    this.#send(broadcast.bytes(this.codec.name));
  }

  clear(slot: string): void {
    this.#slots?.delete(slot);
  }

  /** Forgets every waiting value whose slot's name starts so. */
  clearAll(prefix: string): void {
    if (this.#slots === null) return;
    for (const slot of this.#slots.keys()) if (slot.startsWith(prefix)) this.#slots.delete(slot);
  }

  /** The socket has room again. */
  drain(): void {
    if (this.#closed || this.#slots === null) return;
    for (const [slot, broadcast] of this.#slots) {
      if (this.#isBehind(this.#terms.slotBacklogBytes)) return;
      this.#slots.delete(slot);
      this.#send(broadcast.bytes(this.codec.name));
    }
  }

  /** Whether anything has been sent since this was asked last. */
  hasSpoken(): boolean {
    const had = this.#hasSpoken;
    this.#hasSpoken = false;
    return had;
  }

  get waitingSlots(): number {
    return this.#slots?.size ?? 0;
  }

  /** Several frames in one write. */
  together(write: () => void): void {
    if (this.#closed) return;
    this.ws.cork(write);
  }

  /** From now on nothing is sent, and what waited is forgotten. */
  shut(): void {
    this.#closed = true;
    this.#slots = null;
  }

  #reliable(bytes: Uint8Array | string): void {
    if (this.#isBehind(this.#terms.reliableBacklogBytes)) {
      this.#terms.tooSlow(this.ws);
      return;
    }
    this.#send(bytes);
  }

  /** Whether more than this is unsent. Asks the native socket, which costs as much as a small frame, only when it may be. */
  #isBehind(bytes: number): boolean {
    if (this.#unsentAtMost <= bytes) return false;
    this.#unsentAtMost = this.ws.getBufferedAmount();
    return this.#unsentAtMost > bytes;
  }

  #send(bytes: Uint8Array | string): void {
    this.#hasSpoken = true;
    this.#unsentAtMost += FRAME_HEAD_BYTES + (typeof bytes === "string" ? UTF8_PER_UNIT : 1) * bytes.length;
    this.#terms.stats.framesOut++;
    this.#terms.stats.bytesOut += bytes.length;
    if (this.ws.send(bytes, this.codec.binary) === DROPPED) this.#terms.tooSlow(this.ws);
  }
}
