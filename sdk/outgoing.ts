/** Frames on their way out: those of one turn of the event loop leave together, in order, in as few messages as fit. */
import { MAX_BATCH } from "../src/protocol/mod.js";
import type { SocketLike } from "./ports.js";
import { BATCH_OVERHEAD_BYTES, byteLength, type Codec } from "./wire.js";

type Encoded = Uint8Array | string;

export class Outgoing {
  readonly #codec: Codec;
  #socket: SocketLike | null = null;
  #maxFrameBytes = Number.POSITIVE_INFINITY;
  #frames: Encoded[] = [];
  #flushQueued = false;

  constructor(codec: Codec) {
    this.#codec = codec;
  }

  /** Whether the node would take a frame of this size. */
  fits(data: Encoded): boolean {
    return byteLength(data) <= this.#maxFrameBytes;
  }

  /** From now on frames go here, none larger than the node's WELCOME allows. */
  open(socket: SocketLike, maxFrameBytes: number): void {
    this.#socket = socket;
    this.#maxFrameBytes = maxFrameBytes;
  }

  /** Frames that have not left are forgotten: whoever cares for them sends them again. */
  close(): void {
    this.#socket = null;
    this.#frames = [];
  }

  push(data: Encoded): void {
    this.#frames.push(data);
    if (this.#frames.length >= MAX_BATCH) {
      this.flush();
      return;
    }
    if (this.#flushQueued) return;
    this.#flushQueued = true;
    queueMicrotask(() => this.flush());
  }

  flush(): void {
    this.#flushQueued = false;
    const frames = this.#frames;
    const socket = this.#socket;
    if (frames.length === 0 || socket === null) return;
    this.#frames = [];
    let group: Encoded[] = [];
    let groupBytes = BATCH_OVERHEAD_BYTES;
    const leave = (): void => {
      if (group.length > 0) socket.send(group.length === 1 ? group[0]! : this.#codec.join(group));
      group = [];
      groupBytes = BATCH_OVERHEAD_BYTES;
    };
    for (const data of frames) {
      const bytes = byteLength(data) + 1;
      if (groupBytes + bytes > this.#maxFrameBytes) leave();
      group.push(data);
      groupBytes += bytes;
    }
    leave();
  }
}
