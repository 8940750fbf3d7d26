/**
 * `orders`: the whole life of an order, from the tap to the door, every step committed before it is answered: beside a
 * program that does the same with what most teams would take, and beside PostgreSQL's own group commit of the same bytes.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sleep, systemClock } from "../../src/lib/clock.js";
import { authorisationsOf, readSandboxLedger, startSandboxProcess } from "../../src/services/payments/mod.js";
import type { Goal, Look, RunningSide, Sample, Scenario, Side, Stage } from "../harness/ports.js";
import { startProgram } from "../harness/program.js";
import { together } from "../lib/histogram.js";
import { issueTokens } from "../load/node-process.js";
import { citiesOf, configureKitchens } from "../load/orders.js";
import type { OrdersAnswer, OrdersGeneratorOptions, OrdersQuestion } from "../load/orders-generator.js";
import type { OurOrdersPlan } from "../load/our-orders.js";
import { peers } from "../peers/mod.js";
import { ORDER_MINOR, type OrdersAudit, type OrdersPeer, type OrdersPlan } from "../peers/ports.js";
import { barePostgres } from "./bare-postgres.js";
import { startOurs } from "./our-node.js";
import { peerSides, ratioOf, startPeer } from "./peer.js";

const RESTAURANTS = 200;
const DRIVERS = 2_000;
const CUSTOMERS = 1_000;
const CITIES = 8;
const STEADY_PER_SECOND = 40;
const rateName = (perSecond: number): string => `${perSecond} orders/s`;
const STEADY = rateName(STEADY_PER_SECOND);
const MOST = "as many as go";
const TRIAL_SECONDS = 3;
/** PostgreSQL's connections report what they did within ten seconds. */
const STATISTICS_MS = 11_000;
const AUDITS = 60;
const AUDIT_EVERY_MS = 250;
const clock = systemClock();
const GENERATOR = new URL("../load/orders-generator.js", import.meta.url);
/** One order after another, to the nearest driver, as the program beside ours does. */
const OUR_SETTINGS = ["--domain.zone.dispatch", "simple"];

interface Server {
  readonly pids: () => readonly number[];
  readonly gauges: NonNullable<RunningSide["gauges"]>;
  stop(): Promise<void>;
  audit(): Promise<OrdersAudit>;
  /** After the last round: figures of all orders together. */
  figures?(delivered: number): Promise<Record<string, number>>;
}

/** `trial`: orders that are run before anything counts; hears how many were delivered. */
async function runningOrders(
  stage: Stage,
  server: Server,
  options: OrdersGeneratorOptions,
  trial?: (run: () => Promise<number>) => Promise<void>,
): Promise<RunningSide> {
  const generator = await startProgram(GENERATOR, options);
  let delivered = 0;
  await trial?.(async () => {
    const question: OrdersQuestion = { perSecond: null, seconds: TRIAL_SECONDS };
    const answer = (await generator.ask(question)) as OrdersAnswer;
    if (answer.problems.length > 0) throw new Error(answer.problems.join("; "));
    delivered += answer.delivered;
    return answer.delivered;
  });
  return {
    pids: server.pids,
    databasePid: await stage.databasePid(),
    gauges: server.gauges,
    async load(load, seconds): Promise<Sample> {
      const perSecond = load === MOST ? null : Number.parseInt(load, 10) * Math.min(1, stage.scale);
      const answer = (await generator.ask({ perSecond, seconds } satisfies OrdersQuestion)) as OrdersAnswer;
      delivered += answer.delivered;
      return {
        operations: answer.delivered,
        seconds: answer.seconds,
        latency: answer.latency,
        lag: answer.lag,
        figures: {
          placedP50Ms: together([answer.placed]).p50,
          placedP99Ms: together([answer.placed]).p99,
        },
        problems: answer.problems,
      };
    },
    async finish() {
      // The last captures are still on their way to the bank.
      let truth = await server.audit();
      for (let asked = 0; asked < AUDITS && truth.capturedMinor < truth.delivered * ORDER_MINOR; asked++) {
        await sleep(clock, AUDIT_EVERY_MS);
        truth = await server.audit();
      }
      const problems: string[] = [];
      if (truth.delivered !== delivered)
        problems.push(`its database has ${truth.delivered} delivered orders, its customers heard of ${delivered}`);
      if (truth.capturedMinor !== truth.delivered * ORDER_MINOR)
        problems.push(`${truth.capturedMinor} were captured for ${truth.delivered} orders`);
      return { figures: (await server.figures?.(delivered)) ?? {}, problems };
    },
    async stop() {
      await generator.stop();
      await server.stop();
    },
  };
}

