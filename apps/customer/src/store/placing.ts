/** The order on its way to the node, and what its answer does to the cart. */
import { signal } from "@preact/signals";
import { type CommandBody, portionMinor, SwiftEatsError } from "../../../../sdk/mod.js";
import { formatMoney } from "../../../shared/format.js";
import { say, sayFailure } from "../../../shared/kit/toasts.js";
import { go, route } from "../../../shared/router.js";
import { type Cart, cart, followMenu, type LineChange, markSent, settle } from "./cart.js";
import type { DeliveryPlace } from "./place.js";
import { server } from "./server.js";

/** Refusals that say nothing of the order: an earlier sending of it may have arrived. */
const UNDECIDED: ReadonlySet<string> = new Set([
  "closed",
  "aborted",
  "unauthenticated",
  "token_expired",
  "session_ended",
]);

/** The key of the order that is being sent. */
export const sending = signal<string | null>(null);

/** What is priced and what is placed are the same. */
export function basketOf(order: Cart, { lat, lng, address }: DeliveryPlace) {
  return {
    restaurantId: order.restaurantId,
    lines: order.lines.map(({ itemId, quantity, unitPriceMinor, options }) => ({
      itemId,
      quantity,
      unitPriceMinor,
      ...(options.length === 0 ? {} : { options: [...options] }),
    })),
    destination: { lat, lng, ...(address === "" ? {} : { address }) },
    currency: order.currency,
    ...(order.tipMinor > 0 ? { tipMinor: order.tipMinor } : {}),
    ...(order.deliverAt === null ? {} : { deliverAt: order.deliverAt }),
  };
}

function bodyOf(order: Cart, at: DeliveryPlace, totalMinor: number): CommandBody<"order.place"> {
  return {
    ...basketOf(order, at),
    totalMinor,
    ...(order.promotionCode.trim() === "" ? {} : { promotionCode: order.promotionCode.trim() }),
    ...(order.note.trim() === "" ? {} : { note: order.note.trim() }),
  };
}

/**
 * Sends it, or what was sent of it before once more. `totalMinor`: what the person is shown that it costs. `show`: what has
 * changed meanwhile, for the person to look at.
 */
export async function placeOrder(
  order: Cart,
  at: DeliveryPlace,
  totalMinor: number,
  show: (lines: readonly string[]) => void,
): Promise<void> {
  const { key, sent } = order;
  if (sending.peek() === key) return;
  const body = sent ?? bodyOf(order, at, totalMinor);
  markSent(key, body);
  sending.value = key;
  try {
    const { orderId } = await server().command("order.place", body, { idempotencyKey: key });
    const own = settle(key, "placed");
    // Whoever went on to something else meanwhile is left there.
    if (isOnCart() && cart.peek() === null) go(`order/${orderId}`);
    else if (own) say(`Your order at ${order.restaurantName} is placed`);
  } catch (error) {
    refused(error, order, body.totalMinor ?? totalMinor, show);
  } finally {
    if (sending.peek() === key) sending.value = null;
  }
}

const isOnCart = (): boolean => route.peek()[0] === "cart";

function outcomeOf(error: unknown, sentBefore: boolean): "refused" | "unsent" | null {
  if (!(error instanceof SwiftEatsError) || error.temporary || UNDECIDED.has(error.code)) return null;
  if (error.code === "expired") return sentBefore ? null : "unsent";
  return "refused";
}

/** A price or a dish that changed: the cart takes over what is true now, and the person decides again. */
function refused(error: unknown, order: Cart, agreedMinor: number, show: (lines: readonly string[]) => void): void {
  const outcome = outcomeOf(error, order.sent !== undefined);
  const own = outcome !== null && settle(order.key, outcome);
  const items =
    error instanceof SwiftEatsError && ["price_changed", "item_unavailable"].includes(error.code)
      ? (error.detail?.items as readonly LineChange[] | undefined)
      : undefined;
  if (own && items !== undefined) followMenu(items);
  if (own && items !== undefined && isOnCart()) {
    show(items.length > 0 ? items.map((item) => changeText(order, item)) : [totalText(error, order, agreedMinor)]);
  } else sayFailure(error);
}

/** No dish has another price: what is added to them, or taken off, has. */
function totalText(error: unknown, order: Cart, agreedMinor: number): string {
  const totals = error instanceof SwiftEatsError ? (error.detail?.totals as { totalMinor?: number } | undefined) : {};
  if (totals?.totalMinor === undefined) return "What is added to the food costs more now.";
  const money = (minor: number): string => formatMoney(minor, order.currency);
  return `With delivery and fees it is ${money(totals.totalMinor)} instead of ${money(agreedMinor)}.`;
}

function changeText(order: Cart, change: LineChange): string {
  const line = order.lines[change.line ?? -1] ?? order.lines.find(({ itemId }) => itemId === change.itemId);
  const name = line?.name ?? "A dish";
  if (change.choiceId !== undefined) return `${name} cannot be had with everything you chose.`;
  if (change.left !== undefined)
    return change.left > 0 ? `${name}: only ${change.left} left.` : `${name} has sold out.`;
  if (line === undefined || change.unitPriceMinor === undefined) return `${name} has another price now.`;
  const money = (minor: number): string => formatMoney(minor, order.currency);
  const now = portionMinor({ ...line, unitPriceMinor: change.unitPriceMinor, options: change.options ?? line.options });
  return `${name}: ${money(now)} instead of ${money(portionMinor(line))}.`;
}
