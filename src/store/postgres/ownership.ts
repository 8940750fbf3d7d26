/**
 * Ownership on PostgreSQL: a member's lease, its one session, and the moves of shards, each judged by one SQL function.
 *
 * Owns: the session (a connection of its own that holds the node's advisory lock) and the verdict that it is lost. Does
 * not own: when to renew, whom to give to (the coordinator), or the fences of flushes (`flush.ts`).
 *
 * Invariants: a call whose answer is overdue ends the session, so no answer is ever believed late; a lost session is
 * never used again; calls of one session are answered in the order they were made.
 */

import {
  type ClusterView,
  DatabaseNotShared,
  type MemberRow,
  type NodeDescription,
  NodeIdInUse,
  type OwnershipSession,
  type OwnershipStore,
} from "../../cluster/ports.js";
import { type Clock, sleep } from "../../lib/clock.js";
import { type Log, silentLog } from "../../lib/log.js";
import pg from "./pg.js";

export interface PostgresOwnershipOptions {
  /** As for the actor store. No pooler may stand between: a session's locks are what others see of a member. */
  readonly connectionString: string;
  readonly clock: Clock;
  readonly log?: Log;
  /** An answer that takes longer ends the session. Above the server's own limit of 2 s. Default 4,000. */
  readonly answerMs?: number;
  /** How long `join` waits for the lock of a process that has just died. Default 5,000. */
  readonly patienceMs?: number;
}

const JOIN_AGAIN_MS = 100;
const CONNECT_MS = 3_000;
/** A session that was told to end does so soon, on a machine that has the time. */
const ENDING_MS = 10_000;

/**
 * A member that vanished keeps its session for about a minute: longer than any lease, as the lease is what a member that
 * cannot hear of its session's end goes by.
 */
const SETTINGS: readonly (readonly [string, string])[] = [
  ["statement_timeout", "2000"],
  ["lock_timeout", "1000"],
  ["idle_in_transaction_session_timeout", "1000"],
  ["idle_session_timeout", "0"],
  ["tcp_keepalives_idle", "30"],
  ["tcp_keepalives_interval", "10"],
  ["tcp_keepalives_count", "3"],
  ["tcp_user_timeout", "60000"],
  ["jit", "off"],
];

/** What `renew_lease_v2` raises when this session is not the member's any more. */
const NOT_A_MEMBER = "SE003";

/** The schema must be up to date (`migrate`). Connects at `join`. */
export function createPostgresOwnershipStore(options: PostgresOwnershipOptions): OwnershipStore {
  const { patienceMs = 5_000, clock } = options;
  const open = new Set<Session>();
  /** Incarnations that were members before: one that was replaced since must not come back. */
  const members = new Set<string>();
  return {
    async join(node, leaseMs) {
      const deadline = clock.monotonic() + patienceMs;
      const session = await openSession(options, node);
      try {
        for (;;) {
          const verdict = await session.ask<string>("join_cluster_v1($1, $2, $3, $4, $5, $6)", [
            node.node,
            node.incarnation,
            node.workers,
            node.url,
            leaseMs,
            members.has(node.incarnation),
          ]);
          if (verdict === "joined") break;
          const patience = verdict === "ending" ? ENDING_MS : 0;
          if (verdict === "replaced" || clock.monotonic() >= deadline + patience) throw refusal(verdict, node.node);
          await sleep(clock, JOIN_AGAIN_MS);
        }
      } catch (error) {
        session.abort();
        throw error;
      }
      open.add(session);
      members.add(node.incarnation);
      void session.lost.then(() => open.delete(session));
      return memberSession(session, node);
    },
    async close() {
      for (const session of open) session.abort();
    },
  };
}

function refusal(verdict: string, node: string): Error {
  if (verdict === "lone") {
    return new DatabaseNotShared(
      "A lone node works on this database. Stop it first, or start it as a member of the cluster (with NATS_URL), or give this one a database of its own with DATABASE_URL.",
    );
  }
  return new NodeIdInUse(
    `Another living process is the member "${node}". Stop it first, or give this one a name of its own with NODE_ID.`,
  );
}

interface Session {
  readonly lost: Promise<void>;
  /** Calls one SQL function that returns one value. */
  ask<T>(call: string, parameters: readonly unknown[]): Promise<T>;
  abort(): void;
  end(): Promise<void>;
}

