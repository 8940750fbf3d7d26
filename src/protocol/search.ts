/** Searching for something to eat: what is asked and what is found, as clients see it. */
import { Count, Currency, Id, Lat, Lng, Millis, Minor, type Static, Strict, Text, Type } from "./schemas.js";

export const MAX_SEARCH_PAGE = 50;
/** Words longer than any dish's name find nothing. */
export const MAX_SEARCH_TEXT = 120;

export const SEARCH_SORTS = ["relevance", "distance", "rating", "eta", "price"] as const;
export type SearchSort = (typeof SEARCH_SORTS)[number];

const Name = Text(60);
const oneOf = <const T extends readonly string[]>(values: T) =>
  Type.Unsafe<T[number]>({ type: "string", enum: [...values], maxLength: 16 });

/** From 1, the cheapest quarter of the restaurants of this currency, to 4, the dearest. */
export const PriceBand = Type.Integer({ minimum: 1, maximum: 4 });

/** What is asked. A customer's position serves this one answer: it is neither stored nor logged. */
export const SearchQuery = Strict({
  lat: Lat,
  lng: Lng,
  /** Restaurants, cuisines and dishes alike; typos and other words for the same are understood. */
  q: Type.Optional(Text(MAX_SEARCH_TEXT)),
  /** Default true: only those whose delivery area holds the point. */
  delivers: Type.Optional(Type.Boolean()),
  /** At most so far away. Default 10,000 where `delivers` is false. */
  radiusMeters: Type.Optional(Type.Integer({ minimum: 50, maximum: 50_000 })),
  /** Default true: only those that take orders now. */
  open: Type.Optional(Type.Boolean()),
  /** Any of these. */
  cuisine: Type.Optional(Type.Array(Name, { maxItems: 12 })),
  /** All of these; with a text, dishes that are all of these. */
  diet: Type.Optional(Type.Array(Name, { maxItems: 8 })),
  /** Any of these price bands, 1 to 4. */
  price: Type.Optional(Type.Array(Type.String({ pattern: "^[1-4]$", maxLength: 1 }), { maxItems: 4 })),
  minRating: Type.Optional(Type.Number({ minimum: 0, maximum: 5 })),
  sort: Type.Optional(oneOf(SEARCH_SORTS)),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_SEARCH_PAGE })),
  /** `nextCursor` of the page before; everything else as it was then. */
  cursor: Type.Optional(Type.String({ pattern: "^[A-Za-z0-9_-]+$", maxLength: 200 })),
});
export type SearchQuery = Static<typeof SearchQuery>;

export const SearchRating = Strict({ average: Type.Number({ minimum: 0, maximum: 5 }), count: Count(1_000_000_000) });
export type SearchRating = Static<typeof SearchRating>;

/** A dish that can be ordered now. */
export const FoundDish = Strict({
  itemId: Id,
  name: Text(120),
  priceMinor: Minor,
  imageUrl: Type.Optional(Type.String({ maxLength: 2048 })),
});
export type FoundDish = Static<typeof FoundDish>;

export const FoundRestaurant = Strict({
  restaurantId: Id,
  name: Text(120),
  lat: Lat,
  lng: Lng,
  distanceMeters: Count(50_000_000),
  open: Type.Boolean(),
  delivers: Type.Boolean(),
  cuisines: Type.Array(Name, { maxItems: 32 }),
  /** What at least one of its dishes is. */
  diets: Type.Array(Name, { maxItems: 32 }),
  priceBand: Type.Optional(PriceBand),
  rating: Type.Optional(SearchRating),
  currency: Currency,
  deliveryFeeMinor: Minor,
  minimumOrderMinor: Type.Optional(Minor),
  /** A rough figure for a list; `GET /v1/restaurants/{id}/quote` says it exactly. */
  etaMinutes: Count(10_000),
  imageUrl: Type.Optional(Type.String({ maxLength: 2048 })),
  menuVersion: Count(Number.MAX_SAFE_INTEGER),
  /** With a text: what it matched, the best first. Without: nothing. */
  dishes: Type.Array(FoundDish, { maxItems: 3 }),
});
export type FoundRestaurant = Static<typeof FoundRestaurant>;

