/** One contract for every adapter of `Link`: what the engine and the actor client build on. Run by each adapter's test. */
import type { Test } from "tap";
import type { EndpointId, Link, LinkMessage } from "../link.js";
import type { LinkBounds } from "./bounds.js";

export interface LinkHarness {
  /** Opens an endpoint that is connected to all that are open. */
  open(id: EndpointId): Promise<Link>;
  /** The endpoint vanishes as a dying thread does, without closing its link. */
  crash(id: EndpointId): Promise<void>;
  /** Resolves when everything sent so far, and what it caused, has arrived. */
  settle(): Promise<void>;
  close(): Promise<void>;
}

const cast = (input: unknown): LinkMessage => ({
  t: "cast",
  to: { kind: "k", key: "1" },
  name: "n",
  input,
  caller: null,
  from: null,
});
const told = (number: number): LinkMessage => ({ t: "told", from: { kind: "k", key: "1" }, number });

/** What a message says, for comparing. */
const gist = (message: LinkMessage): unknown =>
  message.t === "cast" ? message.input : message.t === "told" ? message.number : message.t;

interface Recorded {
  readonly batches: { readonly from: EndpointId; readonly messages: readonly LinkMessage[] }[];
  readonly peers: string[];
  gists(from?: EndpointId): unknown[];
}

function record(link: Link): Recorded {
  const recorded: Recorded = {
    batches: [],
    peers: [],
    gists: (from) =>
      recorded.batches
        .filter((batch) => from === undefined || batch.from === from)
        .flatMap((b) => b.messages.map(gist)),
  };
  link.receive((from, messages) => recorded.batches.push({ from, messages }));
  link.peers((peer, change) => recorded.peers.push(`${peer} ${change}`));
  return recorded;
}

/** Every third element of the batches of messages is of another sort, so that sorts cannot be queued apart. */
const mixed = (count: number): LinkMessage[] =>
  Array.from({ length: count }, (_, index) => (index % 3 === 0 ? told(index) : cast(index)));

