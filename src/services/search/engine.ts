/**
 * Search itself, on whatever thread it runs: the catalogue in memory, the lists, the counting of what was searched for.
 * Answers are texts ready to be sent. Owns the lists' bound and what is counted; its parts are in the files beside it.
 *
 * Invariants: a customer's position is used for the answer at hand and is in no log, no count and no row; lists are kept
 * by cell, and of whom is not known here. Before the catalogue has been read nothing is answered.
 */
import { type Clock, sleep } from "../../lib/clock.js";
import type { Log } from "../../lib/log.js";
import type { Metrics } from "../../lib/metrics.js";
import type {
  FoundRestaurant,
  PopularQuery,
  SearchQuery,
  SearchResults,
  SearchTerms,
  SearchTermsQuery,
  SuggestionQuery,
  Suggestions,
} from "../../protocol/mod.js";
import { Catalogue } from "./catalogue.js";
import { cellOf } from "./cells.js";
import { type PageEnd, readCursor, searchHash, writeCursor } from "./cursor.js";
import { createFeed, type Feed, type FeedSettings } from "./feed.js";
import { RankedLists } from "./lists.js";
import { measureSearch } from "./measure.js";
import { pageOf } from "./page.js";
import { Plans } from "./plan.js";
import type { RatingSource, SearchSource, SearchTermStore } from "./ports.js";
import { DEFAULT_RANK_WEIGHTS, type RankSort, type RankWeights } from "./rank.js";
import { suggestionsFor } from "./suggest.js";
import { createSynonyms, NO_SYNONYMS, type SynonymTable } from "./synonyms.js";
import { SearchTermCounter } from "./terms.js";

export interface SearchSettings {
  readonly feed: Partial<FeedSettings>;
  readonly weights: RankWeights;
  readonly synonyms: SynonymTable;
  /** Ranked lists in memory. */
  readonly maxListBytes: number;
  /** Understood texts in memory. */
  readonly maxPlans: number;
  readonly termsFlushMs: number;
}

export const DEFAULT_SEARCH_SETTINGS: SearchSettings = {
  feed: {},
  weights: DEFAULT_RANK_WEIGHTS,
  synonyms: NO_SYNONYMS,
  maxListBytes: 64 * 1024 * 1024,
  maxPlans: 512,
  termsFlushMs: 60_000,
};

/** What can be asked, by name. */
export interface SearchQuestions {
  search: { readonly query: SearchQuery; readonly reply: SearchResults };
  suggest: { readonly query: SuggestionQuery; readonly reply: Suggestions };
  popular: { readonly query: PopularQuery; readonly reply: { readonly restaurants: readonly FoundRestaurant[] } };
  terms: { readonly query: SearchTermsQuery; readonly reply: SearchTerms };
}
export type SearchQuestion = keyof SearchQuestions;

export type SearchAnswer =
  | { readonly ok: true; readonly json: Uint8Array }
  | { readonly ok: false; readonly code: "cursor_invalid" | "unavailable" | "internal" };

export interface SearchEngine {
  /** Resolves once the catalogue has been read. */
  start(): Promise<void>;
  ask<Q extends SearchQuestion>(question: Q, query: SearchQuestions[Q]["query"]): SearchAnswer | Promise<SearchAnswer>;
  stop(): Promise<void>;
  readonly feed: Feed;
}

const DEFAULT_LIMIT = 20;
const DEFAULT_SUGGESTIONS = 8;
const DEFAULT_TERMS = 100;
const DEFAULT_DAYS = 7;
const NEARBY_METERS = 10_000;
/** So that neighbouring radii share a list. */
const RADIUS_STEPS = [1_000, 2_500, 5_000, 10_000, 25_000, 50_000] as const;
const STOP_PATIENCE_MS = 2_000;

const utf8 = new TextEncoder();
const UNAVAILABLE: SearchAnswer = { ok: false, code: "unavailable" };
const readyText = (json: string): SearchAnswer => ({ ok: true, json: utf8.encode(json) });
const ready = (value: unknown): SearchAnswer => readyText(JSON.stringify(value));

