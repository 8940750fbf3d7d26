/**
 * Looks over MessagePack before it is decoded, so that bytes of whoever reaches NATS cannot make the decoder allocate
 * what they do not contain, recurse without end, or take up record definitions.
 */

const MAX_DEPTH = 64;
/** msgpackr's own extension: defines a record's structure, also where records are switched off. */
const RECORD_DEFINITION = 0x72;

/** What was found: one well-formed value of bounded depth, which holds byte strings or does not; or anything else. */
export type Found = "plain" | "with-bytes" | "unsound";

export const isSoundMessagePack = (bytes: Uint8Array): boolean => lookOver(bytes) !== "unsound";

export function lookOver(bytes: Uint8Array): Found {
  let found: Found = "plain";
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = bytes.length;
  /** How many values each open container still holds. */
  const left: number[] = [];
  let at = 0;
  let missing = 1;
  for (;;) {
    while (missing === 0) {
      const outer = left.pop();
      if (outer === undefined) return at === end ? found : "unsound";
      missing = outer;
    }
    if (at >= end) return "unsound";
    missing -= 1;
    const head = bytes[at++]!;
    let skip = 0;
    let children = -1;
    if (head <= 0x7f || head >= 0xe0) continue;
    if (head <= 0x8f) children = (head & 0x0f) * 2;
    else if (head <= 0x9f) children = head & 0x0f;
    else if (head <= 0xbf) skip = head & 0x1f;
    else {
      const lengthBytes = LENGTH_BYTES[head - 0xc0]!;
      if (lengthBytes < 0 || at + lengthBytes > end) return "unsound";
      const length =
        lengthBytes === 0
          ? 0
          : lengthBytes === 1
            ? view.getUint8(at)
            : lengthBytes === 2
              ? view.getUint16(at)
              : view.getUint32(at);
      at += lengthBytes;
      if (head === 0xdc || head === 0xdd) children = length;
      else if (head === 0xde || head === 0xdf) children = length * 2;
      else {
        if (head >= 0xc4 && head <= 0xc6) found = "with-bytes";
        const fixed = FIXED_BYTES[head - 0xc0]!;
        if (EXTENSIONS.has(head) && (at >= end || bytes[at] === RECORD_DEFINITION)) return "unsound";
        skip = fixed + length;
      }
    }
    if (children >= 0) {
      // Every value takes a byte at least, so a container cannot hold more than what is left.
      if (children > end - at || left.length >= MAX_DEPTH) return "unsound";
      left.push(missing);
      missing = children;
    } else {
      at += skip;
      if (at > end) return "unsound";
    }
  }
}

/** For the heads 0xc0 to 0xdf: how many bytes of length follow (-1: no such head). */
const LENGTH_BYTES: readonly number[] = [
  ...[0, -1, 0, 0], // nil, (never used), false, true
  ...[1, 2, 4], // bin
  ...[1, 2, 4], // ext
  ...[0, 0], // float
  ...[0, 0, 0, 0, 0, 0, 0, 0], // integers
  ...[0, 0, 0, 0, 0], // fixext
  ...[1, 2, 4], // str
  ...[2, 4, 2, 4], // array, map
];
/** For the same heads: bytes that follow whatever the length says. The type of an extension is one of them. */
const FIXED_BYTES: readonly number[] = [
  ...[0, 0, 0, 0],
  ...[0, 0, 0],
  ...[1, 1, 1],
  ...[4, 8],
  ...[1, 2, 4, 8, 1, 2, 4, 8],
  ...[2, 3, 5, 9, 17],
  ...[0, 0, 0],
  ...[0, 0, 0, 0],
];
const EXTENSIONS = new Set([0xc7, 0xc8, 0xc9, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8]);
