/** Finding something to eat. */
import { Strict, Type } from "../schemas.js";
import {
  OrdersAgain,
  PopularQuery,
  PopularRestaurants,
  SearchQuery,
  SearchResults,
  SearchTerms,
  SearchTermsQuery,
  SuggestionQuery,
  Suggestions,
} from "../search.js";
import { operations } from "./operation.js";

export const SEARCH_OPERATIONS = operations({
  "search.search": {
    method: "GET",
    path: "/v1/search",
    summary: "Restaurants and dishes near a point: by text, cuisine, diet, price, rating; with counts and pages.",
    access: "anyone",
    tier: "search",
    query: SearchQuery,
    reply: SearchResults,
    refusals: ["cursor_invalid", "unavailable", "overloaded"],
  },
  "search.suggest": {
    method: "GET",
    path: "/v1/search/suggestions",
    summary: "What somebody who is still typing may mean, of what delivers to a point.",
    access: "anyone",
    tier: "search",
    query: SuggestionQuery,
    reply: Suggestions,
    refusals: ["unavailable", "overloaded"],
  },
  "search.popular": {
    method: "GET",
    path: "/v1/recommendations/popular",
    summary: "What is ordered most of what is open and delivers to a point.",
    access: "anyone",
    tier: "search",
    query: PopularQuery,
    reply: PopularRestaurants,
    refusals: ["unavailable", "overloaded"],
  },
  "search.again": {
    method: "GET",
    path: "/v1/recommendations/again",
    summary: "What the customer has ordered before, with today's prices and availability.",
    access: ["customer"],
    tier: "browse",
    query: Strict({ limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 20 })) }),
    reply: OrdersAgain,
    refusals: ["unavailable"],
  },
  "search.terms": {
    method: "GET",
    path: "/v1/admin/searches",
    summary: "What was searched for, and what found nothing; never by whom or from where.",
    access: ["support", "admin"],
    tier: "browse",
    query: SearchTermsQuery,
    reply: SearchTerms,
    refusals: ["unavailable"],
  },
});
