/** The client's door for browsers, and for Node from version 22 on. Node 20 uses `node.ts`. */

export type {
  CommandBody,
  CommandReplies,
  CommandType,
  DriverEvent,
  DriverSnapshot,
  GpsPolicy,
  InboxSnapshot,
  MenuView,
  OfferView,
  OrderStatus,
  OrderView,
  PlacedReply,
  PlaceOrder,
  RestaurantProfile,
  TabletEvent,
  TrackedOrder,
  TripView,
  ZoneLive,
} from "../src/protocol/mod.js";
export { isTerminal, NEXT_STATUS } from "../src/protocol/mod.js";
export type {
  ChannelEvent,
  ChannelHandlers,
  ChannelSubscription,
  SlotValue,
  SubscribeOptions,
} from "./channels.js";
export { type CityDriver, type CityNews, type CityOrder, CityPicture, type CityWatch, watchCity } from "./city.js";
export { type Client, type ClientOptions, createClient, createHttp } from "./client.js";
export type { CommandOptions, RestoredOutcome } from "./commands.js";
export type { ConnectionState } from "./connection.js";
export { type LocalErrorCode, SwiftEatsError } from "./errors.js";
export type { Gps, OfferResult, PositionFix } from "./gps.js";
export type { Http, NearbyRestaurant, OrderPage, Principal, TokenOrder, WriteOptions } from "./http.js";
export type {
  ByteStream,
  FetchLike,
  FetchResponse,
  SocketConstructor,
  SocketLike,
  StorageLike,
  TokenProvider,
  TokenReason,
} from "./ports.js";
export { type Courier, type Customer, courier, customer, type Kitchen, kitchen } from "./roles.js";
