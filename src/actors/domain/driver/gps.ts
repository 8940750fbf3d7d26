/**
 * The stream of fixes, and the location gate. Nothing here commits: what is lost in a crash is said again within seconds.
 *
 * Invariants of the gate (rule 12): a fix is stamped for an order only while the kept state says this driver carries it
 * and the order's grant is known; delivering removes the leg first, so no later fix is stamped; the grants are memory
 * only, and are asked for again when missing.
 */
import { distanceMeters } from "../../../lib/geo.js";
import type { Json } from "../../../lib/json.js";
import type { GpsAck, GpsBatch } from "../../../protocol/mod.js";
import type { ActorContext, ReadContext, Rejection } from "../../runtime/definition.js";
import { type DriverPresence, type PresenceInput, Zone, zonesInReach } from "../dispatch-zone/messages.js";
import { asJson } from "../json.js";
import { Order } from "../order/messages.js";
import type { DomainSettings } from "../settings.js";
import { aheadOf, elsewhere, isBelieved, judgeFix, refilled } from "./fix.js";
import { freeAfter } from "./forecast.js";
import type { DriverContract } from "./messages.js";
import { tellProgress, waitsSince } from "./progress.js";
import { acceptanceOf, busyShareOf } from "./record.js";
import { type Boot, type DriverMemory, type DriverState, isCarrying, type Leg, type LivePosition } from "./state.js";

export type DriverContext = ActorContext<DriverState, DriverMemory>;

/** Starts of the app whose sequence numbers are remembered. */
const MOST_BOOTS = 4;
const ASK_AGAIN_MS = 5_000;
const NEAR_AGAIN_MS = 15_000;

export function gps(ctx: DriverContext, settings: DomainSettings, batch: GpsBatch): GpsAck | Rejection {
  const memory = ctx.volatile;
  if (ctx.state.shift.status === "off") return ctx.reject("driver_offline");
  memory.heardAt = ctx.now;
  const tokens = refilled(memory.tokens, memory.refilledAt, ctx.now, settings.driver);
  memory.refilledAt = ctx.now;
  if (tokens < 1) {
    memory.tokens = tokens;
    return ctx.reject("rate_limited", { retryAfterMs: Math.ceil((1 - tokens) * settings.driver.gpsTokenMs) });
  }
  memory.tokens = tokens - 1;

  const boot = bootOf(memory.boots, batch.bootId);
  const last = boot.seq;
  const aheadMs = aheadOf(batch, ctx.now, settings.driver.maxAheadMs);
  let flagged = 0;
  let moved = false;
  for (let i = 0; i < batch.fixes.length; i++) {
    if (batch.seq0 + i <= last) continue;
    const judgement = judgeFix(batch.fixes[i]!, batch.baseTs, aheadMs, memory.live, ctx.now, settings.driver);
    if (judgement.verdict === "live") {
      if (memory.live === null) memory.live = judgement.position;
      else moveTo(memory.live, judgement.position);
      moved = true;
      memory.elsewhere = null;
    } else if (judgement.verdict === "flagged") {
      if (isBelievedNow(ctx, settings, judgement.position)) moved = true;
      else flagged++;
    }
  }
  memory.flagged += flagged;
  const seq = Math.max(last, batch.seq0 + batch.fixes.length - 1);
  boot.seq = seq;
  if (moved) show(ctx, settings);
  return { bootId: batch.bootId, seq, flagged };
}

/** True: the shown position is this one from now on, though it is out of reach of the one before. */
function isBelievedNow(
  { volatile: memory, now }: DriverContext,
  settings: DomainSettings,
  position: LivePosition | undefined,
): boolean {
  if (position === undefined || memory.live === null) return false;
  memory.elsewhere = elsewhere(memory.elsewhere, position, now, settings.driver);
  if (!isBelieved(memory.elsewhere, now)) return false;
  moveTo(memory.live, position);
  memory.elsewhere = null;
  return true;
}

/**
 * Written over, not replaced: an object that lives until the driver's next fix outlives two collections of the young
 * generation, and tens of thousands of them fill the old one.
 */
function moveTo(live: LivePosition, { lat, lng, bearing, at }: LivePosition): void {
  live.lat = lat;
  live.lng = lng;
  live.bearing = bearing;
  live.at = at;
}

