/**
 * When an order is expected: what its customer is shown, when that changes, and when a change is worth telling. Owns the
 * order's part of the estimate; the arithmetic is in `src/eta`, what is learned of it in `eta-learned.ts`.
 *
 * Invariants: an estimate is a function of the order's state and the time, so the same order gives the same view; within a
 * stage a new range is shown only when it matters; the customer is told of a change once, and of a turn back only when it is
 * twice as large or the order has entered another stage.
 */
import {
  type ArrivalRange,
  approachMs,
  arrivalRange,
  blended,
  type Progress,
  type RoadLeft,
  remainingMs,
  STAGES,
  type Stage,
  type ZonePicture,
} from "../../../eta/mod.js";
import { distanceMeters } from "../../../lib/geo.js";
import type { EtaCause, EtaView, OrderStatus } from "../../../protocol/mod.js";
import { pictureAtFirst } from "../eta-model/messages.js";
import type { DomainSettings } from "../settings.js";
import { meterMsOf, speedShareOf, travelMs, travelOf } from "../travel.js";
import {
  dropoffPoint,
  type EtaNote,
  type OrderEta,
  opensAtOf,
  type PlacedOrder,
  pickupPoint,
  statusOf,
} from "./state.js";

/** Why a range was shown; the order of this list is that of the stored notes. */
export const CAUSES = ["placed", "restaurant", "kitchen", "driver", "pickup", "road"] as const satisfies EtaCause[];

const WORDS: Readonly<Record<EtaCause, string>> = {
  placed: "the order was placed",
  restaurant: "the restaurant answered",
  kitchen: "the kitchen",
  driver: "the driver",
  pickup: "the food was picked up",
  road: "the road",
};

export function stageOf(order: PlacedOrder): Stage | null {
  const status: OrderStatus = statusOf(order);
  const found = order.delivery.status === "assigned";
  switch (status) {
    case "placed":
    case "confirmed":
    case "picked_up":
      return status;
    case "accepted":
    case "preparing":
      return found ? "assigned" : "kitchen";
    case "ready":
      return found ? "collecting" : "ready";
    default:
      return null;
  }
}

/** The way from restaurant to customer, as the router gave it or else as the crow flies and the settings say. */
export function wayOf({ content }: PlacedOrder, settings: DomainSettings): { meters: number; durationMs: number } {
  const [from, to] = [pickupPoint(content), dropoffPoint(content)];
  return {
    meters: distanceMeters(from, to),
    durationMs: content.way?.durationMs ?? travelMs(from, to, settings.travel),
  };
}

export function pictureFor(order: PlacedOrder, settings: DomainSettings): ZonePicture {
  return order.outlook?.zone ?? pictureAtFirst(settings);
}

const timeOf = (order: PlacedOrder, kind: string): number | null =>
  order.timeline.findLast((entry) => entry.kind === kind)?.at ?? null;

/** The order with what a driver who claims it says of the way to the restaurant. */
export function withApproach(
  order: PlacedOrder,
  driverId: string,
  way: Pick<Progress, "meters" | "stops"> | undefined,
  now: number,
): PlacedOrder {
  if (order.eta === undefined || way === undefined) return order;
  const { meters, stops } = way;
  return { ...order, eta: { ...order.eta, progress: { driverId, carrying: false, meters, stops, at: now } } };
}

/** Told by the driver who has the order now, about the place that is next for it. */
function progressOf(order: PlacedOrder, settings: DomainSettings): RoadLeft | null {
  const told = order.eta?.progress ?? null;
  const { delivery } = order;
  if (told === null || (delivery.status !== "assigned" && delivery.status !== "carrying")) return null;
  const { driverId, vehicle } = delivery.driver;
  const current = told.driverId === driverId && told.carrying === (delivery.status === "carrying");
  return current ? { ...told, meterMs: meterMsOf(travelOf(vehicle, settings.travel)) } : null;
}

/** How long the driver who has the order is expected to take to its restaurant yet; 0 when nothing was told of it. */
export function comesInMs(order: PlacedOrder, now: number, settings: DomainSettings): number {
  const told = order.delivery.status === "assigned" ? progressOf(order, settings) : null;
  if (told === null || order.delivery.status !== "assigned") return 0;
  return approachMs(told, order.delivery.driver.vehicle, now, pictureFor(order, settings));
}

