import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import type { Clock } from "../../src/lib/clock.js";
import { distanceMeters } from "../../src/lib/geo.js";
import type { OrderStatus, TimelineKind } from "../../src/protocol/mod.js";
import type { History } from "../checkers/mod.js";
import { straightRoads } from "../city/mod.js";
import { Counters } from "./agents/counter.js";
import { Wheel } from "./agents/wheel.js";
import { CityTime, timeOfDay } from "./city-time.js";
import { processesFor, shareOf } from "./fleet/fleet.js";
import { Latency, latencyOf } from "./measure/histogram.js";
import { CannotRun, readyOf } from "./mod.js";
import { numberOfNote, stockOf } from "./plan.js";
import { planDay } from "./replay/day-plan.js";
import { readDay } from "./replay/files.js";
import { planGenerated } from "./replay/generated-plan.js";
import { isGood, reportOf, reportText } from "./report.js";

/** A clock that moves when told. */
function handClock(): Clock & { advance(ms: number): void } {
  let now = 1_790_000_000_000;
  const timers: { at: number; run: () => void }[] = [];
  return {
    now: () => now,
    monotonic: () => now,
    after(delayMs, run) {
      const timer = { at: now + delayMs, run };
      timers.push(timer);
      return () => {
        const index = timers.indexOf(timer);
        if (index >= 0) timers.splice(index, 1);
      };
    },
    every: () => () => {},
    advance(ms) {
      now += ms;
      for (const timer of timers.splice(0)) {
        if (timer.at <= now) timer.run();
        else timers.push(timer);
      }
    },
  };
}

const ORDERS = [
  "order_id,pick_up_lat,pick_up_lng,drop_off_lat,drop_off_lng,placement_time,preparation_time,ready_time,expected_drop_off_time",
  "1,4.80,-75.69,4.82,-75.70,12:00:30,12:01:10,12:15:10,12:40:30",
  "2,4.81,-75.68,4.80,-75.69,11:59:00,11:59:40,12:09:40,12:30:00",
  "3,4.80,-75.69,4.81,-75.71,23:58:00,23:59:00,00:12:00,00:30:00",
  "",
].join("\n");
const COURIERS = [
  "courier_id,vehicle,on_lat,on_lng,on_time,off_time",
  "1,motorcycle,4.80,-75.70,11:00:00,15:00:00",
  "2,bicycle,4.81,-75.70,08:00:00,10:00:00",
  "3,rocket,4.82,-75.70,22:00:00,02:00:00",
  "4,walking,4.82,-75.71,11:30:00,23:59:00",
  "",
].join("\n");

function recordedDay(orders = ORDERS, couriers = COURIERS) {
  const directory = mkdtempSync(join(tmpdir(), "swift-eats-day-"));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  writeFileSync(join(directory, "orders.csv"), orders);
  writeFileSync(join(directory, "couriers.csv"), couriers);
  return directory;
}

t.test("R-SIM-1: a recorded day is read, over midnight too", async (t) => {
  const day = readDay(recordedDay());
  t.strictSame(
    day.orders.map((order) => order.id),
    ["2", "1", "3"],
    "in order of placement",
  );
  t.equal(timeOfDay(day.orders[2]!.readyMs), "00:12:00");
  t.ok(day.orders[2]!.readyMs > day.orders[2]!.placedMs, "ready after midnight is later than placed before it");
  t.ok(day.couriers[2]!.offMs > day.couriers[2]!.onMs, "a night shift ends on the next day");
});

t.test("a broken record says which line and column", async (t) => {
  t.throws(() => readDay(join(tmpdir(), "no-such-day")), /orders\.csv cannot be read/);
  t.throws(
    () => readDay(recordedDay(ORDERS.replace("4.81,-75.68", "north,-75.68"))),
    /line 3: pick_up_lat is no number/,
  );
  t.throws(() => readDay(recordedDay(ORDERS.replace("12:00:30", "noon"))), /line 2: placement_time is no time of day/);
  t.throws(() => readDay(recordedDay(ORDERS, COURIERS.replace("11:00:00", ""))), CannotRun);
});

