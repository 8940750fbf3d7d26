import t from "tap";
import { bench, caller, event, inbox, item, recordedSink, slot, slotItem } from "./fixtures/bench.js";

const started = (id: number, top: number, more: object = {}) =>
  ({ t: "subscribed", id, epoch: 1, top, recovered: false, events: [], slots: [], ...more }) as const;

t.test("events that come before the start are merged behind it: no gap, no repeat", async (t) => {
  const b = bench();
  const a = b.shards("a");
  const sink = recordedSink();
  b.client.subscribe(inbox, caller, { epoch: 1, offset: 2 }, sink);
  await b.settle();
  const [subscribe] = a.take("subscribe");
  t.match(subscribe, { to: { kind: "echo", key: "k" }, channel: "inbox", caller, from: { epoch: 1, offset: 2 } });
  a.say(event(4));
  a.say(event(5));
  a.say(started(subscribe!.id, 4, { recovered: true, events: [item(3), item(4)] }));
  a.say(event(6));
  await b.settle();
  t.same(sink.log, ["recovered 1:4 [3,4] []", "event 5", "event 6"]);
});

t.test("what arrives once is given to every subscription of the channel, each from its own start", async (t) => {
  const b = bench();
  const a = b.shards("a");
  const [first, second, other] = [recordedSink(), recordedSink(), recordedSink()];
  b.client.subscribe(inbox, caller, null, first);
  b.client.subscribe({ ...inbox, channel: "else" }, caller, null, other);
  await b.settle();
  const [one, elsewhere] = a.take("subscribe");
  a.say(started(one!.id, 0));
  a.say(started(elsewhere!.id, 0));
  a.say(event(1));
  await b.settle();
  const late = b.client.subscribe(inbox, caller, null, second);
  await b.settle();
  const [two] = a.take("subscribe");
  a.say(event(2));
  a.say(started(two!.id, 2, { slots: [slotItem("snapshot", [1, 1])] }));
  a.say(event(3));
  await b.settle();
  t.same(first.log, ["snapshot 1:0 [] []", "event 1", "event 2", "event 3"]);
  t.same(second.log, ["snapshot 1:2 [] [snapshot@1.1]", "event 3"]);
  t.same(other.log, ["snapshot 1:0 [] []"]);
  late.close();
  late.close();
  await b.settle();
  t.match(a.take("unsubscribe"), [{ id: two!.id, to: { kind: "echo", key: "k" }, channel: "inbox" }]);
  a.say(event(4));
  await b.settle();
  t.equal(first.log.at(-1), "event 4");
  t.equal(second.log.at(-1), "event 3");
});

t.test("a missing offset makes it ask again from where it was", async (t) => {
  const b = bench();
  const a = b.shards("a");
  const sink = recordedSink();
  b.client.subscribe(inbox, caller, null, sink);
  await b.settle();
  const [first] = a.take("subscribe");
  a.say(started(first!.id, 1));
  a.say(event(2));
  a.say(event(2));
  a.say(event(4));
  await b.settle();
  t.match(a.take("unsubscribe"), [{ id: first!.id }]);
  const [again] = a.take("subscribe");
  t.same(again?.from, { epoch: 1, offset: 2 });
  a.say(event(5));
  a.say(started(again!.id, 5, { recovered: true, events: [item(3), item(4), item(5)] }));
  a.say(event(6));
  await b.settle();
  t.same(sink.log, ["snapshot 1:1 [] []", "event 2", "event 3", "event 4", "event 5", "event 6"]);
  t.equal(b.client.stats().resubscribed, 1);
});

t.test("R-ENG-8: a subscription survives the death of its worker and goes on behind its last offset", async (t) => {
  const b = bench();
  const a = b.shards("a");
  const sink = recordedSink();
  b.client.subscribe(inbox, caller, null, sink);
  await b.settle();
  a.say(started(a.take("subscribe")[0]!.id, 7));
  a.say(event(8));
  await b.settle();
  a.link.close();
  await b.settle();
  const successor = b.shards("a");
  await b.settle();
  const [again] = successor.take("subscribe");
  t.same(again?.from, { epoch: 1, offset: 8 });
  successor.say(started(again!.id, 9, { recovered: true, events: [item(9)] }));
  await b.settle();
  t.same(sink.log, ["snapshot 1:7 [] []", "event 8", "event 9"], "nothing tells the sink that anything happened");
});

