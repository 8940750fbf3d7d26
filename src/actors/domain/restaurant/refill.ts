/**
 * Daily refills: at a time of the restaurant's clock, what is limited is full again. One durable timer for all items.
 *
 * Invariant: of one filling no more is promised than it holds. An order for later that is wanted after the next filling
 * takes of the one before its time, and what an order took of an earlier one is not given back to a later.
 */
import { lastTimeOfDay, type MenuItem, nextTimeOfDay, type Refill } from "../../../protocol/mod.js";
import {
  isForLater,
  type Menu,
  type OpenOrder,
  type RestaurantContext,
  type RestaurantState,
  type Took,
} from "./state.js";
import { leftOf } from "./stock.js";

type Refilled = MenuItem & { readonly refill: Refill };

const refilledItems = ({ menu }: RestaurantState): readonly Refilled[] =>
  (menu?.items ?? []).filter((item): item is Refilled => item.refill !== undefined);

const zoneOfClock = ({ menu, clock }: RestaurantState): string => menu?.profile.hours?.timeZone ?? clock ?? "UTC";

/** What an edit makes of `before`, which may leave out the hours: by their clock shelves are filled all the same. */
export function withClock(before: RestaurantState, next: RestaurantState): RestaurantState {
  const zone = before.menu?.profile.hours?.timeZone;
  return zone === undefined || next.menu?.profile.hours !== undefined ? next : { ...next, clock: zone };
}

/** Worked out once for a menu and its last refill: a zone's clock takes long to read. */
const nextOf = new WeakMap<Menu, { readonly since: number; readonly at: number }>();

/**
 * When the next refill of any item is due: the next since the last ones were made, so one that has come and is not made
 * yet is in the past. Infinity: nothing is refilled.
 */
function nextRefillAt(state: RestaurantState, now: number): number {
  const items = refilledItems(state);
  if (state.menu === null || items.length === 0) return Number.POSITIVE_INFINITY;
  const since = state.refilledAt ?? now;
  const known = nextOf.get(state.menu);
  if (known?.since === since) return known.at;
  const zone = zoneOfClock(state);
  const times = new Set(items.map(({ refill }) => refill.at));
  const at = Math.min(...[...times].map((time) => nextTimeOfDay(zone, time, since)));
  nextOf.set(state.menu, { since, at });
  return at;
}

/** Sets the timer to the next refill of any item. One whose timer still waits, for its grace after an outage, stays due. */
export function armRefill(ctx: RestaurantContext, state: RestaurantState): void {
  const at = nextRefillAt(state, ctx.now);
  if (at === Number.POSITIVE_INFINITY) ctx.cancelTimer("refill");
  else ctx.timer("refill", { at, run: "refill" });
}

/** The time of a refill has come, and its timer has not. */
export const isRefillDue = ({ state, now }: RestaurantContext): boolean => nextRefillAt(state, now) <= now;

/**
 * What a person edits: with every refill made that has come by then, by the times that held. Those of the new times count
 * from now on, also where they are earlier on the day.
 */
export function beforeEdit(ctx: RestaurantContext): RestaurantState {
  return refilledItems(ctx.state).length === 0 ? ctx.state : refilled(ctx);
}

/** An edited menu: no refill of the past is made up for, and every order holds of the shelf that it will be taken from. */
export function fromNowOn(state: RestaurantState, now: number): RestaurantState {
  const shelved = reshelved(state, now);
  return refilledItems(state).length === 0 ? shelved : { ...shelved, refilledAt: now };
}

/**
 * Dishes may begin or cease to be refilled, or at another time: what is promised of a filling that will not come before
 * it is wanted is taken of what there is, and what there will be one for before goes back.
 */
