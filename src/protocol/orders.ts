/** Orders as clients see them. */
import {
  Count,
  Currency,
  Id,
  Lat,
  Lng,
  Millis,
  Minor,
  type Place,
  type Static,
  Strict,
  Text,
  Type,
} from "./schemas.js";

/**
 * The public status, derived from the kitchen's, the delivery's and the payment's own states. Only these moves are legal:
 * see `NEXT_STATUS`.
 */
export const ORDER_STATUSES = [
  "placed",
  "confirmed",
  "accepted",
  "preparing",
  "ready",
  "picked_up",
  "delivered",
  "cancelled",
  "rejected",
  "undeliverable",
] as const;
export type OrderStatus = (typeof ORDER_STATUSES)[number];

/** Legal moves of the public status. A driver's assignment is not a status: it may come at any time from `accepted` on. */
export const NEXT_STATUS: Readonly<Record<OrderStatus, readonly OrderStatus[]>> = {
  placed: ["confirmed", "cancelled", "rejected"],
  confirmed: ["accepted", "cancelled", "rejected"],
  accepted: ["preparing", "ready", "cancelled", "undeliverable"],
  preparing: ["ready", "cancelled", "undeliverable"],
  ready: ["picked_up", "cancelled", "undeliverable"],
  picked_up: ["delivered", "undeliverable", "cancelled"],
  delivered: [],
  cancelled: [],
  rejected: [],
  undeliverable: [],
};

export function isTerminal(status: OrderStatus): boolean {
  return NEXT_STATUS[status].length === 0;
}

/** One choice of one of an item's option groups. */
export const ChosenOption = Strict({ groupId: Id, choiceId: Id, priceMinor: Minor });
export type ChosenOption = Static<typeof ChosenOption>;

export const OrderLine = Strict({
  itemId: Id,
  quantity: Type.Integer({ minimum: 1, maximum: 99 }),
  /** What the customer saw. Another price refuses the order with `price_changed`. */
  unitPriceMinor: Minor,
  /** What was chosen with it, each with the price that the customer saw. Every portion of a line has the same. */
  options: Type.Optional(Type.Array(ChosenOption, { maxItems: 60 })),
});
export type OrderLine = Static<typeof OrderLine>;

/** What a line costs, whatever else is known of it. */
export type PricedLine = Omit<OrderLine, "options"> & { readonly options?: readonly ChosenOption[] };

/** A line with the names that the menu had for it. */
export type NamedLine = Omit<OrderLine, "options"> & {
  readonly name: string;
  readonly options?: readonly (ChosenOption & { readonly name: string })[];
};

/** Where to: a point, or an address that the node looks up. With both, the point counts. */
export const Destination = Strict({
  lat: Type.Optional(Lat),
  lng: Type.Optional(Lng),
  address: Type.Optional(Text(200)),
});
export type Destination = Static<typeof Destination>;

/** Letters and digits of a promotion's code; upper and lower case are the same code. */
export const PromotionCode = Type.String({ pattern: "^[A-Za-z0-9][A-Za-z0-9_-]{1,31}$", minLength: 2, maxLength: 32 });

export const PlaceOrder = Strict({
  restaurantId: Id,
  lines: Type.Array(OrderLine, { minItems: 1, maxItems: 50 }),
  destination: Destination,
  currency: Currency,
  tipMinor: Type.Optional(Minor),
  /** The total that the customer saw. A higher one, whatever has changed, refuses the order with `price_changed`. */
  totalMinor: Type.Optional(Count(Number.MAX_SAFE_INTEGER)),
  /** A saved method's id, or a token of the provider's own. */
  paymentMethod: Type.Optional(Text(64)),
  /** Asked once when the first is declined or does not answer. */
  fallbackPaymentMethod: Type.Optional(Text(64)),
  promotionCode: Type.Optional(PromotionCode),
  note: Type.Optional(Text(300)),
  /** For later: when the food shall arrive, at most a week ahead. Absent: as soon as it can. */
  deliverAt: Type.Optional(Millis),
});
export type PlaceOrder = Static<typeof PlaceOrder>;

