/**
 * Token buckets in bounded memory. Owns the arithmetic and the bound; what a request costs and what follows a refusal is
 * the caller's. A bucket that is full again is indistinguishable from one never seen, so forgetting the ones longest
 * unused is safe unless more principals than `maxKeys` are active at once; then some get a fresh burst, never less.
 */
export interface Rate {
  /** Sustained. */
  readonly perMinute: number;
  /** How many at once after a rest. */
  readonly burst: number;
}

/** One bucket, for one socket. */
export class Bucket {
  /** Tokens are counted in the milliseconds that make one, so that sums of whole numbers stay exact. */
  readonly #msPerToken: number;
  readonly #fullMs: number;
  #savedMs: number;
  #at: number;

  constructor(rate: Rate, now: number) {
    this.#msPerToken = 60_000 / rate.perMinute;
    this.#fullMs = rate.burst * this.#msPerToken;
    this.#savedMs = this.#fullMs;
    this.#at = now;
  }

  /**
   * 0 when allowed; otherwise the milliseconds until it would be. Times are monotonic milliseconds. One that stands for
   * `many` is allowed while there is a token, and pays for all: the bucket may owe some.
   */
  take(now: number, many = 1): number {
    const waitMs = this.waitMs(now);
    if (waitMs === 0) this.#savedMs -= many * this.#msPerToken;
    return waitMs;
  }

  /** Takes a `take` back. */
  give(): void {
    this.#savedMs = Math.min(this.#fullMs, this.#savedMs + this.#msPerToken);
  }

  /** What `take` would answer, without taking. */
  waitMs(now: number): number {
    const elapsed = now - this.#at;
    if (elapsed > 0) {
      this.#savedMs = Math.min(this.#fullMs, this.#savedMs + elapsed);
      this.#at = now;
    }
    if (this.#savedMs >= this.#msPerToken) return 0;
    return Math.max(1, Math.ceil(this.#msPerToken - this.#savedMs));
  }
}

interface Kept {
  readonly bucket: Bucket;
  /** Taken from since the hand came by. */
  used: boolean;
  /** Has given way: another bucket may have its key. */
  gone: boolean;
}

/** As many as are spared before somebody gives way all the same: what making room costs has a bound. */
const SPARED_AT_ONCE = 16;

/**
 * A bucket per key, at most `maxKeys`. Who was seen only once gives way first; who comes again has another round. Nothing
 * is moved while there is room, because this stands before every request.
 */
export class Buckets {
  readonly #rate: Rate;
  readonly #maxKeys: number;
  readonly #buckets = new Map<string, Kept>();
  readonly #byOwner = new WeakMap<object, Kept>();

  constructor(rate: Rate, maxKeys: number) {
    this.#rate = rate;
    this.#maxKeys = maxKeys;
  }

  take(key: string, now: number, many = 1): number {
    return this.#keptOf(key, now).bucket.take(now, many);
  }

  /** `take` for one who comes again and again as the same object: its key is made and looked for once. */
  takeFor<T extends object>(owner: T, keyOf: (owner: T) => string, now: number): number {
    let kept = this.#byOwner.get(owner);
    if (kept === undefined || kept.gone) {
      kept = this.#keptOf(keyOf(owner), now);
      this.#byOwner.set(owner, kept);
    } else kept.used = true;
    return kept.bucket.take(now);
  }

  #keptOf(key: string, now: number): Kept {
    const known = this.#buckets.get(key);
    if (known !== undefined) {
      known.used = true;
      return known;
    }
    if (this.#buckets.size >= this.#maxKeys) this.#makeRoom();
    const kept: Kept = { bucket: new Bucket(this.#rate, now), used: false, gone: false };
    this.#buckets.set(key, kept);
    return kept;
  }

  /** Takes a `take` back. */
  give(key: string): void {
    this.#buckets.get(key)?.bucket.give();
  }

  #makeRoom(): void {
    let spare = SPARED_AT_ONCE;
    for (const [key, kept] of this.#buckets) {
      this.#buckets.delete(key);
      if (!kept.used || spare-- <= 0) {
        kept.gone = true;
        return;
      }
      kept.used = false;
      this.#buckets.set(key, kept);
    }
  }

  get size(): number {
    return this.#buckets.size;
  }
}
