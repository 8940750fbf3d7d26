/**
 * Bodies, sent as the line takes them. What is simply ended is kept in this process until the line has taken it, and the
 * next request on the same line is answered meanwhile: a stranger who asked for 400 large documents in one breath, and read
 * none, had the node hold 270 MB for 14 kB.
 *
 * Invariant (rule 16): of a line that is full nothing waits here but the rest of one answer, and that rest is either shared
 * with others or the only copy. The native server closes a line on which somebody asks again before that is sent.
 */
import type { NativeResponse } from "../native.js";

/** `gone`: called when the client leaves before it has everything; called within, or after, or never. */
export function sendBody(res: NativeResponse, body: Uint8Array | string, gone: (() => void) | null): void {
  const bytes = typeof body === "string" ? Buffer.from(body) : body;
  if (res.tryEnd(bytes, bytes.length)[1]) return;
  sendRest(res, bytes, gone);
}

/** The same with bytes that somebody else writes over as soon as this returns. */
export function sendPassing(res: NativeResponse, bytes: Uint8Array): void {
  if (!res.tryEnd(bytes, bytes.length)[1]) sendRest(res, Uint8Array.from(bytes), () => {});
}

function sendRest(res: NativeResponse, bytes: Uint8Array, gone: (() => void) | null): void {
  // Null: somebody is told already.
  if (gone !== null) res.onAborted(gone);
  res.onWritable((offset) => {
    const [isTaken] = res.tryEnd(bytes.subarray(offset), bytes.length);
    return isTaken;
  });
}
