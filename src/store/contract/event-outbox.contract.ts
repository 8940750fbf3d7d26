/** What every outbox promises the relay. Run on each adapter: `store` writes the events, `outbox` hands them out. */
import type { Test } from "tap";
import type { ActorStore, ActorWrite, PublishedEvent } from "../../actors/runtime/ports.js";
import type { EventOutbox } from "../../cluster/ports.js";
import { batch, bytes, write } from "./batches.js";

export interface OutboxUnderTest {
  readonly store: ActorStore;
  readonly outbox: EventOutbox;
  /** Another node's outbox on the same data. */
  readonly otherNode: EventOutbox;
}

export type MakeOutbox = (t: Test) => Promise<OutboxUnderTest>;

const event = (offset: number, at: number, type = "order.changed"): PublishedEvent => ({
  offset,
  type,
  at,
  body: bytes({ offset, at }),
});

/** A new actor with events of offsets from 1 that happened at these times. */
const actor = (key: string, ats: readonly number[], changes: Partial<ActorWrite> = {}): ActorWrite =>
  write(key, { events: ats.map((at, index) => event(index + 1, at)), ...changes });

const names = (events: readonly { key: string; offset: number }[]): string[] =>
  events.map(({ key, offset }) => `${key}:${offset}`);

export async function eventOutboxContract(t: Test, make: MakeOutbox): Promise<void> {
  /** Commits the actors in one flush, each shard fenced. */
  async function commit(store: ActorStore, actors: readonly ActorWrite[]): Promise<void> {
    const epochs = await store.claimShards("node", [...new Set(actors.map(({ shard }) => shard))]);
    await store.flush(batch(epochs, actors));
  }

  await t.test("R-CLU-3: an event comes out as it was committed", async (t) => {
    const { store, outbox } = await make(t);
    await commit(store, [write("o1", { shard: 7, events: [event(1, 12.5, "order.placed")] })]);
    t.strictSame(
      [...(await outbox.unpublished([7], 10, 10))].map((row) => ({ ...row, body: [...row.body] })),
      [
        {
          kind: "order",
          key: "o1",
          offset: 1,
          shard: 7,
          type: "order.placed",
          at: 12.5,
          body: [...bytes({ offset: 1, at: 12.5 })],
        },
      ],
    );
  });

  await t.test("RULE 11: of each actor in order of offset, the actor that waits longest first", async (t) => {
    const { store, outbox } = await make(t);
    await commit(store, [actor("late", [30, 31]), actor("early", [10, 50, 50, 60]), actor("middle", [20])]);
    t.strictSame(names(await outbox.unpublished([0], 10, 10)), [
      ...["early:1", "early:2", "early:3", "early:4"],
      "middle:1",
      ...["late:1", "late:2"],
    ]);
  });

  await t.test("R-CLU-3: an actor with many events leaves room for the others", async (t) => {
    const { store, outbox } = await make(t);
    await commit(store, [actor("busy", [1, 2, 3, 4, 5, 6]), actor("b", [7]), actor("c", [8, 9, 10])]);
    t.strictSame(names(await outbox.unpublished([0], 10, 2)), ["busy:1", "busy:2", "b:1", "c:1", "c:2"]);
    t.strictSame(names(await outbox.unpublished([0], 4, 2)), ["busy:1", "busy:2", "b:1", "c:1"], "limit in all");
    t.strictSame(await outbox.unpublished([0], 0, 2), []);
    t.strictSame(await outbox.unpublished([0], 4, 0), []);
  });

  await t.test("R-CLU-3: actors that are passed over, and only they, are left out", async (t) => {
    const { store, outbox } = await make(t);
    await commit(store, [actor("a", [1, 2]), actor("b", [3]), actor("a", [4], { kind: "driver" }), actor("c", [5])]);
    const except = [
      { kind: "order", key: "a" },
      { kind: "order", key: "c" },
      { kind: "order", key: "\0 nobody's" },
    ];
    const found = await outbox.unpublished([0], 10, 10, except);
    t.strictSame(
      found.map(({ kind, key }) => `${kind}/${key}`),
      ["order/b", "driver/a"],
    );
  });

  await t.test("R-CLU-3: a node sees the events of the shards it asks for", async (t) => {
    const { store, outbox, otherNode } = await make(t);
    await commit(store, [
      actor("a", [1], { shard: 3 }),
      actor("b", [2], { shard: 4 }),
      actor("c", [3], { shard: 511 }),
      actor("d", [4], { shard: 0 }),
    ]);
    t.strictSame(names(await outbox.unpublished([4, 0, 99], 10, 10)), ["b:1", "d:1"]);
    t.strictSame(names(await otherNode.unpublished([511, 3], 10, 10)), ["a:1", "c:1"]);
    t.strictSame(await outbox.unpublished([], 10, 10), []);
    t.strictSame(await outbox.unpublished([5], 10, 10), []);
  });

  await t.test("RULE 11: what was published is forgotten, once and for good, and nothing else", async (t) => {
    const { store, outbox, otherNode } = await make(t);
    await commit(store, [actor("a", [1, 2, 3]), actor("b", [4])]);
    const gone = [
      { kind: "order", key: "a", offset: 1 },
      { kind: "order", key: "b", offset: 1 },
      { kind: "driver", key: "a", offset: 2 },
      { kind: "order", key: "nobody", offset: 1 },
    ];
    await outbox.published(gone);
    await Promise.all([outbox.published(gone), otherNode.published(gone), outbox.published([])]);
    t.strictSame(names(await otherNode.unpublished([0], 10, 10)), ["a:2", "a:3"]);
    const [loaded] = await store.load([{ kind: "order", key: "a", shard: 0 }], 0);
    t.equal(loaded!.nextEvent, 4, "an offset is never used twice, even when its event is gone");
  });

  await t.test("R-CLU-3: a node without consumers forgets the oldest events, a bounded number at a time", async (t) => {
    const { store, outbox } = await make(t);
    await commit(store, [actor("a", [10, 20, 30]), actor("b", [15, 40], { shard: 9 })]);
    t.equal(await outbox.forgetEvents(30, 2), 2);
    t.strictSame(names(await outbox.unpublished([0, 9], 10, 10)), ["a:2", "a:3", "b:2"]);
    t.equal(await outbox.forgetEvents(30, 100), 1, "not what happened at that time or later");
    t.equal(await outbox.forgetEvents(30, 100), 0);
    t.strictSame(names(await outbox.unpublished([0, 9], 10, 10)), ["a:3", "b:2"]);
  });

  await t.test("R-CLU-3: the lag tells how many wait and since when", async (t) => {
    const { store, outbox } = await make(t);
    t.strictSame(await outbox.lag([0, 1]), { waiting: 0, oldestAt: null });
    await commit(store, [actor("a", [10, 20]), actor("b", [5.5], { shard: 1 }), actor("c", [1], { shard: 2 })]);
    t.strictSame(await outbox.lag([0, 1]), { waiting: 3, oldestAt: 5.5 });
    t.strictSame(await outbox.lag([0]), { waiting: 2, oldestAt: 10 });
    t.strictSame(await outbox.lag([]), { waiting: 0, oldestAt: null });
  });

  await t.test("RULE 11: the events of 300 actors come out complete and in order, page by page", async (t) => {
    const { store, outbox } = await make(t);
    const actors = Array.from({ length: 300 }, (_, index) =>
      actor(
        `o${index}`,
        Array.from({ length: 1 + (index % 7) }, (_, event) => 1_000 + ((index * 37) % 300) + event),
        {
          shard: index % 16,
        },
      ),
    );
    await commit(store, actors);
    const shards = Array.from({ length: 16 }, (_, shard) => shard);
    const next = new Map<string, number>();
    let seen = 0;
    for (;;) {
      const page = await outbox.unpublished(shards, 50, 3);
      if (page.length === 0) break;
      for (const { key, offset } of page) {
        t.equal(offset, next.get(key) ?? 1);
        next.set(key, offset + 1);
        seen++;
      }
      await outbox.published(page);
    }
    t.equal(
      seen,
      actors.reduce((sum, { events }) => sum + events.length, 0),
    );
  });
}
