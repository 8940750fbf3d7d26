/**
 * Orders that were taken from a driver of whom nothing was heard, and who comes back, from a basement or a tunnel, with the
 * food. Whoever has the food has the order: the order is told, offers itself once more, and is taken without a card.
 *
 * Owns: which orders were taken back so, and what the driver has said of them since. Does not own: who wins (the order
 * decides, as ever: rules 5 and 7), and the steps themselves (`trip.ts`), which are done once the order is on the trip.
 */
import type { Rejection } from "../../runtime/definition.js";
import { MOST_ON_TRIP, Order } from "../order/messages.js";
import type { DomainSettings } from "../settings.js";
import { type DriverContext, tellPresence } from "./gps.js";
import type { DriverContract, OfferInput } from "./messages.js";
import { nextTripNumber } from "./shift.js";
import { type DriverState, isCarrying, legOf, type TakenBack, type Trip } from "./state.js";
import * as trip from "./trip.js";

type At = { readonly at: number };

const MOST_TAKEN_BACK = 8;
/** Reasons that say nothing of the food. Whom a person has replaced stays replaced. */
const UNHEARD: ReadonlySet<string> = new Set(["driver_lost", "pickup_too_late"]);

const takenBack = ({ takenBack = [] }: DriverState, orderId: string): TakenBack | undefined =>
  takenBack.find((taken) => taken.orderId === orderId);

function note(ctx: DriverContext, orderId: string, next: TakenBack | null): void {
  const others = (ctx.state.takenBack ?? []).filter((taken) => taken.orderId !== orderId);
  ctx.become({ ...ctx.state, takenBack: [...others, ...(next === null ? [] : [next])].slice(-MOST_TAKEN_BACK) });
}

export function withdraw(
  ctx: DriverContext,
  settings: DomainSettings,
  input: DriverContract["withdraw"]["input"],
): null {
  const { orderId, what, carrying, reason } = input;
  const leg = legOf(ctx.state, orderId);
  const isUnheard = what === "trip" && !carrying && UNHEARD.has(reason);
  if (isUnheard && leg !== undefined && !isCarrying(leg)) note(ctx, orderId, { orderId });
  return trip.withdraw(ctx, settings, input);
}

/** What is said of an order that is on its way back to this driver, or may be. Undefined: it is on the trip, or gone. */
function awaited(ctx: DriverContext, orderId: string): TakenBack | undefined {
  const { state } = ctx;
  if (state.shift.status === "off" || legOf(state, orderId) !== undefined) return undefined;
  return takenBack(state, orderId);
}

export function arrived(ctx: DriverContext, orderId: string, stop: "pickup" | "dropoff"): At | Rejection {
  if (awaited(ctx, orderId) === undefined) return trip.arrived(ctx, orderId, stop);
  ctx.volatile.heardAt = ctx.now;
  return { at: ctx.now };
}

export function pickUp(ctx: DriverContext, orderId: string): At | Rejection {
  const taken = awaited(ctx, orderId);
  if (taken === undefined) return trip.pickUp(ctx, orderId);
  ctx.volatile.heardAt = ctx.now;
  if (taken.collectedAt !== undefined) return { at: taken.collectedAt };
  note(ctx, orderId, { orderId, collectedAt: ctx.now });
  ctx.tell(Order, orderId, "collected", { driverId: ctx.key });
  return { at: ctx.now };
}

export function deliver(ctx: DriverContext, settings: DomainSettings, orderId: string): At | Rejection {
  const taken = awaited(ctx, orderId);
  if (taken?.collectedAt === undefined) return trip.deliver(ctx, settings, orderId);
  ctx.volatile.heardAt = ctx.now;
  if (taken.deliveredAt !== undefined) return { at: taken.deliveredAt };
  note(ctx, orderId, { ...taken, deliveredAt: ctx.now });
  return { at: ctx.now };
}

const withLast = (orderIds: readonly string[], orderId: string): readonly string[] => [
  ...orderIds.filter((each) => each !== orderId),
  orderId,
];

/** True: the order has come back to whoever has its food, and is claimed at once. */
export function takeUp(ctx: DriverContext, settings: DomainSettings, { offer, zone }: OfferInput): boolean {
  const { orderId, offerId } = offer;
  const taken = awaited(ctx, orderId);
  if (taken?.collectedAt === undefined) return false;
  const { shift, work } = ctx.state;
  if (shift.status === "off") return false;
  const claims = work.status === "free" ? [] : work.trip.claims;
  if (claims.some(({ held }) => held.offer.offerId === offerId)) return true;
  const used = work.status === "free" ? [] : [...work.trip.legs, ...claims].map(({ place }) => place);
  const place = Array.from({ length: MOST_ON_TRIP }, (_, i) => i).find((each) => !used.includes(each));
  // As full as a trip may be: somebody else, or a person, has to see to it.
  if (place === undefined) return false;
  const claim = { held: { offer, zone }, place };
  const trip: Trip =
    work.status === "free"
      ? {
          tripId: offerId,
          number: nextTripNumber(ctx),
          acceptedAt: ctx.now,
          plan: [orderId],
          legs: [],
          claims: [claim],
        }
      : {
          ...work.trip,
          plan: withLast(work.trip.plan, orderId),
          ...(work.trip.pickups === undefined ? {} : { pickups: withLast(work.trip.pickups, orderId) }),
          claims: [...claims, claim],
        };
  const trips = Math.max(ctx.state.trips, trip.number);
  ctx.become({ ...ctx.state, trips, work: { status: work.status === "free" ? "claiming" : work.status, trip } });
  ctx.tell(Order, orderId, "claim", {
    driverId: ctx.key,
    offerId,
    // What it answers was said before there was an offer.
    acceptedAt: Math.min(ctx.now, offer.expiresAt - 1),
    name: shift.name,
    vehicle: shift.vehicle,
    tripId: trip.tripId,
    seat: { trip: trip.number, place },
  });
  if (work.status === "free") tellPresence(ctx, settings);
  return true;
}

/** The order is on the trip again: what was said of it meanwhile is done now. */
export function claimWon(ctx: DriverContext, settings: DomainSettings, orderId: string, offerId: string): null {
  trip.claimWon(ctx, settings, orderId, offerId);
  const taken = takenBack(ctx.state, orderId);
  if (taken === undefined || legOf(ctx.state, orderId) === undefined) return null;
  note(ctx, orderId, null);
  if (taken.collectedAt === undefined) return null;
  trip.pickUp(ctx, orderId);
  // Refused when another order on board comes first: then the driver says it again.
  if (taken.deliveredAt !== undefined) trip.deliver(ctx, settings, orderId);
  return null;
}

export function claimLost(
  ctx: DriverContext,
  settings: DomainSettings,
  input: DriverContract["claimLost"]["input"],
): null {
  const { orderId, offerId, reason } = input;
  trip.claimLost(ctx, settings, offerId, reason);
  return notYours(ctx, orderId, reason);
}

/** The order is over, or somebody else has its food: what the driver said of it comes to nothing, and they hear so. */
export function notYours(ctx: DriverContext, orderId: string, reason: string): null {
  if (takenBack(ctx.state, orderId)?.collectedAt === undefined) return null;
  note(ctx, orderId, null);
  trip.pushTrip(ctx, reason);
  return null;
}
