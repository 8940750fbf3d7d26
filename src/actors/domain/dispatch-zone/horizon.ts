/**
 * The rolling horizon: asks for a plan of all waiting orders and all drivers who are free or soon will be, and proposes
 * what of the answer cannot wait.
 *
 * Owns: when to ask, what is asked, and what an answer is still worth when it comes. Does not own: the thinking
 * (`../decision.ts`), the offers, the simple way that is gone when no answer comes.
 *
 * Invariants: one question at a time; an answer to another question than the last is ignored; a trip is proposed only if
 * its driver and every order of it are still to be had; whatever happens to the pool, an order that waits is looked at
 * again within `horizonMs`.
 */
import type { DecisionEvidence } from "../../../protocol/mod.js";
import {
  type DecidedTrip,
  type DecisionAnswer,
  type DecisionRequest,
  type DecisionRules,
  type DriverRow,
  type OrderRow,
  writeQuestion,
} from "../decision.js";
import { Matcher } from "../dispatch-matcher/messages.js";
import { MOST_ON_TRIP, type OfferCard } from "../order/messages.js";
import type { DomainSettings } from "../settings.js";
import { askAround, poorlyRated } from "./knowledge.js";
import type { PresenceInput, ZoneOrderInput } from "./messages.js";
import { askedDrivers, freeDrivers, offersAtOnce, propose, send, waitingOrders } from "./proposals.js";
import type { ZoneContext, ZoneMemory } from "./state.js";

/** More orders or drivers than these are left to the next decision: the longest waiting and the soonest free come first. */
const MOST_ORDERS = 600;
const MOST_DRIVERS = 1_500;

/** Asks if it is time to, or gives up on an answer. `news`: something has happened that an answer may depend on. */
export function beat(ctx: ZoneContext, settings: DomainSettings, rules: DecisionRules, news: boolean): void {
  const memory = ctx.volatile;
  if (news) {
    const soonest = Math.max(memory.askedAt + pauseMs(memory, settings), memory.gatherUntil);
    memory.askBy = Math.min(Math.max(memory.askBy, memory.gatherUntil), soonest);
    if (nextPlanMs(memory, ctx.now, settings) > 2 * settings.zone.tickMs) proposeStanding(ctx, settings);
  }
  // Most presences change nothing: it costs two comparisons to find out.
  if (ctx.now < nextAt(memory) && ringsInTime(memory, ctx.now)) return;
  if (memory.asked !== null) {
    if (ctx.now < memory.asked.until) return;
    doWithout(ctx, settings);
  }
  const waiting = waitingOrders(memory, memory.orders.values(), ctx.now);
  if (waiting.length === 0) {
    memory.tentative = [];
    if (memory.proposals.size > 0) {
      // Orders answer at once; one that did not hear is asked again.
      memory.askBy = Math.max(memory.askBy, ctx.now + settings.zone.tickMs);
      ring(ctx);
    } else {
      // Nobody has to ring: whatever begins to wait is news.
      memory.askBy = Math.max(memory.askBy, ctx.now + settings.zone.horizonMs);
      memory.ringAt = memory.askBy;
    }
    return;
  }
  if (ctx.now >= memory.askBy) ask(ctx, settings, rules, waiting);
  ring(ctx);
}

/** From one question to the next at the least: a zone leaves the pool three quarters of its time, however long it thinks. */
const pauseMs = ({ thoughtMs }: ZoneMemory, { zone }: DomainSettings): number => Math.max(zone.tickMs, 4 * thoughtMs);

/** Orders of a declined trip come back one by one, each by its own commit: so long the first waits for the others. */
const GATHER_MS = 100;

/** An order waits again. Were it planned alone, because the others of its trip have not been heard of, they could not share again. */
export function gather(ctx: ZoneContext, { orderId, search, excluded }: ZoneOrderInput): void {
  const memory = ctx.volatile;
  const driverId = search === "waiting" ? excluded.at(-1) : undefined;
  if (driverId === undefined) return;
  const isOffered = (other: ZoneOrderInput): boolean =>
    other.orderId !== orderId && other.search === "offered" && other.offeredTo.includes(driverId);
  memory.gatherUntil = [...memory.orders.values()].some(isOffered) ? ctx.now + GATHER_MS : 0;
}

/** How long until there can be another plan, if it takes as long to think as the last one did. */
function nextPlanMs(memory: ZoneMemory, now: number, settings: DomainSettings): number {
  const { asked, askedAt, thoughtMs } = memory;
  if (asked !== null) return Math.max(0, asked.at + thoughtMs - now);
  return Math.max(0, askedAt + pauseMs(memory, settings) - now) + thoughtMs;
}

