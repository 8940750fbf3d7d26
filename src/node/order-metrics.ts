/** How many orders are open and how long the oldest of them is, for `/metrics`: what an evening looks like in one picture. */
import type { StoreMaintenance } from "../actors/runtime/mod.js";
import type { Cancel, Clock } from "../lib/clock.js";
import type { Log } from "../lib/log.js";
import type { Metrics } from "../lib/metrics.js";
import { ORDER_STATUSES } from "../protocol/mod.js";

const COUNTED_EVERY_MS = 15_000;

/** One for each process is enough: all of them count the same rows. */
export function watchOrders({
  store,
  metrics,
  clock,
  log,
}: {
  readonly store: Pick<StoreMaintenance, "countLive">;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly log: Log;
}): Cancel {
  const open = metrics.gauge({
    name: "swift_orders_open_count",
    help: "Orders that are not over, by status; of the database, so every node says the same.",
    labels: ["status"],
  });
  const oldest = metrics.gauge({
    name: "swift_orders_oldest_age_ms",
    help: "How long ago the oldest open order was placed, by its status now, orders for later too; 0 where there is none.",
    labels: ["status"],
  });
  let failures = 0;
  const count = async (): Promise<void> => {
    try {
      const found = new Map((await store.countLive("order")).map((each) => [each.status, each]));
      for (const status of ORDER_STATUSES) {
        const { count = 0, oldestAt } = found.get(status) ?? {};
        open.set(count, { status });
        oldest.set(oldestAt === undefined ? 0 : Math.max(0, clock.now() - oldestAt), { status });
      }
      failures = 0;
    } catch (error) {
      if (failures++ === 0) log.warn({ part: "orders", error }, "Open orders could not be counted");
    }
  };
  void count();
  return clock.every(COUNTED_EVERY_MS, () => void count());
}
