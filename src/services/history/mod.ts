/** A customer's past and present orders, newest first, from the index. */
import type { ActorStore } from "../../actors/runtime/mod.js";
import { pageByAge } from "../../lib/page.js";
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
      const { rows, nextBefore } = await pageByAge(
        (most) =>
          deps.index.queryIndex({
            kind: "order",
            owner: customerId,
            limit: most,
            ...(before === undefined ? {} : { before }),
          }),
        ({ at }) => at,
        Math.max(1, Math.min(MAX_PAGE, limit)),
      );
      return {
        orders: rows.map((row) => (row.view as unknown as OrderTracking).view),
        ...(nextBefore === undefined ? {} : { nextBefore }),
      };
    },
  };
}
