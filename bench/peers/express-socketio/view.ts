/** What customers, tablets, drivers and polls see of an order. */
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

/** What a tablet is shown of an order that is new. */
export const newOrder = (order: OrderRow) => ({ ...viewOf(order), note: order.note });

export const offerOf = (
  order: OrderRow,
  pickup: { readonly lat: number; readonly lng: number },
  offerId: string,
  expiresAt: number,
) => ({
  offerId,
  orderId: order.id,
  restaurantId: order.restaurant_id,
  pickup: { lat: pickup.lat, lng: pickup.lng },
  dropoff: { lat: order.lat, lng: order.lng },
  payMinor: order.totals.feeMinor,
  expiresAt,
});
