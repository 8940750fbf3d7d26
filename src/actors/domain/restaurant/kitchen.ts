/**
 * What a restaurant knows of its own kitchen, and what it tells an order of it. The learning itself is in `src/eta`; this
 * file owns what counts as load, which time of the menu an order has, and when the zone's figures are asked for again.
 */
import {
  acceptMs,
  type CityCalendar,
  learnAcceptance,
  learnPreparation,
  newPreparation,
  type Outlook,
  type PreparationRecord,
  type PreparationSample,
  preparationMs,
  promiseTrust,
} from "../../../eta/mod.js";
import { offsetMinutes } from "../../../lib/wall-time.js";
import type { PricedLine } from "../../../protocol/mod.js";
import type { ActorContext } from "../../runtime/definition.js";
import { zoneOf } from "../dispatch-zone/messages.js";
import { EtaModel } from "../eta-model/messages.js";
import type { DomainSettings } from "../settings.js";
import { isForLater, type OpenOrder, type RestaurantMemory, type RestaurantState } from "./state.js";

type Context = ActorContext<RestaurantState, RestaurantMemory>;

const calendarOf = ({ order, eta }: DomainSettings, at: number): CityCalendar => ({
  minuteMs: order.minuteMs,
  utcOffsetMinutes: offsetMinutes(eta, at),
});

/** Orders being cooked: accepted, not taken, and not past the time they were promised for. */
export function cooking(ctx: Pick<Context, "state" | "volatile" | "now">): number {
  let count = 0;
  for (const [orderId, order] of Object.entries(ctx.state.orders)) {
    if (order.stage !== "accepted" || ctx.volatile.left.has(orderId)) continue;
    if (order.readyAt === undefined || order.readyAt > ctx.now) count++;
  }
  return count;
}

/** Portions in the kitchen, of the dishes that are cooked so many at once. */
export function busyWith(ctx: Pick<Context, "state" | "volatile" | "now">): ReadonlyMap<string, number> {
  const busy = new Map<string, number>();
  for (const [orderId, order] of Object.entries(ctx.state.orders)) {
    if (order.cooks === undefined || isForLater(order) || ctx.volatile.left.has(orderId)) continue;
    if (order.stage === "accepted" && order.readyAt !== undefined && order.readyAt <= ctx.now) continue;
    for (const [itemId, quantity] of order.cooks) busy.set(itemId, (busy.get(itemId) ?? 0) + quantity);
  }
  return busy;
}

/** The menu's time for these dishes: the slowest decides. Without lines: that of the usual dish. */
function menuMs({ menu }: RestaurantState, lines: readonly PricedLine[] | null, settings: DomainSettings): number {
  const { minuteMs, defaultPrepMs } = settings.order;
  const items = menu?.items ?? [];
  if (lines === null) {
    const known = items.flatMap(({ prepMinutes }) => (prepMinutes === undefined ? [] : [prepMinutes]));
    known.sort((a, b) => a - b);
    const middle = known[Math.floor(known.length / 2)];
    return middle === undefined ? defaultPrepMs : Math.max(1, middle * minuteMs);
  }
  const wanted = new Set(lines.map(({ itemId }) => itemId));
  let slowest = 0;
  for (const { itemId, prepMinutes } of items) {
    if (wanted.has(itemId)) slowest = Math.max(slowest, prepMinutes ?? 0);
  }
  return slowest === 0 ? defaultPrepMs : slowest * minuteMs;
}

/** What an order of these dishes has to expect; of no dishes in particular with null. Asks the zone's model when it is time. */
export function outlookOf(ctx: Context, settings: DomainSettings, lines: readonly PricedLine[] | null): Outlook {
  const { state, volatile: memory, now } = ctx;
  if (state.menu !== null && now - memory.askedZoneAt >= settings.eta.pictureMs) {
    memory.askedZoneAt = now;
    ctx.cast(EtaModel, zoneOf(state.menu.profile), "wanted", { restaurantId: ctx.key });
  }
  const record = state.preparation ?? newPreparation();
  const calendar = calendarOf(settings, now);
  const menu = menuMs(state, lines, settings);
  return {
    menuMs: menu,
    prepMs: Math.round(preparationMs(record, menu, now, cooking(ctx), calendar)),
    acceptMs: Math.round(acceptMs(record, calendar)),
    promise: promiseTrust(record),
    zone: memory.zone ?? state.zone ?? null,
  };
}

/** A person has answered: how long that took is known while this actor has been awake since the offer. */
export function answered(
  next: RestaurantState,
  ctx: Pick<Context, "volatile" | "now">,
  orderId: string,
  settings: DomainSettings,
): RestaurantState {
  const offeredAt = ctx.volatile.offeredAt.get(orderId);
  if (offeredAt === undefined) return next;
  ctx.volatile.offeredAt.delete(orderId);
  const record = next.preparation ?? newPreparation();
  return { ...next, preparation: learnAcceptance(record, ctx.now - offeredAt, calendarOf(settings, ctx.now)) };
}

/** What one order that left the kitchen taught. */
export function taught(
  record: PreparationRecord | undefined,
  order: OpenOrder,
  sample: PreparationSample,
  settings: DomainSettings,
): PreparationRecord {
  const load = order.stage === "accepted" ? (order.load ?? 0) : 0;
  return learnPreparation(record ?? newPreparation(), sample, load, calendarOf(settings, sample.acceptedAt));
}
