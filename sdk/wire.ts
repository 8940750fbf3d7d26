/**
 * Frames to bytes and back. Each outgoing frame is encoded once, on its own; frames that leave together are joined into
 * `[0, frame…]` without encoding them again. Bytes come from the node, which the application has chosen to trust, so
 * they are decoded without the structural scan that the node itself applies to strangers.
 */
import { decode } from "../src/lib/msgpack.js";
import {
  type ClientFrame,
  CODECS,
  type CodecName,
  MAX_BATCH,
  OP,
  type ServerFrame,
  SUBPROTOCOL_JSON,
  SUBPROTOCOL_MSGPACK,
} from "../src/protocol/mod.js";

export interface Codec<Bytes extends Uint8Array | string = Uint8Array | string> {
  readonly subprotocol: string;
  encode(frame: ClientFrame): Bytes;
  /** Joins encoded frames, at least two and at most `MAX_BATCH`, into one batch. */
  join(frames: readonly Bytes[]): Bytes;
  /** Throws on bytes that are no frame. A batch comes back as its frames. */
  decode(data: unknown): readonly ServerFrame[];
}

/** Bytes that joining adds at most: the array's header and the operation 0. */
export const BATCH_OVERHEAD_BYTES = 8;

function frames(value: unknown): readonly ServerFrame[] {
  if (!Array.isArray(value) || typeof value[0] !== "number") throw new TypeError("not a frame");
  return (value[0] === OP.batch ? value.slice(1) : [value]) as unknown as readonly ServerFrame[];
}

function bytesOf(data: unknown): Uint8Array {
  if (data instanceof Uint8Array) return data;
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  throw new TypeError("expected a binary message");
}

const msgpackCodec: Codec<Uint8Array> = {
  subprotocol: SUBPROTOCOL_MSGPACK,
  encode: (frame) => CODECS.msgpack.encode(frame) as Uint8Array,
  join(parts) {
    const count = parts.length + 1;
    if (count > MAX_BATCH + 1) throw new RangeError(`a batch holds at most ${MAX_BATCH} frames`);
    // fixarray up to 15 elements, else array 16; then the operation 0 as a positive fixint.
    const header = count < 16 ? [0x90 | count, 0] : [0xdc, count >> 8, count & 0xff, 0];
    const out = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, header.length));
    out.set(header);
    let at = header.length;
    for (const part of parts) {
      out.set(part, at);
      at += part.byteLength;
    }
    return out;
  },
  decode: (data) => frames(decode(bytesOf(data))),
};

const jsonCodec: Codec<string> = {
  subprotocol: SUBPROTOCOL_JSON,
  encode: (frame) => CODECS.json.encode(frame) as string,
  join: (parts) => `[0,${parts.join(",")}]`,
  decode: (data) => frames(JSON.parse(typeof data === "string" ? data : new TextDecoder().decode(bytesOf(data)))),
};

export function wireCodec(name: CodecName): Codec {
  return (name === "json" ? jsonCodec : msgpackCodec) as Codec;
}

/** Size on the wire. Text is counted at its worst, three bytes a UTF-16 unit, only when it could matter. */
export function byteLength(data: Uint8Array | string): number {
  if (typeof data !== "string") return data.byteLength;
  return data.length * 3 < 4096 ? data.length * 3 : new TextEncoder().encode(data).byteLength;
}
