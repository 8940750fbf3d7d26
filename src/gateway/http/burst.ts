/**
 * Answers that leave together at the end of the turn of the event loop in which they were asked for, when there are many:
 * first everything that has come is read, then everything is written. One by one, whoever reads the answers falls asleep
 * between two and has to be woken for each, and the code of both halves is fetched anew each time. Owns when an answer
 * waits, and that nobody is answered who has gone; what is answered is the caller's.
 */
import type { NativeResponse } from "../native.js";

/** In one millisecond; who comes after them waits for the end of the turn, which is near then. */
const AT_ONCE = 4;
/** Waiting answers; beyond them each leaves by itself. */
const MOST_WAITING = 1_024;

interface Waiting<T> {
  readonly res: NativeResponse;
  readonly answer: T;
  gone: boolean;
}

export class Burst<T> {
  readonly #write: (res: NativeResponse, answer: T, now: number) => void;
  readonly #now: () => number;
  readonly #endOfTurn: (run: () => void) => void;
  #waiting: Waiting<T>[] = [];
  #millisecond = 0;
  #answered = 0;

  /** `now`: milliseconds since the epoch. `endOfTurn` runs something once all that has come was handled. */
  constructor(
    write: (res: NativeResponse, answer: T, now: number) => void,
    now: () => number,
    endOfTurn: (run: () => void) => void,
  ) {
    this.#write = write;
    this.#now = now;
    this.#endOfTurn = endOfTurn;
  }

  /** Within the request's handler. Nothing of the request may be needed afterwards. */
  answer(res: NativeResponse, answer: T): void {
    const now = this.#now();
    if (now !== this.#millisecond) {
      this.#millisecond = now;
      this.#answered = 0;
    }
    if (++this.#answered <= AT_ONCE || this.#waiting.length >= MOST_WAITING) {
      this.#write(res, answer, now);
      return;
    }
    const one: Waiting<T> = { res, answer, gone: false };
    res.onAborted(() => {
      one.gone = true;
    });
    if (this.#waiting.push(one) === 1) this.#endOfTurn(() => this.#flush());
  }

  #flush(): void {
    const all = this.#waiting;
    this.#waiting = [];
    const now = this.#now();
    for (const { res, answer, gone } of all) {
      if (!gone) res.cork(() => this.#write(res, answer, now));
    }
  }
}
