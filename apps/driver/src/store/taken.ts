/**
 * Orders that have left the driver's trip by somebody else's word: cancelled, or taken back because nothing was heard of
 * this phone. Owns: those the driver has not put away. Invariant: what the driver has ended here is none of them, nor is
 * what is on the trip again.
 */
import { signal } from "@preact/signals";
import type { TripView } from "../../../../sdk/mod.js";

export interface TakenOrder {
  readonly orderId: string;
  /** The restaurant's. */
  readonly name: string;
  /** The node's word; null: it was taken while this page heard nothing. */
  readonly reason: string | null;
  /** `asked`: the driver has said that they have the food, and the order decides. `gone`: it has decided. */
  readonly state: "told" | "asked" | "gone";
  /** Whoever has the food of such an order may have it back. */
  readonly mayHaveFood: boolean;
}

/** Nothing was heard of the driver; of all other reasons the node takes no contradiction. */
const UNHEARD: ReadonlySet<string> = new Set(["driver_lost", "pickup_too_late"]);

export const taken = signal<readonly TakenOrder[]>([]);
/** What was delivered, given back or reported here, by trip and order: its leaving is no news. */
const ended = new Set<string>();
const keyOf = (trip: TripView | null, orderId: string): string => `${trip?.tripId ?? ""}/${orderId}`;

/** `is`: false when the node has refused it. */
export function endedHere(trip: TripView | null, orderId: string, is: boolean): void {
  if (is) ended.add(keyOf(trip, orderId));
  else ended.delete(keyOf(trip, orderId));
}

/**
 * What the trip was and is now. `reason`: why, as the node says; null: this page has heard nothing for a while; undefined:
 * it was the driver's own doing. `asks`: whether the driver has said already, in a tunnel, that the food is theirs.
 * Returns whether something was taken.
 */
export function followTrip(
  before: TripView | null,
  next: TripView | null,
  reason: string | null | undefined,
  asks: (orderId: string) => boolean,
): boolean {
  const present = new Set(next?.stops.map(({ orderId }) => orderId));
  const pickups = (before?.stops ?? []).filter(({ kind }) => kind === "pickup");
  const isTaken = (orderId: string): boolean => !present.has(orderId) && !ended.has(keyOf(before, orderId));
  const lost = reason === undefined ? [] : pickups.filter(({ orderId }) => isTaken(orderId));
  const kept = taken.peek().filter(({ orderId }) => !present.has(orderId));
  // The trip is told once more, without the order that was asked for: that is the answer.
  const isAnswer = typeof reason === "string" && lost.length === 0;
  taken.value = [
    ...kept.map((each) => (isAnswer && each.state === "asked" ? { ...each, state: "gone" as const } : each)),
    ...lost
      .filter(({ orderId }) => kept.every((each) => each.orderId !== orderId))
      .map(({ orderId, name, done }): TakenOrder => {
        const mayHaveFood = !done && (reason === null || UNHEARD.has(reason ?? ""));
        const state = mayHaveFood && asks(orderId) ? "asked" : "told";
        return { orderId, name, reason: reason ?? null, state, mayHaveFood };
      }),
  ];
  return lost.length > 0;
}

export function setTaken(orderId: string, state: TakenOrder["state"]): void {
  taken.value = taken.value.map((each) => (each.orderId === orderId ? { ...each, state } : each));
}

export const putAway = (orderId: string): void => {
  taken.value = taken.value.filter((each) => each.orderId !== orderId);
};
