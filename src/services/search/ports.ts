/** What search reads and keeps. Adapters: `src/store/postgres/search.ts` and its twin in memory. */
import type { Json } from "../../lib/json.js";
import type { MenuView, OrderView } from "../../protocol/mod.js";

/** Rows of the index of this kind are what is searched. */
export const SEARCHED_KIND = "restaurant";

export interface SourceRow {
  readonly key: string;
  /** Rises with every change of the row. */
  readonly version: number;
  /** A `MenuView`. */
  readonly view: Json;
}

export interface ChangedRow {
  readonly key: string;
  /** Null: gone. */
  readonly version: number | null;
}

export interface SourceChanges {
  /** Some of it perhaps told before: while a transaction stays open for long, all that came after its begin. */
  readonly rows: readonly ChangedRow[];
  /** Where to go on. */
  readonly position: string;
  /** There is more already. */
  readonly more: boolean;
}

/**
 * The restaurants as they are committed, whoever committed them. Every call rejects while the store is away, and may be
 * repeated.
 */
export interface SearchSource {
  /** In the order of their keys, those after `after`; at most `limit`. */
  rows(after: string, limit: number): Promise<readonly SourceRow[]>;
  /** The same without the views. */
  versions(after: string, limit: number): Promise<readonly Omit<SourceRow, "view">[]>;
  read(keys: readonly string[]): Promise<readonly SourceRow[]>;
  /**
   * What was committed since `position` (null: nothing, only where the log stands now). A change that is committed later
   * than this call is in a later one, whenever its transaction began.
   */
  changes(position: string | null, limit: number): Promise<SourceChanges>;
  /** How many of the newest `orders` delivered orders each restaurant had. */
  popularity(orders: number): Promise<readonly { readonly key: string; readonly orders: number }[]>;
}

/** How restaurants were rated, by id; those without reviews are missing. */
export interface RatingSource {
  allTotals(
    rated: "restaurant",
    afterId: string,
    limit: number,
  ): Promise<
    readonly {
      readonly ratedId: string;
      readonly totals: { readonly average: number; readonly count: number };
    }[]
  >;
}

export interface TermCount {
  /** As `words.ts` writes it. */
  readonly text: string;
  readonly searches: number;
  readonly foundNothing: number;
}

/** What was searched for, by day; of nobody and nowhere. Days are numbers of days since the epoch, in UTC. */
export interface SearchTermStore {
  /** Adds to what the day has. Texts are unique. */
  add(day: number, terms: readonly TermCount[]): Promise<void>;
  /** Sums from this day on, the most frequent first, then by text. `nothing`: only those that found nothing, by how often. */
  top(sinceDay: number, order: "searches" | "nothing", limit: number): Promise<readonly TermCount[]>;
  /** Forgets days before this one, at most `limit` rows; returns how many. */
  forget(beforeDay: number, limit: number): Promise<number>;
}

/** One end of a pipe between two threads: what is posted here is heard there, or lost while nobody is there. */
export interface Pipe {
  post(message: unknown): void;
  /** The one that hears. */
  hear(handler: (message: unknown) => void): void;
  close(): void;
}

/** What "order again" reads. */
export interface PastOrders {
  /** The customer's orders, newest first. */
  orders(customerId: string, options: { readonly limit: number }): Promise<{ readonly orders: readonly OrderView[] }>;
}

export interface MenuReader {
  menu(restaurantId: string): Promise<MenuView | null>;
}
