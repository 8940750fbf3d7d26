/** Open loop: who is due is due, whatever became of the answers before. */
import { systemClock } from "../../src/lib/clock.js";

const clock = systemClock();
const TICK_MS = 5;
const BEGIN_MS = 1_000;

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
      send(cursor % count, due, now, fixes);
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
