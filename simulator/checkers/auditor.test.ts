/** Rules that an auditor's evidence feeds: commits, events, bounds, a world at rest. Without it they say nothing. */
import t from "tap";
import {
  brokenBy,
  brokenForAuditor,
  CANCELLED,
  commit,
  event,
  LIFE,
  type Life,
  later,
  ORDER,
  T0,
  TOTALS,
  timelineOf,
  viewOf,
  type World,
} from "./fixtures/clean-world.js";
import { judgeEvents, outstanding } from "./mod.js";

t.test("a clean history with an auditor's evidence breaks no rule", async (t) => {
  t.strictSame(
    brokenForAuditor(() => {}),
    [],
  );
});

t.test("RULES 2: a command that was done twice, or a second hold on the same money, is found", async (t) => {
  t.strictSame(
    brokenForAuditor(({ commits }) => commits.push({ ...commits[2]!, seqBefore: 3, seq: 4, pushes: [] })),
    ["rule-02-command-runs-once"],
  );
  t.strictSame(
    brokenForAuditor((_, { orders, recorder }) => {
      orders.set("o-3", { ...orders.get("o-1")!, orderId: "o-3", lines: [] });
      recorder.tablet("r-1", { orderId: "o-3", attempt: 1, receivedAt: T0 + 1100 });
    }),
    ["rule-02-one-key-one-order"],
    "an order that no key stands for",
  );
  t.ok(
    brokenForAuditor((_, { bookings }) =>
      bookings.push({ orderId: "o-1", kind: "authorised", payment: "p-9", amountMinor: 1300, at: T0 }),
    ).includes("rule-02-one-key-one-order"),
  );
});

t.test("RULES 4: commits of a stale epoch, of two processes under one, and lost updates are found", async (t) => {
  const rule = ["rule-04-one-epoch-commits"];
  const fourth = { process: "n2-4", node: "n2", epoch: 4, owner: { node: "n2", epoch: 4 } };
  const found = (to: Parameters<typeof commit>[1]) =>
    brokenForAuditor(({ commits }) => commits.push(commit(4, { ...fourth, ...to })));
  t.strictSame(found({}), []);
  t.strictSame(found({ owner: { node: "n3", epoch: 5 } }), rule, "the shard is at a newer epoch");
  t.strictSame(found({ owner: { node: "n3", epoch: 4 } }), rule, "the shard is another node's");
  t.strictSame(found({ process: "n2-5" }), rule, "a restarted process goes on under the old one's epoch");
  t.strictSame(found({ seqBefore: 2, seq: 3, pushes: [] }), rule, "built on what was not the last");
  t.strictSame(found({ seq: 3, pushes: [] }), rule, "the version stands still");
  t.strictSame(found({ process: "n1-1", node: "n1", epoch: 3, owner: { node: "n1", epoch: 3 } }), rule);
});

t.test("RULES 9: money that nobody holds any more, or twice, is found", async (t) => {
  const rule = ["rule-09-ledger-sums-to-zero"];
  const last = { orderId: "o-2", payment: "p-2", at: later(0) };
  t.strictSame(
    brokenForAuditor((_, { bookings }) => bookings.pop()),
    rule,
    "delivered, and the money is still on hold",
  );
  t.strictSame(
    brokenBy(({ bookings }) => bookings.pop()),
    [],
    "a run that did not wait does not know",
  );
  t.strictSame(
    brokenBy(({ bookings }) => bookings.push({ ...last, kind: "voided", amountMinor: 0 })),
    rule,
    "captured and given back",
  );
  t.strictSame(
    brokenBy(({ bookings }) => bookings.splice(3, 0, { ...last, kind: "voided", amountMinor: 0 })),
    rule,
    "captured after it was given back",
  );
});

