/**
 * The dispatch zone: brings waiting orders and available drivers together. It only proposes; the order offers and decides.
 *
 * Owns: who is near, what waits, and the proposals on their way. Does not own: offers, claims, the choice itself
 * (`matching.ts`). It has no beat of its own: every presence and every order is the occasion to match, at most once a
 * `tickMs`; the one timer watches for silence and wakes the zone after a restart while orders are open.
 */
import { isTerminal } from "../../../protocol/mod.js";
import { type ActorDefinition, defineActor, Rejection } from "../../runtime/definition.js";
import { type DecisionRules, decisionRules } from "../decision.js";
import { Driver } from "../driver/messages.js";
import { asJson } from "../json.js";
import { Order } from "../order/messages.js";
import type { DomainSettings } from "../settings.js";
import { isPart, isZone, PART_RESOLUTION, partOf, partsOf, wholeOf, zonesInReach } from "./cells.js";
import * as horizon from "./horizon.js";
import { keepRatings } from "./knowledge.js";
import { type PresenceInput, Zone, type ZoneContract, type ZoneOrderInput } from "./messages.js";
import { askNeighbours, nameDrivers } from "./neighbours.js";
import { propose } from "./proposals.js";
import { show, showAgain, zoneLive } from "./showing.js";
import {
  emptyZone,
  follows,
  forgetSilent,
  keepDriver,
  keepOrder,
  pictureOf,
  type ZoneContext,
  type ZoneMemory,
  type ZoneState,
} from "./state.js";

export function zoneActor(settings: DomainSettings): ActorDefinition<ZoneContract, ZoneState, ZoneMemory> {
  const rules = decisionRules(settings);
  return defineActor<ZoneContract, ZoneState, ZoneMemory>({
    ref: Zone,
    version: 1,
    durability: "commit",
    idleMs: 10 * 60_000,
    init: () => ({ split: false }),
    volatile: emptyZone,
    hydrate: {
      queries: (key) => (isZone(key) ? [{ kind: "order", scope: wholeOf(key), live: true, limit: 1_000 }] : []),
      apply(ctx, rows) {
        ctx.volatile.startedAt = ctx.now;
        for (const row of rows) {
          const picture = pictureOf(row, settings.zone);
          // The zone is told of an order from the time a driver is looked for: of these it would not hear the end.
          if (picture.status === "placed" || picture.status === "confirmed") continue;
          if (follows(ctx.key, picture)) keepOrder(ctx.volatile, picture, !row.live, settings.zone);
        }
      },
    },
    channels: {
      live: {
        delivery: "latest",
        admit: (_ctx, caller) =>
          caller.role === "support" || caller.role === "admin" ? true : new Rejection("not_found"),
        snapshot: (ctx) => ({
          live: { body: asJson(zoneLive(ctx.key, ctx.volatile, ctx.now)), ttlMs: settings.zone.presenceTtlMs },
        }),
      },
    },
    volatileCommands: [
      "driverPresent",
      "driverGone",
      "driversWanted",
      "orderMoved",
      "stillWaiting",
      "decided",
      "waysLearned",
      "ratingsRead",
      "beat",
      "show",
    ],
    commands: {
      driverPresent(ctx, presence) {
        const before = keepDriver(ctx.volatile, presence, settings.zone);
        if (ctx.state.split) passPresence(ctx, settings, presence);
        if (before !== presence.state) ctx.volatile.hasNews = true;
        const isNew = before !== "available";
        const news = presence.state === "available" && (isNew || isOccasion(ctx.volatile, settings));
        beat(ctx, settings, rules, news ? "driver" : null);
        return null;
      },
      driverGone(ctx, { driverId, at }) {
        const known = ctx.volatile.drivers.get(driverId);
        if (known === undefined) return null;
        if (known.at <= at) ctx.volatile.drivers.delete(driverId);
        if (ctx.state.split) {
          for (const part of partsInReach(ctx, settings, known)) ctx.cast(Zone, part, "driverGone", { driverId, at });
        }
        // Nobody is to be had who was not before: there is nothing to match.
        ctx.volatile.hasNews = true;
        show(ctx, settings.zone);
        return null;
      },
      startOver(ctx) {
        if (isPart(ctx.key)) Object.assign(ctx.volatile, emptyZone(), { startedAt: ctx.now });
        return null;
      },
      driversWanted(ctx, wanted) {
        nameDrivers(ctx, settings, wanted);
        return null;
      },
      orderMoved(ctx, order) {
        hear(ctx, settings, rules, order);
        return null;
      },
      stillWaiting(ctx, orders) {
        for (const order of orders) {
          // What is known is no answer to a proposal.
          const known = ctx.volatile.orders.get(order.orderId);
          if (known === undefined || known.version < order.version) hear(ctx, settings, rules, order);
        }
        return null;
      },
      decided(ctx, { id, answer }) {
        horizon.decided(ctx, settings, rules, id, answer);
        return null;
      },
      waysLearned(ctx, ways) {
        ctx.volatile.ways = ways;
        return null;
      },
      ratingsRead(ctx, rows) {
        keepRatings(ctx, settings, rows);
        return null;
      },
      beat(ctx) {
        ctx.volatile.ringAt = 0;
        beat(ctx, settings, rules, null);
        return null;
      },
      show(ctx) {
        showAgain(ctx, settings.zone);
        return null;
      },
      tick(ctx) {
        ctx.volatile.watchAt = 0;
        watchSilence(ctx, settings);
        beat(ctx, settings, rules, "driver");
        return null;
      },
    },
  });
}

