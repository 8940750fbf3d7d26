/**
 * Where a shard's messages go. Owns which endpoints are up and what wrong routes taught; does not own the shard map.
 *
 * Invariant: a target is always an endpoint that is up.
 */
import type { EndpointId, ShardMap } from "../link.js";

export interface Router {
  /** The endpoint to send a shard's messages to now, or null while its owner is unknown or down. */
  targetOf(shard: number): EndpointId | null;
  /** `from` does not own the shard; `hint` is whom it believes to. */
  wrongRoute(shard: number, from: EndpointId, hint: EndpointId | undefined): void;
  /** The map has changed: what was learnt about these shards is old. */
  forget(shards: readonly number[]): void;
  peer(id: EndpointId, change: "up" | "down"): void;
}

export function createRouter(shardMap: ShardMap): Router {
  const up = new Set<EndpointId>();
  const hints = new Map<number, EndpointId>();
  return {
    targetOf(shard) {
      const hint = hints.size > 0 ? hints.get(shard) : undefined;
      if (hint !== undefined && up.has(hint)) return hint;
      const owner = shardMap.ownerOf(shard);
      return owner !== null && up.has(owner) ? owner : null;
    },
    wrongRoute(shard, from, hint) {
      if (hint !== undefined && hint !== from) hints.set(shard, hint);
      else if (hints.get(shard) === from) hints.delete(shard);
    },
    forget(shards) {
      for (const shard of shards) hints.delete(shard);
    },
    peer(id, change) {
      if (change === "up") {
        up.add(id);
        return;
      }
      up.delete(id);
      for (const [shard, hint] of hints) if (hint === id) hints.delete(shard);
    },
  };
}
