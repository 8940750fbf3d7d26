/** What a promotion says, and what it is worth for an order. Pure. */
export interface PromotionRule {
  /** In capitals. */
  readonly code: string;
  readonly discount:
    | { readonly kind: "percent"; readonly perMille: number; readonly mostMinor: number | null }
    | { readonly kind: "fixed"; readonly amountMinor: number };
  readonly currency: string;
  /** Of the items. */
  readonly minimumMinor: number;
  /** Milliseconds since the epoch. */
  readonly from: number;
  readonly until: number;
  /** Uses by all customers together, and by each; null: any number. */
  readonly totalLimit: number | null;
  readonly customerLimit: number | null;
  /** Null: every restaurant. */
  readonly restaurantId: string | null;
  readonly active: boolean;
}

export type PromotionReason =
  | "unknown"
  | "not_now"
  | "wrong_currency"
  | "wrong_restaurant"
  | "below_minimum"
  | "used_up"
  | "used_by_customer"
  | "changed";

/** What an order brings. */
export interface PromotionCase {
  readonly restaurantId: string;
  readonly itemsMinor: number;
  readonly currency: string;
}

export type Worth =
  | { readonly ok: true; readonly discountMinor: number }
  | { readonly ok: false; readonly reason: PromotionReason };

/** Never more than the items. Percentages are rounded half up, as taxes are. */
export function worthOf(rule: PromotionRule, order: PromotionCase, now: number): Worth {
  const refuse = (reason: PromotionReason): Worth => ({ ok: false, reason });
  if (!rule.active || now < rule.from || now >= rule.until) return refuse("not_now");
  if (rule.currency !== order.currency) return refuse("wrong_currency");
  if (rule.restaurantId !== null && rule.restaurantId !== order.restaurantId) return refuse("wrong_restaurant");
  if (order.itemsMinor < rule.minimumMinor) return refuse("below_minimum");
  const { discount } = rule;
  const full =
    discount.kind === "fixed"
      ? discount.amountMinor
      : Math.min(Math.round((order.itemsMinor * discount.perMille) / 1000), discount.mostMinor ?? order.itemsMinor);
  return { ok: true, discountMinor: Math.min(full, order.itemsMinor) };
}

/** Upper and lower case are the same code. */
export const codeOf = (text: string): string => text.toUpperCase();
