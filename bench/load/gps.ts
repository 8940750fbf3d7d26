/**
 * The location load: many driver sockets, each one fix every five seconds, and customers who track orders under way.
 *   node dist/bench/load/gps.js --drivers 10000 --orders 1800 --sockets-per-order 5 --seconds 60
 *   node dist/bench/load/gps.js --nodes 4 --drivers 10000 --customers 50000
 * Latencies count from the intended send time (open loop). `socketToActor` is the whole round trip to the driver actor
 * and back, so the one-way figure is less. CPU and memory are the operating system's figures of the nodes' processes.
 *
 * On several nodes the drivers connect to them in turn and so do the sockets of one order, so that with five sockets an
 * order every one of four nodes has to hear of every position. Setting up is not measured.
 */
import { writeFileSync } from "node:fs";
import { availableParallelism, loadavg } from "node:os";
import { resolve } from "node:path";
import { Command } from "commander";
import { sleep, systemClock } from "../../src/lib/clock.js";
import { together } from "../lib/histogram.js";
import type { ProcessUsage } from "../lib/process.js";
import { usageOf } from "../lib/process.js";
import { driverIdsOf, MAX_SOCKETS, ordersOnTheirWay, startCustomers, startDrivers } from "./fleet.js";
import { type Generator, note } from "./generators.js";
import { citiesOf } from "./orders.js";
import { startTarget } from "./target.js";

const clock = systemClock();
const FIX_EVERY_MS = 5000;
/** In a cluster, while orders are brought on their way, so that a small machine gets there. */
const CALM_FIX_EVERY_MS = 10_000;
const MAX_SOCKETS_PER_NODE = 19_000;
/** In a cluster: as many within five kilometres as a large city has. */
const DRIVERS_PER_CITY = 2_500;

const program = new Command()
  .option("--nodes <n>", "1: a lone node; more: a local cluster", Number, 1)
  .option("--drivers <n>", "driver sockets", Number, 10_000)
  .option("--orders <n>", "orders under way", Number, 1_800)
  .option("--sockets-per-order <n>", "customer sockets an order", Number, 5)
  .option("--customers <n>", "customer sockets in all, instead of --orders", Number)
  .option("--seconds <n>", "how long to measure", Number, 60)
  .option("--warm-up <n>", "seconds before measuring", Number, 15)
  .option("--open-per-second <n>", "customers' sockets opened a second", Number, 1200)
  .option("--patience <n>", "seconds that each step of setting up may take", Number, 900)
  .option("--profile <dir>", "of a cluster: write a CPU profile of every thread there")
  .option("--json <file>", "write the figures there")
  .parse();
const options = program.opts<{
  nodes: number;
  drivers: number;
  orders: number;
  socketsPerOrder: number;
  customers?: number;
  seconds: number;
  warmUp: number;
  openPerSecond: number;
  patience: number;
  profile?: string;
  json?: string;
}>();
const orderCount =
  options.customers === undefined ? options.orders : Math.round(options.customers / options.socketsPerOrder);
const socketCount = orderCount * options.socketsPerOrder;
if (options.drivers > MAX_SOCKETS) program.error(`--drivers: at most ${MAX_SOCKETS} in one process`);
if ((options.drivers + socketCount) / options.nodes > MAX_SOCKETS_PER_NODE) {
  program.error(`a node's process holds at most ${MAX_SOCKETS_PER_NODE} sockets: give more --nodes`);
}

const megabytes = (usage: ProcessUsage): number => Math.round(usage.residentBytes / 1e6);
const seconds2 = (value: number): number => Number(value.toFixed(2));
const total = (usages: readonly ProcessUsage[], key: keyof ProcessUsage): number =>
  usages.reduce((sum, usage) => sum + usage[key], 0);

