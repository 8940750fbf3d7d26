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

type Growing<T> = { -readonly [Name in keyof T]: T[Name] };

/** Made twice with every commit. Names are set one by one: an object that is spread into leaves V8's fast ways. */
export function orderView(orderId: string, order: PlacedOrder): OrderView {
  const { content, kitchen, delivery, closed } = order;
  const status = statusOf(order);
  const driver = driverOf(delivery);
  const isOver = isTerminal(status);
  const eta = isOver ? null : shownEta(order);
  const refunded = refundedMinor(order.payment, ["done"]);
  const view: Growing<OrderView> = {
    orderId,
    version: order.revision,
    status,
    timeline: order.timeline,
    restaurant: content.restaurant,
    destination: content.destination,
    lines: content.lines,
    totals: content.totals,
    placedAt: content.placedAt,
    anotherFirst: closed === null && driver !== null && delivery.status !== "delivered" && driver.before > 0,
  };
  if (content.deliverAt !== undefined) view.deliverAt = content.deliverAt;
  if (refunded !== 0) view.refundedMinor = refunded;
  if (order.talk !== undefined) view.roomId = tripRoomOf(orderId);
  if (eta !== null) view.eta = { from: eta.from, expected: eta.expected, to: eta.to };
  if (isOver && order.eta !== undefined) view.etaHistory = etaHistory(order, order.eta);
  if ("readyAt" in kitchen) view.readyAt = kitchen.readyAt;
  if (driver !== null && closed === null && driver.name !== "") {
    const { name, vehicle } = driver;
    // A relay through the marketplace: neither side sees the other's number, and it ends with the delivery.
    view.driver =
      delivery.status === "carrying" ? { name, vehicle, contact: `relay:${driver.offerId}` } : { name, vehicle };
  }
  if (closed !== null) view.reason = closed.reason;
  if (closed?.refusal) view.refusal = closed.refusal;
  return view;
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
