/**
 * The shards that this node holds, and in which state each is. The only one that grants to the keeper and revokes.
 *
 * Invariants:
 * - what the keeper serves under an epoch, the database has named this node for under that epoch, in this incarnation:
 *   rows left by an earlier process of the same name, or by a worker that died, are taken again first;
 * - a view that names another owner or epoch revokes at once, whatever is under way;
 * - a fallen shard (its worker died) is never granted under the epoch that the dead worker had.
 */
import { type ClusterView, rowsByShard, type ShardKeeper, type ShardRow } from "../ports.js";
import type { Sequence } from "./sequence.js";

export type Holding =
  | { readonly state: "serving"; readonly epoch: number }
  /** Given up or being given up by the keeper, to be given to another node. */
  | { readonly state: "handing_over"; readonly epoch: number; readonly to: string }
  | { readonly state: "fallen"; readonly epoch: number };

export interface Holdings {
  get(shard: number): Holding | null;
  in(state: Holding["state"]): readonly number[];
  /** Forgets and revokes what is another's by this view. Returns how many were lost. */
  revokeLost(view: ClusterView, asked: number): number;
  /** Grants what is ours by this view and not held. Returns the rows that must be taken first. */
  grantOwn(view: ClusterView, asked: number): readonly ShardRow[];
  /** This process was no member for a while: what the next view shows as its own and is not held must be taken first. */
  wasAway(): void;
  /** The database has just said so. */
  grant(epochs: ReadonlyMap<number, number>): void;
  handOver(shard: number, to: string): void;
  /**
   * A handover has ended: the shard is not held any more. If it is still ours, a view will say so; `clean` tells whether
   * nothing under the old epoch can still be on its way, so that it may be granted again as it is.
   */
  letGo(shard: number, clean: boolean): void;
  /**
   * The worker of these shards died. Returns those that this node holds. Those that were let go and may still be ours
   * are taken again, not granted, when a view shows them.
   */
  fall(shards: readonly number[]): readonly number[];
  /** They are another's, by whatever is known. */
  lose(shards: readonly number[]): void;
  revokeAll(): void;
}

export function createHoldings(self: string, keeper: ShardKeeper, sequence: Sequence): Holdings {
  const held = new Map<number, Holding>();
  /** Own rows under whose epoch somebody else may still write, by epoch: to be taken again. */
  const inherited = new Map<number, number>();
  let away = true;
  /** The epoch under which a shard was let go last. */
  const letGoAt = new Map<number, number>();

  return {
    get: (shard) => held.get(shard) ?? null,
    in(state) {
      const shards: number[] = [];
      for (const [shard, holding] of held) if (holding.state === state) shards.push(shard);
      return shards;
    },
    revokeLost(view, asked) {
      const rows = rowsByShard(view);
      const gone: number[] = [];
      let lost = 0;
      for (const [shard, holding] of held) {
        const row = rows[shard];
        if (sequence.touchedSince(shard, asked)) continue;
        if (row !== undefined && row.node === self && row.epoch === holding.epoch) continue;
        if (row !== undefined && row.node === self && holding.state === "fallen") {
          // An attempt to raise it succeeded and its answer was lost.
          held.set(shard, { state: "fallen", epoch: row.epoch });
          continue;
        }
        gone.push(shard);
        // The handover's own outcome, whose answer is about to be heard: not lost. But its receiver may also have taken
        // it, while it is still being given up here.
        if (holding.state === "handing_over" && row?.node === holding.to && row.epoch === holding.epoch + 1) continue;
        held.delete(shard);
        lost++;
      }
      if (gone.length > 0) keeper.revoke(gone);
      return lost;
    },
    grantOwn(view, asked) {
      const own = view.shards.filter(({ node }) => node === self);
      if (away) {
        away = false;
        for (const { shard, epoch } of own) if (!held.has(shard)) inherited.set(shard, epoch);
      }
      const granted = new Map<number, number>();
      const first: ShardRow[] = [];
      for (const row of own) {
        if (held.has(row.shard) || sequence.touchedSince(row.shard, asked)) continue;
        if (inherited.get(row.shard) === row.epoch) first.push(row);
        else granted.set(row.shard, row.epoch);
      }
      for (const [shard, epoch] of granted) held.set(shard, { state: "serving", epoch });
      if (granted.size > 0) keeper.grant(granted, true);
      return first;
    },
    wasAway() {
      away = true;
    },
    grant(epochs) {
      sequence.touch(epochs.keys());
      for (const [shard, epoch] of epochs) {
        inherited.delete(shard);
        held.set(shard, { state: "serving", epoch });
      }
      if (epochs.size > 0) keeper.grant(epochs, false);
    },
    handOver(shard, to) {
      const holding = held.get(shard);
      if (holding?.state === "serving") held.set(shard, { state: "handing_over", epoch: holding.epoch, to });
    },
    letGo(shard, clean) {
      sequence.touch([shard]);
      const holding = held.get(shard);
      if (holding !== undefined) {
        letGoAt.set(shard, holding.epoch);
        if (!clean) inherited.set(shard, holding.epoch);
      }
      held.delete(shard);
    },
    fall(shards) {
      const fallen: number[] = [];
      for (const shard of shards) {
        const holding = held.get(shard);
        const before = letGoAt.get(shard);
        if (holding === undefined && before !== undefined) inherited.set(shard, before);
        if (holding === undefined || holding.state === "handing_over") continue;
        held.set(shard, { state: "fallen", epoch: holding.epoch });
        fallen.push(shard);
      }
      return fallen;
    },
    lose(shards) {
      for (const shard of shards) held.delete(shard);
      if (shards.length > 0) keeper.revoke(shards);
    },
    revokeAll() {
      if (held.size > 0) keeper.revoke([...held.keys()]);
      held.clear();
    },
  };
}
