import t from "tap";
import { at } from "../fixtures/city.js";
import { defaultDomainSettings as settings } from "../settings.js";
import type { DriverContext } from "./gps.js";
import { tellProgress, wayTo } from "./progress.js";
import type { Leg, LivePosition, Trip } from "./state.js";

const stop = (kind: "pickup" | "dropoff", orderId: string, north: number, done = false) => ({
  kind,
  orderId,
  ...at(north),
  name: orderId,
  done,
});

function leg(orderId: string, pickup: number, dropoff: number, stage: Leg["stage"]): Leg {
  const carrying = stage === "carrying" || stage === "at_dropoff";
  return {
    orderId,
    offerId: orderId,
    zone: "z",
    stage,
    stops: [stop("pickup", orderId, pickup, carrying), stop("dropoff", orderId, dropoff)],
    readyAt: 0,
    place: 0,
    before: 0,
  };
}

const trip = (...legs: Leg[]): Trip => ({
  tripId: "t",
  number: 1,
  acceptedAt: 0,
  plan: legs.map(({ orderId }) => orderId),
  legs,
  claims: [],
});

t.test("R-ETA-1: the way of an order leads over the stops before it", async (t) => {
  const near = (found: { meters: number; stops: number }, meters: number, stops: number): void => {
    t.ok(Math.abs(found.meters - meters) < 5, `${found.meters} m, not ${meters}`);
    t.equal(found.stops, stops);
  };
  const [a, b] = [leg("a", 1_000, 3_000, "to_pickup"), leg("b", 1_200, 2_500, "to_pickup")];
  const both = trip(a, b);
  near(wayTo(both, a, at(0)), 1_000, 0);
  near(wayTo(both, b, at(0)), 1_200, 1);
  const [first, second] = [leg("a", 1_000, 3_000, "carrying"), leg("b", 1_200, 2_500, "carrying")];
  const loaded = trip(first, second);
  near(wayTo(loaded, first, at(1_200)), 1_800, 0);
  near(wayTo(loaded, second, at(1_200)), 1_800 + 500, 1);
});

t.test("R-ETA-2: a detour of many small steps is told once it is long enough to matter", async (t) => {
  const carried = leg("a", 0, 3_000, "carrying");
  const told: { meters: number }[] = [];
  const live: LivePosition = { ...at(0), bearing: null, at: 1_000_000 };
  const ctx = {
    now: 1_000_000,
    state: { work: { status: "on_trip", trip: trip(carried) }, shift: { status: "on", vehicle: "" } },
    volatile: { live, progress: new Map() },
    cast: (_kind: unknown, _key: string, _name: string, input: { meters: number }) => told.push(input),
  };
  const { moveMeters, driftMs } = settings.eta;
  const steps = 4;
  for (let step = 0; step <= steps; step++) {
    // As a fix does: the one live position is written over.
    Object.assign(live, at((-step * (moveMeters + 20)) / steps));
    tellProgress(ctx as unknown as DriverContext, settings);
    t.equal(told.length, step < steps ? 1 : 2, `after step ${step}`);
    ctx.now += driftMs / steps;
  }
  t.ok(told[1]!.meters > told[0]!.meters + moveMeters);
});
