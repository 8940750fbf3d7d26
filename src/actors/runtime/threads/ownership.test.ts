import t from "tap";
import { createOwnershipTable, openOwnership } from "./ownership.js";
import { createShardMap, spreadShards } from "./shard-map.js";

function manualTime() {
  const at = { monotonic: 5_000, wall: 1_000_000 };
  return { at, time: { monotonic: () => at.monotonic, now: () => at.wall } };
}

t.test("epochs are per worker and shard, and count on every thread at once", async (t) => {
  const table = createOwnershipTable(2);
  const [first, second, gateway] = [0, 1, null].map((worker) => openOwnership(table.buffer, worker));
  t.equal(first?.epochOf(0), null);
  table.grant(
    0,
    new Map([
      [0, 3],
      [511, 2 ** 31 - 1],
    ]),
  );
  t.same([first?.epochOf(0), first?.epochOf(511), first?.epochOf(1)], [3, 2 ** 31 - 1, null]);
  t.same([second?.epochOf(0), gateway?.epochOf(0)], [null, null]);
  table.revoke(0, [0]);
  t.same([first?.epochOf(0), first?.epochOf(511)], [null, 2 ** 31 - 1]);
  table.revoke(0);
  t.equal(first?.epochOf(511), null);
  t.equal(first?.epochOf(512), null, "not the next worker's first shard");
});

t.test("what is no epoch, shard or worker is refused and changes nothing", async (t) => {
  const table = createOwnershipTable(1);
  t.throws(
    () =>
      table.grant(
        0,
        new Map([
          [1, 1],
          [2, 0],
        ]),
      ),
    /0 is no epoch/,
  );
  t.throws(
    () =>
      table.grant(
        0,
        new Map([
          [1, 1],
          [2, 2 ** 31],
        ]),
      ),
    /no epoch/,
  );
  t.throws(() => table.grant(0, new Map([[512, 1]])), /no shard 512/);
  t.throws(() => table.grant(1, new Map()), /no worker 1 of 1/);
  t.equal(table.epochOf(0, 1), null);
});

t.test("nothing may be said before a lease, past it on either clock, or after it was lost", async (t) => {
  const { at, time } = manualTime();
  const table = createOwnershipTable(1, time);
  const worker = openOwnership(table.buffer, 0, time);
  t.equal(worker.mayEmit(), false);
  const before = table.moment();
  at.monotonic += 3_000;
  at.wall += 3_000;
  table.extend(before, 10_000);
  t.equal(worker.mayEmit(), true);
  at.monotonic += 6_999;
  at.wall += 6_999;
  t.equal(worker.mayEmit(), true, "the deadline counts from before the lease was asked for");
  at.wall += 1;
  t.equal(worker.mayEmit(), false, "the machine slept: only the wall clock went on");
  at.wall -= 5_000;
  t.equal(worker.mayEmit(), true);
  at.monotonic += 1;
  t.equal(worker.mayEmit(), false, "the wall clock was set back: the monotonic one was not");
  table.extend(table.moment(), 10_000);
  t.equal(table.mayEmit(), true);
  table.silence();
  t.equal(worker.mayEmit(), false);
});

t.test("a deadline that is half written reads as silence", async (t) => {
  const { time } = manualTime();
  const table = createOwnershipTable(1, time);
  table.extend(table.moment(), 10_000);
  const worker = openOwnership(table.buffer, 0, time);
  const sequence = new Int32Array(table.buffer, 0, 1);
  Atomics.add(sequence, 0, 1);
  t.equal(worker.mayEmit(), false);
  Atomics.add(sequence, 0, 1);
  t.equal(worker.mayEmit(), true);
});

t.test(
  "R-ENG-1: every shard has exactly one worker, evenly; changes are told once and only when they are changes",
  async (t) => {
    const map = createShardMap(spreadShards(["a", "b", "c"]));
    t.same(
      [0, 1, 2, 3, 511].map((shard) => map.ownerOf(shard)),
      ["a", "b", "c", "a", "b"],
    );
    t.equal(map.owners().filter((owner) => owner === "c").length, 170);
    const told: (readonly number[])[] = [];
    map.onChange((shards) => told.push(shards));
    map.assign([
      [0, "a"],
      [1, "c"],
      [2, null],
    ]);
    map.assign([[1, "c"]]);
    t.same(told, [[1, 2]]);
    t.same([map.ownerOf(1), map.ownerOf(2)], ["c", null]);
    t.throws(() => map.assign([[512, "a"]]), /no shard 512/);
    t.same(spreadShards([])[0], null);
  },
);