const target = await startTarget({
  nodes: options.nodes,
  onProgress: note,
  ...(options.profile === undefined ? {} : { profileDirectory: resolve(options.profile) }),
});
const { nodes, addresses } = target;
const isLone = nodes.length === 1;
const cities = citiesOf(isLone ? 1 : Math.ceil(options.drivers / DRIVERS_PER_CITY));
const generators: Generator[] = [];
try {
  const idle = target.usage();
  const driverIds = driverIdsOf(options.drivers);
  const nodeOf = driverIds.map((_, i) => i % nodes.length);
  const drivers = await startDrivers(target, {
    ids: driverIds,
    nodeOf,
    cities,
    setUpFixEveryMs: isLone ? FIX_EVERY_MS : CALM_FIX_EVERY_MS,
    patienceSeconds: options.patience,
  });
  generators.push(drivers);
  const withDrivers = target.usage();
  const orders = await ordersOnTheirWay(target, drivers, orderCount, cities, options.patience, note);
  const beforeCustomers = target.usage();
  const sockets = orders.flatMap(({ orderId, token }, i) =>
    Array.from({ length: options.socketsPerOrder }, (_, n) => ({
      token,
      device: `phone-${n}`,
      orderId,
      node: (i * options.socketsPerOrder + n) % nodes.length,
    })),
  );
  const customers = await startCustomers(addresses, sockets, {
    openPerSecond: options.openPerSecond,
    patienceSeconds: options.patience,
  });
  generators.push(...customers);
  const withCustomers = target.usage();
  drivers.tell({ t: "pace", everyMs: FIX_EVERY_MS, fixes: 1 });
  await sleep(clock, options.warmUp * 1000);
  for (const generator of generators) generator.tell({ t: "measure" });
  const before = target.usage();
  const serversBefore = target.servers();
  const generatorsBefore = generators.map(({ child }) => usageOf(child.pid!));
  const began = clock.monotonic();
  const residentMegabytes: number[] = [];
  for (let second = 0; second < options.seconds; second += 5) {
    await sleep(clock, Math.min(5, options.seconds - second) * 1000);
    residentMegabytes.push(Math.round(total(target.usage(), "residentBytes") / 1e6));
  }
  const after = target.usage();
  const serversAfter = target.servers();
  const generatorsAfter = generators.map(({ child }) => usageOf(child.pid!));
  const seconds = (clock.monotonic() - began) / 1000;
  const fromDrivers = await drivers.report();
  const fromCustomers = await Promise.all(customers.map((generator) => generator.report()));
  const fixes = Math.max(1, fromDrivers.lagMs.count);
  const cpuSeconds = total(after, "cpuSeconds") - total(before, "cpuSeconds");
  const fixToCustomerMs = together(fromCustomers.map(({ latency }) => latency));
  const errors: Record<string, number> = {};
  for (const report of [fromDrivers, ...fromCustomers])
    for (const [code, count] of Object.entries(report.errors)) errors[code] = (errors[code] ?? 0) + count;
  const elsewhere = driverIds.filter((id, i) => target.ownerOf("driver", id) !== nodeOf[i]).length;
  const result = {
    ...(isLone ? {} : { nodes: nodes.length, cities: cities.length }),
    drivers: options.drivers,
    ordersUnderWay: orders.length,
    trackingCustomers: sockets.length,
    seconds: Math.round(seconds),
    fixesPerSecond: Math.round(fromDrivers.lagMs.count / seconds),
    positionsPerSecond: Math.round(fixToCustomerMs.count / seconds),
    socketToActorMs: fromDrivers.latencyMs,
    fixToCustomerMs,
    generatorLagMs: fromDrivers.lagMs,
    customerGeneratorLagMs: together(fromCustomers.map(({ lag }) => lag)),
    nodeCpuMicrosPerFix: Math.round((cpuSeconds * 1e6) / fixes),
    nodeCpuShare: seconds2(cpuSeconds / seconds),
    bytesPerDriver: Math.round((total(withDrivers, "residentBytes") - total(idle, "residentBytes")) / options.drivers),
    bytesPerCustomer: Math.round(
      (total(withCustomers, "residentBytes") - total(beforeCustomers, "residentBytes")) / Math.max(1, sockets.length),
    ),
    residentMegabytes,
    ...(isLone
      ? {}
      : {
          driversWithActorElsewhere: seconds2(elsewhere / options.drivers),
          byNode: nodes.map(({ id }, i) => ({
            node: id,
            cpuSeconds: seconds2(after[i]!.cpuSeconds - before[i]!.cpuSeconds),
            megabytes: megabytes(after[i]!),
          })),
          byServer: Object.entries(serversAfter).map(([server, usage]) => ({
            server,
            cpuSeconds: seconds2(usage.cpuSeconds - serversBefore[server]!.cpuSeconds),
            megabytes: megabytes(usage),
          })),
          generatorCpuSeconds: seconds2(total(generatorsAfter, "cpuSeconds") - total(generatorsBefore, "cpuSeconds")),
        }),
    machine: { cores: availableParallelism(), loadAverages: loadavg().map(seconds2) },
    socketsLost: fromDrivers.closed + fromCustomers.reduce((sum, { closed }) => sum + closed, 0),
    errors,
  };
  process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
  if (options.json) writeFileSync(options.json, `${JSON.stringify(result)}\n`);
} finally {
  for (const generator of generators) generator.tell({ t: "stop" });
  await target.stop();
}
