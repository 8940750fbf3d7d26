/**
 * Taking shards that nobody has: own ones of an earlier process, those of members that are gone, those never owned. One
 * transaction at a time, in chunks, ascending; what was not to be had is tried again with the next view.
 */
import { SHARD_COUNT } from "../../actors/runtime/ports.js";
import type { Log } from "../../lib/log.js";
import { type ClusterView, type OwnershipSession, rowsByShard, type ShardRow } from "../ports.js";
import type { Holdings } from "./holdings.js";
import type { Members } from "./members.js";
import type { Sequence } from "./sequence.js";

export interface TakeoverOptions {
  readonly self: string;
  readonly takeAtOnce: number;
  readonly members: Members;
  readonly holdings: Holdings;
  readonly sequence: Sequence;
  readonly session: () => OwnershipSession | null;
  readonly log: Log;
  /** They are ours: granted already. */
  readonly onTaken: (epochs: ReadonlyMap<number, number>) => void;
}

export interface Takeover {
  /** Starts taking what this view leaves to this node, unless a run is under way. `own`: rows to be taken again. */
  look(view: ClusterView, asked: number, own: readonly ShardRow[], monotonicNow: number): void;
  /** Resolves when the run under way has ended. */
  settled(): Promise<void>;
}

interface Wanted {
  readonly shard: number;
  readonly expectedEpoch: number;
  /** Who had it; null where nobody ever did. */
  readonly node: string | null;
}

export function createTakeover(options: TakeoverOptions): Takeover {
  const { self, members, holdings, sequence, log } = options;
  let running: Promise<void> = Promise.resolve();
  let busy = false;

  function wantedBy(view: ClusterView, asked: number, own: readonly ShardRow[], now: number): [Wanted[], Wanted[]] {
    const plain: Wanted[] = own.map(({ shard, epoch, node }) => ({ shard, expectedEpoch: epoch, node }));
    const withoutSession: Wanted[] = [];
    const rows = rowsByShard(view);
    for (let shard = 0; shard < SHARD_COUNT; shard++) {
      const row = rows[shard];
      if (row?.node === self || holdings.get(shard) !== null || sequence.touchedSince(shard, asked)) continue;
      if (members.desiredOwner(shard) !== self) continue;
      const reason = row === undefined ? "lease" : members.gone(row.node, now);
      if (reason === null) continue;
      (reason === "session" ? withoutSession : plain).push({
        shard,
        expectedEpoch: row?.epoch ?? 0,
        node: row?.node ?? null,
      });
    }
    return [plain.sort((a, b) => a.shard - b.shard), withoutSession];
  }

  async function take(session: OwnershipSession, wanted: readonly Wanted[], ifSessionGone: boolean): Promise<number> {
    let shards = 0;
    for (let from = 0; from < wanted.length; from += options.takeAtOnce) {
      const chunk = wanted.slice(from, from + options.takeAtOnce);
      const taken = await session.take(chunk, { ifSessionGone });
      if (session !== options.session()) return shards;
      shards += taken.size;
      holdings.grant(taken);
      if (taken.size > 0) options.onTaken(taken);
    }
    return shards;
  }

  /** Whoever looks for what happened at night wants to know when, and whose they were. */
  function tell(shards: number, why: "lease" | "session", wanted: readonly Wanted[]): void {
    const from = [...new Set(wanted.map(({ node }) => node))].sort();
    if (shards > 0) log.info({ shards, from, why }, "Shards that nobody serves are taken.");
  }

  return {
    look(view, asked, own, now) {
      const session = options.session();
      if (busy || session === null) return;
      const [plain, withoutSession] = wantedBy(view, asked, own, now);
      if (plain.length + withoutSession.length === 0) return;
      busy = true;
      running = take(session, plain, false)
        .then(async (shards) => {
          tell(shards, "lease", plain);
          tell(await take(session, withoutSession, true), "session", withoutSession);
        })
        .catch((error: unknown) => {
          log.warn({ error: String(error) }, "Shards could not be taken yet.");
        })
        .finally(() => {
          busy = false;
        });
    },
    settled: () => running,
  };
}
