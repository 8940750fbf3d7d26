/**
 * The tablets of a restaurant: which there are, and whether any is there. Owns the one timer that notices that none is.
 * Does not own what they are told (`inbox.ts`).
 *
 * A tablet that says so on every connection and from time to time is heard in memory alone; only a new one, and the
 * change between reachable and not, is committed. Invariants: a restaurant that never had a tablet is never offline; one
 * with a tablet that listens, or was heard within the grace, is not offline either, nor does a closed one become it; while it
 * is not, its timer is set.
 */
import type { InboxOrder, InboxView, Reconciled } from "../../../protocol/mod.js";
import type { Rejection } from "../../runtime/definition.js";
import type { DomainSettings } from "../settings.js";
import { deliveredAtOf, openOrders } from "./inbox.js";
import { offeredAtOf } from "./ladder.js";
import type { RestaurantContract } from "./messages.js";
import { save, tabletDoors } from "./save.js";
import type { RestaurantContext, RestaurantState, Tablet } from "./state.js";

/** A kitchen that was closed by hand is looked at so many graces later. */
const CLOSED_LOOK_GRACES = 10;

const isOwn = ({ command: { caller }, key }: RestaurantContext): boolean =>
  caller?.role === "restaurant" && caller.id === key;

/** A tablet is there, and holds these orders. Answers what it lacks. */
export function heard(
  ctx: RestaurantContext,
  settings: DomainSettings,
  { deviceId, name, holds }: RestaurantContract["tablet"]["input"],
): Reconciled | Rejection {
  if (!isOwn(ctx) || ctx.state.menu === null) return ctx.reject("not_found");
  const { heardAt, pushed, delivered } = ctx.volatile;
  heardAt.set(deviceId, ctx.now);
  const held = new Set(holds);
  for (const orderId of held) if (pushed.delete(orderId)) delivered.set(orderId, ctx.now);
  welcome(ctx, settings, deviceId, name);
  const open = openOrders(ctx);
  return {
    open: open.map(({ orderId, status }) => [orderId, status] as const),
    missing: open.filter(({ orderId }) => !held.has(orderId)),
    drivers: open.flatMap(({ orderId, driver }) =>
      driver !== undefined && held.has(orderId) ? [[orderId, driver] as const] : [],
    ),
    doors: tabletDoors(ctx.state),
    graceMs: settings.restaurant.tabletGraceMs,
  };
}

/** Commits a tablet that is new, or called another name, or the first to come back. */
function welcome(ctx: RestaurantContext, settings: DomainSettings, deviceId: string, name: string | undefined): void {
  const { state } = ctx;
  const known = state.tablets?.[deviceId];
  const { tabletGraceMs, maxTablets } = settings.restaurant;
  if (known !== undefined && (name ?? known.name) === known.name && state.offlineSince === undefined) return;
  const tablet: Tablet = { name: name ?? known?.name ?? "", since: known?.since ?? ctx.now };
  const tablets = { ...state.tablets, [deviceId]: tablet };
  for (const gone of longestSilent(ctx, tablets).slice(0, Math.max(0, Object.keys(tablets).length - maxTablets))) {
    delete tablets[gone];
    ctx.volatile.heardAt.delete(gone);
  }
  const { offlineSince, ...rest } = state;
  ctx.timer("watch", { at: ctx.now + tabletGraceMs, run: "watch" });
  save(ctx, settings, { ...rest, tablets }, offlineSince !== undefined);
}

/** Device ids, the one heard longest ago first. */
function longestSilent(
  { volatile: { heardAt } }: RestaurantContext,
  tablets: Readonly<Record<string, Tablet>>,
): string[] {
  const lastSign = (deviceId: string): number => heardAt.get(deviceId) ?? tablets[deviceId]?.since ?? 0;
  return Object.keys(tablets).sort((a, b) => lastSign(a) - lastSign(b));
}

