/**
 * What operations see of a zone: a picture of it, every `liveMs` while something happens and somebody looks.
 *
 * Owns: when a picture is made, and what is on it. Does not own: what the zone knows.
 *
 * Invariants: what has changed is shown within `liveMs`, though nothing happens after it; whoever is silent for
 * `presenceTtlMs` leaves the picture though nobody else is there to be heard of.
 */
import type { ZoneLive } from "../../../protocol/mod.js";
import { Matcher } from "../dispatch-matcher/messages.js";
import { asJson } from "../json.js";
import type { ZoneSettings } from "../settings.js";
import { forgetSilent, type ZoneContext, type ZoneMemory } from "./state.js";

/** Shows the picture when it is time, and has itself rung when it will be. Costs two comparisons where nobody looks. */
export function show(ctx: ZoneContext, settings: ZoneSettings): void {
  if (!ctx.hasSubscribers("live")) return;
  const memory = ctx.volatile;
  const { liveMs, presenceTtlMs } = settings;
  if (ctx.now - memory.shownAt >= liveMs) {
    memory.shownAt = ctx.now;
    memory.hasNews = false;
    ctx.emit("live", "live", asJson(zoneLive(ctx.key, memory, ctx.now)), presenceTtlMs);
  }
  if (memory.hasNews) showBy(ctx, memory.shownAt + liveMs);
  else if (memory.drivers.size > 0 && memory.showAt <= ctx.now) showBy(ctx, ctx.now + presenceTtlMs);
}

/** It is time at the latest. */
export function showAgain(ctx: ZoneContext, settings: ZoneSettings): void {
  ctx.volatile.showAt = 0;
  forgetSilent(ctx.volatile, ctx.now, settings);
  show(ctx, settings);
}

function showBy(ctx: ZoneContext, at: number): void {
  const { showAt } = ctx.volatile;
  if (showAt > ctx.now && showAt <= at) return;
  ctx.volatile.showAt = at;
  ctx.cast(Matcher, ctx.key, "show", { at });
}

/** Most drivers and orders in one picture: a frame has a size. */
const MOST_SHOWN = 500;

export function zoneLive(zone: string, memory: ZoneMemory, now: number): ZoneLive {
  const drivers: ZoneLive["drivers"][number][] = [];
  const orders: ZoneLive["orders"][number][] = [];
  let available = 0;
  let waiting = 0;
  for (const { driverId, lat, lng, state, at } of memory.drivers.values()) {
    if (state === "available") available++;
    if (drivers.length < MOST_SHOWN) drivers.push({ id: driverId, lat, lng, state, at });
  }
  for (const order of memory.orders.values()) {
    if (order.search !== "none") waiting++;
    if (orders.length >= MOST_SHOWN) continue;
    orders.push({
      id: order.orderId,
      status: order.status,
      from: [order.pickup.lat, order.pickup.lng],
      to: [order.dropoff.lat, order.dropoff.lng],
      ...(order.driverId === null ? {} : { driverId: order.driverId }),
    });
  }
  return { zone, at: now, drivers, orders, counts: { waiting, available } };
}
