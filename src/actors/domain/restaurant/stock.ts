/** Taking and giving back. Pure; the only functions that change what is left. */
import { type OrderLine, quantities } from "../../../protocol/mod.js";
import type { RestaurantState, Took } from "./state.js";

type Left = RestaurantState["left"];

/** Of one item, or undefined when it is not limited. A dish may be called `constructor`: only what was put in counts. */
export function leftOf(left: Left, itemId: string): number | undefined {
  return Object.hasOwn(left, itemId) ? left[itemId] : undefined;
}

/** What of the limited items these lines take. */
export function tookOf(left: Left, lines: readonly Pick<OrderLine, "itemId" | "quantity">[]): readonly Took[] {
  const took: Took[] = [];
  for (const [itemId, quantity] of quantities(lines)) {
    if (leftOf(left, itemId) !== undefined) took.push([itemId, quantity]);
  }
  return took;
}

/** Throws rather than oversell: the caller has checked. */
export function take(left: Left, took: readonly Took[]): Left {
  if (took.length === 0) return left;
  const next: Record<string, number> = { ...left };
  for (const [itemId, quantity] of took) {
    const before = leftOf(next, itemId) ?? 0;
    const after = before - quantity;
    if (after < 0) throw new RangeError(`Only ${before} of ${itemId} are left, not ${quantity}`);
    next[itemId] = after;
  }
  return next;
}

/** An item that is no longer limited has nothing to be given back to. */
export function giveBack(left: Left, took: readonly Took[]): Left {
  if (took.length === 0) return left;
  const next: Record<string, number> = { ...left };
  for (const [itemId, quantity] of took) {
    const before = leftOf(next, itemId);
    if (before !== undefined) next[itemId] = before + quantity;
  }
  return next;
}

/**
 * The stock after the menu was written anew. The figure in a profile is what the restaurant has to sell in all: writing
 * the same figure again changes nothing, a greater one adds the difference, and open orders keep what they hold.
 */
export function restocked(
  left: Left,
  before: readonly { readonly itemId: string; readonly stock?: number }[],
  after: readonly { readonly itemId: string; readonly stock?: number }[],
): Left {
  const declared = new Map(before.map((item) => [item.itemId, item.stock]));
  const next: Record<string, number> = {};
  for (const { itemId, stock } of after) {
    if (stock === undefined) continue;
    const had = declared.get(itemId);
    const now = leftOf(left, itemId);
    next[itemId] = had === undefined || now === undefined ? stock : Math.max(0, now + stock - had);
  }
  return next;
}
