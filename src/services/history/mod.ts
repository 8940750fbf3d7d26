/** A customer's past and present orders, newest first, from the index. */
import type { ActorStore } from "../../actors/runtime/mod.js";
import type { OrderTracking, OrderView } from "../../protocol/mod.js";

export type IndexReader = Pick<ActorStore, "queryIndex">;

export const MAX_PAGE = 100;

export interface HistoryPage {
  readonly orders: readonly OrderView[];
  /** Ask for orders before this (ms since the epoch) for the next page; absent on the last. */
  readonly nextBefore?: number;
}

export interface HistoryService {
  /** Rejects when the index does not answer. */
  orders(customerId: string, options: { readonly before?: number; readonly limit: number }): Promise<HistoryPage>;
}

export function createHistoryService(deps: { readonly index: IndexReader }): HistoryService {
  return {
    async orders(customerId, { before, limit }) {
      const wanted = Math.max(1, Math.min(MAX_PAGE, limit));
      const rows = await deps.index.queryIndex({
        kind: "order",
        owner: customerId,
        limit: wanted + 1,
        ...(before === undefined ? {} : { before }),
      });
      const page = rows.slice(0, wanted);
      // Rows of the same millisecond must not fall between two pages: they go to the next one together.
      const last = page.at(-1);
      const following = rows[wanted];
      const split =
        following !== undefined && last !== undefined && following.at === last.at && page[0]?.at !== last.at;
      const kept = split ? page.filter((row) => row.at !== last.at) : page;
      const oldest = kept.at(-1);
      return {
        orders: kept.map((row) => (row.view as unknown as OrderTracking).view),
        ...(following === undefined || oldest === undefined ? {} : { nextBefore: oldest.at }),
      };
    },
  };
}
