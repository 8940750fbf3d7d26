/**
 * What clients are answered, as schemas, for the documents and for whoever checks an answer. The types beside the
 * commands and in `orders.ts` are what the code is written against; `replies.test.ts` lets neither change without the
 * other. Nothing here is checked at run time: a node trusts its own answers.
 */
import { RoomId, RoomView } from "./chat.js";
import { CHAT_CHANNEL_MESSAGES, CHAT_COMMAND_REPLIES } from "./chat-replies.js";
import type { CommandType } from "./commands.js";
import type { ErrorCode } from "./errors.js";
import { OpeningHours } from "./hours.js";
import { GeoPoint, MenuCategory, MenuItem, RestaurantProfile, RestaurantStatusName } from "./menus.js";
import {
  AlertStepName,
  ArrivalReply,
  DriverCardReply,
  InboxSnapshotReply,
  LeftKitchenReply,
  OrderStatusName,
  OrderTotalsReply,
  OrderViewReply,
  PlacedReplySchema,
  PositionReply,
  ReconciledReply,
  TabletDoorsReply,
  TabletOrderReply,
  TimelineEntryReply,
  TrackedOrderReply,
} from "./order-replies.js";
import { GpsBatch, PlaceOrder } from "./orders.js";
import { Count, Currency, Id, Lat, Lng, Millis, Minor, Place, Strict, type TSchema, Type } from "./schemas.js";

export * from "./order-replies.js";

const literals = <const T extends readonly string[]>(values: T) => Type.Enum<[...T]>([...values]);
const List = <T extends TSchema>(items: T) => Type.Array(items);
const Name = Type.String();
const Version = Count(Number.MAX_SAFE_INTEGER);
/** Milliseconds, not always whole. */
const Duration = Type.Number();

export const MenuReply = Strict({
  restaurantId: Id,
  menuVersion: Version,
  open: Type.Boolean(),
  name: Name,
  lat: Lat,
  lng: Lng,
  currency: Currency,
  taxPerMille: Count(1000),
  deliveryFeeMinor: Minor,
  deliveryRadiusMeters: Type.Number(),
  serviceFeePerMille: Type.Optional(Type.Number()),
  deliveryPolygon: Type.Optional(List(GeoPoint)),
  minimumOrderMinor: Type.Optional(Minor),
  address: Type.Optional(Type.String()),
  description: Type.Optional(Type.String()),
  cuisines: Type.Optional(List(Name)),
  tags: Type.Optional(List(Name)),
  image: Type.Optional(Type.String()),
  hours: Type.Optional(OpeningHours),
  status: Type.Optional(RestaurantStatusName),
  shut: Type.Optional(Type.Literal(true)),
  paused: Type.Optional(Strict({ until: Type.Optional(Millis), reason: Type.Optional(Type.String()) })),
  offlineSince: Type.Optional(Millis),
  changesAt: Type.Optional(Millis),
  categories: Type.Optional(List(MenuCategory)),
  items: List(Strict({ ...MenuItem.properties, left: Type.Optional(Count(1_000_000)) })),
});

export const NearbyReply = Strict({
  restaurants: List(
    Strict({
      restaurantId: Id,
      name: Name,
      lat: Lat,
      lng: Lng,
      open: Type.Boolean(),
      deliveryRadiusMeters: Type.Number(),
      menuVersion: Version,
      distanceMeters: Type.Number(),
    }),
  ),
});

const StopReply = Strict({
  kind: literals(["pickup", "dropoff"]),
  orderId: Id,
  lat: Lat,
  lng: Lng,
  name: Name,
  done: Type.Boolean(),
});

export const OfferReply = Strict({
  offerId: Id,
  orderId: Id,
  orderIds: List(Id),
  expiresAt: Millis,
  stops: List(StopReply),
  payMinor: Minor,
  currency: Currency,
  readyAt: Millis,
});

export const TripReply = Strict({ tripId: Id, stops: List(StopReply) });

