/**
 * `failover`: commands at a steady rate to 256 actors through one node of a cluster of two, while the other node is killed
 * with signal 9, and while it is ended in order and hands its shards over. There is no limit beside it: a machine that is
 * gone answers nothing.
 */
import { type LocalNode, startLocalCluster } from "../../simulator/cluster/mod.js";
import { shardOf } from "../../src/actors/runtime/mod.js";
import { sleep, systemClock } from "../../src/lib/clock.js";
import type { Sample, Scenario, Side, Stage } from "../harness/ports.js";
import { type Program, startProgram } from "../harness/program.js";
import { watchNodes } from "../load/node-gauges.js";
import { citiesOf, configureKitchens } from "../load/orders.js";
import type { SteadyAnswer, SteadyOptions, SteadyQuestion } from "../load/steady-commands.js";
import { addressOf, settledOwners } from "../load/target.js";

const clock = systemClock();
const ACTORS = 256;
const PER_SECOND = 150;
const KILL = "kill -9";
const PLANNED = "planned move";
const LEAD_IN_MS = 2_000;
const AFTERWARDS_MS = 2_000;
const WITHIN_MS = 45_000;
const ASK_EVERY_MS = 100;

const quantile = (values: readonly number[], share: number): number => {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
};

async function happens(
  load: string,
  generator: Program,
  nodes: readonly [stays: LocalNode, goes: LocalNode],
  ids: readonly string[],
): Promise<Sample> {
  const ask = (question: SteadyQuestion): Promise<unknown> => generator.ask(question);
  const [, goes] = nodes;
  const owners = await settledOwners(nodes);
  const moved = ids.flatMap((key, i) => (owners[shardOf({ kind: "restaurant", key })] === 1 ? [i] : []));
  await ask({ do: "begin" });
  await sleep(clock, LEAD_IN_MS);
  await ask({ do: "mark", actors: moved });
  const began = clock.monotonic();
  if (load === KILL) await goes.kill();
  else await goes.terminate();
  while (((await ask({ do: "ask" })) as number) < moved.length && clock.monotonic() - began < WITHIN_MS)
    await sleep(clock, ASK_EVERY_MS);
  await sleep(clock, AFTERWARDS_MS);
  const answer = (await ask({ do: "end" })) as SteadyAnswer;
  await goes.start();
  await goes.ready();
  const { firstAnswersMs, pausesMs, problems } = answer;
  const missing = firstAnswersMs.filter((ms) => !Number.isFinite(ms)).length;
  return {
    operations: answer.answered,
    seconds: answer.seconds,
    latency: answer.latency,
    lag: answer.lag,
    figures: {
      movedActors: moved.length,
      firstAnswerMs: Math.min(...firstAnswersMs),
      lastActorAnswerMs: Math.max(...firstAnswersMs),
      pauseP50Ms: quantile(pausesMs, 0.5),
      pauseP99Ms: quantile(pausesMs, 0.99),
    },
    problems: missing === 0 ? problems : [...problems, `${missing} actors did not answer within ${WITHIN_MS} ms`],
  };
}

function ours(stage: Stage): Side {
  return {
    role: "ours",
    name: "ours",
    what: "a cluster of two nodes with PostgreSQL, NATS and Redis; the load goes through the node that stays",
    async start() {
      const cluster = await startLocalCluster({ nodes: 2, proxies: false, onProgress: stage.note });
      try {
        const nodes = [cluster.nodes[0]!, cluster.nodes[1]!] as const;
        const { operatorSecret } = cluster;
        const [stays] = nodes.map(({ id, url, pid }) => ({ id, url, pid: pid!, operatorSecret }));
        const { ids, tokens } = await configureKitchens([stays!], citiesOf(1), stage.scaled(ACTORS, 16));
        const options: SteadyOptions = { address: addressOf(stays!.url), tokens, perSecond: PER_SECOND };
        const generator = await startProgram(new URL("../load/steady-commands.js", import.meta.url), options);
        return {
          pids: () => [stays!.pid],
          gauges: watchNodes([stays!]),
          load: (load) => happens(load, generator, nodes, ids),
          async stop() {
            await generator.stop();
            await cluster.stop();
          },
        };
      } catch (cause) {
        await cluster.stop();
        throw cause;
      }
    },
  };
}

export const failover: Scenario = {
  name: "failover",
  what: "150 commands/s to 256 actors while the node that owns half of them goes.",
  loads: [KILL, PLANNED],
  operation: "command",
  warmUpSeconds: 0,
  lagBoundMs: 100,
  withoutIdle: false,
  sides: (stage) => [ours(stage)],
  goals: [
    {
      what: "kill -9 to the first answer of an actor that lived there",
      unit: "ms",
      better: "lower",
      atLeast: 12_000,
      ambition: 5_000,
      value: (look) => look("ours", "firstAnswerMs", KILL),
    },
    {
      what: "kill -9 until every one of them has answered",
      unit: "ms",
      better: "lower",
      atLeast: 12_000,
      ambition: 5_000,
      value: (look) => look("ours", "lastActorAnswerMs", KILL),
    },
    {
      what: "planned move: longest pause of an actor, p99 of the moved",
      unit: "ms",
      better: "lower",
      atLeast: 500,
      ambition: 100,
      value: (look) => look("ours", "pauseP99Ms", PLANNED),
    },
  ],
  ratioToLimit: () => null,
};
