/**
 * What somebody wants to order, of one restaurant at a time; kept over a reload.
 *
 * Invariants: what is ordered and its key change together; what was sent changes no more until its answer is known, since
 * under another key it would be a second dinner.
 */
import { computed } from "@preact/signals";
import { type ChosenOption, type CommandBody, type OrderLine, portionMinor } from "../../../../sdk/mod.js";
import { uuidV7 } from "../../../../src/lib/random.js";
import { clock, random } from "../../../shared/clock.js";
import { say } from "../../../shared/kit/toasts.js";
import { own } from "./own.js";

export interface CartLine extends Omit<OrderLine, "options"> {
  readonly options: readonly ChosenOption[];
  readonly name: string;
  /** What was chosen, in words. */
  readonly choices: string;
}

export interface Cart {
  readonly restaurantId: string;
  readonly restaurantName: string;
  readonly currency: string;
  readonly lines: readonly CartLine[];
  readonly note: string;
  readonly tipMinor: number;
  readonly promotionCode: string;
  /** When it shall arrive, ms since the epoch; null: as soon as it can. */
  readonly deliverAt: number | null;
  /** One intention to order has one key: pressing twice, or again after a lost answer, orders once. */
  readonly key: string;
  /** What was sent under the key, until its answer is known. */
  readonly sent?: CommandBody<"order.place">;
}

const MOST_PORTIONS = 99;

function cartOf(stored: unknown): Cart | null {
  const value = stored as Cart | null;
  return value !== null && Array.isArray(value.lines) && value.lines.every(({ options }) => Array.isArray(options))
    ? { ...value, deliverAt: value.deliverAt ?? null }
    : null;
}

/** An order without an answer waits for its person. */
const { value: cart, keep: write } = own("swift-eats.customer.cart", cartOf, ({ sent }) => sent === undefined);

export { cart };
export const portions = computed(() => cart.value?.lines.reduce((sum, line) => sum + line.quantity, 0) ?? 0);
export const itemsMinor = computed(
  () => cart.value?.lines.reduce((sum, line) => sum + portionMinor(line) * line.quantity, 0) ?? 0,
);

const newKey = (): string => uuidV7(clock.now(), random);

function keep(next: Cart): void {
  if (cart.peek()?.sent !== undefined) return;
  // What is ordered has changed, so it is another intention.
  write(next.lines.length === 0 ? null : { ...next, key: newKey() });
}

/** True, and said so: there is an order that may have been made. */
function waitsForAnswer(): boolean {
  const present = cart.peek();
  if (present?.sent === undefined) return false;
  say(`Your order at ${present.restaurantName} has no answer yet. Send it again first.`, "bad");
  return true;
}

/** From here on it is exactly this that is sent under the key. */
export function markSent(key: string, body: CommandBody<"order.place">): void {
  if (cart.value?.key === key) write({ ...cart.value, sent: body });
}

/**
 * The answer is known, or it is certain that nothing was sent. A node remembers what it refused under a key, so the next
 * try has another. False: another order is in the cart by now, or none.
 */
export function settle(key: string, outcome: "placed" | "refused" | "unsent"): boolean {
  if (cart.value?.key !== key) return false;
  const { sent: _, ...open } = cart.value;
  write(outcome === "placed" ? null : outcome === "refused" ? { ...open, key: newKey() } : open);
  return true;
}

const sameDish = (a: CartLine, b: CartLine): boolean =>
  a.itemId === b.itemId &&
  a.unitPriceMinor === b.unitPriceMinor &&
  a.choices === b.choices &&
  portionMinor(a) === portionMinor(b);

/** False: nothing can be added now, which was said. */
export function addLine(
  restaurant: Pick<Cart, "restaurantId" | "restaurantName" | "currency">,
  line: CartLine,
): boolean {
  if (waitsForAnswer()) return false;
  const present = cart.value;
  const lines = present?.restaurantId === restaurant.restaurantId ? present.lines : [];
  const at = lines.findIndex((each) => sameDish(each, line));
  const next =
    at < 0
      ? [...lines, line]
      : lines.map((each, index) =>
          index === at ? { ...each, quantity: Math.min(MOST_PORTIONS, each.quantity + line.quantity) } : each,
        );
  const { restaurantId, restaurantName, currency } = restaurant;
  keep({
    restaurantId,
    restaurantName,
    currency,
    lines: next,
    note: present?.note ?? "",
    tipMinor: 0,
    promotionCode: "",
    deliverAt: null,
    key: "",
  });
  return true;
}

/** Another order instead of the one that was being made. */
export function startCart(
  restaurant: Pick<Cart, "restaurantId" | "restaurantName" | "currency">,
  lines: readonly CartLine[],
): void {
  if (waitsForAnswer()) return;
  keep({ ...restaurant, lines, note: "", tipMinor: 0, promotionCode: "", deliverAt: null, key: "" });
}

export function setQuantity(index: number, quantity: number): void {
  const present = cart.value;
  if (present === null) return;
  const lines = present.lines
    .map((line, at) => (at === index ? { ...line, quantity } : line))
    .filter((line) => line.quantity > 0);
  keep({ ...present, lines });
}

export function setExtras(extras: {
  readonly note?: string;
  readonly tipMinor?: number;
  readonly promotionCode?: string;
  readonly deliverAt?: number | null;
}): void {
  if (cart.value !== null) keep({ ...cart.value, ...extras });
}

export interface LineChange {
  readonly itemId: string;
  /** Which line of the order, where the restaurant says so. */
  readonly line?: number;
  readonly unitPriceMinor?: number;
  readonly options?: readonly ChosenOption[];
  readonly left?: number;
  readonly choiceId?: string;
}

/** The restaurant's own words on prices and what is left: the cart follows them, a person confirms. */
export function followMenu(changes: readonly LineChange[]): void {
  const present = cart.value;
  if (present === null) return;
  const lines = present.lines.flatMap((line, index): CartLine[] => {
    const change =
      changes.find((each) => each.line === index) ??
      changes.find((each) => each.itemId === line.itemId && each.line === undefined);
    if (change === undefined) return [line];
    if (change.left !== undefined) {
      return change.left > 0 ? [{ ...line, quantity: Math.min(line.quantity, change.left) }] : [];
    }
    return [
      {
        ...line,
        unitPriceMinor: change.unitPriceMinor ?? line.unitPriceMinor,
        options: change.options ?? line.options,
      },
    ];
  });
  keep({ ...present, lines });
}
