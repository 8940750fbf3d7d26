/**
 * The location load: many driver sockets, each one fix every five seconds, and customers who track orders under way.
 *   node dist/bench/load/gps.js --drivers 10000 --orders 1800 --sockets-per-order 5 --seconds 60
 * Latencies count from the intended send time (open loop). `socketToActor` is the whole round trip to the driver actor
 * and back, so the one-way figure is less. CPU and memory are the operating system's figures of the node's process.
 */
import { type ChildProcess, fork } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { sleep, systemClock } from "../../src/lib/clock.js";
import { usageOf } from "../lib/process.js";
import type { CustomerPlan, DriverPlan, FromGenerator, ToGenerator } from "./messages.js";
import { issueTokens, type RunningNode, startNodeProcess } from "./node-process.js";

const clock = systemClock();
const CENTER = { lat: 48.2, lng: 16.37 };
const FIX_EVERY_MS = 5000;
const RESTAURANTS = 40;
const ORDERS_AT_ONCE = 16;

const program = new Command()
  .option("--drivers <n>", "driver sockets", Number, 10_000)
  .option("--orders <n>", "orders under way", Number, 1_800)
  .option("--sockets-per-order <n>", "customer sockets an order", Number, 5)
  .option("--seconds <n>", "how long to measure", Number, 60)
  .option("--warm-up <n>", "seconds before measuring", Number, 15)
  .option("--json <file>", "write the figures there")
  .parse();
const options = program.opts<{
  drivers: number;
  orders: number;
  socketsPerOrder: number;
  seconds: number;
  warmUp: number;
  json?: string;
}>();
const note = (text: string): void => {
  process.stderr.write(`${text}\n`);
};

interface Generator {
  readonly child: ChildProcess;
  progress: { connected: number; picked: number; closed: number };
  report(): Promise<Extract<FromGenerator, { t: "report" }>>;
  tell(message: ToGenerator): void;
}

async function startGenerator(plan: DriverPlan | CustomerPlan): Promise<Generator> {
  const child = fork(fileURLToPath(new URL("./generator.js", import.meta.url)), [], { serialization: "advanced" });
  const generator: Generator = {
    child,
    progress: { connected: 0, picked: 0, closed: 0 },
    tell: (message) => child.send(message),
    report: () =>
      new Promise((resolve) => {
        const listen = (message: FromGenerator): void => {
          if (message.t !== "report") return;
          child.off("message", listen);
          resolve(message);
        };
        child.on("message", listen);
        child.send({ t: "report" } satisfies ToGenerator);
      }),
  };
  await new Promise<void>((resolve) => {
    child.on("message", (message: FromGenerator) => {
      if (message.t === "ready") resolve();
      if (message.t === "progress") generator.progress = message;
    });
  });
  generator.tell({ t: "plan", plan });
  return generator;
}

async function until(what: string, seconds: number, done: () => boolean, show: () => string): Promise<void> {
  const deadline = clock.monotonic() + seconds * 1000;
  while (!done()) {
    if (clock.monotonic() > deadline) throw new Error(`${what}: not there after ${seconds} s (${show()})`);
    await sleep(clock, 500);
    if (process.stderr.isTTY) process.stderr.write(`\r${what}: ${show()}   `);
  }
  note(`${what}: ${show()}`);
}

async function post(
  node: RunningNode,
  path: string,
  token: string,
  key: string,
  body: unknown,
  method = "POST",
): Promise<Record<string, unknown>> {
  for (;;) {
    const answer = await fetch(node.url + path, {
      method,
      headers: { "content-type": "application/json", authorization: `Bearer ${token}`, "idempotency-key": key },
      body: JSON.stringify(body),
    });
    const text = await answer.text();
    if (answer.ok) return JSON.parse(text) as Record<string, unknown>;
    const problem = JSON.parse(text) as { temporary?: boolean; retryAfterMs?: number };
    if (problem.temporary !== true) throw new Error(`${method} ${path} answered ${answer.status}: ${text}`);
    await sleep(clock, problem.retryAfterMs ?? 200);
  }
}

async function placeOrders(node: RunningNode, customers: readonly string[]): Promise<string[]> {
  const ids = Array.from({ length: RESTAURANTS }, (_, i) => `bench-restaurant-${i}`);
  const restaurants = await issueTokens(
    node,
    ids.map((id) => ({ id, role: "restaurant" })),
  );
  for (let i = 0; i < RESTAURANTS; i++) {
    const angle = (i / RESTAURANTS) * 2 * Math.PI;
    await post(
      node,
      `/v1/restaurants/${ids[i]}`,
      restaurants[i]!,
      `configure-${i}`,
      {
        name: `Kitchen ${i}`,
        lat: CENTER.lat + 0.02 * Math.sin(angle),
        lng: CENTER.lng + 0.02 * Math.cos(angle),
        currency: "EUR",
        deliveryRadiusMeters: 50_000,
        kitchenCapacity: 100_000,
        items: [{ itemId: "dish", name: "Dish of the day", priceMinor: 1200 }],
      },
      "PUT",
    );
  }
  const orders: string[] = new Array(customers.length).fill("");
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < customers.length) {
      const i = next++;
      const r = i % RESTAURANTS;
      const placed = await post(node, "/v1/orders", customers[i]!, `place-${i}`, {
        restaurantId: ids[r],
        lines: [{ itemId: "dish", quantity: 1, unitPriceMinor: 1200 }],
        destination: { lat: CENTER.lat + 0.01, lng: CENTER.lng + 0.01 },
        currency: "EUR",
      });
      orders[i] = String(placed.orderId);
      // Confirmed takes the payment's time: accepting earlier is an illegal move, so ask until it is legal.
      for (let attempt = 0; ; attempt++) {
        try {
          await post(node, `/v1/orders/${orders[i]}/accept`, restaurants[r]!, `accept-${i}-${attempt}`, {
            prepMinutes: 0,
          });
          break;
        } catch (cause) {
          if (attempt > 100 || !String(cause).includes("illegal_transition")) throw cause;
          await sleep(clock, 100);
        }
      }
      await post(node, `/v1/orders/${orders[i]}/ready`, restaurants[r]!, `ready-${i}`, {});
    }
  };
  await Promise.all(Array.from({ length: ORDERS_AT_ONCE }, lane));
  return orders;
}