export const FacetCount = Strict({ value: Name, count: Count(1_000_000_000) });
export type FacetCount = Static<typeof FacetCount>;
const Facet = Type.Array(FacetCount, { maxItems: 64 });

export const SearchResults = Strict({
  restaurants: Type.Array(FoundRestaurant, { maxItems: MAX_SEARCH_PAGE }),
  /** Of all pages. */
  total: Count(1_000_000_000),
  /** How many there would be with this value, the facet's own choice aside and all others kept. */
  facets: Strict({ cuisine: Facet, diet: Facet, price: Facet }),
  /** What was searched for in place of what was typed. */
  corrections: Type.Array(Strict({ typed: Name, used: Name }), { maxItems: 16 }),
  /** Absent on the last page. */
  nextCursor: Type.Optional(Type.String({ maxLength: 200 })),
});
export type SearchResults = Static<typeof SearchResults>;

export const SuggestionQuery = Strict({
  lat: Lat,
  lng: Lng,
  q: Type.String({ minLength: 1, maxLength: 60, pattern: "^[^\\u0000\\ud800-\\udfff]*$" }),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 20 })),
});
export type SuggestionQuery = Static<typeof SuggestionQuery>;

export const SUGGESTION_KINDS = ["dish", "restaurant", "cuisine"] as const;

export const Suggestion = Strict({
  kind: oneOf(SUGGESTION_KINDS),
  text: Text(120),
  /** Of a restaurant. */
  restaurantId: Type.Optional(Id),
  /** How many restaurants that deliver here have it. */
  restaurants: Count(1_000_000_000),
});
export type Suggestion = Static<typeof Suggestion>;

export const Suggestions = Strict({ suggestions: Type.Array(Suggestion, { maxItems: 20 }) });
export type Suggestions = Static<typeof Suggestions>;

export const PopularQuery = Strict({
  lat: Lat,
  lng: Lng,
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_SEARCH_PAGE })),
});
export type PopularQuery = Static<typeof PopularQuery>;

export const PopularRestaurants = Strict({
  restaurants: Type.Array(FoundRestaurant, { maxItems: MAX_SEARCH_PAGE }),
});
export type PopularRestaurants = Static<typeof PopularRestaurants>;

/** What the customer had before, as it would be today. */
export const OrderAgain = Strict({
  restaurantId: Id,
  name: Text(120),
  open: Type.Boolean(),
  times: Count(1_000),
  lastOrderId: Id,
  lastPlacedAt: Millis,
  currency: Currency,
  lines: Type.Array(
    Strict({
      itemId: Id,
      name: Text(120),
      quantity: Count(99),
      /** Today's price; absent when the dish is gone from the menu. */
      unitPriceMinor: Type.Optional(Minor),
      /** What was chosen with it, as `order.place` takes it; `priceMinor` is today's, absent when the choice is gone. */
      options: Type.Optional(
        Type.Array(Strict({ groupId: Id, choiceId: Id, name: Text(80), priceMinor: Type.Optional(Minor) }), {
          maxItems: 60,
        }),
      ),
      /** True: it can be ordered like this today. */
      available: Type.Boolean(),
    }),
    { maxItems: 50 },
  ),
});
export type OrderAgain = Static<typeof OrderAgain>;

export const OrdersAgain = Strict({ again: Type.Array(OrderAgain, { maxItems: 20 }) });
export type OrdersAgain = Static<typeof OrdersAgain>;

export const SearchTermsQuery = Strict({
  /** Days back, today included. Default 7. */
  days: Type.Optional(Type.Integer({ minimum: 1, maximum: 90 })),
  /** Default `searches`; `nothing`: those that found nothing, the most frequent first. */
  order: Type.Optional(oneOf(["searches", "nothing"])),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500 })),
});
export type SearchTermsQuery = Static<typeof SearchTermsQuery>;

/** Words without anybody: who searched, and from where, is kept nowhere. */
export const SearchTerm = Strict({
  text: Text(MAX_SEARCH_TEXT),
  searches: Count(Number.MAX_SAFE_INTEGER),
  foundNothing: Count(Number.MAX_SAFE_INTEGER),
});
export type SearchTerm = Static<typeof SearchTerm>;

export const SearchTerms = Strict({ terms: Type.Array(SearchTerm, { maxItems: 500 }) });
export type SearchTerms = Static<typeof SearchTerms>;
