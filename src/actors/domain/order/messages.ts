/** What others may send an order. */

import type { Outlook } from "../../../eta/mod.js";
import type { JsonObject } from "../../../lib/json.js";
import type {
  AlertStep,
  CommandBody,
  CommandReplies,
  DecisionEvidence,
  DispatchView,
  NamedLine,
  OrderTotals,
  OrderTracking,
  Place,
  PlacedReply,
  PlaceOrder,
} from "../../../protocol/mod.js";
import { actorRef, type EffectResult } from "../../runtime/definition.js";
import type { Seat } from "./seats.js";

export { MOST_ON_TRIP, type Seat } from "./seats.js";

/** What a customer ordered, with the names and the totals that the service read from the menu the customer saw. */
export interface PlaceInput extends Omit<PlaceOrder, "lines" | "destination"> {
  readonly lines: readonly NamedLine[];
  readonly destination: Place;
  readonly restaurant: { readonly name: string; readonly lat: number; readonly lng: number };
  /** In capitals; its discount is in the totals. */
  readonly promotionCode?: string;
  /** By `orderTotals`; the restaurant calculates them again when it reserves. */
  readonly totals: OrderTotals;
  /** From the restaurant to the customer, as the router says; absent where none was asked. */
  readonly way?: { readonly meters: number; readonly durationMs: number };
  /** What the menu at the door says against it: the order is not made, and the same key gets the same answer. */
  readonly refusal?: { readonly code: string; readonly detail: JsonObject };
}

/** A driver a zone would offer the order to, best first, with the reasons in words. */
export interface Candidate {
  readonly driverId: string;
  readonly why: string;
}

/** A trip of several orders that is offered as one. Each of its orders is asked by itself, and each decides by itself. */
export interface OfferCard {
  /** What the driver answers. */
  readonly cardId: string;
  /** In the order of delivery. */
  readonly orderIds: readonly string[];
  /** The same in the order of collection. Absent: as they are delivered. */
  readonly pickups?: readonly string[];
}

/** What a zone asks of an order. */
export interface Proposal {
  readonly zone: string;
  readonly candidates: readonly Candidate[];
  readonly by: "horizon" | "simple";
  /** Since when it has been time to offer the order, as far as the zone knows. */
  readonly dueAt: number;
  /** Absent: the order goes alone. */
  readonly card?: OfferCard;
  readonly evidence?: DecisionEvidence;
}

/** What an order asks the payment effect to do. The provider sees one idempotency key per (order, step, n). */
export type PaymentRequest =
  | {
      readonly step: "authorise";
      readonly orderId: string;
      readonly n: number;
      readonly amountMinor: number;
      readonly currency: string;
      readonly method: string;
      readonly customerId: string;
    }
  | { readonly step: "capture"; readonly orderId: string; readonly n: number; readonly amountMinor: number }
  | {
      readonly step: "refund";
      readonly orderId: string;
      readonly n: number;
      /** Which of the order's refunds. */
      readonly refund: number;
      readonly amountMinor: number;
    }
  | { readonly step: "void"; readonly orderId: string; readonly n: number };

/** The effect's answer. No answer after every retry comes as `EffectResult` with `ok: false`. */
export type PaymentAnswer =
  | { readonly outcome: "authorised"; readonly authorisation: string }
  | { readonly outcome: "declined"; readonly reason: string }
  | { readonly outcome: "captured"; readonly amountMinor: number }
  | { readonly outcome: "voided" }
  | { readonly outcome: "refunded"; readonly amountMinor: number }
  /** The provider will never do it. */
  | { readonly outcome: "refused"; readonly reason: string }
  /** Asked again in vain, for whatever reason: it is asked once more, later. */
  | { readonly outcome: "unavailable"; readonly reason: string };

/** What the provider tells by itself: late, twice, before the answer, or never. */
export interface PaymentNotice {
  readonly step: PaymentRequest["step"];
  /** Of the authorisation; of a refund its own number. */
  readonly n: number;
  readonly answer: PaymentAnswer;
}

/** What an order asks the promotion effect to do. Keyed by the order: it may be asked any number of times. */
export type PromotionRequest =
  | {
      readonly step: "reserve";
      readonly orderId: string;
      readonly code: string;
      readonly customerId: string;
      readonly restaurantId: string;
      readonly itemsMinor: number;
      readonly currency: string;
      readonly discountMinor: number;
    }
  | { readonly step: "release"; readonly orderId: string; readonly code: string };

export type PromotionAnswer =
  /** `unavailable`: the store does not answer, as was told before. */
  { readonly outcome: "held" | "released" | "unavailable" } | { readonly outcome: "refused"; readonly reason: string };

/** The row others find an order by: `OrderTracking`, and what the restaurant's tablet needs again after a restart. */
export interface OrderRecord extends OrderTracking {
  /** 0: not on offer to the restaurant. */
  readonly acceptBy: number;
  readonly note: string | null;
}

export interface ProgressInput {
  readonly driverId: string;
  /** False: on the way to the restaurant, or waiting there. */
  readonly carrying: boolean;
  /** As the crow flies, from stop to stop, to this order's next place. */
  readonly meters: number;
  /** Other stops before it. */
  readonly stops: number;
  readonly at: number;
}

/** Which deadline a timer was set for. */
export type DeadlineOf = "placed" | "confirmed" | "kitchen" | "ready" | "pickup" | "road";

