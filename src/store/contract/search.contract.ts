/** What every store promises search. Run on each adapter: `store` commits, `search` reads. */
import type { Test } from "tap";
import type { ActorStore, ActorWrite } from "../../actors/runtime/ports.js";
import type { ChangedRow, SearchSource, SearchTermStore } from "../../services/search/ports.js";
import { batch, indexEntry, write } from "./batches.js";

export interface SearchUnderTest {
  readonly store: ActorStore;
  readonly search: SearchSource & SearchTermStore;
  /** Another node's, on the same data. */
  readonly otherNode: SearchSource & SearchTermStore;
}

export type MakeSearch = (t: Test) => Promise<SearchUnderTest>;

const restaurant = (key: string, name: string, expectedSeq = 0): ActorWrite =>
  write(key, { kind: "restaurant", expectedSeq, index: indexEntry({ view: { name } }) });

export async function searchContract(t: Test, make: MakeSearch): Promise<void> {
  async function commit(store: ActorStore, actors: readonly ActorWrite[]): Promise<void> {
    const { failures } = await store.flush(batch(await store.claimShards("node", [0]), actors));
    if (failures.length > 0) throw new Error(`not committed: ${JSON.stringify(failures)}`);
  }
  const names = (rows: readonly { readonly view: unknown }[]): string[] =>
    rows.map(({ view }) => (view as { name: string }).name);

  const byKey = (rows: readonly ChangedRow[]): Record<string, number | null> =>
    Object.fromEntries(rows.map(({ key, version }) => [key, version]).sort());

  await t.test("R-SRC-2: all restaurants are read in the order of their keys, page by page", async (t) => {
    const { store, search } = await make(t);
    t.strictSame(await search.rows("", 10), []);
    await commit(store, [
      restaurant("b", "B"),
      restaurant("a", "A"),
      restaurant("ä", "Ä"),
      write("o1"),
      restaurant("c", "C"),
    ]);
    t.strictSame(names(await search.rows("", 10)), ["A", "B", "C", "Ä"]);
    t.strictSame(names(await search.rows("a", 2)), ["B", "C"]);
    t.strictSame(await search.versions("b", 10), [
      { key: "c", version: 1 },
      { key: "ä", version: 1 },
    ]);
    t.strictSame(names(await search.read(["c", "a", "c", "nobody", "no\0body"])).sort(), ["A", "C"]);
    t.strictSame(await search.read([]), []);
  });

  await t.test("R-SRC-2: every change after a position is told, on every node, and a removal too", async (t) => {
    const { store, search, otherNode } = await make(t);
    await commit(store, [restaurant("old", "Old")]);
    const start = await search.changes(null, 10);
    t.strictSame([start.rows, start.more], [[], false], "asking where the log stands reads nothing of it");
    t.strictSame((await otherNode.changes(start.position, 10)).rows, []);
    await commit(store, [restaurant("a", "A"), restaurant("b", "B"), write("o1", { index: indexEntry() })]);
    const first = await otherNode.changes(start.position, 10);
    t.strictSame([byKey(first.rows), first.more], [{ a: 1, b: 1 }, false], "orders are none of it");
    await commit(store, [restaurant("b", "B2", 1)]);
    await commit(store, [write("a", { kind: "restaurant", expectedSeq: 1, index: null })]);
    const second = await search.changes(first.position, 10);
    t.strictSame(byKey(second.rows), { a: null, b: 2 });
    t.strictSame(await search.read(["a", "b"]), [{ key: "b", version: 2, view: { name: "B2" } }]);
    await commit(store, [write("b", { kind: "restaurant", expectedSeq: 2 })]);
    t.strictSame((await search.changes(second.position, 10)).rows, [], "a commit that shows nowhere is no change");
  });

  await t.test("R-SRC-2: a long list of changes is told in pages, those that come meanwhile as well", async (t) => {
    const { store, search } = await make(t);
    let { position } = await search.changes(null, 10);
    const keys = Array.from({ length: 25 }, (_, i) => `r${String(i).padStart(2, "0")}`);
    await commit(
      store,
      keys.slice(0, 20).map((key) => restaurant(key, key)),
    );
    const told = new Set<string>();
    let pages = 0;
    for (let more = true; more; pages++) {
      const page = await search.changes(position, 6);
      t.ok(page.rows.length <= 6);
      if (pages === 1)
        await commit(
          store,
          keys.slice(20).map((key) => restaurant(key, key)),
        );
      for (const { key } of page.rows) told.add(key);
      ({ position, more } = page);
    }
    for (const { key } of (await search.changes(position, 100)).rows) told.add(key);
    t.strictSame([...told].sort(), keys);
    t.ok(pages >= 4, "in pages indeed");
  });

  await t.test("R-SRC-4: the newest delivered orders say what is popular", async (t) => {
    const { store, search } = await make(t);
    const order = (n: number, counterparty: string, status = "delivered"): ActorWrite =>
      write(`o${n}`, { index: indexEntry({ at: n, counterparty, status, live: status !== "delivered" }) });
    await commit(store, [
      ...[order(1, "old"), order(2, "old"), order(3, "a"), order(4, "b"), order(5, "a"), order(6, "b", "placed")],
      order(7, "a"),
    ]);
    const counts = new Map((await search.popularity(4)).map(({ key, orders }) => [key, orders]));
    t.strictSame(Object.fromEntries(counts), { a: 3, b: 1 });
  });

  await t.test("R-SRC-4: what was searched for adds up over nodes and days, and is forgotten", async (t) => {
    const { search, otherNode } = await make(t);
    const term = (text: string, searches: number, foundNothing = 0) => ({ text, searches, foundNothing });
    await Promise.all([
      search.add(10, [term("pizza", 5), term("zebra", 1, 1)]),
      otherNode.add(10, [term("zebra", 2, 2), term("pizza", 1)]),
      otherNode.add(11, [term("sushi", 6), term("pho", 3, 1)]),
      search.add(11, []),
    ]);
    t.strictSame(await search.top(10, "searches", 3), [term("pizza", 6), term("sushi", 6), term("pho", 3, 1)]);
    t.strictSame(await search.top(10, "nothing", 10), [term("zebra", 3, 3), term("pho", 3, 1)]);
    t.strictSame(await search.top(11, "searches", 10), [term("sushi", 6), term("pho", 3, 1)]);
    t.equal(await search.forget(11, 1), 1);
    t.equal(await search.forget(11, 10), 1);
    t.equal(await search.forget(11, 10), 0);
    t.strictSame(
      (await search.top(0, "searches", 10)).map(({ text }) => text),
      ["sushi", "pho"],
    );
  });
}
