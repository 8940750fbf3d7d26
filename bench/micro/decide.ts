/**
 * How long a decision takes in a city of 500 open orders and 1,000 drivers: 200 decisions, 15 seconds apart, each with
 * the plan of the one before, as a zone asks them. The city is made up from a seed: restaurants in clusters, orders at a
 * steady rate, drivers who become free where they delivered.
 *
 * With `--live` as a zone asks them: the question as it reaches the thread that thinks, streets and vehicles, the zone's
 * service times, trips of two restaurants. Without: the setting that was measured on the public instances.
 *
 *   node dist/bench/micro/decide.js [orders] [drivers] [decisions] [--live]
 */
import {
  type DecisionRequest,
  decisionRules,
  defaultDomainSettings,
  type OrderRow,
  solveQuestion,
  writeQuestion,
} from "../../src/actors/domain/mod.js";
import { systemClock } from "../../src/lib/clock.js";
import type { Point } from "../../src/lib/geo.js";
import { randomInteger, seededRandom } from "../../src/lib/random.js";
import {
  type Driver,
  decide,
  defaultMatchingSettings,
  expectedOrders,
  type OpenOrder,
  type TripPlan,
} from "../../src/matching/mod.js";

const given = process.argv.slice(2);
const LIVE = given.includes("--live");
const [ORDERS = 500, DRIVERS = 1_000, DECISIONS = 200] = given.filter((text) => text !== "--live").map(Number);
const rules = decisionRules(defaultDomainSettings);
const settings = LIVE ? rules.matching : defaultMatchingSettings;
const STEP_MS = 15_000;
const MINUTE = 60_000;
const METERS_PER_SECOND = 5.5;
const STREET_FACTOR = 1.35;
const random = seededRandom(7);
const clock = systemClock();

const around = (center: Point, meters: number): Point => ({
  lat: center.lat + ((random.next() + random.next() - 1) * meters) / 111_195,
  lng: center.lng + ((random.next() + random.next() - 1) * meters) / 70_000,
});
const travel = (from: Point, to: Point): number => {
  const [north, east] = [(from.lat - to.lat) * 111_195, (from.lng - to.lng) * 70_000];
  return (Math.sqrt(north * north + east * east) * STREET_FACTOR * 1_000) / METERS_PER_SECOND;
};
const VEHICLES = ["bicycle", "scooter", "car"] as const;
const CENTER: Point = { lat: 51, lng: 7 };
const quarters = Array.from({ length: 25 }, () => around(CENTER, 9_000));
const restaurants = Array.from({ length: 400 }, (_, index) => ({
  restaurantId: `r${index}`,
  pickup: around(quarters[index % quarters.length]!, 900),
}));

let placed = 0;
const newOrder = (now: number): OpenOrder<Point> => {
  const restaurant = restaurants[randomInteger(random, restaurants.length)]!;
  const readyAt = now + (5 + random.next() * 25) * MINUTE;
  return {
    ...restaurant,
    orderId: `o${placed++}`,
    dropOff: around(restaurant.pickup, 3_000),
    placedAt: now,
    readyAt,
    targetAt: now + 40 * MINUTE,
    latestAt: now + 90 * MINUTE,
    excluded: [],
    likelihood: 1,
  };
};

let now = 1_800_000_000_000;
let open = Array.from({ length: ORDERS }, () => newOrder(now));
let drivers: Driver<Point>[] = Array.from({ length: DRIVERS }, (_, index) => ({
  driverId: `d${index}`,
  place: around(quarters[index % quarters.length]!, 2_500),
  freeAt: now + (index % 2) * random.next() * 25 * MINUTE,
  lastPickupAt: now + 4 * 60 * MINUTE,
  overworked: random.next(),
  acceptance: 0.5 + random.next() / 2,
  poorlyRated: 0,
}));
const recent: OpenOrder<Point>[] = [];
let previous: readonly TripPlan[] = [];
const times: number[] = [];
let commits = 0;
const cpuMs: number[] = [];