/** Fixed at placement; integer minor units. total = items + fee + tax + tip − discount. */
export interface OrderTotals {
  readonly currency: string;
  readonly itemsMinor: number;
  readonly feeMinor: number;
  readonly taxMinor: number;
  readonly tipMinor: number;
  readonly discountMinor: number;
  readonly totalMinor: number;
}

export interface PlacedReply {
  readonly orderId: string;
  readonly status: OrderStatus;
  readonly version: number;
  readonly totals: OrderTotals;
}

/** Who moved an order: a person by role and id, or the system. */
export type MovedBy = "customer" | "restaurant" | "driver" | "support" | "admin" | "system" | "payment";

/** Entries besides the statuses that the timeline tells. */
export type TimelineKind =
  | OrderStatus
  | "driver_assigned"
  | "driver_unassigned"
  | "driver_near"
  | "driver_arrived"
  /** The expected arrival moved by more than a few minutes; `reason` says how far and why. */
  | "eta_changed"
  | "escalated"
  | "payment_captured"
  | "payment_voided"
  | "payment_refunded"
  /** The provider will not give it back; `reason` says how much, and why. */
  | "payment_refund_refused";

export interface TimelineEntry {
  readonly kind: TimelineKind;
  readonly at: number;
  readonly by: MovedBy;
  readonly reason?: string;
}

export interface DriverCard {
  readonly name: string;
  readonly vehicle: string;
  /** Masked; present from pickup to delivery only. */
  readonly contact?: string;
}

export interface PositionView {
  readonly lat: number;
  readonly lng: number;
  readonly bearing?: number;
  /** When the phone measured it. */
  readonly at: number;
}

/** An arrival as a range, ms since the epoch: one order in ten comes before `from`, one after `to`, half before `expected`. */
export interface ArrivalView {
  readonly from: number;
  readonly expected: number;
  readonly to: number;
}

/** What an expected arrival was last changed by. */
export type EtaCause = "placed" | "restaurant" | "kitchen" | "driver" | "pickup" | "road";

/** A range that was shown from `at` on, and why. */
export interface EtaView extends ArrivalView {
  readonly at: number;
  readonly cause: EtaCause;
}

/** What a customer sees of an order, by socket, SSE and polling alike. */
export interface OrderView {
  readonly orderId: string;
  readonly version: number;
  readonly status: OrderStatus;
  readonly timeline: readonly TimelineEntry[];
  readonly restaurant: { readonly id: string; readonly name: string; readonly lat: number; readonly lng: number };
  readonly destination: Place;
  /** `unitPriceMinor` is of the item alone; what was chosen with it comes on top. */
  readonly lines: readonly NamedLine[];
  readonly totals: OrderTotals;
  readonly placedAt: number;
  /** What was given back after the delivery, in all. Absent: nothing. */
  readonly refundedMinor?: number;
  /** Where customer and driver write to each other; absent: neither has wanted to. */
  readonly roomId?: string;
  /** When the customer wants it; absent: as soon as it can be there. */
  readonly deliverAt?: number;
  /** When it is expected; absent once closed. */
  readonly eta?: ArrivalView;
  /** How that changed, oldest first; once the order is over. */
  readonly etaHistory?: readonly EtaView[];
  readonly readyAt?: number;
  readonly driver?: DriverCard;
  /** "Your driver is delivering another order first." True while the driver has an order to deliver before this one. */
  readonly anotherFirst: boolean;
  /** Why it ended, for cancelled, rejected and undeliverable. */
  readonly reason?: string;
  readonly refusal?: { readonly code: string; readonly detail?: unknown };
}

/** A poll's answer: the view, the position while it may be shown, and how fresh both are. */
export interface TrackedOrder {
  readonly view: OrderView;
  readonly position?: PositionView & { readonly ageMs: number };
  /** False when the source could not be reached and this is the last known. */
  readonly fresh: boolean;
  readonly serverTime: number;
}

/**
 * What an order mirrors for polls and tells gateways beside the view; never sent to a client. `grant` is open from
 * pickup until delivery: only fixes of this driver stamped with this number may be shown.
 */
