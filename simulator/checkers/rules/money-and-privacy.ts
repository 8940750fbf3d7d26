/** Rules about money, places and stock: 8, 12, 17. */
import { isTerminal, ORDER_STATUSES } from "../../../src/protocol/mod.js";
import type { EvidenceIndex, Rule, Violation } from "../evidence.js";
import { NUMBERS_PER_FIX, type PositionSighting } from "../history.js";
import { storyOfOrder } from "../story.js";

/** RULES 8: captured ≤ authorised; nothing stays captured for a cancelled order. */
export const capturedWithinAuthorised: Rule = {
  name: "rule-08-captured-within-authorised",
  check(index) {
    const found: Violation[] = [];
    for (const [orderId, bookings] of index.bookingsByOrder) {
      const sum = (kind: string, payment?: string): number =>
        bookings
          .filter((booking) => booking.kind === kind && (payment === undefined || booking.payment === payment))
          .reduce((total, booking) => total + booking.amountMinor, 0);
      for (const payment of new Set(bookings.map((booking) => booking.payment))) {
        if (sum("captured", payment) > sum("authorised", payment)) {
          const problem = `captured ${sum("captured", payment)} of ${sum("authorised", payment)} authorised`;
          found.push(moneyViolation(this.name, orderId, problem, index));
        }
      }
      if (sum("refunded") > sum("captured")) {
        found.push(
          moneyViolation(this.name, orderId, `refunded ${sum("refunded")} of ${sum("captured")} captured`, index),
        );
      }
      const status = index.database?.orders.get(orderId)?.status;
      const kept = sum("captured") - sum("refunded");
      if ((status === "cancelled" || status === "rejected") && kept > 0) {
        found.push(moneyViolation(this.name, orderId, `is ${status} and ${kept} stay captured`, index));
      }
    }
    return found;
  },
};

function moneyViolation(rule: string, orderId: string, problem: string, index: EvidenceIndex): Violation {
  return {
    rule,
    subject: orderId,
    summary: `order ${orderId} ${problem}`,
    story: storyOfOrder(index, orderId, ["placement", "payment", "stored"]),
  };
}

/**
 * RULES 12: a customer sees a location only of their own order's driver, only between pickup and delivery: no position
 * follows the closing event on any socket, and polls stop in time.
 */
export const locationGate: Rule = {
  name: "rule-12-location-gate",
  check(index) {
    const found: Violation[] = [];
    for (const order of index.history.orders) {
      if (order.positions.length === 0) continue;
      const timeline = index.database?.orders.get(order.orderId)?.timeline ?? order.newest?.timeline ?? [];
      const pickedUpAt = timeline.find((entry) => entry.kind === "picked_up")?.at ?? Number.POSITIVE_INFINITY;
      const closedAt = timeline.find((entry) => ENDS.has(entry.kind))?.at ?? Number.POSITIVE_INFINITY;
      const carriers = sentFixes(index, order.orderId);
      for (const position of order.positions) {
        const problem =
          gateProblem(position, pickedUpAt, closedAt, index.bounds.pollAfterCloseMs) ?? notTheirs(position, carriers);
        if (problem === null) continue;
        found.push({
          rule: this.name,
          subject: order.orderId,
          summary: `order ${order.orderId}: ${position.stream} saw a position ${problem}`,
          story: storyOfOrder(index, order.orderId, ["views", "positions", "drivers"]),
        });
        break;
      }
    }
    return found;
  },
};

const ENDS: ReadonlySet<string> = new Set(ORDER_STATUSES.filter(isTerminal));

function gateProblem(
  position: PositionSighting,
  pickedUpAt: number,
  closedAt: number,
  pollAfterCloseMs: number,
): string | null {
  if (position.receivedAt < pickedUpAt) {
    return Number.isFinite(pickedUpAt)
      ? `${Math.round(pickedUpAt - position.receivedAt)} ms before pickup`
      : "of an order that was never picked up";
  }
  // Where the driver was before is nobody's business, whenever it is shown.
  if (position.measuredAt < pickedUpAt)
    return `measured ${Math.round(pickedUpAt - position.measuredAt)} ms before pickup`;
  if (position.via === "poll") {
    const lateMs = position.receivedAt - closedAt;
    return lateMs > pollAfterCloseMs ? `${Math.round(lateMs)} ms after the end` : null;
  }
  if (position.statusSeen !== null && isTerminal(position.statusSeen)) return `after "${position.statusSeen}"`;
  return null;
}