t.test("R-SIM-1: a day becomes a plan: pick-up points are restaurants, orders are lines of their menus", async (t) => {
  const plan = planDay(readDay(recordedDay()), { name: "day", prefix: "x", timeScale: 60, seed: 1 });
  t.equal(plan.restaurants.length, 2, "two distinct pick-up points");
  t.equal(plan.orders.length, 3);
  t.equal(new Set(plan.orders.map((order) => order.customerId)).size, 3);
  for (const planned of plan.orders) {
    const restaurant = plan.restaurants.find((restaurant) => restaurant.id === planned.order.restaurantId);
    const [line] = planned.order.lines;
    const item = restaurant?.profile.items.find((item) => item.itemId === line?.itemId);
    t.equal(item?.priceMinor, line?.unitPriceMinor, "the customer pays what the menu says");
    t.equal(numberOfNote(planned.order.note), planned.number, "the kitchen finds its time by the note");
    t.ok(planned.readyAtCityMs! > planned.placeAtCityMs);
  }
  t.strictSame(
    plan.drivers.map((driver) => driver.id),
    ["x-d1", "x-d3", "x-d4"],
    "who went home before the first order is not there",
  );
  t.equal(plan.drivers[1]!.vehicle, "motorcycle", "an unknown vehicle rides a motorcycle");
  t.ok(plan.startCityMs <= plan.orders[0]!.placeAtCityMs - 10_000 * 60, "drivers are online before the first order");
  const again = planDay(readDay(recordedDay()), { name: "day", prefix: "x", timeScale: 60, seed: 1 });
  t.strictSame(again, plan, "one seed, one plan");
  const fewer = planDay(readDay(recordedDay()), {
    name: "day",
    prefix: "x",
    timeScale: 60,
    seed: 1,
    limit: 1,
    drivers: 2,
  });
  t.equal(fewer.orders.length, 1);
  t.ok(fewer.drivers.length <= 2);
});

t.test("R-SIM-1: a generated load arrives at its rate, whatever anybody does", async (t) => {
  const plan = planGenerated({ prefix: "x", timeScale: 60, seed: 4, count: 2000, perMinute: 500 });
  const wallMinutes = (plan.orders.at(-1)!.placeAtCityMs - plan.orders[0]!.placeAtCityMs) / 60 / 60_000;
  t.ok(Math.abs(wallMinutes - 4) < 0.4, `2,000 orders take ${wallMinutes.toFixed(2)} minutes`);
  t.ok(plan.orders.every((order, i) => i === 0 || order.placeAtCityMs >= plan.orders[i - 1]!.placeAtCityMs));
  t.ok(stockOf(plan.restaurants).size > 0, "some items are counted, so that rule 17 has something to judge");
});

t.test("R-SIM-1: the work is shared so that everybody lives in exactly one process", async (t) => {
  const plan = planGenerated({ prefix: "x", timeScale: 60, seed: 4, count: 100, perMinute: 500 });
  const time = { timeScale: 60, startWallMs: 0, startCityMs: plan.startCityMs };
  const everybody = [...plan.restaurants, ...plan.drivers].map((one) => one.id);
  const tokens = new Map([...everybody, ...plan.orders.map((order) => order.customerId)].map((id) => [id, `t-${id}`]));
  const shares = [0, 1, 2].map((index) =>
    shareOf({ url: "", plan, seed: 1, time, streetFactor: 1.3, tokens, processes: 3 }, index),
  );
  const all = shares.flatMap((share) => [...share.restaurants, ...share.drivers].map((one) => one.id));
  t.strictSame(all.sort(), everybody.sort());
  t.strictSame(
    shares.flatMap((share) => share.orders.map((order) => order.number)).sort((a, b) => a - b),
    plan.orders.map((order) => order.number),
  );
  for (const share of shares) {
    t.ok(
      share.tokens.every(([id, token]) => token === `t-${id}`),
      "everybody has a token",
    );
  }
  t.equal(processesFor(100, 3), 1);
  t.equal(processesFor(600, 4), 3);
  t.equal(processesFor(20_000, 3), 3);
});