export interface OrderTracking {
  readonly customerId: string;
  readonly restaurantId: string;
  readonly driverId: string | null;
  readonly version: number;
  readonly grant: { readonly driverId: string; readonly number: number } | null;
  readonly view: OrderView;
}

// Restaurant: what it sells is in `menus.ts`
/** Events on `restaurant:<id>` (reliable). */
export interface TabletOrder {
  readonly orderId: string;
  readonly lines: OrderView["lines"];
  readonly totals: OrderTotals;
  readonly note?: string;
  readonly placedAt: number;
  /** Ordered for later: when it shall arrive. The restaurant hears of it when it is time to cook. */
  readonly deliverAt?: number;
  readonly acceptBy: number;
}
/** What is done so that a restaurant hears of an order: on its devices, by text message, by telephone. */
export const ALERT_STEPS = ["push", "second_device", "sms", "call"] as const;
export type AlertStep = (typeof ALERT_STEPS)[number];

/** Whether the restaurant takes orders, and why not, for the tablet's banner. */
export interface TabletDoors {
  readonly open: boolean;
  readonly paused?: { readonly until?: number; readonly reason?: string };
  /** No tablet had been heard of for some time, since then. */
  readonly offlineSince?: number;
}
export type TabletEvent =
  | { readonly type: "order.new"; readonly body: TabletOrder & { readonly attempt: number } }
  | {
      readonly type: "order.changed";
      readonly body: { readonly orderId: string; readonly status: OrderStatus; readonly reason?: string };
    }
  | { readonly type: "driver.assigned"; readonly body: { readonly orderId: string; readonly driver: DriverCard } }
  /** Nobody answered: the restaurant is being reached by another way. */
  | {
      readonly type: "order.alerted";
      readonly body: { readonly orderId: string; readonly step: AlertStep; readonly at: number };
    }
  | { readonly type: "doors.changed"; readonly body: TabletDoors };

/** An open order, and who comes for it once somebody does. */
export type OpenTabletOrder = TabletOrder & { readonly status: OrderStatus; readonly driver?: DriverCard };

/** An order that has left the kitchen: a slot of `restaurant-state:<id>`, named by the order. Whoever misses it compares. */
export interface LeftKitchen {
  readonly orderId: string;
  readonly status: OrderStatus;
  readonly at: number;
}

/** The inbox as a tablet that could not resume gets it. */
export interface InboxSnapshot {
  readonly orders: readonly OpenTabletOrder[];
  /** Absent: from a node of an older version. */
  readonly doors?: TabletDoors;
}

/** What the restaurant's actor knows of an order's way to the kitchen. */
export interface InboxOrder {
  readonly orderId: string;
  readonly status: OrderStatus;
  /** `sent`: offered; `delivered`: a device has stored it; `accepted`: a person has answered. */
  readonly state: "sent" | "delivered" | "accepted";
  readonly sentAt?: number;
  readonly deliveredAt?: number;
  readonly acceptBy?: number;
  /** How often it was pushed. */
  readonly attempts: number;
  readonly steps: readonly { readonly step: AlertStep; readonly at: number }[];
}
/** A restaurant's inbox as operations see it. */
export interface InboxView {
  readonly restaurantId: string;
  readonly doors: TabletDoors;
  /** Somebody listens to the inbox right now. */
  readonly listening: boolean;
  readonly tablets: readonly {
    readonly deviceId: string;
    readonly name: string;
    readonly since: number;
    /** Absent: not since the restaurant's actor woke up. */
    readonly heardAt?: number;
  }[];
  /** Orders in a row that nobody answered. */
  readonly missed: number;
  readonly orders: readonly InboxOrder[];
}

/** What a tablet is told when it compares itself with the node. */
export interface Reconciled {
  /** Every open order and its status. */
  readonly open: readonly (readonly [orderId: string, status: OrderStatus])[];
  /** In full: open orders that the device did not name. */
  readonly missing: readonly OpenTabletOrder[];
  /** Who comes for the orders that the device named. Absent: from a node of an older version. */
  readonly drivers?: readonly (readonly [orderId: string, driver: DriverCard])[];
  readonly doors: TabletDoors;
  /** So long after the last word of any tablet no new orders come; compare well within. */
  readonly graceMs: number;
}