/** Rows of actors' states written so far: each is one actor's commit. Waits until every connection has reported its own. */
async function commitsIn(stage: Stage, databaseUrl: string): Promise<number> {
  await sleep(clock, STATISTICS_MS);
  const [row] = await stage.query<{ commits: string }>(
    "SELECT n_tup_ins + n_tup_upd AS commits FROM pg_stat_user_tables WHERE relname = 'actor_snapshot'",
    databaseUrl,
  );
  return Number(row!.commits);
}

function ours(stage: Stage, plan: OrdersPlan, toldLogBytes: (bytesPerCommit: number) => void): Side {
  return {
    role: "ours",
    name: "ours",
    what: "one node on the run's PostgreSQL; orders go to the nearest driver one by one; payments to a sandbox",
    async start() {
      const databaseUrl = await stage.database("ours");
      const folder = mkdtempSync(join(tmpdir(), "swift-eats-bench-bank-"));
      const ledger = join(folder, "ledger.jsonl");
      const bank = await startSandboxProcess(ledger);
      const node = await startOurs(stage, { databaseUrl, args: [...OUR_SETTINGS, "--payment.url", bank.url] });
      const stop = async (): Promise<void> => {
        await node.stop();
        await bank.stop();
        rmSync(folder, { recursive: true, force: true });
      };
      try {
        const { target } = node;
        const cities = citiesOf(CITIES);
        const { ids: restaurantIds, tokens: restaurantTokens } = await configureKitchens(
          target.nodes,
          cities,
          plan.restaurants,
        );
        const named = (kind: string, count: number): string[] =>
          Array.from({ length: count }, (_, i) => `bench-${kind}-${i}`);
        const tokensOf = (ids: readonly string[], role: string): Promise<string[]> =>
          issueTokens(
            target.nodes[0]!,
            ids.map((id) => ({ id, role })),
          );
        const driverIds = named("driver", plan.drivers);
        const ourPlan: OurOrdersPlan = {
          ...plan,
          cities,
          restaurantIds,
          restaurantTokens,
          driverIds,
          driverTokens: await tokensOf(driverIds, "driver"),
          customerTokens: await tokensOf(named("customer", plan.customers), "customer"),
        };
        let [commitsBefore, logBytesPerCommit] = [0, 0];
        return await runningOrders(
          stage,
          {
            pids: () => node.pids,
            gauges: () => node.gauges(),
            stop,
            async audit() {
              const [row] = await stage.query<{ delivered: string }>(
                "SELECT count(*) AS delivered FROM actor_index WHERE kind = 'order' AND status = 'delivered'",
                databaseUrl,
              );
              const held = authorisationsOf(await readSandboxLedger(ledger)).values();
              const capturedMinor = [...held].reduce((sum, { capturedMinor }) => sum + capturedMinor, 0);
              return { delivered: Number(row!.delivered), capturedMinor };
            },
            figures: async (delivered) => ({
              commitsPerOrder: ((await commitsIn(stage, databaseUrl)) - commitsBefore) / Math.max(1, delivered),
              logBytesPerCommit,
            }),
          },
          {
            adapter: new URL("../load/our-orders.js", import.meta.url).href,
            address: target.addresses[0]!,
            plan: ourPlan,
          },
          async (run) => {
            commitsBefore = await commitsIn(stage, databaseUrl);
            const bytesBefore = await stage.databaseLogBytes();
            await run();
            const bytes = (await stage.databaseLogBytes()) - bytesBefore;
            logBytesPerCommit = bytes / Math.max(1, (await commitsIn(stage, databaseUrl)) - commitsBefore);
            toldLogBytes(logBytesPerCommit);
          },
        );
      } catch (cause) {
        await stop();
        throw cause;
      }
    },
  };
}

