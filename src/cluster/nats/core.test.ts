import fc from "fast-check";
import t from "tap";
import type { EndpointId, LinkMessage } from "../../actors/runtime/link.js";
import { VirtualClock } from "../../actors/runtime/testkit/mod.js";
import { recordingLog } from "../../lib/log.js";
import { decode, encode } from "../../lib/msgpack.js";
import { randomInteger, seededRandom } from "../../lib/random.js";
import type { LinkCore } from "./core.js";
import { large, listen, pass, told, turn, twoLinks } from "./fixtures/cores.js";
import { createEther } from "./fixtures/wires.js";
import { decodeParcel, decodePresence, encodeParcel } from "./parcel.js";
import { isSoundMessagePack } from "./scan.js";

t.test(
  "R-CLU-3: whatever is lost, repeated, late or cut: in a session nothing is missing, doubled or old",
  async (t) => {
    let resets = 0;
    let delivered = 0;
    for (let seed = 1; seed <= 25; seed++) {
      const clock = new VirtualClock(1_700_000_000_000);
      const random = seededRandom(seed);
      // Some messages have no room in a parcel.
      const ether = createEther(clock, random, 2_000);
      const ids: readonly EndpointId[] = ["a/1", "b/1", "c/1"];
      const cores = ids.map((id) => ether.open(id, { window: 8, maxDroppable: 40, maxQueued: 40, maxBatch: 5 }));
      /** What each says to each while it believes the other to be up; `starts` are the numbers that begin a session. */
      const next = new Map<string, number>();
      const starts = new Map<string, Set<number>>();
      const sessions = new Map<string, number[][]>();
      for (const core of cores) {
        core.peers((peer, change) => {
          if (change === "down") return;
          const out = `${core.self}>${peer}`;
          starts.set(out, (starts.get(out) ?? new Set()).add(next.get(out) ?? 0));
          const into = `${peer}>${core.self}`;
          sessions.set(into, [...(sessions.get(into) ?? []), []]);
        });
        core.receive((from, messages) => {
          for (const message of messages)
            if (message.t === "told") sessions.get(`${from}>${core.self}`)!.at(-1)!.push(message.number);
        });
      }
      const say = (core: LinkCore, peer: EndpointId): void => {
        const pair = `${core.self}>${peer}`;
        if (!core.stats().peers.some((one) => one.peer === peer && one.up)) return;
        const number = next.get(pair) ?? 0;
        next.set(pair, number + 1);
        core.send(peer, random.next() < 0.1 ? large(number) : told(number));
      };
      await pass(clock, 1_000);
      ether.faulty = true;
      for (let step = 0; step < 200; step++) {
        const core = cores[randomInteger(random, 3)]!;
        const peer = ids[randomInteger(random, 3)]!;
        const burst = random.next() < 0.03 ? 60 : randomInteger(random, 6);
        for (let n = 0; n < burst; n++) say(core, peer);
        if (random.next() < 0.01) {
          ether.disconnect(core);
          await pass(clock, randomInteger(random, 3_000));
          ether.connect(core);
        }
        if (random.next() < 0.01) {
          ether.muted.add(core.self);
          await pass(clock, randomInteger(random, 4_000));
          ether.muted.delete(core.self);
        }
        await pass(clock, randomInteger(random, 100));
      }
      ether.faulty = false;
      await pass(clock, 6_000);
      for (const core of cores) for (const peer of ids) say(core, peer);
      await pass(clock, 1_000);
      for (const [pair, heard] of sessions) {
        const flat = heard.flat();
        delivered += flat.length;
        resets += heard.length - 1;
        for (const session of heard) {
          const first = session[0];
          if (first !== undefined && !starts.get(pair)!.has(first))
            t.fail(`seed ${seed}, ${pair}: a session begins with ${first}, not with its first message`);
          for (const [index, number] of session.entries())
            if (number !== first! + index) t.fail(`seed ${seed}, ${pair}: ${number} after ${first! + index - 1}`);
        }
        if (flat.some((number, index) => index > 0 && number <= flat[index - 1]!))
          t.fail(`seed ${seed}, ${pair}: something old came after something new`);
        if (flat.at(-1) !== next.get(pair)! - 1) t.fail(`seed ${seed}, ${pair}: the last message has not arrived`);
      }
      t.equal(sessions.size, 6, `seed ${seed}`);
      for (const core of cores) core.close();
    }
    t.ok(resets > 100 && delivered > 5_000, `${resets} resets, ${delivered} messages`);
  },
);

