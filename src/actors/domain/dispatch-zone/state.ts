/**
 * What a zone knows. Kept: whether it is split. Everything else is memory, told by drivers every few seconds and read
 * from the index of orders when the zone wakes up.
 */
import type { Mutable } from "../../../lib/mutable.js";
import type { Tentative } from "../../../matching/mod.js";
import type { OrderStatus, RatingTotals } from "../../../protocol/mod.js";
import type { ActorContext } from "../../runtime/definition.js";
import type { IndexRow } from "../../runtime/ports.js";
import type { LearnedWays } from "../decision.js";
import type { OrderRecord } from "../order/messages.js";
import type { ZoneSettings } from "../settings.js";
import { isPart, partOf } from "./cells.js";
import { type DriverPresence, type PresenceInput, wantedSince, type ZoneOrderInput } from "./messages.js";

export interface ZoneState {
  /** True: the parts of this zone match its orders; the zone passes on what it hears. */
  readonly split: boolean;
}

export type KeptPresence = Mutable<Omit<PresenceInput, "free">> & { readonly free: Mutable<PresenceInput["free"]> };

/** How often in the time that a presence lasts those are looked for that have lasted longer. */
const FORGETS_PER_TTL = 6;

export interface ZoneMemory {
  /** Each is written over by the driver's next presence: what is to last longer than a run is copied. */
  readonly drivers: Map<string, KeptPresence>;
  readonly orders: Map<string, ZoneOrderInput>;
  /** Order → the proposal on its way to it. Neither is proposed again until the order answers, or `until`. */
  readonly proposals: Map<string, { readonly until: number; readonly driverIds: readonly string[] }>;
  /** Order → since when it has been time to find a driver for it, as far as this zone knows. */
  readonly due: Map<string, number>;
  /** Orders placed lately, open or not, oldest first: what a forecast is made of. */
  readonly recent: Map<string, ZoneOrderInput>;
  /** Driver → what customers think of them, as read at `at`. At most `maxDrivers`, oldest first. */
  readonly ratings: Map<string, RatingTotals & { readonly at: number }>;
  ratingsAskedAt: number;
  /** How long ways take at this hour, as last heard. */
  ways: LearnedWays | null;
  waysAskedAt: number;
  /** The question that the pool is thinking about. */
  asked: { readonly id: string; readonly at: number; readonly until: number } | null;
  /** How long the last answer took. */
  thoughtMs: number;
  /** When the pool was asked last. */
  askedAt: number;
  /** When to ask at the latest; 0: at once. */
  askBy: number;
  /** Not before then: another order of the same declined trip is about to wait too. */
  gatherUntil: number;
  /** When the matcher rings, or until when nobody has to; 0: it does not. */
  ringAt: number;
  /** The trips of the last plan that may still change, and when it was asked for. */
  tentative: readonly Tentative[];
  plannedAt: number;
  startedAt: number;
  /** When silent drivers were forgotten last. */
  forgotAt: number;
  matchedAt: number;
  shownAt: number;
  /** Something has changed since that a picture shows. */
  hasNews: boolean;
  /** When the picture is shown again at the latest; 0: when there is an occasion. */
  showAt: number;
  /** When it was looked at last whether the zones around are to be asked for drivers. */
  lookedAroundAt: number;
  /** When its parts were reminded last of the orders that wait. */
  remindedAt: number;
  /** How many times running somebody was missing. */
  lookedInVain: number;
  /** When the watch comes again; 0: not set. */
  watchAt: number;
}

export type ZoneContext = ActorContext<ZoneState, ZoneMemory>;

export const emptyZone = (): ZoneMemory => ({
  drivers: new Map(),
  orders: new Map(),
  proposals: new Map(),
  due: new Map(),
  recent: new Map(),
  ratings: new Map(),
  ratingsAskedAt: 0,
  ways: null,
  waysAskedAt: 0,
  asked: null,
  thoughtMs: 0,
  askedAt: 0,
  askBy: 0,
  gatherUntil: 0,
  ringAt: 0,
  tentative: [],
  plannedAt: 0,
  startedAt: 0,
  forgotAt: 0,
  matchedAt: 0,
  shownAt: 0,
  hasNews: false,
  showAt: 0,
  lookedAroundAt: 0,
  remindedAt: 0,
  lookedInVain: 0,
  watchAt: 0,
});

const SEARCHED_IN: ReadonlySet<OrderStatus> = new Set(["accepted", "preparing", "ready"]);

