/**
 * How much new work one endpoint may have in hand, judged by how late it answers what was begun before.
 *
 * Credit bounds what is in flight, but not how long it takes: on a machine that others use as well, a worker far below its
 * credit may answer after tens of seconds. What is begun then is answered after its caller has given up, and the work
 * was done for nobody. So a limit on work begun is halved while answers are late and grows again while they are prompt.
 *
 * Owns: the limit. Does not own asks, their time-outs or what a refused caller hears. Invariants: something may always
 * begin when nothing is in hand, so the pace notices when the trouble is over; a few slow actors do not lower the limit.
 */

export interface PaceSettings {
  /** An answer that took longer is late. */
  readonly lateMs: number;
  /** How often the limit is judged. */
  readonly windowMs: number;
  readonly most: number;
}

/** One piece of work in hand. */
export interface Begun {
  readonly at: number;
}

/** So much may be in hand however late answers are: enough to notice that they are prompt again. */
const LEAST = 2;
/** By the window, while answers are prompt. */
const GROWTH = 1.5;
/** After so many quiet windows any limit has grown to the most. */
const MOST_STEPS = 64;

export class Pace {
  readonly #settings: PaceSettings;
  /** In the order in which they began. */
  readonly #inHand = new Set<Begun>();
  #limit: number;
  #windowEndsAt = 0;
  #late = 0;
  #prompt = 0;
  /** The most in hand during this window: halving starts from what was used, not from what was allowed. */
  #peak = 0;

  constructor(settings: PaceSettings) {
    this.#settings = settings;
    this.#limit = settings.most;
  }

  /** Null: not now. Otherwise it is in hand until `ended`. */
  begin(now: number): Begun | null {
    this.#judge(now);
    if (this.#inHand.size >= this.#limit) return null;
    const begun = { at: now };
    this.#inHand.add(begun);
    this.#peak = Math.max(this.#peak, this.#inHand.size);
    return begun;
  }

  /** `answered`: by the actor itself, so that the time it took says something. */
  ended(begun: Begun, now: number, answered: boolean): void {
    if (!this.#inHand.delete(begun)) return;
    if (now - begun.at > this.#settings.lateMs) this.#late++;
    else if (answered) this.#prompt++;
    this.#judge(now);
  }

  #judge(now: number): void {
    if (now < this.#windowEndsAt) return;
    const { lateMs, windowMs, most } = this.#settings;
    const isLate = this.#late === 0 && this.#prompt === 0 ? this.#oldestMs(now) > lateMs : this.#late > this.#prompt;
    this.#limit = isLate
      ? Math.max(LEAST, Math.floor(Math.min(this.#limit, this.#peak) / 2))
      : Math.min(
          most,
          Math.ceil(this.#limit * GROWTH ** Math.min(MOST_STEPS, 1 + (now - this.#windowEndsAt) / windowMs)),
        );
    this.#windowEndsAt = now + windowMs;
    this.#late = 0;
    this.#prompt = 0;
    this.#peak = this.#inHand.size;
  }

  #oldestMs(now: number): number {
    for (const { at } of this.#inHand) return now - at;
    return 0;
  }
}