export const GpsPolicyReply = Strict({
  send: Type.Boolean(),
  everyMs: Duration,
  reason: literals(["off_shift", "available", "on_trip"]),
});

export const DriverSnapshotReply = Strict({
  onShift: Type.Boolean(),
  offers: List(OfferReply),
  trip: Type.Union([TripReply, Type.Null()]),
  gps: GpsPolicyReply,
});

const OfferOutcome = literals(["won", "lost", "expired", "withdrawn", "declined"]);

export const ZoneLiveReply = Strict({
  zone: Name,
  at: Millis,
  drivers: List(
    Strict({ id: Id, lat: Lat, lng: Lng, state: literals(["available", "offered", "on_trip"]), at: Millis }),
  ),
  orders: List(
    Strict({
      id: Id,
      status: OrderStatusName,
      from: Type.Tuple([Type.Number(), Type.Number()]),
      to: Type.Tuple([Type.Number(), Type.Number()]),
      driverId: Type.Optional(Id),
    }),
  ),
  counts: Strict({ waiting: Type.Integer(), available: Type.Integer() }),
});

const OfferRecordReply = Strict({
  offerId: Id,
  driverId: Id,
  round: Type.Integer(),
  madeAt: Millis,
  why: Type.String(),
  by: literals(["horizon", "simple", "manual"]),
  orderIds: List(Id),
  evidence: Type.Optional(
    Strict({
      decidedAt: Millis,
      terms: Strict({
        travelMs: Duration,
        foodWaitsMs: Duration,
        driverWaitsMs: Duration,
        delayMs: Duration,
        lateMs: Duration,
        sharingMs: Duration,
        busyMs: Duration,
        fairnessMs: Duration,
        acceptanceMs: Duration,
        ratingMs: Type.Optional(Duration),
        costMs: Duration,
      }),
      alternatives: List(Strict({ driverId: Id, extraMs: Duration })),
      drivers: Type.Integer(),
      orders: Type.Integer(),
      chosen: Type.Optional(
        Strict({
          vehicle: Name,
          acceptance: Type.Number(),
          busyShare: Type.Number(),
          rating: Strict({ average: Type.Number(), count: Type.Integer() }),
        }),
      ),
    }),
  ),
  outcome: literals(["open", "won", "lost", "expired", "withdrawn", "declined"]),
  closedAt: Type.Optional(Millis),
  reason: Type.Optional(Type.String()),
});

export const DispatchReply = Strict({
  orderId: Id,
  version: Version,
  status: OrderStatusName,
  search: literals(["none", "searching", "offered", "assigned"]),
  driverId: Type.Union([Id, Type.Null()]),
  searchedFrom: Type.Union([Millis, Type.Null()]),
  dueAt: Type.Union([Millis, Type.Null()]),
  firstOfferAt: Type.Union([Millis, Type.Null()]),
  rounds: Type.Integer(),
  excluded: List(Id),
  minuteMs: Type.Optional(Type.Number()),
  offers: List(OfferRecordReply),
});

export const GpsAckReply = Strict({
  bootId: GpsBatch.properties.bootId,
  seq: GpsBatch.properties.seq0,
  flagged: Count(60),
});

export interface CommandReply {
  /** One sentence for the documents. */
  readonly summary: string;
  readonly reply: TSchema;
  /** Beside those of every command. */
  readonly refusals: readonly ErrorCode[];
}

const Moved = Strict({ status: OrderStatusName, version: Version });
const Menu = Strict({ menuVersion: Version });
const At = Strict({ at: Millis });

