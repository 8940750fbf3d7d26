import fc from "fast-check";
import t from "tap";
import { type Random, seededRandom } from "../lib/random.js";
import { arrivalRange, logError, remainingMs, type Situation, STAGES } from "./expect.js";
import { expectedResiduals, learnResidual, quantile, shapeOf } from "./residuals.js";
import { learnOutcome, newZoneModel, type Outcome, pictureOf, type ZoneModel } from "./zone-model.js";

const MINUTE = 60_000;
const NOW = 1_800_000_000_000;
const defaults = { utcOffsetMinutes: 0, minuteMs: MINUTE, handoverMs: 2 * MINUTE, cushionMs: 2 * MINUTE };

function normal(random: Random): number {
  const u = Math.max(1e-12, random.next());
  return Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * random.next());
}

const outcome = (more: Partial<Outcome> = {}): Outcome => ({
  deliveredAt: NOW,
  stages: [],
  way: null,
  lagMs: null,
  pickupMs: null,
  dropoffMs: null,
  ...more,
});

const situation: Situation = {
  stage: "kitchen",
  now: NOW,
  since: NOW,
  acceptMs: MINUTE,
  prepMs: 15 * MINUTE,
  readyAt: NOW + 10 * MINUTE,
  wayMs: 8 * MINUTE,
  wayMeters: 2_400,
  vehicle: null,
  progress: null,
  arrived: false,
};

t.test("R-ETA-1: an arrival is preparation, wait, way and handover", async (t) => {
  const picture = pictureOf(newZoneModel(), NOW, defaults);
  const minutes = (more: Partial<Situation>): number => remainingMs({ ...situation, ...more }, picture) / MINUTE;
  t.equal(minutes({}), 10 + 2 + 8 + 2);
  t.equal(minutes({ stage: "placed", readyAt: null }), 1 + 15 + 2 + 8 + 2);
  t.equal(minutes({ stage: "ready", readyAt: NOW }), 2 + 8 + 2);
  const near = { meters: 600, stops: 0, at: NOW, meterMs: 200 };
  t.equal(minutes({ stage: "assigned", progress: near }), 10 + 2 + 8 + 2, "the kitchen is slower than the driver");
  const far = { ...near, meters: 4_500 };
  t.equal(minutes({ stage: "assigned", progress: far }), 15 + 2 + 8 + 2, "the driver is slower than the kitchen");
  t.equal(minutes({ stage: "picked_up", progress: { ...near, stops: 1 } }), 2 + 2 * 2, "another customer is first");
  t.equal(minutes({ stage: "picked_up", progress: { ...near, at: NOW - MINUTE } }), 1 + 2, "a minute has passed since");
  t.ok(minutes({ stage: "picked_up", arrived: true }) <= 2);
});

t.test(
  "R-ETA-1, R-ETA-2: a way round a river says how long it takes to the customer, and nothing of other ways",
  async (t) => {
    const picture = pictureOf(newZoneModel(), NOW, defaults);
    // Three hundred metres away and a quarter of an hour by the bridge; two hundred milliseconds a metre in this city.
    const river = { ...situation, wayMeters: 300, wayMs: 15 * MINUTE, readyAt: NOW };
    const minutes = (more: Partial<Situation>): number => remainingMs({ ...river, ...more }, picture) / MINUTE;
    const progress = { meters: 3_000, stops: 0, at: NOW, meterMs: 200 };
    t.equal(minutes({ stage: "assigned", progress }), 10 + 2 + 15 + 2, "three kilometres to the restaurant");
    t.equal(minutes({ stage: "picked_up", progress: { ...progress, meters: 300 } }), 15 + 2, "the whole way round");
    t.equal(minutes({ stage: "picked_up", progress: { ...progress, meters: 100 } }), 5 + 2);
    t.equal(minutes({ stage: "picked_up", progress: { ...progress, meters: 600 } }), 15 + 1 + 2, "off the way");
    t.equal(minutes({ stage: "picked_up", progress: { ...progress, stops: 1 } }), 10 + 2 * 2, "by way of another");
    const nextDoor = { ...river, wayMeters: 0, wayMs: 0 };
    t.equal(
      remainingMs({ ...nextDoor, stage: "assigned", progress }, picture) / MINUTE,
      10 + 2 + 2,
      "to the same house",
    );
  },
);

