import fc from "fast-check";
import t from "tap";
import { SHARD_COUNT } from "../actors/runtime/ports.js";
import { desiredOwner } from "./placement.js";

const shards = Array.from({ length: SHARD_COUNT }, (_, shard) => shard);
const place = (nodes: readonly string[]): (string | null)[] => shards.map((shard) => desiredOwner(shard, nodes));
const nodeSets = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 20 }), { minLength: 2, maxLength: 12 });
// One seed: a spread is a matter of luck, and luck must not decide whether a change passes.
const check = (property: fc.IProperty<[string[]]>): void => fc.assert(property, { seed: 7, numRuns: 60 });

t.test("R-CLU-1: without nodes nobody should own a shard, and with one it owns all", async (t) => {
  t.equal(desiredOwner(3, []), null);
  t.ok(place(["only"]).every((owner) => owner === "only"));
});

t.test("R-CLU-1: the order in which nodes are named does not matter", async () => {
  check(
    fc.property(nodeSets, (nodes) => {
      const sorted = place([...nodes].sort());
      return place([...nodes].reverse()).every((owner, shard) => owner === sorted[shard]);
    }),
  );
});

t.test("R-CLU-1: a node that joins only gains, one that leaves only loses", async () => {
  check(
    fc.property(nodeSets, (nodes) => {
      const [joining, ...before] = nodes as [string, ...string[]];
      const [old, fresh] = [place(before), place(nodes)];
      return shards.every((shard) => fresh[shard] === old[shard] || fresh[shard] === joining);
    }),
  );
});

t.test("R-CLU-1: shards are spread evenly, over names that differ by a digit too", async (t) => {
  const names: ((i: number) => string)[] = [
    (i) => `node-${i}`,
    (i) => `swift-eats-${i}`,
    (i) => String(i),
    (i) => `10.0.0.${i}`,
    (i) => `b7d2f3c0-000${i}-4f7e`,
  ];
  for (const name of names) {
    for (const count of [2, 3, 4, 8]) {
      const owners = place(Array.from({ length: count }, (_, i) => name(i)));
      const mean = SHARD_COUNT / count;
      // Shards fall like dice: five standard deviations are more than any fair spread will ever need.
      const room = 5 * Math.sqrt(mean * (1 - 1 / count));
      for (let i = 0; i < count; i++) {
        const own = owners.filter((owner) => owner === name(i)).length;
        t.ok(Math.abs(own - mean) < room, `${name(i)} of ${count} has ${own}, about ${Math.round(mean)}`);
      }
    }
  }
});

t.test("R-CLU-1: every version of a node places shards alike", async (t) => {
  // Changing this lets shards wander to and fro between nodes of two versions while a cluster is rolled.
  t.strictSame(
    [0, 1, 2, 100, 511].map((shard) => desiredOwner(shard, ["node-1", "node-2", "node-3"])),
    ["node-2", "node-2", "node-3", "node-3", "node-2"],
  );
});
