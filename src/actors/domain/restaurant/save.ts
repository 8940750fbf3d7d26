/** How a restaurant changes: every commit also lets go of what has left the kitchen, and shows the menu when it looks different. */
import type { PricedLine, TabletDoors } from "../../../protocol/mod.js";
import { asJson } from "../json.js";
import type { DomainSettings } from "../settings.js";
import { withDoors } from "./doors.js";
import { taught } from "./kitchen.js";
import { armRefill, withClock } from "./refill.js";
import {
  looksDifferent,
  marketTerms,
  menuView,
  type RestaurantContext,
  type RestaurantState,
  type Took,
} from "./state.js";
import { giveBack } from "./stock.js";

/** A picture is kept when it is so many askings newer than the one that is. */
const KEEP_ZONE_AFTER = 10;

/** Commits `next`. `menuChanged`: the menu itself was edited; sold out and back again are seen here. */
export function save(
  ctx: RestaurantContext,
  settings: DomainSettings,
  next: RestaurantState,
  menuChanged = false,
): RestaurantState {
  const wanted = menuChanged ? withClock(ctx.state, next) : next;
  const swept = withZone(ctx, settings, sweep(ctx, settings, wanted));
  const due = swept.changesAt !== undefined && swept.changesAt <= ctx.now;
  const stands = menuChanged || due ? withDoors(ctx, swept) : swept;
  if (menuChanged) armRefill(ctx, stands);
  const changed = menuChanged || stands.changesAt !== swept.changesAt || looksDifferent(ctx.state.left, stands.left);
  // By its time others know one change from the next: two of one millisecond may be two commits.
  const changedAt = Math.max(ctx.now, (stands.changedAt ?? 0) + 1);
  const saved = changed
    ? { ...stands, menuVersion: stands.menuVersion + 1, changedAt, terms: marketTerms(settings.restaurant) }
    : stands;
  const before = ctx.state;
  ctx.become(saved);
  if (!sameDoors(before, saved) && (saved.tablets !== undefined || ctx.hasSubscribers("inbox"))) {
    ctx.push("inbox", "doors.changed", asJson(tabletDoors(saved)));
  }
  if (changed) {
    const menu = menuView(ctx.key, saved, settings.restaurant);
    ctx.mirror(`menu:${ctx.key}`, asJson(menu), settings.restaurant.menuMirrorMs);
    ctx.publish("restaurant.menu_changed", {
      restaurantId: ctx.key,
      menuVersion: saved.menuVersion,
      open: saved.accepting ?? saved.open,
    });
  }
  return saved;
}

export function saveOrders(ctx: RestaurantContext, settings: DomainSettings, orders: RestaurantState["orders"]): void {
  save(ctx, settings, { ...ctx.state, orders });
}

/** The zone's figures are kept now and then, with a commit that is made anyhow. */
function withZone({ volatile: { zone } }: RestaurantContext, settings: DomainSettings, state: RestaurantState) {
  if (zone === null || zone.at - (state.zone?.at ?? 0) < KEEP_ZONE_AFTER * settings.eta.pictureMs) return state;
  return { ...state, zone };
}

/**
 * Picked-up orders go with the next commit: they are not worth one of their own. Each is forgotten here only once the
 * state is without it, so that a handler that has to run again finds it again.
 */
function sweep(ctx: RestaurantContext, settings: DomainSettings, state: RestaurantState): RestaurantState {
  const { left, details, statuses, drivers } = ctx.volatile;
  if (left.size === 0) return state;
  const orders = { ...state.orders };
  let { preparation } = state;
  for (const [orderId, sample] of left) {
    const order = orders[orderId];
    if (order === undefined) left.delete(orderId);
    // Learned in the very commit that forgets the order: once, however often the handler runs.
    else if (sample !== null) preparation = taught(preparation, order, sample, settings);
    delete orders[orderId];
    details.delete(orderId);
    statuses.delete(orderId);
    drivers.delete(orderId);
  }
  return preparation === undefined ? { ...state, orders } : { ...state, orders, preparation };
}

/**
 * The order is over: what it holds goes back once, unless it was eaten (or lies on a doorstep), and its tombstone refuses
 * what comes late.
 */
export function remove(
  ctx: RestaurantContext,
  settings: DomainSettings,
  orderId: string,
  holds: readonly Pick<PricedLine, "itemId" | "quantity">[] | null | "eaten",
  /** What else changes with it; a change of the pause changes the doors. */
  also: (state: RestaurantState) => RestaurantState = (state) => state,
): void {
  const { state } = ctx;
  if (state.tombstones.some(([id]) => id === orderId)) return;
  const entry = state.orders[orderId];
  const took: readonly Took[] =
    holds === "eaten" ? [] : (entry?.took ?? (holds ?? []).map(({ itemId, quantity }): Took => [itemId, quantity]));
  const orders = { ...state.orders };
  delete orders[orderId];
  ctx.volatile.details.delete(orderId);
  ctx.volatile.statuses.delete(orderId);
  ctx.volatile.drivers.delete(orderId);
  ctx.volatile.offeredAt.delete(orderId);
  ctx.volatile.pushed.delete(orderId);
  ctx.volatile.delivered.delete(orderId);
  ctx.volatile.unheld.delete(orderId);
  const { tombstoneMs, maxTombstones } = settings.restaurant;
  const tombstones = [...state.tombstones.filter(([, at]) => at > ctx.now - tombstoneMs), [orderId, ctx.now] as const];
  const next = also({
    ...state,
    orders,
    left: giveBack(state.left, took),
    tombstones: tombstones.slice(-maxTombstones),
  });
  save(ctx, settings, next, next.paused !== state.paused);
}

/** What the tablet's banner says. */
export function tabletDoors({ open, accepting, paused, offlineSince }: RestaurantState): TabletDoors {
  return {
    open: accepting ?? open,
    ...(paused === undefined ? {} : { paused }),
    ...(offlineSince === undefined ? {} : { offlineSince }),
  };
}

const sameDoors = (a: RestaurantState, b: RestaurantState): boolean =>
  (a.accepting ?? a.open) === (b.accepting ?? b.open) && a.paused === b.paused && a.offlineSince === b.offlineSince;

/** What customers read of it, and its people. */
const PAUSED_BECAUSE = "an order was not answered in time";

/** One more order that nobody answered: enough of them in a row pause the restaurant until a person resumes it. */
export function missedOne(ctx: RestaurantContext, state: RestaurantState, settings: DomainSettings): RestaurantState {
  const missed = (state.missed ?? 0) + 1;
  const { pauseAfterMissed } = settings.restaurant;
  if (pauseAfterMissed === 0 || missed < pauseAfterMissed || state.paused !== undefined) return { ...state, missed };
  ctx.publish("restaurant.paused", {
    restaurantId: ctx.key,
    restaurantName: state.menu?.profile.name ?? "",
    at: ctx.now,
    reason: PAUSED_BECAUSE,
    devices: Object.keys(state.tablets ?? {}),
  });
  return { ...state, missed, paused: { reason: PAUSED_BECAUSE } };
}

/** A person has been heard. */
export function nothingMissed(state: RestaurantState): RestaurantState {
  if (state.missed === undefined) return state;
  const { missed: _, ...rest } = state;
  return rest;
}
