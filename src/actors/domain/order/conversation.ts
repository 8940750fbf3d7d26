/**
 * Customer and driver talk to each other from the pickup on. The room is opened when one of them first wants to, so that
 * an order of which nobody speaks costs nothing; an order whose room was opened tells it when it is over.
 */
import { tripRoomOf } from "../../../protocol/mod.js";
import type { Rejection } from "../../runtime/definition.js";
import { ChatRoom } from "../chat-room/messages.js";
import { Driver } from "../driver/messages.js";
import type { DomainSettings } from "../settings.js";
import type { OrderContract } from "./messages.js";
import { type OrderContext, save } from "./save.js";
import { driverOf, isPlaced, type PlacedOrder, statusOf } from "./state.js";

/** The room's id, once it is, or is about to be, open. Everybody else hears that there is no such order. */
export function talk(ctx: OrderContext, settings: DomainSettings): OrderContract["talk"]["reply"] | Rejection {
  const order = ctx.state;
  const { caller } = ctx.command;
  if (!isPlaced(order) || caller === null) return ctx.reject("not_found");
  const { delivery, content } = order;
  const isCustomers = caller.role === "customer" && caller.id === content.customerId;
  const isDrivers = caller.role === "driver" && caller.id === driverOf(delivery)?.driverId;
  if (!isCustomers && !isDrivers) return ctx.reject("not_found");
  const roomId = tripRoomOf(ctx.key);
  if (order.closed !== null || delivery.status !== "carrying") {
    return order.talk === undefined
      ? ctx.reject("not_on_the_way", { status: statusOf(order) })
      : { roomId, opening: false };
  }
  const { grant } = delivery;
  if (order.talk === grant) return { roomId, opening: true };
  const { driverId } = delivery.driver;
  ctx.tell(ChatRoom, roomId, "openTrip", { orderId: ctx.key, customerId: content.customerId, driverId, grant });
  ctx.tell(Driver, driverId, "chatOpened", { orderId: ctx.key, roomId });
  save(ctx, settings, { ...order, talk: grant }, [], { zone: false });
  return { roomId, opening: true };
}

/** To be said with every end of an order. */
export function talkOver(ctx: OrderContext, order: PlacedOrder): void {
  if (order.talk !== undefined) ctx.tell(ChatRoom, tripRoomOf(ctx.key), "tripOver", { grant: order.talk });
}