t.test("R-ETA-1: whatever the situation, a range is finite, in order and not in the past", async (t) => {
  const picture = pictureOf(newZoneModel(), NOW, defaults);
  const ms = fc.integer({ min: -7_200_000, max: 7_200_000 });
  const positive = fc.integer({ min: 0, max: 7_200_000 });
  fc.assert(
    fc.property(
      fc.constantFrom(...STAGES),
      ms,
      positive,
      positive,
      fc.option(positive, { nil: null }),
      fc.boolean(),
      (stage, ready, prepMs, wayMs, meters, arrived) => {
        const progress = meters === null ? null : { meters, stops: meters % 3, at: NOW - (ready % 1000), meterMs: 200 };
        const leftMs = remainingMs(
          { ...situation, stage, readyAt: NOW + ready, since: NOW - prepMs, prepMs, wayMs, progress, arrived },
          picture,
        );
        const { from, expected, likely, to } = arrivalRange(NOW, leftMs, stage, picture, defaults.cushionMs);
        return (
          Number.isFinite(leftMs) &&
          leftMs >= 0 &&
          from >= NOW &&
          from <= expected &&
          expected <= likely &&
          likely <= to
        );
      },
    ),
    { numRuns: 1_000 },
  );
  t.pass("1000 situations");
});

t.test(
  "R-ETA-1: eight of ten arrivals fall into the range, whatever the errors are like, also when they change",
  async (t) => {
    /** Real minutes over the estimate's. */
    const worlds: Readonly<Record<string, (random: Random, n: number) => number>> = {
      "as believed": (random) => Math.exp(0.28 * normal(random)),
      "much too early, and wide": (random) => 1.4 * Math.exp(0.45 * normal(random)),
      "sometimes very late": (random) => (random.next() < 0.15 ? 1.9 : 1) * Math.exp(0.1 * normal(random)),
      "a rush in the middle": (random, n) => (n > 500 && n < 900 ? 1.5 : 1) * Math.exp(0.2 * normal(random)),
    };
    for (const [name, ratio] of Object.entries(worlds)) {
      const random = seededRandom(11);
      let model: ZoneModel = newZoneModel();
      const counts = { within: 0, early: 0, late: 0, n: 0 };
      for (let n = 0; n < 1_500; n++) {
        const leftMs = (15 + 30 * random.next()) * MINUTE;
        const realMs = leftMs * ratio(random, n);
        const { from, to } = arrivalRange(NOW, leftMs, "kitchen", pictureOf(model, NOW, defaults), defaults.cushionMs);
        const inRange = NOW + realMs < from ? -1 : NOW + realMs > to ? 1 : 0;
        model = learnOutcome(model, outcome({ stages: [{ stage: "kitchen", leftMs, realMs, inRange }] }), defaults);
        if (n < 100) continue;
        counts.n++;
        if (inRange === 0) counts.within++;
        else if (inRange < 0) counts.early++;
        else counts.late++;
      }
      const share = counts.within / counts.n;
      t.ok(share > 0.75 && share < 0.85, `${name}: ${(100 * share).toFixed(1)} %`);
      t.ok(counts.late / counts.n < 0.14, `${name}: late ${counts.late} of ${counts.n}`);
    }
  },
);

