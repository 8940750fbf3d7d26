/**
 * Who is in the cluster, from one node's eyes. Owns the patience with members whose session has ended. Does not own the
 * verdict that a shard may be taken: that is the database's.
 *
 * Invariant: without a session is counted only from when this node saw it, in the server's present run, without a gap in
 * its own sight.
 */
import { desiredOwner } from "../placement.js";
import type { ClusterView, MemberRow } from "../ports.js";

export interface Members {
  see(view: ClusterView, monotonicNow: number): void;
  /** This node has lost sight of the others: what it saw missing may have been there. */
  lostSight(): void;
  find(node: string): MemberRow | null;
  all(): readonly MemberRow[];
  /** Why a node's shards may be taken; null while it is alive. */
  gone(node: string, monotonicNow: number): "lease" | "session" | null;
  /** Whether shards may be given to it now. */
  isReady(node: string): boolean;
  /** Who should own the shard: one of the active members that are alive. */
  desiredOwner(shard: number): string | null;
  /** When a member will be gone if nothing is heard of it; null when all are well. */
  nextGoneInMs(monotonicNow: number): number | null;
}

export function createMembers(
  self: string,
  settings: { readonly sessionGraceMs: number; readonly heartbeatMs: number },
): Members {
  let rows = new Map<string, MemberRow>();
  let serverStartedAt = 0;
  /** Since when a member was seen without a session, and until when its lease was said to last. */
  const missing = new Map<string, { readonly since: number; readonly leaseUntil: number }>();
  let active: readonly string[] = [];
  /** Who should own what, as far as it was asked for since the active members changed. */
  let placed = new Map<number, string | null>();

  function gone(node: string, now: number): "lease" | "session" | null {
    if (node === self) return null;
    const row = rows.get(node);
    if (row === undefined || row.leaseLeftMs <= 0) return "lease";
    const since = missing.get(node)?.since;
    return since !== undefined && now - since >= settings.sessionGraceMs ? "session" : null;
  }

  return {
    see(view, now) {
      if (view.serverStartedAt !== serverStartedAt) missing.clear();
      serverStartedAt = view.serverStartedAt;
      rows = new Map(view.members.map((row) => [row.node, row]));
      for (const { node, hasSession, leaseLeftMs } of rows.values()) {
        const leaseUntil = view.databaseNow + leaseLeftMs;
        const before = missing.get(node);
        // A lease that has grown was renewed in between, on a session that nobody here has seen.
        if (hasSession) missing.delete(node);
        else if (before === undefined || leaseUntil > before.leaseUntil + 1)
          missing.set(node, { since: now, leaseUntil });
      }
      for (const node of missing.keys()) if (!rows.has(node)) missing.delete(node);
      const before = active.join("\n");
      active = [...rows.values()]
        .filter(({ node, state }) => state === "active" && gone(node, now) === null)
        .map(({ node }) => node);
      if (active.join("\n") !== before) placed = new Map();
    },
    lostSight: () => missing.clear(),
    find: (node) => rows.get(node) ?? null,
    all: () => [...rows.values()],
    gone,
    isReady(node) {
      const row = rows.get(node);
      return row !== undefined && row.state === "active" && row.leaseLeftMs > 0 && row.hasSession;
    },
    desiredOwner(shard) {
      let owner = placed.get(shard);
      if (owner === undefined) {
        owner = desiredOwner(shard, active);
        placed.set(shard, owner);
      }
      return owner;
    },
    nextGoneInMs(now) {
      let next: number | null = null;
      for (const { node, leaseLeftMs } of rows.values()) {
        if (node === self || gone(node, now) !== null) continue;
        const since = missing.get(node)?.since;
        const left = Math.min(leaseLeftMs, since === undefined ? leaseLeftMs : since + settings.sessionGraceMs - now);
        // A lease with more left than that is looked at again in time anyway.
        if (left < settings.heartbeatMs) next = Math.min(next ?? left, left);
      }
      return next;
    },
  };
}