t.test(
  "R-ENG-8: a shard that comes back from an owner out of reach is subscribed to again, without a gap",
  async (t) => {
    const b = bench();
    const a = b.shards("a");
    const sink = recordedSink();
    b.client.subscribe(inbox, caller, null, sink);
    await b.settle();
    const [first] = a.take("subscribe");
    a.say(started(first!.id, 1));
    await b.settle();
    // "c" is not up for this client: until it is, the old owner may still speak.
    b.assign("c");
    await b.settle();
    t.same(a.take("subscribe"), []);
    t.same(a.take("unsubscribe"), []);
    a.say(event(2));
    await b.settle();
    // Under another epoch "a" knows nobody who listened before.
    b.assign("a");
    await b.settle();
    t.match(a.take("unsubscribe"), [{ id: first!.id }], "should it still have known the old one");
    const [again] = a.take("subscribe");
    t.same(again?.from, { epoch: 1, offset: 2 }, "from what was heard of the old owner");
    a.say(started(again!.id, 3, { recovered: true, events: [item(3)] }));
    a.say(event(4));
    await b.settle();
    t.same(sink.log, ["snapshot 1:1 [] []", "event 2", "event 3", "event 4"]);
    t.equal(b.client.stats().resubscribed, 1);
    // What is moved to where it is listened to already is no reason to ask once more.
    b.assign("a");
    await b.settle();
    t.same(a.take("subscribe"), []);
  },
);

t.test("R-ENG-8: a new owner that comes into reach late is subscribed to then, without a gap", async (t) => {
  const b = bench();
  const a = b.shards("a");
  const sink = recordedSink();
  b.client.subscribe(inbox, caller, null, sink);
  await b.settle();
  const [first] = a.take("subscribe");
  a.say(started(first!.id, 1));
  await b.settle();
  b.assign("c");
  await b.settle();
  t.same(a.take("unsubscribe"), [], "the old owner may still speak");
  const c = b.shards("c");
  await b.settle();
  t.match(a.take("unsubscribe"), [{ id: first!.id }]);
  const [again] = c.take("subscribe");
  t.same(again?.from, { epoch: 1, offset: 1 });
  c.say(started(again!.id, 2, { epoch: 1, recovered: true, events: [item(2)] }));
  await b.settle();
  t.same(sink.log, ["snapshot 1:1 [] []", "event 2"]);
});

t.test("when the history is lost, the sink gets a new start that replaces all", async (t) => {
  const b = bench();
  const [a, c] = [b.shards("a"), b.shards("c")];
  const sink = recordedSink();
  b.client.subscribe(inbox, caller, null, sink);
  await b.settle();
  const [first] = a.take("subscribe");
  a.say(started(first!.id, 7, { slots: [slotItem("s", [1, 9])] }));
  await b.settle();
  b.assign("c");
  await b.settle();
  t.match(a.take("unsubscribe"), [{ id: first!.id }]);
  const [moved] = c.take("subscribe");
  a.say(event(8));
  c.say(started(moved!.id, 2, { epoch: 2, slots: [slotItem("s", [2, 1])] }));
  c.say(event(3));
  c.say(slot("s", [1, 10]));
  c.say(slot("s", [2, 2]));
  await b.settle();
  t.same(sink.log, ["snapshot 1:7 [] [s@1.9]", "snapshot 2:2 [] [s@2.1]", "event 3", "slot s@2.2"]);
});

t.test("a slot's value never goes backwards, also around a start", async (t) => {
  const b = bench();
  const a = b.shards("a");
  const sink = recordedSink();
  b.client.subscribe(inbox, caller, null, sink);
  await b.settle();
  a.say(slot("x", [1, 4]));
  a.say(slot("y", [1, 6]));
  a.say(slot("y", [1, 5]));
  a.say(started(a.take("subscribe")[0]!.id, 0, { slots: [slotItem("x", [1, 5]), slotItem("y", [1, 2])] }));
  a.say(slot("x", [1, 5]));
  a.say(slot("x", [1, 9]));
  a.say(slot("x", [1, 8]));
  a.say(slot("x", [2, 1]));
  await b.settle();
  t.same(sink.log, ["snapshot 1:0 [] [x@1.5,y@1.2]", "slot y@1.6", "slot x@1.9", "slot x@2.1"]);
});

