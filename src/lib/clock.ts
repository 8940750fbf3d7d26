/**
 * Time comes through this port so that the same code runs in production, under the test kit's virtual clock and in the
 * deterministic simulation. Nothing outside `lib/` may call `Date.now`, `performance.now` or `setTimeout`.
 */
export interface Clock {
  /** Wall-clock time in milliseconds since the Unix epoch. May jump when the machine's clock is set. */
  now(): number;
  /** Monotonic time in milliseconds from an arbitrary origin. Never goes backwards. */
  monotonic(): number;
  /** Runs `run` once after `delayMs`. The returned function cancels it; cancelling twice is harmless. */
  after(delayMs: number, run: () => void): Cancel;
  /** Runs `run` every `periodMs` until cancelled. */
  every(periodMs: number, run: () => void): Cancel;
}

export type Cancel = () => void;

/** The machine's own clock. Timers keep the process alive only when `keepAlive` is true. */
export function systemClock(options: { keepAlive?: boolean } = {}): Clock {
  const keepAlive = options.keepAlive ?? true;
  return {
    now: () => Date.now(),
    monotonic: () => performance.now(),
    after(delayMs, run) {
      const handle = setTimeout(run, delayMs);
      if (!keepAlive) handle.unref();
      return () => clearTimeout(handle);
    },
    every(periodMs, run) {
      const handle = setInterval(run, periodMs);
      if (!keepAlive) handle.unref();
      return () => clearInterval(handle);
    },
  };
}

/** Resolves after `delayMs` of the given clock. */
export function sleep(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => clock.after(delayMs, resolve));
}
