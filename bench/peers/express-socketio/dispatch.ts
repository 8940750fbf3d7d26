/**
 * Drivers for orders: the nearest free one by Redis' own geometry, asked for fifteen seconds, then the next. Offers are
 * rows with unique indexes, so that an order has one open offer and a driver, too, whatever several processes do.
 */
import type { Redis } from "ioredis";
import type { Pool, PoolClient } from "pg";
import type { Clock } from "../../../src/lib/clock.js";
import { type Random, uuidV7 } from "../../../src/lib/random.js";
import { FREE_DRIVERS, type Live } from "./live.js";
import { type KeptAs, type OrderRow, SQL } from "./orders-sql.js";
import { type Menu, Refused } from "./shop.js";
import { offerOf } from "./view.js";

const OFFER_MS = 15_000;
const LOOK_AGAIN_MS = 250;
const RADIUS_KILOMETERS = 10;
const CANDIDATES = 10;

interface Wanting {
  readonly order: OrderRow;
  readonly menu: Menu;
  readonly asked: Set<string>;
}

export interface Dispatch {
  wanted(order: OrderRow, menu: Menu): void;
  /** Takes the offer for this driver. */
  accept(offerId: string, driverId: string, key: string): Promise<{ readonly orderId: string }>;
  online(driver: { readonly id: string; readonly name: string; readonly vehicle: string }): Promise<void>;
  close(): void;
}

export function openDispatch(parts: {
  readonly pool: Pool;
  readonly redis: Redis;
  readonly live: Live;
  readonly clock: Clock;
  readonly random: Random;
}): Dispatch {
  const { pool, redis, live, clock, random } = parts;
  let closed = false;
  /** Of open offers: who wants a driver, and how to forget that the offer will expire. */
  const open = new Map<string, { readonly wanting: Wanting; readonly forget: () => void }>();
  const forget = (offerId: string): Wanting | undefined => {
    const known = open.get(offerId);
    known?.forget();
    open.delete(offerId);
    return known?.wanting;
  };
  const again = (wanting: Wanting, afterMs: number): void => {
    clock.after(afterMs, () => {
      if (!closed) search(wanting).catch(() => again(wanting, LOOK_AGAIN_MS));
    });
  };
  async function search(wanting: Wanting): Promise<void> {
    const { order, menu, asked } = wanting;
    const near = (await redis.call(
      ...["GEOSEARCH", FREE_DRIVERS, "FROMLONLAT", String(menu.lng), String(menu.lat)],
      ...["BYRADIUS", String(RADIUS_KILOMETERS), "km", "ASC", "COUNT", String(CANDIDATES)],
    )) as string[];
    for (const driverId of near) {
      if (asked.has(driverId)) continue;
      const offerId = uuidV7(clock.now(), random);
      const { rows } = await pool.query<{ kept_as: KeptAs }>({
        ...SQL.offer,
        values: [offerId, order.id, driverId, OFFER_MS],
      });
      if (rows.length !== 1) continue;
      asked.add(driverId);
      live.busy(driverId);
      const offer = offerOf(order, menu, offerId, clock.now() + OFFER_MS);
      live.driver(driverId, "offer.made", offer, rows[0]?.kept_as?.["offer.made"]);
      open.set(offerId, {
        wanting,
        forget: clock.after(OFFER_MS, () => void expire(wanting, offerId, driverId)),
      });
      return;
    }
    // Everybody near has been asked or is busy: whoever said nothing may be asked once more.
    if (near.length > 0 && near.every((driverId) => asked.has(driverId))) asked.clear();
    again(wanting, LOOK_AGAIN_MS);
  }
  async function expire(wanting: Wanting, offerId: string, driverId: string): Promise<void> {
    open.delete(offerId);
    if (closed) return;
    const { rows } = await pool.query<{ kept_as: KeptAs }>({ ...SQL.closeOffer, values: [offerId, "expired"] });
    if (rows.length !== 1) return;
    live.driver(driverId, "offer.closed", { offerId }, rows[0]?.kept_as?.["offer.closed"]);
    live.free(driverId);
    again(wanting, 0);
  }
  /** The driver got another order a moment before: this one asks somebody else at once. */
  async function lost(client: PoolClient, offerId: string): Promise<void> {
    const wanting = forget(offerId);
    await client.query({ ...SQL.closeOffer, values: [offerId, "lost"] });
    if (wanting !== undefined) again(wanting, 0);
  }
  async function answered(client: PoolClient, who: string, key: string, asked: string) {
    const { rows } = await client.query<{ asked: string; answer: { orderId: string } }>({
      ...SQL.answered,
      values: [who, key],
    });
    if (rows[0] !== undefined && rows[0].asked !== asked) throw new Refused("key_reused");
    return rows[0]?.answer ?? null;
  }
  return {
    wanted: (order, menu) => again({ order, menu, asked: new Set() }, 0),
    async accept(offerId, driverId, key) {
      const asked = `take ${offerId}`;
      const client = await pool.connect();
      let order: OrderRow | undefined;
      try {
        await client.query("BEGIN");
        const taken = await client.query({ ...SQL.takeOffer, values: [offerId, driverId] });
        const orderId = taken.rows[0]?.order_id as string | undefined;
        if (orderId === undefined) {
          const before = await answered(client, driverId, key, asked);
          if (before === null) throw new Refused("offer_expired");
          await client.query("ROLLBACK");
          return before;
        }
        const claimed = await client.query({ ...SQL.claimDriver, values: [driverId, orderId] });
        if (claimed.rowCount !== 1) throw new Refused("driver_busy");
        order = (await client.query<OrderRow>({ ...SQL.assign, values: [orderId, driverId, key, asked] })).rows[0];
        if (order === undefined) throw new Refused("illegal_transition");
        await client.query("COMMIT");
      } catch (cause) {
        await client.query("ROLLBACK");
        // On the same connection: when all of the pool are held by such as these, each would wait for another's for ever.
        if (cause instanceof Refused && cause.message === "driver_busy") await lost(client, offerId);
        throw cause;
      } finally {
        client.release();
      }
      forget(offerId);
      live.view(order);
      live.tablet(
        order.restaurant_id,
        "driver.assigned",
        { orderId: order.id, driverId },
        order.kept_as?.["driver.assigned"],
      );
      const trip = { orderId: order.id, status: order.status };
      live.driver(driverId, "trip.changed", trip, order.kept_as?.["trip.changed"]);
      return { orderId: order.id };
    },
    async online({ id, name, vehicle }) {
      const { rows } = await pool.query({ ...SQL.goOnline, values: [id, name, vehicle] });
      if (rows[0]?.order_id === null) live.free(id);
    },
    close() {
      closed = true;
      for (const offer of open.values()) offer.forget();
    },
  };
}
