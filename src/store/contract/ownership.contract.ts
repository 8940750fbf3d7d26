/**
 * What every ownership store promises a cluster (`src/cluster/ports.ts`): who may be a member, and which moves of a shard
 * are possible. Run on each adapter, with a session for every member.
 */
import type { Test } from "tap";
import type { ActorStore } from "../../actors/runtime/ports.js";
import {
  type ClusterView,
  DatabaseNotShared,
  type MemberRow,
  type NodeDescription,
  NodeIdInUse,
  type OwnershipSession,
  type OwnershipStore,
} from "../../cluster/ports.js";
import { sleep, systemClock } from "../../lib/clock.js";
import { batch, CLEAN, write } from "./batches.js";

export interface OwnershipUnderTest {
  /** A process of its own. Must wait for another's lock for a short time only. */
  store(): OwnershipStore;
  /** The store whose flushes the owners' rows fence. */
  readonly actors: ActorStore;
  /** As an operator does: ends the member's session. */
  endSession(node: string): Promise<void>;
  expireLease(node: string): Promise<void>;
  /** The member's last renewal was seen by an earlier run of the server. */
  renewedInEarlierRun(node: string): Promise<void>;
  /** A lone node works on the database, until the returned function is called. */
  beLone(): Promise<() => Promise<void>>;
}

/** Makes an empty database that lives until the end of the given test. */
export type MakeOwnership = (t: Test) => Promise<OwnershipUnderTest>;

const LEASE_MS = 60_000;
const clock = systemClock();

const describe = (node: string, incarnation = `${node}-1`): NodeDescription => ({
  node,
  incarnation,
  workers: 2,
  url: `http://${node}`,
});
const wanted = (epochs: Iterable<readonly [number, number]>) =>
  [...epochs].map(([shard, expectedEpoch]) => ({ shard, expectedEpoch }));
const owned = (epochs: Iterable<readonly [number, number]>) => [...epochs].map(([shard, epoch]) => ({ shard, epoch }));
const PLAIN = { ifSessionGone: false };
const GONE = { ifSessionGone: true };
/** It says that it knows every session there will ever be; who must know whom has a test of its own. */
const view = (session: OwnershipSession): Promise<ClusterView> =>
  session.renew(LEASE_MS, "active", Number.MAX_SAFE_INTEGER);
const member = ({ members }: ClusterView, node: string): MemberRow | undefined =>
  members.find((row) => row.node === node);
const owners = ({ shards }: ClusterView): Record<number, string> =>
  Object.fromEntries(shards.map(({ shard, epoch, node }) => [shard, `${node}@${epoch}`]));

