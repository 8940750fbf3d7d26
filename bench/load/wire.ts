/** Frames of a generator: what is read off a raw socket and put on it, and how many sockets are opened at a time. */
import { systemClock } from "../../src/lib/clock.js";
import { msgpackCodec, OP } from "../../src/protocol/mod.js";
import type { RawSocket } from "./raw-socket.js";

export type Frame = readonly unknown[];

const clock = systemClock();
const OPEN_TICK_MS = 10;
/** Sockets that are being opened at once: a storm of handshakes is another scenario. */
const MAX_OPENING = 250;

export function frames(payload: Uint8Array): readonly Frame[] {
  const decoded = msgpackCodec.decode(payload, { maxBytes: 1 << 20, maxDepth: 32, maxNodes: 100_000 });
  if (!decoded.ok) return [];
  const frame = decoded.value as Frame;
  return frame[0] === OP.batch ? (frame.slice(1) as Frame[]) : [frame];
}

export function send(socket: RawSocket, frame: Frame): void {
  socket.send(msgpackCodec.encode(frame) as Uint8Array);
}

/**
 * Opens `count` sockets, at most so many a second and never more than a few hundred ahead of those that are there:
 * `arrived` tells how many are (or have failed).
 */
export function openAll(count: number, perSecond: number, arrived: () => number, open: (index: number) => void): void {
  let next = 0;
  let allowed = 0;
  const cancel = clock.every(OPEN_TICK_MS, () => {
    allowed = Math.min(MAX_OPENING, allowed + (perSecond * OPEN_TICK_MS) / 1000);
    for (; allowed >= 1 && next < count && next - arrived() < MAX_OPENING; allowed--) open(next++);
    if (next >= count) cancel();
  });
}
