/** Who delivered what, as the books know it: no other list of it is kept. */
import type { Clock } from "../../lib/clock.js";
import { sleep } from "../../lib/clock.js";
import type { LedgerStore } from "./ports.js";

const PAGE = 200;
/** The books lag by moments; whoever asks waits for so long, and then comes back. */
const PATIENCE_MS = 5_000;
const LOOK_MS = 100;

export interface Deliveries {
  /** Orders that this driver has delivered, page by page; null: not all from before `now` are booked yet. */
  deliveredBy(driverId: string, now: number): Promise<AsyncIterable<readonly string[]> | null>;
}

export function createDeliveries(store: Pick<LedgerStore, "pending" | "movements">, clock: Clock): Deliveries {
  async function isBooked(before: number): Promise<boolean> {
    const until = clock.monotonic() + PATIENCE_MS;
    for (;;) {
      const [oldest] = await store.pending(1);
      if (oldest === undefined || oldest.at > before) return true;
      if (clock.monotonic() >= until) return false;
      await sleep(clock, LOOK_MS);
    }
  }

  async function* pages(driverId: string, now: number): AsyncGenerator<readonly string[]> {
    // The end of a page is asked for again: of one instant there may be more than the page held.
    let to = now + 1;
    for (;;) {
      const rows = await store.movements(["driver_payable"], driverId, { from: 0, to }, PAGE);
      yield [...new Set(rows.map(({ orderId }) => orderId))];
      const last = rows.at(-1);
      if (last === undefined || rows.length < PAGE) return;
      to = last.at < to - 1 ? last.at + 1 : last.at;
    }
  }

  return {
    deliveredBy: async (driverId, now) => ((await isBooked(now)) ? pages(driverId, now) : null),
  };
}
