/** An order as others see it: the customer's view, what gateways hold beside it, the row of the index, the zone's picture. */
import type { DispatchView, EtaView, OrderView } from "../../../protocol/mod.js";
import { isTerminal, tripRoomOf } from "../../../protocol/mod.js";
import type { IndexEntry } from "../../runtime/definition.js";
import { wantedSince, type ZoneOrderInput } from "../dispatch-zone/messages.js";
import { asJson } from "../json.js";
import type { DomainSettings } from "../settings.js";
import { noteView, shownEta } from "./eta.js";
import type { OrderRecord } from "./messages.js";
import {
  driverOf,
  dropoffPoint,
  isPlaced,
  type OrderEta,
  type OrderState,
  type PlacedOrder,
  pickupPoint,
  readyAtOf,
  refundedMinor,
  statusOf,
} from "./state.js";

export function orderView(orderId: string, order: PlacedOrder): OrderView {
  const { content, kitchen, delivery, closed } = order;
  const status = statusOf(order);
  const driver = driverOf(delivery);
  const eta = isTerminal(status) ? null : shownEta(order);
  const refunded = refundedMinor(order.payment, ["done"]);
  return {
    orderId,
    version: order.revision,
    status,
    timeline: order.timeline,
    restaurant: content.restaurant,
    destination: content.destination,
    lines: content.lines,
    totals: content.totals,
    placedAt: content.placedAt,
    ...(content.deliverAt === undefined ? {} : { deliverAt: content.deliverAt }),
    ...(refunded === 0 ? {} : { refundedMinor: refunded }),
    ...(order.talk === undefined ? {} : { roomId: tripRoomOf(orderId) }),
    ...(eta === null ? {} : { eta: { from: eta.from, expected: eta.expected, to: eta.to } }),
    ...(isTerminal(status) && order.eta !== undefined ? { etaHistory: etaHistory(order, order.eta) } : {}),
    ...("readyAt" in kitchen ? { readyAt: kitchen.readyAt } : {}),
    ...(driver === null || closed !== null || driver.name === ""
      ? {}
      : {
          driver: {
            name: driver.name,
            vehicle: driver.vehicle,
            // A relay through the marketplace: neither side sees the other's number, and it ends with the delivery.
            ...(delivery.status === "carrying" ? { contact: `relay:${driver.offerId}` } : {}),
          },
        }),
    anotherFirst: closed === null && driver !== null && delivery.status !== "delivered" && driver.before > 0,
    ...(closed === null ? {} : { reason: closed.reason }),
    ...(closed?.refusal ? { refusal: closed.refusal } : {}),
  };
}

/** How the expected arrival changed, told once the order is over. */
function etaHistory(order: PlacedOrder, { notes }: OrderEta): readonly EtaView[] {
  return notes.map((note) => {
    const { at, from, expected, to, cause } = noteView(order, note);
    return { at, from, expected, to, cause };
  });
}

export function orderRecord(orderId: string, order: PlacedOrder): OrderRecord {
  const { content, kitchen, delivery, closed } = order;
  const driver = driverOf(delivery);
  return {
    customerId: content.customerId,
    restaurantId: content.restaurant.id,
    driverId: closed === null && driver !== null ? driver.driverId : null,
    version: order.revision,
    grant:
      closed === null && delivery.status === "carrying"
        ? { driverId: delivery.driver.driverId, number: delivery.grant }
        : null,
    view: orderView(orderId, order),
    acceptBy: kitchen.status === "offered" ? kitchen.acceptBy : 0,
    note: content.note,
  };
}

/** The row others find the order by. Equal states give equal rows: nothing in it depends on when it is made. */
export function orderIndex(state: OrderState, key: string): IndexEntry | null {
  if (!isPlaced(state)) return null;
  const { content } = state;
  const status = statusOf(state);
  return {
    scope: content.zone,
    owner: content.customerId,
    counterparty: content.restaurant.id,
    status,
    live: !isTerminal(status),
    at: content.placedAt,
    view: asJson(orderRecord(key, state)),
  };
}

/** The order as its zone follows it. */
export function zonePicture(
  orderId: string,
  order: PlacedOrder,
  now: number,
  settings: DomainSettings,
): ZoneOrderInput {
  const { content, delivery, closed } = order;
  const driver = driverOf(delivery);
  const open = closed === null;
  return {
    orderId,
    version: order.revision,
    status: statusOf(order),
    restaurantId: content.restaurant.id,
    placedAt: wantedSince(content, settings.zone),
    pickup: pickupPoint(content),
    dropoff: dropoffPoint(content),
    // What this kitchen's word was worth so far is known; once the food is out, both are one.
    readyAt: order.eta?.readyAt ?? readyAtOf(order, now, settings.order.defaultPrepMs),
    search: !open
      ? "none"
      : delivery.status === "searching"
        ? "waiting"
        : delivery.status === "offered"
          ? "offered"
          : "none",
    notBefore: delivery.status === "searching" ? delivery.notBefore : 0,
    excluded: order.excluded,
    offeredTo: delivery.status === "offered" ? delivery.offers.map((offer) => offer.driverId) : [],
    driverId: open && driver !== null ? driver.driverId : null,
  };
}

const SEARCH: Readonly<Partial<Record<PlacedOrder["delivery"]["status"], DispatchView["search"]>>> = {
  searching: "searching",
  offered: "offered",
  assigned: "assigned",
  revoking: "assigned",
  carrying: "assigned",
};

/** The search for the order's driver, for support. */
export function dispatchView(
  orderId: string,
  order: PlacedOrder,
  { order: { minuteMs } }: DomainSettings,
): DispatchView {
  const { delivery, offersMade, revision, rounds, excluded } = order;
  return {
    orderId,
    version: revision,
    status: statusOf(order),
    search: SEARCH[delivery.status] ?? "none",
    driverId: driverOf(delivery)?.driverId ?? null,
    searchedFrom: offersMade.searchedFrom,
    dueAt: offersMade.dueAt,
    firstOfferAt: offersMade.firstOfferAt,
    rounds,
    excluded,
    minuteMs,
    offers: offersMade.newest,
  };
}