const dataDir = mkdtempSync(join(tmpdir(), "swift-gps-"));
const node = await startNodeProcess({ dataDir, args: ["--log-level", "warn"] });
const generators: Generator[] = [];
try {
  const { hostname: host, port: portText } = new URL(node.url);
  const port = Number(portText);
  const idle = usageOf(node.pid);
  const driverIds = Array.from({ length: options.drivers }, (_, i) => `bench-driver-${i}`);
  const driverTokens = await issueTokens(
    node,
    driverIds.map((id) => ({ id, role: "driver" })),
  );
  const drivers = await startGenerator({
    role: "drivers",
    host,
    port,
    tokens: driverTokens,
    ids: driverIds,
    center: CENTER,
    fixEveryMs: FIX_EVERY_MS,
  });
  generators.push(drivers);
  await until(
    "drivers on shift",
    300,
    () => drivers.progress.connected >= options.drivers,
    () => `${drivers.progress.connected} of ${options.drivers}`,
  );
  const withDrivers = usageOf(node.pid);
  const customerTokens = await issueTokens(
    node,
    Array.from({ length: options.orders }, (_, i) => ({ id: `bench-customer-${i}`, role: "customer" })),
  );
  const orders = await placeOrders(node, customerTokens);
  await until(
    "orders picked up",
    600,
    () => drivers.progress.picked >= options.orders,
    () => `${drivers.progress.picked} of ${options.orders}`,
  );
  const beforeCustomers = usageOf(node.pid);
  const sockets = orders.flatMap((orderId, i) =>
    Array.from({ length: options.socketsPerOrder }, (_, n) => ({
      token: customerTokens[i]!,
      device: `phone-${n}`,
      orderId,
    })),
  );
  const customers = await startGenerator({ role: "customers", host, port, sockets });
  generators.push(customers);
  await until(
    "customers tracking",
    300,
    () => customers.progress.connected >= sockets.length,
    () => `${customers.progress.connected} of ${sockets.length}`,
  );
  const withCustomers = usageOf(node.pid);
  await sleep(clock, options.warmUp * 1000);
  for (const generator of generators) generator.tell({ t: "measure" });
  const before = usageOf(node.pid);
  const began = clock.monotonic();
  const residentMegabytes: number[] = [];
  for (let second = 0; second < options.seconds; second += 5) {
    await sleep(clock, Math.min(5, options.seconds - second) * 1000);
    residentMegabytes.push(Math.round(usageOf(node.pid).residentBytes / 1e6));
  }
  const after = usageOf(node.pid);
  const seconds = (clock.monotonic() - began) / 1000;
  const fromDrivers = await drivers.report();
  const fromCustomers = await customers.report();
  const result = {
    drivers: options.drivers,
    trackingCustomers: sockets.length,
    seconds: Math.round(seconds),
    fixesPerSecond: Math.round(fromDrivers.lagMs.count / seconds),
    positionsPerSecond: Math.round(fromCustomers.latencyMs.count / seconds),
    socketToActorMs: fromDrivers.latencyMs,
    fixToCustomerMs: fromCustomers.latencyMs,
    generatorLagMs: fromDrivers.lagMs,
    nodeCpuMicrosPerFix: Math.round(
      ((after.cpuSeconds - before.cpuSeconds) * 1e6) / Math.max(1, fromDrivers.lagMs.count),
    ),
    nodeCpuShare: Number(((after.cpuSeconds - before.cpuSeconds) / seconds).toFixed(2)),
    bytesPerDriver: Math.round((withDrivers.residentBytes - idle.residentBytes) / options.drivers),
    bytesPerCustomer: Math.round(
      (withCustomers.residentBytes - beforeCustomers.residentBytes) / Math.max(1, sockets.length),
    ),
    residentMegabytes,
    socketsLost: fromDrivers.closed + fromCustomers.closed,
    errors: { ...fromDrivers.errors, ...fromCustomers.errors },
  };
  process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
  if (options.json) writeFileSync(options.json, `${JSON.stringify(result)}\n`);
} finally {
  for (const generator of generators) generator.tell({ t: "stop" });
  await node.stop();
  rmSync(dataDir, { recursive: true, force: true });
}
