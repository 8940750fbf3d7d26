/** A shard map that its holder can change: on a lone node the truth, in a cluster what this node believes. */
import type { EndpointId, ShardMap } from "../link.js";
import { SHARD_COUNT } from "../ports.js";

export interface AssignableShardMap extends ShardMap {
  /** Tells everyone who listens, once, of those that really changed. */
  assign(changes: Iterable<readonly [shard: number, owner: EndpointId | null]>): void;
  /** The owner of each shard, by shard. */
  owners(): readonly (EndpointId | null)[];
}

export function createShardMap(owners: readonly (EndpointId | null)[] = []): AssignableShardMap {
  const current: (EndpointId | null)[] = Array.from({ length: SHARD_COUNT }, (_, shard) => owners[shard] ?? null);
  const handlers: ((shards: readonly number[]) => void)[] = [];
  return {
    ownerOf: (shard) => current[shard] ?? null,
    onChange: (handler) => void handlers.push(handler),
    owners: () => [...current],
    assign(changes) {
      const changed: number[] = [];
      for (const [shard, owner] of changes) {
        if (!Number.isInteger(shard) || shard < 0 || shard >= SHARD_COUNT)
          throw new RangeError(`shard map: there is no shard ${shard}`);
        if (current[shard] === owner) continue;
        current[shard] = owner;
        changed.push(shard);
      }
      if (changed.length > 0) for (const handler of handlers) handler(changed);
    },
  };
}

/** All shards dealt out to the workers of one node in turn. */
export function spreadShards(workers: readonly EndpointId[]): readonly (EndpointId | null)[] {
  return Array.from({ length: SHARD_COUNT }, (_, shard) => workers[shard % workers.length] ?? null);
}
