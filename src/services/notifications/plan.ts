/**
 * From an event to the messages that follow from it: to whom, and by which ways. Pure. Planning the same event again gives
 * the same ids.
 */
import { decode } from "../../lib/msgpack.js";
import type { MarketClock } from "../../lib/wall-time.js";
import type { CustomerNotice, KitchenNotice, NotificationChannel, NotificationWishes } from "../../protocol/mod.js";
import { KINDS, waysOf } from "./kinds.js";
import type { Draft, OrderFact, PendingEvent, Recipient } from "./ports.js";
import { arrivalText } from "./texts.js";

/** Customers' events, by type. The actors' own names. */
const TO_CUSTOMER: Readonly<Record<string, CustomerNotice>> = {
  "order.confirmed": "order_confirmed",
  "order.eta_changed": "eta_changed",
  "order.driver_near": "driver_near",
  "order.delivered": "order_delivered",
  "order.cancelled": "order_cancelled",
  "order.rejected": "order_cancelled",
  "order.undeliverable": "order_cancelled",
};

const TO_RESTAURANT: Readonly<Record<string, KitchenNotice>> = {
  "restaurant.alert": "order_waiting",
  "restaurant.paused": "restaurant_paused",
  "restaurant.offline": "restaurant_offline",
};

/** What is read of an event before it is planned: who hears of it, and about which order. */
export interface Read {
  readonly event: PendingEvent;
  readonly kind: CustomerNotice | KitchenNotice;
  readonly recipient: Recipient;
  readonly orderId: string | null;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Null: nobody is to be told, or the event is none of ours or cannot be read. */
export function readEvent(event: PendingEvent): Read | null {
  let body: Readonly<Record<string, unknown>>;
  try {
    body = decode(event.body);
  } catch {
    return null;
  }
  const text = (name: string): string | null => (typeof body?.[name] === "string" ? (body[name] as string) : null);
  const toCustomer = TO_CUSTOMER[event.type];
  if (toCustomer !== undefined) {
    const customerId = text("customerId");
    // Empty once the person has had everything erased.
    if (customerId === null || customerId === "") return null;
    return {
      event,
      kind: toCustomer,
      recipient: { role: "customer", principalId: customerId },
      orderId: event.key,
      body,
    };
  }
  if (event.type === "chat.unheard") {
    const recipient = body.to as { readonly role?: unknown; readonly id?: unknown } | undefined;
    if (typeof recipient?.id !== "string" || recipient.id === "") return null;
    if (recipient.role !== "customer" && recipient.role !== "driver") return null;
    return {
      event,
      kind: body.kind === "trip" ? "trip_message" : "support_message",
      recipient: { role: recipient.role, principalId: recipient.id },
      orderId: text("orderId"),
      body,
    };
  }
  const toRestaurant = TO_RESTAURANT[event.type];
  if (toRestaurant === undefined) return null;
  const recipient = { role: "restaurant", principalId: event.key } as const;
  return { event, kind: toRestaurant, recipient, orderId: text("orderId"), body };
}

/** What the recipient wishes, and what the order is called. */
export interface Known {
  readonly wishes: NotificationWishes;
  /** That can be pushed to. */
  readonly deviceIds: readonly string[];
  readonly order: OrderFact | null;
  readonly market: MarketClock;
}

export function draftsOf({ event, kind, recipient, orderId, body }: Read, known: Known): readonly Draft[] {
  const { wishes, deviceIds, order, market } = known;
  const expiresAt = typeof body.acceptBy === "number" ? body.acceptBy : event.at + KINDS[kind].worthMs;
  const draft = (channel: NotificationChannel, deviceIds?: readonly string[]): Draft => ({
    ...recipient,
    // With the time: on a database that came back from a backup, events take numbers that were taken before, and a provider
    // that has told the one would take the other for told.
    notificationId: `${event.kind}/${event.key}/${event.offset}-${event.at.toString(36)}/${channel}`,
    kind,
    channel,
    subject: orderId === null ? `${event.kind}/${event.key}` : `order/${orderId}`,
    ...(deviceIds === undefined ? {} : { deviceIds }),
    facts: {
      restaurant: order?.restaurant ?? String(body.restaurantName ?? ""),
      ...(order?.arrivesAt === undefined
        ? {}
        : { arrives: arrivalText(order.arrivesAt, event.at, market, wishes.locale) }),
      ...(typeof body.reason === "string" ? { reason: body.reason } : {}),
    },
    createdAt: event.at,
    expiresAt,
  });
  if (kind !== "order_waiting") {
    // Most customers of a market have no device here: nothing is planned that could not be sent.
    const ways = waysOf(kind, wishes).filter((channel) => channel !== "push" || deviceIds.length > 0);
    return ways.map((channel) => draft(channel));
  }
  const devices = Array.isArray(body.devices) ? body.devices.map(String) : [];
  switch (body.step) {
    case "push":
      // The one that was heard last; where none is known, whoever is registered for pushes.
      return [devices.length === 0 ? draft("push") : draft("push", devices.slice(0, 1))];
    case "second_device":
      return [draft("push", devices.slice(1))];
    case "sms":
      return [draft("sms")];
    case "call":
      return [draft("call")];
    default:
      return [];
  }
}
