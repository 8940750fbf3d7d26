/** Tells, timers, reliable channels, published events and letters that nobody takes. */
import type { Test } from "tap";
import type { ChannelEvent, PendingTell } from "../../actors/runtime/ports.js";
import type { MakeStore } from "./actor-store.contract.js";
import { batch, bytes, CLEAN, loadOne, write } from "./batches.js";

const tell = (number: number, to = "d1", name = "offer") => ({
  number,
  to: { kind: "driver", key: to },
  name,
  input: bytes({ number }),
});

const short = (tells: readonly PendingTell[]): string[] => tells.map(({ from, number }) => `${from.key}:${number}`);

export async function messagesContract(t: Test, make: MakeStore): Promise<void> {
  await t.test("R-ENG-3: unsent tells come per sender in the order of sending, page by page", async (t) => {
    const { store } = await make(t);
    const epochs = await store.claimShards("a", [0, 1, 2]);
    const tells = [10, 2, 1, 3].map((number) => tell(number, number === 2 ? "d2" : "d1"));
    await store.flush(
      batch(epochs, [
        write("b", { tells }),
        write("a", { shard: 1, tells: [tell(1, "pay", "authorise")] }),
        write("z", { shard: 2, tells: [tell(1)] }),
      ]),
    );
    t.strictSame(short(await store.pendingTells([0, 1], 10)), ["a:1", "b:1", "b:2", "b:3", "b:10"]);
    t.strictSame(short(await store.pendingTells([2], 10)), ["z:1"]);
    t.strictSame(await store.pendingTells([7], 10), []);
    t.strictSame((await store.pendingTells([1], 1))[0], {
      ...tell(1, "pay", "authorise"),
      from: { kind: "order", key: "a" },
      fromShard: 1,
    });
    const seen: string[] = [];
    for (let after: PendingTell | undefined; ; ) {
      const page = await store.pendingTells([0, 1, 2], 2, after);
      seen.push(...short(page));
      after = page.at(-1);
      if (after === undefined) break;
    }
    t.strictSame(seen, ["a:1", "b:1", "b:2", "b:3", "b:10", "z:1"]);
  });

  await t.test("R-ENG-3: a delivered tell leaves, its number is never used again", async (t) => {
    const { store } = await make(t);
    const epochs = await store.claimShards("a", [0]);
    await store.flush(batch(epochs, [write("o1", { tells: [tell(1), tell(2)] })]));
    const delivered = [1, 2, 3].map((number) => ({ from: { kind: "order", key: "o1" }, number }));
    t.strictSame(await store.flush(batch(epochs, [], { delivered: delivered.slice(0, 1) })), CLEAN);
    t.strictSame(short(await store.pendingTells([0], 10)), ["o1:2"]);
    t.strictSame(await store.flush(batch(epochs, [], { delivered })), CLEAN, "said twice, or of nothing: no error");
    t.strictSame(await store.pendingTells([0], 10), []);
    t.equal((await loadOne(store, "o1")).nextTell, 3);
    await store.flush(batch(epochs, [write("o1", { expectedSeq: 1 })]));
    t.equal((await loadOne(store, "o1")).nextTell, 3);
  });

  await t.test("R-ENG-3: a tell is delivered although an actor of the same batch fails", async (t) => {
    const { store } = await make(t);
    const epochs = await store.claimShards("a", [0]);
    await store.flush(batch(epochs, [write("o1", { tells: [tell(1)] })]));
    const delivered = [{ from: { kind: "order", key: "o1" }, number: 1 }];
    for (const bad of [write("o2", { expectedSeq: 9 }), write("o\0")]) {
      const { failures } = await store.flush(batch(epochs, [bad], { delivered }));
      t.equal(failures.length, 1);
      t.strictSame(await store.pendingTells([0], 10), []);
    }
  });

  await t.test("R-ENG-5: timers are kept with the snapshot: set, replaced, cancelled, found when due", async (t) => {
    const { store, otherNode } = await make(t);
    const epochs = await store.claimShards("a", [0, 1, 2]);
    const timer = (name: string, at: number) => ({ name, at, run: `run-${name}`, input: bytes(name) });
    await store.flush(
      batch(epochs, [
        write("o1", { timersSet: [timer("b", 200), timer("a", 100.5), timer("c", 300)] }),
        write("o2", { shard: 1, timersSet: [timer("a", 50)] }),
        write("o3", { shard: 2, timersSet: [timer("a", 1)] }),
      ]),
    );
    const due = async (shards: number[], before: number, limit = 10) =>
      (await otherNode.timersDue(shards, before, limit)).map(({ key, name, at }) => `${key}/${name}@${at}`);
    t.strictSame(await due([0, 1], 1_000), ["o2/a@50", "o1/a@100.5", "o1/b@200", "o1/c@300"]);
    t.strictSame(await due([0, 1], 200), ["o2/a@50", "o1/a@100.5"], "due before, not at");
    t.strictSame(await due([0, 1, 2], 1_000, 2), ["o3/a@1", "o2/a@50"], "soonest first");
    t.strictSame(await due([], 1_000), []);
    t.strictSame(await store.timersDue([1], 1_000, 1), [{ ...timer("a", 50), kind: "order", key: "o2", shard: 1 }]);
    await store.flush(
      batch(epochs, [write("o1", { expectedSeq: 1, timersSet: [timer("a", 900)], timersCancelled: ["b", "never"] })]),
    );
    t.strictSame(await due([0], 1_000), ["o1/c@300", "o1/a@900"]);
    t.strictSame((await loadOne(store, "o1")).timers, [timer("a", 900), timer("c", 300)]);
    await store.flush(
      batch(epochs, [write("o1", { expectedSeq: 2, timersSet: [timer("c", 950)], timersCancelled: ["c", "a"] })]),
    );
    t.strictSame(await due([0], 1_000), ["o1/c@950"], "cancelled first, then set");
  });

  await t.test("R-ENG-5: a timer stays when the actor that would cancel it is skipped", async (t) => {
    const { store } = await make(t);
    const epochs = await store.claimShards("a", [0]);
    const timersSet = [{ name: "t", at: 10, run: "r", input: bytes(1) }];
    await store.flush(batch(epochs, [write("o1", { timersSet })]));
    await store.flush(batch(epochs, [write("o1", { expectedSeq: 9, timersCancelled: ["t"] }), write("o2")]));
    t.equal((await store.timersDue([0], 100, 10)).length, 1);
  });

  await t.test(
    "R-TRK-3: a reliable channel keeps its events until they are trimmed, and its top for ever",
    async (t) => {
      const { store } = await make(t);
      const epochs = await store.claimShards("a", [0]);
      const push = (channel: string, offset: number): ChannelEvent => ({
        channel,
        offset,
        type: "placed",
        at: 10 + offset,
        body: bytes({ offset }),
      });
      const offsets = async (keep = 100) =>
        Object.entries((await loadOne(store, "r1", 0, keep)).channels)
          .sort()
          .map(([channel, { top, events }]) => `${channel} ${top}: ${events.map(({ offset }) => offset).join(" ")}`);
      const change = (expectedSeq: number, pushes: ChannelEvent[], trims: { channel: string; offset: number }[] = []) =>
        store.flush(batch(epochs, [write("r1", { expectedSeq, pushes, trims })]));

      await change(0, [push("inbox", 1), push("inbox", 2), push("chat", 1)]);
      await change(1, [push("inbox", 3), push("inbox", 10)]);
      t.strictSame(await offsets(), ["chat 1: 1", "inbox 10: 1 2 3 10"]);
      t.strictSame(await offsets(2), ["chat 1: 1", "inbox 10: 3 10"], "the newest, ascending");
      t.strictSame(await offsets(0), ["chat 1: ", "inbox 10: "]);
      t.strictSame((await loadOne(store, "r1")).channels.inbox?.events[1], push("inbox", 2));
      await change(2, [], [{ channel: "inbox", offset: 2 }]);
      t.strictSame(await offsets(), ["chat 1: 1", "inbox 10: 3 10"]);
      await change(
        3,
        [push("inbox", 11)],
        [
          { channel: "inbox", offset: 11 },
          { channel: "never", offset: 4 },
        ],
      );
      t.strictSame(await offsets(), ["chat 1: 1", "inbox 11: "], "a trim covers what the same write pushes");
      t.equal((await store.load([{ kind: "order", key: "other", shard: 0 }], 10))[0]?.channels.inbox, undefined);
    },
  );

  await t.test("R-ENG-3: published events keep their order per actor", async (t) => {
    const { store, audit } = await make(t);
    const epochs = await store.claimShards("a", [0]);
    const event = (offset: number, type: string) => ({ offset, type, at: 5, body: bytes({ type }) });
    await store.flush(batch(epochs, [write("o1", { events: [event(1, "placed"), event(2, "confirmed")] })]));
    await store.flush(batch(epochs, [write("o1", { expectedSeq: 1, events: [event(3, "delivered")] }), write("o2")]));
    t.equal((await loadOne(store, "o1")).nextEvent, 4);
    t.equal((await loadOne(store, "o2")).nextEvent, 1);
    const door = await audit();
    const seen: string[] = [];
    for await (const { key, offset, type, at, body } of door.events("order")) {
      seen.push(`${key} ${offset} ${type} ${at} ${JSON.stringify(body)}`);
    }
    await door.close();
    t.strictSame(seen, [
      'o1 1 placed 5 {"type":"placed"}',
      'o1 2 confirmed 5 {"type":"confirmed"}',
      'o1 3 delivered 5 {"type":"delivered"}',
    ]);
  });

  await t.test("R-ENG-3: a dead letter is put aside once per id", async (t) => {
    const { store, otherNode, audit } = await make(t);
    const letter = {
      id: "l1",
      kind: "driver",
      key: "d1",
      name: "offer",
      input: bytes({ a: 1 }),
      reason: "no such driver",
      at: 7.5,
    };
    await store.deadLetter(letter);
    await otherNode.deadLetter({ ...letter, reason: "said again" });
    await store.deadLetter({ ...letter, id: "l2", key: "d\0", reason: "bad\0name" });
    const door = await audit();
    const seen: unknown[] = [];
    for await (const one of door.deadLetters()) seen.push(one);
    await door.close();
    t.strictSame(seen, [letter, { ...letter, id: "l2", key: "d\ufffd", reason: "bad\ufffdname" }]);
  });
}
