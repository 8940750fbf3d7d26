/** Search's answers by operation. */
import type { OperationHandlers, OperationResult, SEARCH_OPERATIONS } from "../../protocol/mod.js";
import { ordersAgain } from "./again.js";
import type { AskedAnswer, SearchClient } from "./pipe.js";
import type { MenuReader, PastOrders } from "./ports.js";

type Handlers = OperationHandlers<typeof SEARCH_OPERATIONS>;

const DEFAULT_AGAIN = 5;

const resultOf = (answer: AskedAnswer): OperationResult<never> =>
  answer.ok ? { ok: true, json: answer.json, cacheControl: "no-store" } : answer;

export function searchOperations(client: Pick<SearchClient, "ask">): Omit<Handlers, "search.again"> {
  return {
    "search.search": async ({ query }) => resultOf(await client.ask("search", query)),
    "search.suggest": async ({ query }) => resultOf(await client.ask("suggest", query)),
    "search.popular": async ({ query }) => resultOf(await client.ask("popular", query)),
    "search.terms": async ({ query }) => resultOf(await client.ask("terms", query)),
  };
}

export function againOperations(deps: {
  readonly orders: PastOrders;
  readonly menus: MenuReader;
}): Pick<Handlers, "search.again"> {
  return {
    async "search.again"({ caller, query }) {
      try {
        const again = await ordersAgain(deps.orders, deps.menus, caller.id, query.limit ?? DEFAULT_AGAIN);
        return { ok: true, value: { again: [...again] } };
      } catch {
        return { ok: false, code: "unavailable", retryAfterMs: 1_000 };
      }
    },
  };
}