t.test("a refusal ends it; a temporary one is tried again; a wrong route is followed", async (t) => {
  const b = bench({ rerouteMinMs: 50 });
  const [a, c] = [b.shards("a"), b.shards("c")];
  const sink = recordedSink();
  b.client.subscribe(inbox, caller, null, sink);
  await b.settle();
  const [first] = a.take("subscribe");
  a.say({ t: "error", id: first!.id, error: { code: "not_owner", temporary: true }, owner: "c" });
  await b.settle();
  const [second] = c.take("subscribe");
  c.say({ t: "error", id: second!.id, error: { code: "overloaded", temporary: true, retryAfterMs: 300 } });
  await b.settle();
  b.clock.advance(250);
  await b.settle();
  t.same(c.take("subscribe"), []);
  b.clock.advance(100);
  await b.settle();
  const [third] = c.take("subscribe");
  c.say({ t: "error", id: third!.id, error: { code: "forbidden", temporary: false } });
  await b.settle();
  t.same(sink.log, ["ended forbidden"]);
  t.match(b.client.stats(), { subscriptions: 0, channels: 0 });
  t.equal(b.clock.timers(), 0);
});

t.test("a subscribe without an answer is sent again under a new id; one that cannot start is ended", async (t) => {
  const b = bench({ subscribeTimeoutMs: 1_000, subscribeGiveUpMs: 2_500 });
  const a = b.shards("a");
  const [lost, never] = [recordedSink(), recordedSink()];
  b.client.subscribe(inbox, caller, null, lost);
  await b.settle();
  const [first] = a.take("subscribe");
  b.clock.advance(1_050);
  await b.settle();
  const [second] = a.take("subscribe");
  t.match(a.take("unsubscribe"), [{ id: first!.id }]);
  a.say(started(first!.id, 1));
  a.say(started(second!.id, 2));
  await b.settle();
  t.same(lost.log, ["snapshot 1:2 [] []"]);
  b.assign(null);
  b.client.subscribe({ ...inbox, key: "other" }, caller, null, never);
  a.link.close();
  b.clock.advance(2_600);
  t.same(never.log, ["ended unavailable"]);
  b.clock.advance(60_000);
  t.same(lost.log, ["snapshot 1:2 [] []"], "one that had started waits as long as it takes");
});

t.test("R-ENG-6: live events beyond the buffer are not kept, but asked for again", async (t) => {
  const b = bench({ maxBuffered: 3 });
  const a = b.shards("a");
  const sink = recordedSink();
  b.client.subscribe(inbox, caller, null, sink);
  await b.settle();
  for (let offset = 1; offset <= 5; offset++) a.say(event(offset));
  a.say(started(a.take("subscribe")[0]!.id, 0));
  await b.settle();
  const [again] = a.take("subscribe");
  t.same(again?.from, { epoch: 1, offset: 0 });
  a.say(started(again!.id, 5, { recovered: true, events: [1, 2, 3, 4, 5].map(item) }));
  await b.settle();
  t.same(sink.log, ["snapshot 1:0 [] []", "event 1", "event 2", "event 3", "event 4", "event 5"]);
});

t.test("R-ENG-6: what was buffered once takes no room when it is asked for again", async (t) => {
  const b = bench({ maxBuffered: 2 });
  const a = b.shards("a");
  const sink = recordedSink();
  b.client.subscribe(inbox, caller, null, sink);
  await b.settle();
  let top = 0;
  for (let round = 1; round <= 3; round++) {
    const [asked] = a.take("subscribe");
    const from = asked?.from?.offset ?? 0;
    for (const offset of [from + 1, from + 2]) a.say(event(offset));
    a.say(started(asked!.id, from, { recovered: round > 1 }));
    // One is missing: it asks again.
    a.say(event(from + 4));
    await b.settle();
    top = from + 2;
  }
  t.same(
    sink.log.slice(1),
    Array.from({ length: top }, (_, n) => `event ${n + 1}`),
  );
  t.same([top, b.client.stats().resubscribed], [6, 3]);
});