/** Nearly always there is but one start, and it is the newest: no text is hashed to find that out. */
function bootOf(boots: Boot[], bootId: string): Boot {
  const newest = boots.at(-1);
  if (newest?.id === bootId) return newest;
  const at = boots.findIndex(({ id }) => id === bootId);
  const boot = at < 0 ? { id: bootId, seq: -1 } : boots.splice(at, 1)[0]!;
  boots.push(boot);
  if (boots.length > MOST_BOOTS) boots.shift();
  return boot;
}

function show(ctx: DriverContext, settings: DomainSettings): void {
  const memory = ctx.volatile;
  for (const leg of carriedLegs(ctx)) {
    if (!memory.grants.has(leg.orderId)) askGrant(ctx, leg);
    const body = grantedPosition(memory, leg.orderId);
    if (body !== null && ctx.hasSubscribers("location")) {
      ctx.emit("location", leg.orderId, body, settings.driver.positionMirrorMs);
    }
    tellNear(ctx, settings, leg);
  }
  tellProgress(ctx, settings);
  mirrorPosition(ctx, settings);
  // A fix that comes a little early for it would make the telling late by a whole one.
  const { presenceMs, gpsAvailableMs } = settings.driver;
  if (ctx.now - memory.presentAt >= presenceMs - gpsAvailableMs / 2) tellPresence(ctx, settings);
}

const carriedLegs = (ctx: ReadContext<DriverState, DriverMemory>): readonly Leg[] =>
  ctx.state.work.status === "on_trip" ? ctx.state.work.trip.legs.filter(isCarrying) : [];

function positionOf(memory: DriverMemory) {
  const { live } = memory;
  if (live === null) return null;
  const { lat, lng, bearing, at } = live;
  return bearing === null ? { lat, lng, at } : { lat, lng, bearing, at };
}

/** The live position as this order's customer may see it; null without a grant, or when it was measured before the pickup. */
function grantedPosition(memory: DriverMemory, orderId: string): Json | null {
  const granted = memory.grants.get(orderId);
  const position = positionOf(memory);
  if (granted === undefined || position === null || position.at < granted.since) return null;
  return { orderId, grant: granted.number, position };
}

/** What a new gateway starts from: the live position under every open grant. */
export function locationSlots(ctx: ReadContext<DriverState, DriverMemory>, settings: DomainSettings) {
  const slots: Record<string, { body: Json; ttlMs: number }> = {};
  const { live } = ctx.volatile;
  if (live === null || ctx.now - live.at > settings.driver.liveMs) return slots;
  for (const leg of carriedLegs(ctx)) {
    const body = grantedPosition(ctx.volatile, leg.orderId);
    if (body !== null) slots[leg.orderId] = { body, ttlMs: settings.driver.positionMirrorMs };
  }
  return slots;
}

/** Where polls read it; without an open grant nobody may be shown it. */
export function mirrorPosition(ctx: DriverContext, settings: DomainSettings): void {
  const position = positionOf(ctx.volatile);
  if (position === null) return;
  const grants: Record<string, number> = {};
  for (const leg of carriedLegs(ctx)) {
    const granted = ctx.volatile.grants.get(leg.orderId);
    if (granted !== undefined && position.at >= granted.since) grants[leg.orderId] = granted.number;
  }
  ctx.mirror(`fix:${ctx.key}`, asJson({ position, grants }), settings.driver.positionMirrorMs);
}

function askGrant(ctx: DriverContext, leg: Leg): void {
  if (ctx.now - ctx.volatile.askedGrantAt < ASK_AGAIN_MS) return;
  ctx.volatile.askedGrantAt = ctx.now;
  ctx.cast(Order, leg.orderId, "askGrant", { driverId: ctx.key });
}

export function grant(
  ctx: DriverContext,
  settings: DomainSettings,
  { orderId, number, since }: DriverContract["grant"]["input"],
): null {
  // A grant that comes after the delivery, or under an older number, opens nothing.
  const open = carriedLegs(ctx).some((leg) => leg.orderId === orderId);
  const { grants, live } = ctx.volatile;
  if (!open || number <= (grants.get(orderId)?.number ?? 0)) return null;
  grants.set(orderId, { number, since });
  const body = grantedPosition(ctx.volatile, orderId);
  if (live === null || ctx.now - live.at > settings.driver.liveMs || body === null) return null;
  if (ctx.hasSubscribers("location")) ctx.emit("location", orderId, body, settings.driver.positionMirrorMs);
  mirrorPosition(ctx, settings);
  return null;
}

