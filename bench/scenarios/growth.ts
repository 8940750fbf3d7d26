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
export interface GrowthSeries {
  readonly name: string;
  readonly xName: string;
  /** What is drawn, by figure: its name. */
  readonly drawn: Readonly<Record<string, string>>;
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

export async function measureGrowth(stage: Stage): Promise<readonly GrowthSeries[]> {
  const drivers: GrowthPoint[] = [];
  for (const each of DRIVERS) {
    const x = stage.scaled(each, 50);
    drivers.push({ x, figures: await driversOn(stage, x, 1) });
  }
  const loads = ORDERS_PER_SECOND.map((perSecond) => `${perSecond} orders/s`);
  const orders = await runScenario(ordersAt(ORDERS_PER_SECOND), stage, ROUNDS);
  const nodes: GrowthPoint[] = [];
  const most = stage.scaled(DRIVERS.at(-1)!, 50);
  for (const x of NODES) nodes.push({ x, figures: await driversOn(stage, most, x) });
  return [
    {
      name: "drivers on one node, each a fix every 5 s",
      xName: "drivers",
      drawn: { cpuShare: "processors busy", residentMegabytes: "MB", p99Ms: "p99 ms to the actor and back" },
      points: drivers,
    },
    {
      name: "orders on one node",
      xName: "orders a second",
      drawn: {
        cpuShare: "processors busy",
        databaseCpuMicrosPerOperation: "database µs an order",
        p99Ms: "p99 ms from tap to door",
      },
      points: loads.map((load, i) => ({
        x: ORDERS_PER_SECOND[i]! * Math.min(1, stage.scale),
        figures: orders.sides[0]!.loads[load] ?? {},
      })),
    },
    {
      name: `${most} drivers over several nodes`,
      xName: "nodes",
      drawn: { cpuMicrosPerOperation: "µs a fix, all nodes together", residentMegabytes: "MB, all nodes together" },
      points: nodes,
    },
  ];
}

/**
 * How much dearer one more is at the far end than at the near one, by figure: 1 is a straight line. Compares the slope of
 * the last step with that of the first; null where the first did not cost anything that could be measured.
 */
export function bend({ points }: GrowthSeries, figure: string): number | null {
  const slope = (a: GrowthPoint | undefined, b: GrowthPoint | undefined): number =>
    ((b?.figures[figure] ?? Number.NaN) - (a?.figures[figure] ?? Number.NaN)) / ((b?.x ?? 0) - (a?.x ?? 0));
  const [first, last] = [slope(points[0], points[1]), slope(points.at(-2), points.at(-1))];
  return Number.isFinite(first) && Number.isFinite(last) && first > 0 ? last / first : null;
}
