/** Taking restaurants on, and finding addresses: the operations of this area. */
import { createHash } from "node:crypto";
import { actorRef } from "../../actors/runtime/mod.js";
import {
  type CATALOG_OPERATIONS,
  type ErrorCode,
  isErrorCode,
  isListed,
  type MenuView,
  type NewRestaurant,
  type OperationHandlers,
  type OperationResult,
  type RestaurantProfile,
} from "../../protocol/mod.js";
import type { ActorClient, AddressBook, IndexReader } from "./ports.js";

export interface CatalogOperationsDeps {
  readonly client: ActorClient;
  readonly index: IndexReader;
  readonly addresses: AddressBook;
  readonly timeoutMs: number;
}

type Founding = { readonly profile: Omit<RestaurantProfile, "items"> };
const Restaurant = actorRef<{ found: { input: Founding; reply: { readonly menuVersion: number } } }>("restaurant");

const UNLISTED_DEFAULT = 50;
const PLACES_DEFAULT = 5;
const digest = (text: string): string => createHash("sha256").update(text).digest("base64url");

interface Refused {
  readonly ok: false;
  readonly code: ErrorCode;
  readonly detail?: NonNullable<Extract<OperationResult, { ok: false }>["detail"]>;
}

export function catalogOperations(deps: CatalogOperationsDeps): OperationHandlers<typeof CATALOG_OPERATIONS> {
  const { client, index, addresses, timeoutMs } = deps;

  /** A point as it was given, or where the address lies. */
  async function placeOf({
    lat,
    lng,
    address,
  }: NewRestaurant): Promise<
    { readonly ok: true; readonly lat: number; readonly lng: number; readonly address?: string } | Refused
  > {
    if (lat !== undefined && lng !== undefined) {
      return { ok: true, lat, lng, ...(address === undefined ? {} : { address }) };
    }
    if (address === undefined || lat !== undefined || lng !== undefined) {
      return { ok: false, code: "invalid", detail: { path: "/lat", problem: "give lat and lng, or an address" } };
    }
    try {
      const [found] = await addresses.find(address, 1);
      if (found === undefined) return { ok: false, code: "address_unknown", detail: { path: "/address" } };
      return { ok: true, lat: found.lat, lng: found.lng, address: found.address };
    } catch {
      return { ok: false, code: "unavailable" };
    }
  }

  return {
    async "restaurants.create"({ caller, key, body }) {
      const { restaurantId: wanted, lat: _lat, lng: _lng, address: _address, ...described } = body;
      const place = await placeOf(body);
      if (!place.ok) return place;
      const { ok: _ok, ...where } = place;
      // The same key always names the same restaurant, so that a retry finds what the first try made.
      const commandId = digest(`restaurants.create\n${caller.id}\n${key}`).slice(0, 27);
      const restaurantId = wanted ?? `r-${commandId.slice(0, 20)}`;
      const answer = await client.ask(
        Restaurant,
        restaurantId,
        "found",
        { profile: { ...described, ...where } },
        { commandId, bodyHash: digest(JSON.stringify(body)).slice(0, 22), caller, timeoutMs },
      );
      if (answer.ok) {
        return { ok: true, value: { restaurantId, status: "draft", ...where, menuVersion: answer.value.menuVersion } };
      }
      const { code, detail, retryAfterMs } = answer.error;
      return {
        ok: false,
        code: isErrorCode(code) ? code : "internal",
        ...(detail === undefined ? {} : { detail }),
        ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      };
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