t.test("RULES 10: a tablet that is told late is found", async (t) => {
  const rule = ["rule-10-confirmed-reaches-tablet"];
  const waiting = (life: Life, ...shown: (readonly [second: number, attempt: number])[]) =>
    brokenForAuditor((_, { orders, recorder }: World) => {
      const last = life[life.length - 1]![0] as "cancelled";
      recorder.placed("key-7", "c-1", { ...ORDER, lines: [] }, T0);
      orders.set("o-7", {
        ...orders.get("o-1")!,
        orderId: "o-7",
        status: last,
        lines: [],
        timeline: timelineOf(life, T0),
      });
      for (const [second, attempt] of shown) {
        recorder.tablet("r-1", { orderId: "o-7", attempt, receivedAt: T0 + second * 1000 });
      }
    });
  const late: Life = [...LIFE.slice(0, 2), ["cancelled", 700]];
  t.strictSame(waiting(late, [30, 1], [60, 2]), []);
  t.strictSame(waiting(late, [40, 1], [60, 2]), rule, "39 seconds for the first time");
  t.strictSame(waiting([...LIFE.slice(0, 2), ["cancelled", 50]], [2, 1]), []);
});

t.test("RULES 11: everything committed that came once or more, in order, is no violation", async (t) => {
  const other = { kind: "order", key: "b", offset: 1 };
  const committed = [event(1), event(2), other];
  const received = [event(1), other, event(1), event(2), event(1)];
  t.strictSame(judgeEvents(committed, received), []);
  t.equal(outstanding(committed, received), 0);
});

t.test("RULES 11: a lost event, a wrong order, one too early and one that never was are told", async (t) => {
  const committed = [event(1), event(2), event(3)];
  t.equal(outstanding(committed, [event(1)]), 2);
  t.match(judgeEvents(committed, [event(1), event(3)]), [
    { rule: "rule-11-events-once-in-order", subject: "order/o-1", summary: /never published: 2/ },
  ]);
  t.match(judgeEvents(committed, [event(1), event(3), event(2)]), [
    { subject: "order/o-1", summary: /event 2 came for the first time after event 3/ },
  ]);
  t.match(judgeEvents([event(1)], [event(1), event(2)]), [
    { subject: "order/o-1", summary: /event 2 was published and never committed/ },
  ]);
  t.match(judgeEvents([event(1, 500)], [event(1, 499)]), [{ summary: /1 ms before its commit/ }]);
  t.equal(judgeEvents([event(1)], []).length, 1);
  t.strictSame(
    brokenForAuditor(({ received }) => received.pop()),
    ["rule-11-events-once-in-order"],
  );
});

t.test("RULES 14: an order that nobody was told of must end as well", async (t) => {
  const rule = ["rule-14-ends-in-time"];
  const forgotten = ({ orders, recorder }: World): void => {
    recorder.placed("key-8", "c-1", { ...ORDER, lines: [] }, T0);
    orders.set("o-8", {
      ...orders.get("o-1")!,
      orderId: "o-8",
      lines: [],
      status: "ready",
      timeline: timelineOf(LIFE.slice(0, 6), T0),
    });
    recorder.tablet("r-1", { orderId: "o-8", attempt: 1, receivedAt: T0 + 2000 });
  };
  t.strictSame(
    brokenForAuditor((_, world) => forgotten(world)),
    rule,
  );
  t.strictSame(
    brokenForAuditor((auditor, world) => {
      auditor.atRest = false;
      forgotten(world);
    }),
    rule,
    "not coming to rest is no excuse",
  );
  t.strictSame(brokenBy(forgotten), []);
});

