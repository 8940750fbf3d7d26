/**
 * Every command a client can send, as data: who may, which actor gets it, what it carries. WebSocket CMD frames and HTTP
 * routes are two doors to this one table; what is not in it cannot be reached.
 */
import { RoomId, type RoomStatus, SayBody } from "./chat.js";
import { OpeningHours } from "./hours.js";
import {
  MenuCategories,
  MenuItem,
  Refill,
  RestaurantProfile,
  type RestaurantStatus,
  RestaurantStatusName,
} from "./menus.js";
import { type GpsAck, GpsBatch, type PlacedReply, PlaceOrder, type Reconciled } from "./orders.js";
import { Count, Id, Lat, Lng, Millis, Minor, type Static, Strict, Text, type TSchema, Type } from "./schemas.js";

export const ROLES = ["customer", "driver", "restaurant", "support", "admin"] as const;
export type Role = (typeof ROLES)[number];

export interface CommandEntry {
  /** Which kind of actor handles it, and by what name. */
  readonly actor: "order" | "driver" | "restaurant" | "dispatch-zone" | "chat-room";
  readonly name: string;
  /** Where the actor's key comes from: the caller's own id, a field of the body, or derived by a service. */
  readonly key: "caller" | "orderId" | "driverId" | "restaurantId" | "roomId" | "derived";
  readonly roles: readonly Role[];
  readonly body: TSchema;
}

const Empty = Strict({});
const OrderOnly = Strict({ orderId: Id });
const OrderReason = Strict({ orderId: Id, reason: Text(200) });
const RoomOnly = Strict({ roomId: RoomId });
const TALKERS = ["customer", "driver", "support", "admin"] as const;
const AGENTS = ["support", "admin"] as const;

