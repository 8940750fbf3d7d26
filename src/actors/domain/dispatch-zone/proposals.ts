/**
 * Proposals on their way from the zone to the orders, and the simple way to make them. The zone proposes; the order
 * offers, or shows the zone its newer picture.
 *
 * Invariant: neither a driver nor an order is in two proposals of this zone at a time.
 */
import { Order, type Proposal } from "../order/messages.js";
import type { DomainSettings } from "../settings.js";
import { wholeOf } from "./cells.js";
import { type FreeDriver, match, type WaitingOrder } from "./matching.js";
import type { PresenceInput, ZoneOrderInput } from "./messages.js";
import type { ZoneContext, ZoneMemory } from "./state.js";

export function isProposed(memory: ZoneMemory, orderId: string, now: number): boolean {
  return (memory.proposals.get(orderId)?.until ?? 0) > now;
}

/** Orders that want a driver now and are in no proposal. */
export function waitingOrders(
  memory: ZoneMemory,
  orders: Iterable<ZoneOrderInput>,
  now: number,
): readonly ZoneOrderInput[] {
  const waiting: ZoneOrderInput[] = [];
  for (const order of orders) {
    if (order.search === "waiting" && order.notBefore <= now && !isProposed(memory, order.orderId, now)) {
      waiting.push(order);
    }
  }
  return waiting;
}

/** Drivers to whom something is offered, or on the way to be. */
export function askedDrivers(memory: ZoneMemory, now: number): ReadonlySet<string> {
  const asked = new Set<string>();
  for (const { until, driverIds } of memory.proposals.values()) {
    if (until > now) for (const driverId of driverIds) asked.add(driverId);
  }
  for (const order of memory.orders.values()) for (const driverId of order.offeredTo) asked.add(driverId);
  return asked;
}

/** Drivers who were heard of lately and are neither on a trip nor asked. */
export function freeDrivers(ctx: ZoneContext, settings: DomainSettings): readonly PresenceInput[] {
  const memory = ctx.volatile;
  const asked = askedDrivers(memory, ctx.now);
  const free: PresenceInput[] = [];
  // Asked with every order that begins to wait.
  for (const driver of memory.drivers.values()) {
    const isThere = driver.state === "available" && ctx.now - driver.at <= settings.zone.presenceTtlMs;
    if (isThere && !asked.has(driver.driverId)) free.push(driver);
  }
  return free;
}

/** How many drivers of this zone an order is offered to at once. */
export function offersAtOnce(ctx: ZoneContext, settings: DomainSettings): number {
  const mode = settings.order.offerModeByZone[wholeOf(ctx.key)] ?? settings.order.offerMode;
  return mode === "broadcast" ? settings.order.broadcastSize : 1;
}

export function send(
  ctx: ZoneContext,
  settings: DomainSettings,
  orderId: string,
  proposal: Omit<Proposal, "zone">,
): void {
  const driverIds = proposal.candidates.map(({ driverId }) => driverId);
  ctx.volatile.proposals.set(orderId, { until: ctx.now + settings.zone.proposalMs, driverIds });
  ctx.cast(Order, orderId, "proposeDrivers", { zone: ctx.key, ...proposal });
}

/** The simple way: the nearest free driver for each of `orders` that is due, the one whose food is ready first chooses first. */
export function propose(ctx: ZoneContext, settings: DomainSettings, orders: Iterable<ZoneOrderInput>): void {
  const waiting: readonly WaitingOrder[] = waitingOrders(ctx.volatile, orders, ctx.now);
  if (waiting.length === 0) return;
  const free: readonly FreeDriver[] = freeDrivers(ctx, settings);
  const size = offersAtOnce(ctx, settings);
  for (const { orderId, dueAt, candidates } of match(waiting, free, ctx.now, size, settings)) {
    send(ctx, settings, orderId, { candidates, by: "simple", dueAt });
  }
}
