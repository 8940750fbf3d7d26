/**
 * An order's state: three small machines beside each other, and the public status derived from them.
 *
 * This file owns the shapes and the derivation. It does not decide anything: see `placement.ts`, `kitchen.ts`,
 * `dispatch.ts`, `road.ts`, `closing.ts`.
 *
 * Invariants: `closed` is set once and never unset; `revision` rises with every change; the status derived before and
 * after a change is a chain of moves that `NEXT_STATUS` allows (`save` throws otherwise, so nothing illegal commits).
 */
import type { Outlook, Progress } from "../../../eta/mod.js";
import type { Point } from "../../../lib/geo.js";
import type { JsonObject } from "../../../lib/json.js";
import type {
  DecisionEvidence,
  MovedBy,
  NamedLine,
  OfferRecord,
  OrderStatus,
  OrderTotals,
  Place,
  TimelineEntry,
} from "../../../protocol/mod.js";
import type { OfferCard, Seat } from "./messages.js";

/** What never changes after placement; stored apart. */
export interface OrderContent {
  readonly customerId: string;
  readonly restaurant: { readonly id: string; readonly name: string; readonly lat: number; readonly lng: number };
  readonly destination: Place;
  readonly lines: readonly NamedLine[];
  readonly totals: OrderTotals;
  readonly note: string | null;
  readonly paymentMethod: string;
  /** Asked once when the first is declined or does not answer. */
  readonly fallbackMethod?: string;
  /** In capitals. The discount is part of the totals. */
  readonly promotionCode?: string;
  /** What others get of it, as agreed on at the placement; absent in orders of an older version. */
  readonly terms?: { readonly driverPayMinor: number; readonly commissionPerMille: number };
  readonly zone: string;
  readonly placedAt: number;
  /** When it is wanted; absent: as soon as it can be there. */
  readonly deliverAt?: number;
  /** From restaurant to customer as the router gave it at the door; absent: as the crow flies. */
  readonly way?: { readonly meters: number; readonly durationMs: number };
  /** The customer has had everything personal erased: see `forget.ts`. */
  readonly forgotten?: true;
}

export type Kitchen =
  /** Asked to reserve; no answer yet. */
  | { readonly status: "reserving" }
  /**
   * Stock is held; the payment is being authorised. `unheld`: nothing of it is counted, so nothing is. `opensAt`: it is for
   * later, and its restaurant is closed until then.
   */
  | { readonly status: "reserved"; readonly unheld?: true; readonly opensAt?: number }
  /** Paid, and for later: the restaurant hears of it at `offerAt`. */
  | { readonly status: "scheduled"; readonly offerAt: number; readonly opensAt?: number }
  /** On the restaurant's tablet, until `acceptBy`. */
  | { readonly status: "offered"; readonly acceptBy: number }
  | { readonly status: "accepted"; readonly readyAt: number }
  | { readonly status: "preparing"; readonly readyAt: number }
  | { readonly status: "ready"; readonly readyAt: number }
  | { readonly status: "handed_over"; readonly readyAt: number }
  /** The restaurant could not reserve, or a person there said no. */
  | { readonly status: "refused" };

/** Its restaurant will serve it, and holds nothing for it yet. */
export function isUnheld(kitchen: Kitchen): boolean {
  return kitchen.status === "reserved" && kitchen.unheld === true;
}

/** When its closed restaurant opens for an order that waits for later; 0: it does not wait for that. */
export const opensAtOf = (kitchen: Kitchen): number =>
  kitchen.status === "reserved" || kitchen.status === "scheduled" ? (kitchen.opensAt ?? 0) : 0;

export interface OpenOffer {
  readonly offerId: string;
  readonly driverId: string;
  readonly expiresAt: number;
  readonly why: string;
  /** Absent: the order is offered alone. */
  readonly card?: OfferCard;
}

/** The driver a trip was confirmed for. */
export interface Assignee {
  readonly driverId: string;
  readonly offerId: string;
  readonly name: string;
  readonly vehicle: string;
  /** Equal for the orders of one trip. */
  readonly tripId: string;
  /** What is claimed of the driver. Null: claimed before trips had several orders. */
  readonly seat: Seat | null;
  /** Orders that this driver delivers before this one. */
  readonly before: number;
}

/** An offer that support asked for, to be made once the driver before has let go. */
export interface ManualOffer {
  readonly offerId: string;
  readonly driverId: string;
  readonly why: string;
}