/** What the kitchen promised when it accepted, and when the food is expected. Fixed at acceptance, true once it is ready. */
function kitchenOf(order: PlacedOrder): Pick<OrderEta, "promisedMs" | "readyAt"> {
  const { kitchen, outlook, eta } = order;
  switch (kitchen.status) {
    case "accepted":
    case "preparing": {
      if (eta !== undefined && eta.readyAt !== null) return { promisedMs: eta.promisedMs, readyAt: eta.readyAt };
      const acceptedAt = timeOf(order, "accepted") ?? order.content.placedAt;
      const promisedMs = Math.max(1, kitchen.readyAt - acceptedAt);
      // For later, the time is ours as much as the kitchen's: what it is used to promise says nothing about it.
      if (outlook === undefined || order.content.deliverAt !== undefined)
        return { promisedMs, readyAt: kitchen.readyAt };
      const prepMs = blended(outlook.prepMs, promisedMs, outlook.promise);
      return { promisedMs, readyAt: Math.round(acceptedAt + prepMs) };
    }
    case "ready":
    case "handed_over":
      return { promisedMs: eta?.promisedMs ?? null, readyAt: kitchen.readyAt };
    default:
      return { promisedMs: null, readyAt: null };
  }
}

export interface Estimate extends ArrivalRange {
  readonly stage: Stage;
  /** Before any correction by past errors. */
  readonly leftMs: number;
}

/** The estimate at `now`; null before the restaurant has answered, and once the order is over. */
export function estimate(order: PlacedOrder, now: number, settings: DomainSettings): Estimate | null {
  const found = atOnce(order, now, settings);
  const laterMs = found === null ? 0 : spareMs(order, now, settings);
  if (found === null || laterMs === 0) return found;
  const { leftMs, from, expected, likely, to } = found;
  return {
    ...found,
    leftMs: leftMs + laterMs,
    from: from + laterMs,
    expected: expected + laterMs,
    likely: likely + laterMs,
    to: to + laterMs,
  };
}

/** As if nobody had asked for another time. */
function atOnce(order: PlacedOrder, now: number, settings: DomainSettings): Estimate | null {
  const stage = stageOf(order);
  // Before the restaurant has spoken there is nothing to estimate from.
  if (stage === null || order.kitchen.status === "reserving") return null;
  const { outlook, delivery } = order;
  const picture = pictureFor(order, settings);
  const way = wayOf(order, settings);
  const { kitchen } = order;
  const arrivedAt = timeOf(order, "driver_arrived");
  const carrying = delivery.status === "carrying" ? delivery : null;
  const driver = delivery.status === "assigned" || delivery.status === "carrying" ? delivery.driver : null;
  const leftMs = remainingMs(
    {
      stage,
      now,
      since:
        kitchen.status === "scheduled"
          ? now
          : kitchen.status === "offered"
            ? kitchen.acceptBy - settings.order.acceptDeadlineMs
            : ((carrying === null ? timeOf(order, statusOf(order)) : (arrivedAt ?? carrying.since)) ?? now),
      acceptMs: outlook?.acceptMs ?? settings.order.minuteMs,
      prepMs: outlook?.prepMs ?? settings.order.defaultPrepMs,
      readyAt: kitchenOf(order).readyAt,
      wayMs: driver === null ? way.durationMs : way.durationMs / speedShareOf(driver.vehicle),
      wayMeters: way.meters,
      vehicle: driver?.vehicle ?? null,
      progress: progressOf(order, settings),
      arrived: carrying !== null && arrivedAt !== null && arrivedAt >= carrying.since,
    },
    picture,
  );
  return { stage, leftMs, ...arrivalRange(now, leftMs, stage, picture, settings.eta.cushionMs) };
}

/**
 * How long an order for later waits: until it would be late for its time, or for its restaurant to open, however late that
 * makes it. 0 once the kitchen is at it.
 */
export function spareMs(order: PlacedOrder, now: number, settings: DomainSettings): number {
  const { deliverAt } = order.content;
  const stage = stageOf(order);
  if (deliverAt === undefined || (stage !== "placed" && stage !== "confirmed")) return 0;
  const found = atOnce(order, now, settings);
  return found === null ? 0 : Math.max(0, deliverAt - found.expected, opensAtOf(order.kitchen) - now);
}

/** What the kitchen has to be ready at for an order to arrive when it is wanted; null when it is wanted at once. */
export function wantedReadyAt(order: PlacedOrder, settings: DomainSettings): number | null {
  const { deliverAt } = order.content;
  if (deliverAt === undefined) return null;
  const picture = pictureFor(order, settings);
  return deliverAt - Math.round(picture.lagMs + wayOf(order, settings).durationMs * picture.way + picture.dropoffMs);
}

/** A note's times are kept from the placement on: they take a third of the bytes. */
function noteOf(order: PlacedOrder, now: number, found: Estimate, cause: EtaCause): EtaNote {
  const { placedAt } = order.content;
  return [
    now - placedAt,
    STAGES.indexOf(found.stage),
    Math.round(found.leftMs),
    found.from - placedAt,
    found.expected - placedAt,
    found.to - placedAt,
    CAUSES.indexOf(cause),
  ];
}

export interface NoteView extends EtaView {
  readonly stage: Stage;
  readonly leftMs: number;
}

