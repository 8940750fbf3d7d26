/** One side of the storm: its server, the processes that hold its lines, the one that publishes, and the judgement. */
import type { RunningSide, Sample, Stage } from "../harness/ports.js";
import { type Program, startProgram } from "../harness/program.js";
import type { Address } from "../harness/program-messages.js";
import { joined, together } from "../lib/histogram.js";
import type { StormPeer, StormPlan } from "../peers/ports.js";
import type { Endured, GeneratorOptions, Heard, Published, StormQuestion } from "./messages.js";
import { stageConversations } from "./stage-conversations.js";
import { stageTablets } from "./stage-tablets.js";
import { judge } from "./tally.js";

const GENERATOR = new URL("./generator.js", import.meta.url);
/** What the lines of a node of ours listen to. */
const OURS = {
  conversations: { stage: stageConversations, adapter: new URL("./conversations.js", import.meta.url) },
  tablets: { stage: stageTablets, adapter: new URL("./tablets.js", import.meta.url) },
} as const;
export type Listeners = keyof typeof OURS;
/** A process may have 20,000 files open; a loop that holds fewer lines is late less often. */
const LINES_A_PROCESS = 2_500;
const HEAR_WITHIN_MS = 60_000;

export interface OurServer {
  readonly url: string;
  readonly operatorSecret: string;
  readonly pids: readonly number[];
  readonly gauges?: RunningSide["gauges"];
  stop(): Promise<void>;
}
interface Server {
  readonly address: Address;
  readonly note: unknown;
  readonly adapter: URL;
  readonly pids: readonly number[];
  readonly gauges?: RunningSide["gauges"];
  readonly databasePid?: number;
  stop(): Promise<void>;
}

const sumOf = (records: readonly Readonly<Record<string, number>>[]): Record<string, number> => {
  const sum: Record<string, number> = {};
  for (const record of records) for (const [key, value] of Object.entries(record)) sum[key] = (sum[key] ?? 0) + value;
  return sum;
};
/** Opens all lines on the server; from then on every `load` is a storm. */
async function raise(server: Server, plan: StormPlan): Promise<RunningSide> {
  const programs: Program[] = [];
  const generator = async (from: number, to: number): Promise<Program> => {
    const options: GeneratorOptions = {
      adapter: server.adapter.href,
      address: server.address,
      note: server.note,
      plan,
      from,
      to,
    };
    const program = await startProgram(GENERATOR, options);
    programs.push(program);
    return program;
  };
  const ask = async <T>(program: Program, question: StormQuestion): Promise<T> => (await program.ask(question)) as T;
  const stop = async (): Promise<void> => {
    for (const program of programs) await program.stop();
    await server.stop();
  };
  try {
    const publisher = await generator(0, 0);
    const holders: Program[] = [];
    const processes = Math.ceil(plan.sockets / LINES_A_PROCESS);
    for (let i = 0; i < processes; i++) {
      const from = Math.round((i * plan.sockets) / processes);
      holders.push(await generator(from, Math.round(((i + 1) * plan.sockets) / processes)));
    }
    await Promise.all(holders.map((holder) => ask<void>(holder, { ask: "open" })));
    let before = { expected: 0, delivered: 0, repeated: 0, outOfOrder: 0 };
    return {
      pids: () => server.pids,
      ...(server.gauges === undefined ? {} : { gauges: server.gauges }),
      ...(server.databasePid === undefined ? {} : { databasePid: server.databasePid }),
      async load(_load, seconds): Promise<Sample> {
        const [published, ...endured] = await Promise.all([
          ask<Published>(publisher, { ask: "publish", seconds }),
          ...holders.map((holder) => ask<Endured>(holder, { ask: "endure", seconds })),
        ]);
        const { counts } = published;
        const heard = await Promise.all(
          holders.map((holder) => ask<Heard>(holder, { ask: "hear", published: counts, withinMs: HEAR_WITHIN_MS })),
        );
        const verdict = judge(
          counts,
          heard.flatMap(({ lines }) => lines),
        );
        const now = {
          expected: verdict.expected - before.expected,
          delivered: verdict.delivered - before.delivered,
          repeated: verdict.repeated - before.repeated,
          outOfOrder: verdict.outOfOrder - before.outOfOrder,
        };
        before = verdict;
        const replay = joined(endured.map((each) => each.replay));
        const { p50, p95, p99 } = together([replay]);
        const ended = sumOf(endured.map((each) => each.ended));
        const problems = [
          ...(now.delivered === now.expected ? [] : [`${now.expected - now.delivered} of ${now.expected} never came`]),
          ...(now.repeated === 0 ? [] : [`${now.repeated} came again`]),
          ...(now.outOfOrder === 0 ? [] : [`${now.outOfOrder} came before one that had not come`]),
          ...(verdict.disagreeing === 0 ? [] : [`on ${verdict.disagreeing} channels the lines heard different things`]),
          ...Object.entries(ended).map(([reason, count]) => `${count} lines: ${reason}`),
          ...Object.entries(published.failures).map(([reason, count]) => `publishing, ${count} times: ${reason}`),
        ];
        const total = (key: "reconnects" | "unrecovered"): number => endured.reduce((sum, each) => sum + each[key], 0);
        return {
          operations: now.delivered,
          seconds,
          latency: replay,
          lag: joined([published.lag, ...endured.map((each) => each.lag)]),
          figures: {
            replayP50Ms: p50,
            replayP95Ms: p95,
            replayP99Ms: p99,
            deliveredPercent: now.expected === 0 ? 100 : (100 * now.delivered) / now.expected,
            repeated: now.repeated,
            reconnectsPerSecond: total("reconnects") / seconds,
            unrecovered: total("unrecovered"),
            publishP95Ms: together([published.latency]).p95,
          },
          problems,
        };
      },
      stop,
    };
  } catch (cause) {
    await stop();
    throw cause;
  }
}

/** The node was started with `argumentsFor(plan)`. */
export async function stormOnOurs(plan: StormPlan, node: OurServer, listeners: Listeners): Promise<RunningSide> {
  const { gauges, stop } = node;
  const { stage, adapter } = OURS[listeners];
  try {
    const note = await stage(node, plan);
    const { hostname, port } = new URL(node.url);
    const address = { host: hostname, port: Number(port) };
    return await raise(
      { address, note, adapter, pids: node.pids, stop, ...(gauges === undefined ? {} : { gauges }) },
      plan,
    );
  } catch (cause) {
    await stop();
    throw cause;
  }
}

export async function stormOnPeer(peer: StormPeer, plan: StormPlan, stage: Stage): Promise<RunningSide> {
  const databaseUrl = await stage.database(peer.name);
  const options = { scenario: "storm", databaseUrl, redisUrl: null, plan };
  const program = await startProgram(peer.program, options, peer.nodeOptions);
  return raise(
    {
      address: program.address,
      note: program.note,
      adapter: peer.adapter,
      pids: [program.pid],
      gauges: () => program.gauges(),
      stop: () => program.stop(),
    },
    plan,
  );
}