/** What the drivers of this order sent, `measuredAt` → places; null when the recorder could not keep all of it. */
function sentFixes(index: EvidenceIndex, orderId: string): ReadonlyMap<number, readonly [number, number][]> | null {
  const drivers = new Set(
    (index.driversByOrder.get(orderId) ?? [])
      .filter(({ entry }) => entry.kind === "trip")
      .map(({ driverId }) => driverId),
  );
  if (drivers.size === 0) return null;
  const sent = new Map<number, [number, number][]>();
  for (const driverId of drivers) {
    const driver = index.driversById.get(driverId);
    if (driver === undefined || driver.droppedFixes > 0) return null;
    for (let i = 0; i < driver.fixes.length; i += NUMBERS_PER_FIX) {
      const at = Math.round(driver.fixes[i]!);
      const places = sent.get(at) ?? [];
      places.push([driver.fixes[i + 1]!, driver.fixes[i + 2]!]);
      sent.set(at, places);
    }
  }
  return sent;
}

function notTheirs(
  position: PositionSighting,
  sent: ReadonlyMap<number, readonly [number, number][]> | null,
): string | null {
  if (sent === null) return null;
  const places = sent.get(Math.round(position.measuredAt)) ?? [];
  const close = places.some(([lat, lng]) => Math.abs(lat - position.lat) < 2e-6 && Math.abs(lng - position.lng) < 2e-6);
  return close ? null : "that none of its drivers sent";
}

interface Taken {
  /** Held by open orders, or gone with orders that were not taken back. */
  sold: number;
  /** Of orders whose stock may or may not have come back by the rule's letter. */
  unsure: number;
  readonly orders: string[];
}

/**
 * RULES 17: stock is never oversold; a cancelled order returns what it reserved. Food that left the kitchen is gone, so an
 * order that failed at the door returns nothing. Where the rule does not say (cancelled on the way, given up before
 * pickup), either count passes.
 */
export const neverOversold: Rule = {
  name: "rule-17-never-oversold",
  check(index) {
    const found: Violation[] = [];
    if (index.database === null) return found;
    const taken = new Map<string, Taken>();
    for (const stored of index.database.orders.values()) {
      const left = stored.timeline.some((entry) => entry.kind === "picked_up");
      const ended = stored.status === "cancelled" || stored.status === "rejected";
      if (ended && !left) continue;
      const unsure = ended || (stored.status === "undeliverable" && !left);
      for (const line of stored.lines) {
        const key = `${stored.restaurantId}/${line.itemId}`;
        const sum = taken.get(key) ?? { sold: 0, unsure: 0, orders: [] };
        sum[unsure ? "unsure" : "sold"] += line.quantity;
        sum.orders.push(`${stored.orderId} (${stored.status}, ${line.quantity})`);
        taken.set(key, sum);
      }
    }
    for (const [item, configured] of index.stockConfigured) {
      const { sold, unsure, orders } = taken.get(item) ?? { sold: 0, unsure: 0, orders: [] };
      const left = index.database.stockLeft.get(item);
      const wrong = left !== undefined && (left > configured - sold || left < configured - sold - unsure);
      const problem =
        sold > configured
          ? `had ${configured} and ${sold} were sold`
          : wrong
            ? `had ${configured}, ${sold} are sold or reserved, and ${left} are left`
            : null;
      if (problem === null) continue;
      found.push({
        rule: this.name,
        subject: item,
        summary: `item ${item} ${problem}`,
        story: [
          `orders with it: ${orders.slice(0, 12).join(", ")}${orders.length > 12 ? ` and ${orders.length - 12} more` : ""}`,
        ],
      });
    }
    return found;
  },
};
