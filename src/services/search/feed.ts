/**
 * Keeps the catalogue in memory in step with what is committed, on every node alike and by the database alone.
 *
 * Owns: the first reading, the position in the log of changes, how often it is asked, and the comparison of everything
 * every few minutes. Does not own what a change means for a search.
 *
 * Invariants: what was committed is in the catalogue after at most one asking once the database answers; a version never
 * goes back; before the first reading has ended `ready` is false; while the database is away the last state serves, and
 * `behindMs` says for how long.
 */
import type { Cancel, Clock } from "../../lib/clock.js";
import type { Log } from "../../lib/log.js";
import type { Catalogue } from "./catalogue.js";
import type { ChangedRow, RatingSource, SearchSource, SourceRow } from "./ports.js";
import { searchable } from "./restaurant.js";

export interface FeedSettings {
  /** How often what changed is asked for. */
  readonly changesMs: number;
  /** How often everything is compared. */
  readonly reconcileMs: number;
  /** How often it is counted what is ordered most. */
  readonly popularityMs: number;
  /** How often ratings are read. */
  readonly ratingsMs: number;
  /** How often doors are looked at that open and close by the clock. */
  readonly doorsMs: number;
}

export const DEFAULT_FEED_SETTINGS: FeedSettings = {
  changesMs: 500,
  reconcileMs: 4 * 60_000,
  popularityMs: 10 * 60_000,
  ratingsMs: 60_000,
  doorsMs: 500,
};

export interface FeedStats {
  readonly ready: boolean;
  /** How long ago the log was last read to its end; 0 before the first reading. */
  readonly behindMs: number;
  readonly buildMs: number;
  /** Restaurants that came, changed or went since the first reading. */
  readonly changes: number;
  /** Of those, how many only the comparison of everything found. */
  readonly reconciled: number;
  readonly failures: number;
}

export interface Feed {
  /** Resolves with the first reading, however often it has to be tried. */
  start(): Promise<void>;
  /** Reads what has changed by now. Rejects when the database does not answer. */
  catchUp(): Promise<void>;
  reconcile(): Promise<void>;
  readRatings(): Promise<void>;
  stop(): void;
  stats(): FeedStats;
}

const READ_ROWS = 200;
const VERSION_ROWS = 5_000;
const CHANGE_ROWS = 1_000;
const RATING_ROWS = 5_000;
const RETRY_MS = 1_000;
/** What is popular is so among the newest orders. */
const POPULAR_ORDERS = 20_000;
/** So many sizes are told apart, so that a few orders more change nothing. */
const POPULARITY_STEPS = 20;
/** When so large a share of the restaurants has changed, what is made of all of them is made anew. */
const WHOLE_SHARE = 0.05;

