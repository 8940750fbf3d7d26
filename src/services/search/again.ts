/** What a customer had before and might like again, from their own orders and today's menus. Keeps nothing. */
import { lookUp, type MenuView, type OrderAgain, type OrderView, quantities } from "../../protocol/mod.js";
import type { MenuReader, PastOrders } from "./ports.js";

/** So far back one looks. */
const LOOK_AT_ORDERS = 60;

type Line = OrderView["lines"][number];

/** Baskets by how often they were ordered, then the newest first. Rejects when orders or menus cannot be read. */
export async function ordersAgain(
  orders: PastOrders,
  menus: MenuReader,
  customerId: string,
  limit: number,
): Promise<readonly OrderAgain[]> {
  const past = await orders.orders(customerId, { limit: LOOK_AT_ORDERS });
  const baskets = new Map<string, { readonly newest: OrderView; times: number }>();
  for (const order of past.orders) {
    if (order.status !== "delivered") continue;
    const key = basketOf(order);
    const known = baskets.get(key);
    if (known === undefined) baskets.set(key, { newest: order, times: 1 });
    else known.times++;
  }
  const wanted = [...baskets.values()]
    .sort((a, b) => b.times - a.times || b.newest.placedAt - a.newest.placedAt)
    .slice(0, limit);
  return Promise.all(
    wanted.map(async ({ newest, times }) => againOf(newest, times, await menus.menu(newest.restaurant.id))),
  );
}

function basketOf({ restaurant, lines }: OrderView): string {
  return JSON.stringify([restaurant.id, ...lines.map(lineText).sort()]);
}

/** With another choice it is another dish: somebody minds the nuts. */
function lineText({ itemId, quantity, options = [] }: Line): string {
  const chosen = options.map(({ groupId, choiceId }) => `${groupId}=${choiceId}`).sort();
  return [itemId, quantity, ...chosen].join(" ");
}

function againOf(order: OrderView, times: number, menu: MenuView | null): OrderAgain {
  const items = new Map(menu?.items.map((item) => [item.itemId, item]));
  // The same dish may stand on several lines, each with its choices.
  const wanted = quantities(order.lines);
  return {
    restaurantId: order.restaurant.id,
    name: menu?.name ?? order.restaurant.name,
    open: menu?.open ?? false,
    times,
    lastOrderId: order.orderId,
    lastPlacedAt: order.placedAt,
    currency: order.totals.currency,
    lines: order.lines.map((line) => {
      const { itemId, name, quantity, options } = line;
      const item = items.get(itemId);
      const chosen = item === undefined ? null : lookUp(item, line);
      const enough = (item?.left ?? Number.POSITIVE_INFINITY) >= (wanted.get(itemId) ?? quantity);
      const available = chosen?.gone.length === 0 && chosen.wrong.length === 0 && item?.available !== false && enough;
      return {
        itemId,
        name: item?.name ?? name,
        quantity,
        ...(item === undefined ? {} : { unitPriceMinor: item.priceMinor }),
        ...(options === undefined ? {} : { options: options.map((each) => choiceOf(item, each)) }),
        available,
      };
    }),
  };
}

type Choice = NonNullable<Line["options"]>[number];

function choiceOf(item: MenuView["items"][number] | undefined, { groupId, choiceId, name }: Choice) {
  const choice = item?.options
    ?.find((group) => group.groupId === groupId)
    ?.choices.find((each) => each.choiceId === choiceId);
  if (choice === undefined) return { groupId, choiceId, name };
  const priceMinor = choice.available === false ? {} : { priceMinor: choice.priceMinor };
  return { groupId, choiceId, name: choice.name, ...priceMinor };
}
