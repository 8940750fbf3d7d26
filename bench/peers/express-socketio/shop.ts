/**
 * Orders: placing, the kitchen, the payment, the road. Owns what is written and in which order things are said; every
 * answer and every event leaves after the commit that it speaks of.
 *
 * Every command's answer is remembered with what it did; what is to be done at the bank is a row until it is done. A command
 * under another key finds the order where it was left and answers the same.
 */
import { createHash } from "node:crypto";
import type { Pool } from "pg";
import { type Clock, sleep } from "../../../src/lib/clock.js";
import { type Random, uuidV7 } from "../../../src/lib/random.js";
import type { Live } from "./live.js";
import { type OrderLine, type OrderRow, SQL } from "./orders-sql.js";
import type { Payments } from "./payments.js";
import { newOrder } from "./view.js";

export type Refusal =
  | "invalid"
  | "not_found"
  | "key_reused"
  | "restaurant_closed"
  | "price_changed"
  | "item_unavailable"
  | "illegal_transition"
  | "offer_expired"
  | "driver_busy";

export class Refused extends Error {
  readonly code: Refusal;

  constructor(code: Refusal) {
    super(code);
    this.code = code;
  }
}

export interface PlaceBody {
  readonly restaurantId: string;
  readonly lines: readonly { readonly itemId: string; readonly quantity: number; readonly unitPriceMinor: number }[];
  readonly destination: { readonly lat: number; readonly lng: number };
  readonly currency: string;
  readonly note?: string;
}
export interface Menu {
  readonly id: string;
  readonly lat: number;
  readonly lng: number;
  readonly currency: string;
  readonly deliveryFeeMinor: number;
  readonly isOpen: boolean;
  readonly items: ReadonlyMap<
    string,
    { readonly name: string; readonly priceMinor: number; readonly isLimited: boolean }
  >;
}

export type KitchenStep = "accept" | "reject" | "preparing" | "ready";
type Goal = KitchenStep | "pickUp" | "deliver";
const REACHED: Readonly<Record<Goal, readonly string[]>> = {
  accept: ["accepted", "preparing", "ready", "picked_up", "delivered"],
  reject: ["rejected"],
  preparing: ["preparing", "ready", "picked_up", "delivered"],
  ready: ["ready", "picked_up", "delivered"],
  pickUp: ["picked_up", "delivered"],
  deliver: ["delivered"],
};
const UNIQUE_VIOLATION = "23505";
const MENU_FOR_MS = 1_000;
const PAYMENT_TRIES = 5;
const PAYMENT_PAUSE_MS = 500;

export interface ShopParts {
  readonly pool: Pool;
  readonly payments: Payments;
  readonly live: Live;
  readonly clock: Clock;
  readonly random: Random;
  /** An order wants a driver. */
  readonly wanted: (order: OrderRow, menu: Menu) => void;
}
export interface Placed {
  readonly orderId: string;
  readonly status: string;
  readonly version: number;
  readonly totals: unknown;
}

export interface Shop {
  menu(restaurantId: string): Promise<Menu | null>;
  place(customerId: string, key: string, body: PlaceBody): Promise<Placed>;
  kitchen(step: KitchenStep, orderId: string, restaurantId: string, key: string): Promise<Placed>;
  pickUp(orderId: string, driverId: string, key: string): Promise<Placed>;
  deliver(orderId: string, driverId: string, key: string): Promise<Placed>;
  order(orderId: string): Promise<OrderRow | null>;
  /** Takes up what was under way when the process ended. */
  resume(): Promise<void>;
}

/** `order`: null when it had moved before. */
interface Moved {
  readonly order: OrderRow | null;
  readonly answer: Placed;
}

const placed = ({ id, status, version, totals }: OrderRow): Placed => ({ orderId: id, status, version, totals });

