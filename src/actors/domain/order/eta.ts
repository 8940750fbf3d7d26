/** When an order is expected, as a range. Pure: preparation left + way + handovers, widened by how far away it is. */
import type { Point } from "../../../lib/geo.js";
import type { OrderStatus } from "../../../protocol/mod.js";
import type { TravelSettings } from "../settings.js";
import { travelMs } from "../travel.js";

export interface EtaInput {
  readonly status: OrderStatus;
  readonly now: number;
  /** When the food is or will be ready. */
  readonly readyAt: number;
  readonly pickup: Point;
  readonly dropoff: Point;
  readonly driverAssigned: boolean;
}

/** Earliest and latest arrival in ms since the epoch, or null once the order is over. */
export function etaRange(input: EtaInput, travel: TravelSettings): { from: number; to: number } | null {
  const way = travelMs(input.pickup, input.dropoff, travel) + travel.handoverMs;
  let expected: number;
  switch (input.status) {
    case "delivered":
    case "cancelled":
    case "rejected":
    case "undeliverable":
      return null;
    case "picked_up":
      expected = input.now + way;
      break;
    default: {
      // Without a driver the food waits for one a handover longer.
      const search = input.driverAssigned ? 0 : travel.handoverMs;
      expected = Math.max(input.readyAt, input.now + search) + travel.handoverMs + way;
    }
  }
  const half = Math.max(travel.spreadMs, (expected - input.now) * travel.spread);
  return { from: Math.round(Math.max(input.now, expected - half)), to: Math.round(expected + half) };
}