export function forget(
  ctx: RestaurantContext,
  settings: DomainSettings,
  deviceId: string,
): RestaurantContract["forgetTablet"]["reply"] | Rejection {
  if (!isOwn(ctx)) return ctx.reject("not_found");
  const { state } = ctx;
  const tablets = { ...state.tablets };
  if (Object.hasOwn(tablets, deviceId)) {
    delete tablets[deviceId];
    ctx.volatile.heardAt.delete(deviceId);
    if (Object.keys(tablets).length > 0) save(ctx, settings, { ...state, tablets });
    else {
      // Without any it is as if there had never been one: nobody is expected.
      const { tablets: _, offlineSince, ...rest } = state;
      ctx.cancelTimer("watch");
      save(ctx, settings, rest, offlineSince !== undefined);
    }
  }
  return { tablets: Object.keys(tablets).length };
}

/** The timer: is somebody there? */
export function watch(ctx: RestaurantContext, settings: DomainSettings): null {
  const { state } = ctx;
  if (state.tablets === undefined || state.offlineSince !== undefined) return null;
  const { tabletGraceMs } = settings.restaurant;
  if (!(state.accepting ?? state.open)) {
    // A closed kitchen may put its tablets away; they are expected again once it has been open for a while.
    const opensAt = state.changesAt ?? ctx.now + CLOSED_LOOK_GRACES * tabletGraceMs;
    ctx.timer("watch", { at: Math.max(ctx.now, opensAt) + tabletGraceMs, run: "watch" });
    return null;
  }
  const lastSign = ctx.hasSubscribers("inbox")
    ? ctx.now
    : Math.max(ctx.volatile.awakeSince, ...ctx.volatile.heardAt.values());
  if (lastSign + tabletGraceMs > ctx.now) {
    ctx.timer("watch", { at: lastSign + tabletGraceMs, run: "watch" });
    return null;
  }
  ctx.publish("restaurant.offline", {
    restaurantId: ctx.key,
    restaurantName: state.menu?.profile.name ?? "",
    at: ctx.now,
    devices: Object.keys(state.tablets),
  });
  save(ctx, settings, { ...state, offlineSince: ctx.now }, true);
  return null;
}

/** For operations, and for the restaurant's own people. */
export function inboxView(ctx: RestaurantContext, settings: DomainSettings): InboxView | Rejection {
  const role = ctx.command.caller?.role;
  const { state, volatile: memory } = ctx;
  if (state.menu === null || !(isOwn(ctx) || role === "support" || role === "admin")) return ctx.reject("not_found");
  return {
    restaurantId: ctx.key,
    doors: tabletDoors(state),
    listening: ctx.hasSubscribers("inbox"),
    tablets: Object.entries(state.tablets ?? {}).map(([deviceId, { name, since }]) => {
      const heardAt = memory.heardAt.get(deviceId);
      return { deviceId, name, since, ...(heardAt === undefined ? {} : { heardAt }) };
    }),
    missed: state.missed ?? 0,
    orders: openOrders(ctx).map(({ orderId, status }) => inboxOrder(ctx, settings, orderId, status)),
  };
}

function inboxOrder(
  ctx: RestaurantContext,
  settings: DomainSettings,
  orderId: string,
  status: InboxOrder["status"],
): InboxOrder {
  const order: RestaurantState["orders"][string] | undefined = ctx.state.orders[orderId];
  if (order?.stage !== "offered") return { orderId, status, state: "accepted", attempts: 0, steps: [] };
  const deliveredAt = deliveredAtOf(ctx, orderId, order);
  return {
    orderId,
    status,
    state: deliveredAt === undefined ? "sent" : "delivered",
    sentAt: offeredAtOf(order, settings),
    ...(deliveredAt === undefined ? {} : { deliveredAt }),
    acceptBy: order.acceptBy,
    attempts: order.attempt,
    steps: (order.steps ?? []).map(([step, at]) => ({ step, at })),
  };
}
