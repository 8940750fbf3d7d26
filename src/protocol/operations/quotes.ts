/** When dinner would come. */
import { Count, Currency, Id, Lat, Lng, Millis, Minor, type Static, Strict, Type } from "../schemas.js";
import { operations } from "./operation.js";

/** When an order would arrive that is placed now. Promises nothing. Times are milliseconds since the epoch. */
export const ArrivalQuote = Strict({
  restaurantId: Id,
  at: Millis,
  open: Type.Boolean(),
  /** False: the destination is beyond the delivery area. */
  delivers: Type.Boolean(),
  /** Of ten orders one would come before `earliest`, five before `expected`, eight before `likely`, nine before `latest`. */
  earliest: Millis,
  expected: Millis,
  likely: Millis,
  latest: Millis,
  currency: Currency,
  deliveryFeeMinor: Minor,
  distanceMeters: Count(50_000_000),
  travelMs: Type.Number({ minimum: 0 }),
  preparationMs: Type.Number({ minimum: 0 }),
  /** What it rests on: the restaurant's own record, or what is usual while it does not answer. */
  basis: Type.Union([Type.Literal("learned"), Type.Literal("usual")]),
  /** `built-in`, or the name of the router that was asked. */
  router: Type.String({ maxLength: 64 }),
});
export type ArrivalQuote = Static<typeof ArrivalQuote>;

export const QUOTE_OPERATIONS = operations({
  "quotes.quote": {
    method: "GET",
    path: "/v1/restaurants/:restaurantId/quote",
    summary: "When an order would arrive that is placed now, as a range.",
    // Public, like the menu: it tells nothing about anybody.
    access: "anyone",
    tier: "browse",
    params: Strict({ restaurantId: Id }),
    query: Strict({ lat: Lat, lng: Lng }),
    reply: ArrivalQuote,
    refusals: ["restaurant_unknown", "unavailable"],
  },
});