export async function ownershipContract(t: Test, make: MakeOwnership): Promise<void> {
  async function open(t: Test, ...nodes: string[]) {
    const database = await make(t);
    const stores: OwnershipStore[] = [];
    t.teardown(() => Promise.all(stores.map((store) => store.close())));
    const join = (node: string, incarnation?: string): Promise<OwnershipSession> => {
      const store = database.store();
      stores.push(store);
      return store.join(describe(node, incarnation), LEASE_MS);
    };
    const sessions: OwnershipSession[] = [];
    for (const node of nodes) sessions.push(await join(node));
    /** Waits until `watcher` sees no session of the node. */
    const gone = async (watcher: OwnershipSession, node: string): Promise<void> => {
      while (member(await view(watcher), node)?.hasSession !== false) await sleep(clock, 2);
    };
    return { ...database, join, gone, sessions: sessions as [OwnershipSession, OwnershipSession, OwnershipSession] };
  }

  await t.test("R-CLU-2: a member is seen with its description, its lease and its session", async (t) => {
    const { sessions } = await open(t, "a", "b");
    const [a, b] = sessions;
    await b.renew(LEASE_MS, "draining");
    const seen = await view(a);
    t.match(
      seen.members,
      [
        { ...describe("a"), state: "active", hasSession: true },
        { ...describe("b"), state: "draining", hasSession: true },
      ],
      "in order of their names",
    );
    for (const { leaseLeftMs } of seen.members) t.ok(leaseLeftMs > 0 && leaseLeftMs <= LEASE_MS);
    t.strictSame(seen.shards, []);
    t.ok(seen.serverStartedAt <= seen.databaseNow);
    t.ok((await view(a)).databaseNow >= seen.databaseNow);
  });

  await t.test("R-CLU-2: of two living processes with one id the second is refused", async (t) => {
    const { sessions, join } = await open(t, "a");
    await t.rejects(join("a", "a-2"), NodeIdInUse);
    t.equal(member(await view(sessions[0]), "a")?.incarnation, "a-1", "and the first knows nothing of it");
    await sessions[0].leave();
    const second = await join("a", "a-2");
    t.equal(member(await view(second), "a")?.incarnation, "a-2");
  });

  await t.test(
    "R-CLU-2: who has died is replaced under its id at once, who has slept through its lease too",
    async (t) => {
      const { sessions, join, expireLease, gone } = await open(t, "a", "b");
      sessions[0].abort();
      await gone(sessions[1], "a");
      const second = await join("a", "a-2");
      await expireLease("a");
      const third = await join("a", "a-3");
      await second.lost;
      await t.rejects(view(second), "the sleeper's session was ended");
      t.equal(member(await view(third), "a")?.incarnation, "a-3");
    },
  );

  await t.test(
    "R-CLU-2: a process joins again while its own old session still lingers, and keeps its state",
    async (t) => {
      const { sessions, join } = await open(t, "a");
      await sessions[0].renew(LEASE_MS, "draining");
      const again = await join("a");
      await sessions[0].lost;
      const { members } = await again.renew(LEASE_MS, "draining");
      t.match(members, [{ node: "a", state: "draining", hasSession: true }]);
    },
  );

  await t.test(
    "rule 4: a member that was replaced never comes back, even when its successor's session is gone",
    async (t) => {
      const database = await make(t);
      const [old, fresh] = [database.store(), database.store()];
      t.teardown(() => Promise.all([old.close(), fresh.close()]));
      await old.join(describe("a", "a-1"), LEASE_MS);
      await database.expireLease("a");
      const successor = await fresh.join(describe("a", "a-2"), LEASE_MS);
      successor.abort();
      await t.rejects(old.join(describe("a", "a-1"), LEASE_MS), NodeIdInUse);
      const again = await fresh.join(describe("a", "a-2"), LEASE_MS);
      t.equal(member(await view(again), "a")?.incarnation, "a-2");
    },
  );

  await t.test("rule 4: a lone node and the members of a cluster exclude each other", async (t) => {
    const { join, beLone } = await open(t);
    const leave = await beLone();
    await t.rejects(join("a"), DatabaseNotShared);
    await leave();
    await join("a");
    await t.rejects(beLone());
  });

  await t.test("R-CLU-2: a session that was ended is told so, and answers nothing any more", async (t) => {
    const { sessions, endSession, gone } = await open(t, "a", "b");
    const [a, b] = sessions;
    await endSession("b");
    await b.lost;
    await gone(a, "b");
    await t.rejects(view(b));
    await t.rejects(b.take([{ shard: 1, expectedEpoch: 0 }], PLAIN));
    await t.rejects(b.give([{ shard: 1, epoch: 1 }], "a"));
    await b.leave();
    t.ok(member(await view(a), "b")!.leaseLeftMs > 0, "its lease lives on");
  });

  await t.test("R-CLU-2: shards that nobody had are taken under epoch 1, and epochs only rise", async (t) => {
    const { sessions } = await open(t, "a", "b");
    const [a, b] = sessions;
    const first = await a.take(wanted([[3, 0], [1, 0]]), PLAIN); // biome-ignore format: pairs
    t.strictSame([...first].sort(), [[1, 1], [3, 1]]); // biome-ignore format: pairs
    t.strictSame([...(await b.take(wanted([[1, 0], [2, 0]]), PLAIN))], [[2, 1]]); // biome-ignore format: pairs
    t.strictSame([...(await a.take(wanted([[1, 1]]), PLAIN))], [[1, 2]], "an owner takes its own again");
    t.strictSame([...(await a.take(wanted([[1, 1]]), PLAIN))], [], "but not under an epoch that is over");
    t.strictSame(owners(await view(b)), { 1: "a@2", 2: "b@1", 3: "a@1" });
  });

  await t.test("rule 4: nothing is taken from an owner whose lease lives and whose session is open", async (t) => {
    const { sessions } = await open(t, "a", "b");
    const [a, b] = sessions;
    await a.take(wanted([[1, 0]]), PLAIN);
    for (const options of [PLAIN, GONE]) t.strictSame([...(await b.take(wanted([[1, 1]]), options))], []);
    t.strictSame(owners(await view(b)), { 1: "a@1" });
  });

  await t.test("R-CLU-1: what belonged to a member whose lease has ended is taken, whatever its session", async (t) => {
    const { sessions, expireLease } = await open(t, "a", "b");
    const [a, b] = sessions;
    await a.take(wanted([[1, 0]]), PLAIN);
    await expireLease("a");
    t.ok(member(await view(b), "a")!.leaseLeftMs <= 0);
    t.strictSame([...(await b.take(wanted([[1, 1]]), PLAIN))], [[1, 2]]);
    t.strictSame(owners(await view(a)), { 1: "b@2" }, "it hears so when it renews");
  });

  await t.test("R-CLU-1: what belonged to a member without a session is taken only by who says so", async (t) => {
    const { sessions, gone } = await open(t, "a", "b");
    const [a, b] = sessions;
    await a.take(wanted([[1, 0]]), PLAIN);
    await view(a);
    a.abort();
    await gone(b, "a");
    t.strictSame([...(await b.take(wanted([[1, 1]]), PLAIN))], []);
    t.strictSame([...(await b.take(wanted([[1, 1]]), GONE))], [[1, 2]]);
  });

  await t.test("R-CLU-2: sessions are numbered as they were opened, and a member says which it has seen", async (t) => {
    const { sessions, join } = await open(t, "a", "b");
    const [a, b] = sessions;
    const numbers = async (): Promise<readonly (readonly [joined: number, seen: number])[]> =>
      (await b.renew(LEASE_MS, "active", 3)).members.map(({ joined, seen }) => [joined, seen] as const);
    const [[first], [second]] = (await numbers()) as [readonly [number, number], readonly [number, number]];
    t.ok(first > 0 && first < second);
    t.strictSame(await numbers(), [
      [first, 0],
      [second, 3],
    ]);
    await a.renew(LEASE_MS, "active", second);
    t.strictSame((await numbers())[0], [first, second]);
    await join("a");
    const [again] = await numbers();
    t.ok(again![0] > second, "a new session has a new number");
    t.equal(again![1], 0, "and has seen nobody");
  });

  await t.test("rule 4: a missing session counts only between two that know each other's newest", async (t) => {
    const { sessions, join, gone } = await open(t, "a", "b");
    const [a, b] = sessions;
    await a.take(wanted([[1, 0]]), PLAIN);
    const joined = async (node: string): Promise<number> => member(await view(b), node)!.joined;
    const take = async (seenByTaker: number) => {
      await b.renew(LEASE_MS, "active", seenByTaker);
      return [...(await b.take(wanted([[1, 1]]), GONE))];
    };
    const itsOwn = await joined("b");
    await a.renew(LEASE_MS, "active", itsOwn - 1);
    a.abort();
    await gone(b, "a");
    t.strictSame(await take(Number.MAX_SAFE_INTEGER), [], "the owner did not know of the taker");
    const again = await join("a");
    await again.renew(LEASE_MS, "active", itsOwn);
    const newest = await joined("a");
    again.abort();
    await gone(b, "a");
    t.strictSame(await take(newest - 1), [], "the taker has not heard of the owner's newest session");
    t.strictSame(await take(newest), [[1, 2]]);
  });

  await t.test("rule 4: a session that is gone since the server's restart proves nothing", async (t) => {
    const { sessions, gone, renewedInEarlierRun, expireLease } = await open(t, "a", "b");
    const [a, b] = sessions;
    await a.take(wanted([[1, 0]]), PLAIN);
    await view(a);
    a.abort();
    await gone(b, "a");
    await renewedInEarlierRun("a");
    t.strictSame([...(await b.take(wanted([[1, 1]]), GONE))], []);
    await expireLease("a");
    t.strictSame([...(await b.take(wanted([[1, 1]]), GONE))], [[1, 2]]);
  });

  await t.test("R-CLU-4: what belonged to a member that has left is free at once", async (t) => {
    const { sessions } = await open(t, "a", "b");
    const [a, b] = sessions;
    await a.take(wanted([[1, 0]]), PLAIN);
    await a.leave();
    await a.lost;
    await a.leave();
    t.strictSame([...(await b.take(wanted([[1, 1]]), PLAIN))], [[1, 2]]);
    t.equal(member(await view(b), "a"), undefined);
  });

  await t.test("rule 4: who has no lease any more neither takes nor gives", async (t) => {
    const { sessions, expireLease } = await open(t, "a", "b");
    const [a] = sessions;
    await a.take(wanted([[1, 0]]), PLAIN);
    await expireLease("a");
    t.strictSame([...(await a.take(wanted([[1, 1], [2, 0]]), PLAIN))], []); // biome-ignore format: pairs
    t.strictSame([...(await a.give(owned([[1, 1]]), "b"))], []);
    t.strictSame(owners(await view(a)), { 1: "a@1" });
    t.strictSame([...(await a.give(owned([[1, 1]]), "b"))], [[1, 2]], "renewed, it may");
  });

  await t.test("R-CLU-1: a shard is given to an active member, and only by who owns it", async (t) => {
    const { sessions } = await open(t, "a", "b", "c");
    const [a, b, c] = sessions;
    await a.take(wanted([[1, 0], [2, 0], [3, 0]]), PLAIN); // biome-ignore format: pairs
    const given = await a.give(owned([[2, 1], [1, 1], [3, 7], [4, 1]]), "b"); // biome-ignore format: pairs
    t.strictSame([...given].sort(), [[1, 2], [2, 2]]); // biome-ignore format: pairs
    t.strictSame([...(await a.give(owned([[1, 2]]), "c"))], [], "it is not a's any more");
    t.strictSame([...(await b.give(owned([[1, 2]]), "b"))], [], "to itself nobody gives");
    t.strictSame(owners(await view(c)), { 1: "b@2", 2: "b@2", 3: "a@1" });
  });

  await t.test("R-CLU-4: nothing is given to who drains, is gone, or has never been", async (t) => {
    const { sessions, expireLease, gone } = await open(t, "a", "b", "c");
    const [a, b, c] = sessions;
    await a.take(wanted([[1, 0]]), PLAIN);
    const give = async (to: string) => (await a.give(owned([[1, 1]]), to)).size;
    await b.renew(LEASE_MS, "draining");
    t.equal(await give("b"), 0);
    await b.renew(LEASE_MS, "active");
    await expireLease("b");
    t.equal(await give("b"), 0);
    c.abort();
    await gone(a, "c");
    t.equal(await give("c"), 0);
    t.equal(await give("nobody"), 0);
    await view(b);
    t.equal(await give("b"), 1);
  });

  await t.test("rule 4: a flush under the epoch before a move commits nothing", async (t) => {
    const { sessions, actors, expireLease } = await open(t, "a", "b");
    const [a] = sessions;
    const flush = (epochs: ReadonlyMap<number, number>, key: string) => actors.flush(batch(epochs, [write(key)]));
    const first = await a.take(wanted([[0, 0]]), PLAIN);
    t.strictSame(await flush(first, "o1"), CLEAN);
    const given = await a.give(owned(first), "b");
    t.strictSame(await flush(first, "o2"), { staleShards: [0], failures: [] });
    t.strictSame(await flush(given, "o2"), CLEAN);
    await expireLease("b");
    const taken = await a.take(wanted(given), PLAIN);
    t.strictSame(await flush(given, "o3"), { staleShards: [0], failures: [] });
    t.strictSame(await flush(taken, "o3"), CLEAN);
  });

  await t.test("rule 4: of two members that reach for the same shards each shard has one winner", async (t) => {
    const { sessions, join, gone } = await open(t, "a", "b");
    const [a, b] = sessions;
    const shards = Array.from({ length: 64 }, (_, shard) => shard);
    let epochs = new Map(shards.map((shard) => [shard, 0]));
    for (let round = 0; round < 5; round++) {
      const backwards = wanted([...epochs].reverse());
      const [byA, byB] = await Promise.all([a.take(wanted(epochs), GONE), b.take(backwards, GONE)]);
      // A row that the rival was just writing may have been passed over: it is nobody's gain.
      const won = new Map([...byA, ...byB]);
      t.equal(byA.size + byB.size, won.size, "no shard was won twice");
      for (const [shard, epoch] of won) t.equal(epoch, epochs.get(shard)! + 1);
      const rest = wanted([...epochs].filter(([shard]) => !won.has(shard)));
      for (const [shard, epoch] of await a.take(rest, GONE)) won.set(shard, epoch);
      t.equal(won.size, shards.length, "and none was left");
      const rows = new Map((await view(a)).shards.map(({ shard, epoch, node }) => [shard, { epoch, node }]));
      for (const shard of byB.keys()) t.equal(rows.get(shard)?.node, "b");
      // Both give theirs to a third, which dies.
      const third = await join("c", `c-${round}`);
      const mine = [...rows]
        .filter(([, { node }]) => node === "a")
        .map(([shard, { epoch }]) => [shard, epoch] as const);
      const its = [...rows].filter(([, { node }]) => node === "b").map(([shard, { epoch }]) => [shard, epoch] as const);
      const [fromA, fromB] = await Promise.all([a.give(owned(mine), "c"), b.give(owned(its), "c")]);
      epochs = new Map([...fromA, ...fromB]);
      t.equal(epochs.size, shards.length);
      await view(third);
      await view(b);
      third.abort();
      await gone(a, "c");
    }
  });
}
