/** Where a city's live picture is: which channels tell of a part of it. */
import { Lat, Lng, Strict, Text, Type } from "../schemas.js";
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
});
