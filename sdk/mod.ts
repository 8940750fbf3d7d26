/** The client's door for browsers, and for Node from version 22 on. Node 20 uses `node.ts`. */

export { amountOf, decimalText, minorDigits, moneyText } from "../src/lib/currency.js";
export type {
  Announcement,
  ArrivalQuote,
  ChatAttachment,
  ChatLine,
  ChatSide,
  ChosenOption,
  CommandBody,
  CommandReplies,
  CommandType,
  DispatchView,
  DriverCard,
  DriverEvent,
  DriverSnapshot,
  FoundRestaurant,
  GpsPolicy,
  InboxSnapshot,
  MenuItem,
  MenuView,
  OfferView,
  OpeningHours,
  OptionGroup,
  OrderLine,
  OrderStatus,
  OrderTotals,
  OrderView,
  PlacedReply,
  PlaceOrder,
  PositionView,
  RestaurantProfile,
  Role,
  RoomView,
  SearchResults,
  StopView,
  TabletDoors,
  TabletEvent,
  TabletOrder,
  TrackedOrder,
  TripView,
  ZoneLive,
} from "../src/protocol/mod.js";
export { isTerminal, NEXT_STATUS, openAt, orderTotals, portionMinor } from "../src/protocol/mod.js";
export {
  type AnnouncementHandlers,
  type WatchAnnouncementsOptions,
  watchAnnouncements,
} from "./announcements.js";
export type {
  ChannelEvent,
  ChannelHandlers,
  ChannelSubscription,
  SlotValue,
  SubscribeOptions,
} from "./channels.js";
export {
  type Chat,
  type ChatHandlers,
  type ChatOptions,
  chat,
  contactNumber,
  type OutgoingMessage,
  openSupportRoom,
  openTripRoom,
  watchQueue,
} from "./chat.js";
export { type CityDriver, type CityNews, type CityOrder, CityPicture, type CityWatch, watchCity } from "./city.js";
export { type Client, type ClientOptions, createClient, createHttp } from "./client.js";
export type { CommandOptions, PendingCommand, RestoredOutcome } from "./commands.js";
export type { ConnectionState } from "./connection.js";
export { type LocalErrorCode, SwiftEatsError } from "./errors.js";
export type { Gps, OfferResult, PositionFix } from "./gps.js";
export type { Http, NearbyRestaurant, OrderPage, Principal, QueryFields, TokenOrder, WriteOptions } from "./http.js";
export { type DurableStorage, type IndexedDbLike, openIndexedDbStorage } from "./indexed-db.js";
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
export {
  Tablet,
  type TabletEntry,
  type TabletHandlers,
  type TabletOptions,
  type TabletSource,
  type TabletStats,
} from "./tablet.js";
export type { FollowOptions, LineHandlers, PolledOrder } from "./tracking.js";
export { type OrderHandlers, type OrderSource, type WatchOrderOptions, watchOrder } from "./watch-order.js";
export { type WatchWorkOptions, type WorkHandlers, type WorkSource, watchWork } from "./watch-work.js";