function reshelved(state: RestaurantState, now: number): RestaurantState {
  const wanted = Object.entries(state.orders).filter(([, { deliverAt }]) => deliverAt !== undefined);
  if (wanted.length === 0) return state;
  const zone = zoneOfClock(state);
  const times = new Map<string, number>();
  const nextAt = (time: string): number => {
    const next = times.get(time) ?? nextTimeOfDay(zone, time, now);
    times.set(time, next);
    return next;
  };
  const left: Record<string, number> = { ...state.left };
  const orders: Record<string, OpenOrder> = { ...state.orders };
  for (const { itemId, refill } of state.menu?.items ?? []) {
    if (leftOf(left, itemId) === undefined) continue;
    const next = refill === undefined ? Number.POSITIVE_INFINITY : nextAt(refill.at);
    for (const [orderId] of wanted) {
      const order = orders[orderId]!;
      const [took, due] = [portions(order.took, itemId), portions(order.due, itemId)];
      const waits = order.deliverAt! >= next;
      if (waits ? took === 0 || !isForLater(order) : due === 0) continue;
      const all: Took = [itemId, took + due];
      left[itemId]! += waits ? took : -due;
      orders[orderId] = {
        ...order,
        took: waits ? without(order.took, itemId) : [...without(order.took, itemId), all],
        due: waits ? [...without(order.due ?? [], itemId), all] : without(order.due ?? [], itemId),
      };
    }
  }
  return { ...state, left, orders };
}

/** What is left of the shelves that an order takes from, and which of them are filled before it is wanted. */
export function shelvesFor(
  state: RestaurantState,
  deliverAt: number | undefined,
  now: number,
): { readonly left: RestaurantState["left"]; readonly later: ReadonlySet<string> } {
  const later = new Set<string>();
  if (deliverAt === undefined) return { left: state.left, later };
  const zone = zoneOfClock(state);
  const left: Record<string, number> = { ...state.left };
  for (const { itemId, refill } of refilledItems(state)) {
    if (deliverAt < nextTimeOfDay(zone, refill.at, now)) continue;
    const filledAt = lastTimeOfDay(zone, refill.at, deliverAt);
    left[itemId] = refill.stock;
    for (const { due, deliverAt: wantedAt } of Object.values(state.orders)) {
      if (wantedAt !== undefined && lastTimeOfDay(zone, refill.at, wantedAt) === filledAt)
        left[itemId] -= portions(due, itemId);
    }
    later.add(itemId);
  }
  return { left, later };
}

/** What is left after the refills that fell due since the last ones: each once, however long nobody could make them. */
export function refilled(ctx: RestaurantContext): RestaurantState {
  const { state } = ctx;
  const zone = zoneOfClock(state);
  const left: Record<string, number> = { ...state.left };
  const orders: Record<string, OpenOrder> = { ...state.orders };
  const items = refilledItems(state);
  const times = [...new Set(items.map(({ refill }) => refill.at))];
  const due = new Set(times.filter((time) => lastTimeOfDay(zone, time, ctx.now) > (state.refilledAt ?? 0)));
  for (const { itemId, refill } of items) {
    if (!due.has(refill.at)) continue;
    left[itemId] = refill.stock;
    const next = nextTimeOfDay(zone, refill.at, ctx.now);
    for (const [orderId, order] of Object.entries(orders)) {
      const after = atRefill(order, itemId, next);
      orders[orderId] = after;
      left[itemId] -= portions(after.took, itemId);
    }
  }
  return { ...state, left, orders, refilledAt: ctx.now };
}

/** An order when this dish's shelf is filled, the next time at `next`. */
function atRefill(order: OpenOrder, itemId: string, next: number): OpenOrder {
  const isNow = (order.deliverAt ?? 0) < next;
  const due = isNow ? portions(order.due, itemId) : 0;
  // What is in the kitchen was on the shelf before.
  const took = (order.stage === "accepted" ? 0 : portions(order.took, itemId)) + due;
  if (due === 0 && took === portions(order.took, itemId)) return order;
  return {
    ...order,
    took: [...without(order.took, itemId), ...(took === 0 ? [] : [[itemId, took] as const])],
    ...(order.due === undefined || !isNow ? {} : { due: without(order.due, itemId) }),
  };
}

const portions = (of: readonly Took[] | undefined, itemId: string): number =>
  of?.find(([id]) => id === itemId)?.[1] ?? 0;

const without = (of: readonly Took[], itemId: string): readonly Took[] => of.filter(([id]) => id !== itemId);