export function noteView({ content }: PlacedOrder, note: EtaNote): NoteView {
  const [at, stage, leftMs, from, expected, to, cause] = note;
  const { placedAt } = content;
  return {
    at: placedAt + at,
    stage: STAGES[stage] ?? "placed",
    leftMs,
    from: placedAt + from,
    expected: placedAt + expected,
    to: placedAt + to,
    cause: CAUSES[cause] ?? "placed",
  };
}

/** What the customer sees now; null before anything was shown. */
export function shownEta(order: PlacedOrder): NoteView | null {
  const note = order.eta?.notes.at(-1);
  return note === undefined ? null : noteView(order, note);
}

function causeOf(order: PlacedOrder, before: Stage | null, stage: Stage): EtaCause {
  switch (stage) {
    case "placed":
      return "placed";
    case "confirmed":
      return "restaurant";
    case "kitchen":
    case "ready":
      return before === "assigned" || before === "collecting" ? "driver" : "kitchen";
    case "assigned":
      return before === "assigned" && (order.eta?.readyAt ?? 0) < (timeOf(order, "driver_assigned") ?? 0)
        ? "kitchen"
        : "driver";
    case "collecting":
      return before === "assigned" ? "kitchen" : "driver";
    case "picked_up":
      return before === "picked_up" ? "road" : "pickup";
  }
}

/** Worth a new view: the expected arrival moved by more than is noise at this distance, or has passed. */
function matters(shown: ArrivalRange | NoteView, found: ArrivalRange, now: number, settings: DomainSettings): boolean {
  const { quietMs, quietShare } = settings.eta;
  const least = Math.max(quietMs, quietShare * (found.expected - now));
  return Math.abs(found.expected - shown.expected) >= least || now >= shown.to;
}

/** The notes with one more. The first of each stage stay: they are what the errors are measured by. */
function withNote(notes: readonly EtaNote[], note: EtaNote, keep: number): readonly EtaNote[] {
  const next = [...notes, note];
  if (next.length <= keep) return next;
  const spare = next.findIndex(
    (each, index) => index < next.length - 1 && next.findIndex((other) => other[1] === each[1]) < index,
  );
  return next.toSpliced(spare < 0 ? 1 : spare, 1);
}

export interface EtaChange {
  readonly eta: OrderEta;
  /** What to tell the customer, or null. */
  readonly tell: string | null;
  /** False: nothing that is shown has changed. */
  readonly shown: boolean;
}

/** The order's estimate after a change of the order, or at a later time. Null where there is none. Pure. */
export function nextEta(order: PlacedOrder, now: number, settings: DomainSettings): EtaChange | null {
  const found = estimate(order, now, settings);
  if (found === null) return null;
  const known = order.eta;
  const last = shownEta(order);
  const { placedAt } = order.content;
  const detour =
    known?.detour === true ||
    (order.delivery.status === "carrying" && (progressOf(order, settings)?.stops ?? order.delivery.driver.before) > 0);
  const first = {
    notes: [],
    toldMs: found.expected - placedAt,
    toldStage: STAGES.indexOf(found.stage),
    toldTurn: 0,
    tellings: 0,
    progress: null,
  } as const;
  const base: OrderEta = { ...(known ?? first), detour, ...kitchenOf(order) };
  const entered = last === null || last.stage !== found.stage;
  if (!entered && !matters(last, found, now, settings)) return { eta: base, tell: null, shown: false };
  const cause = causeOf(order, last?.stage ?? null, found.stage);
  const notes = withNote(base.notes, noteOf(order, now, found, cause), settings.eta.historyKeep);
  const tell = telling(base, found, placedAt, settings);
  if (tell === null) return { eta: { ...base, notes }, tell: null, shown: true };
  const { minuteMs } = settings.order;
  const minutes = Math.round(Math.abs(tell.byMs) / minuteMs);
  return {
    eta: {
      ...base,
      notes,
      toldMs: found.expected - placedAt,
      toldStage: STAGES.indexOf(found.stage),
      toldTurn: tell.byMs > 0 ? 1 : -1,
      tellings: base.tellings + 1,
    },
    tell: `${minutes} min ${tell.byMs > 0 ? "later" : "earlier"}: ${WORDS[cause]}`,
    shown: true,
  };
}

function telling(
  eta: OrderEta,
  found: Estimate,
  placedAt: number,
  { eta: limits }: DomainSettings,
): { readonly byMs: number } | null {
  const byMs = found.expected - placedAt - eta.toldMs;
  if (eta.tellings >= limits.maxTellings) return null;
  const turn = byMs > 0 ? 1 : -1;
  const back = eta.toldTurn === -turn && eta.toldStage === STAGES.indexOf(found.stage);
  return Math.abs(byMs) > limits.tellMs * (back ? 2 : 1) ? { byMs } : null;
}
