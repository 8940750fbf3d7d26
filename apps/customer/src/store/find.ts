/** Finding something to eat: restaurants near a place, by what was typed and chosen. */
import type { FoundRestaurant, SearchResults } from "../../../../sdk/mod.js";
import type { Point } from "../../../../src/lib/geo.js";
import { open } from "./server.js";

export interface Wish {
  readonly at: Point;
  readonly text: string;
  readonly cuisine: string | null;
  readonly openNow: boolean;
  readonly sort: "relevance" | "distance" | "eta" | "rating";
}

const PAGE = 24;

export function find(wish: Wish, cursor: string | undefined, signal?: AbortSignal): Promise<SearchResults> {
  const { at, text, cuisine, openNow, sort } = wish;
  return open.get<SearchResults>(
    "/v1/search",
    {
      lat: round(at.lat),
      lng: round(at.lng),
      q: text.trim() === "" ? undefined : text.trim(),
      cuisine: cuisine === null ? undefined : [cuisine],
      open: openNow,
      sort: sort === "relevance" ? undefined : sort,
      limit: PAGE,
      cursor,
    },
    signal,
  );
}

/** Ten metres are exact enough for a list, and let neighbours share an answer. */
const round = (degrees: number): number => Math.round(degrees * 1e4) / 1e4;

export type { FoundRestaurant };