/** An order as the index knows it. Offers are not in the index: the order corrects a proposal that comes too soon. */
export function pictureOf(row: IndexRow, settings: ZoneSettings): ZoneOrderInput {
  const record = row.view as unknown as OrderRecord;
  const { view, driverId } = record;
  return {
    orderId: row.key,
    version: record.version,
    status: view.status,
    restaurantId: view.restaurant.id,
    placedAt: wantedSince(view, settings),
    pickup: { lat: view.restaurant.lat, lng: view.restaurant.lng },
    dropoff: { lat: view.destination.lat, lng: view.destination.lng },
    readyAt: view.readyAt ?? 0,
    search: SEARCHED_IN.has(view.status) && driverId === null ? "waiting" : "none",
    notBefore: 0,
    excluded: [],
    offeredTo: [],
    driverId,
  };
}

/** True when this zone, or this part of one, follows the order. */
export function follows(zone: string, order: ZoneOrderInput): boolean {
  return !isPart(zone) || partOf(order.pickup) === zone;
}

/**
 * Keeps the newer picture. Bounded: beyond `maxOrders` new orders wait for the next hydration. Pictures may overtake each
 * other, also the one that is over: of the newest orders it is known how far they had come.
 */
export function keepOrder(memory: ZoneMemory, order: ZoneOrderInput, over: boolean, settings: ZoneSettings): void {
  const known = memory.orders.get(order.orderId) ?? memory.recent.get(order.orderId);
  if (known !== undefined && known.version > order.version) return;
  if (order.search !== "waiting") memory.due.delete(order.orderId);
  if (over) {
    memory.orders.delete(order.orderId);
    if (memory.recent.has(order.orderId)) memory.recent.set(order.orderId, order);
  } else if (memory.orders.has(order.orderId) || memory.orders.size < settings.maxOrders) {
    memory.orders.set(order.orderId, order);
    keepRecent(memory, order);
  }
}

/** The newest orders, as many as a forecast looks at. */
const MOST_RECENT = 300;

function keepRecent({ recent }: ZoneMemory, order: ZoneOrderInput): void {
  recent.set(order.orderId, order);
  if (recent.size > MOST_RECENT) recent.delete(recent.keys().next().value as string);
}

/**
 * Keeps the newer presence, as the zone's own copy: the same message goes to several zones, and thousands of messages kept
 * for seconds each would fill the old generation. Returns what the driver was to be had for before; undefined of one who
 * was not known, or silent for too long.
 */
export function keepDriver(
  memory: ZoneMemory,
  presence: PresenceInput,
  settings: ZoneSettings,
): DriverPresence | undefined {
  const known = memory.drivers.get(presence.driverId);
  if (known === undefined) {
    if (memory.drivers.size < settings.maxDrivers) memory.drivers.set(presence.driverId, ownCopy(presence));
    return undefined;
  }
  // Who was silent for so long has come back, forgotten by now or not.
  const before = presence.at - known.at > settings.presenceTtlMs ? undefined : known.state;
  if (known.at <= presence.at) writeOver(known, presence);
  return before;
}

/** Name by name: numbers in an object that was spread are not written over in place, but made anew each time. */
function ownCopy({ driverId, lat, lng, state, at, vehicle, free, acceptance, busyShare }: PresenceInput): KeptPresence {
  const whenFree = { lat: free.lat, lng: free.lng, at: free.at };
  return { driverId, lat, lng, state, at, vehicle, free: whenFree, acceptance, busyShare };
}

function writeOver(known: KeptPresence, { lat, lng, state, at, vehicle, free, acceptance, busyShare }: PresenceInput) {
  known.lat = lat;
  known.lng = lng;
  known.state = state;
  known.at = at;
  known.vehicle = vehicle;
  known.free.lat = free.lat;
  known.free.lng = free.lng;
  known.free.at = free.at;
  known.acceptance = acceptance;
  known.busyShare = busyShare;
}

/** Forgets drivers who have not been heard of, and proposals that were not answered. */
export function forgetSilent(memory: ZoneMemory, now: number, settings: ZoneSettings): void {
  // Whoever looks for drivers looks at the time, too: this only frees memory, and a zone has thousands.
  if (now - memory.forgotAt >= settings.presenceTtlMs / FORGETS_PER_TTL) {
    memory.forgotAt = now;
    for (const { driverId, at } of memory.drivers.values()) {
      if (now - at > settings.presenceTtlMs) memory.drivers.delete(driverId);
    }
  }
  for (const [orderId, { until }] of memory.proposals) if (until <= now) memory.proposals.delete(orderId);
}
