/** The parts of a city: which channels tell of them, and in which of them somebody is. */
import { ROLES } from "../commands.js";
import { Id, Lat, Lng, Strict, Text, Type } from "../schemas.js";
import { operations } from "./operation.js";

export const CITY_OPERATIONS = operations({
  "city.zones": {
    method: "GET",
    path: "/v1/city/zones",
    summary: "The zones around a point: each is a channel `zone:<cell>` with its drivers and orders, live.",
    access: ["support", "admin"],
    tier: "browse",
    query: Strict({
      lat: Lat,
      lng: Lng,
      /** Default 8,000. */
      radiusMeters: Type.Optional(Type.Integer({ minimum: 100, maximum: 25_000 })),
    }),
    reply: Strict({ zones: Type.Array(Text(32), { maxItems: 100 }) }),
  },
  "city.zone": {
    method: "GET",
    path: "/v1/city/zone",
    summary: "The zone that a point lies in: `announcements:<zone>` tells what those who are there are told.",
    access: ROLES,
    tier: "browse",
    query: Strict({ lat: Lat, lng: Lng }),
    reply: Strict({ zone: Id }),
  },
});