/** When there is something to do at the latest. */
const nextAt = ({ asked, askBy }: ZoneMemory): number => asked?.until ?? askBy;

const ringsInTime = (memory: ZoneMemory, now: number): boolean =>
  memory.ringAt > now && memory.ringAt <= nextAt(memory);

/** The matcher rings when there is something to do, unless it does so earlier anyway. */
function ring(ctx: ZoneContext): void {
  const memory = ctx.volatile;
  if (ringsInTime(memory, ctx.now)) return;
  memory.ringAt = Math.max(nextAt(memory), ctx.now + 1);
  ctx.cast(Matcher, ctx.key, "wake", { at: memory.ringAt });
}

/** No answer: what was planned a moment ago, else the simple way; and the question again when its time comes. */
function doWithout(ctx: ZoneContext, settings: DomainSettings): void {
  const memory = ctx.volatile;
  memory.asked = null;
  proposeStanding(ctx, settings);
  const { horizonMs, decisionPatienceMs } = settings.zone;
  const holds = ctx.now - memory.plannedAt <= Math.max(4 * horizonMs, 2 * decisionPatienceMs);
  const planned = new Set(holds ? memory.tentative.flatMap(({ orderIds }) => orderIds) : []);
  const others = [...memory.orders.values()].filter(({ orderId }) => !planned.has(orderId));
  propose(ctx, settings, others);
}

function ask(
  ctx: ZoneContext,
  settings: DomainSettings,
  rules: DecisionRules,
  waiting: readonly ZoneOrderInput[],
): void {
  const memory = ctx.volatile;
  const { horizonMs, decisionPatienceMs, answerMs } = settings.zone;
  memory.askedAt = ctx.now;
  memory.askBy = ctx.now + horizonMs;
  for (const { orderId } of waiting) if (!memory.due.has(orderId)) memory.due.set(orderId, ctx.now);
  const drivers = driversToPlan(ctx, settings);
  if (drivers.length === 0) return;
  askAround(ctx, settings, drivers);
  const request: DecisionRequest = {
    id: ctx.newId(),
    now: ctx.now,
    seed: Math.floor(ctx.random() * 2 ** 31),
    // The next decision may be a horizon away, and a driver thinks before the answer comes.
    leadMs: horizonMs + answerMs,
    orders: waiting.toSorted(byWaiting).slice(0, MOST_ORDERS).map(orderRow),
    drivers: driverRows(drivers, memory, ctx.now),
    recent: recentRows(memory, ctx.now, rules),
    previous: memory.tentative.map(({ driverId, restaurantIds, orderIds }) => ({ driverId, restaurantIds, orderIds })),
    ways: memory.ways,
    rules,
  };
  memory.asked = { id: request.id, at: ctx.now, until: ctx.now + decisionPatienceMs };
  ctx.cast(Matcher, ctx.key, "decide", { id: request.id, question: writeQuestion(request) });
}

const byWaiting = (a: ZoneOrderInput, b: ZoneOrderInput): number =>
  a.readyAt - b.readyAt || (a.orderId < b.orderId ? -1 : 1);

const orderRow = ({
  orderId,
  restaurantId,
  pickup,
  dropoff,
  placedAt,
  readyAt,
  excluded,
}: ZoneOrderInput): OrderRow => [
  orderId,
  restaurantId,
  pickup.lat,
  pickup.lng,
  dropoff.lat,
  dropoff.lng,
  placedAt,
  readyAt,
  excluded,
];

function recentRows(memory: ZoneMemory, now: number, rules: DecisionRules): readonly OrderRow[] {
  const { aheadMs } = rules.matching.forecast;
  return [...memory.recent.values()].filter(({ placedAt }) => placedAt > now - aheadMs).map(orderRow);
}

/** Who is free, and who is on a trip. Not those who are thinking about an offer: they are free in a moment, or gone. */
function driversToPlan(ctx: ZoneContext, settings: DomainSettings): readonly PresenceInput[] {
  const memory = ctx.volatile;
  const asked = askedDrivers(memory, ctx.now);
  const soon = [...memory.drivers.values()].filter(
    ({ driverId, state, at }) =>
      state !== "offered" && ctx.now - at <= settings.zone.presenceTtlMs && !asked.has(driverId),
  );
  return soon.sort((a, b) => a.free.at - b.free.at || (a.driverId < b.driverId ? -1 : 1)).slice(0, MOST_DRIVERS);
}

