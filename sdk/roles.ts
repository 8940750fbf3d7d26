/** What each role does, in its own words, over a plain client. Nothing here that `command` and `subscribe` could not do. */
import type {
  CommandReplies,
  DriverEvent,
  DriverSnapshot,
  InboxSnapshot,
  OrderView,
  PlacedReply,
  PlaceOrder,
  PositionView,
  TabletEvent,
} from "../src/protocol/mod.js";
import type { ChannelSubscription } from "./channels.js";
import type { Client } from "./client.js";
import type { CommandOptions } from "./commands.js";
import type { SwiftEatsError } from "./errors.js";

type Reply<T extends keyof CommandReplies> = Promise<CommandReplies[T]>;

export interface Customer {
  place(order: PlaceOrder, options?: CommandOptions): Promise<PlacedReply>;
  cancel(orderId: string, reason: string): Reply<"order.cancel">;
  /** Views with strictly rising versions, and positions while the driver may be seen. */
  watch(
    orderId: string,
    handlers: {
      view?(view: OrderView): void;
      position?(position: PositionView): void;
      ended?(error: SwiftEatsError): void;
    },
  ): ChannelSubscription;
}

export function customer(client: Client): Customer {
  return {
    place: (order, options) => client.command("order.place", order, options),
    cancel: (orderId, reason) => client.command("order.cancel", { orderId, reason }),
    watch(orderId, handlers) {
      let version = -1;
      return client.subscribe(`order:${orderId}`, {
        state({ slot, body }) {
          if (slot === "position") {
            // A closed grant is told as null: there is nothing to show any more.
            if (body !== null) handlers.position?.(body as unknown as PositionView);
            return;
          }
          const view = body as unknown as OrderView;
          if (view.version <= version) return;
          version = view.version;
          handlers.view?.(view);
        },
        ...(handlers.ended === undefined ? {} : { ended: handlers.ended }),
      });
    },
  };
}

export interface Courier {
  goOnline(profile: { name: string; vehicle: string; lat: number; lng: number }): Reply<"driver.online">;
  goOffline(): Reply<"driver.offline">;
  /** Offers, trips and the GPS policy; the policy also reaches `client.gps` by itself. */
  work(
    driverId: string,
    handlers: {
      snapshot?(work: DriverSnapshot): void;
      event?(event: DriverEvent): void;
      ended?(error: SwiftEatsError): void;
    },
  ): ChannelSubscription;
  accept(offerId: string): Reply<"driver.accept">;
  decline(offerId: string, reason?: string): Reply<"driver.decline">;
  arrived(orderId: string, stop: "pickup" | "dropoff"): Reply<"driver.arrived">;
  pickUp(orderId: string): Reply<"driver.pickup">;
  deliver(orderId: string): Reply<"driver.deliver">;
  fail(orderId: string, reason: string): Reply<"driver.fail">;
  release(orderId: string, reason: string): Reply<"driver.release">;
}

export function courier(client: Client): Courier {
  return {
    goOnline: (profile) => client.command("driver.online", profile),
    goOffline: () => client.command("driver.offline", {}),
    work: (driverId, handlers) =>
      client.subscribe(`driver:${driverId}`, {
        event: ({ type, body }) => handlers.event?.({ type, body } as unknown as DriverEvent),
        state: ({ body }) => handlers.snapshot?.(body as unknown as DriverSnapshot),
        ...(handlers.ended === undefined ? {} : { ended: handlers.ended }),
      }),
    accept: (offerId) => client.command("driver.accept", { offerId }),
    decline: (offerId, reason) =>
      client.command("driver.decline", reason === undefined ? { offerId } : { offerId, reason }),
    arrived: (orderId, stop) => client.command("driver.arrived", { orderId, stop }),
    pickUp: (orderId) => client.command("driver.pickup", { orderId }),
    deliver: (orderId) => client.command("driver.deliver", { orderId }),
    fail: (orderId, reason) => client.command("driver.fail", { orderId, reason }),
    release: (orderId, reason) => client.command("driver.release", { orderId, reason }),
  };
}

export interface Kitchen {
  /** The durable inbox. Each event is acknowledged when the handler returns: show it before returning. */
  inbox(
    restaurantId: string,
    handlers: {
      snapshot?(inbox: InboxSnapshot): void;
      event?(event: TabletEvent): void;
      ended?(error: SwiftEatsError): void;
    },
  ): ChannelSubscription;
  accept(orderId: string, prepMinutes?: number): Reply<"order.accept">;
  reject(orderId: string, reason: string): Reply<"order.reject">;
  preparing(orderId: string): Reply<"order.preparing">;
  ready(orderId: string): Reply<"order.ready">;
  open(open: boolean): Reply<"restaurant.open">;
}

export function kitchen(client: Client): Kitchen {
  return {
    inbox: (restaurantId, handlers) =>
      client.subscribe(`restaurant:${restaurantId}`, {
        event: ({ type, body }) => handlers.event?.({ type, body } as unknown as TabletEvent),
        state: ({ body }) => handlers.snapshot?.(body as unknown as InboxSnapshot),
        ...(handlers.ended === undefined ? {} : { ended: handlers.ended }),
      }),
    accept: (orderId, prepMinutes) =>
      client.command("order.accept", prepMinutes === undefined ? { orderId } : { orderId, prepMinutes }),
    reject: (orderId, reason) => client.command("order.reject", { orderId, reason }),
    preparing: (orderId) => client.command("order.preparing", { orderId }),
    ready: (orderId) => client.command("order.ready", { orderId }),
    open: (open) => client.command("restaurant.open", { open }),
  };
}
