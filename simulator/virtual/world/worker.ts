/**
 * The threads of one process of a node, in the one thread of the world: shard workers that run the real host, and what
 * starts, tells and replaces them.
 *
 * Owns: which workers run, and what they are told of shards, as `ThreadMesh` does in a node. Invariants: a worker that died
 * says and hears nothing more; its successor loads nothing before the epochs of its shards were raised.
 */
import {
  type AssignableShardMap,
  createOwnershipTable,
  createShardMap,
  type EndpointId,
  type Link,
  type OwnershipChange,
  type OwnershipTable,
  openOwnership,
  SHARD_COUNT,
  type ShardHost,
  type ThreadMesh,
} from "../../../src/actors/runtime/mod.js";
import { mortalClock } from "../../../src/actors/runtime/testkit/mod.js";
import type { Clock } from "../../../src/lib/clock.js";
import { serveShards } from "../../../src/node/keeper.js";
import type { ProcessView } from "../ports.js";

/** What a worker is made of. Everything of it ends with it. */
export interface WorkerParts {
  readonly self: EndpointId;
  readonly worker: number;
  readonly clock: Clock;
  readonly ownership: ReturnType<typeof openOwnership>;
}

export interface Workers {
  readonly ownership: OwnershipTable;
  readonly shardMap: AssignableShardMap;
  readonly mesh: Pick<ThreadMesh, "grant" | "release" | "revoke">;
  start(): void;
  /** The thread ends as by an error that nobody caught; it is replaced once its epochs are raised. */
  crash(worker: number): void;
  stop(): Promise<void>;
  hosts(): readonly ShardHost[];
  /** Of this process, ascending. */
  ownedShards(): readonly number[];
  readonly count: number;
}

export interface WorkersOptions {
  readonly process: ProcessView;
  readonly count: number;
  /** Makes a host and the link that it listens on. */
  readonly open: (parts: WorkerParts) => { readonly host: ShardHost; readonly link: Link };
  /** Raises the epochs of these shards; rejects while that cannot be done. */
  readonly reclaim: (shards: readonly number[]) => Promise<unknown>;
}

interface Thread {
  readonly host: ShardHost;
  readonly link: Link;
  tell(change: OwnershipChange): void;
  release(shards: readonly number[]): Promise<void>;
  end(): void;
}

const RESTART_MS = 300;

export function createWorkers({ process, count, open, reclaim }: WorkersOptions): Workers {
  const { clock, node } = process;
  const time = { monotonic: () => clock.monotonic(), now: () => clock.now() };
  const ownership = createOwnershipTable(count, time);
  const shardMap = createShardMap();
  const threads: (Thread | null)[] = new Array<Thread | null>(count).fill(null);
  let owned: readonly number[] | null = null;
  let stopped = false;

  const shardsOf = (worker: number): number[] =>
    Array.from({ length: SHARD_COUNT }, (_, shard) => shard).filter((shard) => shard % count === worker);

  function spawn(worker: number): void {
    const life = { over: false };
    const own = mortalClock(clock, () => !life.over);
    const table = openOwnership(ownership.buffer, worker, time);
    // An answer of the store that comes to a dead thread finds it owning nothing, whatever its successor owns.
    const view = {
      epochOf: (shard: number) => (life.over ? null : table.epochOf(shard)),
      mayEmit: () => !life.over && table.mayEmit(),
    };
    const { host, link } = open({ self: `${node}/shards-${worker}`, worker, clock: own, ownership: view });
    const giving = new Set<() => void>();
    const told: ((change: OwnershipChange) => void)[] = [];
    const asked: ((shards: readonly number[]) => Promise<void>)[] = [];
    serveShards(
      { onOwnership: (handler) => void told.push(handler), onRelease: (handler) => void asked.push(handler) },
      host,
    );
    const thread: Thread = {
      host,
      link,
      // As messages between threads: after what is being done, in order.
      tell: (change) =>
        void own.after(0, () => {
          for (const handler of told) handler(change);
        }),
      release: (shards) =>
        new Promise((resolve) => {
          giving.add(resolve);
          own.after(0, () => {
            void Promise.all(asked.map((handler) => handler(shards))).then(() => {
              giving.delete(resolve);
              resolve();
            });
          });
        }),
      end() {
        life.over = true;
        link.close();
        // A worker that is gone has nothing in memory.
        for (const resolve of giving) resolve();
      },
    };
    threads[worker] = thread;
    const owned = shardsOf(worker).filter((shard) => view.epochOf(shard) !== null);
    void host.start(owned);
  }

  async function replace(worker: number): Promise<void> {
    for (;;) {
      try {
        await reclaim(shardsOf(worker));
        break;
      } catch {
        await new Promise<void>((resolve) => clock.after(RESTART_MS, resolve));
        if (stopped) return;
      }
    }
    if (!stopped) spawn(worker);
  }

  return {
    ownership,
    shardMap,
    count,
    mesh: {
      grant(worker, epochs, given = false) {
        owned = null;
        ownership.grant(worker, epochs);
        threads[worker]?.tell({ gained: [...epochs.keys()], given, lost: [] });
      },
      async release(worker, shards) {
        const epochs = new Map(shards.map((shard) => [shard, ownership.epochOf(worker, shard)]));
        const thread = threads[worker];
        if (thread != null) await thread.release(shards);
        owned = null;
        ownership.revoke(
          worker,
          shards.filter((shard) => ownership.epochOf(worker, shard) === epochs.get(shard)),
        );
      },
      revoke(worker, shards) {
        owned = null;
        ownership.revoke(worker, shards);
        threads[worker]?.tell({ gained: [], given: false, lost: shards });
      },
    },
    start() {
      for (let worker = 0; worker < count; worker++) spawn(worker);
    },
    crash(worker) {
      const thread = threads[worker];
      if (thread == null || stopped) return;
      threads[worker] = null;
      owned = null;
      ownership.revoke(worker);
      thread.end();
      clock.after(RESTART_MS, () => void replace(worker));
    },
    async stop() {
      stopped = true;
      await Promise.all(threads.map((thread) => thread?.host.stop()));
      for (const thread of threads) thread?.end();
    },
    ownedShards() {
      owned ??= Array.from({ length: SHARD_COUNT }, (_, shard) => shard).filter(
        (shard) => ownership.epochOf(shard % count, shard) !== null,
      );
      return owned;
    },
    hosts: () => threads.flatMap((thread) => (thread === null ? [] : [thread.host])),
  };
}
