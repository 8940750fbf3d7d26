/**
 * What a tablet or a driver must not miss: it is written with what it speaks of, told again with every new line and while
 * nobody acknowledges it, and leaves the database when somebody has.
 */
import type { Pool } from "pg";
import type { Clock } from "../../../src/lib/clock.js";
import { SQL, type UntoldRow } from "./orders-sql.js";
import { newOrder, offerOf } from "./view.js";

/** Acknowledgements leave the database together. */
const GATHER_MS = 100;
const LOOK_EVERY_MS = 5_000;
const OVERDUE_MS = 5_000;

export interface Inbox {
  heard(id: unknown): void;
  /** Everything that this recipient has not acknowledged. */
  tellAgain(recipient: string): Promise<void>;
  close(): void;
}

/** `say`: to all lines of a recipient. */
export function openInbox(parts: {
  readonly pool: Pool;
  readonly clock: Clock;
  readonly say: (recipient: string, type: string, body: object) => void;
  readonly placeOf: (restaurantId: string) => Promise<{ readonly lat: number; readonly lng: number } | null>;
}): Inbox {
  const { pool, clock, say, placeOf } = parts;
  let heard: number[] = [];
  /** What fails is told again, and acknowledged again. */
  const quietly = (work: Promise<unknown>): void => {
    work.catch(() => undefined);
  };
  async function bodyOf(row: UntoldRow): Promise<object> {
    switch (row.type) {
      case "order.new":
        return newOrder(row);
      case "driver.assigned":
        return { orderId: row.id, driverId: row.driver_id };
      case "offer.made": {
        const place = (await placeOf(row.restaurant_id)) ?? { lat: row.lat, lng: row.lng };
        return offerOf(row, place, row.offer_id!, row.expires_at!.getTime());
      }
      case "offer.closed":
        return { offerId: row.offer_id };
      default:
        return { orderId: row.id, status: row.status };
    }
  }
  async function tellAgain(recipient: string): Promise<void> {
    const { rows } = await pool.query<UntoldRow>({ ...SQL.untold, values: [recipient] });
    for (const row of rows) say(recipient, row.type, { ...(await bodyOf(row)), keptAs: Number(row.inbox_id) });
  }
  async function remind(): Promise<void> {
    const { rows } = await pool.query<{ recipient: string }>({ ...SQL.overdue, values: [OVERDUE_MS] });
    for (const { recipient } of rows) await tellAgain(recipient);
  }
  const stops = [
    clock.every(GATHER_MS, () => {
      if (heard.length === 0) return;
      const ids = heard;
      heard = [];
      quietly(pool.query({ ...SQL.heard, values: [ids] }));
    }),
    clock.every(LOOK_EVERY_MS, () => quietly(remind())),
  ];
  return {
    heard(id) {
      if (Number.isSafeInteger(id)) heard.push(id as number);
    },
    tellAgain,
    close() {
      for (const stop of stops) stop();
    },
  };
}
