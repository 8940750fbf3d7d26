/** Snapshots, fences, remembered commands, and the actor that fails while the others commit. */
import type { Test } from "tap";
import type { ActorWrite, WriteFailure } from "../../actors/runtime/ports.js";
import type { MakeStore, StoreUnderTest } from "./actor-store.contract.js";
import { batch, bytes, CLEAN, fullWrite, loadOne, write } from "./batches.js";

const NOTHING = { snapshot: null, commands: [], nextTell: 1, nextEvent: 1, channels: {}, timers: [] };

/** Every row that an auditor can see, so that "nothing was written" means all tables. */
async function everything({ audit }: StoreUnderTest): Promise<unknown[]> {
  const door = await audit();
  const rows: unknown[] = [];
  const parts = [door.snapshots(), door.indexRows(), door.events(), door.claims(), door.tells(), door.timers()];
  for (const part of parts) for await (const row of part) rows.push(row);
  await door.close();
  return rows;
}

export async function commitContract(t: Test, make: MakeStore): Promise<void> {
  await t.test("R-CLU-2: claiming a shard raises its epoch by one, whoever held it", async (t) => {
    const { store, otherNode } = await make(t);
    t.strictSame([...(await store.claimShards("a", [3, 1, 1]))].sort(), [
      [1, 1],
      [3, 1],
    ]);
    t.strictSame([...(await otherNode.claimShards("b", [3]))], [[3, 2]]);
    t.strictSame([...(await store.claimShards("a", [3, 511]))].sort(), [
      [3, 3],
      [511, 1],
    ]);
    t.strictSame([...(await store.claimShards("a", []))], []);
  });

  await t.test("R-ENG-3: an actor never written loads as nothing", async (t) => {
    const { store } = await make(t);
    t.strictSame(await store.load([], 10), []);
    t.strictSame(await loadOne(store, "nobody"), NOTHING);
    t.strictSame(await loadOne(store, "no\0body"), NOTHING, "not even a name that cannot be stored is an error");
  });

  await t.test("R-ENG-3: a flush writes all that an actor changed, and another node loads it", async (t) => {
    const { store, otherNode } = await make(t);
    const epochs = await store.claimShards("a", [0]);
    t.strictSame(await store.flush(batch(epochs, [fullWrite("o1", "m")], { at: 5_000.25 })), CLEAN);
    t.strictSame(await loadOne(otherNode, "o1"), {
      snapshot: { seq: 1, version: 1, state: bytes({ key: "o1" }), cold: bytes({ cold: "m" }), committedAt: 5_000.25 },
      commands: [{ id: "command-m", bodyHash: "hash-m", outcome: bytes({ reply: "m" }) }],
      nextTell: 2,
      nextEvent: 2,
      channels: {
        inbox: {
          top: 1,
          events: [{ channel: "inbox", offset: 1, type: "placed", at: 10, body: bytes({ mark: "m" }) }],
        },
      },
      timers: [{ name: "timer-m", at: 1_001, run: "escalate", input: bytes({ mark: "m" }) }],
    });
  });

  await t.test("R-ENG-3: a load answers in the order in which it was asked", async (t) => {
    const { store } = await make(t);
    const epochs = await store.claimShards("a", [0]);
    await store.flush(batch(epochs, [write("x"), write("y"), write("z", { kind: "driver" })]));
    const asked = ["y", "missing", "x"].map((key) => ({ kind: "order", key, shard: 0 }));
    const loaded = await store.load([...asked, { kind: "driver", key: "z", shard: 0 }], 0);
    t.strictSame(
      loaded.map(({ snapshot }) => snapshot?.state ?? null),
      [bytes({ key: "y" }), null, bytes({ key: "x" }), bytes({ key: "z" })],
    );
  });

  await t.test("R-ENG-3: the store keeps bytes of its own", async (t) => {
    const { store } = await make(t);
    const epochs = await store.claimShards("a", [0]);
    const state = Uint8Array.from({ length: 256 }, (_, value) => value);
    await store.flush(batch(epochs, [write("o1", { state, cold: state.subarray(100, 200) })]));
    state.fill(0);
    const first = (await loadOne(store, "o1")).snapshot!;
    t.strictSame(
      [...first.state],
      Array.from({ length: 256 }, (_, value) => value),
    );
    first.state.fill(7);
    const second = (await loadOne(store, "o1")).snapshot!;
    t.equal(second.state[200], 200);
    t.strictSame(
      [...second.cold!],
      Array.from({ length: 100 }, (_, value) => value + 100),
    );
  });

  await t.test("R-ENG-3: cold bytes stay until they are written again", async (t) => {
    const { store } = await make(t);
    const epochs = await store.claimShards("a", [0]);
    const large = new Uint8Array(100_000).fill(9);
    await store.flush(batch(epochs, [write("o1", { cold: large })]));
    await store.flush(batch(epochs, [write("o1", { expectedSeq: 1, state: bytes("warm") })]));
    const { snapshot } = await loadOne(store, "o1");
    t.strictSame(snapshot?.cold, large);
    t.strictSame(snapshot?.state, bytes("warm"));
    await store.flush(batch(epochs, [write("o1", { expectedSeq: 2, cold: bytes("new") })]));
    t.strictSame((await loadOne(store, "o1")).snapshot?.cold, bytes("new"));
  });

  await t.test("R-ENG-3: a write builds on the seq it names or fails", async (t) => {
    const { store } = await make(t);
    const epochs = await store.claimShards("a", [0]);
    const stale = (index: number) => ({ staleShards: [], failures: [{ index, failure: { reason: "stale_seq" } }] });
    t.strictSame(await store.flush(batch(epochs, [write("o1", { seq: 5 })])), CLEAN, "seq may leap");
    t.strictSame(await store.flush(batch(epochs, [write("o1")])), stale(0), "it is there already");
    t.strictSame(await store.flush(batch(epochs, [write("o1", { expectedSeq: 4, seq: 6 })])), stale(0));
    t.strictSame(await store.flush(batch(epochs, [write("o2", { expectedSeq: 1 })])), stale(0), "it was never there");
    t.equal((await loadOne(store, "o1")).snapshot?.seq, 5);
    t.strictSame(await store.flush(batch(epochs, [write("o1", { expectedSeq: 5 })])), CLEAN);
  });

  const badRows: [name: string, bad: (t: StoreUnderTest) => Partial<ActorWrite>, failure: WriteFailure][] = [
    ["a seq that has moved", () => ({ expectedSeq: 7 }), { reason: "stale_seq" }],
    [
      "a command that was answered before",
      () => ({
        commands: [
          { id: "new", bodyHash: "", outcome: bytes(1) },
          { id: "answered", bodyHash: "", outcome: bytes(1) },
        ],
      }),
      { reason: "duplicate_command", commandId: "answered" },
    ],
    [
      "a claim that another holds",
      () => ({
        claims: [
          { claim: "trip", value: "free" },
          { claim: "trip", value: "held" },
        ],
      }),
      { reason: "claim_taken", claim: "trip", value: "held" },
    ],
    [
      "a text that cannot be stored",
      () => ({ tells: [{ number: 9, to: { kind: "driver", key: "a\0b" }, name: "x", input: bytes(1) }] }),
      { reason: "invalid", detail: "receiver key holds a character that cannot be stored" },
    ],
  ];
  for (const [name, bad, failure] of badRows) {
    await t.test(
      `R-ENG-3: one bad row in a flush of 64 (${name}): that actor is skipped whole, 63 commit`,
      async (t) => {
        const under = await make(t);
        const { store } = under;
        const epochs = await store.claimShards("a", [0, 1]);
        await store.flush(
          batch(epochs, [
            write("holder", { claims: [{ claim: "trip", value: "held" }] }),
            write("n31", { commands: [{ id: "answered", bodyHash: "", outcome: bytes("first") }] }),
          ]),
        );
        const actors = Array.from({ length: 64 }, (_, i) =>
          i === 31
            ? fullWrite("n31", "n31", { expectedSeq: 1, ...bad(under) })
            : fullWrite(`n${i}`, `n${i}`, { shard: i % 2 }),
        );
        const result = await store.flush(batch(epochs, actors));
        t.strictSame(result, { staleShards: [], failures: [{ index: 31, failure }] });
        const rows = JSON.stringify(await everything(under));
        for (let i = 0; i < 64; i++) {
          if (i !== 31)
            t.ok(rows.includes(`"customer-n${i}"`) && rows.includes(`"driver-n${i}"`), `actor ${i} is there`);
        }
        t.notMatch(rows, /(customer|driver|timer)-n31"|"free"/, "no row of the skipped actor is there");
        const skipped = await loadOne(store, "n31");
        t.equal(skipped.snapshot?.seq, 1);
        t.strictSame(skipped.commands, [{ id: "answered", bodyHash: "", outcome: bytes("first") }]);
        t.strictSame([skipped.nextTell, skipped.nextEvent, skipped.channels, skipped.timers], [1, 1, {}, []]);
      },
    );
  }

  await t.test("R-ENG-3: several actors fail, each for its own reason, and the rest commits", async (t) => {
    const { store } = await make(t);
    const epochs = await store.claimShards("a", [0]);
    const claims = [{ claim: "trip", value: "d" }];
    const commands = [{ id: "c", bodyHash: "", outcome: bytes(1) }];
    await store.flush(batch(epochs, [write("holder", { claims }), write("twice", { commands })]));
    const result = await store.flush(
      batch(epochs, [
        write("late", { expectedSeq: 3 }),
        write("good-1"),
        write("twice", { expectedSeq: 1, commands }),
        write("lone \ud800"),
        write("greedy", { claims }),
        write("good-2"),
      ]),
    );
    t.strictSame(result, {
      staleShards: [],
      failures: [
        { index: 0, failure: { reason: "stale_seq" } },
        { index: 2, failure: { reason: "duplicate_command", commandId: "c" } },
        { index: 3, failure: { reason: "invalid", detail: "key holds a character that cannot be stored" } },
        { index: 4, failure: { reason: "claim_taken", claim: "trip", value: "d" } },
      ],
    });
    for (const key of ["good-1", "good-2"]) t.equal((await loadOne(store, key)).snapshot?.seq, 1);
    for (const key of ["late", "greedy"]) t.equal((await loadOne(store, key)).snapshot, null);
  });

  await t.test(
    "R-ENG-3: rows that no table takes are named, and texts of all the world are not among them",
    async (t) => {
      const { store } = await make(t);
      const epochs = await store.claimShards("a", [0]);
      const timer = { name: "t", at: 1, run: "r", input: bytes(1) };
      const cases: [string, ActorWrite, RegExp][] = [
        ["a key too long to be unique", write("k".repeat(1_001)), /key is longer than 1000 bytes/],
        ["a seq that does not rise", write("o", { expectedSeq: 3, seq: 3 }), /seq 3 does not rise/],
        ["a time that is none", write("o", { timersSet: [{ ...timer, at: Number.NaN }] }), /time of a timer is NaN/],
        ["one timer twice", write("o", { timersSet: [timer, timer] }), /timer appears twice/],
        ["an offset below one", write("o", { events: [{ offset: 0, type: "e", at: 1, body: bytes(1) }] }), /offset 0/],
      ];
      for (const [name, bad, detail] of cases) {
        const { failures } = await store.flush(batch(epochs, [bad, write(`beside ${name}`)]));
        t.match(failures, [{ index: 0, failure: { reason: "invalid", detail } }], name);
        t.equal(failures.length, 1, name);
      }
      const key = `${"ø".repeat(100)} 東京 🛵 \u0001\\"'`;
      t.strictSame(await store.flush(batch(epochs, [fullWrite(key, key)])), CLEAN);
      t.equal((await loadOne(store, key)).commands[0]?.id, `command-${key}`);
      const [row] = await store.queryIndex({ kind: "order", owner: `customer-${key}`, limit: 1 });
      t.equal(row?.key, key);
    },
  );

  await t.test("R-ENG-3: a number that is used already fails its actor alone", async (t) => {
    const { store } = await make(t);
    const epochs = await store.claimShards("a", [0]);
    await store.flush(batch(epochs, [fullWrite("o1", "a"), write("o2")]));
    const again = { ...fullWrite("o1", "b", { expectedSeq: 1 }), tells: fullWrite("o1", "b").tells };
    const result = await store.flush(batch(epochs, [write("o3"), again, write("o2", { expectedSeq: 1 })]));
    t.match(result, { staleShards: [], failures: [{ index: 1, failure: { reason: "invalid" } }] });
    t.equal(result.failures.length, 1);
    const seqs = await Promise.all(["o1", "o2", "o3"].map(async (key) => (await loadOne(store, key)).snapshot?.seq));
    t.strictSame(seqs, [1, 2, 1]);
  });

  await t.test("R-CLU-2: a stale epoch commits nothing of its shard, the other shards commit", async (t) => {
    const under = await make(t);
    const { store, otherNode } = under;
    const epochs = await store.claimShards("a", [0, 1, 2]);
    await store.flush(batch(epochs, [fullWrite("kept", "kept", { shard: 1 })]));
    await otherNode.claimShards("b", [1]);
    const before = await everything(under);
    const result = await store.flush(
      batch(epochs, [fullWrite("lost", "lost", { shard: 1 })], {
        delivered: [{ from: { kind: "order", key: "kept" }, number: 1 }],
      }),
    );
    t.strictSame(result, { staleShards: [1], failures: [] });
    t.strictSame(await everything(under), before, "not a row has changed, not even the delivered message has left");
    const mixed = await store.flush(
      batch(epochs, [fullWrite("a", "a"), fullWrite("b", "b", { shard: 1 }), fullWrite("c", "c", { shard: 2 })]),
    );
    t.strictSame(mixed, { staleShards: [1], failures: [] });
    const seqs = await Promise.all(["a", "b", "c"].map(async (key) => (await loadOne(store, key)).snapshot?.seq));
    t.strictSame(seqs, [1, undefined, 1]);
  });

  await t.test("R-CLU-2: neither a shard that nobody claimed nor one without a fence is written", async (t) => {
    const { store } = await make(t);
    const epochs = await store.claimShards("a", [0]);
    const never = await store.flush(batch(new Map([[9, 1]]), [write("o1", { shard: 9 })]));
    t.strictSame(never, { staleShards: [9], failures: [] });
    const unfenced = await store.flush(batch(epochs, [write("o2", { shard: 5 }), write("o3")]));
    t.strictSame(unfenced, { staleShards: [5], failures: [] });
    t.equal((await loadOne(store, "o2", 5)).snapshot, null);
    t.equal((await loadOne(store, "o3")).snapshot?.seq, 1);
  });

  await t.test("R-CLU-2: a batch that cannot be meant so is refused before anything is written", async (t) => {
    const { store } = await make(t);
    await store.claimShards("a", [0, 1]);
    const fences = [
      { shard: 1, epoch: 1 },
      { shard: 0, epoch: 1 },
    ];
    await t.rejects(store.flush(batch(new Map(), [write("o1")], { fences })), { name: "BatchFault" });
    await t.rejects(store.flush(batch(new Map([[0, 1]]), [write("o1"), write("o1")])), { name: "BatchFault" });
    t.equal((await loadOne(store, "o1")).snapshot, null);
  });

  await t.test("R-ENG-4: a repeated command id is refused for good and its first answer is kept", async (t) => {
    const { store, otherNode } = await make(t);
    const epochs = await store.claimShards("a", [0]);
    const first = { id: "c1", bodyHash: "h1", outcome: bytes({ reply: 1 }) };
    await store.flush(batch(epochs, [write("o1", { commands: [first] })]));
    const again = write("o1", { expectedSeq: 1, commands: [{ ...first, outcome: bytes({ reply: 2 }) }] });
    t.strictSame((await store.flush(batch(epochs, [again]))).failures, [
      { index: 0, failure: { reason: "duplicate_command", commandId: "c1" } },
    ]);
    const actor = { kind: "order", key: "o1" };
    t.strictSame(await otherNode.rememberedCommand(actor, "c1"), first);
    t.equal(await store.rememberedCommand(actor, "c2"), null);
    t.equal(await store.rememberedCommand({ kind: "order", key: "o2" }, "c1"), null);
    t.equal(await store.rememberedCommand(actor, "c\0"), null);
    t.strictSame(await store.flush(batch(epochs, [write("o2", { commands: [first] })])), CLEAN, "ids are per actor");
  });

  await t.test("R-ENG-4: a load brings the newest 256 commands; older ones still guard", async (t) => {
    const { store } = await make(t);
    const epochs = await store.claimShards("a", [0]);
    const command = (n: number) => ({ id: `c${String(n).padStart(4, "0")}`, bodyHash: "", outcome: bytes(n) });
    for (let seq = 1; seq <= 3; seq++) {
      const commands = Array.from({ length: 100 }, (_, i) => command((seq - 1) * 100 + i));
      await store.flush(batch(epochs, [write("o1", { expectedSeq: seq - 1, commands })]));
    }
    const { commands } = await loadOne(store, "o1");
    t.strictSame(
      commands.map(({ id }) => id),
      Array.from({ length: 256 }, (_, i) => command(i + 44).id),
    );
    const { failures } = await store.flush(batch(epochs, [write("o1", { expectedSeq: 3, commands: [command(0)] })]));
    t.strictSame(failures, [{ index: 0, failure: { reason: "duplicate_command", commandId: "c0000" } }]);
  });

  await t.test("R-ENG-4: commands are forgotten by age, so many at a time", async (t) => {
    const { store } = await make(t);
    const epochs = await store.claimShards("a", [0]);
    const commands = (mark: string) => ["1", "2", "3"].map((n) => ({ id: mark + n, bodyHash: "", outcome: bytes(n) }));
    await store.flush(batch(epochs, [write("o1", { commands: commands("old-") })], { at: 100 }));
    await store.flush(batch(epochs, [write("o1", { expectedSeq: 1, commands: commands("new-") })], { at: 200 }));
    t.equal(await store.forgetCommands(100, 10), 0, "as old as the limit is not older");
    t.equal(await store.forgetCommands(200, 2), 2);
    t.equal(await store.forgetCommands(200, 2), 1);
    t.equal(await store.forgetCommands(200, 2), 0);
    t.strictSame(
      (await loadOne(store, "o1")).commands.map(({ id }) => id),
      ["new-1", "new-2", "new-3"],
    );
  });

  await t.test("R-ENG-3: the outcome of a batch is told per actor, and only to the batch that wrote", async (t) => {
    const { store } = await make(t);
    const epochs = await store.claimShards("a", [0]);
    await store.flush(batch(epochs, [write("o2")]));
    const sent = batch(epochs, [write("o1"), write("o2"), write("o3")]);
    t.strictSame(await store.outcomeOf(sent), [false, false, false], "not sent yet");
    t.equal((await store.flush(sent)).failures[0]?.index, 1);
    t.strictSame(await store.outcomeOf(sent), [true, false, true]);
    t.strictSame(await store.outcomeOf(sent), [true, false, true], "asked twice, told twice");
    t.strictSame(await store.outcomeOf({ ...sent, flushId: "another" }), [false, false, false]);
    await store.flush(batch(epochs, [write("o1", { expectedSeq: 1 })]));
    t.strictSame(await store.outcomeOf(sent), [false, false, true], "known until the actor is written again");
  });
}
