/**
 * One instance, step by step. The policy is asked with what is known at that moment and nothing else: orders placed by
 * now, their expected readiness, couriers, their schedule and where their trip is expected to end. Future orders do not
 * exist for it.
 */
import type { Clock } from "../../src/lib/clock.js";
import { type Instance, type InstanceCourier, type InstanceOrder, type Spot, travelMinutes } from "./instance.js";
import type { Assignment } from "./solution.js";
import type { World } from "./world.js";

/** What a policy sees of a courier who is not under an offer. */
export interface CourierView {
  readonly courier: InstanceCourier;
  readonly spot: Spot;
  /** The minute of being free: past, or the expected end of the trip, or the shift's begin. */
  readonly freeAt: number;
  /** Orders so far. */
  readonly served: number;
  readonly offers: number;
  readonly accepted: number;
}

/** What a policy sees of an order: `ready` is what is expected. */
export interface OrderView extends InstanceOrder {
  /** Couriers who did not accept it. */
  readonly excluded: readonly string[];
}

export interface View {
  /** In minutes. */
  readonly now: number;
  readonly open: readonly OrderView[];
  readonly couriers: readonly CourierView[];
}

/** A trip to send now: the orders of one restaurant in the order of delivery. */
export interface Send {
  readonly courier: string;
  readonly orders: readonly string[];
}

export type Policy = (view: View) => readonly Send[];

export interface Run {
  readonly assignments: readonly Assignment[];
  readonly decisionMs: readonly number[];
}

/** How far ahead shifts are announced to the policy. */
const SCHEDULE_MINUTES = 60;

interface CourierState {
  readonly courier: InstanceCourier;
  spot: Spot;
  freeAt: number;
  served: number;
  offers: number;
  accepted: number;
  offered: boolean;
  trip: { readonly from: Spot; readonly bundle: readonly InstanceOrder[]; readonly done: Assignment } | null;
}

interface Offer {
  readonly at: number;
  readonly accepted: boolean;
  readonly state: CourierState;
  readonly bundle: readonly InstanceOrder[];
}

export function simulate(instance: Instance, policy: Policy, world: World, clock: Clock): Run {
  const couriers = new Map<string, CourierState>(
    instance.couriers.map((courier) => [
      courier.id,
      { courier, spot: courier, freeAt: courier.on, served: 0, offers: 0, accepted: 0, offered: false, trip: null },
    ]),
  );
  const arriving = instance.orders.toSorted((a, b) => a.placement - b.placement || (a.id < b.id ? -1 : 1));
  const excluded = new Map<string, string[]>();
  let open: InstanceOrder[] = [];
  let offers: Offer[] = [];
  const assignments: Assignment[] = [];
  const decisionMs: number[] = [];
  let next = 0;

  const leave = (state: CourierState, bundle: readonly InstanceOrder[], at: number): void => {
    const done = drive(instance, at, state.courier.id, state.spot, bundle, world.readyAt);
    assignments.push(done);
    state.trip = { from: state.spot, bundle, done };
    state.spot = bundle.at(-1)!;
    state.freeAt = endOf(instance, done);
    state.served += bundle.length;
  };
  const answer = ({ accepted, state, bundle, at }: Offer): void => {
    state.offered = false;
    if (accepted) {
      state.accepted++;
      leave(state, bundle, at);
      return;
    }
    for (const { id } of bundle) excluded.set(id, [...(excluded.get(id) ?? []), state.courier.id]);
    open.push(...bundle);
  };

  for (
    let now = arriving[0]?.placement ?? 0;
    next < arriving.length || open.length + offers.length > 0;
    now += world.stepMin
  ) {
    while (next < arriving.length && arriving[next]!.placement <= now) open.push(arriving[next++]!);
    for (const offer of offers) if (offer.at <= now) answer(offer);
    offers = offers.filter(({ at }) => at > now);
    open = open.filter(({ placement }) => placement + instance.maximumMinutes >= now);
    if (open.length === 0) continue;
    const view: View = {
      now,
      open: open.map((order) => ({
        ...order,
        ready: expectedReady(order, now, world),
        excluded: excluded.get(order.id) ?? [],
      })),
      couriers: [...couriers.values()]
        .filter(({ courier, offered }) => !offered && courier.off >= now && courier.on <= now + SCHEDULE_MINUTES)
        .map((state) => ({ ...state, freeAt: expectedFree(instance, state, now, world) })),
    };
    const began = clock.monotonic();
    const sends = policy(view);
    decisionMs.push(clock.monotonic() - began);
    for (const { courier: id, orders } of sends) {
      const state = couriers.get(id)!;
      const bundle = orders.map((order) => open.find((one) => one.id === order)!);
      open = open.filter((order) => !bundle.includes(order));
      const { accepted, afterMin } = world.answer(id);
      state.offers++;
      state.offered = true;
      const offer = { at: now + afterMin, accepted, state, bundle };
      if (afterMin === 0) answer(offer);
      else offers.push(offer);
    }
  }
  return { assignments, decisionMs };
}

/** What the restaurant's word is worth: when it proves wrong, a little later, until the food is there. */
function expectedReady(order: InstanceOrder, now: number, world: World): number {
  const readyAt = world.readyAt(order);
  return readyAt <= now ? readyAt : Math.max(order.ready, now + world.lateGuessMin);
}

function expectedFree(instance: Instance, { courier, trip, freeAt }: CourierState, now: number, world: World): number {
  if (trip === null || trip.done.pickup <= now) return freeAt;
  const expected = drive(instance, trip.done.departure, courier.id, trip.from, trip.bundle, (order) =>
    expectedReady(order, now, world),
  );
  return Math.max(now, endOf(instance, expected));
}

function endOf({ dropoffServiceMinutes }: Instance, { stops }: Assignment): number {
  return stops.at(-1)!.dropoff + dropoffServiceMinutes / 2;
}

/** What becomes of a trip that leaves at `at`. */
function drive(
  instance: Instance,
  at: number,
  courier: string,
  from: Spot,
  bundle: readonly InstanceOrder[],
  readyAt: (order: InstanceOrder) => number,
): Assignment {
  const { restaurants, pickupServiceMinutes, dropoffServiceMinutes } = instance;
  const restaurant = bundle[0]!.restaurant;
  let spot = restaurants.get(restaurant)!;
  const arrived = at + travelMinutes(instance, from, spot);
  const pickup = Math.max(arrived + pickupServiceMinutes / 2, ...bundle.map(readyAt));
  let departure = pickup + pickupServiceMinutes / 2;
  const stops = bundle.map((order) => {
    const left = departure;
    const dropoff = left + travelMinutes(instance, spot, order) + dropoffServiceMinutes / 2;
    departure = dropoff + dropoffServiceMinutes / 2;
    spot = order;
    return { order: order.id, departure: left, dropoff };
  });
  return { courier, restaurant, assigned: at, departure: at, pickup, stops };
}