async function openSession(options: PostgresOwnershipOptions, node: NodeDescription): Promise<Session> {
  const { clock, answerMs = 4_000 } = options;
  const log = (options.log ?? silentLog).child({ part: "ownership" });
  const client = new pg.Client({
    connectionString: options.connectionString,
    application_name: `swift-eats member ${node.node}`,
    keepAlive: true,
    keepAliveInitialDelayMillis: 5_000,
    connectionTimeoutMillis: CONNECT_MS,
  });
  let alive = true;
  /** The call before. One at a time: the next waits for its answer. */
  let last: Promise<void> = Promise.resolve();
  let lose: () => void = () => undefined;
  const lost = new Promise<void>((resolve) => {
    lose = () => {
      alive = false;
      resolve();
    };
  });
  client.on("error", (error) => {
    if (alive) log.warn({ error: error.message }, "The member's session at the database was lost.");
    abort();
  });
  client.on("end", () => lose());
  function abort(): void {
    lose();
    // `end()` would say good-bye and wait for an answer; a session that is not trusted any more gets neither.
    (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
  }

  async function bounded<T>(work: Promise<T>): Promise<T> {
    const cancel = clock.after(answerMs, () => {
      log.warn({ afterMs: answerMs }, "The database does not answer the member's session, which is given up.");
      abort();
    });
    try {
      return await work;
    } finally {
      cancel();
    }
  }

  try {
    await bounded(client.connect());
    await bounded(
      client.query(
        `SELECT set_config(s.name, w.value, false)
           FROM unnest($1::text[], $2::text[]) w(name, value) JOIN pg_settings s ON s.name = w.name`,
        [SETTINGS.map(([name]) => name), SETTINGS.map(([, value]) => value)],
      ),
    );
  } catch (error) {
    abort();
    throw error;
  }
  return {
    lost,
    abort,
    ask<T>(call: string, parameters: readonly unknown[]): Promise<T> {
      const answer = last.then(() => askNow<T>(call, parameters));
      last = answer.then(
        () => undefined,
        () => undefined,
      );
      return answer;
    },
    async end() {
      if (alive) await bounded(client.end()).catch(() => undefined);
      lose();
    },
  };

  async function askNow<T>(call: string, parameters: readonly unknown[]): Promise<T> {
    if (!alive) throw new Error("The member's session is lost.");
    try {
      const { rows } = await bounded(client.query(`SELECT ${call} AS answer`, [...parameters]));
      return rows[0].answer as T;
    } catch (error) {
      // Anything but a plain refusal leaves open what was done: only a new session's view can tell.
      const refused = error instanceof pg.DatabaseError && error.severity === "ERROR";
      if (!refused || error.code === NOT_A_MEMBER) abort();
      throw error;
    }
  }
}

function memberSession(session: Session, { node, incarnation }: NodeDescription): OwnershipSession {
  const moved = async (call: string, parameters: readonly unknown[]): Promise<ReadonlyMap<number, number>> =>
    new Map(JSON.parse(await session.ask<string>(call, [node, incarnation, ...parameters])) as [number, number][]);
  return {
    lost: session.lost,
    async renew(leaseMs, state, seen = 0) {
      return readView(
        await session.ask<string>("renew_lease_v2($1, $2, $3, $4, $5)", [node, incarnation, leaseMs, state, seen]),
      );
    },
    take: (shards, { ifSessionGone }) =>
      moved("take_shards_v1($1, $2, $3, $4, $5)", [
        shards.map(({ shard }) => shard),
        shards.map(({ expectedEpoch }) => expectedEpoch),
        ifSessionGone,
      ]),
    give: (shards, to) =>
      moved("give_shards_v1($1, $2, $3, $4, $5)", [
        shards.map(({ shard }) => shard),
        shards.map(({ epoch }) => epoch),
        to,
      ]),
    async leave() {
      await session
        .ask("leave_cluster_v1($1, $2)", [node, incarnation])
        // The lease ends by itself, and the session now.
        .catch(() => undefined);
      await session.end();
    },
    abort: () => session.abort(),
  };
}

type MemberColumns = readonly [
  node: string,
  incarnation: string,
  workers: number,
  url: string,
  state: MemberRow["state"],
  leaseLeftMs: number,
  hasSession: boolean,
  joined: number,
  seen: number,
];

function readView(text: string): ClusterView {
  const view = JSON.parse(text) as {
    readonly now: number;
    readonly started: number;
    readonly members: readonly MemberColumns[];
    readonly shards: readonly (readonly [shard: number, epoch: number, node: string])[];
  };
  return {
    members: view.members.map(([node, incarnation, workers, url, state, leaseLeftMs, hasSession, joined, seen]) => ({
      node,
      incarnation,
      workers,
      url,
      state,
      leaseLeftMs,
      hasSession,
      joined,
      seen,
    })),
    shards: view.shards.map(([shard, epoch, node]) => ({ shard, epoch, node })),
    serverStartedAt: view.started,
    databaseNow: view.now,
  };
}
