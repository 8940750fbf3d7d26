/** Taking restaurants on, and finding addresses. Menus are read by `GET /v1/restaurants/{id}/menu`. */
import { RESTAURANT_STATUSES, RestaurantProfile, RestaurantStatusName } from "../menus.js";
import { Count, Id, Lat, Lng, Millis, type Static, Strict, Text, Type } from "../schemas.js";
import { operations } from "./operation.js";

const { items: _items, lat: _lat, lng: _lng, address: _address, ...described } = RestaurantProfile.properties;

/** A restaurant that somebody would open. Where it is: a point, or an address that the node looks up. */
export const OpeningRestaurant = Strict({
  ...described,
  lat: Type.Optional(Lat),
  lng: Type.Optional(Lng),
  address: Type.Optional(Text(200)),
});
export type OpeningRestaurant = Static<typeof OpeningRestaurant>;

/** A restaurant before its first menu. */
export const NewRestaurant = Strict({
  /** Absent: the node makes one. The accounts of its people are for this id. */
  restaurantId: Type.Optional(Id),
  ...OpeningRestaurant.properties,
});
export type NewRestaurant = Static<typeof NewRestaurant>;

export const FoundedRestaurant = Strict({
  restaurantId: Id,
  status: RestaurantStatusName,
  lat: Lat,
  lng: Lng,
  /** As the gazetteer writes it, where it was looked up. */
  address: Type.Optional(Text(200)),
  menuVersion: Count(Number.MAX_SAFE_INTEGER),
});
export type FoundedRestaurant = Static<typeof FoundedRestaurant>;

export const FoundPlace = Strict({
  address: Text(200),
  lat: Lat,
  lng: Lng,
  /** Who says so: `built-in`, or the name of the server that was asked. */
  source: Type.String({ maxLength: 64 }),
});
export type FoundPlace = Static<typeof FoundPlace>;

export const UnlistedRestaurant = Strict({
  restaurantId: Id,
  name: Text(120),
  status: RestaurantStatusName,
  address: Type.Optional(Text(200)),
  lat: Lat,
  lng: Lng,
  items: Count(500),
  /** When it last changed. */
  at: Millis,
});
export type UnlistedRestaurant = Static<typeof UnlistedRestaurant>;

export const CATALOG_OPERATIONS = operations({
  "restaurants.create": {
    method: "POST",
    path: "/v1/restaurants",
    summary: "A new restaurant as a draft: found on the map, not listed until an admin has verified it.",
    access: ["admin"],
    tier: "command",
    body: NewRestaurant,
    reply: FoundedRestaurant,
    refusals: ["already_exists", "address_unknown", "unavailable", "timeout"],
  },
  "restaurants.unlisted": {
    method: "GET",
    path: "/v1/admin/restaurants",
    summary: "Restaurants that wait to be verified, or are suspended; those that changed last first.",
    access: ["admin", "support"],
    tier: "browse",
    query: Strict({
      status: Type.Optional(Type.Enum(RESTAURANT_STATUSES)),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200 })),
    }),
    reply: Strict({ restaurants: Type.Array(UnlistedRestaurant, { maxItems: 200 }) }),
    refusals: ["unavailable"],
  },
  "places.find": {
    method: "GET",
    path: "/v1/places",
    summary: "Where an address lies: the best matches first.",
    access: "anyone",
    tier: "search",
    query: Strict({
      q: Type.String({ minLength: 1, maxLength: 200, pattern: "^[^\\u0000\\ud800-\\udfff]*$" }),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 10 })),
    }),
    reply: Strict({ places: Type.Array(FoundPlace, { maxItems: 10 }) }),
    refusals: ["unavailable"],
  },
});
