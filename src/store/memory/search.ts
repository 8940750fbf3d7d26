import {
  SEARCHED_KIND,
  type SearchSource,
  type SearchTermStore,
  type SourceRow,
  type TermCount,
} from "../../services/search/ports.js";
import { type ActorRow, addressOf, compareText, type MemoryTables } from "./tables.js";

/** The restaurants in the index, and the counted texts. `pause` delays every call as the store's own are delayed. */
export function searchOf(tables: MemoryTables, pause: () => Promise<void>): SearchSource & SearchTermStore {
  const rowOf = ({ key, index }: ActorRow): readonly SourceRow[] =>
    index === null ? [] : [{ key, version: index.seq, view: JSON.parse(index.view) }];
  const after = (key: string): readonly SourceRow[] =>
    [...tables.actors.values()]
      .filter((row) => row.kind === SEARCHED_KIND && compareText(row.key, key) > 0)
      .flatMap(rowOf)
      .sort((a, b) => compareText(a.key, b.key));

  return {
    async rows(key, limit) {
      await pause();
      return after(key).slice(0, limit);
    },
    async versions(key, limit) {
      await pause();
      return after(key)
        .slice(0, limit)
        .map((row) => ({ key: row.key, version: row.version }));
    },
    async read(keys) {
      await pause();
      return [...new Set(keys)].flatMap((key) => {
        const row = tables.actors.get(addressOf({ kind: SEARCHED_KIND, key }));
        return row === undefined ? [] : rowOf(row);
      });
    },
    async changes(position, limit) {
      await pause();
      if (position === null) return { rows: [], position: String(tables.flushes), more: false };
      const since = [...tables.restaurantChanges]
        .filter(([, flush]) => flush > Number(position))
        .sort((a, b) => a[1] - b[1]);
      const page = since.slice(0, limit);
      return {
        rows: page.map(([key]) => ({
          key,
          version: tables.actors.get(addressOf({ kind: SEARCHED_KIND, key }))?.index?.seq ?? null,
        })),
        position: String(page.at(-1)?.[1] ?? position),
        more: since.length > page.length,
      };
    },
    async popularity(orders) {
      await pause();
      const delivered = [...tables.actors.values()]
        .flatMap(({ kind, key, index }) => (kind === "order" && index?.status === "delivered" ? [{ key, index }] : []))
        .sort((a, b) => b.index.at - a.index.at || compareText(a.key, b.key))
        .slice(0, orders);
      const counts = new Map<string, number>();
      for (const { index } of delivered) counts.set(index.counterparty, (counts.get(index.counterparty) ?? 0) + 1);
      return [...counts].map(([key, count]) => ({ key, orders: count }));
    },
    async add(day, terms) {
      await pause();
      const counted = tables.searchTerms.get(day) ?? new Map<string, TermCount>();
      tables.searchTerms.set(day, counted);
      for (const term of terms) counted.set(term.text, sum(counted.get(term.text), term));
    },
    async top(sinceDay, order, limit) {
      await pause();
      const sums = new Map<string, TermCount>();
      for (const [day, terms] of tables.searchTerms) {
        if (day < sinceDay) continue;
        for (const term of terms.values()) sums.set(term.text, sum(sums.get(term.text), term));
      }
      const weight = ({ searches, foundNothing }: TermCount): number =>
        order === "searches" ? searches : foundNothing;
      return [...sums.values()]
        .filter((term) => weight(term) > 0)
        .sort((a, b) => weight(b) - weight(a) || compareText(a.text, b.text))
        .slice(0, limit);
    },
    async forget(beforeDay, limit) {
      await pause();
      let forgotten = 0;
      for (const [day, terms] of [...tables.searchTerms].sort((a, b) => a[0] - b[0])) {
        if (day >= beforeDay) continue;
        for (const text of [...terms.keys()].sort(compareText)) {
          if (forgotten >= limit) return forgotten;
          terms.delete(text);
          forgotten++;
        }
        tables.searchTerms.delete(day);
      }
      return forgotten;
    },
  };
}

const sum = (before: TermCount | undefined, more: TermCount): TermCount => ({
  text: more.text,
  searches: (before?.searches ?? 0) + more.searches,
  foundNothing: (before?.foundNothing ?? 0) + more.foundNothing,
});
