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

  /** 0 when allowed; otherwise the milliseconds until it would be. Times are monotonic milliseconds. */
  take(now: number): number {
    const waitMs = this.waitMs(now);
    if (waitMs === 0) this.#savedMs -= this.#msPerToken;
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

/** A bucket per key, at most `maxKeys`: the one unused for longest gives way. */
export class Buckets {
  readonly #rate: Rate;
  readonly #maxKeys: number;
  readonly #buckets = new Map<string, Bucket>();

  constructor(rate: Rate, maxKeys: number) {
    this.#rate = rate;
    this.#maxKeys = maxKeys;
  }

  take(key: string, now: number): number {
    let bucket = this.#buckets.get(key);
    if (bucket === undefined) {
      if (this.#buckets.size >= this.#maxKeys) {
        for (const oldest of this.#buckets.keys()) {
          this.#buckets.delete(oldest);
          break;
        }
      }
      bucket = new Bucket(this.#rate, now);
    } else {
      // Moved to the end, so that the order of the map is the order of use.
      this.#buckets.delete(key);
    }
    this.#buckets.set(key, bucket);
    return bucket.take(now);
  }

  /** Takes a `take` back. */
  give(key: string): void {
    this.#buckets.get(key)?.give();
  }

  get size(): number {
    return this.#buckets.size;
  }
}
