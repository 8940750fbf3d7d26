/**
 * One timer for the whole client. A process may hold thousands of clients, so each keeps a handful of named deadlines
 * and arms a single timer for the earliest. Moving a deadline later costs nothing: the timer wakes early once and re-arms.
 *
 * Invariants: at most one timer is armed; a deadline runs once, at or after its time; clearing a deadline means that its
 * task does not run.
 */
import type { Cancel, Clock } from "../src/lib/clock.js";

export class Alarm {
  readonly #clock: Clock;
  readonly #deadlines = new Map<string, { at: number; run: () => void }>();
  #armedFor = Number.POSITIVE_INFINITY;
  #disarm: Cancel | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Replaces the deadline `name`: `run` is called `delayMs` from now. */
  in(name: string, delayMs: number, run: () => void): void {
    const at = this.#clock.monotonic() + Math.max(0, delayMs);
    this.#deadlines.set(name, { at, run });
    if (at < this.#armedFor) this.#arm(at);
  }

  /** Like `in`, but keeps a deadline of that name that comes earlier. */
  atLatest(name: string, delayMs: number, run: () => void): void {
    const present = this.#deadlines.get(name);
    if (present !== undefined && present.at <= this.#clock.monotonic() + delayMs) return;
    this.in(name, delayMs, run);
  }

  clear(name: string): void {
    this.#deadlines.delete(name);
    if (this.#deadlines.size === 0) this.clearAll();
  }

  clearAll(): void {
    this.#deadlines.clear();
    this.#disarm?.();
    this.#disarm = null;
    this.#armedFor = Number.POSITIVE_INFINITY;
  }

  #arm(at: number): void {
    this.#disarm?.();
    this.#armedFor = at;
    this.#disarm = this.#clock.after(Math.max(0, at - this.#clock.monotonic()), () => this.#ring());
  }

  #ring(): void {
    this.#disarm = null;
    this.#armedFor = Number.POSITIVE_INFINITY;
    const now = this.#clock.monotonic();
    // Timers of some platforms fire up to a millisecond early.
    const due = [...this.#deadlines].filter(([, { at }]) => at <= now + 1);
    try {
      for (const [name, deadline] of due) {
        // One before it may have cleared it, or given it another time.
        if (this.#deadlines.get(name) !== deadline) continue;
        this.#deadlines.delete(name);
        deadline.run();
      }
    } finally {
      // What an application throws at one keeps no other from its time.
      this.#armEarliest();
    }
  }

  #armEarliest(): void {
    let earliest = Number.POSITIVE_INFINITY;
    for (const deadline of this.#deadlines.values()) earliest = Math.min(earliest, deadline.at);
    if (earliest < this.#armedFor) this.#arm(earliest);
  }
}
