/**
 * The statements. Each is prepared once a connection (`name`) and, where one row decides, does its whole step in one round
 * trip: a statement is a transaction of its own and is durable when it is answered. What a step promises is written by the
 * same statement: the answer to the command, what a tablet or a driver must not miss, what is to be done at the bank, what
 * other programs read, the books.
 */

interface Statement {
  readonly name: string;
  readonly text: string;
}

/** What goes along with a step. The rows of `moved` are the order, once it has moved. */
interface Along {
  /** The step is a command of `$2`; `$3` is its key, `$4` what was asked. */
  readonly command?: true;
  readonly tells?: readonly (readonly [recipient: string, type: string])[];
  /** To be done at the bank from now on. */
  readonly begins?: "capture" | "void";
  /** Done there. */
  readonly ends?: "authorise";
  /** More expressions of the statement. */
  readonly more?: readonly string[];
}

const TABLET = "'restaurant:' || restaurant_id";
const DRIVER = "'driver:' || driver_id";

/** At the delivery the customer owes, and everybody has earned a part; a tenth of the food is the marketplace's. */
const SALE = `booked AS (INSERT INTO ledger_entry (order_id, line, account, amount_minor)
  SELECT id, line, account, amount
  FROM (SELECT id, (totals->>'totalMinor')::integer AS total, (totals->>'feeMinor')::integer AS fee FROM moved) o,
    LATERAL (VALUES (1, 'receivable', total), (2, 'restaurant', fee - total), (3, 'restaurant', (total - fee) / 10),
      (4, 'revenue', (fee - total) / 10), (5, 'revenue', -fee), (6, 'delivery', fee), (7, 'driver', -fee)
    ) AS e (line, account, amount))`;
const FREED = "freed AS (UPDATE driver SET order_id = NULL FROM moved WHERE driver.id = moved.driver_id)";
/** By their types, the numbers in the inbox of what is to be told. */
const KEPT_AS = "(SELECT json_object_agg(type, id) FROM kept) AS kept_as";

const noted = (kind: string, from: string): string => `noted AS (INSERT INTO order_event (order_id, version, kind, body)
  SELECT id, version, '${kind}', jsonb_build_object('customerId', customer_id, 'restaurantId', restaurant_id,
    'driverId', driver_id, 'status', status) FROM ${from})`;

/** One step of an order's status with its line in the history; no row: the order is not where the step begins. */
function step(name: string, set: string, where: string, along: Along): Statement {
  const { command, tells, begins, ends, more = [] } = along;
  const parts = [
    `moved AS (UPDATE orders SET ${set}, version = version + 1 WHERE id = $1 AND ${where} RETURNING *)`,
    noted(name, "moved"),
    ...more,
  ];
  if (command === true)
    parts.push(`remembered AS (INSERT INTO command (who, key, asked, answer) SELECT $2, $3, $4,
      jsonb_build_object('orderId', id, 'status', status, 'version', version, 'totals', totals) FROM moved)`);
  if (tells !== undefined) {
    const rows = tells.map(([recipient, type]) => `SELECT ${recipient}, '${type}', id FROM moved`).join(" UNION ALL ");
    parts.push(`kept AS (INSERT INTO inbox (recipient, type, order_id) ${rows} RETURNING id, type)`);
  }
  if (begins !== undefined)
    parts.push(`begun AS (INSERT INTO task (order_id, kind) SELECT id, '${begins}' FROM moved)`);
  if (ends !== undefined) parts.push(`ended AS (DELETE FROM task WHERE order_id = $1 AND kind = '${ends}')`);
  return { name, text: `WITH ${parts.join(", ")} SELECT *${tells === undefined ? "" : `, ${KEPT_AS}`} FROM moved` };
}
const byKitchen = (name: string, from: string, begins?: "void"): Statement =>
  step(name, `status = '${name}'`, `status IN (${from}) AND restaurant_id = $2`, {
    command: true,
    tells: [[TABLET, "order.changed"]],
    ...(begins === undefined ? {} : { begins }),
  });
/** A change of an offer that its driver hears of. */
const ofOffer = (name: string, type: string, change: string): Statement => ({
  name,
  text: `WITH changed AS (${change} RETURNING *), kept AS (INSERT INTO inbox (recipient, type, order_id, offer_id)
      SELECT ${DRIVER}, '${type}', order_id, id FROM changed RETURNING id, type)
    SELECT order_id, ${KEPT_AS} FROM changed`,
});

