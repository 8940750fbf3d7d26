/**
 * Where a node's shards come from: a lone node takes all of them, a node of a cluster those that the coordinator gets for
 * it. Both grant epochs to the shard workers through the mesh and keep the map that every thread routes by.
 */
import type { Config } from "../../config/mod.js";
import { type AssignableShardMap, type OwnershipTable, SHARD_COUNT, type ThreadMesh } from "../actors/runtime/mod.js";
import { type Coordinator, type CoordinatorStatus, createCoordinator, shardEndpoint } from "../cluster/mod.js";
import { openNatsHints } from "../cluster/nats/mod.js";
import { type Clock, sleep } from "../lib/clock.js";
import type { Log } from "../lib/log.js";
import { type Random, uuidV7 } from "../lib/random.js";
import { createPostgresOwnershipStore, type PostgresActorStore } from "../store/postgres/mod.js";
import { shardKeeper } from "./keeper.js";

export interface ShardSource {
  /** Before the workers run. */
  prepare(): Promise<void>;
  /** Once the workers run. Resolves when this node serves what is its own at first. */
  start(): Promise<void>;
  /** A worker died: its shards get new epochs before its successor loads anything. */
  reclaim(worker: number): Promise<void>;
  /** The shards go to others, if there are others. */
  drain(): Promise<void>;
  stop(): Promise<void>;
  /** Null on a lone node. */
  status(): CoordinatorStatus | null;
}

export interface ShardSourceOptions {
  readonly config: Config;
  readonly connectionString: string;
  readonly store: PostgresActorStore;
  readonly mesh: ThreadMesh;
  readonly ownership: OwnershipTable;
  readonly shardMap: AssignableShardMap;
  readonly workers: number;
  readonly url: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly onFatal: (reason: string) => void;
}

/** Beyond the time that clients are given to leave. */
const DRAIN_PATIENCE_MS = 5_000;

const shardsOf = (worker: number, workers: number): readonly number[] =>
  Array.from({ length: SHARD_COUNT }, (_, shard) => shard).filter((shard) => shard % workers === worker);

/** A lone node speaks for as long as it lives: the store's fences stop it from committing once another has taken over. */
const SPEAK_MS = 10_000;
const SPEAK_AGAIN_MS = 1_000;

export function aloneShards(options: ShardSourceOptions): ShardSource {
  const { config, store, mesh, ownership, shardMap, workers, clock } = options;
  const speak = (): void => ownership.extend(ownership.moment(), SPEAK_MS);
  const stopSpeaking = clock.every(SPEAK_AGAIN_MS, speak);
  speak();
  const take = async (worker: number): Promise<void> =>
    mesh.grant(worker, await store.claimShards(config.node.id, shardsOf(worker, workers)));
  return {
    async prepare() {
      for (let worker = 0; worker < workers; worker++) await take(worker);
      shardMap.assign(
        Array.from({ length: SHARD_COUNT }, (_, shard) => [shard, shardEndpoint(config.node.id, workers, shard)]),
      );
    },
    start: async () => undefined,
    reclaim: take,
    drain: async () => undefined,
    stop: async () => stopSpeaking(),
    status: () => null,
  };
}

export function clusterShards(options: ShardSourceOptions): ShardSource {
  const { config, connectionString, mesh, ownership, shardMap, workers, url, clock, random, onFatal } = options;
  const log = options.log.child({ part: "cluster" });
  const { natsUrl, name, leaseMs, heartbeatMs, sessionGraceMs, sessionLossMs, movesAtOnce, maxClockSkewMs } =
    config.cluster;
  if (natsUrl === null) throw new TypeError("a node without NATS is alone");
  const { id } = config.node;
  const store = createPostgresOwnershipStore({ connectionString, clock, log });
  const hints = openNatsHints({ url: natsUrl, cluster: name, node: id, clock, log });
  const coordinator: Coordinator = createCoordinator({
    description: { node: id, incarnation: uuidV7(clock.now(), random), workers, url },
    store,
    hints,
    keeper: shardKeeper({ node: id, mesh, ownership, shardMap, workers }),
    clock,
    random,
    log,
    settings: { leaseMs, heartbeatMs, sessionGraceMs, sessionLossMs, movesAtOnce, maxClockSkewMs },
    onFatal: (reason) => onFatal(reason.message),
  });
  return {
    prepare: async () => undefined,
    start: () => coordinator.start(),
    async reclaim(worker) {
      await coordinator.reclaim(shardsOf(worker, workers));
    },
    async drain() {
      // Without the database nothing can be given away; what is left is taken once this node is gone.
      await Promise.race([coordinator.drain(), sleep(clock, config.node.drainMs + DRAIN_PATIENCE_MS)]);
    },
    async stop() {
      await coordinator.stop();
      await hints.close();
      await store.close();
    },
    status: () => coordinator.status(),
  };
}
