/**
 * Orders that ended under a cook's hands: by the customer, by support, by a deadline. Owns: those that nobody has read yet.
 * Invariant: what this tablet has cancelled itself is none of them.
 */
import { signal } from "@preact/signals";
import type { TabletEntry } from "../../../../sdk/mod.js";

export interface StoppedOrder {
  readonly orderId: string;
  /** Why; null: it ended while this tablet heard nothing. */
  readonly reason: string | null;
}

/** A tablet that comes out of its drawer has missed more than this, and nothing of it stands on the stove. */
const STILL_COOKING_MS = 2 * 3_600_000;
const BEGUN: ReadonlySet<TabletEntry["status"]> = new Set(["accepted", "preparing", "ready"]);

export const stopped = signal<readonly StoppedOrder[]>([]);
const own = new Set<string>();

/** `is`: false when the node has refused it. */
export function cancelledHere(orderId: string, is: boolean): void {
  if (is) own.add(orderId);
  else own.delete(orderId);
}

/** What the tablet held and holds now. Returns whether something has ended that was being made. */
export function followStops(before: readonly TabletEntry[], next: readonly TabletEntry[], now: number): boolean {
  const present = new Map(next.map((order) => [order.orderId, order]));
  const ended = before
    .filter(({ orderId, status, endedAt }) => endedAt === undefined && BEGUN.has(status) && !own.has(orderId))
    .flatMap(({ orderId, status, placedAt, deliverAt }): StoppedOrder[] => {
      const order = present.get(orderId);
      if (order !== undefined) {
        return order.status === "cancelled" ? [{ orderId, reason: order.reason ?? "cancelled" }] : [];
      }
      // What was ready and is gone has been fetched.
      const isOld = (deliverAt ?? placedAt) < now - STILL_COOKING_MS;
      return status === "ready" || isOld ? [] : [{ orderId, reason: null }];
    });
  if (ended.length > 0) stopped.value = [...stopped.value, ...ended];
  return ended.length > 0;
}

export const putAwayStopped = (): void => {
  stopped.value = [];
};
