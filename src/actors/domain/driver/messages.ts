/** What others may send a driver. */
import type { CommandBody, CommandReplies, GpsAck, GpsBatch, OfferView } from "../../../protocol/mod.js";
import { actorRef } from "../../runtime/definition.js";
import type { OfferCard } from "../order/messages.js";

/** What an order offers: what the driver sees, and the zone that follows the order. */
export interface OfferInput {
  readonly offer: OfferView;
  readonly zone: string;
  /** The trip it is part of. Absent: the order goes alone. */
  readonly card?: OfferCard;
}

export type DriverContract = {
  // Clients
  goOnline: { input: CommandBody<"driver.online">; reply: CommandReplies["driver.online"] };
  goOffline: { input: CommandBody<"driver.offline">; reply: CommandReplies["driver.offline"] };
  acceptOffer: { input: CommandBody<"driver.accept">; reply: CommandReplies["driver.accept"] };
  declineOffer: { input: CommandBody<"driver.decline">; reply: CommandReplies["driver.decline"] };
  arrived: { input: CommandBody<"driver.arrived">; reply: CommandReplies["driver.arrived"] };
  pickUp: { input: CommandBody<"driver.pickup">; reply: CommandReplies["driver.pickup"] };
  deliver: { input: CommandBody<"driver.deliver">; reply: CommandReplies["driver.deliver"] };
  failDelivery: { input: CommandBody<"driver.fail">; reply: CommandReplies["driver.fail"] };
  releaseTrip: { input: CommandBody<"driver.release">; reply: CommandReplies["driver.release"] };
  gps: { input: GpsBatch; reply: GpsAck };
  // The order actor
  offer: { input: OfferInput; reply: null };
  claimWon: { input: { readonly orderId: string; readonly offerId: string }; reply: null };
  claimLost: { input: { readonly orderId: string; readonly offerId: string; readonly reason: string }; reply: null };
  /**
   * Takes an offer back, or a trip. With `carrying` false (a reassignment) a driver who holds the food already keeps
   * it; with true (the order is over) the driver lets go in every case. Answered by `revoked` when a trip was asked for.
   */
  withdraw: {
    input: {
      readonly orderId: string;
      readonly offerId: string;
      readonly what: "offer" | "trip";
      readonly carrying: boolean;
      readonly outcome: "lost" | "expired" | "withdrawn";
      readonly reason: string;
    };
    reply: null;
  };
  /** The answer to `collected`: the order is over, or another driver has it. */
  notYours: { input: { readonly orderId: string; readonly reason: string }; reply: null };
  /**
   * The right to stamp fixes for this order's customer: those measured from `since` (the pickup) on. Kept in memory only;
   * asked for again when lost.
   */
  grant: { input: { readonly orderId: string; readonly number: number; readonly since: number }; reply: null };
  /** A customer is to be forgotten whose door this driver was told: what the app may ask for again goes. */
  forgetTold: { input: null; reply: null };
  // Accounts, once the driver has had themselves erased
  /** Ends the shift. Refused with `driver_busy` while on a trip. May be asked any number of times. */
  forgetPerson: { input: null; reply: { readonly forgotten: true } };
  /** The customer can be written to, or has written. */
  chatOpened: { input: { readonly orderId: string; readonly roomId: string }; reply: null };
  // The zone, and its own timers
  checkSignal: { input: null; reply: null };
  offersExpire: { input: null; reply: null };
};

export const Driver = actorRef<DriverContract>("driver");
