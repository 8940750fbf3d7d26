import t from "tap";
import type { JsonObject } from "../../../lib/json.js";
import { at } from "../fixtures/city.js";
import { defaultDomainSettings as settings } from "../mod.js";
import { speedShareOf, travelMs } from "../travel.js";
import { cardView, newCard, shown, withoutPart, withPart } from "./cards.js";
import { freeAfter } from "./forecast.js";
import { acceptanceOf, busyShareOf, newRecord, withAnswer } from "./record.js";
import { initialDriver, type Leg, type Trip, withCards } from "./state.js";

const NOW = 1_800_000_000_000;
const HOUR = 3_600_000;

const held = (orderId: string, north: number) => ({
  zone: "z",
  offer: {
    offerId: `offer-${orderId}`,
    orderId,
    orderIds: [orderId],
    expiresAt: NOW + 45_000,
    stops: [
      { kind: "pickup" as const, orderId, ...at(0), name: "R", done: false },
      { kind: "dropoff" as const, orderId, ...at(north), name: "C", done: false },
    ],
    payMinor: 500,
    currency: "COP",
    readyAt: NOW + north,
  },
});

const leg = (orderId: string, north: number, stage: Leg["stage"] = "to_pickup"): Leg => ({
  orderId,
  offerId: `offer-${orderId}`,
  zone: "z",
  stage,
  stops: held(orderId, north).offer.stops,
  readyAt: 0,
  place: 0,
  before: 0,
});

t.test("R-DSP-4: acceptance is learned from answers, begins with a prior, and is never certain", async (t) => {
  let record = newRecord();
  t.equal(acceptanceOf(record), 0.9);
  for (let i = 0; i < 30; i++) record = withAnswer(record, false);
  const refusing = acceptanceOf(record);
  t.ok(refusing > 0 && refusing < 0.45, `${refusing}`);
  for (let i = 0; i < 300; i++) record = withAnswer(record, true);
  const willing = acceptanceOf(record);
  t.ok(willing > 0.95 && willing < 1, `${willing}`);
});

t.test("R-DSP-7: the share of work follows the shift, and a shift that has just begun says little", async (t) => {
  const record = { ...newRecord(), busyMs: HOUR };
  t.equal(busyShareOf(newRecord(), 0, 0, HOUR), 0);
  t.ok(busyShareOf(newRecord(), 60_000, 60_000, HOUR) < 0.1);
  t.ok(busyShareOf(record, 0, 2 * HOUR, HOUR) > busyShareOf(record, 0, 4 * HOUR, HOUR));
  t.equal(busyShareOf(record, 20 * HOUR, HOUR, HOUR), 1);
});

t.test("R-DSP-1: a driver is free after the last stop of the trip, when the food and the way allow it", async (t) => {
  const trip = (...legs: Leg[]): Trip => ({ tripId: "t", number: 1, acceptedAt: NOW, plan: [], legs, claims: [] });
  const free = (one: Trip, vehicle = "van", waitsSince: number | null = null) =>
    freeAfter(one, at(0), vehicle, NOW, () => waitsSince, settings);
  const { handoverMs } = settings.travel;
  const way = travelMs(at(0), at(3_000), settings.travel);
  t.same(free(trip(leg("a", 3_000))), { ...at(3_000), at: NOW + 2 * handoverMs + way });
  const late = { ...leg("a", 3_000), readyAt: NOW + 1_200_000 };
  t.equal(free(trip(late)).at, NOW + 1_200_000 + handoverMs + way, "the driver waits for the food");
  const overdue = trip({ ...leg("a", 3_000), readyAt: NOW - 600_000 });
  t.equal(free(overdue).at, NOW + 2 * handoverMs + way, "whoever is not there yet may find the food ready");
  const long = NOW + 600_000 + handoverMs + way;
  t.equal(free(overdue, "van", NOW - 900_000).at, long, "a kitchen that is late takes as long again");
  t.equal(free(overdue, "van", NOW - 30_000).at, free(overdue).at, "of which nothing is known before they are there");
  const two = free(trip(leg("a", 1_000), leg("b", 3_000)));
  t.ok(Math.abs(two.at - (NOW + 4 * handoverMs + way)) < 1, "both pickups, then both deliveries on one way");
  t.ok(free(trip(leg("a", 3_000)), "walking").at > free(trip(leg("a", 3_000)), "bicycle").at);
  t.ok(speedShareOf("walking") < speedShareOf("bicycle") && speedShareOf("bicycle") < speedShareOf("car"));
  t.equal(speedShareOf("constructor"), 1, "a vehicle nobody knows is an ordinary one");
});

t.test("R-DSP-3: a card is shown when it is complete, in the order of delivery, and shrinks", async (t) => {
  const plan = { cardId: "card", orderIds: ["a", "b", "c"] };
  let card = newCard(held("c", 3_000), plan, NOW + 400);
  t.equal(card.showAt, NOW + 400);
  card = withPart(withPart(card, held("a", 1_000)), held("b", 2_000));
  t.equal(card.showAt, null, "complete");
  const view = cardView(card);
  t.match(view, { offerId: "card", orderId: "a", orderIds: ["a", "b", "c"], payMinor: 1_500, readyAt: NOW + 3_000 });
  t.same(
    view.stops.map(({ kind, orderId }) => `${kind} ${orderId}`),
    ["pickup a", "pickup b", "pickup c", "dropoff a", "dropoff b", "dropoff c"],
  );
  t.same(withoutPart(card, "offer-b")?.orderIds, ["a", "c"]);
  t.equal(withoutPart(newCard(held("a", 1), undefined, 0), "offer-a"), null);
  const partial = withPart(newCard(held("a", 1_000), plan, NOW + 400), held("c", 3_000));
  t.equal(partial.showAt, NOW + 400);
  t.match(shown(partial), { orderIds: ["a", "c"], showAt: null });
  t.equal(withoutPart(partial, "offer-a")?.showAt, NOW + 400, "the third may still come");
});

t.test(
  "R-ENG-10: a driver's state of version 1 goes on as one of version 2, whatever the driver was doing",
  async (t) => {
    const { offer, zone } = held("a", 1_000);
    const { orderIds: _none, ...old } = offer;
    const before = { shift: { status: "off" }, offers: [], past: [], work: { status: "free" } };
    t.same(withCards(before as JsonObject), { ...initialDriver(), trips: 1 });
    const offered = withCards({ ...before, offers: [{ offer: old, zone }] } as unknown as JsonObject);
    t.same(offered.offers, [{ cardId: "offer-a", orderIds: ["a"], parts: [{ offer, zone }], showAt: null }]);
    const claiming = { status: "claiming", held: { offer: old, zone }, acceptedAt: NOW };
    t.match(withCards({ ...before, work: claiming } as unknown as JsonObject).work, {
      status: "claiming",
      trip: { tripId: "offer-a", plan: ["a"], legs: [], claims: [{ held: { offer, zone }, place: 0 }] },
    });
    const { readyAt: _ready, place: _place, before: _before, ...oldLeg } = leg("a", 1_000, "carrying");
    const driving = { status: "on_trip", trip: { tripId: "offer-a", legs: [oldLeg] } };
    t.match(withCards({ ...before, work: driving } as unknown as JsonObject).work, {
      status: "on_trip",
      trip: { tripId: "offer-a", plan: ["a"], claims: [], legs: [leg("a", 1_000, "carrying")] },
    });
  },
);
