/** RULES 12: who may see where a driver is, and when. */
import { isTerminal, ORDER_STATUSES, type TimelineKind } from "../../../src/protocol/mod.js";
import { clockSkewMs, type EvidenceIndex, type Rule, type Violation } from "../evidence.js";
import { NUMBERS_PER_FIX, type PositionSighting } from "../history.js";
import { storyOfOrder } from "../story.js";

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
      const end = timeline.find((entry) => ENDS.has(entry.kind)) ?? null;
      const carriers = sentFixes(index, order.orderId);
      for (const position of order.positions) {
        const problem =
          gateProblem(index, position, pickedUpAt, end) ?? notTheirs(position, carriers, clockSkewMs(index));
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
  index: EvidenceIndex,
  position: PositionSighting,
  pickedUpAt: number,
  end: { readonly kind: TimelineKind; readonly at: number } | null,
): string | null {
  const { pollAfterCloseMs } = index.bounds;
  const skewMs = clockSkewMs(index);
  const early = (at: number): number => pickedUpAt - at - (Number.isFinite(pickedUpAt) ? skewMs : 0);
  if (early(position.receivedAt) > 0) {
    return Number.isFinite(pickedUpAt)
      ? `${Math.round(pickedUpAt - position.receivedAt)} ms before pickup`
      : "of an order that was never picked up";
  }
  // Where the driver was before is nobody's business, whenever it is shown.
  if (early(position.measuredAt) > 0)
    return `measured ${Math.round(pickedUpAt - position.measuredAt)} ms before pickup`;
  const closedAt = end?.at ?? Number.POSITIVE_INFINITY;
  // The driver's gate closes before the delivery is told; who ends an order otherwise has to reach the driver first.
  const shutAt = end?.kind === "delivered" ? closedAt + skewMs : closedAt + pollAfterCloseMs;
  if (position.measuredAt > shutAt) return `measured ${Math.round(position.measuredAt - closedAt)} ms after the end`;
  if (position.via === "poll") {
    const lateMs = (position.askedAt ?? position.receivedAt) - closedAt;
    return lateMs > pollAfterCloseMs ? `${Math.round(lateMs)} ms after the end` : null;
  }
  if (position.statusSeen !== null && isTerminal(position.statusSeen)) return `after "${position.statusSeen}"`;
  return null;
}

interface Sent {
  readonly at: number;
  readonly lat: number;
  readonly lng: number;
}

/** What the drivers of this order sent, oldest first; null when the recorder could not keep all of it. */
function sentFixes(index: EvidenceIndex, orderId: string): readonly Sent[] | null {
  const drivers = new Set(
    (index.driversByOrder.get(orderId) ?? [])
      .filter(({ entry }) => entry.kind === "trip")
      .map(({ driverId }) => driverId),
  );
  if (drivers.size === 0) return null;
  const sent: Sent[] = [];
  for (const driverId of drivers) {
    const driver = index.driversById.get(driverId);
    if (driver === undefined || driver.droppedFixes > 0) return null;
    for (let i = 0; i < driver.fixes.length; i += NUMBERS_PER_FIX)
      sent.push({ at: Math.round(driver.fixes[i]!), lat: driver.fixes[i + 1]!, lng: driver.fixes[i + 2]! });
  }
  return sent.sort((a, b) => a.at - b.at);
}

/** `skewMs`: a node whose clock is behind the phone's takes what was measured in a time to come for measured just now. */
function notTheirs(position: PositionSighting, sent: readonly Sent[] | null, skewMs: number): string | null {
  if (sent === null) return null;
  const from = Math.round(position.measuredAt);
  let [low, high] = [0, sent.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sent[middle]!.at < from) low = middle + 1;
    else high = middle;
  }
  for (; low < sent.length && sent[low]!.at <= from + skewMs; low++)
    if (Math.abs(sent[low]!.lat - position.lat) < 2e-6 && Math.abs(sent[low]!.lng - position.lng) < 2e-6) return null;
  return "that none of its drivers sent";
}