export function linkContract(t: Test, name: string, makeHarness: (bounds: LinkBounds) => Promise<LinkHarness>): void {
  const roomy: LinkBounds = { maxDroppable: 10_000, maxQueued: 20_000 };

  const check = (title: string, bounds: LinkBounds, run: (t: Test, harness: LinkHarness) => Promise<void>): void => {
    t.test(`${name}: ${title}`, async (t) => {
      const harness = await makeHarness(bounds);
      t.teardown(() => harness.close());
      await run(t, harness);
    });
  };

  check("messages of all sorts arrive once, in order per sender, to the one they were sent to", roomy, async (t, h) => {
    const [a, b, c] = [await h.open("a"), await h.open("b"), await h.open("c")];
    const [atA, atB, atC] = [record(a), record(b), record(c)];
    const messages = mixed(3_000);
    for (const message of messages) {
      a.send("c", message);
      b.send("c", message);
      if (message.t === "told") c.send("a", message);
    }
    await h.settle();
    t.same(atC.gists("a"), messages.map(gist));
    t.same(atC.gists("b"), messages.map(gist));
    t.same(atA.gists(), messages.filter((message) => message.t === "told").map(gist));
    t.same(atB.gists(), []);
  });

  check("what is sent within one tick arrives as few batches, never inside send", roomy, async (t, h) => {
    const [a, b] = [await h.open("a"), await h.open("b")];
    record(a);
    const atB = record(b);
    for (let n = 0; n < 64; n++) a.send("b", cast(n));
    t.equal(atB.batches.length, 0);
    await h.settle();
    t.equal(atB.batches.length, 1);
    a.send("b", cast("next"));
    await h.settle();
    t.equal(atB.batches.length, 2);
  });

  check("order holds across ticks and answers", roomy, async (t, h) => {
    const [a, b] = [await h.open("a"), await h.open("b")];
    const got: unknown[] = [];
    b.receive((from, messages) => {
      for (const message of messages) if (message.t === "cast") b.send(from, told(Number(message.input)));
    });
    a.receive((_, messages) => {
      for (const message of messages) {
        got.push(gist(message));
        if (message.t === "told" && message.number < 200) a.send("b", cast(message.number + 1));
      }
    });
    a.send("b", cast(0));
    await h.settle();
    t.same(
      got,
      Array.from({ length: 201 }, (_, n) => n),
    );
  });

  check("values arrive equal and unshared: bytes, nested values, null and a megabyte of text", roomy, async (t, h) => {
    const [a, b] = [await h.open("a"), await h.open("b")];
    record(a);
    const atB = record(b);
    const input = new Uint8Array([1, 2, 255]);
    const tell: LinkMessage = {
      t: "tell",
      from: { kind: "order", key: "1" },
      number: 7,
      to: { kind: "driver", key: "2" },
      name: "n",
      input,
    };
    const big = cast({ text: "ö".repeat(500_000), list: [1, null, { deep: [true, "x", 1.5, -1, 2 ** 40] }] });
    a.send("b", tell);
    a.send("b", big);
    await h.settle();
    const [first, second] = atB.batches.flatMap((batch) => batch.messages);
    t.same(first?.t === "tell" ? [...first.input] : null, [1, 2, 255]);
    t.not(first?.t === "tell" ? first.input.buffer : null, input.buffer);
    t.same(input, [1, 2, 255], "the sender's bytes are still the sender's");
    t.same(second, big);
  });

  check("peers are told of those already up, of newcomers, of the closed and of the crashed", roomy, async (t, h) => {
    const a = await h.open("a");
    const b = await h.open("b");
    const atA = record(a);
    t.same(atA.peers, ["b up"]);
    await h.open("c");
    await h.settle();
    t.same(atA.peers, ["b up", "c up"]);
    b.close();
    await h.settle();
    t.same(atA.peers, ["b up", "c up", "b down"]);
    await h.crash("c");
    await h.settle();
    t.same(atA.peers, ["b up", "c up", "b down", "c down"]);
    t.equal(a.room?.("c") ?? 0, 0);
    a.send("c", told(1));
    const again = record(await h.open("c"));
    a.send("c", told(2));
    await h.settle();
    t.same(atA.peers.at(-1), "c up");
    t.same(again.gists("a"), [2], "what was sent to the dead one does not reach its successor");
  });

  check("messages that arrive before there is a receiver wait for it", roomy, async (t, h) => {
    const [a, b] = [await h.open("a"), await h.open("b")];
    record(a);
    a.send("b", told(1));
    await Promise.resolve();
    const atB = record(b);
    await h.settle();
    t.same(atB.gists(), [1]);
  });

  check(
    "R-ENG-6: past the first bound only messages that may be lost are dropped",
    { maxDroppable: 10, maxQueued: 100 },
    async (t, h) => {
      const [a, b] = [await h.open("a"), await h.open("b")];
      const atA = record(a);
      const atB = record(b);
      for (let n = 0; n < 30; n++) {
        a.send("b", told(n));
        a.send("b", cast(`cast ${n}`));
      }
      t.equal(a.room?.("b") ?? 0, 0);
      await h.settle();
      const got = atB.gists();
      t.same(
        got.filter((value) => typeof value === "number"),
        Array.from({ length: 30 }, (_, n) => n),
      );
      t.equal(got.length, 35);
      t.same(atA.peers, ["b up"]);
      a.send("b", cast("later"));
      await h.settle();
      t.equal(atB.gists().at(-1), "later");
    },
  );

  check(
    "R-ENG-6: past the second bound the pair starts anew and both ends know",
    { maxDroppable: 10, maxQueued: 100 },
    async (t, h) => {
      const [a, b, c] = [await h.open("a"), await h.open("b"), await h.open("c")];
      const [atA, atB, atC] = [record(a), record(b), record(c)];
      for (let n = 0; n < 150; n++) a.send("b", told(n));
      a.send("c", told(1));
      b.send("a", told(1));
      await h.settle();
      t.same(atB.gists(), [], "nothing of what was queued, so no gap that looks like order");
      t.same(atA.gists(), [], "nor of what the other side said before it knew");
      t.same(atA.peers.slice(-2), ["b down", "b up"]);
      t.same(atB.peers.slice(-2), ["a down", "a up"]);
      t.same(atC.gists(), [1], "others are not touched");
      a.send("b", told(151));
      b.send("a", told(152));
      await h.settle();
      t.same(atB.gists(), [151]);
      t.same(atA.gists(), [152]);
    },
  );

  check("a closed link says and hears nothing more", roomy, async (t, h) => {
    const [a, b] = [await h.open("a"), await h.open("b")];
    const atA = record(a);
    const atB = record(b);
    a.close();
    a.close();
    a.send("b", told(1));
    b.send("a", told(2));
    await h.settle();
    t.same(atA.gists(), []);
    t.same(atB.gists(), []);
    t.same(atB.peers.at(-1), "a down");
  });
}
