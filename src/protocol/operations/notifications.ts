/** What people are told outside the apps: what they want to hear, and what operations see of it. */
import { MOST_AT_ONCE } from "../../lib/page.js";
import { ROLES } from "../commands.js";
import { InboxViewReply } from "../order-replies.js";
import { Id, Millis, type Static, Strict, Text, Type } from "../schemas.js";
import { operations, PAGES_BY_AGE } from "./operation.js";

export const NOTIFICATION_CHANNELS = ["push", "sms", "email", "call"] as const;
export type NotificationChannel = (typeof NOTIFICATION_CHANNELS)[number];
/** About a customer's own order, and what was written to somebody who was not there. Each may be had by other ways, or by none. */
export const CUSTOMER_NOTICES = [
  "order_confirmed",
  "eta_changed",
  "driver_near",
  "order_delivered",
  "order_cancelled",
  "trip_message",
  "support_message",
] as const;
export type CustomerNotice = (typeof CUSTOMER_NOTICES)[number];
/** About a restaurant's work. Nobody can switch them off: an order that nobody sees is cooked by nobody. */
export const KITCHEN_NOTICES = ["order_waiting", "restaurant_paused", "restaurant_offline"] as const;
export type KitchenNotice = (typeof KITCHEN_NOTICES)[number];
export type NoticeKind = CustomerNotice | KitchenNotice;
export const NOTIFICATION_LOCALES = ["en", "de", "es", "tr"] as const;
export type NotificationLocale = (typeof NOTIFICATION_LOCALES)[number];

const named = <T extends string>(values: readonly T[]) => Type.Unsafe<T>({ type: "string", enum: [...values] });
const Channel = named(NOTIFICATION_CHANNELS);
const Locale = named(NOTIFICATION_LOCALES);
/** A call is for kitchens alone. */
const CustomerChannel = named(["push", "sms", "email"] as const);
const Ways = Type.Array(CustomerChannel, { maxItems: 3, uniqueItems: true });
const Kinds = Strict({
  order_confirmed: Type.Optional(Ways),
  eta_changed: Type.Optional(Ways),
  driver_near: Type.Optional(Ways),
  order_delivered: Type.Optional(Ways),
  order_cancelled: Type.Optional(Ways),
  trip_message: Type.Optional(Ways),
  support_message: Type.Optional(Ways),
});

/** What somebody wants to hear, and how. A kind that is not named comes by its usual ways; one with none does not come. */
export const NotificationWishes = Strict({ locale: Locale, kinds: Kinds });
export type NotificationWishes = Static<typeof NotificationWishes>;

const Wished = Strict({
  ...NotificationWishes.properties,
  devices: Type.Array(Strict({ deviceId: Id, since: Millis }), { maxItems: 20 }),
});

export const NotificationRecord = Strict({
  /** The provider gets it with every try, so that nobody is told twice. */
  notificationId: Text(240),
  role: named(ROLES),
  principalId: Id,
  kind: named([...CUSTOMER_NOTICES, ...KITCHEN_NOTICES]),
  channel: Channel,
  /** What it is about. */
  subject: Text(140),
  /** `dead`: given up; somebody may have it tried again. `dropped`: it had become pointless. */
  state: named(["waiting", "sent", "dead", "dropped"] as const),
  attempts: Type.Integer({ minimum: 0 }),
  createdAt: Millis,
  /** The next try of one that waits. */
  nextAt: Type.Optional(Millis),
  settledAt: Type.Optional(Millis),
  /** Why the last try failed. */
  reason: Type.Optional(Type.String({ maxLength: 300 })),
});
export type NotificationRecord = Static<typeof NotificationRecord>;

const staff = ["support", "admin"] as const;
const Named = Strict({ notificationId: Text(240) });

export const NOTIFICATION_OPERATIONS = operations({
  "notifications.wishes": {
    method: "GET",
    path: "/v1/me/notifications",
    summary: "What the caller wants to be told, in which language and how, and on which devices.",
    access: ROLES,
    tier: "browse",
    reply: Wished,
    refusals: ["unavailable"],
  },
  "notifications.wish": {
    method: "PUT",
    path: "/v1/me/notifications",
    summary: "Choose the language, and by kind the ways of being told; a kind with none does not come.",
    access: ROLES,
    tier: "command",
    body: NotificationWishes,
    reply: Wished,
    refusals: ["unavailable"],
  },
  "notifications.add_device": {
    method: "PUT",
    path: "/v1/me/notifications/devices/:deviceId",
    summary: "Push to this device, by the token that the push service gave it, until the session ends that says so.",
    access: ROLES,
    tier: "command",
    params: Strict({ deviceId: Id }),
    body: Strict({ token: Type.String({ minLength: 1, maxLength: 1024, pattern: "^[\\x21-\\x7e]*$" }) }),
    reply: Wished,
    refusals: ["too_many", "unavailable"],
  },
  "notifications.remove_device": {
    method: "DELETE",
    path: "/v1/me/notifications/devices/:deviceId",
    summary: "Push to this device no longer.",
    access: ROLES,
    tier: "command",
    params: Strict({ deviceId: Id }),
    reply: Wished,
    refusals: ["unavailable"],
  },
  "notifications.list": {
    method: "GET",
    path: "/v1/notifications",
    summary: `What was sent, waits or was given up (\`state=dead\`), newest first. ${PAGES_BY_AGE}`,
    access: staff,
    tier: "browse",
    query: Strict({
      state: Type.Optional(named(["waiting", "sent", "dead", "dropped"] as const)),
      principalId: Type.Optional(Id),
      before: Type.Optional(Millis),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200 })),
    }),
    reply: Strict({
      notifications: Type.Array(NotificationRecord, { maxItems: MOST_AT_ONCE }),
      nextBefore: Type.Optional(Millis),
    }),
    refusals: ["unavailable"],
  },
  "notifications.retry": {
    method: "POST",
    path: "/v1/notifications/retry",
    summary: "Have one that was given up tried again, under the same id.",
    access: staff,
    tier: "command",
    body: Strict({ ...Named.properties, reason: Text(300) }),
    reply: NotificationRecord,
    refusals: ["not_found", "illegal_transition", "unavailable"],
  },
});

/** How orders reach a kitchen, and what operations can do about one that does not hear. */
export const KITCHEN_OPERATIONS = operations({
  "kitchens.inbox": {
    method: "GET",
    path: "/v1/restaurants/:restaurantId/inbox",
    summary:
      "A restaurant's open orders: sent, delivered or accepted, what was done to be heard, and which tablets there are.",
    access: ["restaurant", "support", "admin"],
    tier: "browse",
    params: Strict({ restaurantId: Id }),
    reply: InboxViewReply,
    refusals: ["not_found", "unavailable"],
  },
  "kitchens.resume": {
    method: "POST",
    path: "/v1/restaurants/:restaurantId/resume",
    summary: "Have a restaurant that was paused take orders again.",
    access: staff,
    tier: "command",
    params: Strict({ restaurantId: Id }),
    body: Strict({ reason: Text(300) }),
    reply: Strict({ menuVersion: Type.Integer() }),
    refusals: ["not_found", "unavailable"],
  },
});
