/** Restaurants and menus for everyone: read, kept ready as bytes, found near a point; and restaurants taken on. */
import type { Clock } from "../../lib/clock.js";
import type { Point } from "../../lib/geo.js";
import type { MenuView } from "../../protocol/mod.js";
import { createMenuFeed, type FeedSettings, type MenuFeed } from "./feed.js";
import { createListing, type NearRestaurant } from "./listing.js";
import { createMenus, type MenuSettings, type ReadyMenu } from "./menus.js";
import type { IndexReader, MirrorCopy } from "./ports.js";

export { createMenuFeed, type FeedSettings, type MenuChange, type MenuFeed } from "./feed.js";
export { createFounding, type Founding } from "./founding.js";
export type { NearRestaurant, RestaurantSummary } from "./listing.js";
export { type Coding, menuKey, type ReadyMenu } from "./menus.js";
export { type CatalogOperationsDeps, catalogOperations } from "./operations.js";
export type { AddressBook, IndexReader, KnownAddress, MirrorCopy } from "./ports.js";

export interface CatalogSettings extends MenuSettings, FeedSettings {
  /** How old the list of restaurants may be. */
  readonly listMs: number;
  readonly maxListed: number;
}

export const DEFAULT_CATALOG_SETTINGS: CatalogSettings = {
  maxMenus: 50_000,
  maxBytes: 512 * 1024 * 1024,
  menuMs: 500,
  staleMs: 15 * 60_000,
  overlapMs: 10_000,
  reconcileMs: 5 * 60_000,
  listMs: 2_000,
  maxListed: 100_000,
};

export interface Catalog {
  /** Null when there is no such restaurant. At once when known. Rejects when it has never been read and cannot be. */
  ready(restaurantId: string): ReadyMenu | null | Promise<ReadyMenu | null>;
  /** What `ready` would give at once, or null: then `ready` has to be asked. Costs next to nothing. `now` is monotonic. */
  current(restaurantId: string, now?: number): ReadyMenu | null;
  menu(restaurantId: string): Promise<MenuView | null>;
  /** The nearest listed ones first. `deliversHere`: only those whose delivery area holds the point. */
  near(point: Point, limit: number, deliversHere: boolean): Promise<readonly NearRestaurant[]>;
  /** Which restaurants change. */
  readonly feed: MenuFeed;
}

export function createCatalog(deps: {
  readonly clock: Clock;
  readonly index: IndexReader;
  readonly copy: MirrorCopy | null;
  readonly settings?: Partial<CatalogSettings>;
}): Catalog {
  const { clock, index, copy } = deps;
  const settings = { ...DEFAULT_CATALOG_SETTINGS, ...deps.settings };
  const feed = createMenuFeed({ clock, index, settings });
  const menus = createMenus({ clock, index, copy, feed, settings });
  const listing = createListing({ clock, index, feed, listMs: settings.listMs, maxListed: settings.maxListed });
  return {
    ready: (restaurantId) => menus.ready(restaurantId),
    current: (restaurantId, now) => menus.current(restaurantId, now),
    menu: async (restaurantId) => (await menus.ready(restaurantId))?.menu() ?? null,
    near: (point, limit, deliversHere) => listing.near(point, limit, deliversHere),
    feed,
  };
}
