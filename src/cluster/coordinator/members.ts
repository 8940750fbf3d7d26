/**
 * Who is in the cluster, from one node's eyes. Owns the patience with members whose session has ended. Does not own the
 * verdict that a shard may be taken: that is the database's.
 *
 * Invariants:
 * - without a session is counted only from when this node saw it, in the server's present run, without a gap in its own
 *   sight, and begins anew with every promise to the member (`testimony.ts`);
 * - it counts only between two members that know each other's newest session. The database holds to this too; here it
 *   keeps a member's place until its shards can really be taken.
 */
import { desiredOwner } from "../placement.js";
import type { ClusterView, MemberRow } from "../ports.js";

export interface Members {
  see(view: ClusterView, monotonicNow: number): void;
  /** This node has lost sight of the others: what it saw missing may have been there. */
  lostSight(): void;
  /** These were promised patience from now on. */
  promise(nodes: readonly string[]): void;
  /** The others that had a session when this node last saw the cluster. */
  others(): readonly MemberRow[];
  /** Whether every other one had a session then, and renewed its lease. */
  allSee(): boolean;
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
  const missing = new Map<string, { readonly since: number; readonly leaseUntil: number; readonly joined: number }>();
  let active: readonly string[] = [];
  /** Who should own what, as far as it was asked for since the active members changed. */
  let placed = new Map<number, string | null>();

  /** Since when a member's missing session counts; null while it does not. */
  function patientSince({ node, joined, seen }: MemberRow): number | null {
    const own = rows.get(self);
    const acquainted = own !== undefined && seen >= own.joined && own.seen >= joined;
    return acquainted ? (missing.get(node)?.since ?? null) : null;
  }

  function gone(node: string, now: number): "lease" | "session" | null {
    if (node === self) return null;
    const row = rows.get(node);
    if (row === undefined || row.leaseLeftMs <= 0) return "lease";
    const since = patientSince(row);
    return since !== null && now - since >= settings.sessionGraceMs ? "session" : null;
  }

  return {
    see(view, now) {
      if (view.serverStartedAt !== serverStartedAt) missing.clear();
      serverStartedAt = view.serverStartedAt;
      rows = new Map(view.members.map((row) => [row.node, row]));
      for (const { node, hasSession, leaseLeftMs, joined } of rows.values()) {
        const leaseUntil = view.databaseNow + leaseLeftMs;
        const before = missing.get(node);
        // It has joined again, or renewed its lease, on a session that nobody here has seen.
        const wasThere = before === undefined || joined !== before.joined || leaseUntil > before.leaseUntil + 1;
        if (hasSession) missing.delete(node);
        else if (wasThere) missing.set(node, { since: now, leaseUntil, joined });
      }
      for (const node of missing.keys()) if (!rows.has(node)) missing.delete(node);
      const before = active.join("\n");
      active = [...rows.values()]
        .filter(({ node, state }) => state === "active" && gone(node, now) === null)
        .map(({ node }) => node);
      if (active.join("\n") !== before) placed = new Map();
    },
    lostSight: () => missing.clear(),
    promise(nodes) {
      for (const node of nodes) missing.delete(node);
    },
    others: () => [...rows.values()].filter(({ node, hasSession }) => hasSession && node !== self),
    allSee: () => [...rows.values()].every((row) => row.node === self || (row.hasSession && row.leaseLeftMs > 0)),
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
      for (const row of rows.values()) {
        const { node, leaseLeftMs } = row;
        if (node === self || gone(node, now) !== null) continue;
        const since = patientSince(row);
        const left = Math.min(leaseLeftMs, since === null ? leaseLeftMs : since + settings.sessionGraceMs - now);
        // A lease with more left than that is looked at again in time anyway.
        if (left < settings.heartbeatMs) next = Math.min(next ?? left, left);
      }
      return next;
    },
  };
}
