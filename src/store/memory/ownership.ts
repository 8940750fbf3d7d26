/**
 * Ownership's twin in memory: a database of leases, sessions and owners that several members, each with a clock of its
 * own, join. It passes the same contract suite as Postgres, and it can be made to fail as a server and a network do.
 *
 * Invariants: a call is judged and applied within one turn, when it reaches the database; calls of one session are
 * applied and answered in order; a session that the database has ended applies nothing more.
 */
import {
  type ClusterView,
  DatabaseNotShared,
  type NodeDescription,
  NodeIdInUse,
  type NodeState,
  type OwnershipSession,
  type OwnershipStore,
  type ShardRow,
} from "../../cluster/ports.js";
import { type Clock, sleep } from "../../lib/clock.js";

/** Replaced when it changes, never written into. */
interface Owned {
  readonly epoch: number;
  readonly node: string;
}

export interface MemoryOwnershipOptions {
  /** The database's clock, by which leases end. */
  readonly clock: Clock;
  /** Each way between a member and the database. Default 0: within the same macrotask. */
  readonly latencyMs?: number;
  /** The shards' rows, to be shared with an actor store, whose flushes they fence. */
  readonly shards?: Map<number, Owned>;
  /** An answer that takes longer ends the session. Default 4,000. */
  readonly answerMs?: number;
  /** How long `join` waits for the lock of a process that has just died. Default 5,000. */
  readonly patienceMs?: number;
}

export interface MemoryOwnershipStore extends OwnershipStore {
  /** Nothing passes between this member and the database, and neither notices by itself. */
  cut(): void;
  heal(): void;
  /** The process is no more: the database ends its session; nothing of it is answered. */
  die(): void;
}

export interface MemoryOwnership {
  /** One member's access. `clock`: that of its process, by which its answers are late. */
  store(clock?: Clock): MemoryOwnershipStore;
  readonly shards: ReadonlyMap<number, { readonly epoch: number; readonly node: string }>;
  /** What an operator does: ends the member's session. */
  endSession(node: string): void;
  /** The lease is over, now. */
  expireLease(node: string): void;
  /** When the member's lease ends, by the database's clock; null when it has none. */
  leaseUntil(node: string): number | null;
  hasSession(node: string): boolean;
  /** A lone node comes to the database, or leaves it. False: members of a cluster have sessions there. */
  setLone(lone: boolean): boolean;
  /** All sessions end and none can be opened until `start`. */
  stop(): void;
  start(): void;
  /** Whatever reaches the database waits, in order, until `goOn`: nobody is told, and no session ends. */
  hang(): void;
  goOn(): void;
  /** A new run of the server has begun, whoever's sessions it may have. */
  countRun(): void;
}

interface Lease {
  readonly description: NodeDescription;
  readonly state: NodeState;
  readonly expiresAt: number;
  /** Which run of the server saw the last renewal. */
  readonly serverRun: number;
  readonly joined: number;
  readonly seen: number;
}

/** The database's end of a session. */
interface ServerSession {
  readonly node: NodeDescription;
  end(): void;
}

const JOIN_AGAIN_MS = 100;

