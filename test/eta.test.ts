import t from "tap";
import { chance, cookingMinutes, createCity, exponential, logNormal, streetRoads } from "../simulator/city/mod.js";
import {
  arrivalRange,
  blended,
  learnOutcome,
  learnPreparation,
  newPreparation,
  newZoneModel,
  type Outcome,
  type PreparationRecord,
  pictureOf,
  preparationMs,
  promiseTrust,
  remainingMs,
  type Stage,
  type StageOutcome,
} from "../src/eta/mod.js";
import { distanceMeters } from "../src/lib/geo.js";
import { seededRandom } from "../src/lib/random.js";

const MINUTE = 60_000;
const calendar = { utcOffsetMinutes: 0, minuteMs: MINUTE };
const defaults = { ...calendar, handoverMs: 2 * MINUTE, cushionMs: 2 * MINUTE };
const START = Date.UTC(2026, 10, 16, 10);
const ORDERS = 1_200;
/** From here on the estimates count. */
const LEARNED = 400;

/**
 * A generated city whose truth is known: its kitchens cook as `cookingMinutes` says, its streets are the network's, its
 * drivers as fast as they are. Orders come one after another; nothing is known of any of it at the start.
 */
t.test(
  "R-ETA-1, R-ETA-3: in a generated city estimates come true, and eight of ten arrivals fall into their range",
  async (t) => {
    const city = createCity({ seed: 5, restaurants: 12, drivers: 30, customers: 60 });
    const random = seededRandom(6);
    const roads = streetRoads(city.network);
    const kitchens = new Map<string, PreparationRecord>();
    let zone = newZoneModel();
    const within = new Map<Stage, { n: number; in: number; error: number; naive: number }>();
    let now = START;
    for (let n = 0; n < ORDERS; n++) {
      now += exponential(random, 0.6 * MINUTE);
      const restaurant = city.restaurants[Math.floor(random.next() * city.restaurants.length)]!;
      const { home } = city.customers[n % city.customers.length]!;
      const driver = city.drivers[Math.floor(random.next() * city.drivers.length)]!;
      const load = Math.floor(random.next() * 9);
      const menuMinutes = 8 + Math.floor(random.next() * 12);
      const cooked = cookingMinutes(random, restaurant.kitchen, menuMinutes, load);
      // The truth.
      const cookedMs = cooked.actual * MINUTE;
      const lagMs = logNormal(random, 3, 0.5) * MINUTE;
      const route = roads.route(restaurant.at, home);
      const rideMs = (route.meters / driver.speedMetersPerSecond) * 1000 * logNormal(random, 1, 0.1);
      const doorMs = logNormal(random, 1.5, 0.4) * MINUTE;
      // One ride in forty goes wrong.
      const lostMs = chance(random, 0.025) ? 15 * MINUTE : 0;
      const readyAt = now + cookedMs;
      const pickedUpAt = readyAt + lagMs;
      const deliveredAt = pickedUpAt + rideMs + lostMs + doorMs;
      // What is believed.
      const record = kitchens.get(restaurant.id) ?? newPreparation();
      const picture = pictureOf(zone, now, defaults);
      const crow = distanceMeters(restaurant.at, home);
      const wayMs = ((crow * 1.35) / 6.5) * 1000;
      const menuMs = menuMinutes * MINUTE;
      const promisedMs = cooked.promised * MINUTE;
      const prepMs = preparationMs(record, menuMs, now, load, calendar);
      const expectedReady = now + blended(prepMs, promisedMs, promiseTrust(record));
      const stages: StageOutcome[] = [];
      const moments: readonly [Stage, number, number | null][] = [
        ["kitchen", now, expectedReady],
        ["ready", readyAt, readyAt],
        ["picked_up", pickedUpAt, readyAt],
      ];
      for (const [stage, at, ready] of moments) {
        const vehicle = stage === "picked_up" ? driver.vehicle : null;
        const situation = {
          stage,
          now: at,
          since: at,
          acceptMs: 0,
          prepMs,
          readyAt: ready,
          wayMs,
          wayMeters: crow,
          vehicle,
          progress: null,
          arrived: false,
        };
        const leftMs = remainingMs(situation, picture);
        const range = arrivalRange(at, leftMs, stage, picture, defaults.cushionMs);
        const inRange = deliveredAt < range.from ? -1 : deliveredAt > range.to ? 1 : 0;
        stages.push({ stage, leftMs, realMs: deliveredAt - at, inRange });
        if (n < LEARNED) continue;
        const sums = within.get(stage) ?? { n: 0, in: 0, error: 0, naive: 0 };
        sums.n++;
        if (inRange === 0) sums.in++;
        sums.error += Math.abs(deliveredAt - range.expected);
        const untaught = pictureOf(newZoneModel(), at, defaults);
        const naive = remainingMs(
          { ...situation, prepMs: menuMs, readyAt: ready === null ? null : now + promisedMs },
          untaught,
        );
        sums.naive += Math.abs(deliveredAt - at - naive);
        within.set(stage, sums);
      }
      const outcome: Outcome = {
        deliveredAt,
        stages,
        way: { vehicle: driver.vehicle, anyoneMs: wayMs, expectedMs: wayMs, tookMs: rideMs + lostMs },
        lagMs,
        pickupMs: null,
        dropoffMs: doorMs,
      };
      zone = learnOutcome(zone, outcome, defaults);
      const sample = { menuMs, promisedMs, acceptedAt: now, readyAt, pickedUpAt, saidReady: true, driverWaitedMs: 0 };
      kitchens.set(restaurant.id, learnPreparation(record, sample, load, calendar));
    }
    for (const [stage, { n, in: inside, error, naive }] of within) {
      const share = inside / n;
      t.comment(
        `${stage}: ${(100 * share).toFixed(1)} % in range, ${(error / n / MINUTE).toFixed(1)} min wrong, untaught ${(naive / n / MINUTE).toFixed(1)}`,
      );
      t.ok(share > 0.75 && share < 0.85, `${stage}: ${(100 * share).toFixed(1)} % of arrivals in the range`);
      t.ok(error < naive, `${stage}: better than without learning`);
    }
    t.equal(within.size, 3);
  },
);