t.test("the city's clock runs timeScale times as fast", async (t) => {
  const clock = handClock();
  const time = new CityTime({ timeScale: 60, startWallMs: clock.now() + 1000, startCityMs: 36_000_000 }, clock);
  t.equal(time.untilWallMs(36_000_000), 1000);
  clock.advance(2000);
  t.equal(time.nowCityMs(), 36_060_000);
  t.equal(timeOfDay(time.nowCityMs()), "10:01:00");
  t.equal(time.untilWallMs(36_000_000), 0, "what has passed is due now");
  t.equal(time.wallMs(60_000), 1000);
});

t.test("R-SIM-1: a driver moves with the city's time, can be stopped, and stands where it stopped", async (t) => {
  const clock = handClock();
  const time = new CityTime({ timeScale: 60, startWallMs: clock.now(), startCityMs: 0 }, clock);
  const [a, b] = [
    { lat: 4.8, lng: -75.7 },
    { lat: 4.83, lng: -75.7 },
  ];
  const wheel = new Wheel({ clock, time, roads: straightRoads(1) }, a, 10);
  const { wallMs } = wheel.setOff(b);
  t.ok(Math.abs(wallMs - (distanceMeters(a, b) / 10 / 60) * 1000) < 1);
  clock.advance(wallMs / 2);
  t.ok(distanceMeters(wheel.place().point, { lat: 4.815, lng: -75.7 }) < 5);
  t.equal(wheel.place().moving, true);
  const waiting = wheel.wait(wallMs);
  wheel.interrupt();
  t.equal(await waiting, false, "something changed under way");
  wheel.halt();
  const here = wheel.place().point;
  clock.advance(60_000);
  t.strictSame(wheel.place().point, here);
  const there = wheel.wait(100);
  clock.advance(100);
  t.equal(await there, true);
  wheel.stop();
  t.equal(await wheel.wait(100), false, "nobody waits after the end");
});

t.test("food on the counter is seen by who is there and by who comes later", async (t) => {
  const told: string[] = [];
  const counters = new Counters((orderId) => told.push(orderId));
  let looked = 0;
  counters.watch("o-1", () => looked++);
  const stop = counters.watch("o-2", () => looked++);
  stop();
  counters.putOut("o-1");
  counters.seen("o-2");
  t.equal(looked, 1);
  t.equal(counters.isOut("o-1"), true);
  t.equal(counters.isOut("o-2"), true);
  t.strictSame(told, ["o-1"], "other processes are told what was put out here");
  counters.taken("o-1");
  t.equal(counters.isOut("o-1"), false);
});

t.test("R-BEN-1: latencies are summarised from every sample", async (t) => {
  const summary = latencyOf(Array.from({ length: 1000 }, (_, i) => i + 1));
  t.equal(summary.count, 1000);
  t.ok(Math.abs(summary.p50 - 500) <= 1);
  t.ok(Math.abs(summary.p99 - 990) <= 1);
  t.ok(Math.abs(summary.max - 1000) <= 1);
  const odd = new Latency();
  odd.record(-5);
  odd.record(Number.MAX_SAFE_INTEGER);
  t.equal(odd.count, 2, "absurd samples are bounded, not dropped");
  t.equal(latencyOf([]).p99, 0);
});

t.test("the node's first line is understood, other lines are not mistaken for it", async (t) => {
  const line = { listening: { url: "http://127.0.0.1:1" }, dataDir: "/d", operatorSecretFile: "/d/s" };
  t.strictSame(readyOf(JSON.stringify({ ...line, database: "postgresql:///x", paymentLedgerFile: "/d/l" })), {
    url: "http://127.0.0.1:1",
    dataDir: "/d",
    operatorSecretFile: "/d/s",
    databaseUrl: "postgresql:///x",
    ledgerFile: "/d/l",
  });
  t.equal(readyOf('{"level":"info"}'), null);
  t.equal(readyOf("{half"), null);
});

