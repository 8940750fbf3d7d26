/**
 * The structural scan: what a stranger's bytes must pass before any decoder sees them. It owns the limits on depth and
 * node count and the list of allowed MessagePack formats; it does not build values (`codec.ts`) nor know what a frame
 * means (`validate.ts`).
 *
 * Invariants: one pass, no recursion, no allocation per node; every length is checked against the bytes that are there
 * before it is believed; what passes holds only null, booleans, numbers, strings, arrays and maps with string keys.
 * Extension types are refused because a decoder may give them meaning (msgpackr reads record definitions in them even
 * with `useRecords: false`), binary because no schema has it.
 */
export interface ScanLimits {
  readonly maxBytes: number;
  /** Nested arrays and maps; a flat array has depth 1. */
  readonly maxDepth: number;
  /** Values and map keys together. */
  readonly maxNodes: number;
}

/** What a node accepts from a client. */
export const CLIENT_FRAME_LIMITS: ScanLimits = { maxBytes: 16 * 1024, maxDepth: 8, maxNodes: 4096 };
/** What a client accepts from a node: snapshots of a busy zone or inbox are larger than anything a client sends. */
export const SERVER_FRAME_LIMITS: ScanLimits = { maxBytes: 4 * 1024 * 1024, maxDepth: 32, maxNodes: 1_000_000 };

export type ScanProblem =
  | "empty"
  | "too_large"
  | "truncated"
  | "trailing_bytes"
  | "too_deep"
  | "too_many_nodes"
  | "extension"
  | "binary"
  | "map_key"
  | "reserved_byte"
  | "not_json";

/** Deeper than any limit above: the stack of the scan is a fixed array. */
const STACK_SIZE = 64;
/** Values still to come at each level. A module-level array is safe: the scan is synchronous and never re-enters. */
const remaining = new Int32Array(STACK_SIZE);
/** 1 where the level is a map, whose even positions are keys. */
const isMap = new Uint8Array(STACK_SIZE);

/** Null when the bytes are one well-formed MessagePack value within the limits; otherwise what is wrong with them. */
export function scanMessagePack(bytes: Uint8Array, limits: ScanLimits): ScanProblem | null {
  const end = bytes.length;
  if (end === 0) return "empty";
  if (end > limits.maxBytes) return "too_large";
  const maxDepth = Math.min(limits.maxDepth, STACK_SIZE - 1);
  let position = 0;
  let depth = 0;
  let nodes = 0;
  remaining[0] = 1;
  isMap[0] = 0;
  for (;;) {
    while (remaining[depth] === 0) {
      if (depth === 0) return position === end ? null : "trailing_bytes";
      depth--;
    }
    if (position >= end) return "truncated";
    if (++nodes > limits.maxNodes) return "too_many_nodes";
    const left = remaining[depth]!;
    // A map of n entries counts 2n values down: keys come when an even number is left.
    const isKey = isMap[depth] === 1 && (left & 1) === 0;
    remaining[depth] = left - 1;
    const token = bytes[position++]!;

    let skip = 0;
    let count = -1;
    let map = 0;
    if (token < 0x80 || token >= 0xe0) {
      if (isKey) return "map_key";
      continue;
    } else if (token < 0x90) {
      count = (token & 0x0f) * 2;
      map = 1;
    } else if (token < 0xa0) {
      count = token & 0x0f;
    } else if (token < 0xc0) {
      skip = token & 0x1f;
    } else {
      switch (token) {
        case 0xc0: // null
        case 0xc2: // false
        case 0xc3: // true
          break;
        case 0xcc: // unsigned 8
        case 0xd0: // signed 8
          skip = 1;
          break;
        case 0xcd:
        case 0xd1:
          skip = 2;
          break;
        case 0xca: // float 32
        case 0xce:
        case 0xd2:
          skip = 4;
          break;
        case 0xcb: // float 64
        case 0xcf:
        case 0xd3:
          skip = 8;
          break;
        case 0xd9: // string, 8-bit length
          if (position + 1 > end) return "truncated";
          skip = 1 + bytes[position]!;
          break;
        case 0xda: // string, 16-bit length
          if (position + 2 > end) return "truncated";
          skip = 2 + bytes[position]! * 0x100 + bytes[position + 1]!;
          break;
        case 0xdb: // string, 32-bit length
          if (position + 4 > end) return "truncated";
          skip = 4 + uint32(bytes, position);
          break;
        case 0xdc: // array, 16-bit count
        case 0xde: // map, 16-bit count
          if (position + 2 > end) return "truncated";
          count = bytes[position]! * 0x100 + bytes[position + 1]!;
          position += 2;
          if (token === 0xde) {
            count *= 2;
            map = 1;
          }
          break;
        case 0xdd: // array, 32-bit count
        case 0xdf: // map, 32-bit count
          if (position + 4 > end) return "truncated";
          count = uint32(bytes, position);
          position += 4;
          if (token === 0xdf) {
            count *= 2;
            map = 1;
          }
          break;
        case 0xc4:
        case 0xc5:
        case 0xc6:
          return "binary";
        case 0xc1:
          return "reserved_byte";
        default: // 0xc7–0xc9 and 0xd4–0xd8
          return "extension";
      }
    }
    if (isKey && (token < 0xa0 || (token >= 0xc0 && (token < 0xd9 || token > 0xdb)))) return "map_key";
    if (count >= 0) {
      if (depth >= maxDepth) return "too_deep";
      // Each value takes at least one byte: a count larger than the rest is a lie, and believing it would overflow.
      if (count > limits.maxNodes - nodes) return "too_many_nodes";
      if (count > end - position) return "truncated";
      depth++;
      remaining[depth] = count;
      isMap[depth] = map;
    } else {
      if (skip > end - position) return "truncated";
      position += skip;
    }
  }
}

function uint32(bytes: Uint8Array, at: number): number {
  return bytes[at]! * 0x1000000 + bytes[at + 1]! * 0x10000 + bytes[at + 2]! * 0x100 + bytes[at + 3]!;
}

/**
 * The same limits for JSON text, as UTF-8 bytes or as characters: depth by brackets, nodes by the separators outside
 * strings. It does not prove that the text is JSON; the parser that follows does.
 */
export function scanJson(text: Uint8Array | string, limits: ScanLimits): ScanProblem | null {
  const end = text.length;
  if (end === 0) return "empty";
  if (end > limits.maxBytes) return "too_large";
  const isText = typeof text === "string";
  let depth = 0;
  let nodes = 1;
  let inString = false;
  for (let position = 0; position < end; position++) {
    const code = isText ? text.charCodeAt(position) : text[position]!;
    if (inString) {
      if (code === 0x5c) position++;
      else if (code === 0x22) inString = false;
      continue;
    }
    switch (code) {
      case 0x22: // "
        inString = true;
        break;
      case 0x5b: // [
      case 0x7b: // {
        if (++depth > limits.maxDepth) return "too_deep";
        nodes++;
        break;
      case 0x5d: // ]
      case 0x7d: // }
        depth--;
        break;
      case 0x2c: // ,
      case 0x3a: // :
        nodes++;
        break;
      default:
    }
    if (nodes > limits.maxNodes) return "too_many_nodes";
  }
  return null;
}
