/** The people of a seed: what they plan, and what happens to their devices. Whole runs are in `simulate.test.ts`. */
import t from "tap";
import type { NativeApp } from "../../../src/gateway/mod.js";
import type { FaultKind, Sizes } from "../ports.js";
import { createScheduler } from "../time/scheduler.js";
import { createStreams } from "../time/streams.js";
import { createTrace } from "../trace/trace.js";
import { createTransport } from "../transport/mod.js";
import { planOf } from "./plan.js";
import { Weather } from "./weather.js";

const START_AT = 1_800_000_000_000;
const MINUTE_MS = 60_000;
const SIZES: Sizes = {
  nodes: 3,
  workersPerNode: 1,
  restaurants: 3,
  drivers: 6,
  orders: 20,
  timeScale: 30,
  placingMs: MINUTE_MS,
};

t.test("R-SIM-2: a seed has one plan, and plans have everything that people do", async (t) => {
  const planFor = (seed: number) => planOf(SIZES, createStreams(seed).of("plan"), createStreams(seed).of("words"));
  t.same(planFor(7), planFor(7));
  t.notSame(planFor(7), planFor(8));
  const plans = Array.from({ length: 20 }, (_, seed) => planFor(seed + 1));
  const orders = plans.flatMap((plan) => plan.orders);
  for (const way of ["socket", "events", "poll"] as const) t.ok(orders.some((order) => order.followBy === way));
  t.ok(orders.some((order) => order.impatient));
  t.ok(orders.some((order) => order.cancelAfterCityMs !== null));
  t.ok(plans.some((plan) => plan.drivers.some(({ shifts }) => Number.isFinite(shifts[0]?.toCityMs))));
  const wanted = (plan: (typeof plans)[number], id: string): number =>
    plan.orders
      .flatMap(({ order }) => order.lines.map((line) => ({ ...line, id: `${order.restaurantId}/${line.itemId}` })))
      .reduce((sum, line) => sum + (line.id === id ? line.quantity : 0), 0);
  const runsOut = plans.some((plan) =>
    plan.restaurants.some(({ id, profile }) =>
      profile.items.some(({ itemId, stock }) => stock !== undefined && stock < wanted(plan, `${id}/${itemId}`)),
    ),
  );
  t.ok(runsOut, "somewhere more is ordered than there is");
});

t.test("R-SIM-2: every trouble of a line happens while it may, and none after the sky has cleared", async (t) => {
  const scheduler = createScheduler(3, START_AT);
  const streams = createStreams(3);
  const trace = createTrace({ now: () => scheduler.now });
  const happened = new Map<FaultKind, number>();
  let chaos = true;
  const faults = {
    phase: "chaos" as const,
    intensity: () => (chaos ? 1 : 0),
    happened: (kind: FaultKind) => void happened.set(kind, (happened.get(kind) ?? 0) + 1),
    counts: {} as Record<FaultKind, number>,
  };
  const transport = createTransport({ scheduler, streams, trace, faults });
  const process = { node: "n1", life: "n1-1", clock: scheduler.process("n1-1") };
  let received = 0;
  listen(transport.open(process, "http://n1.example"), () => received++);
  const weather = new Weather({ clock: scheduler.clock, streams, faults });
  weather.begin();
  const devices = Array.from({ length: 4 }, (_, index) => {
    const device = transport.device(`phone-${index}`, scheduler.process(`phone-${index}`));
    weather.add(device);
    const connect = (): void => {
      if (device.lost) {
        scheduler.clock.after(1_000, connect);
        return;
      }
      const socket = new device.WebSocket("ws://n1.example/ws", ["p"]);
      let isOpen = false;
      socket.onopen = () => {
        isOpen = true;
      };
      const stop = scheduler.clock.every(500, () => isOpen && socket.send("[4,1]"));
      let silent = 0;
      const watch = scheduler.clock.every(1_000, () => ++silent > 20 && socket.terminate?.());
      socket.onmessage = () => {
        silent = 0;
      };
      socket.onclose = () => {
        stop();
        watch();
        scheduler.clock.after(1_000, connect);
      };
    };
    connect();
    return device;
  });
  await scheduler.until(() => false, START_AT + 5 * MINUTE_MS);
  for (const kind of [
    "client_signal_lost",
    "client_half_open",
    "client_slow_reader",
    "client_reconnect_storm",
    "client_duplicate_send",
  ] as const)
    t.ok((happened.get(kind) ?? 0) > 0, kind);
  chaos = false;
  weather.clear();
  await scheduler.until(() => devices.every((device) => device.isConnected), START_AT + 7 * MINUTE_MS);
  t.ok(devices.every((device) => device.isConnected && !device.lost));
  const counts = new Map(happened);
  const before = received;
  await scheduler.until(() => false, START_AT + 9 * MINUTE_MS);
  t.same(happened, counts, "nothing happens any more");
  t.ok(received > before, "and everybody is heard");
});

function listen(app: NativeApp, received: () => void): void {
  app.ws("/ws", {
    idleTimeout: 30,
    upgrade: (res, _req, context) => res.upgrade({}, "", "p", "", context),
    message(ws) {
      received();
      ws.send("heard", false);
    },
  });
}