t.test("R-ETA-1: a sketch of errors finds their quantiles, forgets, and stays small", async (t) => {
  const random = seededRandom(12);
  let known = expectedResiduals(0.3);
  for (let n = 0; n < 2_000; n++) known = learnResidual(known, 0.2 + 0.1 * normal(random), 0);
  t.ok(Math.abs(quantile(known, 0.5) - 0.2) < 0.04, `the middle is ${quantile(known, 0.5)}`);
  t.ok(Math.abs(quantile(known, 0.9) - 0.328) < 0.06, `nine tenths are below ${quantile(known, 0.9)}`);
  for (let n = 0; n < 500; n++) known = learnResidual(known, -0.5, 0);
  t.ok(quantile(known, 0.5) < -0.4, "what was long ago is forgotten");
  for (const wild of [Number.NaN, Number.POSITIVE_INFINITY]) t.equal(learnResidual(known, wild, 0), known);
  known = learnResidual(learnResidual(known, 99, 1), -99, -1);
  t.ok(quantile(known, 1) <= 1.5 && quantile(known, 0) >= -1.5);
  t.ok(JSON.stringify(known).length < 600);
  const [low, middle, high, p80, p90] = shapeOf(known);
  t.ok(low <= middle && middle <= high && middle <= p80 && p80 <= p90);
});

t.test("R-ETA-2: ways are learned by vehicle and hour, and a strange ride moves little", async (t) => {
  const random = seededRandom(13);
  const NOON = Date.UTC(2026, 10, 16, 12);
  const RUSH = Date.UTC(2026, 10, 16, 18);
  let model = newZoneModel();
  for (let n = 0; n < 600; n++) {
    const bicycle = n % 2 === 0;
    const deliveredAt = n % 4 < 2 ? NOON : RUSH;
    const expectedMs = (4 + 10 * random.next()) * MINUTE;
    const factor = (bicycle ? 1.1 : 0.85) * (deliveredAt === RUSH ? 1.3 : 1);
    const lost = n % 25 === 0 ? 6 : 1;
    const tookMs = expectedMs * factor * lost * Math.exp(0.1 * normal(random));
    const vehicle = bicycle ? "bicycle" : "motorcycle";
    model = learnOutcome(
      model,
      outcome({ deliveredAt, way: { vehicle, anyoneMs: expectedMs, expectedMs, tookMs } }),
      defaults,
    );
  }
  const [noon, rush] = [pictureOf(model, NOON, defaults), pictureOf(model, RUSH, defaults)];
  const close = (found: number | undefined, truth: number): boolean => Math.abs((found ?? 0) / truth - 1) < 0.13;
  t.ok(close(noon.vehicles.bicycle, 1.1), `bicycle at noon ${noon.vehicles.bicycle}`);
  t.ok(close(rush.vehicles.bicycle, 1.43), `bicycle in the rush ${rush.vehicles.bicycle}`);
  t.ok(close(noon.vehicles.motorcycle, 0.85), `motorcycle at noon ${noon.vehicles.motorcycle}`);
  t.ok(close(rush.vehicles.motorcycle, 1.105), `motorcycle in the rush ${rush.vehicles.motorcycle}`);
});

t.test("R-ETA-1: waits and handovers are learned, and a model has a bound", async (t) => {
  let model = newZoneModel();
  for (let n = 0; n < 200; n++) {
    const way = { vehicle: `vehicle-${n}`, anyoneMs: MINUTE, expectedMs: MINUTE, tookMs: MINUTE };
    model = learnOutcome(model, outcome({ way, lagMs: 6 * MINUTE, pickupMs: 30_000, dropoffMs: 4 * MINUTE }), defaults);
  }
  const picture = pictureOf(model, NOW, defaults);
  t.ok(Math.abs(picture.lagMs / (6 * MINUTE) - 1) < 0.1);
  t.ok(Math.abs(picture.pickupMs / 30_000 - 1) < 0.15);
  t.ok(Math.abs(picture.dropoffMs / (4 * MINUTE) - 1) < 0.1);
  t.ok(Object.keys(picture.vehicles).length <= 12, "strangers' vehicles are no leak");
  t.ok(JSON.stringify(model).length < 8_000, `${JSON.stringify(model).length} bytes`);
  t.ok(JSON.stringify(picture).length < 700, `${JSON.stringify(picture).length} bytes`);
  t.equal(logError(MINUTE, MINUTE, MINUTE), 0);
});