t.test("RULES 15: a follower who never hears of the end, a hole in a channel, a node that forgot", async (t) => {
  const rule = ["rule-15-no-gap-no-repeat"];
  const left = ({ recorder }: World): void => {
    recorder.view("c-1 second phone", "socket", viewOf("o-1", LIFE.slice(0, 4), T0, 4), T0 + 20_100);
  };
  t.strictSame(
    brokenForAuditor((_, world) => left(world)),
    rule,
  );
  t.strictSame(brokenBy(left), [], "who leaves early is no follower");
  t.strictSame(
    brokenForAuditor(({ commits }) => (commits[1] = commit(2, { pushes: [] }))),
    ["rule-15-offsets-without-holes"],
  );
  t.strictSame(
    brokenForAuditor(({ commits }) => (commits[1] = commit(2, { pushes: commits[0]!.pushes }))),
    ["rule-15-offsets-without-holes"],
  );
  t.strictSame(
    brokenBy(({ recorder }) => recorder.subscribed("driver:d-1", { epoch: 1, top: 9, recovered: false }, later(0))),
    rule,
    "a fresh start that lies before what was shown",
  );
  t.strictSame(
    brokenBy(({ recorder }) => {
      recorder.orderSubscribed("o-1", "c-1", LIFE.length, later(0));
      recorder.orderSubscribed("o-1", "c-9", 1, later(0));
    }),
    [],
  );
  t.strictSame(
    brokenBy(({ recorder }) => recorder.orderSubscribed("o-1", "c-1", LIFE.length - 1, later(0))),
    rule,
    "the node names an older version than it has shown",
  );
});

t.test("RULES 15: a start that was never committed, and a listener who is left behind, are found", async (t) => {
  const rule = ["rule-15-channels-match-commits"];
  const said = (...offsets: number[]) =>
    commit(1, {
      kind: "driver",
      key: "d-9",
      commandIds: [],
      pushes: offsets.map((offset) => ({ channel: "work", offset, type: "offer.made" })),
    });
  const start = { epoch: 1, recovered: false };
  t.strictSame(
    brokenForAuditor(({ commits }, { recorder }) => {
      commits.push(said(1, 2));
      recorder.subscribed("driver:d-9#2", { ...start, top: 1 }, T0 + 2000);
      recorder.event("driver:d-9#2", 2, T0 + 2001);
      recorder.subscribed("driver:d-9", { ...start, top: 0 }, T0 + 900);
      recorder.left("driver:d-9");
    }),
    [],
    "one has heard it all, the other has left",
  );
  t.strictSame(
    brokenForAuditor(({ commits }, { recorder }) => {
      commits.push(said(1, 2));
      recorder.subscribed("driver:d-9", { ...start, top: 1 }, T0 + 2000);
    }),
    rule,
    "it never hears of the second",
  );
  t.strictSame(
    brokenForAuditor(({ commits }, { recorder }) => {
      commits.push(said(1, 2));
      recorder.subscribed("driver:d-9", { ...start, top: 2 }, T0 + 700);
    }),
    rule,
    "nobody had said two things yet",
  );
});

t.test("RULES 16: what outgrew its bound is found", async (t) => {
  t.strictSame(
    brokenForAuditor(({ samples }) =>
      samples.push({ what: "unsent bytes", where: "c-1", most: 300_000, limit: 262_144 }),
    ),
    ["rule-16-within-bounds"],
  );
});

t.test("RULES 17: what a cancelled order gives back twice, or not at all, is found", async (t) => {
  const rule = ["rule-17-never-oversold"];
  const cancelled = (left: number) =>
    brokenBy(({ orders, stockLeft, recorder, bookings }) => {
      orders.set("o-7", {
        ...orders.get("o-1")!,
        orderId: "o-7",
        status: "cancelled",
        totals: TOTALS,
        lines: ORDER.lines,
        timeline: timelineOf(CANCELLED, T0),
      });
      recorder.tablet("r-1", { orderId: "o-7", attempt: 1, receivedAt: T0 + 1100 });
      bookings.push({ orderId: "o-7", kind: "authorised", payment: "p-7", amountMinor: 1300, at: T0 });
      stockLeft.set("r-1/dish-1", left);
    });
  t.strictSame(cancelled(6), []);
  t.strictSame(cancelled(8), rule);
  t.strictSame(cancelled(4), rule);
});