/** What every command is answered with. */
export const COMMAND_REPLIES = {
  "order.place": {
    summary: "Place an order. The same key finds the same order, however often it is asked.",
    reply: PlacedReplySchema,
    refusals: [
      "price_changed",
      "item_unavailable",
      "options_invalid",
      "below_minimum",
      "address_unknown",
      "promotion_refused",
      "restaurant_closed",
      "restaurant_unknown",
      "out_of_area",
      "payment_declined",
      "payment_failed",
    ],
  },
  "order.cancel": { summary: "Cancel an order.", reply: Moved, refusals: ["not_found", "illegal_transition"] },
  "order.accept": {
    summary: "Accept an order for the kitchen, with how long it takes.",
    reply: Moved,
    refusals: ["not_found", "illegal_transition"],
  },
  "order.reject": { summary: "Refuse an order.", reply: Moved, refusals: ["not_found", "illegal_transition"] },
  "order.preparing": {
    summary: "Say that the kitchen has begun.",
    reply: Moved,
    refusals: ["not_found", "illegal_transition"],
  },
  "order.ready": {
    summary: "Say that the food is ready.",
    reply: Moved,
    refusals: ["not_found", "illegal_transition"],
  },
  "restaurant.configure": {
    summary: "Set up a restaurant with its whole menu.",
    reply: Menu,
    refusals: ["not_found"],
  },
  "restaurant.item": {
    summary: "Change one dish: whether it can be had, how many are left, its price.",
    reply: Menu,
    refusals: ["not_found", "item_unavailable", "stock_too_low"],
  },
  "restaurant.open": { summary: "Open or close for orders.", reply: Menu, refusals: ["not_found"] },
  "restaurant.choice": {
    summary: "Change one choice of a dish: whether it can be had, its price.",
    reply: Menu,
    refusals: ["not_found", "item_unavailable"],
  },
  "restaurant.hours": {
    summary: "Set the opening hours, or none: then doors are opened and shut by hand.",
    reply: Menu,
    refusals: ["not_found"],
  },
  "restaurant.put_item": {
    summary: "Put a dish on the menu, or write the one by this id anew.",
    reply: Menu,
    refusals: ["not_found", "invalid", "too_many"],
  },
  "restaurant.remove_item": {
    summary: "Take a dish off the menu for good. Orders that have it stay as they are.",
    reply: Menu,
    refusals: ["not_found", "illegal_transition"],
  },
  "restaurant.categories": {
    summary: "Set the categories of the menu and their order.",
    reply: Menu,
    refusals: ["not_found"],
  },
  "restaurant.pause": {
    summary: "Take no orders for some time, or until resumed.",
    reply: Menu,
    refusals: ["not_found"],
  },
  "restaurant.resume": { summary: "Take orders again.", reply: Menu, refusals: ["not_found"] },
  "restaurant.tablet": {
    summary: "Say that a tablet is there and what it holds; the answer tells what it lacks.",
    reply: ReconciledReply,
    refusals: ["not_found"],
  },
  "restaurant.forget_tablet": {
    summary: "Take a tablet off the restaurant's list.",
    reply: Strict({ tablets: Type.Integer() }),
    refusals: ["not_found"],
  },
  "restaurant.status": {
    summary: "List a restaurant after looking at it, or take it off the list.",
    reply: Strict({ menuVersion: Version, status: RestaurantStatusName }),
    refusals: ["not_found", "illegal_transition"],
  },
  "driver.online": {
    summary: "Begin a shift.",
    reply: Strict({ onShift: Type.Literal(true) }),
    refusals: ["driver_busy", "consent_missing"],
  },
  "driver.offline": {
    summary: "End a shift.",
    reply: Strict({ onShift: Type.Literal(false) }),
    refusals: ["driver_busy"],
  },
  "driver.accept": {
    summary: "Accept an offer. The orders decide; `offer.closed` tells the outcome.",
    reply: Strict({ claiming: Id }),
    refusals: ["offer_expired", "offer_taken", "offer_withdrawn", "driver_busy", "driver_offline", "not_found"],
  },
  "driver.decline": {
    summary: "Decline an offer.",
    reply: Strict({ declined: Id }),
    refusals: ["offer_expired", "not_found"],
  },
  "driver.arrived": {
    summary: "Say that the restaurant or the customer is reached.",
    reply: At,
    refusals: ["not_your_trip", "illegal_transition"],
  },
  "driver.pickup": {
    summary: "Say that the food is on board.",
    reply: At,
    refusals: ["not_your_trip", "illegal_transition"],
  },
  "driver.deliver": {
    summary: "Say that the order is handed over.",
    reply: At,
    refusals: ["not_your_trip", "illegal_transition"],
  },
  "driver.fail": {
    summary: "Say that the order cannot be delivered, and why.",
    reply: At,
    refusals: ["not_your_trip", "illegal_transition"],
  },
  "driver.release": {
    summary: "Give an order back before it is collected.",
    reply: At,
    refusals: ["not_your_trip", "illegal_transition"],
  },
  "ops.assign": {
    summary: "Offer an order to one driver by hand.",
    reply: Strict({ offerId: Id }),
    refusals: ["not_found", "order_not_assignable", "driver_busy", "driver_offline"],
  },
  "ops.refund": {
    summary: "Give back a part of what was captured, or all of it. The order's timeline tells when it is done.",
    reply: Strict({ refund: Type.Integer(), refundedMinor: Minor, leftMinor: Minor }),
    refusals: ["not_found", "illegal_transition", "refund_too_large"],
  },
  ...CHAT_COMMAND_REPLIES,
} as const satisfies Record<CommandType, CommandReply>;

