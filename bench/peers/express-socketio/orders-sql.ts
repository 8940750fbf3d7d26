/**
 * The statements. Each is prepared once a connection (`name`) and, where one row decides, does its whole step in one round
 * trip: a statement is a transaction of its own and is durable when it is answered.
 */

/** One step of an order's status with its line in the history; no row: the order is not where the step begins. */
const step = (name: string, set: string, where: string): { readonly name: string; readonly text: string } => ({
  name,
  text: `WITH moved AS (
      UPDATE orders SET ${set}, version = version + 1 WHERE id = $1 AND ${where} RETURNING *
    ), noted AS (
      INSERT INTO order_event (order_id, version, kind) SELECT id, version, '${name}' FROM moved
    )
    SELECT * FROM moved`,
});

export const SQL = {
  place: {
    name: "place",
    text: `WITH placed AS (
        INSERT INTO orders (id, customer_id, idempotency_key, body_hash, restaurant_id, status, version, lines, totals, lat, lng, note)
        VALUES ($1, $2, $3, $4, $5, 'placed', 1, $6, $7, $8, $9, $10)
        ON CONFLICT (customer_id, idempotency_key) DO NOTHING RETURNING *
      ), noted AS (
        INSERT INTO order_event (order_id, version, kind) SELECT id, version, 'placed' FROM placed
      )
      SELECT * FROM placed`,
  },
  placedBefore: { name: "placed-before", text: "SELECT * FROM orders WHERE customer_id = $1 AND idempotency_key = $2" },
  reserve: {
    name: "reserve",
    text: "UPDATE menu_item SET stock = stock - $3 WHERE restaurant_id = $1 AND id = $2 AND stock >= $3",
  },
  order: { name: "order", text: "SELECT * FROM orders WHERE id = $1" },
  confirm: step("confirmed", "status = 'confirmed'", "status = 'placed'"),
  decline: step("cancelled", "status = 'cancelled'", "status = 'placed'"),
  accept: step("accepted", "status = 'accepted'", "status = 'confirmed' AND restaurant_id = $2"),
  reject: step("rejected", "status = 'rejected'", "status = 'confirmed' AND restaurant_id = $2"),
  preparing: step("preparing", "status = 'preparing'", "status = 'accepted' AND restaurant_id = $2"),
  ready: step("ready", "status = 'ready'", "status IN ('accepted', 'preparing') AND restaurant_id = $2"),
  pickUp: step("picked_up", "status = 'picked_up'", "status = 'ready' AND driver_id = $2"),
  assign: step(
    "driver_assigned",
    "driver_id = $2",
    "driver_id IS NULL AND status IN ('accepted', 'preparing', 'ready')",
  ),
  deliver: {
    name: "delivered",
    text: `WITH moved AS (
        UPDATE orders SET status = 'delivered', version = version + 1
        WHERE id = $1 AND status = 'picked_up' AND driver_id = $2 RETURNING *
      ), noted AS (
        INSERT INTO order_event (order_id, version, kind) SELECT id, version, 'delivered' FROM moved
      ), freed AS (
        UPDATE driver SET order_id = NULL FROM moved WHERE driver.id = moved.driver_id
      )
      SELECT * FROM moved`,
  },
  offer: {
    name: "offer",
    text: `INSERT INTO offer (id, order_id, driver_id, status, expires_at)
      SELECT $1, $2, $3, 'open', now() + $4 * interval '1 millisecond'
      WHERE EXISTS (SELECT FROM driver WHERE id = $3 AND is_online AND order_id IS NULL)
      ON CONFLICT DO NOTHING`,
  },
  closeOffer: {
    name: "close-offer",
    text: "UPDATE offer SET status = $2 WHERE id = $1 AND status = 'open' RETURNING order_id",
  },
  takeOffer: {
    name: "take-offer",
    text: `UPDATE offer SET status = 'taken' WHERE id = $1 AND driver_id = $2 AND status = 'open' AND expires_at > now()
      RETURNING order_id`,
  },
  claimDriver: {
    name: "claim-driver",
    text: "UPDATE driver SET order_id = $2 WHERE id = $1 AND order_id IS NULL AND is_online RETURNING *",
  },
  goOnline: {
    name: "go-online",
    text: `INSERT INTO driver (id, name, vehicle, is_online) VALUES ($1, $2, $3, true)
      ON CONFLICT (id) DO UPDATE SET is_online = true, name = $2, vehicle = $3 RETURNING order_id`,
  },
  book: {
    name: "book",
    text: `WITH booked AS (
        INSERT INTO ledger_entry (order_id, line, account, amount_minor)
        VALUES ($1, 1, 'customer', -$2::integer), ($1, 2, 'restaurant', $2::integer - $3::integer), ($1, 3, 'driver', $3)
        ON CONFLICT DO NOTHING RETURNING line
      )
      INSERT INTO order_event (order_id, version, kind)
      SELECT $1, $4, 'payment_captured' WHERE EXISTS (SELECT FROM booked)`,
  },
  open: { name: "open", text: "SELECT * FROM orders WHERE status IN ('placed', 'accepted', 'preparing', 'ready')" },
} as const;

export interface OrderRow {
  readonly id: string;
  readonly customer_id: string;
  readonly body_hash: string;
  readonly restaurant_id: string;
  readonly status: string;
  readonly version: number;
  readonly driver_id: string | null;
  readonly lines: readonly OrderLine[];
  readonly totals: { readonly currency: string; readonly totalMinor: number; readonly feeMinor: number };
  readonly lat: number;
  readonly lng: number;
  readonly note: string | null;
  readonly placed_at: Date;
}
export interface OrderLine {
  readonly itemId: string;
  readonly quantity: number;
  readonly unitPriceMinor: number;
  readonly name: string;
}