t.test(
  "R-CLU-3: messages that may wait do so for company, the others for nothing, and none is overtaken",
  async (t) => {
    const { clock, ether, a, atB } = await twoLinks();
    const cast = (): LinkMessage => ({
      t: "cast",
      to: { kind: "k", key: "1" },
      name: "n",
      input: null,
      caller: null,
      from: null,
    });
    const ask = (id: number, calm = false): LinkMessage => ({
      t: "ask",
      id,
      to: { kind: "k", key: "1" },
      name: "n",
      input: null,
      commandId: "",
      bodyHash: "",
      caller: { id: "d", role: "driver" },
      notAfter: null,
      ...(calm ? { mayWait: true } : {}),
    });
    const parcels = (): number[] =>
      ether.published.flatMap(({ bytes }) => {
        const parcel = decodeParcel(bytes);
        return parcel?.kind === "batch" && parcel.from === "a/1" ? [parcel.messages.length] : [];
      });
    for (let n = 0; n < 3; n++) {
      a.send("b/1", cast());
      a.send("b/1", n === 1 ? told(1) : ask(n, true));
      await pass(clock, 1);
    }
    t.same(parcels(), [2], "the first leave at once, the others wait");
    a.send("b/1", ask(3));
    await turn();
    t.same(parcels(), [2, 5], "what may not wait takes them along");
    a.send("b/1", ask(4));
    await turn();
    t.same(parcels(), [2, 5, 1], "and does not wait behind another");
    await pass(clock, 20);
    a.send("b/1", cast());
    await turn();
    t.same(parcels(), [2, 5, 1, 1], "after a while without a word the next leaves at once again");
    a.send("b/1", cast());
    await pass(clock, 7);
    t.same(parcels(), [2, 5, 1, 1]);
    await pass(clock, 2);
    t.same(parcels(), [2, 5, 1, 1, 1], "nobody waits for long");
    await pass(clock, 100);
    t.same(
      atB.slice(1),
      ["cast", "ask", "cast", "1", "cast", "ask", "ask", "ask", "cast", "cast"].map((what) => `a/1 ${what}`),
    );
  },
);

t.test("R-CLU-3: a lost batch, at the end too, gives both ends down and up", async (t) => {
  const { clock, ether, a, b, atA, atB } = await twoLinks();
  t.same([atA, atB], [["b/1 up"], ["a/1 up"]]);
  ether.muted.add("a/1");
  a.send("b/1", told(1));
  await turn();
  ether.muted.delete("a/1");
  await pass(clock, 600);
  t.same(atB, ["a/1 up", "a/1 down", "a/1 up"], "a heartbeat tells of the tail that was lost");
  t.same(atA, ["b/1 up", "b/1 down", "b/1 up"]);
  ether.muted.add("a/1");
  a.send("b/1", told(2));
  await turn();
  ether.muted.delete("a/1");
  a.send("b/1", told(3));
  await pass(clock, 100);
  t.same(atB.slice(3), ["a/1 down", "a/1 up"], "the one after a gap is not delivered");
  t.same(atA.slice(3), ["b/1 down", "b/1 up"]);
  a.send("b/1", told(4));
  b.send("a/1", told(5));
  await pass(clock, 100);
  t.same([atA.at(-1), atB.at(-1)], ["b/1 5", "a/1 4"]);
});