export function openShop({ pool, payments, live, clock, random, wanted }: ShopParts): Shop {
  const menus = new Map<string, { readonly until: number; readonly menu: Promise<Menu | null> }>();

  async function readMenu(id: string): Promise<Menu | null> {
    const [found, items] = await Promise.all([
      pool.query({ name: "restaurant", text: "SELECT * FROM restaurant WHERE id = $1", values: [id] }),
      pool.query({ name: "menu", text: "SELECT * FROM menu_item WHERE restaurant_id = $1", values: [id] }),
    ]);
    const row = found.rows[0];
    if (row === undefined) return null;
    return {
      id,
      lat: row.lat,
      lng: row.lng,
      currency: row.currency,
      deliveryFeeMinor: row.delivery_fee_minor,
      isOpen: row.is_open,
      items: new Map(
        items.rows.map((item) => [
          item.id,
          { name: item.name, priceMinor: item.price_minor, isLimited: item.stock !== null },
        ]),
      ),
    };
  }
  function menu(id: string): Promise<Menu | null> {
    const now = clock.monotonic();
    const known = menus.get(id);
    if (known !== undefined && known.until > now) return known.menu;
    const reading = readMenu(id);
    menus.set(id, { until: now + MENU_FOR_MS, menu: reading });
    return reading;
  }

  /** Null: another request has taken it from there, or it is not where this begins. */
  async function move(statement: { readonly name: string; readonly text: string }, values: readonly string[]) {
    const { rows } = await pool.query<OrderRow>({ ...statement, values: [...values] });
    const order = rows[0] ?? null;
    if (order !== null) live.view(order);
    return order;
  }
  async function command(goal: Goal, orderId: string, who: string, key: string): Promise<Moved> {
    const asked = `${goal} ${orderId}`;
    const order = await move(SQL[goal], [orderId, who, key, asked]).catch((cause: unknown) => {
      // The key has been used for something else, and that is remembered.
      if ((cause as { readonly code?: unknown }).code === UNIQUE_VIOLATION) throw new Refused("key_reused");
      throw cause;
    });
    if (order !== null) return { order, answer: placed(order) };
    const before = await answered(who, key);
    if (before !== null && before.asked !== asked) throw new Refused("key_reused");
    if (before !== null) return { order: null, answer: before.answer };
    const there = await one(orderId);
    const whose = goal === "pickUp" || goal === "deliver" ? there?.driver_id : there?.restaurant_id;
    if (there === null || whose !== who) throw new Refused("not_found");
    if (!REACHED[goal].includes(there.status)) throw new Refused("illegal_transition");
    return { order: null, answer: placed(there) };
  }
  async function answered(who: string, key: string) {
    const { rows } = await pool.query<{ asked: string; answer: Placed }>({
      ...SQL.answered,
      values: [who, key],
    });
    return rows[0] ?? null;
  }
  async function one(orderId: string): Promise<OrderRow | null> {
    return (await pool.query<OrderRow>({ ...SQL.order, values: [orderId] })).rows[0] ?? null;
  }
  async function patiently<T>(run: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await run();
      } catch (cause) {
        if (attempt === PAYMENT_TRIES) throw cause;
        await sleep(clock, PAYMENT_PAUSE_MS * attempt);
      }
    }
  }
  async function pay(order: OrderRow): Promise<void> {
    const { totalMinor, currency } = order.totals;
    const isPaid = await patiently(() => payments.authorise(order.id, totalMinor, currency));
    const moved = await move(isPaid ? SQL.confirm : SQL.decline, [order.id]);
    if (moved === null || !isPaid) return;
    live.tablet(moved.restaurant_id, "order.new", newOrder(moved), moved.kept_as?.["order.new"]);
  }
  async function settle(order: OrderRow): Promise<void> {
    const { totalMinor } = order.totals;
    await patiently(() => payments.capture(order.id, totalMinor));
    await pool.query({ ...SQL.book, values: [order.id, totalMinor, order.version + 1] });
  }
  async function giveBack(order: OrderRow): Promise<void> {
    await patiently(() => payments.void(order.id));
    await pool.query({ ...SQL.voided, values: [order.id] });
  }
  const later = (work: Promise<void>): void => {
    // What fails for good is found by the sweep after the next start.
    work.catch((cause: unknown) => process.stderr.write(`express-socketio: ${String(cause)}\n`));
  };

  async function insert(values: readonly unknown[], lines: readonly OrderLine[], at: Menu): Promise<OrderRow | null> {
    const limited = lines.filter(({ itemId }) => at.items.get(itemId)!.isLimited);
    const place = { ...SQL.place, values: [...values] };
    // Without limited stock one statement is the whole transaction.
    if (limited.length === 0) return (await pool.query<OrderRow>(place)).rows[0] ?? null;
    const client = await pool.connect();
    try {
      await client.query("BEGIN");
      const order = (await client.query<OrderRow>(place)).rows[0] ?? null;
      if (order !== null) {
        // In one order everywhere, so that two orders never wait for each other.
        for (const { itemId, quantity } of limited.toSorted((a, b) => (a.itemId < b.itemId ? -1 : 1))) {
          const { rowCount } = await client.query({ ...SQL.reserve, values: [at.id, itemId, quantity] });
          if (rowCount !== 1) throw new Refused("item_unavailable");
        }
      }
      await client.query("COMMIT");
      return order;
    } catch (cause) {
      await client.query("ROLLBACK");
      throw cause;
    } finally {
      client.release();
    }
  }

  return {
    menu,
    order: one,
    async place(customerId, key, body) {
      const at = await menu(body.restaurantId);
      if (at === null) throw new Refused("not_found");
      const bodyHash = createHash("sha256").update(JSON.stringify(body)).digest("base64url");
      let itemsMinor = 0;
      const lines = body.lines.map((line): OrderLine => {
        const item = at.items.get(line.itemId);
        if (item === undefined) throw new Refused("item_unavailable");
        if (item.priceMinor !== line.unitPriceMinor) throw new Refused("price_changed");
        itemsMinor += item.priceMinor * line.quantity;
        return { ...line, name: item.name };
      });
      const totals = {
        currency: at.currency,
        itemsMinor,
        feeMinor: at.deliveryFeeMinor,
        totalMinor: itemsMinor + at.deliveryFeeMinor,
      };
      const { lat, lng } = body.destination;
      if (!at.isOpen) throw new Refused("restaurant_closed");
      const order = await insert(
        [
          uuidV7(clock.now(), random),
          customerId,
          key,
          bodyHash,
          at.id,
          JSON.stringify(lines),
          JSON.stringify(totals),
          lat,
          lng,
          body.note ?? null,
        ],
        lines,
        at,
      );
      if (order !== null) {
        live.opened(order);
        later(pay(order));
        return placed(order);
      }
      const before = (await pool.query<OrderRow>({ ...SQL.placedBefore, values: [customerId, key] })).rows[0]!;
      if (before.body_hash !== bodyHash) throw new Refused("key_reused");
      return placed(before);
    },
    async kitchen(goal, orderId, restaurantId, key) {
      const { order, answer } = await command(goal, orderId, restaurantId, key);
      if (order !== null) {
        const { status, kept_as: keptAs } = order;
        live.tablet(restaurantId, "order.changed", { orderId, status }, keptAs?.["order.changed"]);
        if (goal === "accept") wanted(order, (await menu(restaurantId))!);
        if (goal === "reject") later(giveBack(order));
      }
      return answer;
    },
    async pickUp(orderId, driverId, key) {
      const { order, answer } = await command("pickUp", orderId, driverId, key);
      if (order !== null) live.carries(driverId, orderId);
      return answer;
    },
    async deliver(orderId, driverId, key) {
      // Closed first: no position follows the closing event.
      live.carries(driverId, null);
      const { order, answer } = await command("deliver", orderId, driverId, key);
      if (order !== null) {
        live.free(driverId);
        later(settle(order));
      }
      return answer;
    },
    async resume() {
      const { rows: tasks } = await pool.query<OrderRow & { task: "authorise" | "capture" | "void" }>(SQL.tasks);
      const doing = { authorise: pay, capture: settle, void: giveBack };
      for (const row of tasks) later(doing[row.task](row));
      const { rows } = await pool.query<OrderRow>(SQL.unassigned);
      for (const order of rows) wanted(order, (await menu(order.restaurant_id))!);
    },
  };
}