/** An offer that is about to be made. */
export interface ChosenOffer extends ManualOffer {
  readonly by: OfferRecord["by"];
  readonly dueAt?: number;
  readonly card?: OfferCard;
  readonly evidence?: DecisionEvidence;
}

export type Delivery =
  | { readonly status: "none" }
  /** Wants a driver, from `notBefore` on. */
  | { readonly status: "searching"; readonly notBefore: number }
  | { readonly status: "offered"; readonly offers: readonly OpenOffer[] }
  | { readonly status: "assigned"; readonly driver: Assignee }
  /** Told to let go; the next offer waits for the acknowledgement. */
  | { readonly status: "revoking"; readonly driver: Assignee; readonly next: ManualOffer | null }
  /** The grant opens the driver's positions measured from `since` on. */
  | { readonly status: "carrying"; readonly driver: Assignee; readonly grant: number; readonly since: number }
  | { readonly status: "delivered"; readonly driver: Assignee; readonly at: number }
  /** The order ended while this driver had it; the acknowledgement frees the claim. */
  | { readonly status: "letting_go"; readonly driver: Assignee }
  | { readonly status: "over" };

export type Payment =
  | { readonly status: "none" }
  | { readonly status: "authorising"; readonly n: number }
  /** The first method did not answer: it is voided before the other is asked. */
  | { readonly status: "switching"; readonly n: number; readonly attempts: number }
  | { readonly status: "authorised"; readonly n: number }
  | { readonly status: "capturing"; readonly n: number; readonly attempts: number }
  | {
      readonly status: "captured";
      readonly n: number;
      /** What the provider took; absent: the total. */
      readonly amountMinor?: number;
      readonly refunds?: readonly Refund[];
    }
  | { readonly status: "voiding"; readonly n: number; readonly attempts: number }
  | { readonly status: "voided"; readonly n: number }
  | { readonly status: "declined"; readonly n: number };

/** Money that is given back after the delivery. */
export interface Refund {
  /** Counts from 1 within the order. */
  readonly number: number;
  readonly amountMinor: number;
  readonly reason: string;
  /** Who pays for it. */
  readonly bearer: "platform" | "restaurant";
  readonly status: "asked" | "done" | "refused";
  readonly attempts: number;
}

/** The promotion's part of an order that named a code. */
export type PromotionUse =
  | { readonly status: "asked" }
  | { readonly status: "held" }
  | { readonly status: "refused" }
  | { readonly status: "releasing"; readonly attempts: number }
  | { readonly status: "released" };

export interface Closing {
  readonly status: Extract<OrderStatus, "cancelled" | "rejected" | "undeliverable">;
  readonly at: number;
  readonly by: MovedBy;
  readonly reason: string;
  readonly refusal: { readonly code: string; readonly detail: JsonObject } | null;
}

export interface OrderState {
  /** Null until placed. */
  readonly content: OrderContent | null;
  readonly revision: number;
  readonly kitchen: Kitchen;
  readonly delivery: Delivery;
  readonly payment: Payment;
  /** Absent: the order named no code. */
  readonly promotion?: PromotionUse;
  readonly closed: Closing | null;
  readonly timeline: readonly TimelineEntry[];
  /** Rounds of offers made since the order began to search or was escalated last. */
  readonly rounds: number;
  /** Drivers who said no, let an offer pass, or were taken off: not asked again for a while (`askAgainMs`). */
  readonly excluded: readonly string[];
  /** The last grant's number; every pickup gets a higher one. */
  readonly grants: number;
  readonly escalations: number;
  /** The grant under which customer and driver opened their room. Absent: they have not. */
  readonly talk?: number;
  /** What the restaurant said of itself and its zone when it reserved; stored apart. Absent before that. */
  readonly outlook?: Outlook;
  /** Absent before the placement, and in orders of an older version. */
  readonly eta?: OrderEta;
  /** The search as support sees it: the newest offers and what stood behind them. Stored apart. */
  readonly offersMade: OffersMade;
}

export interface OffersMade {
  /** When the order first wanted a driver; null: not yet. */
  readonly searchedFrom: number | null;
  /** From when on the first offer could have been made, by the zone that proposed it. */
  readonly dueAt: number | null;
  readonly firstOfferAt: number | null;
  /** Oldest first. */
  readonly newest: readonly OfferRecord[];
}

