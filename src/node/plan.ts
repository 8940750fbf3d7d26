import type { Config } from "../../config/mod.js";
import type { EndpointId } from "../actors/runtime/mod.js";
import { usableCores } from "./cores.js";
import type { NodeSecrets } from "./secrets.js";

/** What every thread of the node is given. Survives a structured clone. */
export interface ThreadPlan {
  readonly config: Config;
  readonly secrets: NodeSecrets;
  readonly version: string;
  readonly connectionString: string;
  readonly paymentUrl: string;
  readonly gateways: readonly EndpointId[];
  /** Counted once: a limit of the process may change while it runs, and its threads have to agree. */
  readonly workers: readonly EndpointId[];
  /** The port that all gateway threads share; settled by the main thread before any other listens. */
  readonly port: number;
  /** Begins the names of the pipes between gateways and the thread that searches: unlike any other node's of the process. */
  readonly searchName: string;
}

export interface Threads {
  readonly shardWorkers: number;
  /** Beside the main thread's own. */
  readonly gatewayThreads: number;
}

/**
 * How many threads do what. On two cores the gateway lives on the main thread and one worker runs the actors; on more,
 * a half of the cores runs actors and a quarter serves sockets.
 */
export function planThreads(config: Config, cores = usableCores()): Threads {
  const { shardWorkers, gatewayThreads } = config.node;
  return {
    shardWorkers: shardWorkers > 0 ? shardWorkers : Math.max(1, Math.floor(cores / 2)),
    gatewayThreads: gatewayThreads > 0 ? gatewayThreads : Math.max(0, Math.floor(cores / 4) - 1),
  };
}

/** Endpoints of a node's threads. The main thread is the first gateway. */
export function endpointsOf(
  nodeId: string,
  threads: Threads,
): { readonly gateways: readonly EndpointId[]; readonly workers: readonly EndpointId[] } {
  return {
    gateways: Array.from({ length: threads.gatewayThreads + 1 }, (_, i) => `${nodeId}/gateway-${i}`),
    workers: Array.from({ length: threads.shardWorkers }, (_, i) => `${nodeId}/shards-${i}`),
  };
}
