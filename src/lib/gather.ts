/**
 * Work that is cheaper done together: what comes within a window is run in one piece. The first after a pause runs at
 * once, so that whoever is alone waits for nobody. The order is kept.
 *
 * Invariant: nothing waits longer than the window (and the clock's lateness). How much may wait is bounded by whoever adds.
 */
import type { Clock } from "./clock.js";

export class Gathering {
  readonly #clock: Clock;
  readonly #windowMs: number;
  #ranAt = Number.NEGATIVE_INFINITY;
  #waiting: (() => void)[] = [];

  /** `windowMs`: 0 gathers nothing. */
  constructor(clock: Clock, windowMs: number) {
    this.#clock = clock;
    this.#windowMs = windowMs;
  }

  /** `run` must not throw. */
  add(run: () => void): void {
    if (this.#waiting.length > 0) {
      this.#waiting.push(run);
      return;
    }
    const waitMs = this.#windowMs === 0 ? 0 : this.#ranAt + this.#windowMs - this.#clock.monotonic();
    if (waitMs <= 0) {
      this.#ranAt = this.#clock.monotonic();
      run();
      return;
    }
    this.#waiting.push(run);
    this.#clock.after(waitMs, () => this.#runAll());
  }

  #runAll(): void {
    const all = this.#waiting;
    this.#waiting = [];
    this.#ranAt = this.#clock.monotonic();
    for (const run of all) run();
  }
}
