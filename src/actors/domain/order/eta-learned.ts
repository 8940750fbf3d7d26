/**
 * What an order teaches: its kitchen at the pickup, its zone at the delivery. Pure: the state says everything; where
 * something was not seen (a driver's arrival at the counter), nothing is claimed.
 */
import { type Outcome, type PreparationSample, STAGES, type StageOutcome } from "../../../eta/mod.js";
import type { TimelineKind } from "../../../protocol/mod.js";
import type { DomainSettings } from "../settings.js";
import { speedShareOf } from "../travel.js";
import { noteView, wayOf } from "./eta.js";
import type { PlacedOrder } from "./state.js";

const entryOf = (order: PlacedOrder, kind: TimelineKind) => order.timeline.findLast((entry) => entry.kind === kind);

/** For the restaurant, of an order that is being picked up. `waitedMs`: how long the driver was at the counter, if known. */
export function preparationSample(
  order: PlacedOrder,
  pickedUpAt: number,
  waitedMs: number | undefined,
  settings: DomainSettings,
): PreparationSample | null {
  const { kitchen, outlook, eta } = order;
  const accepted = entryOf(order, "accepted");
  // Ordered for later, the food was ready when it was wanted, not when it could be.
  if (accepted === undefined || order.content.deliverAt !== undefined) return null;
  const saidReady = kitchen.status === "ready";
  return {
    menuMs: outlook?.menuMs ?? settings.order.defaultPrepMs,
    promisedMs: eta?.promisedMs ?? null,
    acceptedAt: accepted.at,
    readyAt: saidReady ? kitchen.readyAt : pickedUpAt,
    pickedUpAt,
    saidReady,
    driverWaitedMs: waitedMs ?? null,
  };
}

/** For the zone's model, of an order that was delivered at `deliveredAt`. */
export function outcomeOf(order: PlacedOrder, deliveredAt: number, settings: DomainSettings): Outcome {
  const pickedUp = entryOf(order, "picked_up");
  const ready = entryOf(order, "ready");
  const arrived = entryOf(order, "driver_arrived");
  const { delivery, eta } = order;
  const driver = delivery.status === "carrying" || delivery.status === "delivered" ? delivery.driver : null;
  const stages: StageOutcome[] = [];
  for (const [index, stage] of STAGES.entries()) {
    const note = eta?.notes.find((each) => each[1] === index);
    // Before the kitchen begins, an order for later is expected when it is wanted: no estimate was right or wrong.
    const isAppointment = order.content.deliverAt !== undefined && (stage === "placed" || stage === "confirmed");
    if (note === undefined || isAppointment) continue;
    const { at, leftMs, from, to } = noteView(order, note);
    const inRange = deliveredAt < from ? -1 : deliveredAt > to ? 1 : 0;
    stages.push({ stage, leftMs, realMs: deliveredAt - at, inRange });
  }
  const onTheWay = pickedUp !== undefined && arrived !== undefined && arrived.at >= pickedUp.at;
  const straight = eta !== undefined && !eta.detour;
  const waitedMs = eta?.waitedMs ?? null;
  // Ready by the driver's word is no time of the kitchen's.
  const stoodMs = pickedUp !== undefined && ready?.by === "restaurant" ? pickedUp.at - ready.at : null;
  return {
    deliveredAt,
    stages,
    way:
      onTheWay && straight && driver !== null
        ? {
            vehicle: driver.vehicle,
            anyoneMs: wayOf(order, settings).durationMs,
            expectedMs: wayOf(order, settings).durationMs / speedShareOf(driver.vehicle),
            tookMs: arrived.at - pickedUp.at,
          }
        : null,
    lagMs: stoodMs,
    pickupMs: stoodMs === null || waitedMs === null ? null : Math.min(stoodMs, waitedMs),
    dropoffMs: onTheWay ? deliveredAt - arrived.at : null,
  };
}