export const COMMANDS = {
  // customers (the order's id is derived from customer and idempotency key)
  "order.place": { actor: "order", name: "place", key: "derived", roles: ["customer"], body: PlaceOrder },
  "order.cancel": {
    actor: "order",
    name: "cancel",
    key: "orderId",
    roles: ["customer", "restaurant", "support", "admin"],
    body: OrderReason,
  },
  // restaurants: the order checks that it is theirs
  "order.accept": {
    actor: "order",
    name: "accept",
    key: "orderId",
    roles: ["restaurant"],
    body: Strict({ orderId: Id, prepMinutes: Type.Optional(Type.Number({ minimum: 0, maximum: 240 })) }),
  },
  "order.reject": {
    actor: "order",
    name: "rejectByRestaurant",
    key: "orderId",
    roles: ["restaurant"],
    body: OrderReason,
  },
  "order.preparing": { actor: "order", name: "startPreparing", key: "orderId", roles: ["restaurant"], body: OrderOnly },
  "order.ready": { actor: "order", name: "markReady", key: "orderId", roles: ["restaurant"], body: OrderOnly },
  "restaurant.configure": {
    actor: "restaurant",
    name: "configure",
    key: "restaurantId",
    roles: ["admin", "restaurant"],
    body: Strict({ restaurantId: Id, profile: RestaurantProfile }),
  },
  "restaurant.item": {
    actor: "restaurant",
    name: "setItem",
    key: "caller",
    roles: ["restaurant"],
    body: Strict({
      itemId: Id,
      available: Type.Optional(Type.Boolean()),
      stock: Type.Optional(Count(1_000_000)),
      priceMinor: Type.Optional(Minor),
      refill: Type.Optional(Refill),
    }),
  },
  /** A new dish, or the one by this id written anew. */
  "restaurant.put_item": {
    actor: "restaurant",
    name: "putItem",
    key: "caller",
    roles: ["restaurant"],
    body: Strict({ item: MenuItem }),
  },
  "restaurant.remove_item": {
    actor: "restaurant",
    name: "removeItem",
    key: "caller",
    roles: ["restaurant"],
    body: Strict({ itemId: Id }),
  },
  "restaurant.choice": {
    actor: "restaurant",
    name: "setChoice",
    key: "caller",
    roles: ["restaurant"],
    body: Strict({
      itemId: Id,
      groupId: Id,
      choiceId: Id,
      available: Type.Optional(Type.Boolean()),
      priceMinor: Type.Optional(Minor),
    }),
  },
  "restaurant.hours": {
    actor: "restaurant",
    name: "setHours",
    key: "caller",
    roles: ["restaurant"],
    // Null: by hand alone.
    body: Strict({ hours: Type.Union([OpeningHours, Type.Null()]) }),
  },
  "restaurant.categories": {
    actor: "restaurant",
    name: "setCategories",
    key: "caller",
    roles: ["restaurant"],
    body: Strict({ categories: MenuCategories }),
  },
  "restaurant.pause": {
    actor: "restaurant",
    name: "pause",
    key: "caller",
    roles: ["restaurant"],
    // Neither `until` nor `minutes`: until it is resumed.
    body: Strict({
      until: Type.Optional(Millis),
      minutes: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_080 })),
      reason: Type.Optional(Text(80)),
    }),
  },
  "restaurant.resume": { actor: "restaurant", name: "resume", key: "caller", roles: ["restaurant"], body: Empty },
  /** A tablet says that it is there and what it holds, on every connection and from time to time. */
  "restaurant.tablet": {
    actor: "restaurant",
    name: "tablet",
    key: "caller",
    roles: ["restaurant"],
    body: Strict({
      deviceId: Id,
      name: Type.Optional(Text(60)),
      /** Open orders in the device's own storage. */
      holds: Type.Array(Id, { maxItems: 300 }),
    }),
  },
  /** Takes a tablet off the list: it is broken, or was sold. */
  "restaurant.forget_tablet": {
    actor: "restaurant",
    name: "forgetTablet",
    key: "caller",
    roles: ["restaurant"],
    body: Strict({ deviceId: Id }),
  },
  "restaurant.status": {
    actor: "restaurant",
    name: "setStatus",
    key: "restaurantId",
    roles: ["admin"],
    body: Strict({ restaurantId: Id, status: RestaurantStatusName, reason: Type.Optional(Text(200)) }),
  },
  "restaurant.open": {
    actor: "restaurant",
    name: "setOpen",
    key: "caller",
    roles: ["restaurant"],
    body: Strict({ open: Type.Boolean() }),
  },
  // drivers
  "driver.online": {
    actor: "driver",
    name: "goOnline",
    key: "caller",
    roles: ["driver"],
    body: Strict({ name: Text(80), vehicle: Text(30), lat: Lat, lng: Lng }),
  },
  "driver.offline": { actor: "driver", name: "goOffline", key: "caller", roles: ["driver"], body: Empty },
  "driver.accept": {
    actor: "driver",
    name: "acceptOffer",
    key: "caller",
    roles: ["driver"],
    body: Strict({ offerId: Id }),
  },
  "driver.decline": {
    actor: "driver",
    name: "declineOffer",
    key: "caller",
    roles: ["driver"],
    body: Strict({ offerId: Id, reason: Type.Optional(Text(100)) }),
  },
  "driver.arrived": {
    actor: "driver",
    name: "arrived",
    key: "caller",
    roles: ["driver"],
    body: Strict({ orderId: Id, stop: Type.Union([Type.Literal("pickup"), Type.Literal("dropoff")]) }),
  },
  "driver.pickup": { actor: "driver", name: "pickUp", key: "caller", roles: ["driver"], body: OrderOnly },
  "driver.deliver": { actor: "driver", name: "deliver", key: "caller", roles: ["driver"], body: OrderOnly },
  "driver.fail": { actor: "driver", name: "failDelivery", key: "caller", roles: ["driver"], body: OrderReason },
  "driver.release": { actor: "driver", name: "releaseTrip", key: "caller", roles: ["driver"], body: OrderReason },
  // support and operations
  "ops.assign": {
    actor: "order",
    name: "assignManually",
    key: "orderId",
    roles: ["support", "admin"],
    body: Strict({ orderId: Id, driverId: Id, reason: Text(200) }),
  },
  /** Gives back a part of what was captured, or all of it. */
  "ops.refund": {
    actor: "order",
    name: "refund",
    key: "orderId",
    roles: ["support", "admin"],
    body: Strict({
      orderId: Id,
      amountMinor: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
      reason: Text(200),
      /** Who pays for it; default: the marketplace. */
      bearer: Type.Optional(Type.Union([Type.Literal("platform"), Type.Literal("restaurant")])),
    }),
  },
  // conversation: the room checks who is in it
  "chat.say": { actor: "chat-room", name: "say", key: "roomId", roles: TALKERS, body: SayBody },
  "chat.read": {
    actor: "chat-room",
    name: "read",
    key: "roomId",
    roles: TALKERS,
    body: Strict({ roomId: RoomId, offset: Count(Number.MAX_SAFE_INTEGER) }),
  },
  "chat.typing": { actor: "chat-room", name: "typing", key: "roomId", roles: TALKERS, body: RoomOnly },
  "chat.claim": { actor: "chat-room", name: "claim", key: "roomId", roles: AGENTS, body: RoomOnly },
  "chat.transfer": {
    actor: "chat-room",
    name: "transfer",
    key: "roomId",
    roles: AGENTS,
    // No agent: back to the queue.
    body: Strict({ roomId: RoomId, agentId: Type.Optional(Id) }),
  },
  "chat.resolve": {
    actor: "chat-room",
    name: "resolve",
    key: "roomId",
    roles: ["customer", "support", "admin"],
    body: RoomOnly,
  },
  "chat.reopen": {
    actor: "chat-room",
    name: "reopen",
    key: "roomId",
    roles: ["customer", "support", "admin"],
    body: RoomOnly,
  },
} as const satisfies Record<string, CommandEntry>;

