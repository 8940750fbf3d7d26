/** What customers, tablets and polls see of an order. */
import type { OrderRow } from "./orders-sql.js";

export function viewOf(order: OrderRow) {
  return {
    orderId: order.id,
    version: order.version,
    status: order.status,
    restaurantId: order.restaurant_id,
    lines: order.lines,
    totals: order.totals,
    destination: { lat: order.lat, lng: order.lng },
    driverId: order.driver_id,
    placedAt: order.placed_at.getTime(),
  };
}
