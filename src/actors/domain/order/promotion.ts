/**
 * What an order with a promotion's code asks of the promotion: reserve while the restaurant reserves, give back when the order ends
 * without a delivery. How often a code may be used is the promotion's business; it is asked as an effect, keyed by the
 * order, so a repetition is the same use.
 *
 * Invariant: the payment is not asked for before the use is held; every order that asked for a use and ended without a
 * delivery gives it back, also one whose answer had not come.
 */
import { asJson } from "../json.js";
import type { PromotionRequest } from "./messages.js";
import type { OrderContext } from "./save.js";
import type { OrderContent, PlacedOrder, PromotionUse } from "./state.js";

function ask(ctx: OrderContext, request: PromotionRequest, attempt = 0): void {
  ctx.effect("promotion", `${request.step}${attempt === 0 ? "" : `:${attempt}`}`, asJson(request), "promotionDone");
}

/** Nothing for an order without a code. */
export function reservePromotion(ctx: OrderContext, content: OrderContent): { readonly promotion?: PromotionUse } {
  const { promotionCode: code, customerId, restaurant, totals } = content;
  if (code === undefined) return {};
  const { itemsMinor, currency, discountMinor } = totals;
  ask(ctx, {
    step: "reserve",
    orderId: ctx.key,
    code,
    customerId,
    restaurantId: restaurant.id,
    itemsMinor,
    currency,
    discountMinor,
  });
  return { promotion: { status: "asked" } };
}

/** True while the answer is still to come. */
export function promotionPending({ promotion }: PlacedOrder): boolean {
  return promotion?.status === "asked";
}

/** What a closed order does about its use. */
export function releasePromotion(ctx: OrderContext, order: PlacedOrder): PromotionUse | undefined {
  const { promotion, content } = order;
  if (promotion?.status !== "asked" && promotion?.status !== "held") return promotion;
  ask(ctx, { step: "release", orderId: ctx.key, code: content.promotionCode ?? "" });
  return { status: "releasing", attempts: 0 };
}

export function retryPromotion(ctx: OrderContext, { promotion, content }: PlacedOrder): void {
  if (promotion?.status !== "releasing") return;
  ask(ctx, { step: "release", orderId: ctx.key, code: content.promotionCode ?? "" }, promotion.attempts);
}