/** One range that was shown: offsets from the placement, the stage's and the cause's number. See `eta.ts`. */
export type EtaNote = readonly [
  atMs: number,
  stage: number,
  leftMs: number,
  fromMs: number,
  expectedMs: number,
  toMs: number,
  cause: number,
];

/** When the order is expected, and how that changed. */
export interface OrderEta {
  /** Oldest first, bounded; the last one is what the customer sees. */
  readonly notes: readonly EtaNote[];
  /** The expected arrival that the customer was told by name last, after the placement; in which stage, and which way it went. */
  readonly toldMs: number;
  readonly toldStage: number;
  readonly toldTurn: -1 | 0 | 1;
  readonly tellings: number;
  /** The kitchen's word at acceptance, and when the food is expected (or was) ready. */
  readonly promisedMs: number | null;
  readonly readyAt: number | null;
  /** What the driver told last. */
  readonly progress: (Progress & { readonly driverId: string; readonly carrying: boolean }) | null;
  /** How long the driver had been at the counter when the food was taken. */
  readonly waitedMs?: number;
  /** True: the driver did not go straight from the restaurant to this customer. */
  readonly detour: boolean;
}

/** The state of an order that was placed. */
export type PlacedOrder = OrderState & { readonly content: OrderContent };

export const initialOrder = (): OrderState => ({
  content: null,
  revision: 0,
  kitchen: { status: "reserving" },
  delivery: { status: "none" },
  payment: { status: "none" },
  closed: null,
  timeline: [],
  rounds: 0,
  excluded: [],
  grants: 0,
  escalations: 0,
  offersMade: { searchedFrom: null, dueAt: null, firstOfferAt: null, newest: [] },
});

/** What version 1 kept, in the shape of version 2: trips with names, and the offers that were made. */
export function withTrips(state: JsonObject): JsonObject {
  const delivery = state.delivery as JsonObject;
  const driver = delivery.driver as JsonObject | undefined;
  const named = driver === undefined ? {} : { driver: { ...driver, tripId: driver.offerId, seat: null, before: 0 } };
  return {
    ...state,
    delivery: { ...delivery, ...named } as JsonObject,
    offersMade: { searchedFrom: null, dueAt: null, firstOfferAt: null, newest: [] },
  };
}

export function isPlaced(state: OrderState): state is PlacedOrder {
  return state.content !== null;
}

/** The public status. The end decides first, then the road, then the kitchen. */
export function statusOf(state: PlacedOrder): OrderStatus {
  if (state.closed !== null) return state.closed.status;
  if (state.delivery.status === "delivered") return "delivered";
  if (state.delivery.status === "carrying") return "picked_up";
  switch (state.kitchen.status) {
    case "reserving":
    case "reserved":
      return "placed";
    case "scheduled":
    case "offered":
      return "confirmed";
    case "accepted":
      return "accepted";
    case "preparing":
      return "preparing";
    case "ready":
    case "handed_over":
      return "ready";
    case "refused":
      return "rejected";
  }
}

/** When the food is or will be ready; before acceptance a guess. */
export function readyAtOf(state: PlacedOrder, now: number, defaultPrepMs: number): number {
  switch (state.kitchen.status) {
    case "accepted":
    case "preparing":
    case "ready":
    case "handed_over":
      return state.kitchen.readyAt;
    default:
      return now + defaultPrepMs;
  }
}

/** What was taken of the customer's money. */
export function capturedMinor({ payment, content }: PlacedOrder): number {
  return payment.status === "captured" ? (payment.amountMinor ?? content.totals.totalMinor) : 0;
}

/** Of a captured payment: what is given back, or asked to be. */
export function refundedMinor(payment: Payment, statuses: readonly Refund["status"][] = ["asked", "done"]): number {
  if (payment.status !== "captured") return 0;
  let sum = 0;
  for (const refund of payment.refunds ?? []) if (statuses.includes(refund.status)) sum += refund.amountMinor;
  return sum;
}

/** The driver who has the order now, if any. */
export function driverOf(delivery: Delivery): Assignee | null {
  switch (delivery.status) {
    case "assigned":
    case "revoking":
    case "carrying":
    case "delivered":
      return delivery.driver;
    default:
      return null;
  }
}

export const pickupPoint = (content: OrderContent): Point => ({
  lat: content.restaurant.lat,
  lng: content.restaurant.lng,
});
export const dropoffPoint = (content: OrderContent): Point => ({
  lat: content.destination.lat,
  lng: content.destination.lng,
});
