import t from "tap";
import { defaultDomainSettings } from "../settings.js";
import type { PresenceInput, ZoneOrderInput } from "./messages.js";
import { emptyZone, forgetSilent, keepDriver, keepOrder } from "./state.js";

const settings = { ...defaultDomainSettings.zone, maxDrivers: 2 };
const presence = (driverId: string, at: number, over: Partial<PresenceInput> = {}): PresenceInput => ({
  driverId,
  lat: 1.5,
  lng: 2.5,
  state: "available",
  at,
  vehicle: "bicycle",
  free: { lat: 1.5, lng: 2.5, at },
  acceptance: 0.9,
  busyShare: 0.1,
  ...over,
});

t.test("R-DSP-1: the newest presence is kept whole, an older one changes nothing", async (t) => {
  const memory = emptyZone();
  t.equal(keepDriver(memory, presence("d1", 1_000), settings), undefined, "nobody knew of it");
  const newer = presence("d1", 2_000, {
    lat: 3.25,
    lng: 4.25,
    state: "on_trip",
    vehicle: "car",
    free: { lat: 5.5, lng: 6.5, at: 9_000 },
    acceptance: 0.25,
    busyShare: 0.75,
  });
  t.equal(keepDriver(memory, newer, settings), "available", "what it was before");
  t.same(memory.drivers.get("d1"), newer);
  t.equal(keepDriver(memory, presence("d1", 1_500), settings), "on_trip");
  t.same(memory.drivers.get("d1"), newer);
});

t.test("R-DSP-1: who comes back after the time that a presence lasts is new, forgotten or not", async (t) => {
  const memory = emptyZone();
  const { presenceTtlMs } = settings;
  keepDriver(memory, presence("d1", 1_000), settings);
  t.equal(keepDriver(memory, presence("d1", 1_000 + presenceTtlMs), settings), "available");
  t.equal(keepDriver(memory, presence("d1", 1_001 + 2 * presenceTtlMs), settings), undefined);
  t.equal(memory.drivers.get("d1")?.at, 1_001 + 2 * presenceTtlMs);
});

t.test("R-DSP-1: zones that were told by the same message do not see each other's news", async (t) => {
  const [here, beyond] = [emptyZone(), emptyZone()];
  const told = presence("d1", 1_000);
  for (const memory of [here, beyond]) keepDriver(memory, told, settings);
  keepDriver(here, presence("d1", 2_000, { lat: 3.25, free: { lat: 3.25, lng: 2.5, at: 2_000 } }), settings);
  t.same(beyond.drivers.get("d1"), presence("d1", 1_000));
  t.same(told, presence("d1", 1_000), "nor is the message written over");
});

t.test("R-DSP-1: a zone keeps no more drivers than it may, and forgets the silent soon after their time", async (t) => {
  const memory = emptyZone();
  for (const driverId of ["d1", "d2", "d3"]) keepDriver(memory, presence(driverId, 1_000), settings);
  t.same([...memory.drivers.keys()], ["d1", "d2"]);
  const { presenceTtlMs } = settings;
  keepDriver(memory, presence("d2", 1_000 + presenceTtlMs), settings);
  for (let passedMs = 0; passedMs <= presenceTtlMs; passedMs += 1_000) forgetSilent(memory, 1_000 + passedMs, settings);
  t.same([...memory.drivers.keys()], ["d1", "d2"], "nobody before the time is over");
  for (let passedMs = 0; passedMs <= presenceTtlMs / 5; passedMs += 1_000) {
    forgetSilent(memory, 2_000 + presenceTtlMs + passedMs, settings);
  }
  t.same([...memory.drivers.keys()], ["d2"]);
});

t.test("R-DSP-1: pictures of an order may overtake each other, also the last one", async (t) => {
  const memory = emptyZone();
  const picture = (version: number, over: Partial<ZoneOrderInput> = {}): ZoneOrderInput => ({
    orderId: "o",
    version,
    status: "accepted",
    restaurantId: "r",
    placedAt: 0,
    pickup: { lat: 1.5, lng: 2.5 },
    dropoff: { lat: 1.5, lng: 2.6 },
    readyAt: 0,
    search: "waiting",
    notBefore: 0,
    excluded: [],
    offeredTo: [],
    driverId: null,
    ...over,
  });
  const assigned = picture(3, { search: "none", driverId: "d" });
  keepOrder(memory, assigned, false, settings);
  keepOrder(memory, picture(2), false, settings);
  t.same(memory.orders.get("o"), assigned, "an older one changes nothing");
  keepOrder(memory, picture(5, { status: "delivered", search: "none" }), true, settings);
  t.equal(memory.orders.size, 0);
  keepOrder(memory, picture(4, { status: "picked_up", search: "none", driverId: "d" }), false, settings);
  t.equal(memory.orders.size, 0, "what is over does not come back");
});
