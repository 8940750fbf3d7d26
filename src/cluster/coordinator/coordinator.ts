/**
 * The coordinator of a node: keeps it a member, takes the shards it should own and nobody has, hands over those that
 * another should own, and tells its node what it serves and until when it may speak.
 *
 * Owns: the order in which a view's consequences are drawn. Does not own: any decision about ownership (the database's),
 * the shards' actors (the keeper's), who should own what (`placement.ts`).
 *
 * Invariants:
 * - a shard is granted only under an epoch that the database has written for this process;
 * - a view revokes before it extends, and extends before it grants;
 * - a hint never grants: it makes the node look at the database, or let go of what is another's while it cannot look.
 */
import type { Clock } from "../../lib/clock.js";
import { type Log, silentLog } from "../../lib/log.js";
import type { Random } from "../../lib/random.js";
import type {
  ClusterView,
  Hints,
  MemberRow,
  NodeDescription,
  NodeState,
  OwnershipHint,
  OwnershipStore,
  ShardKeeper,
} from "../ports.js";
import { createDirectory } from "./directory.js";
import { createHandover } from "./handover.js";
import { createHoldings } from "./holdings.js";
import { createLease } from "./lease.js";
import { createMembers } from "./members.js";
import { createRumours } from "./rumours.js";
import { createSequence } from "./sequence.js";
import { type CoordinatorSettings, checkCoordinatorSettings, DEFAULT_COORDINATOR_SETTINGS } from "./settings.js";
import { createTakeover } from "./takeover.js";
import { createTestimonyDesk } from "./testimony.js";

export interface CoordinatorOptions {
  readonly description: NodeDescription;
  readonly store: OwnershipStore;
  /** Null: news travel by the heartbeats alone. */
  readonly hints: Hints | null;
  readonly keeper: ShardKeeper;
  readonly clock: Clock;
  readonly random: Random;
  readonly log?: Log;
  readonly settings?: Partial<CoordinatorSettings>;
  /** Another process has this node's id, or a lone node the database: the node must end. Called once. */
  readonly onFatal: (reason: Error) => void;
}

export interface CoordinatorStatus {
  readonly state: NodeState;
  readonly members: readonly MemberRow[];
  /** Ascending. */
  readonly shards: readonly number[];
  /** Until the node must fall silent; 0 when it must be silent now. */
  readonly leaseLeftMs: number;
  readonly hasSession: boolean;
  /** So much this machine's clock is surely ahead of the database's; negative: behind. */
  readonly clockSkewMs: number;
  readonly takes: number;
  readonly gives: number;
  /** Shards that a view said were another's. */
  readonly losses: number;
  /** Of planned moves, in milliseconds, from giving up until the database named the new owner. Null: none yet. */
  readonly pauses: { readonly p50: number; readonly p99: number; readonly max: number } | null;
}

export interface Coordinator {
  /**
   * Joins, and resolves once this node's former shards and those that nobody has were asked for. Rejects with
   * NodeIdInUse, DatabaseNotShared, ClockSkewTooGreat, or what the store says.
   */
  start(): Promise<void>;
  /**
   * For a worker that died: raises the epochs of those of its shards that are still this node's, and grants them through
   * the keeper before it resolves with the new epochs. Shards that were lost meanwhile are left out. Rejects while the
   * database is away: call again.
   */
  reclaim(shards: readonly number[]): Promise<ReadonlyMap<number, number>>;
  /** Gives every shard away; resolves when none is left or nobody is there to take them. Waits while the database is away. */
  drain(): Promise<void>;
  /** Leaves the cluster. What this node still owned is free for the others at once. */
  stop(): Promise<void>;
  status(): CoordinatorStatus;
}

const RECLAIM_TRIES = 10;

