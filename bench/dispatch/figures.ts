/** The figures by which solutions are compared. */
import type { Instance } from "./instance.js";
import type { Assignment } from "./solution.js";

export interface Figures {
  readonly clickToDoorMin: number;
  readonly clickToDoorP90Min: number;
  /** Beyond the target, mean over delivered orders. */
  readonly overageMin: number;
  readonly readyToPickupMin: number;
  /** Nobody could bring it in time, or it came later than the maximum. */
  readonly undeliveredPct: number;
  /** Every courier gets the pay of the orders or the guaranteed pay of the shift, whichever is more; by delivered order. */
  readonly costPerOrder: number;
  readonly ordersPerBundle: number;
  readonly decisionMsP99: number;
}

export function figuresOf(
  instance: Instance,
  assignments: readonly Assignment[],
  decisionMs: readonly number[],
): Figures {
  const { targetMinutes, maximumMinutes, payPerOrder, payPerHour } = instance;
  const orders = new Map(instance.orders.map((order) => [order.id, order]));
  const clickToDoor: number[] = [];
  const readyToPickup: number[] = [];
  const served = new Map<string, number>();
  for (const { courier, pickup, stops } of assignments) {
    served.set(courier, (served.get(courier) ?? 0) + stops.length);
    for (const { order, dropoff } of stops) {
      const { placement, ready } = orders.get(order)!;
      // Can only be when things went otherwise than planned.
      if (dropoff - placement > maximumMinutes) continue;
      clickToDoor.push(dropoff - placement);
      readyToPickup.push(pickup - ready);
    }
  }
  const pay = instance.couriers.map(({ id, on, off }) =>
    Math.max((served.get(id) ?? 0) * payPerOrder, ((off - on) / 60) * payPerHour),
  );
  return {
    clickToDoorMin: mean(clickToDoor),
    clickToDoorP90Min: quantile(clickToDoor, 0.9),
    overageMin: mean(clickToDoor.map((minutes) => Math.max(0, minutes - targetMinutes))),
    readyToPickupMin: mean(readyToPickup),
    undeliveredPct: 100 * (1 - clickToDoor.length / instance.orders.length),
    costPerOrder: pay.reduce((sum, part) => sum + part, 0) / clickToDoor.length,
    ordersPerBundle: assignments.length === 0 ? 0 : clickToDoor.length / assignments.length,
    decisionMsP99: quantile(decisionMs, 0.99),
  };
}

export function meanFigures(all: readonly Figures[]): Figures {
  const of = (name: keyof Figures): number => mean(all.map((figures) => figures[name]));
  return {
    clickToDoorMin: of("clickToDoorMin"),
    clickToDoorP90Min: of("clickToDoorP90Min"),
    overageMin: of("overageMin"),
    readyToPickupMin: of("readyToPickupMin"),
    undeliveredPct: of("undeliveredPct"),
    costPerOrder: of("costPerOrder"),
    ordersPerBundle: of("ordersPerBundle"),
    decisionMsP99: of("decisionMsP99"),
  };
}

export function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Between two values linearly, as most statistics programs do. 0 of nothing. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * q;
  const low = sorted[Math.floor(at)] ?? 0;
  const high = sorted[Math.ceil(at)] ?? low;
  return low + (high - low) * (at - Math.floor(at));
}
