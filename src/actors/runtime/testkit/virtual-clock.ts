/** Time that passes only when a test says so. Things due at the same instant happen in the order they were asked for. */
import type { Cancel, Clock } from "../../../lib/clock.js";
import { TimeHeap } from "../structures/heap.js";

interface Task {
  run: (() => void) | null;
}

export class VirtualClock implements Clock {
  readonly #startedAt: number;
  #now: number;
  readonly #tasks = new TimeHeap<Task>();
  /** Things ever asked for: lets a pump see whether anything has happened. */
  scheduled = 0;

  constructor(startAt: number) {
    this.#startedAt = startAt;
    this.#now = startAt;
  }

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#now - this.#startedAt;
  }

  after(delayMs: number, run: () => void): Cancel {
    const task: Task = { run };
    this.scheduled++;
    // Whole milliseconds, as machine timers have: fractions would let a wait end a hair too early for ever.
    this.#tasks.push(this.#now + Math.max(0, Math.ceil(delayMs)), task);
    return () => {
      task.run = null;
    };
  }

  every(periodMs: number, run: () => void): Cancel {
    let cancelled = false;
    let cancel: Cancel = () => {};
    const again = (): void => {
      cancel = this.after(periodMs, () => {
        if (cancelled) return;
        again();
        run();
      });
    };
    again();
    return () => {
      cancelled = true;
      cancel();
    };
  }

  /** When the next thing is due, or Infinity. */
  get nextAt(): number {
    return this.#tasks.nextAt;
  }

  /** Moves to the next thing that is due not after `limit` and does it; false when there is none. */
  step(limit: number): boolean {
    const at = this.#tasks.nextAt;
    const task = this.#tasks.popDue(limit);
    if (task === undefined) return false;
    this.#now = Math.max(this.#now, at);
    task.run?.();
    return true;
  }

  moveTo(at: number): void {
    this.#now = Math.max(this.#now, at);
  }
}

/**
 * The same clock, but the first reading of every instant is a millisecond behind the others: as on a machine where a new
 * millisecond begins between two readings of one turn.
 */
export function betweenMilliseconds(clock: Clock): Clock {
  let seen = Number.NaN;
  return {
    now: () => {
      const isFirst = seen !== clock.now();
      seen = clock.now();
      return isFirst ? seen - 1 : seen;
    },
    monotonic: () => clock.monotonic(),
    after: (delayMs, run) => clock.after(delayMs, run),
    every: (periodMs, run) => clock.every(periodMs, run),
  };
}

/** A clock of one process that can die: what it asked for then never happens. */
export function mortalClock(clock: Clock, alive: () => boolean): Clock {
  return {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    after: (delayMs, run) =>
      clock.after(delayMs, () => {
        if (alive()) run();
      }),
    every(periodMs, run) {
      const cancel = clock.every(periodMs, () => {
        if (alive()) run();
        else cancel();
      });
      return cancel;
    },
  };
}
