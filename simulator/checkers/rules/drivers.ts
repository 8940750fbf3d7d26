/** Rules about offers, trips and who carries what: 5, 6, 7, 13. */
import { isTerminal } from "../../../src/protocol/mod.js";
import { clockSkewMs, type EvidenceIndex, type Rule, type Violation } from "../evidence.js";
import { storyOfDriver, storyOfOrder } from "../story.js";

/** RULES 5: an offer has at most one winner; a confirmed acceptance is that winner's. */
export const oneWinner: Rule = {
  name: "rule-05-one-winner",
  check(index) {
    const found: Violation[] = [];
    const winner = new Map<string, string>();
    for (const { driverId, entries } of index.history.drivers) {
      for (const entry of entries) {
        if (entry.kind !== "closed" || entry.outcome !== "won") continue;
        const other = winner.get(entry.offerId);
        if (other !== undefined && other !== driverId) {
          const orderId = index.orderOfOffer.get(entry.offerId) ?? entry.offerId;
          found.push({
            rule: this.name,
            subject: entry.offerId,
            summary: `offer ${entry.offerId} was won by ${other} and by ${driverId}`,
            story: storyOfOrder(index, orderId, ["drivers"]),
          });
        }
        winner.set(entry.offerId, driverId);
      }
    }
    for (const { driverId, entries } of index.history.drivers) {
      for (const entry of entries) {
        if (entry.kind !== "did" || entry.command !== "deliver" || entry.answer !== "ok") continue;
        const stored = index.database?.orders.get(entry.subject);
        if (stored === undefined || stored.driverId === null || stored.driverId === driverId) continue;
        found.push({
          rule: this.name,
          subject: entry.subject,
          summary: `order ${entry.subject} was delivered by ${driverId} and is stored as ${stored.driverId}'s`,
          story: storyOfOrder(index, entry.subject, ["drivers", "stored"]),
        });
      }
    }
    return found;
  },
};

/** RULES 6: a driver is on at most one trip; a trip may hold a declared batch. */
export const oneTrip: Rule = {
  name: "rule-06-one-trip",
  check(index) {
    const found: Violation[] = [];
    for (const { driverId, entries } of index.history.drivers) {
      let tripId: string | null = null;
      let orderIds: readonly string[] = [];
      let since = 0;
      for (const entry of entries) {
        if (entry.kind !== "trip") continue;
        // A snapshot says what is true now; what lay between the trips was not told.
        if (
          !entry.snapshot &&
          entry.tripId !== null &&
          tripId !== null &&
          entry.tripId !== tripId &&
          orderIds.length > 0
        ) {
          found.push({
            rule: this.name,
            subject: driverId,
            summary: `driver ${driverId} got trip ${entry.tripId} while on trip ${tripId} with ${orderIds.join(", ")}`,
            story: storyOfDriver(index, driverId, since, entry.receivedAt),
          });
        }
        if (entry.tripId !== tripId) since = entry.receivedAt;
        tripId = entry.tripId;
        orderIds = entry.orderIds;
      }
    }
    const tripOf = new Map<string, string>();
    for (const { driverId, tripId } of index.database?.trips ?? []) {
      const other = tripOf.get(driverId);
      if (other !== undefined && other !== tripId) {
        found.push({
          rule: this.name,
          subject: driverId,
          summary: `driver ${driverId} is stored on trip ${other} and on trip ${tripId}`,
          story: storyOfDriver(index, driverId, 0, Number.POSITIVE_INFINITY),
        });
      }
      tripOf.set(driverId, tripId);
    }
    return found;
  },
};

interface Carrying {
  readonly driverId: string;
  readonly from: number;
  /** The last moment at which the driver surely had it. */
  readonly to: number;
}

