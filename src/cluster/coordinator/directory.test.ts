import t from "tap";
import type { EndpointId } from "../../actors/runtime/link.js";
import type { ShardKeeper } from "../ports.js";
import { shardEndpoint } from "../ports.js";
import { createDirectory } from "./directory.js";
import { createSequence } from "./sequence.js";

type Change = readonly [number, EndpointId | null];

function directory(): { readonly told: (readonly Change[])[]; readonly seen: ReturnType<typeof createDirectory> } {
  const told: (readonly Change[])[] = [];
  const keeper = { assign: (changes: Iterable<Change>) => void told.push([...changes]) } as unknown as ShardKeeper;
  return { told, seen: createDirectory(keeper, createSequence()) };
}

const a = (shard: number): EndpointId => shardEndpoint("node-a", 2, shard);
const b = (shard: number): EndpointId => shardEndpoint("node-b", 2, shard);
const at = (node: string, ...shards: readonly [number, number][]) => ({
  node,
  workers: 2,
  shards: shards.map(([shard, epoch]) => ({ shard, epoch })),
});

t.test("R-CLU-1: a shard that changed hands goes from one to the other", async (t) => {
  const { told, seen } = directory();
  seen.hint(at("node-a", [3, 1]));
  seen.hint(at("node-b", [3, 2]));
  seen.hint(at("node-a", [3, 1]));
  t.same(told, [[[3, a(3)]], [[3, b(3)]]], "what is older changes nothing");
  t.equal(seen.epochOf(3), 2);
});

t.test(
  "R-TRK-3: a shard that its owner lost and took again is nobody's for a moment, so that all ask anew",
  async (t) => {
    const { told, seen } = directory();
    seen.moved(
      new Map([
        [3, 1],
        [4, 1],
      ]),
      { node: "node-a", workers: 2 },
    );
    told.length = 0;
    seen.hint(at("node-a", [3, 2]));
    t.same(told, [[[3, null]], [[3, a(3)]]]);
    told.length = 0;
    seen.moved(
      new Map([
        [3, 3],
        [4, 2],
      ]),
      { node: "node-a", workers: 2 },
    );
    t.same(told, [
      [
        [3, null],
        [4, null],
      ],
      [
        [3, a(3)],
        [4, a(4)],
      ],
    ]);
    told.length = 0;
    seen.hint(at("node-a", [3, 3]));
    t.same(told, [], "and what is known already is no news");
  },
);
