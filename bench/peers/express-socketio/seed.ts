/** What has to be in the database and in Redis before a scenario begins. */
import type { Redis } from "ioredis";
import type { Pool } from "pg";
import type { OrdersPlan, PositionsPlan, ReadsPlan } from "../ports.js";
import { redisKeyOf } from "./reads.js";

export const CENTER = { lat: 48.2, lng: 16.37 };
export const DISH = "dish";
export const restaurantOf = (number: number): string => `restaurant-${number}`;
export const customerOf = (orderId: string): string => `customer-of-${orderId}`;
/** Of a dish and of its delivery: together what an order of the scenario costs. */
export const PRICE_MINOR = 1_000;
export const FEE_MINOR = 200;

export async function seedOrders(pool: Pool, { restaurants }: OrdersPlan): Promise<void> {
  for (let i = 0; i < restaurants; i++) {
    const angle = (i / restaurants) * 2 * Math.PI;
    await pool.query("INSERT INTO restaurant VALUES ($1, $2, $3, $4, 'EUR', $5, true) ON CONFLICT DO NOTHING", [
      restaurantOf(i),
      `Kitchen ${i}`,
      CENTER.lat + 0.02 * Math.sin(angle),
      CENTER.lng + 0.02 * Math.cos(angle),
      FEE_MINOR,
    ]);
    await pool.query("INSERT INTO menu_item VALUES ($1, $2, 'Dish of the day', $3, NULL) ON CONFLICT DO NOTHING", [
      restaurantOf(i),
      DISH,
      PRICE_MINOR,
    ]);
  }
}

/** Every order is on its way. */
export async function seedPositions(pool: Pool, { driverIds, orderIds }: PositionsPlan): Promise<void> {
  await pool.query(
    `INSERT INTO orders (id, customer_id, idempotency_key, body_hash, restaurant_id, status, version, driver_id, lines, totals, lat, lng)
     SELECT o.id, o.customer, o.id, '', 'restaurant-0', 'picked_up', 7, o.driver, '[]', '{}', $4, $5
     FROM unnest($1::text[], $2::text[], $3::text[]) AS o (id, customer, driver)`,
    [orderIds, orderIds.map(customerOf), orderIds.map((_, i) => driverIds[i]!), CENTER.lat, CENTER.lng],
  );
}

export async function seedReads(pool: Pool, redis: Redis, { documents }: ReadsPlan): Promise<void> {
  for (const { path, body } of documents) {
    await pool.query("INSERT INTO document VALUES ($1, $2)", [path, body]);
    await redis.set(redisKeyOf(path), body);
  }
}