export type CommandType = keyof typeof COMMANDS;
export type CommandBody<T extends CommandType> = Static<(typeof COMMANDS)[T]["body"]>;

/** Replies by command. Each carries what the caller needs to go on without reading again. */
export interface CommandReplies {
  "order.place": PlacedReply;
  "order.cancel": { readonly status: string; readonly version: number };
  "order.accept": { readonly status: string; readonly version: number };
  "order.reject": { readonly status: string; readonly version: number };
  "order.preparing": { readonly status: string; readonly version: number };
  "order.ready": { readonly status: string; readonly version: number };
  "restaurant.configure": { readonly menuVersion: number };
  "restaurant.item": { readonly menuVersion: number };
  "restaurant.open": { readonly menuVersion: number };
  "restaurant.put_item": { readonly menuVersion: number };
  "restaurant.remove_item": { readonly menuVersion: number };
  "restaurant.choice": { readonly menuVersion: number };
  "restaurant.hours": { readonly menuVersion: number };
  "restaurant.categories": { readonly menuVersion: number };
  "restaurant.pause": { readonly menuVersion: number };
  "restaurant.resume": { readonly menuVersion: number };
  "restaurant.tablet": Reconciled;
  "restaurant.forget_tablet": { readonly tablets: number };
  "restaurant.status": { readonly menuVersion: number; readonly status: RestaurantStatus };
  "driver.online": { readonly onShift: true };
  "driver.offline": { readonly onShift: false };
  /** `claiming`: the order decides; `offer.closed` and `trip.changed` tell the outcome. */
  "driver.accept": { readonly claiming: string };
  "driver.decline": { readonly declined: string };
  "driver.arrived": { readonly at: number };
  "driver.pickup": { readonly at: number };
  "driver.deliver": { readonly at: number };
  "driver.fail": { readonly at: number };
  "driver.release": { readonly at: number };
  "ops.assign": { readonly offerId: string };
  /** Asked for; the order's timeline tells when the provider has done it. */
  "ops.refund": { readonly refund: number; readonly refundedMinor: number; readonly leftMinor: number };
  /** Where the message stands in the room. */
  "chat.say": { readonly offset: number; readonly at: number };
  "chat.read": { readonly offset: number };
  /** False: so soon after the last that nobody was told again. */
  "chat.typing": { readonly shown: boolean };
  "chat.claim": { readonly status: RoomStatus; readonly version: number };
  "chat.transfer": { readonly status: RoomStatus; readonly version: number };
  "chat.resolve": { readonly status: RoomStatus; readonly version: number };
  "chat.reopen": { readonly status: RoomStatus; readonly version: number };
}

/** The GPS frame and `POST /v1/gps` reach the driver actor's volatile command `gps`. */
export const GPS = { actor: "driver", name: "gps", body: GpsBatch } as const;
export type GpsReply = GpsAck;

/**
 * Channels by the first part of their name (`order:<id>`): the actor behind, its channel, and which roles may ask; the
 * actor's `admit` decides for the one at hand.
 */
export const CHANNELS = {
  order: { actor: "order", channel: "view", delivery: "latest", roles: ["customer", "support", "admin"] },
  driver: { actor: "driver", channel: "work", delivery: "reliable", roles: ["driver"] },
  restaurant: { actor: "restaurant", channel: "inbox", delivery: "reliable", roles: ["restaurant"] },
  /** What became of the orders that have left the kitchen. */
  "restaurant-state": { actor: "restaurant", channel: "state", delivery: "latest", roles: ["restaurant"] },
  zone: { actor: "dispatch-zone", channel: "live", delivery: "latest", roles: ["support", "admin"] },
  /** What is said, and what happens to the room. */
  room: { actor: "chat-room", channel: "talk", delivery: "reliable", roles: TALKERS },
  /** How the room stands, who has read how far, who writes. */
  "room-state": { actor: "chat-room", channel: "state", delivery: "latest", roles: TALKERS },
  /** `agents:all`: every conversation that waits for an agent or has one. */
  agents: { actor: "chat-queue", channel: "rooms", delivery: "latest", roles: AGENTS },
} as const;
export type ChannelFamily = keyof typeof CHANNELS;
/**
 * Reliable channels with one listener, who says with ACK what is safe and may be forgotten. Of the other reliable channels
 * nothing is acknowledged: many listen, and what was said stays.
 */
export const ACKNOWLEDGED_CHANNELS: readonly ChannelFamily[] = ["driver", "restaurant"];

/** Internal: fixes of a driver with open grants. Gateways listen to it for their order subscribers; clients cannot. */
export const LOCATION_CHANNEL = { actor: "driver", channel: "location" } as const;
/** Body of a slot on the internal location channel; the slot's name is the order's id. */
export interface GrantedPosition {
  readonly orderId: string;
  readonly grant: number;
  readonly position: { readonly lat: number; readonly lng: number; readonly bearing?: number; readonly at: number };
}
