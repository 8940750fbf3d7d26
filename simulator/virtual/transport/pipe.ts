/**
 * One direction of a line: bytes in order, as TCP carries them.
 *
 * Owns: how long each piece is under way, how much may be under way before the sender's side fills up, how fast the other
 * side reads, and silence (a line that swallows what it is given, or holds it until the signal is back). Does not own
 * what the bytes mean.
 *
 * Invariants: what arrives, arrives in the order of sending; no more than `windowBytes` (or one piece, if that is larger)
 * is under way and unread; nothing arrives on a silent pipe.
 */
import type { Clock } from "../../../src/lib/clock.js";

export interface PipeTraits {
  /** The world's time, in whole milliseconds. */
  readonly clock: Clock;
  /** Drawn for each piece. Whole milliseconds. */
  readonly delayMs: () => number;
  readonly bytesPerMs: number;
  /** What the two kernels hold between them. */
  readonly windowBytes: number;
}

interface Piece {
  readonly bytes: number;
  readonly arrive: () => void;
  at: number;
}

/** A kernel waits about this long before it sends again what was not acknowledged. */
const RESEND_MS = 200;

export class Pipe {
  readonly #traits: PipeTraits;
  /** In the sender's memory, because the window is full. */
  #waiting: Piece[] = [];
  #waitingBytes = 0;
  /** On the way; then in the receiver's kernel, until it reads. */
  #wire: Piece[] = [];
  #arrived: Piece[] = [];
  #unreadBytes = 0;
  #freeAt = 0;
  #lastAt = 0;
  #armed = false;
  #reading = false;
  #readBytesPerMs = Number.POSITIVE_INFINITY;
  #state: "open" | "held" | "silent" | "cut" = "open";
  #finished = false;
  /** Called when what waited has become less. */
  onRoom: (() => void) | null = null;

  constructor(traits: PipeTraits) {
    this.#traits = traits;
  }

  /** Bytes in the sender's memory. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** `arrive` is called when the last byte has been read. */
  send(bytes: number, arrive: () => void): void {
    if (this.#state === "cut" || this.#finished) return;
    const piece = { bytes, arrive, at: 0 };
    if (this.#waiting.length === 0 && this.#fits(bytes)) this.#depart(piece);
    else {
      this.#waiting.push(piece);
      this.#waitingBytes += bytes;
    }
  }

  /** The sender closes: what is under way still arrives, what waited is forgotten, and then the end. */
  finish(arrive: () => void): void {
    if (this.#state === "cut" || this.#finished) return;
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#finished = true;
    this.#depart({ bytes: 0, arrive, at: 0 });
  }

  /** The sender is no more: what is under way still arrives, and nothing else follows. */
  seal(): void {
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#finished = true;
    this.onRoom = null;
  }

  /** Nothing arrives any more, and nobody keeps anything. */
  cut(): void {
    this.#state = "cut";
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#wire = [];
    this.#arrived = [];
    this.onRoom = null;
  }

  /** From now on it swallows what it is given, for ever: the sender learns nothing. */
  silence(): void {
    if (this.#state !== "cut") this.#state = "silent";
  }

  /** No signal: everything is held until `release`. */
  hold(): void {
    if (this.#state === "open") this.#state = "held";
  }

  release(): void {
    if (this.#state !== "held") return;
    this.#state = "open";
    const from = this.#traits.clock.monotonic() + RESEND_MS;
    for (const piece of this.#wire) piece.at = Math.max(piece.at, from);
    this.#lastAt = Math.max(this.#lastAt, from);
    this.#arm();
  }

  get isSilent(): boolean {
    return this.#state === "silent";
  }

  get carries(): boolean {
    return this.#state === "open";
  }

  /** How fast the receiver reads; 0: not at all, infinite: as it comes. */
  read(bytesPerMs: number): void {
    this.#readBytesPerMs = bytesPerMs;
    this.#read();
  }

  #fits(bytes: number): boolean {
    return this.#unreadBytes === 0 || this.#unreadBytes + bytes <= this.#traits.windowBytes;
  }

  #depart(piece: Piece): void {
    const { clock, bytesPerMs, delayMs } = this.#traits;
    this.#unreadBytes += piece.bytes;
    this.#freeAt = Math.max(this.#freeAt, clock.monotonic()) + Math.floor(piece.bytes / bytesPerMs);
    this.#lastAt = Math.max(this.#lastAt, this.#freeAt + delayMs());
    piece.at = this.#lastAt;
    this.#wire.push(piece);
    this.#arm();
  }

  #arm(): void {
    const first = this.#wire[0];
    if (this.#armed || first === undefined || this.#state !== "open") return;
    this.#armed = true;
    const { clock } = this.#traits;
    clock.after(Math.max(0, first.at - clock.monotonic()), () => this.#ring());
  }

  #ring(): void {
    this.#armed = false;
    if (this.#state !== "open") return;
    const now = this.#traits.clock.monotonic();
    let count = 0;
    while (count < this.#wire.length && this.#wire[count]!.at <= now) count++;
    this.#arrived.push(...this.#wire.splice(0, count));
    this.#arm();
    this.#read();
  }

  /** Takes what has arrived, as fast as the receiver reads. */
  #read(): void {
    if (this.#reading) return;
    while (this.#arrived.length > 0) {
      const first = this.#arrived[0]!;
      if (this.#readBytesPerMs === Number.POSITIVE_INFINITY || first.bytes === 0) {
        this.#take();
        continue;
      }
      if (this.#readBytesPerMs <= 0) return;
      this.#reading = true;
      this.#traits.clock.after(Math.ceil(first.bytes / this.#readBytesPerMs), () => {
        this.#reading = false;
        if (this.#arrived.length > 0) this.#take();
        this.#read();
      });
      return;
    }
  }

  #take(): void {
    const piece = this.#arrived.shift();
    if (piece === undefined) return;
    this.#unreadBytes -= piece.bytes;
    piece.arrive();
    this.#refill();
  }

  #refill(): void {
    let moved = false;
    while (this.#waiting.length > 0 && this.#fits(this.#waiting[0]!.bytes)) {
      const piece = this.#waiting.shift()!;
      this.#waitingBytes -= piece.bytes;
      this.#depart(piece);
      moved = true;
    }
    if (moved) this.onRoom?.();
  }
}
