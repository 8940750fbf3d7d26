/** Each rule: a clean history passes, and the same history with the fault planted fails by that rule. */
import t from "tap";
import type { OrderStatus } from "../../src/protocol/mod.js";
import {
  brokenBy,
  CANCELLED,
  change,
  cleanWorld,
  evidenceOf,
  LIFE,
  type Life,
  later,
  ORDER,
  T0,
  TOTALS,
  timelineOf,
  trip,
  viewOf,
  type World,
} from "./fixtures/clean-world.js";
import { judge, RECORDER_BOUNDS, Recorder } from "./mod.js";

t.test("a clean history breaks no rule", async (t) => {
  t.strictSame(judge(evidenceOf(cleanWorld())), []);
});

t.test("RULES 1: a lost or changed acknowledged order is found", async (t) => {
  const rule = ["rule-01-acknowledged-survives"];
  t.strictSame(
    brokenBy((world) => world.orders.delete("o-2") && world.stockLeft.set("r-1/dish-1", 8)),
    rule,
  );
  t.strictSame(
    brokenBy((world) => change(world, "o-1", { customerId: "c-9" })),
    rule,
  );
  t.strictSame(
    brokenBy((world) => change(world, "o-1", { totals: { ...TOTALS, totalMinor: 1 } })),
    rule,
  );
  t.strictSame(
    brokenBy((world) => change(world, "o-1", { lines: [{ itemId: "dish-1", quantity: 2, unitPriceMinor: 499 }] })),
    rule,
  );
});

t.test("RULES 2: another answer to the same key, or a second charge, is found", async (t) => {
  const rule = ["rule-02-one-key-one-order"];
  const answer = { ok: true, status: "placed", version: 1, totals: TOTALS, receivedAt: T0 + 900 } as const;
  t.strictSame(
    brokenBy(({ recorder }) => recorder.answered("key-1", { ...answer, orderId: "o-2" })),
    rule,
  );
  t.strictSame(
    brokenBy(({ recorder }) =>
      recorder.answered("key-1", { ok: false, code: "item_unavailable", temporary: false, receivedAt: T0 + 900 }),
    ),
    rule,
  );
  t.strictSame(
    brokenBy(({ recorder }) => {
      recorder.answered("key-1", { ok: false, code: "overloaded", temporary: true, receivedAt: T0 + 50 });
    }),
    [],
    "a temporary refusal is no answer",
  );
  t.strictSame(
    brokenBy(({ bookings }) => {
      bookings.push({ orderId: "o-1", kind: "authorised", payment: "p-9", amountMinor: 1300, at: T0 });
      bookings.push({ orderId: "o-1", kind: "captured", payment: "p-9", amountMinor: 1300, at: T0 });
    }),
    rule,
  );
});

t.test("RULES 3: an illegal move, a rewritten history and a version that stands still are found", async (t) => {
  const skip: Life = [...LIFE.slice(0, 2), ["ready", 20]];
  t.strictSame(
    brokenBy(({ recorder }) => {
      recorder.view("c-2", "socket", { ...viewOf("o-9", skip, T0, 3) }, T0 + 30_000);
    }),
    ["rule-03-legal-moves"],
  );
  t.ok(
    brokenBy(({ recorder }) => {
      recorder.view("c-7", "socket", viewOf("o-1", LIFE.slice(0, 7), T0, 3), T0 + 800_000);
    }).includes("rule-03-legal-moves"),
  );
  t.ok(
    brokenBy((world) =>
      change(world, "o-1", {
        timeline: timelineOf(
          [
            ["placed", 0],
            ["delivered", 5],
          ],
          T0,
        ),
      }),
    ).includes("rule-03-legal-moves"),
  );
});

t.test("RULES 4: two contents under one version, or more seen than is stored, are found", async (t) => {
  t.ok(
    brokenBy(({ recorder }) => {
      recorder.view("c-7", "socket", viewOf("o-1", CANCELLED.slice(0, 4), T0, 5), T0 + 70_000);
    }).includes("rule-04-one-writer"),
  );
  t.strictSame(
    brokenBy((world) => change(world, "o-1", { version: 7 })),
    ["rule-04-one-writer"],
  );
});

t.test(
  "RULES 5: two winners of one offer, and a stored driver who is not the one that delivered, are found",
  async (t) => {
    const rule = ["rule-05-one-winner"];
    t.strictSame(
      brokenBy(({ recorder }) => {
        recorder.driver("d-2", { kind: "closed", at: later(0), receivedAt: later(0), offerId: "f-1", outcome: "won" });
      }),
      rule,
    );
    t.strictSame(
      brokenBy((world) => change(world, "o-1", { driverId: "d-2" })),
      rule,
    );
  },
);

