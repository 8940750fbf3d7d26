/**
 * `gps`: positions from drivers' sockets to their actors and the acknowledgement back, beside a bare server that answers
 * the same bytes. What a node does with 10,000 free drivers without a fix is its cost, too.
 */
import type { Look, Scenario } from "../harness/ports.js";
import { driverIdsOf, startDrivers } from "../load/fleet.js";
import { peers } from "../peers/mod.js";
import { GENEROUS, startOurs } from "./our-node.js";
import { ratioOf, worst } from "./peer.js";
import { bareSide, CITY, type Pace, peersWithLines, runningLines } from "./positions.js";

const DRIVERS = 10_000;
const PATIENCE_SECONDS = 300;
const SINGLE = ["2,000 frames/s", "10,000 frames/s"] as const;
const BATCHED = "500 frames/s of 10 fixes";
const PACES: Readonly<Record<string, Pace>> = {
  [SINGLE[0]]: { perSecond: 2_000, fixesPerFrame: 1 },
  [SINGLE[1]]: { perSecond: 10_000, fixesPerFrame: 1 },
  [BATCHED]: { perSecond: 500, fixesPerFrame: 10 },
};

const toBare = (look: Look, load: string): number | null =>
  ratioOf(look, "cpuMicrosPerOperation", "ours", "bare", load);

export const gps: Scenario = {
  name: "gps",
  what: "Fixes from 10,000 drivers' sockets to their actors, acknowledged.",
  loads: Object.keys(PACES),
  operation: "frame",
  warmUpSeconds: 6,
  // So that a heap's seldom large collection weighs what it does over time.
  leastSeconds: 8,
  lagBoundMs: 25,
  withoutIdle: false,
  sides(stage) {
    const count = stage.scaled(DRIVERS, 100);
    const ids = driverIdsOf(count);
    const paces = Object.fromEntries(
      Object.entries(PACES).map(([load, pace]) => [load, { ...pace, perSecond: stage.scaled(pace.perSecond) }]),
    );
    const plan = { driverIds: ids, orderIds: [] };
    return [
      {
        role: "ours",
        name: "ours",
        what: "one node with its own PostgreSQL; every driver is on shift",
        async start() {
          const ours = await startOurs(stage, { args: GENEROUS });
          try {
            const drivers = await startDrivers(ours.target, {
              ids,
              nodeOf: ids.map(() => 0),
              cities: [CITY],
              setUpFixEveryMs: null,
              patienceSeconds: PATIENCE_SECONDS,
            });
            return runningLines(ours, { drivers, customers: [], driverCount: count }, paces);
          } catch (cause) {
            await ours.stop();
            throw cause;
          }
        },
      },
      bareSide("the native socket server alone, which copies a fix's number into its answer", plan, 0, paces),
      ...peersWithLines(stage, "gps", peers.gps, plan, 0, paces),
    ];
  },
  goals: SINGLE.map((load) => ({
    what: `node CPU per single-fix frame ÷ bare, ${load}`,
    unit: "×",
    better: "lower",
    atLeast: 3,
    ambition: 1.8,
    value: (look) => toBare(look, load),
  })),
  ratioToLimit: (look) =>
    worst(
      Math.max,
      SINGLE.map((load) => toBare(look, load)),
    ),
};
