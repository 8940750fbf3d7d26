/**
 * One link's side of a pair: its sessions with one instance of one peer.
 *
 * Owns: whether the peer is up, the queue towards it, numbering, flow control, and noticing a loss.
 * Does not own: discovery, heartbeats and silence (`link.ts`), or the bytes on NATS (`parcel.ts`).
 *
 * Invariants:
 * - a session is named by two numbers, one of each side, that never come again; it is up once the peer has repeated our
 *   number, so both directions work; a parcel of any other pair of numbers moves no message;
 * - within a session messages arrive once and in order; a gap ends the session on both sides, it is never skipped;
 * - at most `window` messages and `windowBytes` bytes are on their way; the rest waits in the bounded queue;
 * - the peer's ups and downs alternate, and never change within `send`.
 */
import type { EndpointId, LinkMessage } from "../../actors/runtime/link.js";
import { mayBeDropped, mayGather } from "../../actors/runtime/mod.js";
import type { PairHead, PairHost, PairStats } from "./pair-host.js";
import type { Parcel, ParcelHead, Part } from "./parcel.js";
import { cutMessage, Joiner } from "./parts.js";

/** Messages tried in the first parcel of a session, whose size nobody knows. */
const FIRST_TRY = 64;
const NOTHING = new Uint8Array(0);
/** The longest that numbers of a head are; and by how much the length of its bytes makes a part longer than an empty one. */
const MOST_NUMBER = Number.MAX_SAFE_INTEGER;
const PART_LENGTH_BYTES = 4;

export class Pair {
  readonly peer: EndpointId;
  readonly instance: string;
  /** When the peer was last heard, by the monotonic clock. */
  heardAt: number;
  readonly #host: PairHost;
  #up = false;
  #gone = false;
  #mine: number;
  #theirs = 0;
  #queue: LinkMessage[] = [];
  /** Something is queued that may not wait for company. */
  #urgent = false;
  #overflowed = false;
  /** Try no more messages than this in the next parcel: as many as have room when they are as big as those of the last. */
  #tryable = FIRST_TRY;
  #batchesOut = 0;
  #batchesIn = 0;
  #sent = 0;
  #acknowledged = 0;
  /** Batches on their way: the count of messages sent up to and with each, and its bytes. */
  #way: { readonly upTo: number; readonly bytes: number }[] = [];
  #wayBytes = 0;
  #consumed = 0;
  #consumedSaid = 0;
  /** Bytes of parcels since we last told how much was consumed. */
  #owedBytes = 0;
  readonly #joiner: Joiner;
  /** Bytes on the wire of those parts. */
  #partBytes = 0;
  /** Batches that came before there was a receiver. */
  #early: Parcel[] = [];
  #dropped = 0;
  #resets = 0;

  constructor(peer: EndpointId, instance: string, now: number, host: PairHost) {
    this.peer = peer;
    this.instance = instance;
    this.heardAt = now;
    this.#host = host;
    this.#mine = host.nextSession();
    this.#joiner = new Joiner(host.settings.maxMessageBytes);
  }

  get up(): boolean {
    return this.#up;
  }

