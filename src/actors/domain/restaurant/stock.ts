/** Taking and giving back. Pure; the only functions that change what is left. */
import { type PricedLine, quantities } from "../../../protocol/mod.js";
import type { RestaurantState, Took } from "./state.js";

type Left = RestaurantState["left"];

/** Of one item, or undefined when it is not limited. A dish may be called `constructor`: only what was put in counts. */
export function leftOf(left: Left, itemId: string): number | undefined {
  return Object.hasOwn(left, itemId) ? left[itemId] : undefined;
}

/** The same, as somebody may order it. */
export function sellable(left: Left, itemId: string): number | undefined {
  const count = leftOf(left, itemId);
  return count === undefined ? undefined : Math.max(0, count);
}

/** What of the limited items these lines take. */
export function tookOf(left: Left, lines: readonly Pick<PricedLine, "itemId" | "quantity">[]): readonly Took[] {
  const took: Took[] = [];
  for (const [itemId, quantity] of quantities(lines)) {
    if (leftOf(left, itemId) !== undefined) took.push([itemId, quantity]);
  }
  return took;
}

/** What of the dishes that are cooked so many at once these lines want. */
export function cooksOf(
  items: readonly { readonly itemId: string; readonly atOnce?: number }[],
  lines: readonly Pick<PricedLine, "itemId" | "quantity">[],
): readonly Took[] {
  const wanted = quantities(lines);
  return items.flatMap(({ itemId, atOnce }): Took[] => {
    const quantity = wanted.get(itemId);
    return atOnce === undefined || quantity === undefined ? [] : [[itemId, quantity]];
  });
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

interface Limited {
  readonly itemId: string;
  readonly stock?: number;
  readonly refill?: { readonly stock: number };
}

/** What is refilled daily is limited, and begins with a full shelf unless somebody says otherwise. */
const declaredStock = ({ stock, refill }: Limited): number | undefined => stock ?? refill?.stock;

/**
 * The stock after the menu was written anew. The figure in a profile is what the restaurant has to sell in all: writing
 * the same figure again changes nothing, another one adds the difference, and open orders keep what they hold. Less than
 * has been sold is remembered as such: who puts a wrong figure right sells no more than the right one.
 */
export function restocked(left: Left, before: readonly Limited[], after: readonly Limited[]): Left {
  const declared = new Map(before.map((item) => [item.itemId, declaredStock(item)]));
  const next: Record<string, number> = {};
  for (const item of after) {
    const { itemId } = item;
    const stock = declaredStock(item);
    if (stock === undefined) continue;
    const had = declared.get(itemId);
    const now = leftOf(left, itemId);
    next[itemId] = had === undefined || now === undefined ? stock : now + stock - had;
  }
  return next;
}