interface Decided {
  readonly tentative: readonly TripPlan[];
  readonly trips: readonly {
    readonly driverId: string;
    readonly orderIds: readonly string[];
    readonly freeAt: number;
  }[];
}

function timed<T>(run: () => T): T {
  const cpuBefore = process.cpuUsage();
  const began = clock.monotonic();
  const result = run();
  times.push(clock.monotonic() - began);
  const cpu = process.cpuUsage(cpuBefore);
  cpuMs.push((cpu.user + cpu.system) / 1_000);
  return result;
}

function measured(): Decided {
  const orders = [...open, ...expectedOrders(recent, now, settings.forecast)];
  const { tentative, commits } = timed(() => decide({ now, orders, drivers, travel, settings, random, previous }));
  const trips = commits.map(({ driverId, orderIds, deliverAt }) => ({
    driverId,
    orderIds,
    freeAt: deliverAt.at(-1)! + settings.leaveCustomerMs,
  }));
  return { tentative, trips };
}

const orderRow = ({ orderId, restaurantId, pickup, dropOff, placedAt, readyAt }: OpenOrder<Point>): OrderRow => [
  orderId,
  restaurantId,
  pickup.lat,
  pickup.lng,
  dropOff.lat,
  dropOff.lng,
  placedAt,
  readyAt,
  [],
];

function asAZone(turn: number): Decided {
  const question = writeQuestion({
    id: `question-${turn}`,
    now,
    seed: turn,
    leadMs: defaultDomainSettings.zone.horizonMs + defaultDomainSettings.zone.answerMs,
    orders: open.map(orderRow),
    drivers: drivers.map(({ driverId, place, freeAt, overworked, acceptance }, index) => {
      const vehicle = VEHICLES[index % VEHICLES.length]!;
      return [driverId, place.lat, place.lng, freeAt, overworked, acceptance, vehicle, 0];
    }),
    recent: recent.filter(({ placedAt }) => placedAt > now - settings.forecast.aheadMs).map(orderRow),
    previous,
    ways: null,
    rules,
  } satisfies DecisionRequest);
  const { tentative, trips } = timed(() => solveQuestion(question));
  return {
    tentative,
    trips: trips.map(({ driverId, orderIds, terms }) => ({ driverId, orderIds, freeAt: now + terms.busyMs })),
  };
}

for (let i = 0; i < DECISIONS; i++) {
  const decided = LIVE ? asAZone(i) : measured();
  previous = decided.tentative;
  commits += decided.trips.length;
  for (const { driverId, orderIds, freeAt } of decided.trips) {
    const last = open.find(({ orderId }) => orderId === orderIds.at(-1))!;
    drivers = drivers.map((driver) =>
      driver.driverId === driverId ? { ...driver, place: last.dropOff, freeAt } : driver,
    );
    open = open.filter(({ orderId }) => !orderIds.includes(orderId));
  }
  now += STEP_MS;
  // The number of open orders stays the same.
  while (open.length < ORDERS) {
    const order = newOrder(now);
    open.push(order);
    recent.push(order);
  }
}
const summary = (values: readonly number[]): string => {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (q: number): string => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]!.toFixed(1);
  return `p50 ${at(0.5)}, p95 ${at(0.95)}, p99 ${at(0.99)}, most ${at(1)} ms`;
};
const line = (what: string, values: readonly number[]): string => `  ${what.padEnd(42)}${summary(values)}\n`;
process.stdout.write(
  `A decision about ${ORDERS} open orders and ${DRIVERS} drivers, ${DECISIONS} times (${commits} trips offered), ${LIVE ? "a zone's" : "the measured"} setting; wanted: p99 < 100 ms\n` +
    line("time from question to answer", times) +
    line("processor time, whatever else is running", cpuMs) +
    `  ${"the first, before the code is warm".padEnd(42)}${times[0]?.toFixed(1)} ms\n`,
);