export function createFeed(options: {
  readonly source: SearchSource;
  /** Null: nobody is rated. */
  readonly ratings: RatingSource | null;
  readonly catalogue: Catalogue;
  readonly clock: Clock;
  readonly log: Log;
  readonly settings?: Partial<FeedSettings>;
  /** Prices and counts that are made of all restaurants can be made anew. */
  readonly onWhole: () => void;
}): Feed {
  const { source, ratings, catalogue, clock, log, onWhole } = options;
  const settings: FeedSettings = { ...DEFAULT_FEED_SETTINGS, ...options.settings };
  let position: string | null = null;
  let ready = false;
  let readAt = 0;
  let buildMs = 0;
  let changes = 0;
  let reconciled = 0;
  let wholeAt = 0;
  let failures = 0;
  let stopped = false;
  let running: Promise<void> | null = null;
  const timers = new Map<string, Cancel>();
  /** Versions of restaurants with nothing to be found: sold out, or not listed. */
  const unlisted = new Map<string, number>();

  const versionOf = (key: string): number | null => catalogue.find(key)?.version ?? unlisted.get(key) ?? null;

  function apply({ key, version, view }: SourceRow): void {
    const known = versionOf(key);
    if (known !== null && known >= version) return;
    const restaurant = searchable(view);
    if (ready) changes++;
    if (restaurant === null) {
      catalogue.remove(key);
      unlisted.set(key, version);
    } else {
      unlisted.delete(key);
      catalogue.put(restaurant, version, clock.now());
    }
  }

  function forget(key: string): void {
    if (versionOf(key) === null) return;
    if (ready) changes++;
    catalogue.remove(key);
    unlisted.delete(key);
  }

  /** Reads those that are newer than what is here; a key that has no row any more is gone. */
  async function bring(rows: readonly ChangedRow[]): Promise<number> {
    const news = rows.filter(({ key, version }) => version !== versionOf(key));
    for (let from = 0; from < news.length; from += READ_ROWS) {
      const keys = news.slice(from, from + READ_ROWS).map(({ key }) => key);
      const read = await source.read(keys);
      const there = new Set(read.map(({ key }) => key));
      for (const row of read) apply(row);
      for (const key of keys) if (!there.has(key)) forget(key);
    }
    return news.length;
  }

  async function readAll(): Promise<void> {
    const beganAt = clock.monotonic();
    // The position first: what changes while everything is read comes once more afterwards.
    position = (await source.changes(null, 1)).position;
    for (let after = ""; !stopped; ) {
      const rows = await source.rows(after, READ_ROWS);
      for (const row of rows) apply(row);
      const last = rows.at(-1);
      if (last === undefined || rows.length < READ_ROWS) break;
      after = last.key;
    }
    buildMs = clock.monotonic() - beganAt;
  }

  function whole(): void {
    wholeAt = changes;
    onWhole();
  }

  async function catchUp(): Promise<void> {
    for (let more = true; more && !stopped; ) {
      const askedAt = clock.monotonic();
      const page = await source.changes(position, CHANGE_ROWS);
      await bring(page.rows);
      ({ position, more } = page);
      if (!more) readAt = askedAt;
    }
    if (changes - wholeAt > catalogue.restaurants * WHOLE_SHARE) whole();
  }

  async function reconcile(): Promise<void> {
    const here = new Set([...catalogue.ids(), ...unlisted.keys()]);
    for (let after = ""; !stopped; ) {
      const rows = await source.versions(after, VERSION_ROWS);
      // What the log has told of meanwhile is no difference any more.
      reconciled += await bring(rows);
      for (const { key } of rows) here.delete(key);
      const last = rows.at(-1);
      if (last === undefined || rows.length < VERSION_ROWS) break;
      after = last.key;
    }
    if (!stopped) reconciled += await bring([...here].map((key) => ({ key, version: null })));
    whole();
  }

  async function popularity(): Promise<void> {
    const counts = new Map((await source.popularity(POPULAR_ORDERS)).map(({ key, orders }) => [key, orders]));
    const most = Math.log1p(Math.max(1, ...counts.values()));
    for (const id of catalogue.ids()) {
      const share = Math.log1p(counts.get(id) ?? 0) / most;
      catalogue.setPopularity(id, Math.round(share * POPULARITY_STEPS) / POPULARITY_STEPS);
    }
  }

  async function readRatings(): Promise<void> {
    if (ratings === null) return;
    const unrated = new Set(catalogue.ids());
    for (let after = ""; !stopped; ) {
      const page = await ratings.allTotals("restaurant", after, RATING_ROWS);
      for (const { ratedId, totals } of page) {
        unrated.delete(ratedId);
        catalogue.setRating(ratedId, { average: totals.average, count: totals.count });
      }
      const last = page.at(-1);
      if (last === undefined || page.length < RATING_ROWS) break;
      after = last.ratedId;
    }
    if (!stopped) for (const id of unrated) catalogue.setRating(id, null);
  }

  /** One after the other: they all read and write the same. */
  function run(name: string, work: () => Promise<void>): Promise<void> {
    const before = running ?? Promise.resolve();
    const next = before.then(async () => {
      if (stopped) return;
      try {
        await work();
      } catch (error) {
        failures++;
        log.debug({ error, work: name }, "Search could not read the catalogue; it tries again");
        throw error;
      }
    });
    const settled = next.catch(() => {});
    running = settled;
    return next;
  }

  /** Again and again, each time after the last has ended. */
  function again(everyMs: number, name: string, work: () => Promise<void>): void {
    const turn = (): void => {
      if (stopped) return;
      const next = (): void => void run(name, work).then(turn, turn);
      timers.set(name, clock.after(everyMs, next));
    };
    turn();
  }

  return {
    async start() {
      for (;;) {
        try {
          await run("all", readAll);
          break;
        } catch (error) {
          if (stopped) return;
          log.warn({ error }, "The catalogue cannot be read for search; tried again in a second");
          await new Promise<void>((resolve) => timers.set("retry", clock.after(RETRY_MS, resolve)));
        }
      }
      if (stopped) return;
      await run("popularity", popularity).catch(() => {});
      await run("ratings", readRatings).catch(() => {});
      whole();
      readAt = clock.monotonic();
      ready = true;
      log.info(
        { restaurants: catalogue.restaurants, dishes: catalogue.dishes, buildMs: Math.round(buildMs) },
        "Search has read the catalogue",
      );
      again(settings.changesMs, "changes", catchUp);
      again(settings.reconcileMs, "reconcile", reconcile);
      again(settings.popularityMs, "popularity", popularity);
      again(settings.ratingsMs, "ratings", readRatings);
      timers.set(
        "doors",
        clock.every(settings.doorsMs, () => catalogue.judgeDoors(clock.now())),
      );
    },
    catchUp: () => run("changes", catchUp),
    reconcile: () => run("reconcile", reconcile),
    readRatings: () => run("ratings", readRatings),
    stop() {
      stopped = true;
      for (const cancel of timers.values()) cancel();
    },
    stats: () => ({
      ready,
      behindMs: ready ? clock.monotonic() - readAt : 0,
      buildMs,
      changes,
      reconciled,
      failures,
    }),
  };
}
