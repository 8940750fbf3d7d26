/** Randomness comes through this port, so that one seed reproduces a run. */
export interface Random {
  /** A float in [0, 1). */
  next(): number;
  /** `count` random bytes. */
  bytes(count: number): Uint8Array;
}

/** `getRandomValues` fills at most this many bytes a call. */
const ENTROPY_CALL_BYTES = 65_536;

/** The platform's own generator, the same in a browser and in Node. */
function randomBytes(count: number): Uint8Array {
  const bytes = new Uint8Array(count);
  for (let from = 0; from < count; from += ENTROPY_CALL_BYTES) {
    globalThis.crypto.getRandomValues(bytes.subarray(from, from + ENTROPY_CALL_BYTES));
  }
  return bytes;
}

/** The operating system's entropy, buffered: one system call serves many ids. */
export function systemRandom(): Random {
  let pool = randomBytes(4096);
  let used = 0;
  const bytes = (count: number): Uint8Array => {
    if (count > 1024) return randomBytes(count);
    if (used + count > pool.length) {
      pool = randomBytes(4096);
      used = 0;
    }
    const slice = pool.subarray(used, used + count);
    used += count;
    return slice;
  };
  return {
    next() {
      const four = bytes(4);
      return (((four[0]! << 24) | (four[1]! << 16) | (four[2]! << 8) | four[3]!) >>> 0) / 2 ** 32;
    },
    bytes,
  };
}

/** A seeded stream (mulberry32). Equal seeds give equal streams on every machine. Not for secrets. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    next,
    bytes(count) {
      const out = new Uint8Array(count);
      for (let i = 0; i < count; i++) out[i] = Math.floor(next() * 256);
      return out;
    },
  };
}

/** An integer in [0, bound). */
export function randomInteger(random: Random, bound: number): number {
  return Math.floor(random.next() * bound);
}

/** One element of a non-empty list. */
export function pick<T>(random: Random, list: readonly T[]): T {
  if (list.length === 0) throw new RangeError("pick: the list is empty");
  return list[randomInteger(random, list.length)] as T;
}

const HEX = Array.from({ length: 256 }, (_, value) => value.toString(16).padStart(2, "0"));

/** A time-ordered UUID version 7 (RFC 9562, section 5.7): 48 bits of milliseconds, then 74 random bits. */
export function uuidV7(nowMs: number, random: Random): string {
  const bytes = new Uint8Array(16);
  bytes.set(random.bytes(16));
  let time = Math.floor(nowMs);
  for (let i = 5; i >= 0; i--) {
    bytes[i] = time % 256;
    time = Math.floor(time / 256);
  }
  bytes[6] = (bytes[6]! & 0x0f) | 0x70;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  let text = "";
  for (let i = 0; i < 16; i++) {
    if (i === 4 || i === 6 || i === 8 || i === 10) text += "-";
    text += HEX[bytes[i]!];
  }
  return text;
}
