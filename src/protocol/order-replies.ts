/** Orders as they are answered: to their customer, and to the restaurant's tablet. What this is for is in `replies.ts`. */
import { RoomId } from "./chat.js";
import { ALERT_STEPS, ChosenOption, ORDER_STATUSES, OrderLine } from "./orders.js";
import { Count, Currency, Id, Lat, Lng, Millis, Minor, Place, Strict, Text, type TSchema, Type } from "./schemas.js";

const literals = <const T extends readonly string[]>(values: T) => Type.Enum<[...T]>([...values]);
const List = <T extends TSchema>(items: T) => Type.Array(items);
const Name = Type.String();
const Version = Count(Number.MAX_SAFE_INTEGER);
/** Milliseconds, not always whole. */
const Duration = Type.Number();

export const OrderStatusName = literals(ORDER_STATUSES);

export const OrderTotalsReply = Strict({
  currency: Currency,
  itemsMinor: Type.Integer(),
  feeMinor: Type.Integer(),
  taxMinor: Type.Integer(),
  tipMinor: Type.Integer(),
  discountMinor: Type.Integer(),
  totalMinor: Type.Integer(),
});

export const PlacedReplySchema = Strict({
  orderId: Id,
  status: OrderStatusName,
  version: Version,
  totals: OrderTotalsReply,
});

export const ArrivalReply = Strict({ from: Millis, expected: Millis, to: Millis });

export const TimelineEntryReply = Strict({
  kind: literals([
    ...ORDER_STATUSES,
    "driver_assigned",
    "driver_unassigned",
    "driver_near",
    "driver_arrived",
    "eta_changed",
    "escalated",
    "payment_captured",
    "payment_voided",
    "payment_refunded",
    "payment_refund_refused",
  ]),
  at: Millis,
  by: literals(["customer", "restaurant", "driver", "support", "admin", "system", "payment"]),
  reason: Type.Optional(Type.String()),
});

export const DriverCardReply = Strict({ name: Name, vehicle: Name, contact: Type.Optional(Type.String()) });

export const PositionReply = Strict({ lat: Lat, lng: Lng, bearing: Type.Optional(Type.Number()), at: Millis });

const OrderLineReply = Strict({
  ...OrderLine.properties,
  name: Name,
  options: Type.Optional(List(Strict({ ...ChosenOption.properties, name: Name }))),
});

export const OrderViewReply = Strict({
  orderId: Id,
  version: Version,
  status: OrderStatusName,
  timeline: List(TimelineEntryReply),
  restaurant: Strict({ id: Id, name: Name, lat: Lat, lng: Lng }),
  destination: Place,
  lines: List(OrderLineReply),
  totals: OrderTotalsReply,
  placedAt: Millis,
  refundedMinor: Type.Optional(Minor),
  roomId: Type.Optional(RoomId),
  deliverAt: Type.Optional(Millis),
  eta: Type.Optional(ArrivalReply),
  etaHistory: Type.Optional(
    List(
      Strict({
        ...ArrivalReply.properties,
        at: Millis,
        cause: literals(["placed", "restaurant", "kitchen", "driver", "pickup", "road"]),
      }),
    ),
  ),
  readyAt: Type.Optional(Millis),
  driver: Type.Optional(DriverCardReply),
  anotherFirst: Type.Boolean(),
  reason: Type.Optional(Type.String()),
  refusal: Type.Optional(Strict({ code: Type.String(), detail: Type.Optional(Type.Unknown()) })),
});

const { destination: _destination, ...seenByKitchen } = OrderViewReply.properties;
/** As its restaurant reads an order: whoever cooks has no business at the customer's door. */
export const KitchenViewReply = Strict(seenByKitchen);

export const TrackedOrderReply = Strict({
  view: OrderViewReply,
  position: Type.Optional(Strict({ ...PositionReply.properties, ageMs: Duration })),
  fresh: Type.Boolean(),
  serverTime: Millis,
});

export const OrderHistoryReply = Strict({ orders: List(OrderViewReply), nextBefore: Type.Optional(Millis) });

export const TabletOrderReply = Strict({
  orderId: Id,
  lines: List(OrderLineReply),
  totals: OrderTotalsReply,
  note: Type.Optional(Text(300)),
  placedAt: Millis,
  deliverAt: Type.Optional(Millis),
  acceptBy: Millis,
});

export const TabletDoorsReply = Strict({
  open: Type.Boolean(),
  paused: Type.Optional(Strict({ until: Type.Optional(Millis), reason: Type.Optional(Type.String()) })),
  offlineSince: Type.Optional(Millis),
});
const OpenTabletOrder = Strict({
  ...TabletOrderReply.properties,
  status: OrderStatusName,
  driver: Type.Optional(DriverCardReply),
});
export const LeftKitchenReply = Strict({ orderId: Id, status: OrderStatusName, at: Millis });

export const InboxSnapshotReply = Strict({
  orders: List(OpenTabletOrder),
  doors: Type.Optional(TabletDoorsReply),
});

export const AlertStepName = literals(ALERT_STEPS);

export const ReconciledReply = Strict({
  open: List(Type.Tuple([Id, OrderStatusName])),
  missing: List(OpenTabletOrder),
  drivers: Type.Optional(List(Type.Tuple([Id, DriverCardReply]))),
  doors: TabletDoorsReply,
  graceMs: Millis,
});

export const InboxViewReply = Strict({
  restaurantId: Id,
  doors: TabletDoorsReply,
  listening: Type.Boolean(),
  tablets: List(Strict({ deviceId: Id, name: Type.String(), since: Millis, heardAt: Type.Optional(Millis) })),
  missed: Type.Integer(),
  orders: List(
    Strict({
      orderId: Id,
      status: OrderStatusName,
      state: literals(["sent", "delivered", "accepted"]),
      sentAt: Type.Optional(Millis),
      deliveredAt: Type.Optional(Millis),
      acceptBy: Type.Optional(Millis),
      attempts: Type.Integer(),
      steps: List(Strict({ step: AlertStepName, at: Millis })),
    }),
  ),
});
