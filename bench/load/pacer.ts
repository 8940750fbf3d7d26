/** Open loop: who is due is due, whatever became of the answers before. */
import { systemClock } from "../../src/lib/clock.js";

const clock = systemClock();
const TICK_MS = 5;
const BEGIN_MS = 1_000;

/** Of a whole round: about the golden ratio, so that any few neighbours come evenly spread over the round. */
const STRIDE_SHARE = 0.618034;

/**
 * How far the next one in turn stands from the last one, of `count`: everybody's turn comes once a round, and those who
 * have something in common (the first of them carry the orders) never come in one burst with a silence after it.
 */
export function strideOf(count: number): number {
  const divides = (a: number, b: number): number => (b === 0 ? a : divides(b, a % b));
  let stride = Math.max(1, Math.round(count * STRIDE_SHARE));
  while (divides(count, stride) > 1) stride++;
  return stride;
}

export interface Pacer {
  /** Each of them every so many milliseconds from now on, so many fixes at a time; null: nobody. Goes on with whose turn it is. */
  pace(everyMs: number | null, fixes: number): void;
  stop(): void;
}

/** `send`: for number `index`, who was due at `due` on the monotonic clock. False when it could not. */
export function startPacer(
  count: number,
  everyMs: number | null,
  send: (index: number, due: number, now: number, fixes: number) => boolean,
): Pacer {
  const stride = strideOf(count);
  let cursor = 0;
  let fixes = 1;
  let spacing = (everyMs ?? 0) / count;
  let isQuiet = everyMs === null;
  let start = clock.monotonic() + BEGIN_MS;
  const stop = clock.every(TICK_MS, () => {
    if (isQuiet) return;
    const now = clock.monotonic();
    for (;;) {
      const due = start + cursor * spacing;
      if (due > now) return;
      send((cursor * stride) % count, due, now, fixes);
      cursor++;
    }
  });
  return {
    pace(nextEveryMs, nextFixes) {
      isQuiet = nextEveryMs === null;
      fixes = nextFixes;
      if (nextEveryMs === null) return;
      spacing = nextEveryMs / count;
      start = clock.monotonic() - cursor * spacing;
    },
    stop,
  };
}