  get room(): number {
    if (!this.#up || this.#overflowed) return 0;
    return Math.max(0, this.#host.settings.maxDroppable - this.#queue.length);
  }

  /** Whether what is queued may wait for more. */
  get canWait(): boolean {
    return !this.#urgent && !this.#overflowed;
  }

  send(message: LinkMessage): void {
    const { maxDroppable, maxQueued } = this.#host.settings;
    const waiting = this.#queue.length;
    if (!this.#up || this.#overflowed || (waiting >= maxDroppable && mayBeDropped(message))) {
      this.#dropped += 1;
      return;
    }
    if (waiting >= maxQueued) this.#overflowed = true;
    else this.#queue.push(message);
    const hurries = !this.#urgent && !mayGather(message);
    if (hurries) this.#urgent = true;
    // While the peer has no room its next word starts the flush; until then one would be in vain.
    if (waiting === 0 || hurries || this.#overflowed) this.#host.wake();
  }

  /** Sends what may leave now. To be called outside `send`. */
  flush(): void {
    if (this.#overflowed) this.restart();
    if (!this.#up) return;
    const { window, maxBatch } = this.#host.settings;
    let taken = 0;
    for (;;) {
      const room = Math.min(maxBatch, window - (this.#sent - this.#acknowledged), this.#tryable);
      const most = Math.min(room, this.#queue.length - taken);
      if (most <= 0) break;
      const count = this.#sendBatch(taken, most);
      if (count === 0) break;
      taken += count;
    }
    if (taken > 0) this.#queue = taken === this.#queue.length ? [] : this.#queue.slice(taken);
    if (this.#queue.length === 0) this.#urgent = false;
  }

  /**
   * Sends at most so many messages of the queue as one parcel: fewer when so many have no room in one. Returns how many
   * are done with; 0: what is on the way leaves no room.
   */
  #sendBatch(from: number, most: number): number {
    const { windowBytes, maxBatchBytes } = this.#host.settings;
    const maxParcelBytes = this.#host.maxParcelBytes();
    for (let count = most; ; count = Math.ceil(count / 2)) {
      const messages = from === 0 && count === this.#queue.length ? this.#queue : this.#queue.slice(from, from + count);
      let parcel: Uint8Array | null = null;
      let reason = "";
      try {
        parcel = this.#host.encode(this.#head("batch", this.#batchesOut + 1), messages);
        if (parcel.length > maxParcelBytes) reason = `${parcel.length} bytes, and NATS takes ${maxParcelBytes}`;
      } catch (error) {
        reason = error instanceof Error ? error.message : String(error);
      }
      if (count === 1 && parcel !== null && reason !== "") return this.#sendParts(messages[0]!, reason);
      if (count === 1 && parcel === null) {
        this.#host.unsendable(messages[0]!, reason);
        return 1;
      }
      if (parcel === null || reason !== "" || (count > 1 && parcel.length > maxBatchBytes)) continue;
      // One message may always be on its way, however big.
      const isAlone = this.#way.length === 0 && count === 1;
      if (!isAlone && this.#wayBytes + parcel.length > windowBytes) {
        if (count === 1) return 0;
        continue;
      }
      const bytes = Math.min(maxBatchBytes, maxParcelBytes);
      this.#tryable = Math.max(1, Math.floor((count * bytes) / parcel.length));
      this.#sent += count;
      this.#batchesOut += 1;
      this.#way.push({ upTo: this.#sent, bytes: parcel.length });
      this.#wayBytes += parcel.length;
      // What could not leave makes a gap, which the next batch or heartbeat shows to the peer.
      this.#publish(parcel);
      return count;
    }
  }

  /** Sends one message as several parcels that follow each other. Returns as above. */
  #sendParts(message: LinkMessage, reason: string): number {
    const { windowBytes, maxBatchBytes, maxMessageBytes } = this.#host.settings;
    const headBytes = this.#host.encodePart(this.#head("part", MOST_NUMBER), {
      left: MOST_NUMBER,
      bytes: NOTHING,
    }).length;
    const partBytes = Math.min(maxBatchBytes, this.#host.maxParcelBytes()) - headBytes - PART_LENGTH_BYTES;
    const parts = partBytes < 1 ? null : cutMessage(message, partBytes, maxMessageBytes);
    if (parts === null) {
      this.#host.unsendable(message, `${reason}; in parts it may have ${maxMessageBytes}`);
      return 1;
    }
    const bytes = parts.reduce((sum, part) => sum + part.bytes.length + headBytes, 0);
    // As a single parcel, it may always be on its way alone.
    if (this.#way.length > 0 && this.#wayBytes + bytes > windowBytes) return 0;
    this.#tryable = 1;
    this.#sent += 1;
    this.#way.push({ upTo: this.#sent, bytes });
    this.#wayBytes += bytes;
    for (const part of parts) {
      this.#batchesOut += 1;
      this.#publish(this.#host.encodePart(this.#head("part", this.#batchesOut), part));
    }
    return 1;
  }

  /** Tells the peer of the session, how much was sent and how much was consumed. */
  beat(): void {
    if (!this.#gone) this.#say("beat", this.#batchesOut);
  }

  /** Takes a parcel of this instance. `true`: it was of use, so the peer lives. */
  take(parcel: Parcel): boolean {
    if (this.#gone || parcel.mine < this.#theirs) return false;
    let changed = false;
    if (parcel.mine > this.#theirs) {
      // The peer has begun a new session.
      const known = this.#theirs !== 0;
      this.#theirs = parcel.mine;
      changed = true;
      if (known && this.#up) this.#resets += 1;
      this.#end();
    }
    if (this.#gone) return true;
    if (parcel.theirs !== this.#mine) {
      // It does not know our number yet, or this was sent before it did.
      if (parcel.kind === "beat") this.beat();
      return true;
    }
    if (!this.#up) {
      this.#up = true;
      changed = true;
    }
    if (changed) {
      this.beat();
      this.#host.announce("up");
      // A handler may have closed the link or the session.
      if (!this.#up || parcel.theirs !== this.#mine) return true;
    }
    this.#takeOfSession(parcel);
    return true;
  }

  #takeOfSession(parcel: Parcel): void {
    if (!this.#acknowledge(parcel.consumed)) return;
    const isNumbered = parcel.kind === "batch" || parcel.kind === "part";
    const missing = isNumbered ? parcel.number - 1 : parcel.number;
    if (missing > this.#batchesIn) {
      this.restart();
      return;
    }
    if (!isNumbered || parcel.number <= this.#batchesIn) return;
    this.#batchesIn = parcel.number;
    if (parcel.part !== null) this.#takePart(parcel, parcel.part);
    else if (this.#joiner.open) this.#breakOff();
    else this.#takeBatch(parcel);
  }

  #takePart(parcel: Parcel, part: Part): void {
    if (!this.#joiner.take(part)) {
      this.#breakOff();
      return;
    }
    if (part.left > 0) {
      this.#partBytes += parcel.size;
      return;
    }
    const size = this.#partBytes + parcel.size;
    this.#partBytes = 0;
    const message = this.#joiner.end();
    this.#takeBatch({
      ...parcel,
      part: null,
      messages: message === null ? [] : [message],
      strange: message === null ? 1 : 0,
      size,
    });
  }

  /** What came are no parts of one message. */
  #breakOff(): void {
    this.#host.malformed("part");
    this.restart();
  }

  #takeBatch(parcel: Parcel): void {
    if (parcel.strange > 0) this.#host.malformed("message");
    if (this.#early.length === 0 && this.#deliver(parcel)) return;
    if (this.#early.length >= this.#host.settings.window) this.restart();
    else this.#early.push(parcel);
  }

  /** False when the peer says to have consumed what was never sent. */
  #acknowledge(consumed: number): boolean {
    if (consumed > this.#sent) {
      this.#host.malformed("consumed");
      return false;
    }
    if (consumed <= this.#acknowledged) return true;
    this.#acknowledged = consumed;
    let arrived = 0;
    for (const batch of this.#way) {
      if (batch.upTo > consumed) break;
      this.#wayBytes -= batch.bytes;
      arrived += 1;
    }
    this.#way.splice(0, arrived);
    if (this.#queue.length > 0) this.#host.wake();
    return true;
  }

  /** False: there is no receiver yet. */
  #deliver(parcel: Parcel): boolean {
    const session = this.#mine;
    const count = parcel.messages.length + parcel.strange;
    this.#consumed += count;
    if (parcel.messages.length > 0 && !this.#host.deliver(parcel.messages)) {
      this.#consumed -= count;
      return false;
    }
    if (!this.#up || this.#mine !== session) return true;
    const { window, windowBytes } = this.#host.settings;
    this.#owedBytes += parcel.size;
    if ((this.#consumed - this.#consumedSaid) * 4 >= window || this.#owedBytes * 4 >= windowBytes) this.beat();
    return true;
  }

  /** There is a receiver now. */
  hearEarly(): void {
    const early = this.#early;
    const session = this.#mine;
    this.#early = [];
    for (const parcel of early) if (this.#up && this.#mine === session) this.#deliver(parcel);
  }

  /** Ends the session and begins a new one: both sides see down, then up. What is queued is lost. */
  restart(): void {
    this.#resets += 1;
    this.#mine = this.#host.nextSession();
    this.#end();
    this.beat();
  }

  /** The peer is gone, or its instance is no longer the one that counts. */
  drop(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#end();
  }

  /** Says that we do not hear the peer, in case that it still hears us; to be followed by `drop`. */
  renounce(): void {
    this.#mine = this.#host.nextSession();
    this.#theirs = 0;
    this.#batchesOut = 0;
    this.#consumed = 0;
    this.#say("beat", 0);
  }

  /** The last words of a link that closes. */
  farewell(): void {
    if (this.#up && !this.#overflowed) this.flush();
    this.#gone = true;
    this.#say("bye", this.#batchesOut);
  }

  #end(): void {
    const wasUp = this.#up;
    this.#dropped += this.#queue.length;
    this.#up = false;
    this.#queue = [];
    this.#urgent = false;
    this.#overflowed = false;
    this.#tryable = FIRST_TRY;
    this.#batchesOut = 0;
    this.#batchesIn = 0;
    this.#sent = 0;
    this.#acknowledged = 0;
    this.#way = [];
    this.#wayBytes = 0;
    this.#consumed = 0;
    this.#consumedSaid = 0;
    this.#owedBytes = 0;
    this.#joiner.clear();
    this.#partBytes = 0;
    this.#early = [];
    if (wasUp) this.#host.announce("down");
  }

  #head(kind: ParcelHead["kind"], number: number): PairHead {
    return { kind, mine: this.#mine, theirs: this.#theirs, number, consumed: this.#consumed };
  }

  /** Any parcel tells how much was consumed. */
  #publish(parcel: Uint8Array): void {
    this.#consumedSaid = this.#consumed;
    this.#owedBytes = 0;
    this.#host.publish(parcel);
  }

  #say(kind: "beat" | "bye", number: number): void {
    this.#publish(this.#host.encode(this.#head(kind, number), []));
  }

  stats(): PairStats {
    return {
      peer: this.peer,
      up: this.#up,
      session: [this.#mine, this.#theirs],
      queued: this.#queue.length,
      inFlight: this.#sent - this.#acknowledged,
      sent: this.#sent,
      received: this.#consumed,
      dropped: this.#dropped,
      resets: this.#resets,
    };
  }
}
