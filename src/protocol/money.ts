/**
 * Facts of money as orders publish them with their events, for the ledger. All amounts are integer minor units of the
 * fact's currency. `key` names what happened: one key, one booking.
 */
import type { OrderTotals } from "./orders.js";

export type MoneyFact =
  /** The order was delivered: the customer owes the total, the others have earned their parts. */
  | {
      readonly fact: "sale";
      readonly key: string;
      readonly orderId: string;
      readonly customerId: string;
      readonly restaurantId: string;
      readonly driverId: string;
      readonly totals: OrderTotals;
      /** Base and way; the tip comes on top. */
      readonly driverPayMinor: number;
      /** What the marketplace keeps of the items. */
      readonly commissionMinor: number;
      readonly distanceMeters: number;
    }
  /** The provider has taken the customer's money. The key is the provider's own. */
  | {
      readonly fact: "capture";
      readonly key: string;
      readonly orderId: string;
      readonly customerId: string;
      readonly amountMinor: number;
      readonly currency: string;
    }
  /** The provider has given some of it back. The key is the provider's own. */
  | {
      readonly fact: "refund";
      readonly key: string;
      readonly orderId: string;
      readonly customerId: string;
      readonly restaurantId: string;
      readonly amountMinor: number;
      readonly currency: string;
      /** Who pays for it. */
      readonly bearer: "platform" | "restaurant";
      readonly reason: string;
    };

/** Where a fact stands in an event's body. */
export const MONEY_FIELD = "money";

/** Events that carry a fact. */
export const MONEY_EVENTS = ["order.delivered", "order.payment_captured", "order.payment_refunded"] as const;
