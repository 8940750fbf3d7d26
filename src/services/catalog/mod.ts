/**
 * Menus for everyone: read from the index, kept ready as bytes. Owns how old a menu may be and how many are kept.
 * Restaurants that changed in this process's sight show at once, through the mirror's `menu:<id>`; all others within
 * twice `menuMs`.
 *
 * Invariants: a menu never goes back to an older `menuVersion` in this process; one read per restaurant at a time; when
 * the index does not answer, the last known menu is used for up to `staleMs` and marked.
 */
import type { Clock } from "../../lib/clock.js";
import { distanceMeters, type Point } from "../../lib/geo.js";
import type { MenuView } from "../../protocol/mod.js";
import type { IndexReader, MirrorCopy } from "./ports.js";

export type { IndexReader, MirrorCopy } from "./ports.js";

export const menuKey = (restaurantId: string): string => `menu:${restaurantId}`;

export interface CatalogSettings {
  readonly maxMenus: number;
  readonly menuMs: number;
  /** How long the last known menu answers while the index is away. */
  readonly staleMs: number;
  /** How old the list of restaurants may be. */
  readonly listMs: number;
  readonly maxListed: number;
}

export const DEFAULT_CATALOG_SETTINGS: CatalogSettings = {
  maxMenus: 20_000,
  menuMs: 1_000,
  staleMs: 15 * 60_000,
  listMs: 5_000,
  maxListed: 20_000,
};

/** A menu with its text, ready to be sent. The object is the same for as long as the menu is. */
export interface ReadyMenu {
  readonly menu: MenuView;
  readonly json: Uint8Array;
  readonly etag: string;
  /** Room for whoever sends it to keep a compressed copy beside it. */
  compressed: Uint8Array | null;
}

export interface RestaurantSummary {
  readonly restaurantId: string;
  readonly name: string;
  readonly lat: number;
  readonly lng: number;
  readonly open: boolean;
  readonly deliveryRadiusMeters: number;
  readonly menuVersion: number;
}

export interface Catalog {
  /** Null when there is no such restaurant. At once when known. Rejects when it has never been read and cannot be. */
  ready(restaurantId: string): ReadyMenu | null | Promise<ReadyMenu | null>;
  menu(restaurantId: string): Promise<MenuView | null>;
  /** The nearest first. `deliversHere`: only those whose delivery area holds the point. */
  near(
    point: Point,
    limit: number,
    deliversHere: boolean,
  ): Promise<readonly (RestaurantSummary & { readonly distanceMeters: number })[]>;
}

interface Kept {
  ready: ReadyMenu | null;
  /** Monotonic. */
  readAt: number;
  loading: Promise<ReadyMenu | null> | null;
}

const PAGE = 1000;
const utf8 = new TextEncoder();

export function createCatalog(deps: {
  readonly clock: Clock;
  readonly index: IndexReader;
  readonly copy: MirrorCopy | null;
  readonly settings?: Partial<CatalogSettings>;
}): Catalog {
  const { clock, index, copy } = deps;
  const settings = { ...DEFAULT_CATALOG_SETTINGS, ...deps.settings };
  const menus = new Map<string, Kept>();
  let list: { readonly at: number; readonly rows: readonly RestaurantSummary[] } | null = null;
  let listing: Promise<readonly RestaurantSummary[]> | null = null;

  function make(menu: MenuView): ReadyMenu {
    return { menu, json: utf8.encode(JSON.stringify(menu)), etag: `"m${menu.menuVersion}"`, compressed: null };
  }

  function newer(kept: Kept, menu: MenuView): void {
    if (kept.ready === null || menu.menuVersion > kept.ready.menu.menuVersion) kept.ready = make(menu);
  }

  function load(restaurantId: string, kept: Kept): Promise<ReadyMenu | null> {
    kept.loading ??= index.queryIndex({ kind: "restaurant", keys: [restaurantId], limit: 1 }).then(
      (rows) => {
        kept.loading = null;
        kept.readAt = clock.monotonic();
        const row = rows[0];
        if (row !== undefined) newer(kept, row.view as unknown as MenuView);
        return kept.ready;
      },
      (error: unknown) => {
        kept.loading = null;
        if (kept.ready !== null && clock.monotonic() - kept.readAt < settings.staleMs) return kept.ready;
        throw error;
      },
    );
    return kept.loading;
  }

  function ready(restaurantId: string): ReadyMenu | null | Promise<ReadyMenu | null> {
    let kept = menus.get(restaurantId);
    if (kept === undefined) {
      if (menus.size >= settings.maxMenus) for (const oldest of menus.keys()) if (menus.delete(oldest)) break;
      kept = { ready: null, readAt: Number.NEGATIVE_INFINITY, loading: null };
      menus.set(restaurantId, kept);
    }
    const mirrored = copy?.get(menuKey(restaurantId)) ?? null;
    if (mirrored !== null) newer(kept, mirrored.value as unknown as MenuView);
    const ageMs = clock.monotonic() - kept.readAt;
    if (ageMs < settings.menuMs) return kept.ready;
    const loading = load(restaurantId, kept);
    if (kept.ready === null || ageMs >= 2 * settings.menuMs) return loading;
    // Just over its time: this caller does not wait for the read, the next one has its result.
    loading.catch(() => {});
    return kept.ready;
  }

  async function readList(): Promise<readonly RestaurantSummary[]> {
    const rows: RestaurantSummary[] = [];
    let before: number | undefined;
    while (rows.length < settings.maxListed) {
      const page = await index.queryIndex({
        kind: "restaurant",
        limit: PAGE,
        ...(before === undefined ? {} : { before }),
      });
      for (const row of page) {
        const menu = row.view as unknown as MenuView;
        rows.push({
          restaurantId: menu.restaurantId,
          name: menu.name,
          lat: menu.lat,
          lng: menu.lng,
          open: menu.open,
          deliveryRadiusMeters: menu.deliveryRadiusMeters,
          menuVersion: menu.menuVersion,
        });
      }
      const last = page.at(-1);
      if (page.length < PAGE || last === undefined || last.at === before) break;
      before = last.at;
    }
    list = { at: clock.monotonic(), rows };
    return rows;
  }

  return {
    ready,
    menu: async (restaurantId) => (await ready(restaurantId))?.menu ?? null,
    async near(point, limit, deliversHere) {
      let rows = list?.rows;
      if (list === null || rows === undefined || clock.monotonic() - list.at >= settings.listMs) {
        listing ??= readList().finally(() => {
          listing = null;
        });
        // The last list is better than none while the index is away.
        rows = list === null ? await listing : await listing.catch(() => list!.rows);
      }
      const nearby = rows.map((row) => ({ ...row, distanceMeters: Math.round(distanceMeters(point, row)) }));
      const wanted = deliversHere ? nearby.filter((row) => row.distanceMeters <= row.deliveryRadiusMeters) : nearby;
      wanted.sort((a, b) => a.distanceMeters - b.distanceMeters || (a.restaurantId < b.restaurantId ? -1 : 1));
      return wanted.slice(0, limit);
    },
  };
}
