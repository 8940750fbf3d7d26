/** Each rule that only virtual time lets us see: a sound seed passes, the same with a fault planted fails by that rule. */
import t from "tap";
import type { Violation } from "../../checkers/mod.js";
import { commits, judged, ORDER, type SmallSeed, T0 } from "./fixtures/small-seed.js";

const rules = (violations: readonly Violation[]): readonly string[] => [...new Set(violations.map(({ rule }) => rule))];
const found = (plant: (seed: SmallSeed) => void): readonly string[] => rules(judged(plant));

t.test("a sound seed breaks no rule", async (t) => {
  t.strictSame(
    judged(() => {}),
    [],
  );
});

t.test("RULES 2, 11: a message that is never done, or done out of order, is found", async (t) => {
  const rule = ["messages-once-in-order"];
  const twoMessages = (seed: SmallSeed): void =>
    commits(seed, "order/o-1", {
      tells: [
        { to: "driver/d-1", name: "withdraw" },
        { to: "driver/d-1", name: "withdraw" },
      ],
    });
  t.strictSame(
    found((seed) => {
      twoMessages(seed);
      commits(seed, "driver/d-1", { does: ["tell:order/o-1:3", "tell:order/o-1:4"] });
    }),
    [],
  );
  t.strictSame(
    found((seed) => {
      twoMessages(seed);
      commits(seed, "driver/d-1", { does: ["tell:order/o-1:4", "tell:order/o-1:3"] });
    }),
    rule,
  );
  t.strictSame(
    found((seed) => {
      twoMessages(seed);
      commits(seed, "driver/d-1", { does: ["tell:order/o-1:3"] });
    }),
    rule,
  );
  t.strictSame(
    found((seed) => {
      seed.endedAt = seed.healedAt + 10_000;
      twoMessages(seed);
    }),
    [],
    "it may still be on its way",
  );
  t.strictSame(
    found((seed) => commits(seed, "order/o-1", { tells: [{ to: "$effect/payment", name: "void:1" }] })),
    rule,
    "an effect whose result the actor never got",
  );
  t.strictSame(
    found((seed) => {
      commits(seed, "order/o-1", { tells: [{ to: "$effect/payment", name: "void:1" }] });
      commits(seed, "order/o-1", { does: ["effect:3"] });
    }),
    [],
  );
  t.strictSame(
    found((seed) => commits(seed, "order/o-1", { tells: [{ to: "dispatch-zone/z", name: "orderMoved" }] })),
    [],
    "zones remember nothing",
  );
});

t.test("RULES 5, 13: an offer that was taken too late, or is over, or has two winners, is found", async (t) => {
  const offered = (seed: SmallSeed, acceptedAt: number, ...between: (() => void)[]): void => {
    const offer = { offerId: "f-9", orderId: "o-1", expiresAt: T0 + 30_000 };
    commits(seed, "order/o-1", { tells: [{ to: "driver/d-1", name: "offer", input: { offer } }] });
    commits(seed, "driver/d-1", { does: ["tell:order/o-1:3"] });
    for (const run of between) run();
    const claim = { driverId: "d-1", offerId: "f-9", acceptedAt };
    commits(seed, "driver/d-1", { tells: [{ to: "order/o-1", name: "claim", input: claim }] });
    commits(seed, "order/o-1", {
      does: [`tell:driver/d-1:${between.length + 2}`],
      tells: [{ to: "driver/d-1", name: "claimWon", input: { offerId: "f-9" } }],
    });
    commits(seed, "driver/d-1", { does: ["tell:order/o-1:4"] });
  };
  t.strictSame(
    found((seed) => offered(seed, T0 + 29_999)),
    [],
  );
  t.strictSame(
    found((seed) => offered(seed, T0 + 31_000)),
    ["rule-13-no-late-acceptance"],
  );
  t.strictSame(
    found((seed) =>
      offered(seed, T0 + 20_000, () => {
        const input = { driverId: "d-1", offerId: "f-9", reason: "declined" };
        commits(seed, "driver/d-1", { tells: [{ to: "order/o-1", name: "offerDeclined", input }] });
        commits(seed, "order/o-1", { does: ["tell:driver/d-1:2"] });
      }),
    ),
    ["rule-13-no-late-acceptance"],
  );
  t.strictSame(
    found((seed) => {
      commits(seed, "order/o-1", { tells: [{ to: "driver/d-2", name: "claimWon", input: { offerId: "f-1" } }] });
      commits(seed, "driver/d-2", { does: ["tell:order/o-1:3"] });
    }),
    ["rule-05-one-winner"],
  );
});

t.test("RULES 4: what a node says of an actor that is another's is found", async (t) => {
  t.strictSame(
    found((seed) => {
      const word = { at: seed.now, life: "n1-1", of: "order/o-1", what: "slot", to: "n2/gateway-0", owner: "n2" };
      seed.lateWords.push(word);
    }),
    ["rule-04-no-word-after-owning"],
  );
});

