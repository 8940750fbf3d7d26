/**
 * Which restaurants have changed, as the index tells it: one small query answers for all of them, on every node alike, and
 * needs no messenger between nodes. Owns the place up to which was read, and when all is read again. Does not own what is
 * done about a change.
 *
 * Invariants: one reading at a time; a change is told at least once, within one reading of its commit, or at the latest
 * with the next full reading when its commit took longer than `overlapMs`.
 */
import type { Cancel, Clock } from "../../lib/clock.js";
import type { IndexReader } from "./ports.js";

export interface MenuChange {
  readonly restaurantId: string;
  /** Of the restaurant's last visible change, ms since the epoch by its own clock. */
  readonly at: number;
}

export interface FeedSettings {
  /** How long a change may take from its own time until others can read it: the commit, and clocks that differ. */
  readonly overlapMs: number;
  /** How often everything is read again. */
  readonly reconcileMs: number;
}

export const DEFAULT_FEED_SETTINGS: FeedSettings = { overlapMs: 10_000, reconcileMs: 5 * 60_000 };

export interface MenuFeed {
  /** Reads what has changed; joins a reading that is under way. Rejects when the index does not answer. */
  read(): Promise<void>;
  /** When the last successful reading began, monotonic; −∞ before the first. Everything before it has been told. */
  readonly readAt: number;
  /** Told in the order of the changes; some more than once. */
  listen(handler: (changes: readonly MenuChange[]) => void): Cancel;
}

const PAGE = 1000;
/** Readings further apart than so many times `overlapMs` have a gap between them. */
const GAP = 3;

export function createMenuFeed(deps: {
  readonly clock: Clock;
  readonly index: IndexReader;
  readonly settings?: Partial<FeedSettings>;
}): MenuFeed {
  const { clock, index } = deps;
  const settings = { ...DEFAULT_FEED_SETTINGS, ...deps.settings };
  const gapMs = GAP * settings.overlapMs;
  const handlers = new Set<(changes: readonly MenuChange[]) => void>();
  /** Told already, of the time that is read again and again. */
  const told = new Map<string, number>();
  let readAt = Number.NEGATIVE_INFINITY;
  let fullAt = clock.monotonic();
  let newest = clock.now();
  /**
   * The wall clock's time of the last reading, once there have been readings for `overlapMs` without a gap: after an outage
   * commits come late, and the window stays as wide as it was until they are through. One in a shorter gap may have
   * been seen by nobody, so the window is never narrower than that.
   */
  let readWall = Number.NEGATIVE_INFINITY;
  let steadyFrom = Number.POSITIVE_INFINITY;
  let reading: Promise<void> | null = null;

  async function readOn(): Promise<void> {
    const [began, wall] = [clock.monotonic(), clock.now()];
    const full = began - fullAt >= settings.reconcileMs;
    // Also while nothing changes: else what was written last, a whole import, would be read again and again for ever.
    // Never ahead of the clock: a restaurant whose node's clock was wrong must not hide the others' changes.
    const since = Math.min(wall, Math.max(newest, readWall - gapMs)) - settings.overlapMs;
    let from = { at: full ? -1 : since, key: "" };
    for (;;) {
      const rows = await index.queryIndex({ kind: "restaurant", from, views: false, limit: PAGE });
      const changes = rows.filter(({ key, at }) => full || told.get(key) !== at);
      for (const { key, at } of rows) {
        if (at > since) told.set(key, at);
        newest = Math.max(newest, at);
      }
      if (changes.length > 0) {
        const said = changes.map(({ key, at }) => ({ restaurantId: key, at }));
        for (const handler of handlers) handler(said);
      }
      const last = rows.at(-1);
      if (last === undefined || rows.length < PAGE) break;
      from = { at: last.at, key: last.key };
    }
    for (const [key, at] of told) if (at <= since) told.delete(key);
    if (full) fullAt = began;
    if (began - readAt > gapMs) steadyFrom = began;
    if (began - steadyFrom >= settings.overlapMs) readWall = wall;
    readAt = began;
  }

  return {
    get readAt() {
      return readAt;
    },
    read() {
      reading ??= readOn().finally(() => {
        reading = null;
      });
      return reading;
    },
    listen(handler) {
      handlers.add(handler);
      return () => handlers.delete(handler);
    },
  };
}
