/** Two nodes, or two flushes of one node, at the same instant. */
import type { Test } from "tap";
import type { ActorStore, FlushResult } from "../../actors/runtime/ports.js";
import type { MakeStore } from "./actor-store.contract.js";
import { batch, CLEAN, loadOne, write } from "./batches.js";

export async function concurrencyContract(t: Test, make: MakeStore): Promise<void> {
  await t.test("rule 4: while a shard changes hands over and over, one epoch at a time commits", async (t) => {
    const { store, otherNode } = await make(t);
    /** Each node writes its actor's next seq as long as it owns the shard, then takes it back. */
    const committed: number[] = [];
    const node = async (name: string, own: ActorStore, rounds: number): Promise<void> => {
      for (let round = 0; round < rounds; round++) {
        const epochs = await own.claimShards(name, [0]);
        let seq = (await loadOne(own, "o1")).snapshot?.seq ?? 0;
        for (let i = 0; i < 5; i++) {
          const result = await own.flush(batch(epochs, [write("o1", { expectedSeq: seq })]));
          if (result.staleShards.length > 0) break;
          // A commit of the other node between our claim and our load's answer cannot be; a stale seq would show it.
          if (result.failures.length > 0) break;
          committed.push(++seq);
        }
      }
    };
    await Promise.all([node("a", store, 12), node("b", otherNode, 12)]);
    const last = (await loadOne(store, "o1")).snapshot?.seq ?? 0;
    t.ok(committed.length > 0);
    t.strictSame(
      [...committed].sort((a, b) => a - b),
      Array.from({ length: last }, (_, i) => i + 1),
      "every seq was committed once and none was lost",
    );
  });

  await t.test(
    "rule 4: of two flushers with different epochs the older commits nothing, whoever comes first",
    async (t) => {
      const { store, otherNode } = await make(t);
      for (let round = 0; round < 20; round++) {
        const old = await store.claimShards("a", [round]);
        const fresh = await otherNode.claimShards("b", [round]);
        const [late, good] = await Promise.all([
          store.flush(batch(old, [write(`o${round}`, { shard: round })])),
          otherNode.flush(batch(fresh, [write(`o${round}`, { shard: round })])),
        ]);
        t.strictSame([late, good], [{ staleShards: [round], failures: [] }, CLEAN]);
      }
    },
  );

  await t.test("R-ENG-3: of many flushes that build on one seq, one commits", async (t) => {
    const { store, otherNode } = await make(t);
    const epochs = await store.claimShards("a", [0]);
    for (let seq = 0; seq < 5; seq++) {
      const results = await Promise.all(
        Array.from({ length: 8 }, (_, i) =>
          (i % 2 === 0 ? store : otherNode).flush(
            batch(epochs, [write("o1", { expectedSeq: seq }), write(`beside-${seq}-${i}`)]),
          ),
        ),
      );
      t.equal(results.filter(({ failures }) => failures.length === 0).length, 1);
      for (const { failures } of results) {
        t.ok(failures.length === 0 || (failures.length === 1 && failures[0]?.failure.reason === "stale_seq"));
      }
      t.equal((await loadOne(store, `beside-${seq}-7`)).snapshot?.seq, 1);
    }
    t.equal((await loadOne(store, "o1")).snapshot?.seq, 5);
  });

  await t.test("rule 6: of many actors that claim one name at the same instant, one gets it", async (t) => {
    const { store, otherNode } = await make(t);
    const mine = await store.claimShards("a", [0]);
    const theirs = await otherNode.claimShards("b", [1]);
    for (let round = 0; round < 10; round++) {
      const claims = [{ claim: "trip", value: `driver-${round}` }];
      const results = await Promise.all(
        Array.from({ length: 6 }, (_, i) =>
          i % 2 === 0
            ? store.flush(batch(mine, [write(`r${round}-${i}`, { claims })]))
            : otherNode.flush(batch(theirs, [write(`r${round}-${i}`, { shard: 1, claims })])),
        ),
      );
      t.equal(results.filter(({ failures }) => failures.length === 0).length, 1);
      t.ok(results.every(({ failures }) => failures.length === 0 || failures[0]?.failure.reason === "claim_taken"));
    }
  });

  await t.test("rule 6: flushes that want the same names in opposite order both come to an end", async (t) => {
    const { store, otherNode } = await make(t);
    const mine = await store.claimShards("a", [0]);
    const theirs = await otherNode.claimShards("b", [1]);
    const names = Array.from({ length: 12 }, (_, i) => ({ claim: "slot", value: `s${i}` }));
    const holds = async (
      own: ActorStore,
      epochs: ReadonlyMap<number, number>,
      shard: number,
      key: string,
      order: typeof names,
    ) => {
      const claiming: FlushResult = await own.flush(
        batch(
          epochs,
          order.map((claim, i) => write(`${key}-${i}`, { shard, claims: [claim] })),
        ),
      );
      return order.filter((_, i) => !claiming.failures.some(({ index }) => index === i)).map(({ value }) => value);
    };
    const [a, b] = await Promise.all([
      holds(store, mine, 0, "a", names),
      holds(otherNode, theirs, 1, "b", [...names].reverse()),
    ]);
    t.strictSame([...a, ...b].sort(), names.map(({ value }) => value).sort(), "each name has one holder");
  });
}
