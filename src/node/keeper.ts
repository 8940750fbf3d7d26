/**
 * What a node does with the shards that it gets and gives: which worker serves them, and how that worker is told. Shard
 * `s` is served by worker `s % workers`. Knows no adapter, so that the simulation composes nodes with the same code.
 */
import type { AssignableShardMap, MeshMember, OwnershipTable, ShardHost, ThreadMesh } from "../actors/runtime/mod.js";
import { type ShardKeeper, shardEndpoint } from "../cluster/mod.js";

export interface ShardKeeperOptions {
  readonly node: string;
  readonly mesh: Pick<ThreadMesh, "grant" | "release" | "revoke">;
  readonly ownership: OwnershipTable;
  readonly shardMap: AssignableShardMap;
  readonly workers: number;
}

/** Carries out on this node what the coordinator decides. */
export function shardKeeper({ node, mesh, ownership, shardMap, workers }: ShardKeeperOptions): ShardKeeper {
  const byWorker = (shards: Iterable<number>): Map<number, number[]> => {
    const lists = new Map<number, number[]>();
    for (const shard of shards) {
      const worker = shard % workers;
      const list = lists.get(worker);
      if (list === undefined) lists.set(worker, [shard]);
      else list.push(shard);
    }
    return lists;
  };
  return {
    grant(epochs, given) {
      for (const [worker, shards] of byWorker(epochs.keys()))
        mesh.grant(worker, new Map(shards.map((shard) => [shard, epochs.get(shard)!])), given);
      shardMap.assign([...epochs.keys()].map((shard) => [shard, shardEndpoint(node, workers, shard)]));
    },
    async release(shards) {
      await Promise.all([...byWorker(shards)].map(([worker, own]) => mesh.release(worker, own)));
    },
    revoke(shards) {
      for (const [worker, own] of byWorker(shards)) mesh.revoke(worker, own);
    },
    moment: () => ownership.moment(),
    extend: (since, forMs) => ownership.extend(since, forMs),
    silence: () => ownership.silence(),
    assign: (owners) => shardMap.assign(owners),
  };
}

/** A shard that moves waits this long for its last commits; its callers wait with it. */
const RELEASE_WITHIN_MS = 2_000;

/** A worker's side: its host serves what the worker is granted and gives up what it is asked for. */
export function serveShards(mesh: Pick<MeshMember, "onOwnership" | "onRelease">, host: ShardHost): void {
  mesh.onOwnership(({ gained, given, lost }) => {
    if (gained.length > 0) void host.start(gained, given);
    // They are another's already: what is not committed cannot be any more.
    if (lost.length > 0) void host.releaseShards(lost, RELEASE_WITHIN_MS);
  });
  mesh.onRelease((shards) => host.releaseShards(shards, RELEASE_WITHIN_MS));
}
