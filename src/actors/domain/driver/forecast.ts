/** When a driver on a trip will be free, and where. Pure: way by way, stop by stop, as the trip is planned. */
import type { Point } from "../../../lib/geo.js";
import type { DomainSettings } from "../settings.js";
import { travelMs, travelOf } from "../travel.js";
import { type Trip, tripView } from "./state.js";

export interface FreeAt extends Point {
  readonly at: number;
}

/**
 * `waitsSince`: since when the driver stands at the counter for an order. A kitchen that is late is expected to take as long
 * again: were the food always about to come, every plan would keep the next order for this driver, and that order waits too.
 */
export function freeAfter(
  trip: Trip,
  from: Point,
  vehicle: string,
  now: number,
  waitsSince: (orderId: string) => number | null,
  settings: Pick<DomainSettings, "travel">,
): FreeAt {
  const travel = travelOf(vehicle, settings.travel);
  const readyAt = new Map(
    trip.legs.map((leg) => {
      const since = waitsSince(leg.orderId);
      const lateMs = since === null ? 0 : now - Math.max(since, leg.readyAt);
      return [leg.orderId, lateMs > 0 ? now + lateMs : leg.readyAt];
    }),
  );
  let [at, place] = [now, from];
  for (const stop of tripView(trip).stops) {
    if (stop.done) continue;
    at += travelMs(place, stop, travel) + travel.handoverMs;
    if (stop.kind === "pickup") at = Math.max(at, readyAt.get(stop.orderId) ?? 0);
    place = stop;
  }
  return { lat: place.lat, lng: place.lng, at };
}
