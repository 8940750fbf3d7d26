/**
 * Does a fault to a real cluster and takes it back.
 *
 * Owns: the steps of each kind. Does not own the cluster, nor when. Invariants: when `inflict` has resolved, every link
 * is healed, every server runs and every node has said that it is ready, or the campaign is told that it never did.
 */
import { type Clock, sleep } from "../../src/lib/clock.js";
import type { LocalCluster, LocalNode, ServerName } from "../cluster/mod.js";
import { type Fault, SERVERS_OF_CUT } from "./kinds.js";

export interface Inflicted {
  readonly fault: Fault;
  /** Wall clock, milliseconds since the epoch. */
  readonly beganAt: number;
  readonly healedAt: number;
  /** All nodes said again that they are ready. */
  readonly healthyAt: number;
  readonly drains: readonly Drain[];
  /** Nodes that ended although nobody had asked them to; they were started again. */
  readonly endedAlone: readonly string[];
}

export interface Drain {
  readonly node: string;
  readonly beganAt: number;
  readonly status: number | null;
  readonly ms: number;
}

export class NeverHealthy extends Error {
  override readonly name = "NeverHealthy";
}

const LOOK_EVERY_MS = 200;
const HEALTHY_WITHIN_MS = 90_000;

export async function inflict(cluster: LocalCluster, fault: Fault, clock: Clock): Promise<Inflicted> {
  const beganAt = clock.now();
  const drains: Drain[] = [];
  await act(cluster, fault, clock, drains);
  const healedAt = clock.now();
  const endedAlone = await untilHealthy(cluster, clock);
  return { fault, beganAt, healedAt, healthyAt: clock.now(), drains, endedAlone };
}

async function act(cluster: LocalCluster, fault: Fault, clock: Clock, drains: Drain[]): Promise<void> {
  switch (fault.kind) {
    case "kill-node": {
      const node = nodeOf(cluster, fault.node);
      await node.kill();
      await sleep(clock, fault.forMs);
      await node.start();
      return;
    }
    case "pause-node": {
      const node = nodeOf(cluster, fault.node);
      node.pause();
      try {
        await sleep(clock, fault.forMs);
      } finally {
        node.resume();
      }
      return;
    }
    case "kill-postgres":
      return restart(cluster, "postgres", fault.forMs, clock);
    case "kill-nats":
      return restart(cluster, "nats", fault.forMs, clock);
    case "kill-redis":
      return restart(cluster, "redis", fault.forMs, clock);
    case "cut-postgres":
    case "cut-nats":
    case "cut-redis":
    case "cut-postgres-and-nats":
    case "cut-all": {
      const { proxies } = nodeOf(cluster, fault.node);
      const cut = SERVERS_OF_CUT[fault.kind].map((server) => proxies[server]);
      await Promise.all(cut.map((proxy) => proxy.cut(fault.direction, fault.manner)));
      await sleep(clock, fault.forMs);
      await Promise.all(cut.map((proxy) => proxy.heal()));
      return;
    }
    case "slow-link": {
      const proxy = nodeOf(cluster, fault.node).proxies[fault.server];
      await proxy.slow(fault.delayMs);
      await sleep(clock, fault.forMs);
      await proxy.heal();
      return;
    }
    case "roll-nodes":
      for (const node of cluster.nodes) {
        const began = clock.now();
        const { status, ms } = await node.terminate();
        drains.push({ node: node.id, beganAt: began, status, ms });
        await node.start();
        await node.ready();
      }
      return;
  }
}

async function restart(cluster: LocalCluster, name: ServerName, forMs: number, clock: Clock): Promise<void> {
  const server = name === "postgres" ? cluster.database : cluster[name];
  await server.kill();
  await sleep(clock, forMs);
  await server.start();
}

function nodeOf(cluster: LocalCluster, index: number): LocalNode {
  const node = cluster.nodes[index];
  if (node === undefined) throw new RangeError(`the cluster has no node ${index + 1}`);
  return node;
}

/** A supervisor would start again what has ended; so does this. Returns the nodes for which it had to. */
export async function untilHealthy(cluster: LocalCluster, clock: Clock): Promise<readonly string[]> {
  const endedAlone: string[] = [];
  const giveUpAt = clock.monotonic() + HEALTHY_WITHIN_MS;
  for (const node of cluster.nodes) {
    while (!(await isReady(node))) {
      if (clock.monotonic() > giveUpAt) {
        throw new NeverHealthy(`${node.id} is ${node.state} and not ready. Its last words:\n${node.log()}`);
      }
      if (node.state === "stopped") {
        endedAlone.push(node.id);
        await node.start();
      }
      await sleep(clock, LOOK_EVERY_MS);
    }
  }
  return endedAlone;
}

const ANSWER_WITHIN_MS = 5_000;

async function isReady(node: LocalNode): Promise<boolean> {
  if (node.state !== "running") return false;
  try {
    return (await fetch(`${node.url}/readyz`, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) })).ok;
  } catch {
    return false;
  }
}