t.test("R-CLU-3: nothing that was ever sent is heard when it is said again", async (t) => {
  const { clock, ether, a, b, atA, atB } = await twoLinks();
  for (let n = 0; n < 20; n++) {
    a.send("b/1", told(n));
    b.send("a/1", told(n));
    if (n % 4 === 0) await pass(clock, 5);
  }
  await pass(clock, 100);
  t.equal(atB.length, 21);
  const old = [...ether.published];
  for (const { subject, bytes } of old) ether.publish(subject, bytes);
  await pass(clock, 100);
  t.same([atA.length, atB.length], [21, 21], "within the session: duplicates");
  ether.disconnect(a);
  ether.connect(a);
  await pass(clock, 1_000);
  const before = [atA.length, atB.length];
  t.same([atA.at(-1), atB.at(-1)], ["b/1 up", "a/1 up"]);
  for (const { subject, bytes } of old) ether.publish(subject, bytes);
  await pass(clock, 100);
  t.same([atA.length, atB.length], before, "after it: another session's");
});

t.test("a peer that is no longer heard is down at both ends, though only one direction is cut", async (t) => {
  const { clock, ether, atA, atB } = await twoLinks();
  ether.muted.add("a/1");
  await pass(clock, 3_000);
  t.same(atB, ["a/1 up", "a/1 down"]);
  t.same(atA, ["b/1 up", "b/1 down"], "b has said that it hears nothing");
  ether.muted.delete("a/1");
  await pass(clock, 1_000);
  t.same([atA.at(-1), atB.at(-1)], ["b/1 up", "a/1 up"]);
});

t.test("of two links with one name the newer counts, and the older is back when the newer has gone", async (t) => {
  const { clock, ether, a, b, atB } = await twoLinks();
  const again = ether.open("a/1");
  const atAgain = listen(again);
  await pass(clock, 1_000);
  t.same(atB, ["a/1 up", "a/1 down", "a/1 up"]);
  t.same(atAgain, ["b/1 up"]);
  t.same([a.stats().superseded, again.stats().superseded], [true, false]);
  t.same(a.stats().peers, []);
  a.send("b/1", told(1));
  again.send("b/1", told(2));
  b.send("a/1", told(3));
  await pass(clock, 100);
  t.same(atB.slice(3), ["a/1 2"]);
  t.same(atAgain.slice(1), ["b/1 3"]);
  again.close();
  await pass(clock, 5_000);
  t.same(atB.slice(4), ["a/1 down", "a/1 up"]);
  t.equal(a.stats().superseded, false);
});

t.test("endpoints of the own node are no peers, and nobody may pass for one of them", async (t) => {
  const { clock, ether, a, b } = await twoLinks();
  const sister = ether.open("a/2");
  await pass(clock, 1_000);
  t.same(
    [a, b, sister].map((core) => core.stats().peers.map(({ peer }) => peer)),
    [["b/1"], ["a/1", "a/2"], ["b/1"]],
  );
  const [parcel] = ether.published;
  const fields = decode<unknown[]>(parcel!.bytes);
  fields[2] = "a/3";
  a.hear(encode(fields));
  t.match(a.stats(), { malformed: 1, peers: [{ peer: "b/1" }] });
});

t.test("the number of peers is bounded, and there is room again when one goes", async (t) => {
  const clock = new VirtualClock(1_700_000_000_000);
  const ether = createEther(clock, seededRandom(2));
  const hub = ether.open("hub/1", { maxPeers: 2 });
  const others = [1, 2, 3].map((n) => ether.open(`n${n}/1`));
  await pass(clock, 2_000);
  t.same(
    hub.stats().peers.map(({ peer }) => peer),
    ["n1/1", "n2/1"],
  );
  others[0]!.close();
  await pass(clock, 2_000);
  t.same(
    hub.stats().peers.map(({ peer, up }) => [peer, up]),
    [
      ["n2/1", true],
      ["n3/1", true],
    ],
  );
});

