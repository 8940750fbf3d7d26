/**
 * How far it still is, told to the orders of a trip when it is not what they think. Owns the silence: an order that hears
 * nothing goes on counting down from what it was told, so a ride as expected needs one message for each of its two halves.
 *
 * Nothing is kept: a driver actor that wakes up on a trip tells its orders once more.
 */
import { distanceMeters, type Point } from "../../../lib/geo.js";
import type { StopView } from "../../../protocol/mod.js";
import { Order } from "../order/messages.js";
import type { DomainSettings } from "../settings.js";
import { meterMsOf, travelOf } from "../travel.js";
import { cardView, type HeldCard } from "./cards.js";
import type { DriverContext } from "./gps.js";
import { isCarrying, type Leg, type Trip, tripView } from "./state.js";

/** What one order was told last, and what was noticed on the way. */
export interface ToldProgress {
  readonly carrying: boolean;
  meters: number;
  at: number;
  /** Where the way was measured from. */
  from: Point;
  /** When the driver came to the counter, as the order was told; null: not yet. */
  reachedAt: number | null;
  /** The same as positions show it, which is no news to an order that expects it. */
  stoodAt: number | null;
}

/** So near to the counter is at the counter: phones are wrong by as much in a street of high houses. */
const AT_THE_COUNTER_METERS = 60;

export interface WayLeft {
  readonly meters: number;
  /** Other stops before it. */
  readonly stops: number;
}

/** From here over every open stop before it to the one of this order, as the crow flies. */
function wayOver(stops: readonly StopView[], orderId: string, kind: StopView["kind"], here: Point): WayLeft {
  let [meters, before, at] = [0, 0, here];
  for (const stop of stops) {
    if (stop.done) continue;
    meters += distanceMeters(at, stop);
    at = stop;
    if (stop.orderId === orderId && stop.kind === kind) break;
    before++;
  }
  return { meters: Math.round(meters), stops: before };
}

/** To keep: the live position itself is written over by the next fix. */
const spotOf = ({ lat, lng }: Point): Point => ({ lat, lng });

/** To this order's next place: its restaurant, then its customer. */
export function wayTo(trip: Trip, leg: Leg, here: Point): WayLeft {
  return wayOver(tripView(trip).stops, leg.orderId, isCarrying(leg) ? "dropoff" : "pickup", here);
}

/** To the restaurant of an order of a card that the driver accepts, told with the claim; undefined without a position. */
export function wayOnClaim(ctx: DriverContext, card: HeldCard, orderId: string): WayLeft | undefined {
  const { live, progress } = ctx.volatile;
  if (live === null) return undefined;
  const way = wayOver(cardView(card).stops, orderId, "pickup", live);
  const from = spotOf(live);
  progress.set(orderId, { carrying: false, meters: way.meters, at: ctx.now, from, reachedAt: null, stoodAt: null });
  return way;
}

/** After every fix that moved the driver, or showed that nothing moves. */
export function tellProgress(ctx: DriverContext, settings: DomainSettings): void {
  const { live, progress } = ctx.volatile;
  const { work, shift } = ctx.state;
  // To clear a map makes it a new table, full or empty, and with every fix.
  if (work.status === "free" && progress.size > 0) progress.clear();
  if (work.status !== "on_trip" || live === null) return;
  const { legs, plan } = work.trip;
  for (const orderId of progress.keys()) if (!plan.includes(orderId)) progress.delete(orderId);
  const { moveMeters, driftMs, waitTellMs } = settings.eta;
  const meterMs = meterMsOf(travelOf(shift.status === "on" ? shift.vehicle : "", settings.travel));
  for (const leg of legs) {
    const carrying = isCarrying(leg);
    const told = progress.get(leg.orderId);
    if (told !== undefined && told.carrying === carrying) {
      if (told.stoodAt === null && isAtCounter(leg, live)) told.stoodAt = ctx.now;
      const passedMs = ctx.now - told.at;
      const waits = told.reachedAt !== null && !carrying;
      if (waits && passedMs < waitTellMs) continue;
      // Neither far enough nor still for long enough to be news.
      if (!waits && distanceMeters(told.from, live) < moveMeters && passedMs < waitTellMs) continue;
      const { meters } = wayTo(work.trip, leg, live);
      if (!waits) {
        const leftMs = Math.max(0, told.meters * meterMs - passedMs);
        if (Math.abs(meters * meterMs - leftMs) < driftMs) continue;
      }
    }
    tell(ctx, work.trip, leg, live);
  }
}

function tell(ctx: DriverContext, trip: Trip, leg: Leg, here: Point): void {
  const { progress } = ctx.volatile;
  const carrying = isCarrying(leg);
  const { meters, stops } = wayTo(trip, leg, here);
  const before = progress.get(leg.orderId);
  const reached = !carrying && stops === 0 && meters <= AT_THE_COUNTER_METERS;
  const reachedAt = before?.reachedAt ?? (reached ? ctx.now : null);
  const stoodAt = before?.stoodAt ?? (isAtCounter(leg, here) ? ctx.now : null);
  progress.set(leg.orderId, { carrying, meters, at: ctx.now, from: spotOf(here), reachedAt, stoodAt });
  ctx.cast(Order, leg.orderId, "progress", {
    driverId: ctx.key,
    carrying,
    meters,
    stops,
    at: ctx.now,
  });
}

/** The driver says so. */
export function cameToCounter(ctx: DriverContext, orderId: string): void {
  const { progress, live } = ctx.volatile;
  const known = progress.get(orderId);
  if (known !== undefined) known.reachedAt ??= ctx.now;
  else if (live !== null) {
    const [at, from] = [ctx.now, spotOf(live)];
    progress.set(orderId, { carrying: false, meters: 0, at, from, reachedAt: at, stoodAt: at });
  }
}

/** How long the driver has been at the counter; undefined when nobody noticed. */
export function waitedMs(ctx: DriverContext, orderId: string): number | undefined {
  const reachedAt = ctx.volatile.progress.get(orderId)?.reachedAt ?? null;
  return reachedAt === null ? undefined : ctx.now - reachedAt;
}

/** Since when the driver stands at the counter, by word or position; null when nobody noticed. */
export function waitsSince({ volatile }: DriverContext, orderId: string): number | null {
  const known = volatile.progress.get(orderId);
  return known?.reachedAt ?? known?.stoodAt ?? null;
}

const isAtCounter = (leg: Leg, here: Point): boolean =>
  !isCarrying(leg) &&
  leg.stops.some((stop) => stop.kind === "pickup" && distanceMeters(here, stop) <= AT_THE_COUNTER_METERS);
