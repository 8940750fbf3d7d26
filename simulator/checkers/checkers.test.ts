/** Each rule: a clean history passes, and the same history with the fault planted fails by that rule and tells a story. */
import t from "tap";
import type { OrderStatus, OrderView, PlaceOrder, TimelineKind } from "../../src/protocol/mod.js";
import {
  type Booking,
  type DriverEntry,
  type Evidence,
  joinHistories,
  judge,
  Recorder,
  type StoredOrder,
} from "./mod.js";

const T0 = 1_790_000_000_000;
const TOTALS = {
  currency: "EUR",
  itemsMinor: 1000,
  feeMinor: 200,
  taxMinor: 100,
  tipMinor: 0,
  discountMinor: 0,
  totalMinor: 1300,
};
const ORDER: PlaceOrder = {
  restaurantId: "r-1",
  lines: [{ itemId: "dish-1", quantity: 2, unitPriceMinor: 500 }],
  destination: { lat: 44.41, lng: 8.93 },
  currency: "EUR",
};
/** What happens to an order, in seconds after its placement. */
const LIFE: readonly (readonly [TimelineKind, number])[] = [
  ["placed", 0],
  ["confirmed", 1],
  ["accepted", 10],
  ["driver_assigned", 20],
  ["preparing", 60],
  ["ready", 600],
  ["picked_up", 700],
  ["delivered", 1500],
];

type Life = readonly (readonly [TimelineKind, number])[];

function timelineOf(life: Life, start: number): OrderView["timeline"] {
  return life.map(([kind, second]) => ({ kind, at: start + second * 1000, by: "system" }));
}

function viewOf(orderId: string, life: Life, start: number, version: number): OrderView {
  const statuses = life.map(([kind]) => kind).filter((kind) => !kind.startsWith("driver_"));
  return {
    orderId,
    version,
    status: statuses[statuses.length - 1] as OrderStatus,
    timeline: timelineOf(life, start),
    restaurant: { id: "r-1", name: "Forno", lat: 44.4, lng: 8.94 },
    destination: ORDER.destination,
    lines: [],
    totals: TOTALS,
    placedAt: start,
    anotherFirst: false,
  };
}

interface World {
  readonly recorder: Recorder;
  readonly orders: Map<string, StoredOrder>;
  readonly bookings: Booking[];
  trips: { driverId: string; tripId: string; orderIds: string[] }[];
  stockLeft: Map<string, number>;
  readonly stockConfigured: Map<string, number>;
}

/** Two orders of one restaurant, delivered one after the other by one driver, watched on a socket. */
function cleanWorld(): World {
  const world: World = {
    recorder: new Recorder(),
    orders: new Map(),
    bookings: [],
    trips: [],
    stockLeft: new Map([["r-1/dish-1", 6]]),
    stockConfigured: new Map([["r-1/dish-1", 10]]),
  };
  const { recorder } = world;
  recorder.subscribed("driver:d-1", { epoch: 1, top: 0, recovered: false }, T0);
  for (const [number, start] of [
    [1, T0],
    [2, T0 + 2_000_000],
  ] as const) {
    const orderId = `o-${number}`;
    const at = (second: number) => start + second * 1000;
    recorder.placed(`key-${number}`, "c-1", ORDER, start);
    const answer = { ok: true, orderId, status: "placed", version: 1, totals: TOTALS } as const;
    recorder.answered(`key-${number}`, { ...answer, receivedAt: start + 80 });
    recorder.answered(`key-${number}`, { ...answer, receivedAt: start + 180 });
    for (let steps = 1; steps <= LIFE.length; steps++) {
      const view = viewOf(orderId, LIFE.slice(0, steps), start, steps);
      recorder.view("c-1", "socket", view, at(LIFE[steps - 1]![1]) + 15);
      if (view.status === "picked_up") {
        recorder.fix("d-1", at(800), 44.401, 8.931, true);
        recorder.position(orderId, "c-1", "socket", { lat: 44.401, lng: 8.931, at: at(800) }, at(800) + 20);
      }
    }
    recorder.tablet("r-1", { orderId, attempt: 1, receivedAt: at(1) + 40 });
    const entries: DriverEntry[] = [
      { kind: "offer", at: at(12), receivedAt: at(12), offerId: `f-${number}`, orderId, expiresAt: at(57) },
      { kind: "did", command: "accept", subject: `f-${number}`, sentAt: at(18), receivedAt: at(18) + 9, answer: "ok" },
      { kind: "closed", at: at(20), receivedAt: at(20), offerId: `f-${number}`, outcome: "won" },
      trip(at(20), `t-${number}`, [orderId]),
      { kind: "did", command: "pickup", subject: orderId, sentAt: at(700), receivedAt: at(700) + 9, answer: "ok" },
      { kind: "did", command: "deliver", subject: orderId, sentAt: at(1500), receivedAt: at(1500) + 9, answer: "ok" },
      trip(at(1500), null, []),
    ];
    for (const [offset, entry] of entries.entries()) {
      recorder.driver("d-1", entry);
      recorder.event("driver:d-1", (number - 1) * entries.length + offset + 1, at(1500));
    }
    world.orders.set(orderId, {
      orderId,
      customerId: "c-1",
      restaurantId: "r-1",
      driverId: "d-1",
      status: "delivered",
      version: LIFE.length + 1,
      lines: ORDER.lines,
      totals: TOTALS,
      timeline: timelineOf(LIFE, start),
    });
    world.bookings.push(
      { orderId, kind: "authorised", payment: `p-${number}`, amountMinor: 1300, at: start + 60 },
      { orderId, kind: "captured", payment: `p-${number}`, amountMinor: 1300, at: at(1501) },
    );
  }
  return world;
}

