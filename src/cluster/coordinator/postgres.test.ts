/** Coordinators with real sessions at a real database. Waits for conditions; how long they take is reported, not judged. */
import t from "tap";
import { SHARD_COUNT } from "../../actors/runtime/ports.js";
import { type Clock, sleep, systemClock } from "../../lib/clock.js";
import { seededRandom } from "../../lib/random.js";
import { createPostgresOwnershipStore, openSession, withPostgres } from "../../store/contract/postgres.js";
import { createMemoryHints } from "../memory/mod.js";
import type { Moment, ShardKeeper } from "../ports.js";
import { type Coordinator, createCoordinator } from "./coordinator.js";

const clock: Clock = systemClock();
const { connectionString } = await withPostgres();
const hints = createMemoryHints({ clock });
let incarnations = 0;

interface Node {
  readonly coordinator: Coordinator;
  readonly served: Map<number, number>;
  /** It cannot open a session. */
  barred: boolean;
  mayEmit(): boolean;
  stop(): Promise<void>;
}

/** When a shard was given up last, and how long it was nobody's after that. */
const pausedAt = new Map<number, number>();
const pauses: number[] = [];

function createNode(node: string): Node {
  const served = new Map<number, number>();
  let deadline: Moment = { monotonic: 0, wall: 0 };
  const keeper: ShardKeeper = {
    grant(epochs) {
      for (const [shard, epoch] of epochs) {
        served.set(shard, epoch);
        const since = pausedAt.get(shard);
        pausedAt.delete(shard);
        if (since !== undefined) pauses.push(clock.monotonic() - since);
      }
    },
    async release(shards) {
      for (const shard of shards) {
        served.delete(shard);
        pausedAt.set(shard, clock.monotonic());
      }
    },
    revoke(shards) {
      for (const shard of shards) served.delete(shard);
    },
    moment: () => ({ monotonic: clock.monotonic(), wall: clock.now() }),
    extend(since, forMs) {
      deadline = { monotonic: since.monotonic + forMs, wall: since.wall + forMs };
    },
    silence() {
      deadline = { monotonic: 0, wall: 0 };
    },
    assign: () => undefined,
  };
  const store = createPostgresOwnershipStore({ connectionString, clock });
  const ear = hints.open(node);
  const coordinator = createCoordinator({
    description: { node, incarnation: `${node}-${++incarnations}`, workers: 2, url: `http://${node}` },
    store: {
      join: (description, leaseMs) =>
        own.barred ? Promise.reject(new Error("barred")) : store.join(description, leaseMs),
      close: () => store.close(),
    },
    hints: ear,
    keeper,
    clock,
    random: seededRandom(incarnations),
    onFatal: (reason) => t.fail(reason.message),
  });
  const own: Node = {
    coordinator,
    served,
    barred: false,
    mayEmit: () => clock.monotonic() < deadline.monotonic && clock.now() < deadline.wall,
    async stop() {
      await coordinator.stop();
      await ear.close();
      await store.close();
    },
  };
  return own;
}

const watcher = await openSession(t, connectionString);

async function endSession(node: string): Promise<void> {
  await watcher.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1", [
    `swift-eats member ${node}`,
  ]);
}

async function rows(): Promise<Map<number, { epoch: number; node: string }>> {
  const { rows } = await watcher.query("SELECT shard, epoch::int, node FROM shard_owner");
  return new Map(rows.map(({ shard, epoch, node }) => [shard, { epoch, node }]));
}

/** Waits until all know each other's sessions: only then does a missing one count. */
async function acquainted(): Promise<void> {
  const sql = "SELECT min(seen) >= max(joined) AS all FROM node_lease";
  while ((await watcher.query(sql)).rows[0].all !== true) await sleep(clock, 20);
}

/** Waits until every shard is served by exactly its owner, and all of these nodes have some. */
async function settled(nodes: Readonly<Record<string, Node>>): Promise<number> {
  const startedAt = clock.monotonic();
  for (;;) {
    const owners = await rows();
    const served = Object.values(nodes).map((node) => node.served);
    const right = [...owners].every(([shard, { epoch, node }]) => nodes[node]?.served.get(shard) === epoch);
    const once = served.reduce((sum, { size }) => sum + size, 0) === SHARD_COUNT;
    if (owners.size === SHARD_COUNT && right && once && served.every(({ size }) => size > SHARD_COUNT / 10)) break;
    await sleep(clock, 20);
  }
  return Math.round(clock.monotonic() - startedAt);
}

t.test("R-CLU-1, R-CLU-4: three nodes share the shards, lose a session, drain, and come back", async (t) => {
  const [a, b, c] = [createNode("a"), createNode("b"), createNode("c")];
  await a.coordinator.start();
  t.equal(a.served.size, SHARD_COUNT, "the first has all before it is up");
  await Promise.all([b.coordinator.start(), c.coordinator.start()]);
  t.comment(`shared among three within ${await settled({ a, b, c })} ms`);
  pauses.sort((x, y) => x - y);
  const at = (part: number) => pauses[Math.floor((pauses.length - 1) * part)]?.toFixed(1);
  t.comment(`${pauses.length} planned moves, nobody's for p50 ${at(0.5)}, p99 ${at(0.99)}, at most ${at(1)} ms`);
  t.ok(a.coordinator.status().gives >= SHARD_COUNT / 3);

  // A session that is ended is opened again long before its shards are anybody's, and the epochs stay.
  const before = await rows();
  await endSession("b");
  while (b.coordinator.status().hasSession) await sleep(clock, 1);
  while (!b.coordinator.status().hasSession) await sleep(clock, 5);
  await settled({ a, b, c });
  const after = await rows();
  const moved = [...before].filter(([shard, { epoch }]) => after.get(shard)?.epoch !== epoch);
  if (moved.length > 0) t.comment(`the machine was so slow that ${moved.length} shards moved and came back`);

  // A session that is ended and cannot be opened again, as when a process dies.
  await acquainted();
  b.barred = true;
  await endSession("b");
  t.comment(`the shards of one without a session were taken within ${await settled({ a, c })} ms`);
  t.notOk(b.mayEmit(), "by then it is silent");
  b.barred = false;
  await settled({ a, b, c });
  t.ok(b.mayEmit(), "and it comes back");
  await b.stop();
  await settled({ a, c });

  await c.coordinator.drain();
  t.equal(c.served.size, 0, "nothing is left with the one that drained");
  await c.stop();
  await settled({ a });

  const again = createNode("b");
  await again.coordinator.start();
  await settled({ a, b: again });
  t.ok(a.mayEmit() && again.mayEmit());
  await again.stop();
  await a.stop();
  t.equal((await watcher.query("SELECT FROM node_lease")).rowCount, 0, "who leaves leaves no lease");
});
