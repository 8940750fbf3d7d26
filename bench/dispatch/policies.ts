/** The policies that are compared. */
import { seededRandom } from "../../src/lib/random.js";
import {
  type Driver,
  decide,
  expectedOrders,
  type MatchingSettings,
  type OpenOrder,
  type TripPlan,
} from "../../src/matching/mod.js";
import { type Instance, type Spot, travelMinutes } from "./instance.js";
import type { CourierView, OrderView, Policy, Send } from "./simulate.js";

const MINUTE = 60_000;

/** What is believed of a courier's acceptance before much is known of it: as much as so many offers would tell. */
const EXPECTED_ACCEPTANCE = 0.7;
const PRIOR_OFFERS = 4;
/** How much earlier a trip is offered where couriers take time to answer. */
const ANSWER_MS = 30_000;

/** The product's matching, in the instance's terms. */
export function matchingPolicy(
  instance: Instance,
  settings: MatchingSettings,
  seed: number,
  acceptance: "certain" | "learned",
): Policy {
  const rules = acceptance === "certain" ? settings : { ...settings, commitLeadMs: ANSWER_MS };
  const random = seededRandom(seed);
  const ways = { travel: (from: Spot, to: Spot) => travelMinutes(instance, from, to) * MINUTE };
  let previous: readonly TripPlan[] = [];
  let recent = new Map<string, OpenOrder<Spot>>();
  return ({ now, open, couriers }) => {
    const known = open.map((order) => openOrder(instance, order));
    for (const order of known) recent.set(order.orderId, order);
    recent = new Map([...recent].filter(([, { placedAt }]) => placedAt > now * MINUTE - settings.forecast.aheadMs));
    const orders = [...known, ...expectedOrders([...recent.values()], now * MINUTE, settings.forecast)];
    const drivers = couriers.map(
      ({ courier, spot, freeAt, served, offers, accepted }): Driver<Spot> => ({
        driverId: courier.id,
        place: spot,
        freeAt: freeAt * MINUTE,
        lastPickupAt: courier.off * MINUTE,
        overworked: overpaid(instance, courier.off - courier.on, served),
        poorlyRated: 0,
        acceptance:
          acceptance === "certain" ? 1 : (accepted + EXPECTED_ACCEPTANCE * PRIOR_OFFERS) / (offers + PRIOR_OFFERS),
      }),
    );
    const decision = decide({ now: now * MINUTE, orders, drivers, ...ways, settings: rules, random, previous });
    previous = decision.tentative;
    return decision.commits.map(({ driverId, orderIds }): Send => ({ courier: driverId, orders: orderIds }));
  };
}

function openOrder({ restaurants, targetMinutes, maximumMinutes }: Instance, order: OrderView): OpenOrder<Spot> {
  return {
    orderId: order.id,
    restaurantId: order.restaurant,
    pickup: restaurants.get(order.restaurant)!,
    dropOff: order,
    placedAt: order.placement * MINUTE,
    readyAt: order.ready * MINUTE,
    targetAt: (order.placement + targetMinutes) * MINUTE,
    latestAt: (order.placement + maximumMinutes) * MINUTE,
    excluded: order.excluded,
    likelihood: 1,
  };
}

/** Whoever is idle and nearest goes at once, for one order at a time, in the order of placement. */
export function greedyPolicy(instance: Instance): Policy {
  const { restaurants, maximumMinutes, pickupServiceMinutes, dropoffServiceMinutes } = instance;
  return ({ now, open, couriers }) => {
    const idle = new Set(couriers.filter(({ freeAt, courier }) => freeAt <= now && courier.on <= now));
    const sends: Send[] = [];
    for (const order of open.toSorted((a, b) => a.placement - b.placement || (a.id < b.id ? -1 : 1))) {
      const restaurant = restaurants.get(order.restaurant)!;
      let best: { view: CourierView; way: number } | null = null;
      for (const view of idle) {
        const way = travelMinutes(instance, view.spot, restaurant);
        if (best !== null && way >= best.way) continue;
        if (order.excluded.includes(view.courier.id)) continue;
        const pickup = Math.max(now + way + pickupServiceMinutes / 2, order.ready);
        const dropoff =
          pickup + pickupServiceMinutes / 2 + travelMinutes(instance, restaurant, order) + dropoffServiceMinutes / 2;
        if (pickup > view.courier.off || dropoff > order.placement + maximumMinutes) continue;
        best = { view, way };
      }
      if (best === null) continue;
      idle.delete(best.view);
      sends.push({ courier: best.view.courier.id, orders: [order.id] });
    }
    return sends;
  };
}

/** How much of the next order's pay comes on top of what the shift earns anyway: 0 none … 1 all. */
function overpaid({ payPerOrder, payPerHour }: Instance, shiftMinutes: number, served: number): number {
  const beyond = (served + 1) * payPerOrder - (shiftMinutes / 60) * payPerHour;
  return Math.min(1, Math.max(0, beyond / payPerOrder));
}

/** The settings of an instance: its service times, and bundles of one restaurant, as its rules want. */
export function settingsFor(instance: Instance, base: MatchingSettings): MatchingSettings {
  return {
    ...base,
    collectMs: (instance.pickupServiceMinutes / 2) * MINUTE,
    leaveRestaurantMs: (instance.pickupServiceMinutes / 2) * MINUTE,
    handOverMs: (instance.dropoffServiceMinutes / 2) * MINUTE,
    leaveCustomerMs: (instance.dropoffServiceMinutes / 2) * MINUTE,
    trips: { ...base.trips, mostRestaurants: 1 },
  };
}
