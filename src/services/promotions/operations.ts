/** Promotions by HTTP. */
import type { OperationHandlers, PROMOTION_OPERATIONS } from "../../protocol/mod.js";
import type { PromotionStore, StoredPromotion } from "./ports.js";
import { codeOf } from "./rule.js";

const view = ({ rule, used }: StoredPromotion) => ({ ...rule, used });
const unavailable = { ok: false, code: "unavailable", retryAfterMs: 2_000 } as const;

export function promotionOperations(
  store: Pick<PromotionStore, "put" | "read">,
): OperationHandlers<typeof PROMOTION_OPERATIONS> {
  return {
    "promotions.put": async ({ params, body }) => {
      const { from, until } = body;
      if (from >= until) {
        return { ok: false, code: "invalid", detail: { path: "/until", problem: "is not after `from`" } };
      }
      try {
        return { ok: true, value: view(await store.put({ ...body, code: codeOf(params.code) })) };
      } catch {
        return unavailable;
      }
    },
    "promotions.read": async ({ params }) => {
      try {
        const found = await store.read(codeOf(params.code));
        return found === null ? { ok: false, code: "not_found" } : { ok: true, value: view(found) };
      } catch {
        return unavailable;
      }
    },
  };
}
