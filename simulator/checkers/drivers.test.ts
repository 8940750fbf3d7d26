/** Each rule: a clean history passes, and the same history with the fault planted fails by that rule. */
import t from "tap";
import { brokenBy, CANCELLED, change, LIFE, later, T0, timelineOf, trip, type World } from "./fixtures/clean-world.js";
import type { DriverEntry } from "./mod.js";

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
      recorder.driver("d-3", trip(later(0.1), "t-8", ["o-8"]));
      recorder.driver("d-3", trip(later(0.2), null, []));
      recorder.driver("d-4", trip(later(0), "t-9", ["o-8"]));
      recorder.driver("d-4", trip(later(90), null, []));
    }),
    [],
    "given up at once, by a node whose clock is a little ahead",
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
    ["rule-09-ledger-sums-to-zero"],
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

t.test("RULES 12: positions before pickup, after the end, late by polling, or of a stranger are found", async (t) => {
  const rule = ["rule-12-location-gate"];
  const at = (second: number) => T0 + second * 1000;
  const seen = (second: number, via: "socket" | "poll", lat = 44.401, measured = second, asked = second) =>
    brokenBy(({ recorder }) => {
      recorder.fix("d-1", at(measured), 44.401, 8.931, true);
      const stream = via === "poll" ? "c-1 polling" : "c-1";
      recorder.position("o-1", stream, via, { lat, lng: 8.931, at: at(measured) }, at(second) + 20, at(asked));
    });
  t.strictSame(seen(650, "poll"), rule, "before pickup");
  t.strictSame(seen(701, "poll", 44.401, 697), rule, "measured before pickup and shown after it");
  t.strictSame(seen(1501, "socket"), rule, "after the closing event on this socket");
  t.strictSame(seen(1505, "poll", 44.401, 1499), [], "polls have ten seconds to stop");
  t.strictSame(seen(1511, "poll", 44.401, 1499), rule, "and no more");
  t.strictSame(seen(1540, "poll", 44.401, 1499, 1505), [], "a slow line may bring late what was answered in time");
  t.strictSame(seen(900, "poll"), []);
  t.strictSame(seen(900, "poll", 44.5), rule, "nobody who carried it was there");
  const sentAs = (sent: number, shown: number) =>
    brokenBy(({ recorder }) => {
      recorder.fix("d-1", sent, 44.401, 8.931, true);
      recorder.position("o-1", "c-1", "poll", { lat: 44.401, lng: 8.931, at: shown }, at(901), at(900));
    });
  t.strictSame(sentAs(at(899), at(899) - 20), [], "the phone's clock is ahead of the node's: measured just now");
  t.strictSame(sentAs(at(899), at(899) - 30_000), rule, "no clocks differ by so much");
  t.strictSame(sentAs(at(899), at(899) + 20), rule, "nothing is newer than it was measured");
  t.strictSame(seen(1502, "poll", 44.401, 1502), rule, "measured after the delivery and shown at all");
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
  t.strictSame(
    brokenBy((world) => offer(world, did("accept", 45.3), closed("won", 51))),
    [],
    "the phone's clock may be a little ahead",
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