function trip(at: number, tripId: string | null, orderIds: string[], snapshot = false): DriverEntry {
  return { kind: "trip", at, receivedAt: at + 5, snapshot, tripId, orderIds };
}

function evidenceOf(world: World): Evidence {
  return {
    history: joinHistories([world.recorder.history()]),
    database: { orders: world.orders, trips: world.trips, stockLeft: world.stockLeft },
    bookings: world.bookings,
    stockConfigured: world.stockConfigured,
    endedAt: T0 + 10_000_000,
    bounds: { tabletMs: 30_000, pollAfterCloseMs: 10_000 },
  };
}

function brokenBy(plant: (world: World) => void): readonly string[] {
  const world = cleanWorld();
  plant(world);
  const violations = judge(evidenceOf(world));
  for (const violation of violations) {
    t.ok(violation.story.length > 0, `${violation.rule} tells a story`);
    t.ok(violation.summary.length > 10);
  }
  return [...new Set(violations.map((violation) => violation.rule))];
}

function change(world: World, orderId: string, to: Partial<StoredOrder>): void {
  world.orders.set(orderId, { ...world.orders.get(orderId)!, ...to });
}

const later = (second: number) => T0 + 5_000_000 + second * 1000;

/** The second order is cancelled while the kitchen has it. */
const CANCELLED: Life = [...LIFE.slice(0, 5), ["cancelled", 300]];

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

t.test("RULES 6: a second trip before the first is over is found; a batch is one trip", async (t) => {
  const rule = ["rule-06-one-trip"];
  t.strictSame(
    brokenBy(({ recorder }) => {
      recorder.driver("d-1", trip(later(0), "t-8", ["o-8"]));
      recorder.driver("d-1", trip(later(9), "t-9", ["o-9"]));
    }),
    rule,
  );
  t.strictSame(
    brokenBy(({ recorder }) => {
      recorder.driver("d-1", trip(later(0), "t-8", ["o-8"]));
      recorder.driver("d-1", trip(later(9), "t-8", ["o-8", "o-9"]));
      recorder.driver("d-1", trip(later(90), null, []));
      recorder.driver("d-1", trip(later(91), "t-9", ["o-10"]));
    }),
    [],
  );
  t.strictSame(
    brokenBy((world) => {
      world.trips = [
        { driverId: "d-1", tripId: "t-8", orderIds: [] },
        { driverId: "d-1", tripId: "t-9", orderIds: [] },
      ];
      world.recorder.driver("d-1", trip(later(0), "t-8", []));
    }),
    rule,
  );
});

t.test("RULES 7: two drivers at once are found; one after the other is reassignment", async (t) => {
  const rule = ["rule-07-one-driver"];
  t.strictSame(
    brokenBy(({ recorder }) => {
      recorder.driver("d-3", trip(later(0), "t-8", ["o-8"]));
      recorder.driver("d-3", trip(later(60), null, []));
      recorder.driver("d-4", trip(later(59), "t-9", ["o-8"]));
      recorder.driver("d-4", trip(later(90), null, []));
    }),
    rule,
  );
  t.strictSame(
    brokenBy(({ recorder }) => {
      recorder.driver("d-3", trip(later(0), "t-8", ["o-8"]));
      recorder.driver("d-3", trip(later(60), null, []));
      recorder.driver("d-4", trip(later(60), "t-9", ["o-8"]));
    }),
    [],
  );
  t.strictSame(
    brokenBy(({ recorder }) => {
      recorder.driver("d-3", trip(later(0), "t-8", ["o-8"]));
      recorder.driver("d-4", trip(later(60), "t-9", ["o-8"]));
      recorder.driver("d-3", trip(later(200), null, [], true));
    }),
    [],
    "a driver who was out of reach learns late that it was taken away",
  );
  t.strictSame(
    brokenBy((world) => {
      change(world, "o-1", { status: "ready", timeline: timelineOf(LIFE.slice(0, 6), T0) });
      world.trips = [{ driverId: "d-5", tripId: "t-8", orderIds: ["o-1"] }];
    }).includes("rule-07-one-driver"),
    true,
  );
});

