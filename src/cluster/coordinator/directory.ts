/**
 * Where every shard lives, as far as this node knows: from the database's views, from its own moves, and from hints in
 * between. Wrong beliefs cost a detour (`not_owner`), never more.
 *
 * Invariant: a new epoch is a change, also when the owner is the one before: a node that lost a shard and took it again
 * has forgotten who listened to it, so for a moment the shard is nobody's and everybody asks anew.
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

interface Place {
  readonly epoch: number;
  /** Null: nobody who lives. */
  readonly node: string | null;
  readonly workers: number;
}

export function createDirectory(keeper: ShardKeeper, sequence: Sequence): Directory {
  const known = new Map<number, Place>();

  /** A view says of most shards what is known already: that costs nothing here. */
  function learn(changes: [number, EndpointId | null][], shard: number, place: Place): void {
    const before = known.get(shard);
    const same = before !== undefined && before.node === place.node && before.workers === place.workers;
    if (same && before.epoch === place.epoch) return;
    known.set(shard, place);
    const { node, workers } = place;
    if (same && node === null) return;
    if (same) changes.push([shard, null]);
    changes.push([shard, node === null ? null : shardEndpoint(node, workers, shard)]);
  }

  function assign(changes: readonly (readonly [number, EndpointId | null])[]): void {
    if (changes.length === 0) return;
    // Those that leave and come back: what leaves has to be heard before it comes.
    const leaving = changes.filter(([, owner]) => owner === null);
    const coming = changes.filter(([, owner]) => owner !== null);
    if (leaving.length > 0) keeper.assign(leaving);
    if (coming.length > 0) keeper.assign(coming);
  }

  return {
    see(view, asked) {
      const members = new Map(view.members.filter(({ leaseLeftMs }) => leaseLeftMs > 0).map((row) => [row.node, row]));
      const changes: [number, EndpointId | null][] = [];
      for (const { shard, epoch, node } of view.shards) {
        if (sequence.touchedSince(shard, asked)) continue;
        const owner = members.get(node);
        learn(changes, shard, { epoch, node: owner === undefined ? null : node, workers: owner?.workers ?? 0 });
      }
      assign(changes);
    },
    moved(epochs, { node, workers }) {
      sequence.touch(epochs.keys());
      const changes: [number, EndpointId | null][] = [];
      for (const [shard, epoch] of epochs) learn(changes, shard, { epoch, node, workers });
      assign(changes);
    },
    hint({ node, workers, shards }) {
      const newer = shards.filter(
        ({ shard, epoch }) =>
          Number.isInteger(shard) && shard >= 0 && shard < SHARD_COUNT && epoch > (known.get(shard)?.epoch ?? 0),
      );
      sequence.touch(newer.map(({ shard }) => shard));
      const changes: [number, EndpointId | null][] = [];
      for (const { shard, epoch } of newer) learn(changes, shard, { epoch, node, workers });
      assign(changes);
    },
    epochOf: (shard) => known.get(shard)?.epoch ?? 0,
  };
}