/** Whose shift was work for more than the usual share of it has had more than a fair part. */
function driverRows(drivers: readonly PresenceInput[], memory: ZoneMemory, now: number): readonly DriverRow[] {
  const usual = drivers.reduce((sum, { busyShare }) => sum + busyShare, 0) / drivers.length;
  return drivers.map(({ driverId, state, free, acceptance, busyShare, vehicle }): DriverRow => {
    const overworked = Math.max(0, Math.min(1, (busyShare - usual) / Math.max(usual, 0.1)));
    const freeAt = state === "available" ? now : Math.max(free.at, now + 1);
    return [driverId, free.lat, free.lng, freeAt, overworked, acceptance, vehicle, poorlyRated(memory, driverId)];
  });
}

/** The pool's answer, or that there will be none. */
export function decided(
  ctx: ZoneContext,
  settings: DomainSettings,
  rules: DecisionRules,
  id: string,
  answer: DecisionAnswer | null,
): void {
  const memory = ctx.volatile;
  const { asked } = memory;
  // Of a question that was given up on, or of one asked before a restart or a split.
  if (asked?.id !== id) return;
  memory.asked = null;
  memory.thoughtMs = ctx.now - asked.at;
  if (ctx.state.split) return;
  if (answer === null) {
    doWithout(ctx, settings);
    ring(ctx);
    return;
  }
  const waiting = waitingOrders(memory, memory.orders.values(), ctx.now);
  const known = new Map(waiting.map((order) => [order.orderId, order]));
  const free = new Map(freeDrivers(ctx, settings).map((driver) => [driver.driverId, driver]));
  const seen = { decidedAt: asked.at, drivers: memory.drivers.size, orders: known.size };
  let stale = false;
  for (const trip of answer.trips) {
    if (!proposeTrip(ctx, settings, trip, seen, known, free)) stale = true;
  }
  remember(memory, answer, asked.at, pauseMs(memory, settings));
  // Drivers who have come free since the question was asked.
  proposeStanding(ctx, settings);
  // Nobody can bring these in time: then whoever is nearest, late.
  propose(
    ctx,
    settings,
    answer.unplanned.flatMap((orderId) => known.get(orderId) ?? []),
  );
  // Something was gone before the answer came: the rest of the plan is worth another look soon.
  if (stale) memory.askBy = Math.min(memory.askBy, memory.askedAt + pauseMs(memory, settings));
  beat(ctx, settings, rules, false);
}

/** True: proposed. False: its driver or one of its orders is not to be had any more. */
function proposeTrip(
  ctx: ZoneContext,
  settings: DomainSettings,
  trip: DecidedTrip,
  seen: Pick<DecisionEvidence, "decidedAt" | "drivers" | "orders">,
  known: Map<string, ZoneOrderInput>,
  free: Map<string, PresenceInput>,
): boolean {
  const { driverId, restaurantIds, orderIds, terms, alternatives } = trip;
  const orders = orderIds.flatMap((orderId) => known.get(orderId) ?? []);
  const isWhole = orders.length === orderIds.length && orders.length <= MOST_ON_TRIP;
  if (!isWhole || !free.has(driverId) || orders.some(({ excluded }) => excluded.includes(driverId))) return false;
  const memory = ctx.volatile;
  const others = orders.length === 1 ? alternatives.filter((other) => free.has(other.driverId)) : [];
  const chosen = [driverId, ...others.map((other) => other.driverId)].slice(0, offersAtOnce(ctx, settings));
  const why = reasons(trip, settings);
  const evidence: DecisionEvidence = {
    ...seen,
    terms: wholeMs(terms),
    ...aboutDriver(memory, driverId),
    alternatives: alternatives.map((other) => ({ driverId: other.driverId, extraMs: Math.round(other.extraMs) })),
  };
  const pickups = restaurantIds.flatMap((at) => orders.filter((order) => order.restaurantId === at));
  const card: OfferCard | undefined =
    orders.length > 1 ? { cardId: ctx.newId(), orderIds, pickups: pickups.map(({ orderId }) => orderId) } : undefined;
  for (const { orderId } of orders) {
    const dueAt = memory.due.get(orderId) ?? seen.decidedAt;
    send(ctx, settings, orderId, {
      candidates: chosen.map((candidate, index) => ({
        driverId: candidate,
        why: index === 0 ? why : `#${index + 1} of those who were asked together`,
      })),
      by: "horizon",
      dueAt,
      evidence,
      ...(card === undefined ? {} : { card }),
    });
    known.delete(orderId);
  }
  for (const candidate of chosen) free.delete(candidate);
  return true;
}

