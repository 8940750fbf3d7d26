/** What a customer had before and might like again, from their own orders and today's menus. Keeps nothing. */
import type { MenuView, OrderAgain, OrderView } from "../../protocol/mod.js";
import type { MenuReader, PastOrders } from "./ports.js";

/** So far back one looks. */
const LOOK_AT_ORDERS = 60;

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
  return JSON.stringify([restaurant.id, ...lines.map(({ itemId, quantity }) => `${itemId} ${quantity}`).sort()]);
}

function againOf(order: OrderView, times: number, menu: MenuView | null): OrderAgain {
  const items = new Map(menu?.items.map((item) => [item.itemId, item]));
  return {
    restaurantId: order.restaurant.id,
    name: menu?.name ?? order.restaurant.name,
    open: menu?.open ?? false,
    times,
    lastOrderId: order.orderId,
    lastPlacedAt: order.placedAt,
    currency: order.totals.currency,
    lines: order.lines.map(({ itemId, name, quantity }) => {
      const item = items.get(itemId);
      const available = item !== undefined && item.available !== false && (item.left ?? quantity) >= quantity;
      return {
        itemId,
        name: item?.name ?? name,
        quantity,
        ...(item === undefined ? {} : { unitPriceMinor: item.priceMinor }),
        available,
      };
    }),
  };
}