t.test("the report counts from what was received and stored, and is good only if nothing is lost", async (t) => {
  const totals = {
    currency: "EUR",
    itemsMinor: 1,
    feeMinor: 0,
    taxMinor: 0,
    tipMinor: 0,
    discountMinor: 0,
    totalMinor: 1,
  };
  const order = { restaurantId: "r", lines: [], destination: { lat: 1, lng: 1 }, currency: "EUR" };
  const placement = (number: number, answers: History["placements"][number]["answers"]) => ({
    idempotencyKey: `k${number}`,
    customerId: `c${number}`,
    sentAt: number * 1000,
    order,
    answers,
  });
  const ok = (number: number) => ({
    ok: true as const,
    receivedAt: number * 1000 + 40,
    orderId: `o${number}`,
    status: "placed" as const,
    version: 1,
    totals,
  });
  const history: History = {
    placements: [
      placement(1, [ok(1)]),
      placement(2, [ok(2)]),
      placement(3, [ok(3)]),
      placement(4, [{ ok: false, receivedAt: 4040, code: "price_changed", temporary: false }]),
      placement(5, [{ ok: false, receivedAt: 5040, code: "timeout", temporary: true }]),
      placement(6, [ok(6)]),
      placement(7, [ok(7)]),
      placement(61, [ok(61)]),
    ],
    orders: [
      {
        orderId: "o1",
        newest: null,
        positions: [],
        dropped: 0,
        sightings: [{ receivedAt: 1150, via: "socket", stream: "c1", version: 2, status: "confirmed", steps: "pc" }],
      },
    ],
    drivers: [],
    tablets: [{ restaurantId: "r", entries: [{ orderId: "o1", attempt: 1, receivedAt: 1130 }] }],
    faults: [],
    operations: [],
    gaps: [],
    starts: [],
    channels: [],
    unwritten: 0,
  };
  const stored = (number: number, status: OrderStatus & TimelineKind, reason = "no driver") => ({
    orderId: `o${number}`,
    customerId: `c${number}`,
    restaurantId: "r",
    driverId: null,
    status,
    version: 9,
    lines: [],
    totals,
    timeline: [
      { kind: "placed" as const, at: number * 1000, by: "customer" as const },
      { kind: "confirmed" as const, at: number * 1000 + 110, by: "system" as const },
      { kind: status, at: number * 1000 + 20_000, by: "system" as const, reason },
    ],
  });
  const evidence = {
    history,
    database: {
      orders: new Map(
        [
          stored(1, "delivered"),
          stored(2, "cancelled"),
          stored(3, "ready"),
          stored(6, "undeliverable", "nobody home"),
          stored(7, "rejected", "out_of_stock"),
        ].map((o) => [o.orderId, o]),
      ),
      trips: [],
      stockLeft: new Map<string, number>(),
    },
    bookings: null,
    stockConfigured: new Map<string, number>(),
    endedAt: 100_000,
    bounds: { tabletMs: 1, pollAfterCloseMs: 1 },
  };
  const report = reportOf(evidence, { name: "test", timeScale: 60, wallSeconds: 61, violations: [], dispatch: null });
  t.match(report, {
    intended: 8,
    placed: 6,
    delivered: 1,
    cancelled: 1,
    undelivered: 1,
    rejected: 1,
    refused: 1,
    unanswered: 1,
    lost: 2,
    rejections: { out_of_stock: 1 },
    refusals: { price_changed: 1 },
    cancellations: { "no driver": 1 },
    undeliveries: { "nobody home": 1 },
    ordersPerMinute: 8,
    latencyMs: { placeToConfirmed: { count: 1, max: 150 }, confirmedToTablet: { count: 1, max: 20 } },
    clickToDoorMinutes: { mean: 20 },
  });
  t.equal(isGood(report), false, "one never ended, one is not in the database");
  t.match(reportText(report), /lost +2/);
  t.match(reportText(report), /undelivered: nobody home +1/);
  t.equal(isGood({ ...report, lost: 0, unanswered: 0 }), true);
  t.equal(
    isGood({ ...report, lost: 0, unanswered: 0, databaseRead: false }),
    false,
    "nothing is proven without the database",
  );
  t.equal(
    isGood({ ...report, lost: 0, unanswered: 0, brokenRules: [{ rule: "rule-01", subject: "o", summary: "s" }] }),
    false,
  );
});
