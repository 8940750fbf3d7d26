import t from "tap";
import { type Random, seededRandom } from "../lib/random.js";
import { learn, NO_EFFECTS, predicted } from "./effects.js";
import { cityHour } from "./hours.js";
import {
  acceptMs,
  blended,
  learnAcceptance,
  learnPreparation,
  newPreparation,
  type PreparationRecord,
  type PreparationSample,
  preparationMs,
  promiseTrust,
} from "./preparation.js";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const calendar = { utcOffsetMinutes: 0, minuteMs: MINUTE };
/** A Monday, 00:00 UTC. */
const MONDAY = Date.UTC(2026, 10, 16);

function normal(random: Random): number {
  const u = Math.max(1e-12, random.next());
  return Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * random.next());
}

/** A kitchen of which everything is known: a third slower than its menu, slower still in the evening and under load. */
function truthMs(menuMs: number, at: number, load: number): number {
  const { hour, weekend } = cityHour(at, calendar);
  const rush = hour >= 18 && hour < 21 ? 1.25 : 1;
  return menuMs * 1.3 * rush * (weekend ? 1.1 : 1) * (1 + 0.04 * load);
}

function sample(
  acceptedAt: number,
  menuMs: number,
  realMs: number,
  more: Partial<PreparationSample> = {},
): PreparationSample {
  return {
    menuMs,
    promisedMs: menuMs,
    acceptedAt,
    readyAt: acceptedAt + realMs,
    pickedUpAt: acceptedAt + realMs + 4 * MINUTE,
    saidReady: true,
    driverWaitedMs: 0,
    ...more,
  };
}

interface Day {
  readonly at: number;
  readonly menuMs: number;
  readonly load: number;
}

function orderOf(random: Random, n: number): Day {
  return {
    at: MONDAY + Math.floor(n / 40) * 24 * HOUR + (11 + Math.floor(random.next() * 11)) * HOUR,
    menuMs: (8 + Math.floor(random.next() * 12)) * MINUTE,
    load: Math.floor(random.next() * 8),
  };
}

/** Mean of |ln(estimate ÷ truth)| over new orders. */
function distance(record: PreparationRecord, random: Random): number {
  let sum = 0;
  for (let n = 0; n < 300; n++) {
    const { at, menuMs, load } = orderOf(random, n);
    sum += Math.abs(Math.log(preparationMs(record, menuMs, at, load, calendar) / truthMs(menuMs, at, load)));
  }
  return sum / 300;
}

t.test("R-ETA-3: preparation converges to the kitchen's true time by hour, weekend and load", async (t) => {
  const random = seededRandom(1);
  let record = newPreparation();
  const before = distance(record, seededRandom(2));
  t.ok(before > 0.25, `nothing learned: wrong by ${before}`);
  const seen: number[] = [];
  for (let n = 0; n < 800; n++) {
    const { at, menuMs, load } = orderOf(random, n);
    const realMs = truthMs(menuMs, at, load) * Math.exp(0.25 * normal(random));
    record = learnPreparation(record, sample(at, menuMs, realMs), load, calendar);
    if (n === 15 || n === 799) seen.push(distance(record, seededRandom(2)));
  }
  t.ok((seen[0] ?? 1) < before / 2, `after 16 orders wrong by ${seen[0]}`);
  t.ok((seen[1] ?? 1) < 0.09, `after 800 orders wrong by ${seen[1]}, with 25 % of noise in each`);
});

t.test("R-ETA-3: one order in ten forgotten for hours moves nothing much", async (t) => {
  const random = seededRandom(3);
  let clean = newPreparation();
  let dirty = newPreparation();
  for (let n = 0; n < 400; n++) {
    const { at, menuMs, load } = orderOf(random, n);
    const realMs = truthMs(menuMs, at, load) * Math.exp(0.2 * normal(random));
    clean = learnPreparation(clean, sample(at, menuMs, realMs), load, calendar);
    const forgotten = n % 10 === 0 ? realMs + 3 * HOUR : realMs;
    dirty = learnPreparation(dirty, sample(at, menuMs, forgotten), load, calendar);
  }
  const [at, menuMs] = [MONDAY + 12 * HOUR, 15 * MINUTE];
  const ratio = preparationMs(dirty, menuMs, at, 2, calendar) / preparationMs(clean, menuMs, at, 2, calendar);
  // The mean itself would have become three times as long.
  t.ok(ratio > 0.95 && ratio < 1.2, `longer by ${ratio}`);
});

t.test("R-ETA-3: a kitchen that says ready when the driver stands there is not thought slow", async (t) => {
  const random = seededRandom(4);
  let late = newPreparation();
  let believed = newPreparation();
  const menuMs = 12 * MINUTE;
  for (let n = 0; n < 200; n++) {
    const at = MONDAY + n * HOUR;
    const realMs = menuMs * Math.exp(0.15 * normal(random));
    // Drivers come up to a quarter of an hour after the food was ready, and some before.
    const cameMs = realMs + (random.next() * 18 - 3) * MINUTE;
    const takenMs = Math.max(realMs, cameMs);
    const waited = Math.max(0, takenMs - cameMs);
    const marked = { pickedUpAt: at + takenMs + 5_000, driverWaitedMs: waited };
    late = learnPreparation(late, sample(at, menuMs, takenMs, marked), 0, calendar);
    // The same times of a kitchen whose drivers come later: its word counts.
    const gap = { pickedUpAt: at + takenMs + 6 * MINUTE, driverWaitedMs: 0 };
    believed = learnPreparation(believed, sample(at, menuMs, takenMs, gap), 0, calendar);
  }
  const corrected = preparationMs(late, menuMs, MONDAY + 12 * HOUR, 0, calendar) / menuMs;
  const naive = preparationMs(believed, menuMs, MONDAY + 12 * HOUR, 0, calendar) / menuMs;
  t.ok(corrected > 0.75 && corrected < 1.2, `corrected ${corrected}`);
  t.ok(naive > 1.35, `taken at their word ${naive}`);
});