/** What comes on each channel: events by type, states by key. */
export const CHANNEL_MESSAGES = {
  order: { states: { view: OrderViewReply, position: PositionReply }, events: {} },
  driver: {
    states: { snapshot: DriverSnapshotReply },
    events: {
      "offer.made": OfferReply,
      "offer.changed": OfferReply,
      "offer.closed": Strict({ offerId: Id, outcome: OfferOutcome }),
      "trip.changed": Strict({ trip: Type.Union([TripReply, Type.Null()]), reason: Type.Optional(Type.String()) }),
      "gps.policy": GpsPolicyReply,
      "chat.opened": Strict({ orderId: Id, roomId: RoomId }),
    },
  },
  restaurant: {
    states: { snapshot: InboxSnapshotReply },
    events: {
      "order.new": Strict({ ...TabletOrderReply.properties, attempt: Type.Integer() }),
      "order.changed": Strict({ orderId: Id, status: OrderStatusName, reason: Type.Optional(Type.String()) }),
      "driver.assigned": Strict({ orderId: Id, driver: DriverCardReply }),
      "order.alerted": Strict({ orderId: Id, step: AlertStepName, at: Millis }),
      "doors.changed": TabletDoorsReply,
    },
  },
  /** One slot for each order, named by its id. */
  "restaurant-state": { states: { "<orderId>": LeftKitchenReply }, events: {} },
  zone: { states: { live: ZoneLiveReply }, events: {} },
  ...CHAT_CHANNEL_MESSAGES,
} as const;

/** Schemas that the documents name once and refer to. */
export const NAMED_SCHEMAS: Readonly<Record<string, TSchema>> = {
  Arrival: ArrivalReply,
  Dispatch: DispatchReply,
  DriverCard: DriverCardReply,
  DriverSnapshot: DriverSnapshotReply,
  GpsBatch,
  GpsPolicy: GpsPolicyReply,
  Inbox: InboxSnapshotReply,
  Menu: MenuReply,
  Offer: OfferReply,
  OrderStatus: OrderStatusName,
  OrderTotals: OrderTotalsReply,
  OrderView: OrderViewReply,
  Place,
  PlaceOrder,
  PlacedOrder: PlacedReplySchema,
  Position: PositionReply,
  RestaurantProfile,
  Room: RoomView,
  Stop: StopReply,
  TabletOrder: TabletOrderReply,
  TimelineEntry: TimelineEntryReply,
  TrackedOrder: TrackedOrderReply,
  Trip: TripReply,
  ZoneLive: ZoneLiveReply,
};
