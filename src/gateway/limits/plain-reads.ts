/**
 * Counting the plainest reads against their addresses. Finding out an address costs about as much as finding and sending a
 * menu. So a busy thread looks at some requests, each for all that it stands for, while nobody is over the limit; as soon
 * as somebody is, it looks at every one for some seconds.
 *
 * Invariants: a thread that is not busy counts exactly; whoever keeps on beyond the limit is refused after some requests
 * more, and one after the other from then on; whoever keeps well below it is never refused for what others do.
 */
import type { Rate } from "../../lib/buckets.js";
import { seededRandom } from "../../lib/random.js";

/** Reads a second up to which each is looked at. */
const EXACT_UP_TO = 500;
const ONE_IN = 16;
/** A bucket that holds fewer is counted exactly: what one request stands for must be little of it. */
const LEAST_BURST = 32 * ONE_IN;
const SECOND_MS = 1_000;
const WATCHFUL_MS = 10_000;

export class PlainReads<Request> {
  readonly #take: (address: string, now: number, many: number) => number;
  readonly #addressOf: (request: Request) => string;
  readonly #mayEstimate: boolean;
  /** Whom it looks at is nobody's to foresee; nothing else hangs on it. */
  readonly #random;
  #secondFrom = 0;
  #reads = 0;
  #busy = false;
  #watchfulUntil = Number.NEGATIVE_INFINITY;

  constructor(options: {
    readonly rate: Rate;
    /** 0, or milliseconds to wait. */
    readonly take: (address: string, now: number, many: number) => number;
    readonly addressOf: (request: Request) => string;
    readonly seed: number;
  }) {
    this.#take = options.take;
    this.#addressOf = options.addressOf;
    this.#mayEstimate = options.rate.burst >= LEAST_BURST;
    this.#random = seededRandom(options.seed);
  }

  /** False: this address is over its limit, as far as is known. `now` is monotonic. */
  allow(request: Request, now: number): boolean {
    this.#reads++;
    if (now - this.#secondFrom >= SECOND_MS) {
      this.#busy = this.#reads > ((now - this.#secondFrom) / SECOND_MS) * EXACT_UP_TO;
      this.#secondFrom = now;
      this.#reads = 0;
    }
    if (!this.#busy || !this.#mayEstimate || now < this.#watchfulUntil) {
      return this.#look(request, now, 1);
    }
    return this.#random.next() * ONE_IN >= 1 || this.#look(request, now, ONE_IN);
  }

  #look(request: Request, now: number, many: number): boolean {
    if (this.#take(this.#addressOf(request), now, many) === 0) return true;
    this.#watchfulUntil = now + WATCHFUL_MS;
    return false;
  }
}
