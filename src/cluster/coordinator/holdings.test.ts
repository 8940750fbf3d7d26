import t from "tap";
import type { ClusterView, ShardKeeper } from "../ports.js";
import { createHoldings } from "./holdings.js";
import { createSequence } from "./sequence.js";

function open() {
  const served = new Map<number, number>();
  const given = new Set<number>();
  const keeper: ShardKeeper = {
    grant: (epochs, wasGiven) => {
      for (const [shard, epoch] of epochs) served.set(shard, epoch);
      for (const shard of epochs.keys()) {
        if (wasGiven) given.add(shard);
        else given.delete(shard);
      }
    },
    release: async () => undefined,
    revoke: (shards) => {
      for (const shard of shards) served.delete(shard);
    },
    moment: () => ({ monotonic: 0, wall: 0 }),
    extend: () => undefined,
    silence: () => undefined,
    assign: () => undefined,
  };
  const sequence = createSequence();
  const holdings = createHoldings("a", keeper, sequence);
  /** What a view asked for now does. Returns the shards to be taken first. */
  const see = (rows: Record<number, readonly [node: string, epoch: number]>, asked = sequence.next()): number[] => {
    const view: ClusterView = {
      members: [],
      shards: Object.entries(rows).map(([shard, [node, epoch]]) => ({ shard: Number(shard), node, epoch })),
      serverStartedAt: 0,
      databaseNow: 0,
    };
    holdings.revokeLost(view, asked);
    return holdings.grantOwn(view, asked).map(({ shard }) => shard);
  };
  return { holdings, sequence, served, given, see };
}

t.test(
  "rule 4: rows of an earlier process are taken again, those given to this one are served as they are",
  async (t) => {
    const { holdings, served, given, see } = open();
    t.strictSame(see({ 1: ["a", 7], 2: ["b", 3] }), [1]);
    t.strictSame(see({ 1: ["a", 7], 2: ["a", 4] }), [1], "until it has been taken");
    t.strictSame([...served], [[2, 4]]);
    holdings.grant(new Map([[1, 8]]));
    t.strictSame(see({ 1: ["a", 8], 2: ["a", 4] }), []);
    t.strictSame([...given], [2], "R-CLU-1: the other was nobody's for a while");
  },
);

t.test("rule 4: what appears after an absence is taken again, what was held all along goes on", async (t) => {
  const { holdings, served, see } = open();
  see({});
  see({ 1: ["a", 2] });
  holdings.wasAway();
  t.strictSame(see({ 1: ["a", 2], 2: ["a", 5] }), [2]);
  t.strictSame([...served], [[1, 2]]);
  t.strictSame(see({ 1: ["a", 2], 2: ["a", 6] }), [], "a later gift is a gift");
  t.equal(served.get(2), 6);
});

t.test("rule 4: a shard that its receiver took while it was still being given up is revoked", async (t) => {
  const { holdings, served, see } = open();
  see({});
  see({ 1: ["a", 2] });
  holdings.handOver(1, "b");
  see({ 1: ["b", 3] });
  t.equal(served.size, 0);
  t.match(holdings.get(1), { state: "handing_over" }, "the handover itself finds out");
});

t.test("rule 4: a shard of a worker that died while it was given up is not served again under its epoch", async (t) => {
  const { holdings, served, see } = open();
  see({});
  see({ 1: ["a", 2], 2: ["a", 2] });
  for (const shard of [1, 2]) holdings.handOver(shard, "b");
  holdings.letGo(1, true);
  holdings.letGo(2, false);
  served.clear();
  t.strictSame(see({ 1: ["a", 2], 2: ["a", 2] }), [2], "nor one that was not given up in order");
  holdings.handOver(1, "b");
  holdings.letGo(1, true);
  holdings.fall([1]);
  t.strictSame(see({ 1: ["a", 2], 2: ["a", 2] }), [1, 2]);
});

t.test("a view that was asked for before something was learned says nothing about it", async (t) => {
  const { holdings, sequence, served, see } = open();
  see({});
  const asked = sequence.next();
  holdings.grant(new Map([[1, 4]]));
  see({ 1: ["b", 3] }, asked);
  t.equal(served.get(1), 4);
  see({ 1: ["b", 3] });
  t.equal(served.size, 0, "and one asked for after it is the truth, even if epochs went back with a lost replica");
  see({ 1: ["a", 5] });
  const before = sequence.next();
  holdings.handOver(1, "b");
  holdings.letGo(1, true);
  served.clear();
  see({ 1: ["a", 5] }, before);
  t.equal(served.size, 0, "nor is what was given away served again for it");
});

t.test(
  "rule 4: a shard that was another's meanwhile is let go and served anew, never under its old epoch",
  async (t) => {
    const { holdings, served, see } = open();
    see({});
    see({ 1: ["a", 2], 2: ["a", 2] });
    see({ 1: ["a", 4], 2: ["a", 2] });
    t.strictSame(
      [...served].sort(([a], [b]) => a - b),
      [
        [1, 4],
        [2, 2],
      ],
    );
    t.match(holdings.get(1), { state: "serving", epoch: 4 });
  },
);