/** An order's newer picture. */
function hear(ctx: ZoneContext, settings: DomainSettings, rules: DecisionRules, order: ZoneOrderInput): void {
  if (!follows(ctx.key, order)) return;
  keepOrder(ctx.volatile, order, isTerminal(order.status), settings.zone);
  // An answer. Whom it is offered to now, the picture says.
  ctx.volatile.proposals.delete(order.orderId);
  ctx.volatile.hasNews = true;
  if (ctx.state.split) passOrder(ctx, order);
  horizon.gather(ctx, order);
  beat(ctx, settings, rules, order.search === "waiting" ? order : null);
}

/**
 * Whatever is due now: matching, the picture for operations, the watch. News is matched at once while that is cheap: an
 * order that begins to wait by itself, a driver who becomes free against all that wait.
 */
function beat(
  ctx: ZoneContext,
  settings: DomainSettings,
  rules: DecisionRules,
  news: ZoneOrderInput | "driver" | null,
): void {
  const memory = ctx.volatile;
  const { tickMs, dispatch } = settings.zone;
  const isTime = ctx.now - memory.matchedAt >= tickMs;
  if (isTime || (news === "driver" && dispatch === "simple" && pairs(memory) <= CHEAP_PAIRS)) {
    memory.matchedAt = ctx.now;
    forgetSilent(memory, ctx.now, settings.zone);
    resize(ctx, settings);
    if (!ctx.state.split && dispatch === "simple") propose(ctx, settings, memory.orders.values());
    if (!ctx.state.split) askNeighbours(ctx, settings);
    else remindParts(ctx, settings);
  } else if (news !== null && news !== "driver" && !ctx.state.split && dispatch === "simple") {
    propose(ctx, settings, [news]);
  }
  if (dispatch === "horizon" && !ctx.state.split) horizon.beat(ctx, settings, rules, news !== null);
  show(ctx, settings.zone);
  // A split zone hears of everything its parts do, and watches for them.
  if (memory.orders.size > 0 && memory.watchAt <= ctx.now && !isPart(ctx.key)) {
    memory.watchAt = ctx.now + watchMs(settings);
    ctx.timer("watch", { at: memory.watchAt, run: "tick" });
  }
}

