import t from "tap";
import type { LinkMessage } from "../link.js";
import { createMemoryNetwork } from "./memory.js";

const cast = (n: number): LinkMessage => ({
  t: "cast",
  to: { kind: "k", key: "1" },
  name: "n",
  input: n,
  caller: null,
  from: null,
});
const inputs = (messages: readonly LinkMessage[]): unknown[] =>
  messages.map((message) => (message.t === "cast" ? message.input : message.t));

t.test("nothing arrives inside send; a pump delivers one batch per pair, in order", async (t) => {
  const network = createMemoryNetwork();
  const [a, b] = [network.endpoint("a"), network.endpoint("b")];
  const got: unknown[] = [];
  b.receive((from, messages) => got.push([from, inputs(messages)]));
  a.send("b", cast(1));
  a.send("b", cast(2));
  t.same(got, []);
  t.equal(network.pending(), 2);
  t.equal(network.pump(), 2);
  t.same(got, [["a", [1, 2]]]);
});

t.test("a route can lose, duplicate and reorder; duplicates share no object", async (t) => {
  const network = createMemoryNetwork({
    route: ({ messages }) =>
      messages.length === 1 ? [] : [{ messages: [...messages].reverse() }, { messages: messages.slice(0, 1) }],
  });
  const [a, b] = [network.endpoint("a"), network.endpoint("b")];
  const got: LinkMessage[] = [];
  b.receive((_, messages) => got.push(...messages));
  a.send("b", cast(1));
  network.pump();
  t.same(got, []);
  a.send("b", cast(1));
  a.send("b", cast(2));
  network.pump();
  t.same(inputs(got), [2, 1, 1]);
  t.not(got[1], got[2]);
});

t.test("a delayed batch holds up what follows unless it may be overtaken", async (t) => {
  let time = 0;
  let timers: { at: number; run: () => void }[] = [];
  const clock = {
    now: () => time,
    monotonic: () => time,
    after(delayMs: number, run: () => void) {
      const timer = { at: time + delayMs, run };
      timers.push(timer);
      return () => {
        timers = timers.filter((other) => other !== timer);
      };
    },
    every: () => () => {},
  };
  const advance = (to: number): void => {
    for (;;) {
      const next = timers.filter((timer) => timer.at <= to).sort((x, y) => x.at - y.at)[0];
      if (next === undefined) break;
      timers = timers.filter((timer) => timer !== next);
      time = Math.max(time, next.at);
      next.run();
    }
    time = to;
  };
  let outOfOrder = false;
  const network = createMemoryNetwork({
    clock,
    route: ({ messages }) => [{ messages, delayMs: inputs(messages)[0] === 1 ? 50 : 0, outOfOrder }],
  });
  const [a, b] = [network.endpoint("a"), network.endpoint("b")];
  let got: unknown[] = [];
  b.receive((_, messages) => got.push(...inputs(messages)));
  a.send("b", cast(1));
  advance(10);
  a.send("b", cast(2));
  advance(49);
  t.same(got, []);
  advance(50);
  t.same(got, [1, 2]);
  got = [];
  outOfOrder = true;
  a.send("b", cast(1));
  advance(60);
  a.send("b", cast(2));
  advance(200);
  t.same(got, [2, 1]);
});

t.test(
  "peers are told of those already up, of newcomers, of the closed; a reopened endpoint gets no old messages",
  async (t) => {
    const network = createMemoryNetwork();
    const a = network.endpoint("a");
    const seen: string[] = [];
    const b = network.endpoint("b");
    a.peers((peer, change) => seen.push(`${peer} ${change}`));
    t.same(seen, ["b up"]);
    network.endpoint("c");
    a.send("b", cast(1));
    b.close();
    b.close();
    t.same(seen, ["b up", "c up", "b down"]);
    t.equal(a.room?.("b"), 0);
    const again = network.endpoint("b");
    const got: unknown[] = [];
    again.receive((_, messages) => got.push(...messages));
    network.pump();
    t.same(got, []);
    t.same(seen.at(-1), "b up");
    t.throws(() => network.endpoint("b"), /open already/);
  },
);

t.test("a partition loses messages both ways, with or without notice", async (t) => {
  const network = createMemoryNetwork();
  const [a, b] = [network.endpoint("a"), network.endpoint("b")];
  const seen: string[] = [];
  const got: unknown[] = [];
  a.peers((peer, change) => seen.push(`${peer} ${change}`));
  b.receive((_, messages) => got.push(...inputs(messages)));
  network.partition("a", "b", { notice: false });
  a.send("b", cast(1));
  network.pump();
  network.heal("a", "b");
  t.same(seen, ["b up"]);
  network.partition("a", "b");
  a.send("b", cast(2));
  network.pump();
  network.heal("a", "b");
  a.send("b", cast(3));
  network.pump();
  t.same(seen, ["b up", "b down", "b up"]);
  t.same(got, [3]);
});