t.test("RULES 1: what a client has seen before its commit is found", async (t) => {
  const seen = (receivedAt: number) =>
    found((seed) => {
      seed.now = T0 + 10_000;
      commits(seed, "order/o-3", { state: { revision: 2 }, sets: [{ name: "deadline", at: T0 + 590_000 }] });
      seed.recorder.placed("key", "c-1", ORDER, T0);
      const totals = {
        currency: "EUR",
        itemsMinor: 1,
        feeMinor: 0,
        taxMinor: 0,
        tipMinor: 0,
        discountMinor: 0,
        totalMinor: 1,
      };
      seed.recorder.answered("key", { ok: true, receivedAt, orderId: "o-3", status: "placed", version: 1, totals });
    });
  t.strictSame(seen(T0 + 10_000), []);
  t.strictSame(seen(T0 + 9_999), ["rule-01-said-after-commit"]);
});

t.test("RULES 10, 14: a timer that never fires, and a wait without one, are found", async (t) => {
  t.strictSame(
    found((seed) => commits(seed, "driver/d-1", { sets: [{ name: "offers", at: T0 + 90_000 }] })),
    ["rule-14-no-lost-timers"],
  );
  t.strictSame(
    found((seed) => commits(seed, "driver/d-1", { sets: [{ name: "offers", at: T0 + 590_000 }] })),
    [],
    "it is hardly due",
  );
  t.strictSame(
    found((seed) => {
      commits(seed, "order/o-2", { sets: [{ name: "deadline", at: T0 + 590_000 }], live: true });
      commits(seed, "order/o-2", {});
      commits(seed, "order/o-2", { cancels: ["deadline"], live: false });
    }),
    [],
  );
  t.strictSame(
    found((seed) => {
      commits(seed, "order/o-2", { sets: [{ name: "deadline", at: T0 + 590_000 }], live: true });
      commits(seed, "order/o-2", { cancels: ["deadline"] });
    }),
    ["rule-14-every-wait-has-a-deadline"],
  );
  t.strictSame(
    found((seed) => commits(seed, "restaurant/r-1", { pushes: ["order.new"] })),
    ["rule-10-told-until-answered"],
  );
  t.strictSame(
    found((seed) => commits(seed, "restaurant/r-1", { pushes: ["order.new", "order.changed"] })),
    [],
  );
  t.strictSame(
    found((seed) => commits(seed, "restaurant/r-1", { pushes: ["order.new"], acceptBy: T0 + 3_600_000 })),
    ["rule-10-told-until-answered"],
  );
  t.strictSame(
    found((seed) => commits(seed, "restaurant/r-1", { pushes: ["order.new"], acceptBy: T0 - 60_000 })),
    [],
    "past its time it ends by itself",
  );
});

t.test("RULES 10, 14, 15: a world that does not come to rest, and what it puts aside, are found", async (t) => {
  const end = {
    unsettled: [],
    unsentTells: [],
    deadLetters: [],
    unanswered: 0,
    unpublished: 0,
    unbooked: 0,
    errors: [],
  };
  t.strictSame(
    found((seed) => {
      seed.end = { ...end, unsettled: ["d-1 is not connected"] };
    }),
    ["liveness-comes-to-rest"],
  );
  t.strictSame(
    found((seed) => {
      seed.end = { ...end, deadLetters: [{ to: "order/o-1", name: "claim", reason: "not accepted" }] };
    }),
    ["no-dead-letters"],
  );
  t.strictSame(
    found((seed) => {
      seed.end = { ...end, unanswered: 3 };
    }),
    ["every-ask-is-answered"],
  );
  t.strictSame(
    found((seed) => {
      seed.end = { ...end, errors: ["n1-1: A handler threw for order/o-1"] };
    }),
    ["no-errors"],
  );
});

t.test("R-SIM-2: a story has the messages of those involved and the faults that touched them, in order", async (t) => {
  const [violation] = judged((seed) => {
    seed.trace.note("fault node_crash", "n1", [], () => "node_crash at n1");
    seed.trace.note("fault node_crash", "n2", [], () => "node_crash at n2");
    commits(seed, "order/o-7", {});
    commits(seed, "order/o-1", { tells: [{ to: "driver/d-1", name: "withdraw" }] });
    commits(seed, "restaurant/r-1", {});
  });
  t.equal(violation?.rule, "messages-once-in-order");
  t.equal(violation?.subject, "driver/d-1");
  const story = violation?.story.join("\n") ?? "";
  t.match(story, /^12:00:00\.000 {2}order\/o-1: n1-1 commits version 1: offer → driver\/d-1/);
  t.match(story, /driver\/d-1: n1-1 commits version 2: claim → order\/o-1/);
  t.match(story, /n1: node_crash at n1/);
  t.match(story, /order\/o-1: n1-1 commits version 4: withdraw → driver\/d-1/);
  t.notMatch(story, /n2|o-7|r-1/, "who had no hand in it does not come up");
  t.strictSame(
    violation?.story,
    violation?.story.toSorted((a, b) =>
      a.slice(0, 12) < b.slice(0, 12) ? -1 : a.slice(0, 12) > b.slice(0, 12) ? 1 : 0,
    ),
  );
});

t.test("R-SIM-2: a long story keeps its beginning and its end", async (t) => {
  const [violation] = judged((seed) => {
    for (let i = 0; i < 200; i++) {
      seed.now += 10;
      commits(seed, "driver/d-1", {});
    }
    commits(seed, "order/o-1", { tells: [{ to: "driver/d-1", name: "withdraw" }] });
  });
  const story = violation?.story ?? [];
  t.ok(story.length <= 45, `${story.length} lines`);
  t.match(story[0], /version 1: offer/);
  t.match(story.at(-1), /withdraw/);
  t.match(story.join("\n"), /… \d+ more …/);
});