t.test("RULES 8: too much captured, and money kept for a cancelled order, are found", async (t) => {
  const rule = ["rule-08-captured-within-authorised"];
  t.strictSame(
    brokenBy(({ bookings }) => (bookings[1] = { ...bookings[1]!, amountMinor: 1301 })),
    rule,
  );
  t.strictSame(
    brokenBy(({ bookings }) => {
      bookings.push({ orderId: "o-1", kind: "refunded", payment: "p-1", amountMinor: 1400, at: later(0) });
    }),
    rule,
  );
  t.ok(
    brokenBy((world) => {
      world.orders.set("o-7", {
        ...world.orders.get("o-1")!,
        orderId: "o-7",
        status: "cancelled",
        timeline: timelineOf(CANCELLED, T0),
      });
      world.bookings.push(
        { orderId: "o-7", kind: "authorised", payment: "p-7", amountMinor: 1300, at: later(0) },
        { orderId: "o-7", kind: "captured", payment: "p-7", amountMinor: 1300, at: later(1) },
      );
      world.recorder.tablet("r-1", { orderId: "o-7", attempt: 1, receivedAt: later(0) });
    }).includes("rule-08-captured-within-authorised"),
  );
});

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

t.test("RULES 12: positions before pickup, after the end, late by polling, or of a stranger are found", async (t) => {
  const rule = ["rule-12-location-gate"];
  const at = (second: number) => T0 + second * 1000;
  const seen = (second: number, via: "socket" | "poll", lat = 44.401, measured = second) =>
    brokenBy(({ recorder }) => {
      recorder.fix("d-1", at(measured), 44.401, 8.931, true);
      const stream = via === "poll" ? "c-1 polling" : "c-1";
      recorder.position("o-1", stream, via, { lat, lng: 8.931, at: at(measured) }, at(second) + 20);
    });
  t.strictSame(seen(650, "poll"), rule, "before pickup");
  t.strictSame(seen(701, "poll", 44.401, 697), rule, "measured before pickup and shown after it");
  t.strictSame(seen(1501, "socket"), rule, "after the closing event on this socket");
  t.strictSame(seen(1505, "poll"), [], "polls have ten seconds to stop");
  t.strictSame(seen(1511, "poll"), rule, "and no more");
  t.strictSame(seen(900, "poll"), []);
  t.strictSame(seen(900, "poll", 44.5), rule, "nobody who carried it was there");
});

t.test("RULES 13: a closed offer that is won after all is found", async (t) => {
  const rule = ["rule-13-closed-stays-closed"];
  const offer = (world: World, ...entries: DriverEntry[]): void => {
    world.recorder.driver("d-6", {
      kind: "offer",
      at: later(0),
      receivedAt: later(0),
      offerId: "f-8",
      orderId: "o-8",
      expiresAt: later(45),
    });
    for (const entry of entries) world.recorder.driver("d-6", entry);
  };
  const closed = (outcome: "won" | "expired" | "withdrawn", second: number): DriverEntry => ({
    kind: "closed",
    at: later(second),
    receivedAt: later(second),
    offerId: "f-8",
    outcome,
  });
  const did = (command: "accept" | "decline", second: number, answer = "ok"): DriverEntry => ({
    kind: "did",
    command,
    subject: "f-8",
    sentAt: later(second),
    receivedAt: later(second) + 9,
    answer,
  });
  t.strictSame(
    brokenBy((world) => offer(world, closed("expired", 45), closed("won", 46))),
    rule,
  );
  t.strictSame(
    brokenBy((world) => offer(world, closed("withdrawn", 30), closed("won", 31))),
    rule,
  );
  t.strictSame(
    brokenBy((world) => offer(world, did("decline", 10), closed("won", 11))),
    rule,
  );
  t.strictSame(
    brokenBy((world) => offer(world, did("accept", 50), closed("won", 51))),
    rule,
  );
  t.strictSame(
    brokenBy((world) => offer(world, did("accept", 40), closed("won", 51))),
    [],
    "the decision may come later",
  );
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

t.test("RULES 17: overselling and stock that did not come back are found", async (t) => {
  const rule = ["rule-17-never-oversold"];
  t.strictSame(
    brokenBy((world) => world.stockConfigured.set("r-1/dish-1", 3)),
    rule,
  );
  t.strictSame(
    brokenBy((world) => world.stockLeft.set("r-1/dish-1", 5)),
    rule,
    "a reservation that nobody holds",
  );
  t.ok(
    brokenBy((world) => {
      change(world, "o-1", {
        status: "undeliverable",
        timeline: timelineOf([...LIFE.slice(0, 7), ["undeliverable", 1500]], T0),
      });
      world.stockLeft.set("r-1/dish-1", 8);
    }).includes("rule-17-never-oversold"),
    "food that left the kitchen does not come back",
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