/**
 * The last plan knew which trip would be each driver's next. Whoever is free earlier than the next plan can be made gets it at
 * once, if its time has come: where drivers are few or thinking takes long, waiting for the plan would cost more than it could better.
 */
function proposeStanding(ctx: ZoneContext, settings: DomainSettings): void {
  const memory = ctx.volatile;
  const due = memory.tentative.filter(
    ({ terms, dueAt, driverId }) =>
      terms !== null && dueAt <= ctx.now && memory.drivers.get(driverId)?.state === "available",
  );
  if (due.length === 0) return;
  const known = new Map(waitingOrders(memory, memory.orders.values(), ctx.now).map((order) => [order.orderId, order]));
  const free = new Map(freeDrivers(ctx, settings).map((driver) => [driver.driverId, driver]));
  const seen = { decidedAt: memory.plannedAt, drivers: memory.drivers.size, orders: known.size };
  for (const { driverId, restaurantIds, orderIds, terms } of due) {
    if (terms === null) continue;
    const trip: DecidedTrip = { driverId, restaurantIds, orderIds, terms, alternatives: [] };
    proposeTrip(ctx, settings, trip, seen, known, free);
  }
}

/** Keeps what was planned for the next decision to begin from, and since when orders have been due by it. */
function remember(memory: ZoneMemory, { tentative }: DecisionAnswer, plannedAt: number, leastMs: number): void {
  memory.tentative = tentative;
  memory.plannedAt = plannedAt;
  let soonest = memory.askBy;
  for (const { orderIds, commitAt, expected } of tentative) {
    if (expected) continue;
    soonest = Math.min(soonest, commitAt);
    for (const orderId of orderIds) if (memory.orders.has(orderId)) memory.due.set(orderId, commitAt);
  }
  // Not at once again and again for a trip that could not be proposed.
  memory.askBy = Math.max(soonest, memory.askedAt + leastMs);
}

/** The decision in words, for the order's history. */
function reasons({ restaurantIds, orderIds, terms, alternatives }: DecidedTrip, settings: DomainSettings): string {
  const minutes = (durationMs: number): string => (durationMs / settings.order.minuteMs).toFixed(1);
  const parts = [`planned: ${minutes(terms.travelMs)} min to the restaurant`];
  if (orderIds.length > 1) {
    const from = restaurantIds.length > 1 ? ` from ${restaurantIds.length} restaurants` : "";
    parts.push(`${orderIds.length} orders${from} on one trip, which adds ${minutes(terms.sharingMs)} min in all`);
  }
  parts.push(
    terms.foodWaitsMs > 0
      ? `food waits ${minutes(terms.foodWaitsMs)} min`
      : `waits ${minutes(terms.driverWaitsMs)} min for the food`,
  );
  const next = alternatives[0];
  if (next !== undefined) {
    const extra = minutes(Math.abs(next.extraMs));
    parts.push(
      next.extraMs >= 0 ? `the next best costs ${extra} min more` : `one better by ${extra} min is needed elsewhere`,
    );
  }
  return parts.join("; ");
}

/** What was known of the driver who was chosen. */
function aboutDriver(memory: ZoneMemory, driverId: string): Pick<DecisionEvidence, "chosen"> {
  const presence = memory.drivers.get(driverId);
  if (presence === undefined) return {};
  const hundredth = (value: number): number => Math.round(value * 100) / 100;
  const { acceptance, busyShare, vehicle } = presence;
  const { average, count } = memory.ratings.get(driverId) ?? { average: 0, count: 0 };
  return {
    chosen: {
      vehicle,
      acceptance: hundredth(acceptance),
      busyShare: hundredth(busyShare),
      rating: { average, count },
    },
  };
}

function wholeMs(terms: DecidedTrip["terms"]): DecisionEvidence["terms"] {
  const round = (value: number): number => Math.round(value);
  return {
    travelMs: round(terms.travelMs),
    foodWaitsMs: round(terms.foodWaitsMs),
    driverWaitsMs: round(terms.driverWaitsMs),
    delayMs: round(terms.delayMs),
    lateMs: round(terms.lateMs),
    sharingMs: round(terms.sharingMs),
    busyMs: round(terms.busyMs),
    fairnessMs: round(terms.fairnessMs),
    acceptanceMs: round(terms.acceptanceMs),
    ratingMs: round(terms.ratingMs),
    costMs: round(terms.costMs),
  };
}
