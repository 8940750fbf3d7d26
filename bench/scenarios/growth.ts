/**
 * How cost grows: drivers × 1, 2, 4, 8; orders × 1, 2, 4, 8; nodes 1, 2, 4. A straight line means that the next driver
 * costs what the last one did.
 */
import type { Figures, Scenario, Side, Stage } from "../harness/ports.js";
import { runScenario } from "../harness/rounds.js";
import { driverIdsOf, startDrivers } from "../load/fleet.js";
import { citiesOf } from "../load/orders.js";
import { ordersAt } from "./orders.js";
import { GENEROUS, startOurs } from "./our-node.js";
import { runningLines } from "./positions.js";

export interface GrowthPoint {
  readonly x: number;
  readonly figures: Figures;
}
/** Less at the far end than at the near one; or every next one costs less, or more, than the one before. */
export type Bend = "falls" | "flatter" | "steeper";

export interface Drawn {
  readonly title: string;
  /** Why it is no straight line, when it is none: by what it does instead. */
  readonly reasons: Readonly<Partial<Record<Bend, string>>>;
}
export interface GrowthSeries {
  readonly name: string;
  readonly xName: string;
  /** What is drawn, by figure. */
  readonly drawn: Readonly<Record<string, Drawn>>;
  readonly points: readonly GrowthPoint[];
}

const DRIVERS = [1_250, 2_500, 5_000, 10_000];
const ORDERS_PER_SECOND = [10, 20, 40, 80];
const NODES = [1, 2, 4];
const FIX_EVERY_SECONDS = 5;
const DRIVERS_PER_CITY = 2_500;
const PATIENCE_SECONDS = 300;
const ROUNDS = 1;

/** Only ours, one load. */
const alone = (name: string, load: string, side: Side): Scenario => ({
  name,
  what: name,
  loads: [load],
  operation: "frame",
  warmUpSeconds: 2,
  lagBoundMs: 50,
  withoutIdle: false,
  sides: () => [side],
  goals: [],
  ratioToLimit: () => null,
});

/** `count` drivers, each a fix every five seconds, over so many nodes in turn. */
async function driversOn(stage: Stage, count: number, nodes: number): Promise<Figures> {
  const load = "a fix every 5 s";
  const cities = citiesOf(Math.ceil(count / DRIVERS_PER_CITY));
  const side: Side = {
    role: "ours",
    name: "ours",
    what: `${count} drivers on ${nodes} nodes`,
    async start() {
      const ours = await startOurs(stage, { nodes, args: GENEROUS });
      try {
        const ids = driverIdsOf(count);
        const drivers = await startDrivers(ours.target, {
          ids,
          nodeOf: ids.map((_, i) => i % nodes),
          cities,
          setUpFixEveryMs: null,
          patienceSeconds: PATIENCE_SECONDS,
        });
        const perSecond = count / FIX_EVERY_SECONDS;
        return runningLines(
          ours,
          { drivers, customers: [], driverCount: count },
          { [load]: { perSecond, fixesPerFrame: 1 } },
        );
      } catch (cause) {
        await ours.stop();
        throw cause;
      }
    },
  };
  const result = await runScenario(alone(`${count} drivers on ${nodes} nodes`, load, side), stage, ROUNDS);
  return result.sides[0]!.loads[load]!;
}

const WAITING = {
  flatter:
    "While there is little to do, most of the wait is the fixed time for which things gather to travel together.",
  steeper: "Waiting does not add up: it stays low until a processor has little idle time left, and then rises fast.",
};
const STEPS = "The heaps of a node's threads grow by steps.";
const TOGETHER =
  "Fixes that come close together travel and are answered together: the next driver costs less than the last.";
const FLUSHES = "Commits that come close together share a flush: the more orders, the less each costs.";
const HOPS =
  "The step from one node to two is not like the next: on one node every fix stays, of n nodes n − 1 send it on to the driver's owner over the network. Each has its own timers, and fewer fixes to carry together.";

async function byDrivers(stage: Stage): Promise<GrowthSeries> {
  const points: GrowthPoint[] = [];
  for (const each of DRIVERS) {
    const x = stage.scaled(each, 50);
    points.push({ x, figures: await driversOn(stage, x, 1) });
  }
  return {
    name: "drivers on one node, each a fix every 5 s",
    xName: "drivers",
    drawn: {
      cpuShare: { title: "processors busy", reasons: { flatter: TOGETHER } },
      residentMegabytes: { title: "MB", reasons: { falls: STEPS, flatter: STEPS, steeper: STEPS } },
      p99Ms: { title: "p99 ms to the actor and back", reasons: WAITING },
    },
    points,
  };
}

async function byOrders(stage: Stage): Promise<GrowthSeries> {
  const loads = ORDERS_PER_SECOND.map((perSecond) => `${perSecond} orders/s`);
  const orders = await runScenario(ordersAt(ORDERS_PER_SECOND), stage, ROUNDS);
  return {
    name: "orders on one node",
    xName: "orders a second",
    drawn: {
      cpuShare: { title: "processors busy", reasons: { flatter: FLUSHES } },
      databaseCpuMicrosPerOperation: { title: "database µs an order", reasons: { falls: FLUSHES } },
      p99Ms: { title: "p99 ms from tap to door", reasons: WAITING },
    },
    points: loads.map((load, i) => ({
      x: ORDERS_PER_SECOND[i]! * Math.min(1, stage.scale),
      figures: orders.sides[0]!.loads[load] ?? {},
    })),
  };
}

async function byNodes(stage: Stage): Promise<GrowthSeries> {
  const points: GrowthPoint[] = [];
  const most = stage.scaled(DRIVERS.at(-1)!, 50);
  for (const x of NODES) points.push({ x, figures: await driversOn(stage, most, x) });
  return {
    name: `${most.toLocaleString("en-US")} drivers over several nodes of one machine`,
    xName: "nodes",
    drawn: {
      cpuMicrosPerOperation: { title: "µs a fix, all nodes together", reasons: { flatter: HOPS, steeper: HOPS } },
      residentMegabytes: { title: "MB, all nodes together", reasons: {} },
    },
    points,
  };
}

/** Each is a run of its own: when one breaks, the others are still there. */
export const GROWTH: readonly (readonly [name: string, measure: (stage: Stage) => Promise<GrowthSeries>])[] = [
  ["growth by drivers", byDrivers],
  ["growth by orders", byOrders],
  ["growth by nodes", byNodes],
];
