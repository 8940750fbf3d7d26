/**
 * What is done about an order that the tablet has not shown to a person yet, and when. Pure: from an order on offer and
 * the time to what is due, and from there to the time of the next look.
 *
 * An order is *sent* from the moment it is offered, *delivered* once a device says that it has stored it, *accepted* once
 * a person says so. Invariants: each step is taken once; none is taken at or past the order's deadline, because the order
 * itself ends then; what an outage made late is taken late, not left out.
 */
import type { AlertStep } from "../../../protocol/mod.js";
import type { DomainSettings, RestaurantSettings } from "../settings.js";
import type { Offered } from "./state.js";

/** `second`: another device, or an SMS where there is none. */
export type Rung = "push" | "second" | "call";

/** Which rung a step stood on. */
const RUNG_OF: Readonly<Record<AlertStep, Rung>> = {
  push: "push",
  second_device: "second",
  sms: "second",
  call: "call",
};

/** What is known of a delivery that no commit has kept yet. */
export interface Seen {
  /** When a device said that it has stored the order; undefined: none has. */
  readonly deliveredAt: number | undefined;
  /** Somebody listens to the inbox: pushing again may reach a device. */
  readonly heard: boolean;
}

export const offeredAtOf = (order: Offered, settings: DomainSettings): number =>
  order.offeredAt ?? order.acceptBy - settings.order.acceptDeadlineMs;

const afterMs = (rung: Rung, settings: RestaurantSettings): number => {
  switch (rung) {
    case "push":
      return settings.pushAfterMs;
    case "second":
      return settings.secondAfterMs;
    case "call":
      return settings.callAfterMs;
  }
};

/** Rungs not yet stood on, with their times, the soonest first. Of a delivered order only the call is left. */
function ahead(order: Offered, delivered: boolean, settings: DomainSettings): readonly (readonly [Rung, number])[] {
  const taken = new Set((order.steps ?? []).map(([step]) => RUNG_OF[step]));
  const from = offeredAtOf(order, settings);
  const rungs: readonly Rung[] = delivered ? ["call"] : ["push", "second", "call"];
  return rungs
    .filter((rung) => !taken.has(rung))
    .map((rung) => [rung, from + afterMs(rung, settings.restaurant)] as const)
    .filter(([, at]) => at < order.acceptBy)
    .sort((a, b) => a[1] - b[1]);
}

/** The rungs whose time has come, in order. */
export function due(order: Offered, seen: Seen, now: number, settings: DomainSettings): readonly Rung[] {
  if (now >= order.acceptBy) return [];
  return ahead(order, seen.deliveredAt !== undefined, settings).flatMap(([rung, at]) => (at <= now ? [rung] : []));
}

/** True: it is time to push the order to the tablet again. */
export const pushesAgain = (order: Offered, now: number): boolean =>
  order.nextAt !== null && order.nextAt <= now && now < order.acceptBy;

/**
 * When the order is pushed again after attempt number `attempt`: soon while no device has it, each time after twice as
 * long; then as often as a kitchen is reminded of what waits for a person.
 */
export function againAt(attempt: number, seen: Seen, now: number, { restaurant }: DomainSettings): number {
  const { againMs, redeliverMs } = restaurant;
  if (seen.deliveredAt !== undefined || !seen.heard) return now + redeliverMs;
  return now + Math.min(redeliverMs, againMs * 2 ** Math.min(attempt - 1, 16));
}

/** When to look at this order again; infinity: not any more. What is past its deadline the order itself ends. */
export function nextLook(order: Offered, seen: Seen, now: number, settings: DomainSettings): number {
  if (now >= order.acceptBy) return Number.POSITIVE_INFINITY;
  const step = ahead(order, seen.deliveredAt !== undefined, settings)[0]?.[1] ?? Number.POSITIVE_INFINITY;
  return Math.min(step, order.nextAt ?? Number.POSITIVE_INFINITY);
}
