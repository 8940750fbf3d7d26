/**
 * `poll`: customers who ask for their order again and again. A cluster of two nodes: the one on which the orders and their
 * drivers live answers from its own copy, the other from Redis and from what it remembers of it. The bare server answers
 * the same bytes out of a map, and out of Redis by one pipelined GET a request.
 */
import { sleep, systemClock } from "../../src/lib/clock.js";
import type { Look, Scenario } from "../harness/ports.js";
import { ordersOnTheirWay, startDrivers } from "../load/fleet.js";
import { citiesOf } from "../load/orders.js";
import type { ReadPlan } from "../load/reader-messages.js";
import { type Document, readDocuments } from "../load/readers.js";
import { peers } from "../peers/mod.js";
import { startOurs } from "./our-node.js";
import { worst } from "./peer.js";
import { bareReads, bareToOurs, MOST, OFTEN, peerReads, type ReadLoad, runningReads } from "./reads.js";

const clock = systemClock();
const ORDERS = 500;
const PER_SECOND = 6_000;
const CONNECTIONS = 500;
const FIX_EVERY_MS = 10_000;
const PATIENCE_SECONDS = 600;
/** About one order in two is given an id of the first node's; the other half only has to have a driver too. */
const PLACED_PER_ORDER = 2.3;
/** A driver for every order, and some to choose from. */
const DRIVERS_PER_ORDER = 1.2;
const OWN = "from the in-process copy";
const REDIS = "from Redis";
const OWN_MOST = `${OWN}, ${MOST}`;
const REDIS_MOST = `${REDIS}, ${MOST}`;
/** Where both fill the machine: at a slower pace what a node does besides reading counts, too. */
const GOALS = [
  [OWN_MOST, 0.6, 0.85],
  [REDIS_MOST, 0.8, 1],
] as const;

export const poll: Scenario = {
  name: "poll",
  what: "Polls of orders on their way, each by its customer, 6,000 a second and as many as go, over 500 connections.",
  loads: [OWN, REDIS, OWN_MOST, REDIS_MOST],
  operation: "request",
  warmUpSeconds: 2,
  mostWarmUps: 6,
  lagBoundMs: 25,
  withoutIdle: true,
  sides(stage) {
    let requests: ReadPlan["requests"] = [];
    let documents: readonly Document[] = [];
    let redisUrl: string | null = null;
    const load = (): ReadLoad => ({
      perSecond: stage.scaled(PER_SECOND),
      connections: stage.scaled(CONNECTIONS, 16),
      processes: 1,
      requests,
    });
    return [
      {
        role: "ours",
        name: "ours",
        what: "the owner's node, and the other node of a cluster of two",
        async start() {
          const ours = await startOurs(stage, { nodes: 2, args: OFTEN });
          const { target } = ours;
          redisUrl = target.redisUrl;
          const wanted = stage.scaled(ORDERS, 10);
          const placed = Math.ceil(wanted * PLACED_PER_ORDER) + 20;
          const driverIds: string[] = [];
          for (let i = 0; driverIds.length < placed * DRIVERS_PER_ORDER; i++)
            if (target.ownerOf("driver", `bench-driver-${i}`) === 0) driverIds.push(`bench-driver-${i}`);
          const cities = citiesOf(1);
          const drivers = await startDrivers(target, {
            ids: driverIds,
            nodeOf: driverIds.map(() => 0),
            cities,
            setUpFixEveryMs: FIX_EVERY_MS,
            patienceSeconds: PATIENCE_SECONDS,
          });
          const orders = await ordersOnTheirWay(target, drivers, placed, cities, PATIENCE_SECONDS, stage.note);
          // Every driver has sent a position since.
          await sleep(clock, FIX_EVERY_MS + 1_000);
          const owned = orders
            .filter(({ orderId }) => target.ownerOf("order", orderId) === 0)
            .slice(0, wanted)
            .map(({ orderId, token }) => ({ path: `/v1/orders/${orderId}/track`, token }));
          const read = await readDocuments(target.nodes[0]!.url, owned, {});
          const isWhole = read.map(({ body }) => new TextDecoder().decode(body).includes('"position"'));
          requests = owned.filter((_, i) => isWhole[i]);
          documents = read.filter((_, i) => isWhole[i]);
          stage.note(`${documents.length} of ${owned.length} polls carry a position`);
          if (documents.length === 0) throw new Error("No poll carries a position.");
          const place = (i: number) => ({ address: target.addresses[i]!, pid: target.nodes[i]!.pid });
          const places = { [OWN]: place(0), [OWN_MOST]: place(0), [REDIS]: place(1), [REDIS_MOST]: place(1) };
          const running = await runningReads(ours, places, load());
          return {
            ...running,
            async stop() {
              drivers.tell({ t: "stop" });
              await running.stop();
            },
          };
        },
      },
      bareReads(
        "the native HTTP server alone, out of a map, and out of Redis by a pipelined GET a request",
        { [OWN]: "", [OWN_MOST]: "", [REDIS]: "/redis", [REDIS_MOST]: "/redis" },
        () => documents,
        async () => redisUrl,
        load,
      ),
      ...peerReads(
        stage,
        "poll",
        peers.poll,
        [REDIS, REDIS_MOST],
        async () => ({
          documents: documents.map(({ path, body }) => ({ path, body: new TextDecoder().decode(body) })),
          compressed: false,
        }),
        load,
      ),
    ];
  },
  goals: GOALS.map(([load, atLeast, ambition]) => ({
    what: `bare server's CPU per request ÷ ours, ${load}`,
    unit: "×",
    better: "higher",
    atLeast,
    ambition,
    value: (look: Look) => bareToOurs(look, load),
  })),
  ratioToLimit: (look) =>
    worst(
      Math.min,
      GOALS.map(([load]) => bareToOurs(look, load)),
    ),
};