type Moved = { readonly status: string; readonly version: number };

export type OrderContract = {
  // Clients
  place: { input: PlaceInput; reply: PlacedReply };
  cancel: { input: CommandBody<"order.cancel">; reply: CommandReplies["order.cancel"] };
  accept: { input: CommandBody<"order.accept">; reply: CommandReplies["order.accept"] };
  rejectByRestaurant: { input: CommandBody<"order.reject">; reply: CommandReplies["order.reject"] };
  startPreparing: { input: CommandBody<"order.preparing">; reply: Moved };
  markReady: { input: CommandBody<"order.ready">; reply: Moved };
  assignManually: { input: CommandBody<"ops.assign">; reply: CommandReplies["ops.assign"] };
  refund: { input: CommandBody<"ops.refund">; reply: CommandReplies["ops.refund"] };
  // The service of conversation, for the caller
  /** Opens the room of customer and driver, if it is not open. `opening`: it is open, or will be in a moment. */
  talk: { input: null; reply: { readonly roomId: string; readonly opening: boolean } };
  // Support, reading
  dispatchView: { input: null; reply: DispatchView };
  // Accounts, once the person has had themselves erased
  /** Refused with `illegal_transition` while the order is open. May be asked any number of times. */
  forgetPerson: { input: { readonly customerId: string }; reply: { readonly forgotten: true } };
  /** The same for the driver who delivered it. */
  forgetDriver: { input: { readonly driverId: string }; reply: { readonly forgotten: true } };
  // The restaurant actor
  reserved: {
    input: {
      readonly menuVersion: number;
      readonly outlook?: Outlook;
      /** Nothing of it is counted: the restaurant has only looked, and keeps nothing before it is offered the order. */
      readonly unheld?: true;
      /** Of an order for later: nobody is there to cook it before. Absent: somebody is there already. */
      readonly opensAt?: number;
    };
    reply: null;
  };
  /** Something of it is counted: the restaurant answers once the order is kept. */
  reserveWhenKept: { input: null; reply: null };
  refused: { input: { readonly code: string; readonly detail: JsonObject }; reply: null };
  /** Nobody at the restaurant has answered: it is being reached by another way. */
  kitchenAlerted: { input: { readonly step: AlertStep; readonly delivered: boolean }; reply: null };
  // The payment effect
  paymentDone: { input: EffectResult<PaymentAnswer>; reply: null };
  // The payment provider's own word, by way of the service that proves it
  paymentTold: { input: PaymentNotice; reply: null };
  // The promotion effect
  promotionDone: { input: EffectResult<PromotionAnswer>; reply: null };
  // The zone
  proposeDrivers: { input: Proposal; reply: null };
  /** Nothing has happened for a while: what its customer was shown may have passed. */
  lookAgain: { input: null; reply: null };
  // The driver actor
  claim: {
    input: {
      readonly driverId: string;
      readonly offerId: string;
      readonly acceptedAt: number;
      readonly name: string;
      readonly vehicle: string;
      readonly tripId: string;
      readonly seat: Seat;
      /** To this order's restaurant; absent when the driver's place is not known. */
      readonly way?: Pick<ProgressInput, "meters" | "stops">;
    };
    reply: null;
  };
  /** How many orders the driver delivers before this one, whenever that changes. */
  deliveriesBefore: { input: { readonly driverId: string; readonly before: number }; reply: null };
  offerDeclined: {
    input: { readonly driverId: string; readonly offerId: string; readonly reason: string };
    reply: null;
  };
  pickedUp: {
    input: {
      readonly driverId: string;
      readonly at: number;
      /** Since the driver came to the counter; absent when nobody noticed. */
      readonly waitedMs?: number;
    };
    reply: null;
  };
  /** How far the driver still has to go, when that is not what the order was told before. */
  progress: { input: ProgressInput; reply: null };
  delivered: { input: { readonly driverId: string; readonly at: number }; reply: null };
  deliveryFailed: {
    input: { readonly driverId: string; readonly at: number; readonly reason: string };
    reply: null;
  };
  /** The driver is off the trip: gave it back, or obeyed a revocation. */
  revoked: { input: { readonly driverId: string; readonly reason: string }; reply: null };
  /** A driver who was taken off unheard says that the food is on board. Answered by an offer, or `notYours`. */
  collected: { input: { readonly driverId: string }; reply: null };
  driverNear: { input: { readonly driverId: string }; reply: null };
  driverArrived: { input: { readonly driverId: string; readonly at: number }; reply: null };
  driverLost: { input: { readonly driverId: string; readonly silentMs: number }; reply: null };
  /** A driver actor that lost its grant (it keeps none) asks for it again. */
  askGrant: { input: { readonly driverId: string }; reply: null };
  // Its own timers
  /** `more`: how often it was put off because a driver was on the way. */
  deadline: {
    input: { readonly of: DeadlineOf; readonly escalated: boolean; readonly more?: number };
    reply: null;
  };
  /** An order for later: it is time that the restaurant hears of it. */
  offerToKitchen: { input: null; reply: null };
  kitchenStarts: { input: null; reply: null };
  offersExpire: { input: null; reply: null };
  retryPayment: { input: null; reply: null };
  retryRefunds: { input: null; reply: null };
  retryPromotion: { input: null; reply: null };
};

export const Order = actorRef<OrderContract>("order");
