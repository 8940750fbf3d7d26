/**
 * Which accounts a fact moves. Pure. A debit is positive, a credit negative.
 *
 * Invariants: every booking sums to zero, whatever the fact says; a fact that cannot be booked so throws `FactRefused`. One
 * that moves nothing has no entries, but a delivery is its driver's whatever it pays: the books are the list of those.
 */
import type { MoneyFact } from "../../protocol/mod.js";
import type { Account, Booking, Entry, EntryItem } from "./ports.js";

/** The fact makes no sense; a person has to look. */
export class FactRefused extends Error {
  override readonly name = "FactRefused";
}

export function bookingOf(fact: MoneyFact, at: number): Booking {
  switch (fact.fact) {
    case "sale":
      return saleOf(fact, at);
    case "capture": {
      const { key, orderId, currency, amountMinor, customerId } = fact;
      return booking({ key, kind: "capture", orderId, currency, at, note: "" }, [
        entry("provider_clearing", "", "capture", amountMinor),
        entry("customer_receivable", customerId, "capture", -amountMinor),
      ]);
    }
    case "refund": {
      const { key, orderId, currency, amountMinor, bearer, restaurantId, reason } = fact;
      return booking({ key, kind: "refund", orderId, currency, at, note: reason }, [
        bearer === "restaurant"
          ? entry("restaurant_payable", restaurantId, "refund", amountMinor)
          : entry("refunds", "", "refund", amountMinor),
        entry("provider_clearing", "", "refund", -amountMinor),
      ]);
    }
    default:
      throw new FactRefused(`no such fact: ${JSON.stringify((fact as { fact?: unknown }).fact)?.slice(0, 40)}`);
  }
}

/** At the delivery the customer owes the total, and everybody has earned a part of it. */
function saleOf(sale: Extract<MoneyFact, { fact: "sale" }>, at: number): Booking {
  const { key, orderId, totals, customerId, restaurantId, driverId, driverPayMinor, commissionMinor } = sale;
  const { currency, itemsMinor, feeMinor, taxMinor, tipMinor, discountMinor, totalMinor } = totals;
  return booking({ key, kind: "sale", orderId, currency, at, note: "" }, [
    entry("customer_receivable", customerId, "total", totalMinor),
    // A discount is the marketplace's: the restaurant gets what its food costs.
    entry("promotions", "", "discount", discountMinor),
    entry("restaurant_payable", restaurantId, "items", -itemsMinor),
    entry("tax", restaurantId, "tax", -taxMinor),
    entry("restaurant_payable", restaurantId, "commission", commissionMinor),
    entry("platform_revenue", "", "commission", -commissionMinor),
    entry("platform_revenue", "", "fee", -feeMinor),
    entry("delivery_cost", "", "pay", driverPayMinor),
    entry("driver_payable", driverId, "pay", -driverPayMinor),
    entry("tips", driverId, "tip", -tipMinor),
  ]);
}

function entry(account: Account, party: string, item: EntryItem, amountMinor: number): Entry {
  if (!Number.isSafeInteger(amountMinor)) throw new FactRefused(`${item} is ${amountMinor}, no whole number`);
  return { account, party, item, amountMinor };
}

function booking(head: Omit<Booking, "entries">, all: readonly Entry[]): Booking {
  const entries = all.filter(({ amountMinor, account }) => amountMinor !== 0 || account === "driver_payable");
  const sum = entries.reduce((total, { amountMinor }) => total + amountMinor, 0);
  if (sum !== 0) throw new FactRefused(`${head.key} sums to ${sum}`);
  if (typeof head.key !== "string" || head.key === "" || typeof head.currency !== "string") {
    throw new FactRefused("the fact has no key or no currency");
  }
  return { ...head, entries };
}
