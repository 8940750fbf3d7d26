/** Where promotions and their uses are kept. Adapters are in `src/store`; all pass `promotions.contract.ts`. */
import type { PromotionRule } from "./rule.js";

export type { PromotionRule } from "./rule.js";

export interface StoredPromotion {
  readonly rule: PromotionRule;
  readonly revision: number;
  /** Uses that are held. */
  readonly used: number;
}

/**
 * `held`: this order has a use, now or since before. `released`: it had one and gave it back, or gave it back before it
 * had one. `changed`: the rule is another by now.
 */
export type ReserveOutcome = "held" | "released" | "unknown" | "changed" | "used_up" | "used_by_customer";

export interface PromotionStore {
  /** Writes the rule under its code. What is in use stays counted. */
  put(rule: PromotionRule): Promise<StoredPromotion>;
  read(code: string): Promise<StoredPromotion | null>;
  /** Held uses of one customer. */
  usedBy(code: string, customerId: string): Promise<number>;
  /** What became of an order's use; null: it never had one. */
  useOf(orderId: string): Promise<"held" | "released" | null>;
  /** Takes a use by the rule of this revision, unless a limit is reached. One order, one use. */
  reserve(use: {
    readonly code: string;
    readonly revision: number;
    readonly totalLimit: number | null;
    readonly customerLimit: number | null;
    readonly orderId: string;
    readonly customerId: string;
    readonly discountMinor: number;
    readonly at: number;
  }): Promise<ReserveOutcome>;
  /** Gives the use back. A reservation that comes later is refused. */
  release(code: string, orderId: string, at: number): Promise<void>;
}