t.test("RULES 10: a confirmed order that no tablet showed is found, unless it ended at once", async (t) => {
  const unseen = (life: Life) => (world: World) => {
    world.orders.set("o-7", {
      ...world.orders.get("o-1")!,
      orderId: "o-7",
      status: life[life.length - 1]![0] as OrderStatus,
      lines: [],
      timeline: timelineOf(life, T0),
    });
  };
  t.strictSame(brokenBy(unseen([...LIFE.slice(0, 2), ["cancelled", 700]])), ["rule-10-confirmed-reaches-tablet"]);
  t.strictSame(brokenBy(unseen([...LIFE.slice(0, 2), ["cancelled", 2]])), []);
});

t.test("RULES 14: an acknowledged order that never ends is found", async (t) => {
  t.strictSame(
    brokenBy((world) => {
      world.recorder.placed("key-8", "c-1", { ...ORDER, lines: [] }, later(0));
      const answer = { ok: true, status: "placed", version: 1, totals: TOTALS } as const;
      world.recorder.answered("key-8", { ...answer, orderId: "o-8", receivedAt: later(1) });
      world.recorder.tablet("r-1", { orderId: "o-8", attempt: 1, receivedAt: later(2) });
      world.orders.set("o-8", {
        ...world.orders.get("o-1")!,
        orderId: "o-8",
        lines: [],
        status: "ready",
        timeline: timelineOf(LIFE.slice(0, 6), later(0)),
      });
    }),
    ["rule-14-ends-in-time"],
  );
});

t.test("RULES 15: gaps, repeats, going backwards and a wrong end are found", async (t) => {
  const rule = ["rule-15-no-gap-no-repeat"];
  t.strictSame(
    brokenBy(({ recorder }) => recorder.event("driver:d-1", 16, later(0))),
    rule,
    "a gap",
  );
  t.strictSame(
    brokenBy(({ recorder }) => recorder.event("driver:d-1", 14, later(0))),
    rule,
    "a repeat",
  );
  t.strictSame(
    brokenBy(({ recorder }) => recorder.subscribed("driver:d-1", { epoch: 1, top: 9, recovered: true }, later(0))),
    rule,
    "the node forgot events it had shown",
  );
  t.strictSame(
    brokenBy(({ recorder }) => {
      recorder.subscribed("driver:d-1", { epoch: 2, top: 40, recovered: false }, later(0));
      recorder.event("driver:d-1", 41, later(1));
    }),
    [],
    "after a snapshot counting starts there",
  );
  t.strictSame(
    brokenBy(({ recorder }) => {
      recorder.slot("c-1 order:o-1", "view", [3, 7], later(0));
      recorder.slot("c-1 order:o-1", "view", [3, 6], later(1));
    }),
    rule,
    "an older value in a slot",
  );
  t.strictSame(
    brokenBy(({ recorder }) => {
      recorder.view("c-1", "socket", viewOf("o-1", LIFE.slice(0, 4), T0, 4), later(0));
    }),
    rule,
    "an older version",
  );
  t.ok(
    brokenBy((world) =>
      change(world, "o-1", {
        status: "undeliverable",
        timeline: timelineOf([...LIFE.slice(0, 7), ["undeliverable", 1500]], T0),
      }),
    ).includes("rule-15-no-gap-no-repeat"),
    "the client saw another end than the database holds",
  );
});

t.test("RULES 16: the recorder is bounded per order and per driver", async (t) => {
  const recorder = new Recorder();
  for (let i = 0; i < 5000; i++) {
    recorder.position("o-1", "c-1", "socket", { lat: 1, lng: 1, at: i }, i);
    recorder.fix("d-1", i, 1, 1, true);
    recorder.driver("d-1", trip(i, null, []));
    recorder.event("driver:d-1", 1, i);
  }
  const history = recorder.history();
  t.ok(history.orders[0]!.positions.length <= 400);
  t.equal(history.orders[0]!.positions.length + history.orders[0]!.dropped, 5000);
  t.ok(history.drivers[0]!.fixes.length <= 2400);
  t.equal(history.drivers[0]!.entries.length + history.drivers[0]!.droppedEntries, 5000);
  t.ok(history.faults.length <= 200);
});

t.test("RULES 1, 16: an answer that counts is written down however many temporary ones came before it", async (t) => {
  const recorder = new Recorder();
  recorder.placed("k", "c", ORDER, 0);
  for (let i = 0; i < 100; i++) {
    recorder.answered("k", { ok: false, receivedAt: i, code: "overloaded", temporary: true });
  }
  recorder.answered("k", { ok: true, receivedAt: 100, orderId: "o", status: "placed", version: 1, totals: TOTALS });
  recorder.answered("k", { ok: false, receivedAt: 101, code: "key_reused", temporary: false });
  const [placement] = recorder.history().placements;
  t.equal(placement?.answers.length, RECORDER_BOUNDS.answersPerPlacement);
  t.match(placement?.answers.slice(-2), [
    { ok: true, orderId: "o" },
    { ok: false, code: "key_reused" },
  ]);
});
