/**
 * How late a thread's event loop is. A timer looks again and again; what passes between two looks beyond the time that was
 * asked for is what anything else would have waited, too.
 */
import { monitorEventLoopDelay } from "node:perf_hooks";

/** Every look wakes the thread, some 0.1 ms of processor time where it has nothing else to do. */
const EVERY_MS = 20;
const NANOSECONDS_PER_MILLISECOND = 1e6;

export interface LoopDelay {
  /** Milliseconds, of the looks since the last reset; `quantile` above 0, and 1 for the latest of all. */
  lateMs(quantile: number): number;
  reset(): void;
  stop(): void;
}

/** Begins to look. Node tells the whole time between two looks, of which the most was asked for. */
export function watchLoop(): LoopDelay {
  const looks = monitorEventLoopDelay({ resolution: EVERY_MS });
  looks.enable();
  return {
    lateMs: (quantile) => lateness(quantile >= 1 ? looks.max : looks.percentile(quantile * 100)),
    reset: () => looks.reset(),
    stop: () => void looks.disable(),
  };
}

/** From the nanoseconds between two looks to the milliseconds by which the second was late. */
export const lateness = (betweenNs: number): number => Math.max(0, betweenNs / NANOSECONDS_PER_MILLISECOND - EVERY_MS);
