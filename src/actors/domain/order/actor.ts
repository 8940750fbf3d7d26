/**
 * The order actor: its commands, its channel, its place in the index. The decisions are in the files beside it, one for
 * each part of an order's life.
 */

import type { JsonObject } from "../../../lib/json.js";
import { type ActorDefinition, defineActor, type ReadContext, Rejection } from "../../runtime/definition.js";
import { asJson } from "../json.js";
import type { DomainSettings } from "../settings.js";
import { cancel, deadline } from "./closing.js";
import { talk } from "./conversation.js";
import * as dispatch from "./dispatch.js";
import { forgetDriver, forgetPerson } from "./forget.js";
import * as kitchen from "./kitchen.js";
import { Order, type OrderContract } from "./messages.js";
import * as offers from "./offers.js";
import { retry } from "./payment.js";
import { refund, retryRefunds } from "./payment-refund.js";
import * as placement from "./placement.js";
import { retryPromotion } from "./promotion.js";
import * as road from "./road.js";
import { VIEW_TTL_MS } from "./save.js";
import * as scheduling from "./scheduling.js";
import { initialOrder, isPlaced, type OrderState, withTrips } from "./state.js";
import { dispatchView, orderIndex, orderRecord } from "./view.js";

export function orderActor(settings: DomainSettings): ActorDefinition<OrderContract, OrderState> {
  return defineActor<OrderContract, OrderState>({
    ref: Order,
    version: 2,
    migrate: { 1: (state) => withTrips(state as JsonObject) },
    durability: "commit",
    idleMs: 5 * 60_000,
    init: initialOrder,
    cold: ["content", "outlook", "offersMade"],
    index: orderIndex,
    channels: {
      view: {
        delivery: "latest",
        admit(ctx, caller) {
          if (isPlaced(ctx.state)) {
            if (caller.role === "support" || caller.role === "admin") return true;
            if (caller.role === "customer" && caller.id === ctx.state.content.customerId) return true;
          }
          return new Rejection("not_found");
        },
        snapshot: slots,
      },
    },
    volatileCommands: [
      "paymentTold",
      "proposeDrivers",
      "lookAgain",
      "driverNear",
      "driverArrived",
      "driverLost",
      "askGrant",
      "dispatchView",
      "progress",
    ],
    commands: {
      place: (ctx, input) => placement.place(ctx, settings, input),
      cancel: (ctx, { reason }) => cancel(ctx, settings, reason),
      accept: (ctx, { prepMinutes }) => kitchen.accept(ctx, settings, prepMinutes),
      rejectByRestaurant: (ctx, { reason }) => kitchen.rejectByRestaurant(ctx, settings, reason),
      startPreparing: (ctx) => kitchen.startPreparing(ctx, settings),
      markReady: (ctx) => kitchen.markReady(ctx, settings),
      refund: (ctx, input) => refund(ctx, settings, input),
      assignManually: (ctx, { driverId, reason }) => dispatch.assignManually(ctx, settings, driverId, reason),
      forgetPerson: (ctx, input) => forgetPerson(ctx, settings, input),
      forgetDriver: (ctx, input) => forgetDriver(ctx, settings, input),
      reserved: (ctx, input) => placement.reserved(ctx, settings, input),
      reserveWhenKept: () => null,
      refused: (ctx, { code, detail }) => placement.refused(ctx, settings, code, detail),
      kitchenAlerted: (ctx, { step, delivered }) => kitchen.kitchenAlerted(ctx, settings, step, delivered),
      paymentDone: (ctx, result) => placement.paymentDone(ctx, settings, result),
      paymentTold: (ctx, notice) => placement.paymentTold(ctx, settings, notice),
      promotionDone: (ctx, result) => placement.promotionDone(ctx, settings, result),
      proposeDrivers: (ctx, proposal) => offers.proposeDrivers(ctx, settings, proposal),
      lookAgain: (ctx) => road.lookAgain(ctx, settings),
      claim: (ctx, input) => dispatch.claim(ctx, settings, input),
      offerDeclined: (ctx, input) => offers.offerDeclined(ctx, settings, input),
      offersExpire: (ctx) => offers.offersExpire(ctx, settings),
      deliveriesBefore: (ctx, input) => dispatch.deliveriesBefore(ctx, settings, input),
      dispatchView: (ctx) => {
        const role = ctx.command.caller?.role;
        if (!isPlaced(ctx.state) || (role !== "support" && role !== "admin")) return ctx.reject("not_found");
        return dispatchView(ctx.key, ctx.state, settings);
      },
      revoked: (ctx, input) => dispatch.revoked(ctx, settings, input),
      collected: (ctx, { driverId }) => dispatch.collected(ctx, settings, driverId),
      driverLost: (ctx, input) => dispatch.driverLost(ctx, settings, input),
      pickedUp: (ctx, { driverId, waitedMs }) => road.pickedUp(ctx, settings, driverId, waitedMs),
      progress: (ctx, input) => road.progress(ctx, settings, input),
      delivered: (ctx, { driverId, at }) => road.delivered(ctx, settings, driverId, at),
      deliveryFailed: (ctx, { driverId, reason }) => road.deliveryFailed(ctx, settings, driverId, reason),
      driverNear: (ctx, { driverId }) => road.toldOnce(ctx, settings, driverId, "driver_near"),
      driverArrived: (ctx, { driverId }) => road.toldOnce(ctx, settings, driverId, "driver_arrived"),
      askGrant: (ctx, { driverId }) => road.askGrant(ctx, driverId),
      talk: (ctx) => talk(ctx, settings),
      deadline: (ctx, { of, escalated, more }) =>
        of === "pickup" ? dispatch.pickupLate(ctx, settings) : deadline(ctx, settings, of, escalated, more),
      offerToKitchen: (ctx) => scheduling.offerToKitchen(ctx, settings),
      kitchenStarts: (ctx) => kitchen.kitchenStarts(ctx, settings),
      retryPayment: (ctx) => {
        if (isPlaced(ctx.state)) retry(ctx, settings, ctx.state);
        return null;
      },
      retryRefunds: (ctx) => {
        if (isPlaced(ctx.state)) retryRefunds(ctx, ctx.state);
        return null;
      },
      retryPromotion: (ctx) => {
        if (isPlaced(ctx.state)) retryPromotion(ctx, ctx.state);
        return null;
      },
    },
  });
}

/** `view` is for the customer; `tracking` for the gateway, which keeps it to itself. */
function slots(ctx: ReadContext<OrderState, undefined>) {
  if (!isPlaced(ctx.state)) return {};
  const { acceptBy: _acceptBy, note: _note, ...tracking } = orderRecord(ctx.key, ctx.state);
  return {
    view: { body: asJson(tracking.view), ttlMs: VIEW_TTL_MS },
    tracking: { body: asJson(tracking), ttlMs: VIEW_TTL_MS },
  };
}
