/**
 * The one way an order changes. Owns what goes with every change: the revision, the history, the legality of the public
 * status, the deadline of the new status, the view for its listeners, the domain events.
 */
import {
  isTerminal,
  type MoneyFact,
  type MovedBy,
  NEXT_STATUS,
  ORDER_STATUSES,
  type OrderStatus,
  type TimelineEntry,
  type TimelineKind,
} from "../../../protocol/mod.js";
import type { ActorContext } from "../../runtime/definition.js";
import { Zone } from "../dispatch-zone/messages.js";
import { asJson } from "../json.js";
import type { DomainSettings } from "../settings.js";
import { nextEta } from "./eta.js";
import type { DeadlineOf } from "./messages.js";
import { driverOf, isPlaced, type OrderState, type PlacedOrder, statusOf } from "./state.js";
import { orderRecord, zonePicture } from "./view.js";

export type OrderContext = ActorContext<OrderState>;

/** One line of the history that a change adds. */
export interface Entry {
  readonly kind: TimelineKind;
  readonly by: MovedBy;
  readonly reason?: string;
  /** Of money, for the ledger; goes out with the event. */
  readonly fact?: MoneyFact;
}

const isStatus = (kind: TimelineKind): kind is OrderStatus => (ORDER_STATUSES as readonly string[]).includes(kind);

/** Throws unless the statuses among `entries` lead from `before` to `after` by legal moves. */
export function assertLegal(before: OrderStatus | null, entries: readonly Entry[], after: OrderStatus): void {
  let at = before;
  for (const { kind } of entries) {
    if (!isStatus(kind)) continue;
    const legal = at === null ? kind === "placed" : NEXT_STATUS[at].includes(kind);
    if (!legal) throw new Error(`An order cannot move from ${at ?? "nothing"} to ${kind}`);
    at = kind;
  }
  if (at !== after) throw new Error(`The history leads to ${at ?? "nothing"} but the status is ${after}`);
}

/** The oldest entries that are not statuses give way first: the moves themselves are always told. */
function bounded(timeline: readonly TimelineEntry[], keep: number): readonly TimelineEntry[] {
  if (timeline.length <= keep) return timeline;
  const spare = timeline.findIndex((entry) => !isStatus(entry.kind));
  return spare < 0 ? timeline : bounded(timeline.toSpliced(spare, 1), keep);
}

export interface SaveOptions {
  /** Tell the zone as well. Default: whenever the order is past `confirmed`. */
  readonly zone?: boolean;
}

/** Commits `next` with its history and shows it. Returns what was saved. */
export function save(
  ctx: OrderContext,
  settings: DomainSettings,
  next: PlacedOrder,
  entries: readonly Entry[] = [],
  options: SaveOptions = {},
): PlacedOrder {
  const last = isPlaced(ctx.state) ? ctx.state : null;
  const before = last === null ? null : statusOf(last);
  const status = statusOf(next);
  assertLegal(before, entries, status);
  const added = entries.map(
    ({ kind, by, reason }): TimelineEntry =>
      reason === undefined ? { kind, at: ctx.now, by } : { kind, at: ctx.now, by, reason },
  );
  const changed: PlacedOrder = {
    ...next,
    revision: next.revision + 1,
    timeline: bounded([...next.timeline, ...added], settings.order.timelineKeep),
  };
  const order = expected(changed, added, ctx.now, settings);
  ctx.become(order);
  if (status !== before) setDeadline(ctx, settings, order, status);
  for (const [index, entry] of added.entries()) {
    const fact = entries[index]?.fact;
    const body: Record<string, unknown> = {
      orderId: ctx.key,
      version: order.revision,
      status,
      customerId: order.content.customerId,
      restaurantId: order.content.restaurant.id,
      at: entry.at,
      by: entry.by,
    };
    // What a customer says in their own words stays with the order, where it can be forgotten.
    if (entry.reason !== undefined && entry.by !== "customer") body.reason = entry.reason;
    if (fact !== undefined) body.money = fact;
    ctx.publish(`order.${entry.kind}`, asJson(body));
  }
  show(ctx, settings, order);
  if (options.zone ?? order.delivery.status !== "none") tellZone(ctx, settings, order, last);
  return order;
}

