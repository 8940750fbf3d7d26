/** Names that one actor at most may hold, and the rows that lists are made of. */
import type { Test } from "tap";
import type { IndexQuery } from "../../actors/runtime/ports.js";
import type { MakeStore, StoreUnderTest } from "./actor-store.contract.js";
import { batch, bytes, CLEAN, indexEntry, loadOne, write } from "./batches.js";

const on = (...values: string[]) => values.map((value) => ({ claim: "trip", value }));
const taken = (index: number, value: string) => ({ index, failure: { reason: "claim_taken", claim: "trip", value } });

async function holders({ audit }: StoreUnderTest): Promise<string[]> {
  const door = await audit();
  const seen: string[] = [];
  for await (const { claim, value, holder } of door.claims()) seen.push(`${claim} ${value}: ${holder.key}`);
  await door.close();
  return seen;
}

export async function claimAndIndexContract(t: Test, make: MakeStore): Promise<void> {
  await t.test("rule 6: a claim is one actor's until it is released", async (t) => {
    const under = await make(t);
    const { store, otherNode } = under;
    const epochs = await store.claimShards("a", [0]);
    const others = await otherNode.claimShards("b", [1]);
    t.strictSame(await store.flush(batch(epochs, [write("o1", { claims: on("d1", "d2") })])), CLEAN);
    const rival = write("o2", { shard: 1, claims: on("d3", "d1") });
    t.strictSame((await otherNode.flush(batch(others, [rival]))).failures, [taken(0, "d1")]);
    t.strictSame(await holders(under), ["trip d1: o1", "trip d2: o1"], "the rival's other claim is not held either");
    await otherNode.flush(batch(others, [write("o3", { shard: 1, releases: on("d1") })]));
    t.strictSame(await holders(under), ["trip d1: o1", "trip d2: o1"], "nobody releases what another holds");
    await store.flush(batch(epochs, [write("o1", { expectedSeq: 1, releases: on("d1") })]));
    t.strictSame(await otherNode.flush(batch(others, [rival])), CLEAN);
    t.strictSame(await holders(under), ["trip d1: o2", "trip d2: o1", "trip d3: o2"]);
  });

  await t.test("rule 6: claiming what one holds, and releasing what one does not, is no error", async (t) => {
    const under = await make(t);
    const { store } = under;
    const epochs = await store.claimShards("a", [0]);
    await store.flush(batch(epochs, [write("o1", { claims: on("d1") })]));
    const again = write("o1", { expectedSeq: 1, claims: on("d1", "d2"), releases: on("d9") });
    t.strictSame(await store.flush(batch(epochs, [again])), CLEAN);
    const both = write("o1", { expectedSeq: 2, claims: on("d1"), releases: on("d1", "d2") });
    t.strictSame(await store.flush(batch(epochs, [both])), CLEAN);
    t.strictSame(await holders(under), ["trip d1: o1"], "releases come before claims");
  });

  await t.test("rule 6: within one flush the earlier actor has the claim, and what it releases is free", async (t) => {
    const under = await make(t);
    const { store } = under;
    const epochs = await store.claimShards("a", [0]);
    const race = [
      write("o1", { claims: on("d1") }),
      write("o2", { claims: on("d1", "d2") }),
      write("o3", { claims: on("d2") }),
    ];
    t.strictSame((await store.flush(batch(epochs, race))).failures, [taken(1, "d1")]);
    t.strictSame(await holders(under), ["trip d1: o1", "trip d2: o3"], "a loser's other claims are free for the next");
    const handOver = [write("o1", { expectedSeq: 1, releases: on("d1") }), write("o4", { claims: on("d1") })];
    t.strictSame(await store.flush(batch(epochs, handOver)), CLEAN);
    t.strictSame(await holders(under), ["trip d1: o4", "trip d2: o3"]);
    const tooEarly = [write("o5", { claims: on("d1") }), write("o4", { expectedSeq: 1, releases: on("d1") })];
    t.strictSame((await store.flush(batch(epochs, tooEarly))).failures, [taken(0, "d1")]);
    t.strictSame(await holders(under), ["trip d2: o3"]);
  });

  await t.test("rule 6: a skipped actor releases nothing", async (t) => {
    const under = await make(t);
    const { store } = under;
    const epochs = await store.claimShards("a", [0]);
    await store.flush(batch(epochs, [write("o1", { claims: on("d1") })]));
    const { failures } = await store.flush(
      batch(epochs, [write("o1", { expectedSeq: 9, releases: on("d1") }), write("o2", { claims: on("d1") })]),
    );
    t.strictSame(failures, [{ index: 0, failure: { reason: "stale_seq" } }, taken(1, "d1")]);
    t.strictSame(await holders(under), ["trip d1: o1"]);
  });

  await t.test("the index is kept in the commit: written, replaced, left alone, removed", async (t) => {
    const { store, otherNode } = await make(t);
    const epochs = await store.claimShards("a", [0]);
    const view = { total: 12.5, items: ["\u0000", "東京", "\ud83d\udef5"], nested: { none: null, gone: undefined } };
    await store.flush(batch(epochs, [write("o1", { index: indexEntry({ view }) }), write("o2")]));
    const all = () => otherNode.queryIndex({ kind: "order", limit: 10 });
    const kept = { total: 12.5, items: ["\u0000", "東京", "\ud83d\udef5"], nested: { none: null } };
    t.strictSame(await all(), [{ kind: "order", key: "o1", seq: 1, ...indexEntry({ view: kept }) }]);
    await store.flush(batch(epochs, [write("o1", { expectedSeq: 1 })]));
    t.strictSame(
      (await all()).map(({ seq }) => seq),
      [1],
      "left alone",
    );
    const changed = indexEntry({ status: "delivered", live: false, scope: "zone-2", at: 200, view: [1] });
    await store.flush(batch(epochs, [write("o1", { expectedSeq: 2, index: changed })]));
    t.strictSame(await all(), [{ kind: "order", key: "o1", seq: 3, ...changed }]);
    await store.flush(batch(epochs, [write("o1", { expectedSeq: 3, index: null }), write("o3", { index: null })]));
    t.strictSame(await all(), []);
    t.equal((await loadOne(store, "o1")).snapshot?.seq, 4);
  });

  await t.test("R-OPS-3: what lives is counted by status, with the age of the oldest", async (t) => {
    const { store } = await make(t);
    const epochs = await store.claimShards("a", [0]);
    t.strictSame(await store.countLive("order"), []);
    await store.flush(
      batch(epochs, [
        write("o1", { index: indexEntry({ at: 300.5 }) }),
        write("o2", { index: indexEntry({ at: 100 }) }),
        write("o3", { index: indexEntry({ status: "ready", at: 200 }) }),
        write("o4", { index: indexEntry({ status: "delivered", live: false }) }),
        write("o5", { kind: "driver", index: indexEntry() }),
        write("o6"),
      ]),
    );
    const counts = await store.countLive("order");
    t.strictSame(
      counts.toSorted((a, b) => (a.status < b.status ? -1 : 1)),
      [
        { status: "placed", count: 2, oldestAt: 100 },
        { status: "ready", count: 1, oldestAt: 200 },
      ],
    );
    t.strictSame(await store.countLive("dri\0ver"), []);
  });

  await t.test("the index is asked by scope, owner, counterparty, life, keys and age, newest first", async (t) => {
    const { store } = await make(t);
    const epochs = await store.claimShards("a", [0]);
    const actors = Array.from({ length: 40 }, (_, i) =>
      write(`o${String(i).padStart(2, "0")}`, {
        kind: i < 38 ? "order" : "driver",
        index: indexEntry({
          scope: `zone-${i % 3}`,
          owner: `customer-${i % 4}`,
          counterparty: `restaurant-${i % 5}`,
          live: i % 2 === 0,
          at: 1_000 + Math.floor(i / 2),
        }),
      }),
    );
    await store.flush(batch(epochs, actors));
    const numbers = async (query: Partial<IndexQuery>) =>
      (await store.queryIndex({ kind: "order", limit: 100, ...query })).map(({ key }) => Number(key.slice(1)));
    const expected = (keep: (i: number) => boolean) =>
      Array.from({ length: 38 }, (_, i) => i)
        .filter(keep)
        .sort((a, b) => Math.floor(b / 2) - Math.floor(a / 2) || a - b);
    t.strictSame(
      await numbers({}),
      expected(() => true),
      "equal times by key",
    );
    t.strictSame(
      await numbers({ scope: "zone-1" }),
      expected((i) => i % 3 === 1),
    );
    t.strictSame(
      await numbers({ owner: "customer-3" }),
      expected((i) => i % 4 === 3),
    );
    t.strictSame(
      await numbers({ counterparty: "restaurant-2" }),
      expected((i) => i % 5 === 2),
    );
    t.strictSame(
      await numbers({ live: true }),
      expected((i) => i % 2 === 0),
    );
    t.strictSame(
      await numbers({ live: false, scope: "zone-0" }),
      expected((i) => i % 2 === 1 && i % 3 === 0),
    );
    t.strictSame(
      await numbers({ live: true, scope: "zone-0", owner: "customer-0" }),
      expected((i) => i % 12 === 0),
    );
    t.strictSame(await numbers({ keys: ["o07", "o03", "o99", "o39", "o\0"] }), [7, 3]);
    t.strictSame(await numbers({ keys: [] }), []);
    t.strictSame(await numbers({ before: 1_002 }), [2, 3, 0, 1]);
    t.strictSame(await numbers({ limit: 3 }), [36, 37, 34]);
    t.strictSame(await numbers({ owner: "nobody" }), []);
    t.strictSame(await numbers({ owner: "no\0body" }), []);
    t.equal((await store.queryIndex({ kind: "driver", limit: 100 })).length, 2);
    t.strictSame(await numbers({ from: { at: 1_017, key: "o34" } }), [35, 36, 37], "oldest first from a row on");
    const bare = await store.queryIndex({ kind: "order", limit: 2, from: { at: -1, key: "" }, views: false });
    t.match(
      bare,
      [
        { key: "o00", at: 1_000, view: null },
        { key: "o01", at: 1_000, view: null },
      ],
      "without views",
    );
    const onward: number[] = [];
    for (let from = { at: -1, key: "" }; ; ) {
      const page = await store.queryIndex({ kind: "order", live: true, from, limit: 3 });
      if (page.length === 0) break;
      onward.push(...page.map(({ key }) => Number(key.slice(1))));
      from = page.at(-1)!;
    }
    t.strictSame(
      onward,
      Array.from({ length: 19 }, (_, i) => 2 * i),
      "page by page, also through equal times",
    );

    const seen: number[] = [];
    for (let before = Number.POSITIVE_INFINITY; ; ) {
      const page = await store.queryIndex({ kind: "order", live: true, before, limit: 4 });
      if (page.length === 0) break;
      seen.push(...page.map(({ key }) => Number(key.slice(1))));
      before = page.at(-1)!.at;
    }
    t.strictSame(
      seen,
      expected((i) => i % 2 === 0),
      "page by page, none twice and none left out",
    );
  });

  await t.test("an index query never gives more than 1,000 rows", async (t) => {
    const { store } = await make(t);
    const epochs = await store.claimShards("a", [0]);
    const state = bytes(1);
    for (let part = 0; part < 2; part++) {
      const actors = Array.from({ length: 550 }, (_, i) => write(`${part}-${i}`, { state, index: indexEntry() }));
      await store.flush(batch(epochs, actors));
    }
    t.equal((await store.queryIndex({ kind: "order", limit: 5_000 })).length, 1_000);
    t.equal((await store.queryIndex({ kind: "order", limit: 0 })).length, 0);
  });
}