export function createCoordinator(options: CoordinatorOptions): Coordinator {
  const { description, hints, keeper, clock } = options;
  const self = description.node;
  const settings = checkCoordinatorSettings({ ...DEFAULT_COORDINATOR_SETTINGS, ...options.settings });
  const log = (options.log ?? silentLog).child({ part: "cluster" });
  const sequence = createSequence();
  const members = createMembers(self, settings);
  const holdings = createHoldings(self, keeper, sequence);
  const directory = createDirectory(keeper, sequence);
  const rumours = createRumours(holdings, directory, sequence);
  const counts = { takes: 0, gives: 0, losses: 0 };
  let state: NodeState = "active";
  let stopped = false;
  let remindedAt = Number.NEGATIVE_INFINITY;

  const lease = createLease({
    ...options,
    log,
    settings,
    sequence,
    onTruth(view, asked) {
      rumours.lookedInto(asked);
      lost(holdings.revokeLost(view, asked));
    },
    onView: see,
    onSessionLost() {
      members.lostSight();
      holdings.wasAway();
      lost(rumours.believe());
    },
    onDoubt: (inDoubt) => (inDoubt ? testimony.begin() : testimony.end()),
    onFatal(reason) {
      holdings.revokeAll();
      options.onFatal(reason);
    },
  });
  const session = () => lease.session();
  const testimony = createTestimonyDesk({
    description,
    hints,
    clock,
    sessionLossMs: settings.sessionLossMs,
    moment: () => keeper.moment(),
    others: members.others,
    onPromise: members.promise,
    onVouched: lease.vouched,
  });
  const takeover = createTakeover({
    self,
    takeAtOnce: settings.takeAtOnce,
    members,
    holdings,
    sequence,
    session,
    log,
    onTaken(epochs) {
      counts.takes += epochs.size;
      spread(epochs, description);
    },
  });
  const handover = createHandover({
    self,
    settings,
    members,
    holdings,
    keeper,
    session,
    clock,
    log,
    onGiven(epochs, to) {
      counts.gives += epochs.size;
      spread(epochs, to);
    },
    onFailed: () => lease.soon(0),
  });

  /** Shards are at `to` now: for this node's own map, and for the others'. */
  function spread(epochs: ReadonlyMap<number, number>, to: { readonly node: string; readonly workers: number }): void {
    directory.moved(epochs, to);
    const shards = [...epochs].map(([shard, epoch]) => ({ shard, epoch }));
    hints?.announce({ node: to.node, workers: to.workers, shards });
  }

  /**
   * A hint may have been lost, and a member that the database is cut from hears of its shards by nothing else: it would go
   * on asking its own workers, who may not answer.
   */
  function remind(now: number): void {
    if (now - remindedAt < settings.repeatHintMs || members.allSee()) return;
    remindedAt = now;
    const { node, workers } = description;
    const shards = holdings.in("serving").map((shard) => ({ shard, epoch: holdings.get(shard)!.epoch }));
    if (shards.length > 0) hints?.announce({ node, workers, shards });
  }

  function see(view: ClusterView, asked: number): void {
    const now = clock.monotonic();
    members.see(view, now);
    const own = holdings.grantOwn(view, asked);
    directory.see(view, asked);
    takeover.look(view, asked, own, now);
    handover.pump();
    remind(now);
    const next = members.nextGoneInMs(now);
    // Looked at after the renewal that is just ending has set its own time.
    if (next !== null) clock.after(Math.max(0, next) + 1, () => lease.soon(0));
  }

  hints?.onHint((hint: OwnershipHint) => {
    if (stopped) return;
    if (hint.node === self) {
      const news = hint.shards.some(({ shard, epoch }) => epoch > (holdings.get(shard)?.epoch ?? 0));
      if (news) lease.soon(0);
      return;
    }
    const mine = hint.shards.filter(({ shard }) => holdings.get(shard) !== null);
    directory.hint({ ...hint, shards: hint.shards.filter((one) => !mine.includes(one)) });
    if (!rumours.hear({ ...hint, shards: mine })) return;
    if (session() === null) lost(rumours.believe());
    else lease.soon(0);
  });

  function lost(shards: number): void {
    if (shards > 0) log.warn({ shards }, "Shards of this node are another's by now.");
    counts.losses += shards;
  }

  async function reclaim(shards: readonly number[]): Promise<ReadonlyMap<number, number>> {
    const reclaimed = new Map<number, number>();
    // A move that is under way raises the epoch by itself; one that fails leaves the shard to a view, which must find it
    // fallen.
    await handover.settled(shards);
    let left = holdings.fall(shards);
    for (let tries = 0; left.length > 0; tries++) {
      const now = session();
      if (now === null || stopped) throw new Error("The database is away: the epochs cannot be raised yet.");
      if (tries === RECLAIM_TRIES) throw new Error("Somebody holds the rows of these shards; try again.");
      const wanted = left.map((shard) => ({ shard, expectedEpoch: holdings.get(shard)?.epoch ?? 0 }));
      const taken = await now.take(wanted, { ifSessionGone: false });
      if (now !== session()) throw new Error("The session was lost while epochs were raised; try again.");
      holdings.grant(taken);
      if (taken.size > 0) spread(taken, description);
      for (const [shard, epoch] of taken) reclaimed.set(shard, epoch);
      if (taken.size < left.length) await lease.fresh();
      left = left.filter((shard) => holdings.get(shard)?.state === "fallen");
    }
    return reclaimed;
  }

  const hasTakers = (): boolean => members.all().some(({ node }) => node !== self && members.isReady(node));
  const heldShards = (): readonly number[] => [...holdings.in("serving"), ...holdings.in("handing_over")];

  return {
    async start() {
      await lease.open();
      await takeover.settled();
    },
    reclaim,
    async drain() {
      state = "draining";
      lease.setState(state);
      while (!stopped) {
        await lease.fresh();
        await takeover.settled();
        const held = heldShards();
        if (stopped || held.length === 0 || !hasTakers()) return;
        await Promise.race([
          handover.settled(held),
          new Promise<void>((resolve) => clock.after(settings.heartbeatMs, resolve)),
        ]);
      }
    },
    async stop() {
      if (stopped) return;
      stopped = true;
      handover.close();
      holdings.revokeAll();
      await lease.close();
    },
    status: () => ({
      state,
      members: members.all(),
      shards: heldShards()
        .slice()
        .sort((a, b) => a - b),
      leaseLeftMs: lease.leftMs(),
      hasSession: session() !== null,
      clockSkewMs: lease.clockSkewMs(),
      ...counts,
      pauses: summary(handover.pauses()),
    }),
  };
}

function summary(pauses: readonly number[]): CoordinatorStatus["pauses"] {
  if (pauses.length === 0) return null;
  const sorted = [...pauses].sort((a, b) => a - b);
  const at = (part: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] as number;
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}
