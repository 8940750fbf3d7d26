/** What a load is put on: one lone node, or a local cluster without anything between its nodes and their servers. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startLocalCluster } from "../../simulator/cluster/mod.js";
import { SHARD_COUNT, shardOf } from "../../src/actors/runtime/mod.js";
import { sleep, systemClock } from "../../src/lib/clock.js";
import { COMMAND_LINE } from "../../src/node/collector.js";
import type { Address } from "../harness/program-messages.js";
import { COLLECTABLE } from "../harness/settle.js";
import { type ProcessUsage, usageOf, usageOfTree } from "../lib/process.js";
import { startNodeProcess } from "./node-process.js";

const SETTLED_FOR_MS = 5_000;
const SETTLE_WITHIN_MS = 180_000;
const ASK_EVERY_MS = 500;

export interface BenchNode {
  readonly id: string;
  readonly url: string;
  readonly pid: number;
  readonly operatorSecret: string;
}

export interface Target {
  readonly nodes: readonly BenchNode[];
  readonly addresses: readonly Address[];
  /** Of the servers that a cluster stands on, each with its children; empty for a lone node. */
  servers(): Readonly<Record<string, ProcessUsage>>;
  /** Null for a lone node. */
  readonly redisUrl: string | null;
  /** Of the nodes, in their order. */
  usage(): readonly ProcessUsage[];
  /** The number of the node on which an actor lives. All zero on a lone node. */
  ownerOf(kind: string, key: string): number;
  stop(): Promise<void>;
}

export const addressOf = (url: string): Address => {
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port) };
};

export async function startTarget(options: {
  readonly nodes: number;
  readonly onProgress: (line: string) => void;
  /** Where the nodes write CPU profiles when they end. */
  readonly profileDirectory?: string;
  /** Settings, as on the command line. */
  readonly args?: readonly string[];
  /** Of a lone node: not its own database. */
  readonly databaseUrl?: string;
  /** Of a lone node: where its data is and stays; else in a directory that goes with it. */
  readonly dataDir?: string;
}): Promise<Target> {
  if (options.nodes === 1) return startLone(options);
  const { profileDirectory } = options;
  const cluster = await startLocalCluster({
    nodes: options.nodes,
    proxies: false,
    onProgress: options.onProgress,
    nodeOptions: nodeOptions(profileDirectory),
    ...(options.args === undefined ? {} : { nodeArguments: options.args }),
  });
  try {
    const { operatorSecret } = cluster;
    const nodes = cluster.nodes.map(({ id, url, pid }) => ({ id, url, pid: pid!, operatorSecret }));
    const owners = await settledOwners(nodes);
    const shares = nodes.map(({ id }, i) => `${id} ${owners.filter((owner) => owner === i).length}`);
    options.onProgress(`shards: ${shares.join(", ")}`);
    return {
      nodes,
      addresses: nodes.map(({ url }) => addressOf(url)),
      servers: () => ({
        postgres: usageOfTree(cluster.database.pid!),
        nats: usageOf(cluster.nats.pid!),
        redis: usageOf(cluster.redis.pid!),
      }),
      redisUrl: cluster.redis.url,
      usage: () => nodes.map(({ pid }) => usageOf(pid)),
      ownerOf: (kind, key) => owners[shardOf({ kind, key })]!,
      stop: () => cluster.stop(),
    };
  } catch (cause) {
    await cluster.stop();
    throw cause;
  }
}

const nodeOptions = (profiles: string | undefined): readonly string[] => [
  ...COMMAND_LINE,
  ...COLLECTABLE,
  ...(profiles === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profiles}`]),
];

async function startLone(options: Parameters<typeof startTarget>[0]): Promise<Target> {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), "swift-eats-bench-"));
  const node = await startNodeProcess({
    dataDir,
    args: [
      ...["--log-level", "warn"],
      ...(options.databaseUrl === undefined ? [] : ["--store.databaseUrl", options.databaseUrl]),
      ...(options.args ?? []),
    ],
    nodeOptions: nodeOptions(options.profileDirectory),
  });
  return {
    nodes: [{ id: "node", url: node.url, pid: node.pid, operatorSecret: node.operatorSecret }],
    addresses: [addressOf(node.url)],
    servers: () => ({}),
    redisUrl: null,
    usage: () => [usageOf(node.pid)],
    ownerOf: () => 0,
    async stop() {
      await node.stop();
      if (options.dataDir === undefined) rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** By shard: the number of the node that serves it. Waits until the nodes have shared the shards out among them. */
export async function settledOwners(nodes: readonly Pick<BenchNode, "url">[]): Promise<readonly number[]> {
  const clock = systemClock();
  const deadline = clock.monotonic() + SETTLE_WITHIN_MS;
  let last = "";
  let unchangedSince = clock.monotonic();
  for (;;) {
    const owners = await shardOwners(nodes);
    const now = clock.monotonic();
    const missing = owners.filter((owner) => owner < 0).length;
    const text = owners.join();
    if (text !== last) unchangedSince = now;
    last = text;
    if (missing === 0 && now - unchangedSince >= SETTLED_FOR_MS) return owners;
    if (now > deadline) throw new Error(`The shards do not settle: ${missing} of ${SHARD_COUNT} are nobody's.`);
    await sleep(clock, ASK_EVERY_MS);
  }
}

async function shardOwners(nodes: readonly Pick<BenchNode, "url">[]): Promise<readonly number[]> {
  const owners: number[] = new Array(SHARD_COUNT).fill(-1);
  for (const [number, { url }] of nodes.entries()) {
    const answer = (await (await fetch(`${url}/v1/node`)).json()) as { cluster: { shards: readonly number[] } };
    for (const shard of answer.cluster.shards) owners[shard] = number;
  }
  return owners;
}