async function startedPeer(stage: Stage, peer: OrdersPeer, plan: OrdersPlan): Promise<RunningSide> {
  const program = await startPeer(stage, "orders", peer, plan);
  const server: Server = {
    pids: () => [program.pid],
    gauges: () => program.gauges(),
    stop: () => program.stop(),
    audit: async () => (await program.ask({ audit: true })) as OrdersAudit,
  };
  return runningOrders(stage, server, { adapter: peer.adapter.href, address: program.address, plan });
}

function toBare(look: Look): number | null {
  const [perSecond, commits] = [look("ours", "perSecond", MOST), look("ours", "commitsPerOrder", MOST)];
  const bare = look("bare PostgreSQL", "commitsPerSecond", MOST);
  return perSecond === null || commits === null || bare === null || bare === 0 ? null : (perSecond * commits) / bare;
}
const FIRST_PEER = peers.orders[0]?.name ?? "express";

const planOf = (stage: Stage): OrdersPlan => ({
  restaurants: stage.scaled(RESTAURANTS, 8),
  drivers: stage.scaled(DRIVERS, 64),
  customers: stage.scaled(CUSTOMERS, 16),
});

/** Ours alone at several rates, for how cost grows. */
export function ordersAt(rates: readonly number[]): Scenario {
  return {
    ...orders,
    loads: rates.map(rateName),
    sides: (stage) => [ours(stage, planOf(stage), () => undefined)],
    goals: [],
    ratioToLimit: () => null,
  };
}

export const orders: Scenario = {
  name: "orders",
  what: "Orders from the tap to the door: placed, paid, cooked, offered, driven, delivered.",
  loads: [STEADY, MOST],
  operation: "order",
  warmUpSeconds: 3,
  // Some three thousand orders.
  mostWarmUps: 10,
  lagBoundMs: 50,
  withoutIdle: false,
  sides(stage) {
    const plan = planOf(stage);
    let logBytes = 0;
    const bare = barePostgres(stage, () => logBytes);
    return [
      ours(stage, plan, (bytes) => {
        logBytes = bytes;
      }),
      { ...bare, loads: [MOST] },
      ...peerSides(peers.orders, {}, (peer) => startedPeer(stage, peer, plan)),
    ];
  },
  goals: [
    {
      what: "commits/s ÷ bare PostgreSQL's group commit of the same bytes",
      unit: "×",
      better: "higher",
      atLeast: 0.4,
      ambition: 0.7,
      value: toBare,
    },
    {
      what: "full lifecycles",
      unit: "/s",
      better: "higher",
      atLeast: 150,
      ambition: 400,
      value: (look) => look("ours", "perSecond", MOST),
    },
    {
      what: "actor commits per order",
      unit: "",
      better: "lower",
      atLeast: 14,
      ambition: 10,
      value: (look) => look("ours", "commitsPerOrder", MOST),
    },
    {
      what: `orders/s ÷ ${FIRST_PEER}`,
      unit: "×",
      better: "higher",
      atLeast: 2,
      ambition: 5,
      value: (look) => ratioOf(look, "perSecond", "ours", FIRST_PEER, MOST),
    },
    // Where both fill the machine, and where neither does: then nobody has company to share a commit's flush with.
    ...[MOST, STEADY].map(
      (load): Goal => ({
        what: `${FIRST_PEER}'s CPU per order ÷ ours, ${load}`,
        unit: "×",
        better: "higher",
        atLeast: 2,
        ambition: 5,
        value: (look) => ratioOf(look, "cpuMicrosPerOperation", FIRST_PEER, "ours", load),
      }),
    ),
    {
      what: `${FIRST_PEER}'s memory ÷ ours`,
      unit: "×",
      better: "higher",
      atLeast: 2,
      ambition: 5,
      value: (look) => ratioOf(look, "residentMegabytes", FIRST_PEER, "ours", MOST),
    },
  ],
  ratioToLimit: toBare,
};
