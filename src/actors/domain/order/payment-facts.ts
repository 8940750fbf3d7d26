/**
 * What the ledger is told of an order: facts of money, published with the order's events in the very commit that makes
 * them true. Owns what others get of an order; the ledger owns the accounts.
 *
 * Invariant: a fact's key names what happened, not when it was said: the same fact is booked once, however often it comes.
 */
import { distanceMeters } from "../../../lib/geo.js";
import type { MoneyFact } from "../../../protocol/mod.js";
import type { DomainSettings } from "../settings.js";
import {
  capturedMinor,
  driverOf,
  dropoffPoint,
  type OrderContent,
  type PlacedOrder,
  pickupPoint,
  type Refund,
} from "./state.js";

/** A base for every order, and the way from the restaurant to the customer; tips come on top. */
export function driverPayMinor(
  content: Pick<OrderContent, "restaurant" | "destination" | "way">,
  settings: DomainSettings,
): number {
  const { driverPayMinor: base, driverPayPerKmMinor } = settings.order;
  const from = { lat: content.restaurant.lat, lng: content.restaurant.lng };
  const meters = content.way?.meters ?? distanceMeters(from, content.destination) * settings.travel.streetFactor;
  return base + Math.round((meters * driverPayPerKmMinor) / 1000);
}

/** What was agreed on at the placement; for orders of an older version what holds now. */
export function termsOf(content: OrderContent, settings: DomainSettings): NonNullable<OrderContent["terms"]> {
  if (content.terms !== undefined) return content.terms;
  return { driverPayMinor: driverPayMinor(content, settings), commissionPerMille: settings.order.commissionPerMille };
}

/** The order was delivered: everybody has earned their part. */
export function saleFact(orderId: string, order: PlacedOrder, settings: DomainSettings): MoneyFact {
  const { content } = order;
  const terms = termsOf(content, settings);
  return {
    fact: "sale",
    key: `${orderId}:sale`,
    orderId,
    customerId: content.customerId,
    restaurantId: content.restaurant.id,
    driverId: driverOf(order.delivery)?.driverId ?? "",
    totals: content.totals,
    driverPayMinor: terms.driverPayMinor,
    commissionMinor: Math.round((content.totals.itemsMinor * terms.commissionPerMille) / 1000),
    distanceMeters: Math.round(content.way?.meters ?? distanceMeters(pickupPoint(content), dropoffPoint(content))),
  };
}

/** The customer's money has come, as much of it as the provider took. The key is the provider's own. */
export function captureFact(orderId: string, order: PlacedOrder, n: number): MoneyFact {
  const { content } = order;
  return {
    fact: "capture",
    key: `${orderId}:capture:${n}`,
    orderId,
    customerId: content.customerId,
    amountMinor: capturedMinor(order),
    currency: content.totals.currency,
  };
}

export function refundFact(orderId: string, { content }: PlacedOrder, refund: Refund): MoneyFact {
  return {
    fact: "refund",
    key: `${orderId}:refund:${refund.number}`,
    orderId,
    customerId: content.customerId,
    restaurantId: content.restaurant.id,
    amountMinor: refund.amountMinor,
    currency: content.totals.currency,
    bearer: refund.bearer,
    reason: refund.reason,
  };
}