/** So many pairs of order and driver are looked at in well under a millisecond. */
const CHEAP_PAIRS = 10_000;
/** So few that every presence may be the occasion. */
const FREE_PAIRS = 1_000;
/** A plan takes more than a look, and knew where everybody is. */
const isOccasion = (memory: ZoneMemory, { zone }: DomainSettings): boolean =>
  zone.dispatch === "simple" && pairs(memory) <= FREE_PAIRS;
const pairs = (memory: ZoneMemory): number => memory.orders.size * memory.drivers.size;

const watchMs = (settings: DomainSettings): number => Math.max(10_000, settings.driver.stalledMs / 2);

/** Splits a hot zone and joins a quiet one. Parts are never split again. */
function resize(ctx: ZoneContext, settings: DomainSettings): void {
  if (isPart(ctx.key) || !isZone(ctx.key)) return;
  let waiting = 0;
  for (const order of ctx.volatile.orders.values()) if (order.search !== "none") waiting++;
  if (!ctx.state.split && waiting > settings.zone.splitAbove) {
    ctx.become({ split: true });
    // What a part remembers of the last time has ended meanwhile, and would keep its drivers for ever.
    startOver(ctx);
    for (const order of ctx.volatile.orders.values()) passOrder(ctx, order);
    for (const presence of ctx.volatile.drivers.values()) passPresence(ctx, settings, presence);
    ctx.publish("zone.split", { zone: ctx.key, waiting, at: ctx.now });
  } else if (ctx.state.split && waiting < settings.zone.mergeBelow) {
    ctx.become({ split: false });
    startOver(ctx);
    ctx.publish("zone.merged", { zone: ctx.key, waiting, at: ctx.now });
  }
}

function startOver(ctx: ZoneContext): void {
  for (const part of partsOf(ctx.key)) ctx.cast(Zone, part, "startOver", null);
}

/** Drivers say again where they are; an order that waits has said so once, and its zone's word to the part may be lost. */
function remindParts(ctx: ZoneContext, settings: DomainSettings): void {
  const memory = ctx.volatile;
  if (ctx.now - memory.remindedAt < settings.driver.presenceMs) return;
  memory.remindedAt = ctx.now;
  const waiting = new Map<string, ZoneOrderInput[]>();
  for (const order of memory.orders.values()) {
    if (order.search !== "waiting") continue;
    const part = partOf(order.pickup);
    const known = waiting.get(part);
    if (known === undefined) waiting.set(part, [order]);
    else known.push(order);
  }
  for (const [part, orders] of waiting) ctx.cast(Zone, part, "stillWaiting", orders);
}

function passOrder(ctx: ZoneContext, order: ZoneOrderInput): void {
  ctx.cast(Zone, partOf(order.pickup), "orderMoved", order);
}

function passPresence(ctx: ZoneContext, settings: DomainSettings, presence: PresenceInput): void {
  for (const part of partsInReach(ctx, settings, presence)) ctx.cast(Zone, part, "driverPresent", presence);
}

/** Parts beyond the border hear of a driver from their own zone, where the driver is present too. */
function partsInReach(ctx: ZoneContext, settings: DomainSettings, presence: PresenceInput): readonly string[] {
  const near = zonesInReach(presence, settings.zone.borderMeters, PART_RESOLUTION);
  return near.filter((part) => wholeOf(part) === ctx.key);
}

/**
 * A driver with an order of this zone who has not been heard of is asked after. An order whose food should be ready and is
 * not on its way hears of nobody either, perhaps: it looks at the clock.
 */
function watchSilence(ctx: ZoneContext, settings: DomainSettings): void {
  const { drivers, orders, startedAt } = ctx.volatile;
  for (const order of orders.values()) {
    if (order.readyAt <= ctx.now && order.status !== "picked_up") ctx.cast(Order, order.orderId, "lookAgain", null);
    if (order.driverId === null) continue;
    const heard = drivers.get(order.driverId)?.at ?? startedAt;
    if (ctx.now - heard >= watchMs(settings)) ctx.cast(Driver, order.driverId, "checkSignal", null);
  }
}
