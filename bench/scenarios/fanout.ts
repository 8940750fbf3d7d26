/** `fanout`: 2,000 fixes a second of 10,000 drivers, and 9,000 customers who follow the 1,800 orders under way. */
import type { Scenario } from "../harness/ports.js";
import { driverIdsOf, ordersOnTheirWay, startCustomers, startDrivers } from "../load/fleet.js";
import { peers } from "../peers/mod.js";
import { GENEROUS, startOurs } from "./our-node.js";
import { ratioOf } from "./peer.js";
import { bareSide, CITY, type Pace, peersWithLines, runningLines } from "./positions.js";

const DRIVERS = 10_000;
const ORDERS = 1_800;
const SOCKETS_PER_ORDER = 5;
const LOAD = "2,000 fixes/s";
const SET_UP_FIX_EVERY_MS = 5_000;
const PATIENCE_SECONDS = 600;

export const fanout: Scenario = {
  name: "fanout",
  what: "Positions of 10,000 drivers to 9,000 customers' sockets that follow 1,800 orders.",
  loads: [LOAD],
  operation: "fix",
  warmUpSeconds: 5,
  lagBoundMs: 25,
  withoutIdle: false,
  sides(stage) {
    const ids = driverIdsOf(stage.scaled(DRIVERS, 100));
    const orderCount = stage.scaled(ORDERS, 10);
    const paces: Readonly<Record<string, Pace>> = {
      [LOAD]: { perSecond: stage.scaled(2_000), fixesPerFrame: 1 },
    };
    const plan = { driverIds: ids, orderIds: Array.from({ length: orderCount }, (_, i) => `bench-order-${i}`) };
    return [
      {
        role: "ours",
        name: "ours",
        what: "one node with its own PostgreSQL; orders were placed, accepted, offered and collected",
        async start() {
          const ours = await startOurs(stage, { args: GENEROUS });
          try {
            const cities = [CITY];
            const drivers = await startDrivers(ours.target, {
              ids,
              nodeOf: ids.map(() => 0),
              cities,
              setUpFixEveryMs: SET_UP_FIX_EVERY_MS,
              patienceSeconds: PATIENCE_SECONDS,
            });
            const orders = await ordersOnTheirWay(
              ours.target,
              drivers,
              orderCount,
              cities,
              PATIENCE_SECONDS,
              stage.note,
            );
            const sockets = orders.flatMap(({ orderId, token }) =>
              Array.from({ length: SOCKETS_PER_ORDER }, (_, n) => ({ token, device: `phone-${n}`, orderId, node: 0 })),
            );
            const customers = await startCustomers(ours.target.addresses, sockets, {
              openPerSecond: 1_200,
              patienceSeconds: PATIENCE_SECONDS,
            });
            return runningLines(ours, { drivers, customers, driverCount: ids.length }, paces);
          } catch (cause) {
            await ours.stop();
            throw cause;
          }
        },
      },
      bareSide("the native socket server's own publish", plan, SOCKETS_PER_ORDER, paces),
      ...peersWithLines(stage, "fanout", peers.fanout, plan, SOCKETS_PER_ORDER, paces),
    ];
  },
  goals: [
    {
      what: "p99 from the fix's intended time to the customer, one node",
      unit: "ms",
      better: "lower",
      atLeast: 100,
      ambition: 30,
      value: (look) => look("ours", "p99Ms"),
    },
  ],
  /** CPU per fix with all that it causes. */
  ratioToLimit: (look) => ratioOf(look, "cpuMicrosPerOperation", "ours", "bare"),
};