/** Closes the gate of one order: nothing is stamped for it any more, and polls lose it with the next read. */
export function closeGate(ctx: DriverContext, settings: DomainSettings, orderId: string): void {
  ctx.volatile.grants.delete(orderId);
  ctx.volatile.nearAt = 0;
  mirrorPosition(ctx, settings);
}

function tellNear(ctx: DriverContext, settings: DomainSettings, leg: Leg): void {
  const { live, nearAt } = ctx.volatile;
  const dropoff = leg.stops.find((stop) => stop.kind === "dropoff");
  if (live === null || dropoff === undefined || ctx.now - nearAt < NEAR_AGAIN_MS) return;
  if (distanceMeters(live, dropoff) > settings.driver.nearMeters) return;
  ctx.volatile.nearAt = ctx.now;
  ctx.cast(Order, leg.orderId, "driverNear", { driverId: ctx.key });
}

function presenceOf(state: DriverState): DriverPresence {
  if (state.work.status === "on_trip") return "on_trip";
  return state.work.status === "claiming" || state.offers.length > 0 ? "offered" : "available";
}

function presenceInput(ctx: DriverContext, settings: DomainSettings, { lat, lng }: LivePosition): PresenceInput {
  const { shift, work, record } = ctx.state;
  const vehicle = shift.status === "on" ? shift.vehicle : "";
  const free =
    work.status === "on_trip"
      ? freeAfter(work.trip, { lat, lng }, vehicle, ctx.now, (orderId) => waitsSince(ctx, orderId), settings)
      : { lat, lng, at: ctx.now };
  const underWayMs = work.status === "free" ? 0 : ctx.now - work.trip.acceptedAt;
  const onlineMs = shift.status === "on" ? ctx.now - shift.since : 0;
  return {
    driverId: ctx.key,
    lat,
    lng,
    state: presenceOf(ctx.state),
    at: ctx.now,
    vehicle,
    free: { lat: free.lat, lng: free.lng, at: Math.round(free.at) },
    acceptance: acceptanceOf(record),
    busyShare: busyShareOf(record, underWayMs, onlineMs, 60 * settings.order.minuteMs),
  };
}

/** Says to every zone in reach where the driver is and whether to be had; zones that were left are told so. */
export function tellPresence(ctx: DriverContext, settings: DomainSettings): void {
  const memory = ctx.volatile;
  const { live } = memory;
  if (live === null || ctx.now - live.at > settings.zone.presenceTtlMs) return;
  memory.presentAt = ctx.now;
  const inReach = zonesInReach(live, settings.zone.borderMeters);
  if (ctx.state.work.status !== "on_trip" && isSame(inReach, memory.zones)) {
    const input = presenceInput(ctx, settings, live);
    for (const zone of inReach) ctx.cast(Zone, zone, "driverPresent", input);
    return;
  }
  const zones = new Set<string>(inReach);
  // The zones of the trip's orders watch for silence, wherever the trip leads.
  if (ctx.state.work.status === "on_trip") for (const leg of ctx.state.work.trip.legs) zones.add(leg.zone);
  const input = presenceInput(ctx, settings, live);
  for (const zone of zones) ctx.cast(Zone, zone, "driverPresent", input);
  for (const zone of memory.zones) {
    if (!zones.has(zone)) ctx.cast(Zone, zone, "driverGone", { driverId: ctx.key, at: ctx.now });
  }
  memory.zones = [...zones];
}

const isSame = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((each, i) => each === b[i]);

export function tellGone(ctx: DriverContext): void {
  for (const zone of ctx.volatile.zones) ctx.cast(Zone, zone, "driverGone", { driverId: ctx.key, at: ctx.now });
  ctx.volatile.zones = [];
  ctx.volatile.live = null;
}

/** A zone that has not heard of a driver on a trip asks; silence is then told to the orders. */
export function checkSignal(ctx: DriverContext, settings: DomainSettings): null {
  const memory = ctx.volatile;
  const { work } = ctx.state;
  if (work.status !== "on_trip") return null;
  // Just woken up: the silence is ours, not the driver's.
  if (memory.heardAt === 0) memory.heardAt = ctx.now;
  const silentMs = ctx.now - memory.heardAt;
  const { stalledMs } = settings.driver;
  if (silentMs < stalledMs || (memory.lostAt !== 0 && ctx.now - memory.lostAt < stalledMs)) return null;
  memory.lostAt = ctx.now;
  for (const leg of work.trip.legs) {
    ctx.cast(Order, leg.orderId, "driverLost", { driverId: ctx.key, silentMs });
  }
  return null;
}
