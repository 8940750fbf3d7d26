/** What others may send a restaurant. */

import type { Outlook, PreparationSample, ZonePicture } from "../../../eta/mod.js";
import type {
  CommandBody,
  CommandReplies,
  DriverCard,
  InboxView,
  OrderStatus,
  OrderTotals,
  Place,
  PricedLine,
  RestaurantProfile,
  TabletOrder,
} from "../../../protocol/mod.js";
import { actorRef } from "../../runtime/definition.js";

export interface ReserveInput {
  readonly orderId: string;
  readonly lines: readonly PricedLine[];
  readonly destination: Place;
  readonly totals: OrderTotals;
  /** Not to be cooked now, but to arrive then. */
  readonly deliverAt?: number;
  /** From the restaurant to the customer as the router gave it; absent: as the crow flies. */
  readonly wayMs?: number;
}

export type RestaurantContract = {
  // Clients
  configure: { input: CommandBody<"restaurant.configure">; reply: CommandReplies["restaurant.configure"] };
  setItem: { input: CommandBody<"restaurant.item">; reply: CommandReplies["restaurant.item"] };
  putItem: { input: CommandBody<"restaurant.put_item">; reply: CommandReplies["restaurant.put_item"] };
  removeItem: { input: CommandBody<"restaurant.remove_item">; reply: CommandReplies["restaurant.remove_item"] };
  setOpen: { input: CommandBody<"restaurant.open">; reply: CommandReplies["restaurant.open"] };
  setChoice: { input: CommandBody<"restaurant.choice">; reply: CommandReplies["restaurant.choice"] };
  setHours: { input: CommandBody<"restaurant.hours">; reply: CommandReplies["restaurant.hours"] };
  setCategories: { input: CommandBody<"restaurant.categories">; reply: CommandReplies["restaurant.categories"] };
  pause: { input: CommandBody<"restaurant.pause">; reply: CommandReplies["restaurant.pause"] };
  resume: { input: CommandBody<"restaurant.resume">; reply: CommandReplies["restaurant.resume"] };
  setStatus: { input: CommandBody<"restaurant.status">; reply: CommandReplies["restaurant.status"] };
  tablet: { input: CommandBody<"restaurant.tablet">; reply: CommandReplies["restaurant.tablet"] };
  forgetTablet: { input: CommandBody<"restaurant.forget_tablet">; reply: CommandReplies["restaurant.forget_tablet"] };
  // Operations
  inboxView: { input: null; reply: InboxView };
  // The service that takes restaurants on
  /** A draft, which admins look at before it is listed. Refused when there is one by this id. */
  found: { input: { readonly profile: Omit<RestaurantProfile, "items"> }; reply: { readonly menuVersion: number } };
  // The order actor
  reserve: { input: ReserveInput; reply: null };
  /** `unheld`: this restaurant has said that it keeps nothing of the order before this. */
  offerOrder: { input: TabletOrder & { readonly unheld?: true }; reply: null };
  orderAccepted: {
    input: {
      readonly orderId: string;
      readonly status: OrderStatus;
      /** By the kitchen's word; absent in messages of an older version. */
      readonly readyAt?: number;
    };
    reply: null;
  };
  driverAssigned: { input: { readonly orderId: string; readonly driver: DriverCard }; reply: null };
  /** The order is over without a delivery: what it reserved goes back, once, and a late reservation is refused. */
  closeOrder: {
    input: {
      readonly orderId: string;
      readonly status: OrderStatus;
      readonly reason: string;
      /** What was reserved, if the order knows that it was; null while the answer was on its way, and where nothing was held. */
      readonly holds: readonly Pick<PricedLine, "itemId" | "quantity">[] | null;
      /** The food is out of the house: nothing of it comes back. */
      readonly pickedUp: boolean;
    };
    reply: null;
  };
  /** Picked up: the kitchen has a place free. Kept in memory until the next commit; the index tells it again. */
  leftKitchen: { input: { readonly orderId: string; readonly sample?: PreparationSample }; reply: null };
  /** At its customer's door. For the tablet alone, and told once: nothing here depends on it. */
  delivered: { input: { readonly orderId: string }; reply: null };
  /** A person is to be forgotten of whom the tablet was told: what it may ask for again goes. */
  forgetTold: { input: null; reply: null };
  // The zone's model of arrivals
  zonePicture: { input: ZonePicture; reply: null };
  // The service that quotes
  /** How long an order of the usual size would take now. */
  outlook: { input: null; reply: Outlook };
  // Its own timers
  doors: { input: null; reply: null };
  refill: { input: null; reply: null };
  redeliver: { input: null; reply: null };
  watch: { input: null; reply: null };
};

export const Restaurant = actorRef<RestaurantContract>("restaurant");