export const SQL = {
  place: {
    name: "place",
    text: `WITH placed AS (
        INSERT INTO orders (id, customer_id, idempotency_key, body_hash, restaurant_id, status, version, lines, totals, lat, lng, note)
        VALUES ($1, $2, $3, $4, $5, 'placed', 1, $6, $7, $8, $9, $10)
        ON CONFLICT (customer_id, idempotency_key) DO NOTHING RETURNING *
      ), ${noted("placed", "placed")}, begun AS (INSERT INTO task (order_id, kind) SELECT id, 'authorise' FROM placed)
      SELECT * FROM placed`,
  },
  placedBefore: { name: "placed-before", text: "SELECT * FROM orders WHERE customer_id = $1 AND idempotency_key = $2" },
  reserve: {
    name: "reserve",
    text: "UPDATE menu_item SET stock = stock - $3 WHERE restaurant_id = $1 AND id = $2 AND stock >= $3",
  },
  order: { name: "order", text: "SELECT * FROM orders WHERE id = $1" },
  confirm: step("confirmed", "status = 'confirmed'", "status = 'placed'", {
    ends: "authorise",
    tells: [[TABLET, "order.new"]],
  }),
  decline: step("cancelled", "status = 'cancelled'", "status = 'placed'", { ends: "authorise" }),
  accept: byKitchen("accepted", "'confirmed'"),
  reject: byKitchen("rejected", "'confirmed'", "void"),
  preparing: byKitchen("preparing", "'accepted'"),
  ready: byKitchen("ready", "'accepted', 'preparing'"),
  assign: step(
    "driver_assigned",
    "driver_id = $2",
    "driver_id IS NULL AND status IN ('accepted', 'preparing', 'ready')",
    {
      command: true,
      tells: [
        [TABLET, "driver.assigned"],
        [DRIVER, "trip.changed"],
      ],
    },
  ),
  pickUp: step("picked_up", "status = 'picked_up'", "status = 'ready' AND driver_id = $2", { command: true }),
  deliver: step("delivered", "status = 'delivered'", "status = 'picked_up' AND driver_id = $2", {
    command: true,
    begins: "capture",
    more: [FREED, SALE],
  }),
  answered: { name: "answered", text: "SELECT asked, answer FROM command WHERE who = $1 AND key = $2" },
  offer: ofOffer(
    "offer",
    "offer.made",
    `INSERT INTO offer (id, order_id, driver_id, status, expires_at)
      SELECT $1, $2, $3, 'open', now() + $4 * interval '1 millisecond'
      WHERE EXISTS (SELECT FROM driver WHERE id = $3 AND is_online AND order_id IS NULL)
      ON CONFLICT DO NOTHING`,
  ),
  closeOffer: ofOffer("close-offer", "offer.closed", "UPDATE offer SET status = $2 WHERE id = $1 AND status = 'open'"),
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
    text: `WITH ended AS (DELETE FROM task WHERE order_id = $1 AND kind = 'capture'), booked AS (
        INSERT INTO ledger_entry (order_id, line, account, amount_minor)
        VALUES ($1, 8, 'clearing', $2::integer), ($1, 9, 'receivable', -$2::integer)
        ON CONFLICT DO NOTHING RETURNING line
      )
      INSERT INTO order_event (order_id, version, kind)
      SELECT $1, $3, 'payment_captured' WHERE EXISTS (SELECT FROM booked)`,
  },
  voided: { name: "voided", text: "DELETE FROM task WHERE order_id = $1 AND kind = 'void'" },
  tasks: { name: "tasks", text: "SELECT o.*, t.kind AS task FROM task t JOIN orders o ON o.id = t.order_id" },
  unassigned: {
    name: "unassigned",
    text: "SELECT * FROM orders WHERE status IN ('accepted', 'preparing', 'ready') AND driver_id IS NULL",
  },
  untold: {
    name: "untold",
    text: `SELECT o.*, i.id AS inbox_id, i.type, i.offer_id, f.expires_at
      FROM inbox i JOIN orders o ON o.id = i.order_id LEFT JOIN offer f ON f.id = i.offer_id
      WHERE i.recipient = $1 ORDER BY i.id`,
  },
  overdue: {
    name: "overdue",
    text: `SELECT DISTINCT recipient FROM (SELECT recipient, at FROM inbox ORDER BY id LIMIT 500) oldest
      WHERE at < now() - $1 * interval '1 millisecond'`,
  },
  heard: { name: "heard", text: "DELETE FROM inbox WHERE id = ANY($1::bigint[])" },
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
  /** Of a step that somebody is told of: numbers in the inbox, by what is told. */
  readonly kept_as?: KeptAs;
}
export type KeptAs = Readonly<Record<string, number>> | null;
export interface OrderLine {
  readonly itemId: string;
  readonly quantity: number;
  readonly unitPriceMinor: number;
  readonly name: string;
}
/** What somebody has not acknowledged. */
export interface UntoldRow extends OrderRow {
  /** A bigint. */
  readonly inbox_id: string;
  readonly type: string;
  readonly offer_id: string | null;
  readonly expires_at: Date | null;
}
