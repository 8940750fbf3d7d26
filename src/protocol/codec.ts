/**
 * Frames to bytes and back, in the two codecs of the protocol. Decoding a stranger's bytes goes size → structural scan →
 * decode; the value shares no memory with the input, so the caller may let the buffer go. What the value means is
 * `validate.ts`'s business. Runs in a browser.
 */
import { Packr } from "msgpackr";
import { SUBPROTOCOL_JSON, SUBPROTOCOL_MSGPACK } from "./frames.js";
import { CLIENT_FRAME_LIMITS, type ScanLimits, type ScanProblem, scanJson, scanMessagePack } from "./scan.js";

export type CodecName = "msgpack" | "json";

export type Decoded =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly problem: ScanProblem };

export interface FrameCodec {
  readonly name: CodecName;
  readonly subprotocol: string;
  /** True when its messages are binary; a message of the other kind is a protocol error. */
  readonly binary: boolean;
  /** MessagePack: a view that stays valid. JSON: text. Properties that are `undefined` are left out by both. */
  encode(frame: unknown): Uint8Array | string;
  /** Never throws. `limits` default to what a node accepts from a client. */
  decode(message: Uint8Array | string, limits?: ScanLimits): Decoded;
}

/** `skipValues` is missing in msgpackr's types: without it `undefined` would become null, which JSON does not do. */
const options: ConstructorParameters<typeof Packr>[0] & { readonly skipValues: readonly unknown[] } = {
  useRecords: false,
  mapsAsObjects: true,
  int64AsType: "number",
  encodeUndefinedAsNil: true,
  skipValues: [undefined],
};
const packr = new Packr(options);
const utf8 = new TextDecoder("utf-8", { fatal: true });

const NOT_TEXT: Decoded = { ok: false, problem: "not_json" };

export const msgpackCodec: FrameCodec = {
  name: "msgpack",
  subprotocol: SUBPROTOCOL_MSGPACK,
  binary: true,
  encode: (frame) => packr.pack(frame),
  decode(message, limits = CLIENT_FRAME_LIMITS) {
    if (typeof message === "string") return { ok: false, problem: "reserved_byte" };
    const problem = scanMessagePack(message, limits);
    if (problem !== null) return { ok: false, problem };
    try {
      // Strings, numbers, arrays and maps are all copied out of the input; the scan has refused what could be a view.
      return { ok: true, value: packr.unpack(message) };
    } catch {
      return { ok: false, problem: "truncated" };
    }
  },
};

export const jsonCodec: FrameCodec = {
  name: "json",
  subprotocol: SUBPROTOCOL_JSON,
  binary: false,
  encode: (frame) => JSON.stringify(frame),
  decode(message, limits = CLIENT_FRAME_LIMITS) {
    const problem = scanJson(message, limits);
    if (problem !== null) return { ok: false, problem };
    try {
      return { ok: true, value: JSON.parse(typeof message === "string" ? message : utf8.decode(message)) };
    } catch {
      return NOT_TEXT;
    }
  },
};

export const CODECS: Readonly<Record<CodecName, FrameCodec>> = { msgpack: msgpackCodec, json: jsonCodec };

/** The codec of a subprotocol's name, or null when it is none of ours. */
export function codecOf(subprotocol: string): FrameCodec | null {
  if (subprotocol === SUBPROTOCOL_MSGPACK) return msgpackCodec;
  if (subprotocol === SUBPROTOCOL_JSON) return jsonCodec;
  return null;
}