t.test("R-ETA-3: in a generated city each kitchen's pace becomes known, under load too", async (t) => {
  const city = createCity({ seed: 8, restaurants: 10, drivers: 1, customers: 1 });
  const random = seededRandom(9);
  let worst = 0;
  let total = 0;
  for (const { kitchen } of city.restaurants) {
    let record = newPreparation();
    for (let n = 0; n < 300; n++) {
      const load = Math.floor(random.next() * 9);
      const menuMinutes = 8 + Math.floor(random.next() * 12);
      const { actual, promised } = cookingMinutes(random, kitchen, menuMinutes, load);
      const at = START + n * 10 * MINUTE;
      const readyAt = at + actual * MINUTE;
      record = learnPreparation(
        record,
        {
          menuMs: menuMinutes * MINUTE,
          promisedMs: promised * MINUTE,
          acceptedAt: at,
          readyAt,
          pickedUpAt: readyAt + 3 * MINUTE,
          saidReady: true,
          driverWaitedMs: 0,
        },
        load,
        calendar,
      );
    }
    for (const load of [0, 4, 8]) {
      const truth = 15 * kitchen.pace * (1 + kitchen.loadPenalty * load);
      const found = preparationMs(record, 15 * MINUTE, START + 2 * 60 * MINUTE, load, calendar) / MINUTE;
      // What goes wrong now and then makes the middle a little later than the steady time.
      worst = Math.max(worst, Math.abs(found / truth - 1));
      total += Math.abs(found / truth - 1);
    }
  }
  t.comment(`wrong by ${((100 * total) / 30).toFixed(1)} % on average, ${(100 * worst).toFixed(1)} % at the worst`);
  t.ok(total / 30 < 0.1, `${total / 30}`);
  t.ok(worst < 0.35, `${worst}`);
});
