/** Taking restaurants on, and finding addresses: the operations of this area. */
import { pageByAge } from "../../lib/page.js";
import {
  type CATALOG_OPERATIONS,
  isListed,
  type MenuView,
  type OperationHandlers,
  type UnlistedRestaurant,
} from "../../protocol/mod.js";
import { createFounding, digest } from "./founding.js";
import type { ActorClient, AddressBook, IndexReader } from "./ports.js";

export interface CatalogOperationsDeps {
  readonly client: ActorClient;
  readonly index: IndexReader;
  readonly addresses: AddressBook;
  readonly timeoutMs: number;
}

const UNLISTED_DEFAULT = 50;
const PLACES_DEFAULT = 5;
/** Menus come with them. */
const UNLISTED_PAGE = 100;
const MOST_PAGES = 100;

export function catalogOperations(deps: CatalogOperationsDeps): OperationHandlers<typeof CATALOG_OPERATIONS> {
  const { index, addresses } = deps;
  const founding = createFounding(deps);

  return {
    async "restaurants.create"({ caller, key: idempotencyKey, body }) {
      const { restaurantId: wanted, ...opening } = body;
      const located = await founding.locate(opening);
      if (!located.ok) return located;
      // The same key always names the same restaurant, so that a retry finds what the first try made.
      const key = `restaurants.create\n${caller.id}\n${idempotencyKey}`;
      const restaurantId = wanted ?? `r-${digest(key).slice(0, 20)}`;
      const founded = await founding.found(restaurantId, located.value, { key, caller });
      if (!founded.ok) return founded;
      const { lat, lng, address } = located.value;
      const where = { lat, lng, ...(address === undefined ? {} : { address }) };
      return { ok: true, value: { restaurantId, status: "draft", ...where, menuVersion: founded.menuVersion } };
    },

    async "restaurants.unlisted"({ query: { status, limit = UNLISTED_DEFAULT } }) {
      try {
        const restaurants: UnlistedRestaurant[] = [];
        // Of those in question there may be few among many others.
        for (let pages = 0, before: number | undefined; pages < MOST_PAGES && restaurants.length < limit; pages++) {
          const since = before === undefined ? {} : { before };
          const { rows, nextBefore } = await pageByAge(
            (most) => index.queryIndex({ kind: "restaurant", scope: "unlisted", ...since, limit: most }),
            ({ at }) => at,
            UNLISTED_PAGE,
          );
          for (const row of rows) {
            const found = unlistedOf(row);
            if (found !== null && (status === undefined || status === found.status)) restaurants.push(found);
          }
          if (nextBefore === undefined) break;
          before = nextBefore;
        }
        return { ok: true, value: { restaurants: restaurants.slice(0, limit) } };
      } catch {
        return { ok: false, code: "unavailable" };
      }
    },

    async "places.find"({ query: { q, limit = PLACES_DEFAULT } }) {
      try {
        return { ok: true, value: { places: [...(await addresses.find(q, limit))] } };
      } catch {
        return { ok: false, code: "unavailable" };
      }
    },
  };
}

function unlistedOf({ at, view }: { readonly at: number; readonly view: unknown }): UnlistedRestaurant | null {
  const menu = view as MenuView;
  const { restaurantId, name, status, lat, lng, address } = menu;
  if (isListed(menu) || status === undefined) return null;
  const named = address === undefined ? {} : { address };
  return { restaurantId, name, status, lat, lng, ...named, items: menu.items.length, at };
}