t.test("R-ENG-6: a peer that does not consume gets no more than the window, in messages and in bytes", async (t) => {
  const clock = new VirtualClock(1_700_000_000_000);
  const ether = createEther(clock, seededRandom(3));
  const a = ether.open("a/1", { window: 10, windowBytes: 100_000, maxDroppable: 90, maxQueued: 90 });
  const b = ether.open("b/1", { window: 10, windowBytes: 100_000 });
  await pass(clock, 100);
  for (let n = 0; n < 90; n++) a.send("b/1", told(n));
  await pass(clock, 2_000);
  t.match(a.stats().peers, [{ up: true, inFlight: 10, queued: 80 }]);
  t.equal(a.room("b/1"), 10);
  const atB = listen(b);
  await pass(clock, 2_000);
  t.equal(atB.length, 91, "and all the rest when it does");
  const big: LinkMessage = { t: "reply", id: 1, value: "x".repeat(45_000) };
  b.receive(() => {});
  ether.muted.add("b/1");
  for (let n = 0; n < 5; n++) a.send("b/1", big);
  await pass(clock, 100);
  t.match(a.stats().peers, [{ inFlight: 2, queued: 3 }]);
  ether.muted.delete("b/1");
  await pass(clock, 1_000);
  t.match(a.stats().peers, [{ up: true, inFlight: 0, queued: 0 }]);
});

t.test("a message that cannot be sent is refused and counted, and takes nothing with it", async (t) => {
  const { clock, a, atB } = await twoLinks(1_000, { maxMessageBytes: 9_000 });
  const circle: { self?: unknown } = {};
  circle.self = circle;
  a.send("b/1", told(1));
  a.send("b/1", { t: "reply", id: 1, value: "x".repeat(10_000) });
  a.send("b/1", { t: "reply", id: 2, value: circle });
  a.send("b/1", { t: "reply", id: 3, value: Symbol("no message") });
  for (let n = 2; n < 1_000; n++) a.send("b/1", told(n));
  await pass(clock, 1_000);
  t.same(atB, ["a/1 up", ...Array.from({ length: 999 }, (_, n) => `a/1 ${n + 1}`)]);
  t.equal(a.stats().unsendable, 3);
});

t.test("a handler that throws breaks neither the session nor what follows", async (t) => {
  const { clock, a, b, atA, atB } = await twoLinks();
  b.peers(() => {
    throw new Error("peers");
  });
  b.receive((_, messages) => {
    for (const message of messages) if (message.t === "told") atB.push(String(message.number));
    throw new Error("receive");
  });
  for (let n = 0; n < 3; n++) {
    a.send("b/1", told(n));
    await pass(clock, 10);
  }
  t.same(atB, ["a/1 up", "0", "1", "2"]);
  t.same(atA, ["b/1 up"]);
  t.equal(b.stats().handlerFailures, 4);
});

t.test("R-OPS-4: a node of a release that cannot be understood is told of by its name", async (t) => {
  const log = recordingLog();
  const clock = new VirtualClock(1_700_000_000_000);
  const link = createEther(clock, seededRandom(1)).open("new/gateway-0", {}, log);
  link.hearPresence(encode([1, "old/gateway-0", "x"]));
  link.hearPresence(encode([1, "old/shards-0", "x"]));
  t.match(log.lines, [{ level: "warn", message: /^A node whose release /, fields: { from: "old/gateway-0" } }]);
  t.equal(log.lines.length, 1, "now and then");
  t.match(link.stats(), { malformed: 2, peers: [] });
});

t.test("what is not understood is dropped and counted; it never throws and never reaches a handler", async (t) => {
  const { clock, ether, a, b, atA, atB } = await twoLinks();
  for (let n = 0; n < 30; n++) {
    a.send("b/1", told(n));
    b.send("a/1", told(n));
    await pass(clock, 5);
  }
  const known = new Set([...atA, ...atB]);
  const good = ether.published.map(({ bytes }) => bytes);
  const random = seededRandom(4);
  for (let n = 0; n < 20_000; n++) {
    const bytes = new Uint8Array(good[randomInteger(random, good.length)]!);
    for (let change = randomInteger(random, 3); change >= 0; change--)
      bytes[randomInteger(random, bytes.length)] = randomInteger(random, 256);
    b.hear(random.next() < 0.2 ? bytes.subarray(0, randomInteger(random, bytes.length)) : bytes);
    if (n % 100 === 0) b.hearPresence(bytes);
    if (n % 1_000 === 0) await pass(clock, 10);
  }
  t.ok(b.stats().malformed > 5_000, `${b.stats().malformed} were malformed`);
  t.equal(b.stats().handlerFailures, 0);
  ether.disconnect(b);
  ether.connect(b);
  await pass(clock, 6_000);
  a.send("b/1", told(31));
  await pass(clock, 100);
  t.equal(atB.at(-1), "a/1 31", "and the link still works");
  t.ok(known.size > 30);
});