t.test(
  "R-ETA-3: a time that only the pickup told teaches downwards, and where the driver waited both ways",
  async (t) => {
    const menuMs = 10 * MINUTE;
    const known = newPreparation();
    const unsaid = { saidReady: false, driverWaitedMs: null };
    const longer = learnPreparation(known, sample(MONDAY, menuMs, 3 * menuMs, unsaid), 0, calendar);
    t.equal(preparationMs(longer, menuMs, MONDAY, 0, calendar), menuMs, "no longer");
    const shorter = learnPreparation(known, sample(MONDAY, menuMs, menuMs / 2, unsaid), 0, calendar);
    t.ok(preparationMs(shorter, menuMs, MONDAY, 0, calendar) < menuMs, "shorter");
    const stood = { saidReady: false, driverWaitedMs: 3 * MINUTE };
    const waited = learnPreparation(known, sample(MONDAY, menuMs, 2 * menuMs, stood), 0, calendar);
    t.ok(preparationMs(waited, menuMs, MONDAY, 0, calendar) > menuMs, "a driver who waited is a witness");
  },
);

t.test("R-ETA-3: a promise counts for as much as it was worth", async (t) => {
  const random = seededRandom(5);
  const menuMs = 15 * MINUTE;
  const run = (promiseOf: (realMs: number) => number): PreparationRecord => {
    let record = newPreparation();
    for (let n = 0; n < 200; n++) {
      const at = MONDAY + n * HOUR;
      const realMs = menuMs * Math.exp(0.3 * normal(random));
      record = learnPreparation(record, sample(at, menuMs, realMs, { promisedMs: promiseOf(realMs) }), 0, calendar);
    }
    return record;
  };
  const honest = promiseTrust(run((realMs) => realMs / 1.2));
  t.ok(honest.weight > 0.9, `who knows is believed: ${honest.weight}`);
  t.ok(Math.abs(honest.factor - 1.2) < 0.05, `and corrected: ${honest.factor}`);
  const talker = promiseTrust(run(() => menuMs * Math.exp(0.8 * normal(random))));
  t.ok(talker.weight < 0.35, `who guesses is not: ${talker.weight}`);
  t.equal(Math.round(blended(20 * MINUTE, 10 * MINUTE, { factor: 1.5, weight: 1 })), 15 * MINUTE);
  t.equal(Math.round(blended(20 * MINUTE, 10 * MINUTE, { factor: 1.5, weight: 0 })), 20 * MINUTE);
});

t.test("R-ETA-3: how long a person takes to accept is learned, and the record stays small", async (t) => {
  let record = newPreparation();
  t.equal(acceptMs(record, calendar), MINUTE);
  for (let n = 0; n < 60; n++) record = learnAcceptance(record, 12_000, calendar);
  t.ok(Math.abs(acceptMs(record, calendar) - 12_000) < 2_500);
  const random = seededRandom(6);
  for (let n = 0; n < 2_000; n++) {
    const { at, menuMs, load } = orderOf(random, n);
    record = learnPreparation(record, sample(at + n * HOUR, menuMs, menuMs), load, calendar);
  }
  t.ok(JSON.stringify(record).length < 1_500, `${JSON.stringify(record).length} bytes`);
});

t.test("R-ETA-3: equal days give equal records, and nonsense none", async (t) => {
  const run = (): PreparationRecord => {
    const random = seededRandom(7);
    let record = newPreparation();
    for (let n = 0; n < 50; n++) {
      const { at, menuMs, load } = orderOf(random, n);
      record = learnPreparation(record, sample(at, menuMs, menuMs * 1.2), load, calendar);
    }
    return record;
  };
  t.strictSame(run(), run());
  const record = run();
  for (const realMs of [0, -5, Number.NaN]) {
    t.equal(learnPreparation(record, sample(MONDAY, MINUTE, realMs), 0, calendar), record);
  }
  const rules = { prior: 6, most: 60, clip: 0.7, maxNames: 3 };
  t.equal(learn(NO_EFFECTS, ["all"], Number.POSITIVE_INFINITY, rules), NO_EFFECTS);
  let bounded = NO_EFFECTS;
  for (let n = 0; n < 20; n++) bounded = learn(bounded, ["all", `name-${n}`], 1, rules);
  t.equal(Object.keys(bounded).length, 3, "names are bounded");
  t.equal(predicted(learn(NO_EFFECTS, ["__proto__"], 1, rules), ["constructor"]), 0, "a name is only a name");
});

t.test("R-ETA-3: the city's hour is that of its clock, however fast the day", async (t) => {
  t.strictSame(cityHour(MONDAY, calendar), { hour: 0, weekend: false });
  t.strictSame(cityHour(MONDAY - 1, calendar), { hour: 23, weekend: true }, "Sunday night");
  t.strictSame(cityHour(MONDAY, { ...calendar, utcOffsetMinutes: -300 }), { hour: 19, weekend: true });
  t.strictSame(cityHour(MONDAY, { ...calendar, utcOffsetMinutes: 330 }), { hour: 5, weekend: false });
  const fast = { utcOffsetMinutes: 0, minuteMs: 1_000 };
  const hours = new Set(Array.from({ length: 24 }, (_, n) => cityHour(MONDAY + n * 60_000, fast).hour));
  t.equal(hours.size, 24, "a day takes 24 minutes");
});