// Driver
export interface StopView {
  readonly kind: "pickup" | "dropoff";
  readonly orderId: string;
  readonly lat: number;
  readonly lng: number;
  readonly name: string;
  readonly done: boolean;
}
/** One trip on offer, of one order or several: one answer, one pay. */
export interface OfferView {
  readonly offerId: string;
  /** The first order to be delivered. */
  readonly orderId: string;
  /** Every order of the trip, in the order of delivery. */
  readonly orderIds: readonly string[];
  readonly expiresAt: number;
  /** All collections, then the deliveries in the order of `orderIds`. */
  readonly stops: readonly StopView[];
  /** For the whole trip. */
  readonly payMinor: number;
  readonly currency: string;
  /** When the last of the food is expected to be ready. */
  readonly readyAt: number;
}
export interface TripView {
  readonly tripId: string;
  readonly stops: readonly StopView[];
}
/** When and how often the app shall send its position. */
export interface GpsPolicy {
  readonly send: boolean;
  readonly everyMs: number;
  readonly reason: "off_shift" | "available" | "on_trip";
}
/** Events on `driver:<id>` (reliable). */
export type DriverEvent =
  | { readonly type: "offer.made"; readonly body: OfferView }
  /** An order of the trip on offer is gone; the rest still is. */
  | { readonly type: "offer.changed"; readonly body: OfferView }
  | {
      readonly type: "offer.closed";
      readonly body: {
        readonly offerId: string;
        readonly outcome: "won" | "lost" | "expired" | "withdrawn" | "declined";
      };
    }
  | { readonly type: "trip.changed"; readonly body: { readonly trip: TripView | null; readonly reason?: string } }
  | { readonly type: "gps.policy"; readonly body: GpsPolicy }
  /** The customer can be written to; or has written. */
  | { readonly type: "chat.opened"; readonly body: { readonly orderId: string; readonly roomId: string } };
export interface DriverSnapshot {
  readonly onShift: boolean;
  readonly offers: readonly OfferView[];
  readonly trip: TripView | null;
  readonly gps: GpsPolicy;
}

// Zone, for operations and the live map (latest wins, about once a second)
export interface ZoneLive {
  readonly zone: string;
  readonly at: number;
  readonly drivers: readonly {
    readonly id: string;
    readonly lat: number;
    readonly lng: number;
    readonly state: "available" | "offered" | "on_trip";
    readonly at: number;
  }[];
  readonly orders: readonly {
    readonly id: string;
    readonly status: OrderStatus;
    readonly from: readonly [number, number];
    readonly to: readonly [number, number];
    readonly driverId?: string;
  }[];
  readonly counts: { readonly waiting: number; readonly available: number };
}

// GPS
/** [deltaMs from baseTs, lat, lng, accuracyMeters, speedMetersPerSecond (−1 unknown), bearingDegrees (−1 unknown)] */
export const Fix = Type.Tuple([
  Type.Integer({ minimum: -3_600_000, maximum: 3_600_000 }),
  Lat,
  Lng,
  Type.Number({ minimum: 0, maximum: 100_000 }),
  Type.Number({ minimum: -1, maximum: 200 }),
  Type.Number({ minimum: -1, maximum: 360 }),
]);
export type Fix = Static<typeof Fix>;
export const GpsBatch = Strict({
  /** Random per start of the app: sequence numbers restart with it. */
  bootId: Id,
  /** Sequence number of the first fix. */
  seq0: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
  baseTs: Millis,
  fixes: Type.Array(Fix, { minItems: 1, maxItems: 60 }),
});
export type GpsBatch = Static<typeof GpsBatch>;
export interface GpsAck {
  readonly bootId: string;
  /** Everything up to and including this number has arrived. */
  readonly seq: number;
  /** Fixes of the batch that were flagged and not shown. */
  readonly flagged: number;
}
