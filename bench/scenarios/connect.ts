/**
 * `connect`: thousands of sockets that sign in and then say nothing: how fast, and how much memory each holds. Every
 * measurement is made on a process of its own, because memory that was once asked for is not given back.
 */
import type { RunningSide, Scenario } from "../harness/ports.js";
import { startProgram } from "../harness/program.js";
import type { Address, RuntimeGauges } from "../harness/program-messages.js";
import { weightOf } from "../harness/settle.js";
import { joined } from "../lib/histogram.js";
import { cpuSecondsBetween, usageOf } from "../lib/process.js";
import { startCustomers } from "../load/fleet.js";
import { issueTokens } from "../load/node-process.js";
import { peers } from "../peers/mod.js";
import { startOurs } from "./our-node.js";
import { peerSides, ratioOf, startPeer } from "./peer.js";
import { serverOf } from "./positions.js";

const SOCKETS = 10_000;
const GENERATORS = 2;
const LOAD = "as fast as they are answered";
/** More than any of them answers: a few hundred are being opened at any time. */
const OPEN_PER_SECOND = 20_000;
const PATIENCE_SECONDS = 180;
/** Fewer weigh little beside the pieces in which a process asks for memory and gives it back. */
const LEAST_SOCKETS = 8_000;
const LEAST_GROWN_BYTES = 2_000_000;
/** Of the sockets: so many more come first, so that what a server sets up once is nobody's cost. */
const FIRST_SHARE = 0.25;

interface Server {
  readonly pids: readonly number[];
  gauges(): Promise<RuntimeGauges>;
  stop(): Promise<void>;
}
interface Ready {
  readonly server: Server;
  readonly address: Address;
  /** One a socket. */
  readonly tokens: readonly string[];
}

const firstOf = (count: number): number => Math.ceil(count * FIRST_SHARE);

async function runningSockets(count: number, adapter: URL | null, start: () => Promise<Ready>): Promise<RunningSide> {
  let ready = await start();
  let isUsed = false;
  return {
    pids: () => ready.server.pids,
    gauges: () => ready.server.gauges(),
    async prepare() {
      if (!isUsed) return;
      await ready.server.stop();
      ready = await start();
    },
    async load() {
      isUsed = true;
      const { server, address, tokens } = ready;
      const open = (from: number, to: number, processes: number): ReturnType<typeof startCustomers> =>
        startCustomers(
          [address],
          Array.from({ length: to - from }, (_, i) => ({
            token: tokens[from + i] ?? "",
            device: `phone-${from + i}`,
            orderId: null,
            node: 0,
          })),
          {
            openPerSecond: OPEN_PER_SECOND,
            patienceSeconds: PATIENCE_SECONDS,
            processes,
            ...(adapter === null ? {} : { adapter: adapter.href }),
          },
        );
      const first = await open(count, count + firstOf(count), 1);
      const before = await weightOf(server.pids);
      const usedBefore = server.pids.map(usageOf);
      const generators = await open(0, count, GENERATORS);
      // Until they are there; what weighing costs is not theirs.
      const used = server.pids.reduce((sum, pid, i) => sum + cpuSecondsBetween(usedBefore[i]!, usageOf(pid)), 0);
      const grownBytes = (await weightOf(server.pids)) - before;
      const isKnown = grownBytes >= LEAST_GROWN_BYTES;
      const reports = await Promise.all(generators.map((generator) => generator.report()));
      for (const generator of [...first, ...generators]) generator.tell({ t: "stop" });
      const lost = reports.reduce((sum, { closed }) => sum + closed, 0);
      return {
        operations: count,
        seconds: Math.max(...reports.map(({ connectingMs }) => connectingMs)) / 1000,
        latency: joined(reports.map(({ latency }) => latency)),
        lag: null,
        figures: {
          cpuMicrosPerOperation: (used * 1e6) / count,
          ...(isKnown ? { bytesPerSocket: grownBytes / count } : {}),
        },
        ...(isKnown ? {} : { unusable: [`it grew by ${grownBytes} bytes, too few to tell what a socket holds`] }),
        problems: lost === 0 ? [] : [`${lost} sockets were lost`],
      };
    },
    stop: () => ready.server.stop(),
  };
}

export const connect: Scenario = {
  name: "connect",
  what: "10,000 sockets that sign in and stay silent.",
  loads: [LOAD],
  operation: "socket",
  warmUpSeconds: 0,
  lagBoundMs: Number.POSITIVE_INFINITY,
  withoutIdle: false,
  rounds: 1,
  remarks: [
    "One round: every side is a process of its own that holds nothing before, so that a second one weighs the same.",
    "Memory is weighed before and after the sockets, when all garbage is collected and given back and the weight stays the same; a quarter as many sockets come before.",
  ],
  sides(stage) {
    const count = stage.scaled(SOCKETS, LEAST_SOCKETS);
    const plan = { driverIds: [], orderIds: [] };
    return [
      {
        role: "ours",
        name: "ours",
        what: "one node; each socket's token is a person's own and is verified",
        start: () =>
          runningSockets(count, null, async () => {
            const ours = await startOurs(stage);
            const principals = Array.from({ length: count + firstOf(count) }, (_, i) => ({
              id: `bench-customer-${i}`,
              role: "customer",
            }));
            const tokens = await issueTokens(ours.target.nodes[0]!, principals);
            return { server: ours, address: ours.target.addresses[0]!, tokens };
          }),
      },
      {
        role: "limit",
        name: "bare",
        what: "the native socket server alone; nobody signs in",
        start: () =>
          runningSockets(count, null, async () => {
            const program = await startProgram(new URL("../limits/sockets.js", import.meta.url), { orderOf: {} });
            return { server: serverOf(program), address: program.address, tokens: [] };
          }),
      },
      ...peerSides(peers.connect, {}, (peer) =>
        runningSockets(count, peer.adapter, async () => {
          const program = await startPeer(stage, "connect", peer, plan);
          return { server: serverOf(program), address: program.address, tokens: [] };
        }),
      ),
    ];
  },
  goals: [
    {
      what: "bytes per idle socket ÷ bare",
      unit: "×",
      better: "lower",
      atLeast: 4,
      ambition: 2,
      value: (look) => ratioOf(look, "bytesPerSocket", "ours", "bare"),
    },
  ],
  ratioToLimit: (look) => ratioOf(look, "bytesPerSocket", "ours", "bare"),
};