export function createSearchEngine(options: {
  readonly source: SearchSource;
  readonly terms: SearchTermStore;
  /** Left out: nobody is rated. */
  readonly ratings?: RatingSource;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly settings?: Partial<SearchSettings>;
}): SearchEngine {
  const { clock } = options;
  const log = options.log.child({ part: "search" });
  const settings: SearchSettings = { ...DEFAULT_SEARCH_SETTINGS, ...options.settings };
  const { weights } = settings;
  const catalogue = new Catalogue();
  const plans = new Plans(catalogue.vocabulary, createSynonyms(settings.synonyms), settings.maxPlans);
  const lists = new RankedLists(catalogue, weights, settings.maxListBytes);
  const counter = new SearchTermCounter(options.terms, clock);
  const feed = createFeed({
    source: options.source,
    ratings: options.ratings ?? null,
    catalogue,
    clock,
    log,
    settings: settings.feed,
    onWhole: () => catalogue.judgeBands(),
  });
  const observe = measureSearch(options.metrics, { catalogue, lists, feed, counter });
  const flushTerms = (): Promise<void> =>
    counter.flush().catch((error: unknown) => log.debug({ error }, "Counted searches wait for the store"));
  const stopFlushing = clock.every(settings.termsFlushMs, () => void flushTerms());

  const pageDeps = { catalogue, weights };

  function search(query: SearchQuery): SearchAnswer {
    const cell = cellOf(query);
    const plan = plans.of(query.q ?? "");
    const sort: RankSort = query.sort ?? "relevance";
    const asked = withDefaults(query);
    const withinMeters = asked.delivers === false ? stepOf(asked.radiusMeters ?? NEARBY_METERS) : null;
    // Only a search of several pages has to be known again.
    const hash = (): Buffer => hashOf(asked, cell.key, plan?.key ?? "");
    let after: PageEnd | null = null;
    if (query.cursor !== undefined) {
      after = readCursor(hash(), query.cursor);
      if (after === null) return { ok: false, code: "cursor_invalid" };
    }
    const list = lists.listOf({ cell, plan, sort, withinMeters });
    const page = pageOf(pageDeps, list, asked, plan, after, query.limit ?? DEFAULT_LIMIT);
    const { restaurants, total, facets, end } = page;
    if (query.q !== undefined && after === null) counter.count(query.q, total === 0);
    const more: Omit<SearchResults, "restaurants"> = {
      total,
      facets,
      corrections: [...(plan?.corrections ?? [])],
      ...(end === null ? {} : { nextCursor: writeCursor(hash(), end) }),
    };
    return readyText(`{"restaurants":${restaurants},${JSON.stringify(more).slice(1)}`);
  }

  function suggest({ lat, lng, q, limit = DEFAULT_SUGGESTIONS }: SuggestionQuery): SearchAnswer {
    const point = { lat, lng };
    const nearby = lists.listOf({ cell: cellOf(point), plan: null, sort: "relevance", withinMeters: null });
    return ready({ suggestions: suggestionsFor(catalogue, nearby, point, q, limit) });
  }

  function popular({ lat, lng, limit = DEFAULT_LIMIT }: PopularQuery): SearchAnswer {
    const list = lists.listOf({ cell: cellOf({ lat, lng }), plan: null, sort: "popularity", withinMeters: null });
    const { restaurants } = pageOf(pageDeps, list, { lat, lng }, null, null, limit);
    return readyText(`{"restaurants":${restaurants}}`);
  }

  async function terms(query: SearchTermsQuery): Promise<SearchAnswer> {
    const { days = DEFAULT_DAYS, order = "searches", limit = DEFAULT_TERMS } = query;
    // What this node has counted is in the answer too.
    await flushTerms();
    try {
      return ready({ terms: await counter.top(days, order, limit) });
    } catch (error) {
      log.debug({ error }, "Counted searches could not be read");
      return UNAVAILABLE;
    }
  }

  function answer(question: SearchQuestion, query: unknown): SearchAnswer | Promise<SearchAnswer> {
    if (question === "terms") return terms(query as SearchTermsQuery);
    if (!feed.stats().ready) return UNAVAILABLE;
    switch (question) {
      case "search":
        return search(query as SearchQuery);
      case "suggest":
        return suggest(query as SuggestionQuery);
      case "popular":
        return popular(query as PopularQuery);
    }
  }

  return {
    feed,
    start: () => feed.start(),
    ask(question, query) {
      const beganAt = clock.monotonic();
      const misses = lists.stats.misses;
      try {
        return answer(question, query);
      } catch (error) {
        // The question is not told: it may say where somebody is.
        log.error({ error, question }, "A search failed");
        return { ok: false, code: "internal" };
      } finally {
        observe(question, lists.stats.misses > misses, clock.monotonic() - beganAt);
      }
    },
    async stop() {
      stopFlushing();
      feed.stop();
      await Promise.race([flushTerms(), sleep(clock, STOP_PATIENCE_MS)]);
    },
  };
}

/** Searches nearby have a radius. */
function withDefaults(query: SearchQuery): SearchQuery {
  return query.delivers === false && query.radiusMeters === undefined
    ? { ...query, radiusMeters: NEARBY_METERS }
    : query;
}

const stepOf = (radiusMeters: number): number => RADIUS_STEPS.find((step) => step >= radiusMeters) ?? 50_000;

/** All that decides what is on a list and in which order. The point itself does by its cell. */
function hashOf(query: SearchQuery, cell: string, text: string): Buffer {
  const listOf = (values: readonly string[] | undefined): string => [...(values ?? [])].sort().join(",");
  const { delivers, radiusMeters, open, cuisine, diet, price, minRating, sort } = query;
  return searchHash([
    ...[cell, text, delivers ?? true, radiusMeters ?? 0, open ?? true, listOf(cuisine), listOf(diet), listOf(price)],
    ...[minRating ?? 0, sort ?? "relevance"],
  ]);
}
