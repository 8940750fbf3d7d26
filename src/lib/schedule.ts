/**
 * Runs `run` once the current turn of the event loop has handled everything that was ready: later than promises and
 * microtasks, before timers. What gathers work during a turn (a link, a committer) flushes here.
 */
export function endOfTurn(run: () => void): void {
  setImmediate(run);
}

/**
 * Constant difference between the machine's monotonic clock and this thread's `performance.now()`, whose origin may be
 * the thread's own start.
 */
const ORIGIN_MS = Number(process.hrtime.bigint()) / 1e6 - performance.now();

/** Monotonic milliseconds that all threads of this process agree on (the origin is the machine's start, roughly). */
export function processMonotonic(): number {
  return ORIGIN_MS + performance.now();
}

/** Both clocks, read alike by all threads of this process. */
export interface ProcessTime {
  monotonic(): number;
  /** Milliseconds since the Unix epoch. */
  now(): number;
}

export const processTime: ProcessTime = { monotonic: processMonotonic, now: () => Date.now() };
