/** What `gps` and `fanout` share: drivers (and customers) on our node, on the bare server and on peers, and their rounds. */
import { sleep, systemClock } from "../../src/lib/clock.js";
import type { RunningSide, Sample, Side, Stage } from "../harness/ports.js";
import { type Program, startProgram } from "../harness/program.js";
import type { Address, RuntimeGauges } from "../harness/program-messages.js";
import { joined } from "../lib/histogram.js";
import { startCustomers, untilConnected } from "../load/fleet.js";
import { type Generator, startGenerator } from "../load/generators.js";
import type { CustomerPlan } from "../load/messages.js";
import type { PositionsPeer, PositionsPlan } from "../peers/ports.js";
import { peerSides, startPeer } from "./peer.js";

const clock = systemClock();
const SETTLE_MS = 1_000;
const PATIENCE_SECONDS = 300;
const CUSTOMERS_PER_SECOND = 1_500;
/** Frames whose answer is still on its way when a measurement ends, or came after the driver's next one had left. */
const UNANSWERED_SHARE = 0.02;
const UNANSWERED_LEAST = 20;
export const CITY = { lat: 48.2, lng: 16.37 };

export interface Pace {
  /** Frames a second, of all drivers together. */
  readonly perSecond: number;
  readonly fixesPerFrame: number;
}

export interface Lines {
  readonly drivers: Generator;
  /** Without any, the acknowledgement of a fix is what is waited for. */
  readonly customers: readonly Generator[];
  readonly driverCount: number;
}

/** A side whose drivers send at a load's pace while it is its turn. */
export function runningLines(
  server: { readonly pids: readonly number[]; gauges(): Promise<RuntimeGauges>; stop(): Promise<void> },
  { drivers, customers, driverCount }: Lines,
  paces: Readonly<Record<string, Pace>>,
): RunningSide {
  const generators = [drivers, ...customers];
  return {
    pids: () => server.pids,
    gauges: () => server.gauges(),
    async prepare(load) {
      const { perSecond, fixesPerFrame } = paces[load]!;
      drivers.tell({ t: "pace", everyMs: (driverCount * 1000) / perSecond, fixes: fixesPerFrame });
      await sleep(clock, SETTLE_MS);
    },
    async load(_load, seconds): Promise<Sample> {
      const closedBefore = generators.map(({ progress }) => progress.closed);
      for (const generator of generators) generator.tell({ t: "measure" });
      const began = clock.monotonic();
      await sleep(clock, seconds * 1000);
      const reports = await Promise.all(generators.map((generator) => generator.report()));
      const took = (clock.monotonic() - began) / 1000;
      const [own, ...others] = reports as [(typeof reports)[number], ...typeof reports];
      const frames = own.lagMs.count;
      const positions = others.reduce((sum, { latencyMs }) => sum + latencyMs.count, 0);
      const problems: string[] = [];
      const lost = reports.reduce((sum, { closed }, i) => sum + closed - closedBefore[i]!, 0);
      if (lost > 0) problems.push(`${lost} sockets were lost`);
      const tolerated = Math.max(UNANSWERED_LEAST, frames * UNANSWERED_SHARE);
      if (frames - own.latencyMs.count > tolerated && others.length === 0)
        problems.push(`${frames - own.latencyMs.count} of ${frames} frames were not acknowledged`);
      if (others.length > 0 && positions === 0) problems.push("no customer heard of a position");
      for (const { errors } of reports)
        for (const [code, count] of Object.entries(errors)) problems.push(`${count} × ${code}`);
      return {
        operations: frames,
        seconds: took,
        latency: others.length === 0 ? own.latency : joined(others.map(({ latency }) => latency)),
        lag: joined(reports.map(({ lag }) => lag)),
        ...(others.length === 0 ? {} : { figures: { positionsPerSecond: positions / took } }),
        problems,
      };
    },
    async rest() {
      drivers.tell({ t: "pace", everyMs: null, fixes: 1 });
    },
    async stop() {
      for (const generator of generators) generator.tell({ t: "stop" });
      await server.stop();
    },
  };
}

export const serverOf = (program: Program) => ({
  pids: [program.pid],
  gauges: () => program.gauges(),
  stop: () => program.stop(),
});

/** Drivers and customers at a server that is told beforehand which driver has which order. */
async function plannedLines(
  address: Address,
  plan: PositionsPlan,
  socketsPerOrder: number,
  adapter: URL | null,
): Promise<Lines> {
  const more = adapter === null ? {} : { adapter: adapter.href };
  const drivers = await startGenerator({
    role: "drivers",
    nodes: [address],
    nodeOf: plan.driverIds.map(() => 0),
    tokens: plan.driverIds.map(() => ""),
    ids: plan.driverIds,
    cities: [CITY],
    setUpFixEveryMs: null,
    ...more,
  });
  await untilConnected("drivers there", [drivers], plan.driverIds.length, PATIENCE_SECONDS);
  const sockets: CustomerPlan["sockets"] = plan.orderIds.flatMap((orderId) =>
    Array.from({ length: socketsPerOrder }, (_, n) => ({ token: "", device: `phone-${n}`, orderId, node: 0 })),
  );
  const customers =
    sockets.length === 0
      ? []
      : await startCustomers([address], sockets, {
          openPerSecond: CUSTOMERS_PER_SECOND,
          patienceSeconds: PATIENCE_SECONDS,
          ...more,
        });
  return { drivers, customers, driverCount: plan.driverIds.length };
}

export function bareSide(
  what: string,
  plan: PositionsPlan,
  socketsPerOrder: number,
  paces: Readonly<Record<string, Pace>>,
): Side {
  return {
    role: "limit",
    name: "bare",
    what,
    loads: singleFixes(paces),
    async start() {
      const orderOf = Object.fromEntries(plan.orderIds.map((orderId, i) => [plan.driverIds[i]!, orderId]));
      const program = await startProgram(new URL("../limits/sockets.js", import.meta.url), { orderOf });
      return runningLines(serverOf(program), await plannedLines(program.address, plan, socketsPerOrder, null), paces);
    },
  };
}

/** A frame of several fixes is ours alone. */
const singleFixes = (paces: Readonly<Record<string, Pace>>): readonly string[] =>
  Object.keys(paces).filter((load) => paces[load]!.fixesPerFrame === 1);

export function peersWithLines(
  stage: Stage,
  scenario: string,
  peers: readonly PositionsPeer[],
  plan: PositionsPlan,
  socketsPerOrder: number,
  paces: Readonly<Record<string, Pace>>,
): readonly Side[] {
  // The mildest: what a peer costs there is what it costs while it keeps up.
  return peerSides(peers, { loads: singleFixes(paces).slice(0, 1) }, async (peer) => {
    const program = await startPeer(stage, scenario, peer, plan);
    const lines = await plannedLines(program.address, plan, socketsPerOrder, peer.adapter);
    return runningLines(serverOf(program), lines, paces);
  });
}