/** RULES 7: an order has at most one active driver; reassignment revokes first. */
export const oneDriver: Rule = {
  name: "rule-07-one-driver",
  check(index) {
    const found: Violation[] = [];
    for (const [orderId, carried] of carryingTimes(index)) {
      const sorted = carried.toSorted((a, b) => a.from - b.from);
      for (let i = 1; i < sorted.length; i++) {
        const before = sorted[i - 1]!;
        const after = sorted[i]!;
        // Two nodes have told the times: what was held and given up within what their clocks differ may have come first.
        const bothMs = Math.min(before.to, after.to) - after.from;
        if (before.driverId === after.driverId || bothMs <= clockSkewMs(index)) continue;
        found.push({
          rule: this.name,
          subject: orderId,
          summary: `order ${orderId} was ${before.driverId}'s and ${after.driverId}'s for ${Math.round(bothMs)} ms`,
          story: storyOfOrder(index, orderId, ["drivers"]),
        });
        break;
      }
    }
    for (const { driverId, orderIds } of index.database?.trips ?? []) {
      for (const orderId of orderIds) {
        const stored = index.database?.orders.get(orderId);
        if (stored === undefined || isTerminal(stored.status) || stored.driverId === null) continue;
        if (stored.driverId === driverId) continue;
        found.push({
          rule: this.name,
          subject: orderId,
          summary: `order ${orderId} is stored as ${stored.driverId}'s and on the trip of ${driverId}`,
          story: storyOfOrder(index, orderId, ["drivers", "stored"]),
        });
      }
    }
    return found;
  },
};

/**
 * From the event that gave a driver the order to the event that took it away, by the node's clock. A driver who was
 * away and learned of the end by a snapshot had it at least until the last event before.
 */
function carryingTimes(index: EvidenceIndex): Map<string, Carrying[]> {
  const carried = new Map<string, Carrying[]>();
  for (const { driverId, entries } of index.history.drivers) {
    const open = new Map<string, { from: number; seen: number }>();
    const end = (orderId: string, to: number): void => {
      const list = carried.get(orderId) ?? [];
      list.push({ driverId, from: open.get(orderId)!.from, to });
      carried.set(orderId, list);
      open.delete(orderId);
    };
    for (const entry of entries) {
      if (entry.kind === "did" && entry.answer === "ok" && open.has(entry.subject)) {
        // Delivering, failing or giving back ends it; the event that says so may come later.
        if (entry.command === "deliver" || entry.command === "fail" || entry.command === "release") {
          end(entry.subject, entry.sentAt);
        }
        continue;
      }
      if (entry.kind !== "trip") continue;
      for (const orderId of [...open.keys()]) {
        if (entry.orderIds.includes(orderId)) open.get(orderId)!.seen = entry.at;
        else end(orderId, entry.snapshot ? open.get(orderId)!.seen : entry.at);
      }
      for (const orderId of entry.orderIds) {
        if (!open.has(orderId)) open.set(orderId, { from: entry.at, seen: entry.at });
      }
    }
    for (const [orderId, { seen }] of [...open]) end(orderId, seen);
  }
  return carried;
}

/** RULES 13: an expired, declined or cancelled offer cannot be accepted. */
export const closedStaysClosed: Rule = {
  name: "rule-13-closed-stays-closed",
  check(index) {
    const found: Violation[] = [];
    for (const { driverId, entries } of index.history.drivers) {
      const over = new Map<string, string>();
      const expiresAt = new Map<string, number>();
      const acceptedAt = new Map<string, number>();
      for (const entry of entries) {
        if (entry.kind === "offer") expiresAt.set(entry.offerId, entry.expiresAt);
        if (entry.kind === "did" && entry.command === "decline" && entry.answer === "ok") {
          over.set(entry.subject, "declined by the driver");
        }
        if (entry.kind === "did" && entry.command === "accept") {
          if (!acceptedAt.has(entry.subject)) acceptedAt.set(entry.subject, entry.sentAt);
          if (CLOSING_REFUSALS.has(entry.answer)) over.set(entry.subject, `answered ${entry.answer}`);
        }
        if (entry.kind !== "closed") continue;
        if (entry.outcome !== "won") {
          over.set(entry.offerId, entry.outcome);
          continue;
        }
        const late = (acceptedAt.get(entry.offerId) ?? 0) - (expiresAt.get(entry.offerId) ?? Number.POSITIVE_INFINITY);
        const why =
          over.get(entry.offerId) ??
          (late > clockSkewMs(index) ? `accepted ${Math.round(late)} ms after it expired` : null);
        if (why === null) continue;
        found.push({
          rule: this.name,
          subject: entry.offerId,
          summary: `offer ${entry.offerId} was ${why} and then won by ${driverId}`,
          story: storyOfOrder(index, index.orderOfOffer.get(entry.offerId) ?? entry.offerId, ["drivers"]),
        });
      }
    }
    return found;
  },
};

const CLOSING_REFUSALS: ReadonlySet<string> = new Set(["offer_expired", "offer_taken", "offer_withdrawn"]);
