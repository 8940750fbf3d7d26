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

/** Sums of fractions are off by less, sums of whole numbers by nothing. */
const ROUNDING_MS = 0.001;

/** A rate as buckets reckon with it: once for all that share it. */
export interface Pace {
  /** Tokens are counted in the milliseconds that make one, so that sums of whole numbers stay exact. */
  readonly msPerToken: number;
  readonly fullMs: number;
}

export function paceOf({ perMinute, burst }: Rate): Pace {
  const msPerToken = 60_000 / perMinute;
  return { msPerToken, fullMs: burst * msPerToken };
}

/*
 * There is a bucket for every socket and several for every account, so all that one holds is when it will be full (ITU-T
 * I.371's "theoretical arrival time"). Times are monotonic milliseconds and count whole, which V8 keeps without a box of
 * their own.
 */

/** Milliseconds until a bucket that will be full at `fullAt` has a token; 0: it has one now. */
export function waitOf({ msPerToken, fullMs }: Pace, fullAt: number, now: number): number {
  const waitMs = fullAt - Math.floor(now) + msPerToken - fullMs;
  return waitMs > ROUNDING_MS ? Math.max(1, Math.ceil(waitMs)) : 0;
}

/** When it will be full, if it gives `many` tokens now. It may owe some. */
export function fullAfter({ msPerToken }: Pace, fullAt: number, now: number, many = 1): number {
  return Math.max(fullAt, Math.floor(now)) + many * msPerToken;
}

export class Bucket {
  readonly #pace: Pace;
  #fullAt: number;

  constructor(pace: Pace, now: number) {
    this.#pace = pace;
    this.#fullAt = Math.floor(now);
  }

  /**
   * 0 when allowed; otherwise the milliseconds until it would be. One that stands for `many` is allowed while there is a
   * token, and pays for all: the bucket may owe some.
   */
  take(now: number, many = 1): number {
    const waitMs = waitOf(this.#pace, this.#fullAt, now);
    if (waitMs === 0) this.#fullAt = fullAfter(this.#pace, this.#fullAt, now, many);
    return waitMs;
  }

  /** Takes a `take` back. */
  give(): void {
    this.#fullAt -= this.#pace.msPerToken;
  }
}

/** A bucket of many. Only they write it. */
export class Kept extends Bucket {
  /** Taken from since the hand came by. */
  used = false;
  /** Has given way: another bucket may have its key. */
  gone = false;
}

/** As many as are spared before somebody gives way all the same: what making room costs has a bound. */
const SPARED_AT_ONCE = 16;

/**
 * A bucket per key, at most `maxKeys`. Who was seen only once gives way first; who comes again has another round. Nothing
 * is moved while there is room, because this stands before every request.
 */
export class Buckets {
  readonly #pace: Pace;
  readonly #maxKeys: number;
  readonly #buckets = new Map<string, Kept>();
  readonly #byOwner = new WeakMap<object, Kept>();

  constructor(rate: Rate, maxKeys: number) {
    this.#pace = paceOf(rate);
    this.#maxKeys = maxKeys;
  }

  take(key: string, now: number, many = 1): number {
    return this.#keptOf(key, now).take(now, many);
  }

  /** `take` for one who comes again and again as the same object: its key is made and looked for once. */
  takeFor<T extends object>(owner: T, keyOf: (owner: T) => string, now: number): number {
    let kept = this.#byOwner.get(owner);
    if (kept === undefined || kept.gone) {
      kept = this.#keptOf(keyOf(owner), now);
      this.#byOwner.set(owner, kept);
    } else kept.used = true;
    return kept.take(now);
  }

  /**
   * The bucket of a key, for one who keeps it and gives it back as `before` the next time: it is looked for once. To look
   * for one among ten thousand is to wait for memory several times.
   */
  bucketOf(key: string, now: number, before: Kept | null): Kept {
    if (before === null || before.gone) return this.#keptOf(key, now);
    before.used = true;
    return before;
  }

  #keptOf(key: string, now: number): Kept {
    const known = this.#buckets.get(key);
    if (known !== undefined) {
      known.used = true;
      return known;
    }
    if (this.#buckets.size >= this.#maxKeys) this.#makeRoom();
    const kept = new Kept(this.#pace, now);
    this.#buckets.set(key, kept);
    return kept;
  }

  /** Takes a `take` back. */
  give(key: string): void {
    this.#buckets.get(key)?.give();
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
