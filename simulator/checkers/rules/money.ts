/** Rules about money and stock: 8, 9, 17. */
import { isTerminal } from "../../../src/protocol/mod.js";
import type { Booking, EvidenceIndex, Rule, Violation } from "../evidence.js";
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
      const status = index.database?.orders.get(orderId)?.status;
      const kept = sum("captured") - sum("refunded");
      if ((status === "cancelled" || status === "rejected") && kept > 0) {
        found.push(moneyViolation(this.name, orderId, `is ${status} and ${kept} stay captured`, index));
      }
    }
    return found;
  },
};

interface Account {
  authorised: number;
  captured: number;
  refunded: number;
  voided: boolean;
  /** What was done after the hold had been given back. */
  afterVoid: string | null;
}

function accountOf(bookings: readonly Booking[]): Account {
  const account: Account = { authorised: 0, captured: 0, refunded: 0, voided: false, afterVoid: null };
  for (const { kind, amountMinor } of bookings) {
    if (kind === "voided") {
      account.voided = true;
      continue;
    }
    if (account.voided && kind !== "refunded") account.afterVoid = kind;
    account[kind] += amountMinor;
  }
  return account;
}

/**
 * RULES 9: the ledger sums to zero; refunds ≤ captures. What an authorisation holds is taken or given back, never both;
 * when everything is at rest and its order is over, it holds nothing.
 */
export const ledgerSumsToZero: Rule = {
  name: "rule-09-ledger-sums-to-zero",
  check(index) {
    const found: Violation[] = [];
    for (const [orderId, bookings] of index.bookingsByOrder) {
      const status = index.database?.orders.get(orderId)?.status;
      const over = index.atRest === true && status !== undefined && isTerminal(status);
      for (const payment of new Set(bookings.map((booking) => booking.payment))) {
        const account = accountOf(bookings.filter((booking) => booking.payment === payment));
        const held = account.voided ? 0 : account.authorised - account.captured;
        const problem =
          account.refunded > account.captured
            ? `refunded ${account.refunded} of ${account.captured} captured`
            : account.afterVoid !== null
              ? `had ${payment} ${account.afterVoid} after its hold was given back`
              : account.voided && account.captured > 0
                ? `had ${payment} captured and given back`
                : over && held !== 0
                  ? `is ${status} and ${payment} still holds ${held}`
                  : null;
        if (problem !== null) found.push(moneyViolation(this.name, orderId, problem, index));
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