export function createMemoryOwnership(options: MemoryOwnershipOptions): MemoryOwnership {
  const { clock, latencyMs = 0, answerMs = 4_000, patienceMs = 5_000, shards = new Map() } = options;
  const leases = new Map<string, Lease>();
  const sessions = new Map<string, ServerSession>();
  let lone = false;
  let running = true;
  /** What waits while the database hangs; null while it works. */
  let waiting: (() => void)[] | null = null;
  let serverRun = 1;
  let joins = 0;
  let startedAt = clock.now();

  function countRun(): void {
    serverRun++;
    startedAt = clock.now();
  }
  const alive = (lease: Lease | undefined): lease is Lease => lease !== undefined && lease.expiresAt > clock.now();
  const mine = ({ node, incarnation }: NodeDescription): Lease | null => {
    const lease = leases.get(node);
    return lease !== undefined && lease.description.incarnation === incarnation ? lease : null;
  };
  const write = (
    description: NodeDescription,
    leaseMs: number,
    state: NodeState,
    known: Pick<Lease, "joined" | "seen">,
  ): void =>
    void leases.set(description.node, { description, state, expiresAt: clock.now() + leaseMs, serverRun, ...known });

  function join(node: NodeDescription, leaseMs: number, session: ServerSession, again: boolean): Verdict {
    if (lone) return "lone";
    const before = leases.get(node.node);
    if (again && before !== undefined && before.description.incarnation !== node.incarnation) return "replaced";
    const holder = sessions.get(node.node);
    if (holder !== undefined) {
      if (before?.description.incarnation !== node.incarnation && alive(before)) return "in_use";
      holder.end();
    }
    sessions.set(node.node, session);
    const state = before?.description.incarnation === node.incarnation ? before.state : "active";
    write(node, leaseMs, state, { joined: ++joins, seen: 0 });
    return "joined";
  }

  /** The rows as last read: most views show the same ones. A row that changes is another object. */
  let read: { readonly from: readonly Owned[]; readonly rows: readonly ShardRow[] } = { from: [], rows: [] };

  function rows(): readonly ShardRow[] {
    let place = 0;
    let same = shards.size === read.from.length;
    for (const row of shards.values()) same &&= read.from[place++] === row;
    if (!same) {
      const ascending = [...shards].map(([shard, row]) => ({ shard, ...row })).sort((a, b) => a.shard - b.shard);
      read = { from: [...shards.values()], rows: ascending };
    }
    return read.rows;
  }

  function view(): ClusterView {
    return {
      members: [...leases.values()]
        .map(({ description, state, expiresAt, joined, seen }) => ({
          ...description,
          state,
          leaseLeftMs: expiresAt - clock.now(),
          hasSession: sessions.has(description.node),
          joined,
          seen,
        }))
        .sort((a, b) => (a.node < b.node ? -1 : 1)),
      shards: rows(),
      serverStartedAt: startedAt,
      databaseNow: clock.now(),
    };
  }

  /** Whether the owner's rights have ended. */
  function mayBeTaken(owner: string, by: Lease, ifSessionGone: boolean): boolean {
    const lease = leases.get(owner);
    if (owner === by.description.node || !alive(lease)) return true;
    const acquainted = lease.seen >= by.joined && by.seen >= lease.joined;
    return ifSessionGone && acquainted && lease.serverRun === serverRun && !sessions.has(owner);
  }

  function take(
    by: NodeDescription,
    wanted: Parameters<OwnershipSession["take"]>[0],
    ifSessionGone: boolean,
  ): ReadonlyMap<number, number> {
    const taken = new Map<number, number>();
    const taker = mine(by) ?? undefined;
    if (!alive(taker)) return taken;
    for (const { shard, expectedEpoch } of [...wanted].sort((a, b) => a.shard - b.shard)) {
      const row = shards.get(shard);
      if ((row?.epoch ?? 0) !== expectedEpoch) continue;
      if (row !== undefined && !mayBeTaken(row.node, taker, ifSessionGone)) continue;
      shards.set(shard, { epoch: expectedEpoch + 1, node: by.node });
      taken.set(shard, expectedEpoch + 1);
    }
    return taken;
  }

  function give(
    by: NodeDescription,
    given: Parameters<OwnershipSession["give"]>[0],
    to: string,
  ): ReadonlyMap<number, number> {
    const moved = new Map<number, number>();
    const target = leases.get(to);
    if (to === by.node || !alive(mine(by) ?? undefined)) return moved;
    if (!alive(target) || target.state !== "active" || !sessions.has(to)) return moved;
    for (const { shard, epoch } of given) {
      const row = shards.get(shard);
      if (row?.epoch !== epoch || row.node !== by.node) continue;
      shards.set(shard, { epoch: epoch + 1, node: to });
      moved.set(shard, epoch + 1);
    }
    return moved;
  }

  function openStore(own: Clock): MemoryOwnershipStore {
    let reachable = true;
    let dead = false;
    const open = new Set<OwnershipSession>();
    const members = new Set<string>();
    const ends = new Set<() => void>();

    /** What has come over the network waits at the machine for a process that sleeps. */
    function arrive(run: () => void): void {
      clock.after(latencyMs, () => {
        if (reachable && !dead) own.after(0, run);
      });
    }

    /** Carries a call there and its answer back; without latency both happen at once. */
    function carry<T>(call: () => T): Promise<T> {
      return new Promise((resolve, reject) => {
        const there = (): void => {
          if (!reachable || dead) return;
          if (waiting !== null) {
            waiting.push(there);
            return;
          }
          let answer: () => void;
          try {
            const value = call();
            answer = () => resolve(value);
          } catch (error) {
            answer = () => reject(error);
          }
          if (latencyMs === 0) answer();
          else arrive(answer);
        };
        if (latencyMs === 0) there();
        else clock.after(latencyMs, there);
      });
    }

    function openSession(node: NodeDescription): { session: OwnershipSession; server: ServerSession; knock: Knock } {
      let clientAlive = true;
      let serverAlive = true;
      let lose: () => void = () => undefined;
      const pending = new Set<(error: Error) => void>();
      const lost = new Promise<void>((resolve) => {
        lose = () => {
          if (!clientAlive) return;
          clientAlive = false;
          for (const reject of pending) reject(new Error("The member's session was lost."));
          resolve();
        };
      });
      const server: ServerSession = {
        node,
        end() {
          if (!serverAlive) return;
          serverAlive = false;
          ends.delete(server.end);
          if (sessions.get(node.node) === server) sessions.delete(node.node);
          if (!reachable || dead) return;
          if (latencyMs === 0) lose();
          else arrive(lose);
        },
      };
      ends.add(server.end);
      const abort = (): void => {
        lose();
        if (latencyMs === 0 && reachable) server.end();
        else if (reachable) clock.after(latencyMs, () => server.end());
      };
      async function knock<T>(call: () => T): Promise<T> {
        if (!clientAlive) throw new Error("The member's session is lost.");
        let fail: (error: Error) => void = () => undefined;
        const failed = new Promise<never>((_, reject) => {
          fail = reject;
        });
        pending.add(fail);
        const cancel = own.after(answerMs, abort);
        try {
          return await Promise.race([
            carry(() => {
              if (serverAlive && running) return call();
              // What a call on a connection hears that the other end has given up.
              lose();
              throw new Error("The member's session was lost.");
            }),
            failed,
          ]);
        } finally {
          cancel();
          pending.delete(fail);
        }
      }
      const session: OwnershipSession = {
        lost,
        renew: (leaseMs, state, seen = 0) =>
          knock(() => {
            const lease = mine(node);
            if (lease === null) {
              server.end();
              throw new Error(`This session is not the one of member ${node.node}.`);
            }
            write(node, leaseMs, state, { joined: lease.joined, seen });
            return view();
          }),
        take: (wanted, { ifSessionGone }) => knock(() => take(node, wanted, ifSessionGone)),
        give: (given, to) => knock(() => give(node, given, to)),
        async leave() {
          if (!clientAlive) return;
          await knock(() => {
            if (mine(node) !== null) leases.delete(node.node);
          }).catch(() => undefined);
          abort();
        },
        abort,
      };
      return { session, server, knock };
    }

    return {
      async join(node, leaseMs) {
        const deadline = own.monotonic() + patienceMs;
        const { session, server, knock } = openSession(node);
        try {
          for (;;) {
            const verdict = await knock(() => join(node, leaseMs, server, members.has(node.incarnation)));
            if (verdict === "joined") break;
            if (verdict === "replaced" || own.monotonic() >= deadline) {
              throw verdict === "lone"
                ? new DatabaseNotShared("A lone node works on this database.")
                : new NodeIdInUse(`Another living process is the member "${node.node}".`);
            }
            await sleep(own, JOIN_AGAIN_MS);
          }
        } catch (error) {
          session.abort();
          throw error;
        }
        open.add(session);
        members.add(node.incarnation);
        void session.lost.then(() => open.delete(session));
        return session;
      },
      async close() {
        for (const session of open) session.abort();
      },
      cut() {
        reachable = false;
      },
      heal() {
        reachable = true;
      },
      die() {
        dead = true;
        for (const end of [...ends]) end();
      },
    };
  }

  return {
    store: (own = clock) => openStore(own),
    shards,
    endSession: (node) => sessions.get(node)?.end(),
    expireLease(node) {
      const lease = leases.get(node);
      if (lease !== undefined) leases.set(node, { ...lease, expiresAt: clock.now() });
    },
    hang() {
      waiting ??= [];
    },
    goOn() {
      const calls = waiting ?? [];
      waiting = null;
      for (const call of calls) call();
    },
    leaseUntil: (node) => leases.get(node)?.expiresAt ?? null,
    hasSession: (node) => sessions.has(node),
    setLone(value) {
      if (value && sessions.size > 0) return false;
      lone = value;
      return true;
    },
    stop() {
      running = false;
      for (const session of [...sessions.values()]) session.end();
    },
    start() {
      running = true;
      countRun();
    },
    countRun,
  };
}

type Verdict = "joined" | "lone" | "in_use" | "replaced";
type Knock = <T>(call: () => T) => Promise<T>;
