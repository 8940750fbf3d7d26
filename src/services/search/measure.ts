/** What search tells about itself (R-SRC-3: the hit ratio is hits over hits and misses). */
import type { Metrics } from "../../lib/metrics.js";
import type { Catalogue } from "./catalogue.js";
import type { Feed } from "./feed.js";
import type { RankedLists } from "./lists.js";
import type { SearchTermCounter } from "./terms.js";

/** Returns what notes one question: its name, whether a list had to be made for it, and how long it took. */
export function measureSearch(
  metrics: Metrics,
  parts: {
    readonly catalogue: Catalogue;
    readonly lists: RankedLists;
    readonly feed: Feed;
    readonly counter: SearchTermCounter;
  },
): (question: string, made: boolean, tookMs: number) => void {
  const { catalogue, lists, feed, counter } = parts;
  const took = metrics.histogram({
    name: "swift_search_answer_ms",
    help: "Time to answer a question about the catalogue, by what it was and whether a ranked list had to be made.",
    labels: ["question", "list"],
    buckets: [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500],
  });
  metrics.gaugeOf(
    { name: "swift_search_restaurants_count", help: "Restaurants that can be found." },
    () => catalogue.restaurants,
  );
  metrics.gaugeOf({ name: "swift_search_dishes_count", help: "Dishes that can be found." }, () => catalogue.dishes);
  metrics.gaugeOf(
    { name: "swift_search_words_count", help: "Distinct words of the catalogue." },
    () => catalogue.vocabulary.words,
  );
  metrics.gaugeOf({ name: "swift_search_lists_count", help: "Ranked lists in memory." }, () => lists.size);
  metrics.gaugeOf({ name: "swift_search_lists_bytes", help: "Memory of the ranked lists." }, () => lists.bytes);
  metrics.gaugeOf(
    { name: "swift_search_list_hits_count", help: "Searches that found their ranked list in memory." },
    () => lists.stats.hits,
  );
  metrics.gaugeOf(
    { name: "swift_search_list_misses_count", help: "Searches for which a ranked list was made." },
    () => lists.stats.misses,
  );
  metrics.gaugeOf(
    { name: "swift_search_list_mended_count", help: "Lists in memory that were brought up to date." },
    () => lists.stats.mended,
  );
  metrics.gaugeOf(
    { name: "swift_search_list_evicted_count", help: "Lists that made room for others." },
    () => lists.stats.evicted,
  );
  metrics.gaugeOf(
    { name: "swift_search_behind_ms", help: "How long ago the log of changes was read." },
    () => feed.stats().behindMs,
  );
  metrics.gaugeOf(
    { name: "swift_search_build_ms", help: "How long the first reading of the catalogue took." },
    () => feed.stats().buildMs,
  );
  metrics.gaugeOf(
    { name: "swift_search_changes_count", help: "Restaurants that came, changed or went since." },
    () => feed.stats().changes,
  );
  metrics.gaugeOf(
    { name: "swift_search_reconciled_count", help: "Of those, how many only the comparison of everything found." },
    () => feed.stats().reconciled,
  );
  metrics.gaugeOf(
    { name: "swift_search_failures_count", help: "Readings of the catalogue that failed." },
    () => feed.stats().failures,
  );
  metrics.gaugeOf(
    { name: "swift_search_terms_dropped_count", help: "Searches that were not counted." },
    () => counter.tooMany,
  );
  return (question, made, tookMs) => took.observe(tookMs, { question, list: made ? "made" : "kept" });
}
