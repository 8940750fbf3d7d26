/** The driver actor: its commands and its channels. Shift and offers, the trip, what was taken
 * back, and the stream of fixes are files of their own. */
import type { JsonObject } from "../../../lib/json.js";
import { type ActorDefinition, defineActor, Rejection } from "../../runtime/definition.js";
import { asJson } from "../json.js";
import type { DomainSettings } from "../settings.js";
import * as position from "./gps.js";
import { Driver, type DriverContract } from "./messages.js";
import * as shift from "./shift.js";
import {
  type DriverMemory,
  type DriverState,
  driverSnapshot,
  emptyMemory,
  initialDriver,
  legOf,
  withCards,
} from "./state.js";
import * as takenBack from "./taken-back.js";
import * as trip from "./trip.js";

const DAY_MS = 24 * 60 * 60_000;

export function driverActor(settings: DomainSettings): ActorDefinition<DriverContract, DriverState, DriverMemory> {
  return defineActor<DriverContract, DriverState, DriverMemory>({
    ref: Driver,
    version: 2,
    migrate: { 1: (state) => withCards(state as JsonObject) },
    durability: "commit",
    idleMs: 10 * 60_000,
    init: initialDriver,
    volatile: emptyMemory,
    channels: {
      work: {
        delivery: "reliable",
        admit: (ctx, caller) => (caller.role === "driver" && caller.id === ctx.key ? true : new Rejection("not_found")),
        snapshot: (ctx) => ({
          snapshot: { body: asJson(driverSnapshot(ctx.state, settings.driver, ctx.now)), ttlMs: DAY_MS },
        }),
        keep: 64,
      },
      location: {
        delivery: "latest",
        // Positions are for gateways, which know whose order each grant belongs to; never for a client.
        admit: (_ctx, caller) => (caller.role === "gateway" ? true : new Rejection("not_found")),
        snapshot: (ctx) => position.locationSlots(ctx, settings),
      },
    },
    volatileCommands: ["arrived", "gps", "grant", "checkSignal"],
    commands: {
      goOnline: (ctx, input) => shift.goOnline(ctx, settings, input),
      goOffline: (ctx) => shift.goOffline(ctx, settings),
      offer: (ctx, input) => (takenBack.takeUp(ctx, settings, input) ? null : shift.offer(ctx, settings, input)),
      offersExpire: (ctx) => shift.offersExpire(ctx, settings),
      acceptOffer: (ctx, { offerId }) => shift.acceptOffer(ctx, settings, offerId),
      declineOffer: (ctx, { offerId, reason }) => shift.declineOffer(ctx, settings, offerId, reason ?? "declined"),
      claimWon: (ctx, { orderId, offerId }) => takenBack.claimWon(ctx, settings, orderId, offerId),
      claimLost: (ctx, input) => takenBack.claimLost(ctx, settings, input),
      withdraw: (ctx, input) => takenBack.withdraw(ctx, settings, input),
      notYours: (ctx, { orderId, reason }) => takenBack.notYours(ctx, orderId, reason),
      arrived: (ctx, { orderId, stop }) => takenBack.arrived(ctx, orderId, stop),
      pickUp: (ctx, { orderId }) => takenBack.pickUp(ctx, orderId),
      deliver: (ctx, { orderId }) => takenBack.deliver(ctx, settings, orderId),
      failDelivery: (ctx, { orderId, reason }) => trip.failDelivery(ctx, settings, orderId, reason),
      releaseTrip: (ctx, { orderId, reason }) => trip.releaseTrip(ctx, settings, orderId, reason),
      forgetTold(ctx) {
        ctx.trim("work", Number.POSITIVE_INFINITY);
        return null;
      },
      forgetPerson: (ctx) => shift.forgetPerson(ctx, settings),
      gps: (ctx, batch) => position.gps(ctx, settings, batch),
      grant: (ctx, input) => position.grant(ctx, settings, input),
      chatOpened(ctx, { orderId, roomId }) {
        if (legOf(ctx.state, orderId) !== undefined) {
          ctx.push("work", "chat.opened", { orderId, roomId });
        }
        return null;
      },
      checkSignal: (ctx) => position.checkSignal(ctx, settings),
    },
  });
}
