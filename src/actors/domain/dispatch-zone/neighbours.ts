/**
 * Drivers from beyond the border strip. Whoever stands within `borderMeters` of a zone is present in it anyway; whoever
 * stands in the middle of the next one, or of one behind it, is not, and may be the only one who could come.
 *
 * Owns: when a zone asks its neighbours for drivers, and whom a zone names to another. Nobody waits for an answer: what is
 * named comes as a presence like any other, and lasts no longer than it would have here.
 *
 * Invariant: a zone names nobody whom its own orders may want.
 */
import { spotDistanceMeters, spotOf } from "../../../lib/geo.js";
import { Matcher } from "../dispatch-matcher/messages.js";
import type { DomainSettings } from "../settings.js";
import { zonesAround } from "./cells.js";
import { Zone, type ZoneContract, type ZoneOrderInput } from "./messages.js";
import { freeDrivers, waitingOrders } from "./proposals.js";
import type { ZoneContext } from "./state.js";

/** The own zone and those around it. */
const MOST_ASKED = 7;
/** Whatever may begin within reach. */
const MOST_ASKED_FAR = 37;
/** So many looks find nobody around before those are asked who are further away: they would be sent in vain too soon. */
const LOOKS_NEARBY = 3;
const MOST_NAMED = 8;
/** An order that is ready within so many times the slack of one that presses keeps a driver here. */
const SPARED_SLACKS = 2;

/** Orders that want a driver now and are ready by then. */
const wantedBy = ({ volatile: memory, now }: ZoneContext, readyBy: number): readonly ZoneOrderInput[] =>
  waitingOrders(memory, memory.orders.values(), now).filter(({ readyAt }) => readyAt <= readyBy);

/** Asks around when more orders need somebody now than this zone knows drivers for. */
export function askNeighbours(ctx: ZoneContext, settings: DomainSettings): void {
  const memory = ctx.volatile;
  if (memory.orders.size === 0 || ctx.now - memory.lookedAroundAt < settings.driver.presenceMs) return;
  memory.lookedAroundAt = ctx.now;
  const pressing = wantedBy(ctx, ctx.now + settings.zone.matchSlackMs);
  const free = pressing.length === 0 ? [] : freeDrivers(ctx, settings);
  const unserved = pressing.filter(({ excluded }) => free.every(({ driverId }) => excluded.includes(driverId)));
  const first = unserved[0] ?? (pressing.length > free.length ? pressing[0] : undefined);
  if (first === undefined) {
    memory.lookedInVain = 0;
    return;
  }
  const most = memory.lookedInVain++ < LOOKS_NEARBY ? MOST_ASKED : MOST_ASKED_FAR;
  for (const zone of zonesAround(first.pickup, settings.zone.reachMeters, most)) {
    if (zone !== ctx.key) ctx.cast(Zone, zone, "driversWanted", { zone: ctx.key, near: first.pickup });
  }
  // Where nobody is present nobody is the occasion to look again. A zone that plans is rung anyway.
  if (settings.zone.dispatch === "simple") {
    ctx.cast(Matcher, ctx.key, "wake", { at: ctx.now + settings.driver.presenceMs });
  }
}

/** Names the nearest drivers who are not needed here. */
export function nameDrivers(
  ctx: ZoneContext,
  settings: DomainSettings,
  { zone, near }: ZoneContract["driversWanted"]["input"],
): void {
  const free = freeDrivers(ctx, settings);
  // Somebody who goes there now is not back for an order that is ready a little later than one that presses.
  const spare = free.length - wantedBy(ctx, ctx.now + SPARED_SLACKS * settings.zone.matchSlackMs).length;
  if (spare <= 0) return;
  const spot = spotOf(near);
  const inReach = free
    .map((driver) => ({ driver, meters: spotDistanceMeters(spotOf(driver), spot) }))
    .filter(({ meters }) => meters <= settings.zone.reachMeters)
    .sort((a, b) => a.meters - b.meters || (a.driver.driverId < b.driver.driverId ? -1 : 1));
  for (const { driver } of inReach.slice(0, Math.min(spare, MOST_NAMED))) {
    ctx.cast(Zone, zone, "driverPresent", { ...driver, free: { ...driver.free } });
  }
}