t.test("a batch with a message of a newer version: that one is dropped and counted, the others arrive", async (t) => {
  const { clock, ether, a, b, atB } = await twoLinks();
  a.send("b/1", told(1));
  a.send("b/1", told(2));
  ether.muted.add("a/1");
  await turn();
  ether.muted.delete("a/1");
  const fields = decode<unknown[]>(ether.published.findLast(({ bytes }) => decodeParcel(bytes)?.from === "a/1")!.bytes);
  fields[1] = 1;
  fields[6] = 1;
  fields[8] = [told(1), { t: "later", x: 1 }, { t: "told", number: "2" }, told(2)];
  b.hear(encode(fields));
  t.same(atB, ["a/1 up", "a/1 1", "a/1 2"]);
  t.equal(b.stats().malformed, 1);
  await pass(clock, 1_000);
  t.equal(atB.length, 3, "and what was consumed agrees, or the session would have ended");
});

t.test("R-CLU-3: byte strings that are kept do not keep the bytes that came with them", async (t) => {
  const head = { kind: "batch", from: "a/1", instance: "i", mine: 1, theirs: 1, number: 1, consumed: 0 } as const;
  const from = { kind: "echo", key: "k" };
  const tell = { t: "tell", from, number: 1, to: from, name: "n", input: new Uint8Array([7, 8, 9]) } as const;
  const received = new Uint8Array(100_000);
  const parcel = encodeParcel(head, [tell]);
  received.set(parcel, 50_000);
  const [message] = decodeParcel(received.subarray(50_000, 50_000 + parcel.length))!.messages;
  received.fill(0);
  t.match(message, { t: "tell", input: new Uint8Array([7, 8, 9]) });
  t.not((message as typeof tell).input.buffer, received.buffer);
});

t.test("bytes of strangers: sizes that lie, depth without end and record definitions are refused", async (t) => {
  t.notOk(isSoundMessagePack(new Uint8Array([])));
  t.notOk(isSoundMessagePack(new Uint8Array([0xdd, 0xff, 0xff, 0xff, 0xff, 0x01])), "a list of four thousand million");
  t.notOk(isSoundMessagePack(new Uint8Array([0xc6, 0x7f, 0xff, 0xff, 0xff])), "bytes that are not there");
  t.notOk(isSoundMessagePack(new Uint8Array([0xc1])), "a head that does not exist");
  t.notOk(isSoundMessagePack(new Uint8Array([0x01, 0x01])), "two values");
  t.notOk(isSoundMessagePack(new Uint8Array([...new Array(100_000).fill(0x91), 0xc0])), "depth");
  t.notOk(isSoundMessagePack(new Uint8Array([0xd4, 0x72, 0x40, 0x91, 0xa1, 0x61, 0x01])), "a record definition");
  t.equal(decodeParcel(new Uint8Array([0x99, 1, 1, 0xa1, 0x61])), null);
  t.equal(decodePresence(encode([1, "", "x"])), null);
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), fc.uint8Array({ maxLength: 300 }), (value, bytes) => {
      const packed = encode([value, bytes]);
      return isSoundMessagePack(packed) && !isSoundMessagePack(packed.subarray(0, -1));
    }),
  );
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => decodeParcel(bytes) === null));
});

t.test("settings that cannot work are refused", async (t) => {
  const ether = createEther(new VirtualClock(0), seededRandom(1));
  t.throws(
    () => ether.open("a/1", { silenceMs: 1_000 }),
    /silenceMs \(1000\) must be at least three heartbeats of 500/,
  );
  t.throws(() => ether.open("a/1", { window: 0 }), /window \(0\)/);
  t.throws(() => ether.open("a/1", { maxDroppable: 0 }), /maxDroppable \(0\)/);
});
