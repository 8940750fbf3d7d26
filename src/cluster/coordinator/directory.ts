/**
 * Where every shard lives, as far as this node knows: from the database's views, from its own moves, and from hints in
 * between. Wrong beliefs cost a detour (`not_owner`), never more.
 */
import type { EndpointId } from "../../actors/runtime/link.js";
import { SHARD_COUNT } from "../../actors/runtime/ports.js";
import { type ClusterView, type OwnershipHint, type ShardKeeper, shardEndpoint } from "../ports.js";
import type { Sequence } from "./sequence.js";

export interface Directory {
  see(view: ClusterView, asked: number): void;
  /** This node has moved shards, or taken them. */
  moved(epochs: ReadonlyMap<number, number>, to: { readonly node: string; readonly workers: number }): void;
  /** Of another node. Believed if it is newer than what is known, until the next view. */
  hint(hint: OwnershipHint): void;
  epochOf(shard: number): number;
}

export function createDirectory(keeper: ShardKeeper, sequence: Sequence): Directory {
  const known = new Map<number, { readonly epoch: number; readonly endpoint: EndpointId | null }>();

  function learn(shards: Iterable<readonly [shard: number, epoch: number, endpoint: EndpointId | null]>): void {
    const changes: [number, EndpointId | null][] = [];
    for (const [shard, epoch, endpoint] of shards) {
      const before = known.get(shard);
      known.set(shard, { epoch, endpoint });
      if ((before?.endpoint ?? null) !== endpoint || before === undefined) changes.push([shard, endpoint]);
    }
    if (changes.length > 0) keeper.assign(changes);
  }

  return {
    see(view, asked) {
      const members = new Map(view.members.filter(({ leaseLeftMs }) => leaseLeftMs > 0).map((row) => [row.node, row]));
      learn(
        view.shards
          .filter(({ shard }) => !sequence.touchedSince(shard, asked))
          .map(({ shard, epoch, node }) => {
            const owner = members.get(node);
            return [shard, epoch, owner === undefined ? null : shardEndpoint(node, owner.workers, shard)] as const;
          }),
      );
    },
    moved(epochs, { node, workers }) {
      sequence.touch(epochs.keys());
      learn([...epochs].map(([shard, epoch]) => [shard, epoch, shardEndpoint(node, workers, shard)] as const));
    },
    hint({ node, workers, shards }) {
      const newer = shards.filter(
        ({ shard, epoch }) =>
          Number.isInteger(shard) && shard >= 0 && shard < SHARD_COUNT && epoch > (known.get(shard)?.epoch ?? 0),
      );
      sequence.touch(newer.map(({ shard }) => shard));
      learn(newer.map(({ shard, epoch }) => [shard, epoch, shardEndpoint(node, workers, shard)] as const));
    },
    epochOf: (shard) => known.get(shard)?.epoch ?? 0,
  };
}