t.test("what has been trimmed before a new start is no gap", async (t) => {
  const b = bench();
  const a = b.shards("a");
  const sink = recordedSink();
  b.client.subscribe(inbox, caller, null, sink);
  await b.settle();
  a.say(started(a.take("subscribe")[0]!.id, 7));
  await b.settle();
  a.link.close();
  const successor = b.shards("a");
  await b.settle();
  successor.say(started(successor.take("subscribe")[0]!.id, 12, { recovered: true, events: [item(10)] }));
  successor.say(event(13));
  await b.settle();
  t.same(sink.log, ["snapshot 1:7 [] []", "event 10", "event 13"]);
  t.same(successor.take("subscribe"), []);
});

t.test("R-ENG-6: events lost because a link's queue was full are recovered, and asks sent again", async (t) => {
  const b = bench({}, { maxDroppable: 10, maxQueued: 20 });
  const a = b.shards("a");
  const sink = recordedSink();
  b.client.subscribe(inbox, caller, null, sink);
  a.say({ t: "credit", count: 5 });
  await b.settle();
  a.say(started(a.take("subscribe")[0]!.id, 0));
  b.ask("1");
  await b.settle();
  t.equal(a.take("ask").length, 1);
  for (let offset = 1; offset <= 30; offset++) a.say(event(offset));
  await b.settle();
  const [again] = a.take("subscribe");
  t.same(again?.from, { epoch: 1, offset: 0 });
  a.say(started(again!.id, 30, { recovered: true, events: Array.from({ length: 30 }, (_, n) => item(n + 1)) }));
  a.say({ t: "credit", count: 5 });
  await b.settle();
  t.equal(sink.log.length, 31);
  t.equal(sink.log.at(-1), "event 30");
  t.match(a.take("ask"), [{ commandId: "1" }]);
});

t.test("R-ENG-6: subscriptions are bounded", async (t) => {
  const b = bench({ maxSubscriptions: 1 });
  const [first, second] = [recordedSink(), recordedSink()];
  const held = b.client.subscribe(inbox, caller, null, first);
  b.client.subscribe(inbox, caller, null, second);
  await b.settle();
  t.same(second.log, ["ended overloaded"]);
  held.close();
  t.equal(b.client.stats().subscriptions, 0);
});

t.test("acknowledgements are cumulative and said again to a new owner", async (t) => {
  const b = bench();
  const a = b.shards("a");
  const subscription = b.client.subscribe(inbox, caller, null, recordedSink());
  await b.settle();
  a.say(started(a.take("subscribe")[0]!.id, 9));
  await b.settle();
  subscription.acknowledge(1, 5);
  subscription.acknowledge(1, 4);
  subscription.acknowledge(1, 7);
  await b.settle();
  t.same(
    a.take("acknowledge").map(({ epoch, offset }) => [epoch, offset]),
    [
      [1, 5],
      [1, 7],
    ],
  );
  a.link.close();
  subscription.acknowledge(1, 8);
  const successor = b.shards("a");
  await b.settle();
  successor.say(started(successor.take("subscribe")[0]!.id, 9, { recovered: true }));
  await b.settle();
  t.match(successor.take("acknowledge"), [{ epoch: 1, offset: 8 }]);
});

t.test("a sink may close its subscription at any call and gets nothing more", async (t) => {
  const b = bench();
  const a = b.shards("a");
  const sink = recordedSink(() => subscription.close());
  const subscription = b.client.subscribe(inbox, caller, null, sink);
  await b.settle();
  a.say(event(1));
  a.say(event(2));
  a.say(started(a.take("subscribe")[0]!.id, 0));
  await b.settle();
  t.same(sink.log, ["snapshot 1:0 [] []", "event 1"]);
  t.equal(a.take("unsubscribe").length, 1);
});
