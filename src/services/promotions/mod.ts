/**
 * Promotion codes: what one is worth at the door, and the use that an order holds. Owns the judgement; the store owns the
 * counting.
 *
 * Invariant: a use is taken by the very rule that gave the discount, so an order never pays by a rule that has changed in
 * between; the store counts uses one after the other, so no limit is passed by orders that come together.
 */
import type { EffectRunner } from "../../actors/runtime/ports.js";
import type { Clock } from "../../lib/clock.js";
import type { PromotionStore } from "./ports.js";
import { codeOf, type PromotionCase, type PromotionReason, type Worth, worthOf } from "./rule.js";

export { promotionOperations } from "./operations.js";
export type { PromotionStore, ReserveOutcome, StoredPromotion } from "./ports.js";
export { codeOf, type PromotionCase, type PromotionReason, type PromotionRule, type Worth, worthOf } from "./rule.js";

export interface PromotionService {
  /** What the code is worth for this order now; takes nothing. Rejects when the store does not answer. */
  worth(code: string, customerId: string, order: PromotionCase): Promise<Worth>;
}

export function createPromotionService(deps: {
  readonly store: Pick<PromotionStore, "read" | "usedBy">;
  readonly clock: Clock;
}): PromotionService {
  const { store, clock } = deps;
  return {
    async worth(text, customerId, order) {
      const code = codeOf(text);
      const found = await store.read(code);
      if (found === null) return { ok: false, reason: "unknown" };
      const { rule, used } = found;
      const worth = worthOf(rule, order, clock.now());
      if (!worth.ok) return worth;
      if (rule.totalLimit !== null && used >= rule.totalLimit) return { ok: false, reason: "used_up" };
      if (rule.customerLimit !== null && (await store.usedBy(code, customerId)) >= rule.customerLimit) {
        return { ok: false, reason: "used_by_customer" };
      }
      return worth;
    },
  };
}

type Step =
  | ({
      readonly step: "reserve";
      readonly orderId: string;
      readonly code: string;
      readonly customerId: string;
      readonly discountMinor: number;
    } & PromotionCase)
  | { readonly step: "release"; readonly orderId: string; readonly code: string };

/** A rule that changes faster than this is asked again by the effect runner. */
const MOST_READS = 3;

/** Orders ask for a release until it is done: `release`, and from the second time on `release:<attempt>`. */
const isAskedAgain = (key: string): boolean => key.includes(":");

/**
 * The effect `promotion` of orders. Throws (and so is run again, and is put aside in the end) while the store does not
 * answer. Once that has been put aside for a person, the order goes on asking by its own timer: it is told, and nothing is
 * put aside again.
 */
export function promotionEffect(store: PromotionStore, now: () => number): EffectRunner {
  const run = stepsOf(store, now);
  return async (asked) => {
    try {
      return await run(asked);
    } catch (error) {
      if (!isAskedAgain(asked.key)) throw error;
      return { outcome: "unavailable" };
    }
  };
}

function stepsOf(store: PromotionStore, now: () => number): EffectRunner {
  const refused = (reason: PromotionReason) => ({ outcome: "refused", reason }) as const;
  return async ({ input }) => {
    const request = input as unknown as Step;
    const { orderId, code } = request;
    if (request.step === "release") {
      await store.release(code, orderId, now());
      return { outcome: "released" };
    }
    const { customerId, discountMinor } = request;
    // What is held already stays held, whatever the rule says by now.
    const known = await store.useOf(orderId);
    if (known !== null) return known === "held" ? { outcome: "held" } : refused("changed");
    for (let reads = 0; reads < MOST_READS; reads++) {
      const found = await store.read(code);
      if (found === null) return refused("unknown");
      const { rule, revision } = found;
      const worth = worthOf(rule, request, now());
      if (!worth.ok) return refused(worth.reason);
      if (worth.discountMinor !== discountMinor) return refused("changed");
      const { totalLimit, customerLimit } = rule;
      const use = { code, revision, totalLimit, customerLimit, orderId, customerId, discountMinor, at: now() };
      const outcome = await store.reserve(use);
      if (outcome === "held") return { outcome };
      if (outcome === "released") return refused("changed");
      if (outcome !== "changed") return refused(outcome);
    }
    throw new Error(`The promotion ${code} changes all the time`);
  };
}
