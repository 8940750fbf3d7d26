import type { PromotionStore, StoredPromotion } from "../../services/promotions/ports.js";

/** Promotions in memory. Each call is judged and written in one turn, so uses of a code follow each other. */
export function createMemoryPromotions(): PromotionStore {
  const promotions = new Map<string, StoredPromotion>();
  const uses = new Map<string, { readonly code: string; readonly customerId: string; state: "held" | "released" }>();
  const usedBy = (code: string, customerId: string): number =>
    [...uses.values()].filter((use) => use.code === code && use.customerId === customerId && use.state === "held")
      .length;
  const count = (code: string, change: number): void => {
    const found = promotions.get(code);
    if (found !== undefined) promotions.set(code, { ...found, used: found.used + change });
  };
  return {
    async put(rule) {
      const before = promotions.get(rule.code);
      const next = { rule: { ...rule }, revision: (before?.revision ?? 0) + 1, used: before?.used ?? 0 };
      promotions.set(rule.code, next);
      return next;
    },
    read: async (code) => promotions.get(code) ?? null,
    usedBy: async (code, customerId) => usedBy(code, customerId),
    useOf: async (orderId) => uses.get(orderId)?.state ?? null,
    async reserve({ code, revision, totalLimit, customerLimit, orderId, customerId }) {
      const known = uses.get(orderId);
      if (known !== undefined) return known.state;
      const found = promotions.get(code);
      if (found === undefined) return "unknown";
      if (found.revision !== revision) return "changed";
      if (totalLimit !== null && found.used >= totalLimit) return "used_up";
      if (customerLimit !== null && usedBy(code, customerId) >= customerLimit) return "used_by_customer";
      uses.set(orderId, { code, customerId, state: "held" });
      count(code, 1);
      return "held";
    },
    async release(code, orderId) {
      const known = uses.get(orderId);
      if (known === undefined) uses.set(orderId, { code, customerId: "", state: "released" });
      else if (known.state === "held") {
        known.state = "released";
        count(code, -1);
      }
    },
  };
}