/**
 * That an order begins to wait, who may bring it now, whose it is, and that it is over has to arrive. Of what happens in
 * between the next picture tells as well, and a proposal that is made without it is answered with it.
 */
function tellZone(ctx: OrderContext, settings: DomainSettings, order: PlacedOrder, last: PlacedOrder | null): void {
  const picture = zonePicture(ctx.key, order, ctx.now, settings);
  const { zone } = order.content;
  const begins =
    picture.search === "waiting" && (last?.delivery.status !== "searching" || last.excluded !== order.excluded);
  const isOthers = picture.driverId !== (last === null ? null : (driverOf(last.delivery)?.driverId ?? null));
  if (begins || isOthers || isTerminal(picture.status)) ctx.tell(Zone, zone, "orderMoved", picture);
  else ctx.cast(Zone, zone, "orderMoved", picture);
}

/** The order with its estimate; what the customer is to be told of it goes into the history too. */
function expected(order: PlacedOrder, added: TimelineEntry[], now: number, settings: DomainSettings): PlacedOrder {
  const change = nextEta(order, now, settings);
  if (change === null) return order;
  const { eta, tell } = change;
  if (tell === null) return { ...order, eta };
  const entry: TimelineEntry = { kind: "eta_changed", at: now, by: "system", reason: tell };
  added.push(entry);
  return { ...order, eta, timeline: bounded([...order.timeline, entry], settings.order.timelineKeep) };
}

/** A status does not grow stale by itself: the next one replaces it. */
export const VIEW_TTL_MS = 24 * 60 * 60_000;

/** To listeners and to where polls are answered from. */
function show(ctx: OrderContext, settings: DomainSettings, order: PlacedOrder): void {
  const { acceptBy: _acceptBy, note: _note, ...tracking } = orderRecord(ctx.key, order);
  if (ctx.hasSubscribers("view")) {
    ctx.emit("view", "view", asJson(tracking.view), VIEW_TTL_MS);
    ctx.emit("view", "tracking", asJson(tracking), VIEW_TTL_MS);
  }
  ctx.mirror(`view:${ctx.key}`, asJson(tracking), settings.order.viewMirrorMs);
}

/** Every timer that drives an open order. The payment's own (`payment`) outlives the order. */
const TIMERS = ["deadline", "kitchen", "offers", "pickup"] as const;

/** Every status that is not the end has a deadline (R-ORD-8); entering it sets the one timer they share. */
export function setDeadline(
  ctx: OrderContext,
  settings: DomainSettings,
  order: PlacedOrder,
  status: OrderStatus,
): void {
  const deadline = deadlineOf(order, status, ctx.now, settings);
  if (deadline === null) {
    for (const timer of TIMERS) ctx.cancelTimer(timer);
  } else {
    ctx.timer("deadline", { at: deadline.at, run: "deadline", input: { of: deadline.of, escalated: false } });
  }
}

/** When the status has lasted too long, in ms since the epoch; null for an end. Pure. */
export function deadlineOf(
  order: PlacedOrder,
  status: OrderStatus,
  now: number,
  settings: DomainSettings,
): { readonly of: DeadlineOf; readonly at: number } | null {
  if (isTerminal(status)) return null;
  const { order: limits } = settings;
  switch (status) {
    case "placed":
      return { of: "placed", at: order.content.placedAt + limits.placementDeadlineMs };
    case "confirmed":
      return {
        of: "confirmed",
        at:
          order.kitchen.status === "offered"
            ? order.kitchen.acceptBy
            : (order.kitchen.status === "scheduled" ? order.kitchen.offerAt : now) + limits.acceptDeadlineMs,
      };
    case "accepted":
    case "preparing": {
      const readyAt = "readyAt" in order.kitchen ? order.kitchen.readyAt : now;
      return { of: "kitchen", at: Math.max(readyAt, now) + limits.kitchenLateMs };
    }
    case "ready":
      return { of: "ready", at: now + limits.assignDeadlineMs };
    default:
      return { of: "road", at: now + limits.deliveryDeadlineMs };
  }
}
