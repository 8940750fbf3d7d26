/**
 * The database's guard against a driver on two trips (rule 6): which names an order claims for its place on a trip.
 *
 * A claim belongs to one actor, but a trip may have several orders. So the guard is a small geometry in place of one name:
 * nine points a driver, as a square of three by three. A trip is a direction (its number modulo four: three slopes and
 * the vertical), an order of it is one line of that direction and claims the line's three points. Lines of one direction
 * have no point in common: the orders of one trip never hinder each other. Lines of two directions have exactly one: an
 * order of another trip always meets what is left of this one, whichever of its orders are still under way.
 *
 * Does not own: who gives the numbers (the driver actor counts its trips, gives each order of one another place, and leaves
 * out a number whose claim a crash may have made it forget).
 * Not guarded: trips whose numbers differ by a multiple of four. The driver actor, which is on one trip at a time and
 * fenced by its shard's epoch, would have to be wrong about its last trips.
 */

/** The most orders on one trip. A prime: the geometry needs it. */
export const MOST_ON_TRIP = 3;

export const TRIP_CLAIM = "driver_on_trip";

/** An order's place on a trip. */
export interface Seat {
  /** The driver's count of trips. */
  readonly trip: number;
  /** 0 … `MOST_ON_TRIP` − 1, another for each order of the trip. */
  readonly place: number;
}

/** The names to claim. Null, from before trips had several orders: the driver's own name. Throws a `RangeError` for a place that is none. */
export function seatClaims(driverId: string, seat: Seat | null): readonly string[] {
  if (seat === null) return [driverId];
  const { trip, place } = seat;
  if (!Number.isInteger(place) || place < 0 || place >= MOST_ON_TRIP) {
    throw new RangeError(`a trip has the places 0 to ${MOST_ON_TRIP - 1}, not ${place}`);
  }
  const direction = trip % (MOST_ON_TRIP + 1);
  return Array.from({ length: MOST_ON_TRIP }, (_, i) => {
    const [x, y] = direction === MOST_ON_TRIP ? [place, i] : [i, (direction * i + place) % MOST_ON_TRIP];
    return `${driverId}/${x}${y}`;
  });
}
