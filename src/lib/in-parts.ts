/**
 * Takes away what is old, a part at a time, so that nobody waits for it.
 *
 * Invariant: it comes to an end however slow the store is. A store gives a statement some seconds; a part that is too much
 * for them is refused whole, in a minute as now, and what nobody forgets only grows. So a refused part is tried again as a
 * smaller one, and the next pass begins with a larger one again.
 */
import { type Clock, sleep } from "./clock.js";

export interface PartsSettings {
  /** The most of one part. */
  readonly rows: number;
  /** At most so many parts in one pass, and a pause after each: whoever commits comes first. */
  readonly parts: number;
  readonly pauseMs: number;
}

/** Smaller than this no part is made: a store that refuses so few is away. */
const LEAST_ROWS = 50;
const REFUSED_SHARE = 4;

/** One for each kind of rows: it remembers how many are taken at once. */
export function createParts(
  clock: Clock,
  { rows, parts, pauseMs }: PartsSettings,
): {
  /** Until there is no more. `take` answers how many it took. Rejects as `take` does when even a small part is refused. */
  takeAll(take: (rows: number) => Promise<number>, goesOn: () => boolean): Promise<void>;
} {
  let atOnce = rows;
  return {
    async takeAll(take, goesOn) {
      atOnce = Math.min(rows, atOnce * 2);
      for (let part = 0; part < parts && goesOn(); part++) {
        try {
          if ((await take(atOnce)) < atOnce) return;
        } catch (error) {
          if (atOnce <= LEAST_ROWS || !goesOn()) throw error;
          atOnce = Math.max(LEAST_ROWS, Math.floor(atOnce / REFUSED_SHARE));
        }
        await sleep(clock, pauseMs);
      }
    },
  };
}
