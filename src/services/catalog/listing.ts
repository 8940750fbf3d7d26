/**
 * All listed restaurants in short, for what asks about the neighbourhood. Read once, then kept in step by the feed: only
 * what has changed is read again.
 */
import type { Clock } from "../../lib/clock.js";
import { distanceMeters, type Point } from "../../lib/geo.js";
import { delivers, isListed, type MenuView } from "../../protocol/mod.js";
import type { MenuFeed } from "./feed.js";
import type { IndexReader } from "./ports.js";

export interface RestaurantSummary {
  readonly restaurantId: string;
  readonly name: string;
  readonly lat: number;
  readonly lng: number;
  readonly open: boolean;
  readonly deliveryRadiusMeters: number;
  readonly menuVersion: number;
}

export type NearRestaurant = RestaurantSummary & { readonly distanceMeters: number };

interface Listed {
  readonly at: number;
  /** Null: not listed. */
  readonly summary: RestaurantSummary | null;
  readonly delivers: (point: Point) => boolean;
}

export interface Listing {
  near(point: Point, limit: number, deliversHere: boolean): Promise<readonly NearRestaurant[]>;
}

/** As many rows with their views as one query shall carry. */
const PAGE = 200;
/** Looked at one after the other, until there are enough. */
const REACHES_METERS = [3_000, 15_000, Number.POSITIVE_INFINITY];
const METERS_PER_DEGREE = 111_000;

export function createListing(deps: {
  readonly clock: Clock;
  readonly index: IndexReader;
  readonly feed: MenuFeed;
  /** How old the list may be. */
  readonly listMs: number;
  readonly maxListed: number;
}): Listing {
  const { clock, index, feed, listMs, maxListed } = deps;
  const listed = new Map<string, Listed>();
  const changed = new Set<string>();
  let complete = false;
  let refreshing: Promise<void> | null = null;
  let freshAt = Number.NEGATIVE_INFINITY;

  feed.listen((changes) => {
    for (const { restaurantId, at } of changes) if (listed.get(restaurantId)?.at !== at) changed.add(restaurantId);
  });

  function take(rows: readonly { readonly key: string; readonly at: number; readonly view: unknown }[]): void {
    for (const { key, at, view } of rows) {
      const { restaurantId, name, lat, lng, open, deliveryRadiusMeters, deliveryPolygon, menuVersion, status } =
        view as MenuView;
      const area = { lat, lng, deliveryRadiusMeters, ...(deliveryPolygon === undefined ? {} : { deliveryPolygon }) };
      const summary = { restaurantId, name, lat, lng, open, deliveryRadiusMeters, menuVersion };
      if (!listed.has(key) && listed.size >= maxListed) continue;
      listed.set(key, {
        at,
        summary: isListed(status === undefined ? {} : { status }) ? summary : null,
        delivers: (point) => delivers(area, point),
      });
    }
  }

  async function refresh(): Promise<void> {
    const began = clock.monotonic();
    if (!complete) {
      for (let from = { at: -1, key: "" }; listed.size < maxListed; ) {
        const rows = await index.queryIndex({ kind: "restaurant", from, limit: PAGE });
        take(rows);
        const last = rows.at(-1);
        if (last === undefined || rows.length < PAGE) break;
        from = { at: last.at, key: last.key };
      }
      complete = true;
    }
    await feed.read();
    while (changed.size > 0) {
      const keys = [...changed].slice(0, PAGE);
      // What changes from here on is read once more.
      for (const key of keys) changed.delete(key);
      try {
        take(await index.queryIndex({ kind: "restaurant", keys, limit: keys.length }));
      } catch (error) {
        for (const key of keys) changed.add(key);
        throw error;
      }
    }
    freshAt = began;
  }

  async function current(): Promise<void> {
    if (complete && clock.monotonic() - freshAt < listMs) return;
    refreshing ??= refresh().finally(() => {
      refreshing = null;
    });
    // The last list is better than none while the index is away.
    await (complete ? refreshing.catch(() => {}) : refreshing);
  }

  return {
    async near(point, limit, deliversHere) {
      await current();
      let found: NearRestaurant[] = [];
      for (const reachMeters of REACHES_METERS) {
        found = [];
        for (const { summary, delivers: reaches } of listed.values()) {
          if (summary === null || Math.abs(summary.lat - point.lat) * METERS_PER_DEGREE > reachMeters) continue;
          const meters = distanceMeters(point, summary);
          if (meters > reachMeters || (deliversHere && !reaches(point))) continue;
          found.push({ ...summary, distanceMeters: Math.round(meters) });
        }
        if (found.length >= limit) break;
      }
      found.sort((a, b) => a.distanceMeters - b.distanceMeters || (a.restaurantId < b.restaurantId ? -1 : 1));
      return found.slice(0, limit);
    },
  };
}
