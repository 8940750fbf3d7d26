/** Taking restaurants on, and finding addresses: the operations of this area. */
import { type CATALOG_OPERATIONS, isListed, type MenuView, type OperationHandlers } from "../../protocol/mod.js";
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
        const rows = await index.queryIndex({ kind: "restaurant", scope: "unlisted", limit });
        const restaurants = rows.flatMap(({ at, view }) => {
          const menu = view as unknown as MenuView;
          const { restaurantId, name, lat, lng, address } = menu;
          if (isListed(menu) || menu.status === undefined || (status !== undefined && status !== menu.status))
            return [];
          const named = address === undefined ? {} : { address };
          return [{ restaurantId, name, status: menu.status, lat, lng, ...named, items: menu.items.length, at }];
        });
        return { ok: true, value: { restaurants } };
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
