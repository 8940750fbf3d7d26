import t from "tap";
import { seededRandom } from "../../../lib/random.js";
import { createActorClient } from "./client.js";
import { bench, caller, Echo } from "./fixtures/bench.js";

const grant = (count: number) => ({ t: "credit", count }) as const;

t.test("R-ENG-1: an ask goes to the owner of its actor's shard and gets its reply", async (t) => {
  const b = bench();
  const a = b.shards("a");
  a.say(grant(10));
  await b.settle();
  b.ask("one");
  b.ask("two");
  await b.settle();
  const asks = a.take("ask");
  t.match(asks, [
    {
      to: { kind: "echo", key: "k" },
      name: "say",
      input: "one",
      commandId: "one",
      bodyHash: "",
      caller,
      notAfter: null,
    },
    { commandId: "two" },
  ]);
  a.say({ t: "reply", id: asks[1]!.id, value: "2" });
  a.say({ t: "error", id: asks[0]!.id, error: { code: "sold_out", temporary: false } });
  await b.settle();
  t.same(b.answers, { one: "sold_out", two: "2" });
  t.equal(b.client.stats().inFlight, 0);
  t.equal(b.clock.timers(), 0, "no timer is left when nothing waits");
});

t.test(
  "R-ENG-6: asks wait briefly for credit, then are answered overloaded with a hint; room is made in order",
  async (t) => {
    const b = bench({ admissionWaitMs: 100, maxWaitingPerPeer: 3 });
    const a = b.shards("a");
    a.say(grant(1));
    await b.settle();
    for (const id of ["1", "2", "3", "4", "5"]) b.ask(id);
    const refused = await b.client.ask(Echo, "k", "say", "x", { commandId: "6", caller });
    await b.settle();
    t.same(
      a.take("ask").map((ask) => ask.commandId),
      ["1"],
    );
    t.same(b.answers, { "5": "overloaded" }, "past the bound of those who wait: at once");
    t.equal(refused.ok, false);
    if (!refused.ok) {
      t.equal(refused.error.temporary, true);
      t.ok((refused.error.retryAfterMs ?? 0) > 0);
    }
    a.say(grant(1));
    await b.settle();
    t.same(
      a.take("ask").map((ask) => ask.commandId),
      ["2"],
    );
    b.clock.advance(200);
    await b.settle();
    t.same(b.answers, { "3": "overloaded", "4": "overloaded", "5": "overloaded" });
    a.say(grant(5));
    b.ask("7");
    await b.settle();
    t.same(
      a.take("ask").map((ask) => ask.commandId),
      ["7"],
      "those refused are not sent later",
    );
  },
);

t.test(
  "R-ENG-6: an endpoint that has not given credit yet is starting: asks wait for it until their time-out",
  async (t) => {
    const b = bench({ admissionWaitMs: 100, askTimeoutMs: 1_000 });
    const a = b.shards("a");
    b.ask("1");
    b.clock.advance(500);
    await b.settle();
    t.same(b.answers, {});
    a.say(grant(1));
    await b.settle();
    t.same(
      a.take("ask").map((ask) => ask.commandId),
      ["1"],
    );
  },
);

t.test("R-ENG-6: asks in flight are bounded over all endpoints and places", async (t) => {
  const b = bench({ maxInFlight: 3, maxParked: 2 });
  b.assign(null);
  for (const id of ["1", "2", "3"]) b.ask(id);
  await b.settle();
  t.same(b.answers, { "3": "overloaded" }, "no owner: only so many wait for one");
  const a = b.shards("a");
  a.say(grant(10));
  b.assign("a");
  b.ask("4");
  b.ask("5");
  await b.settle();
  t.same(
    a.take("ask").map((ask) => ask.commandId),
    ["1", "2", "4"],
  );
  t.same(b.answers, { "3": "overloaded", "5": "overloaded" });
});

t.test("rule 2: an answer to a gateway that died is none to what is asked by the next one of its name", async (t) => {
  const b = bench();
  const a = b.shards("a");
  const random = seededRandom(5);
  const open = () => {
    const link = b.network.endpoint("again");
    a.link.send("again", grant(10));
    return {
      link,
      client: createActorClient({ link, shardMap: { ownerOf: () => "a", onChange() {} }, clock: b.clock, random }),
    };
  };
  const first = open();
  await b.settle();
  void first.client.ask(Echo, "alice", "say", "alice", { commandId: "1", caller });
  await b.settle();
  first.link.close();
  const second = open();
  await b.settle();
  const answer = second.client.ask(Echo, "bob", "say", "bob", { commandId: "2", caller });
  await b.settle();
  for (const { id, input } of a.take("ask")) a.link.send("again", { t: "reply", id, value: `for ${String(input)}` });
  await b.settle();
  t.same(await answer, { ok: true, value: "for bob" });
});

t.test("an ask without answer times out within a tick; a late reply changes nothing", async (t) => {
  const b = bench({ askTimeoutMs: 1_000, tickMs: 10 });
  const a = b.shards("a");
  a.say(grant(10));
  await b.settle();
  b.ask("short", "k", 50);
  b.ask("long");
  await b.settle();
  const [short] = a.take("ask");
  b.clock.advance(49);
  await b.settle();
  t.same(b.answers, {});
  b.clock.advance(20);
  await b.settle();
  t.same(b.answers, { short: "timeout" });
  a.say({ t: "reply", id: short!.id, value: "late" });
  b.clock.advance(990);
  await b.settle();
  t.same(b.answers, { short: "timeout", long: "timeout" });
});

t.test(
  "R-ENG-4: a wrong route is followed by its hint with the same command id, and the hint is remembered",
  async (t) => {
    const b = bench();
    const [a, c] = [b.shards("a"), b.shards("c")];
    a.say(grant(10));
    c.say(grant(10));
    await b.settle();
    b.ask("1");
    await b.settle();
    const [first] = a.take("ask");
    a.say({ t: "error", id: first!.id, error: { code: "not_owner", temporary: true }, owner: "c" });
    await b.settle();
    const [second] = c.take("ask");
    t.equal(second?.commandId, "1");
    c.say({ t: "reply", id: second!.id, value: "done" });
    b.ask("2");
    await b.settle();
    t.same(b.answers, { "1": "done" });
    t.same(
      c.take("ask").map((ask) => ask.commandId),
      ["2"],
    );
    b.assign("a");
    b.ask("3");
    await b.settle();
    t.ok(
      a.take("ask").some((ask) => ask.commandId === "3"),
      "a new map overrules the hint",
    );
  },
);

t.test("endpoints that each point at the other are asked with growing pauses, not in a circle", async (t) => {
  const b = bench({ rerouteMinMs: 100, rerouteMaxMs: 400, askTimeoutMs: 3_000 });
  const [a, c] = [b.shards("a"), b.shards("c")];
  a.say(grant(1_000));
  c.say(grant(1_000));
  await b.settle();
  b.ask("1");
  let asked = 0;
  for (let elapsed = 0; elapsed < 3_100; elapsed += 10) {
    await b.settle();
    for (const [shards, other] of [
      [a, "c"],
      [c, "a"],
    ] as const)
      for (const ask of shards.take("ask")) {
        asked += 1;
        shards.say({ t: "error", id: ask.id, error: { code: "not_owner", temporary: true }, owner: other });
      }
    b.clock.advance(10);
  }
  await b.settle();
  t.same(b.answers, { "1": "timeout" });
  t.ok(asked >= 5 && asked <= 20, `${asked} times`);
});

t.test(
  "R-ENG-8: asks at a dead endpoint are sent to its successor with the same command id and are answered once",
  async (t) => {
    const b = bench();
    const a = b.shards("a");
    a.say(grant(1));
    await b.settle();
    b.ask("sent");
    b.ask("waiting");
    await b.settle();
    t.same(
      a.take("ask").map((ask) => ask.commandId),
      ["sent"],
    );
    a.link.close();
    await b.settle();
    t.equal(b.client.stats().parked, 2);
    b.ask("parked");
    const again = b.shards("a");
    await b.settle();
    t.same(again.take("ask"), [], "no credit yet");
    again.say(grant(10));
    await b.settle();
    const asks = again.take("ask");
    t.same(
      asks.map((ask) => ask.commandId),
      ["sent", "waiting", "parked"],
    );
    for (const ask of asks) again.say({ t: "reply", id: ask.id, value: "again" });
    for (const ask of asks) again.say({ t: "reply", id: ask.id, value: "twice" });
    await b.settle();
    t.same(b.answers, { sent: "again", waiting: "again", parked: "again" });
  },
);

t.test("R-ENG-4: when a shard moves, asks go to the new owner; the first answer of either counts", async (t) => {
  const b = bench();
  const [a, c] = [b.shards("a"), b.shards("c")];
  a.say(grant(10));
  c.say(grant(10));
  await b.settle();
  b.ask("1");
  b.ask("2");
  await b.settle();
  const old = a.take("ask");
  b.assign("c");
  await b.settle();
  const moved = c.take("ask");
  t.same(
    moved.map((ask) => ask.commandId),
    ["1", "2"],
  );
  a.say({ t: "reply", id: old[0]!.id, value: "old owner, committed" });
  a.say({ t: "error", id: old[1]!.id, error: { code: "unavailable", temporary: true } });
  await b.settle();
  c.say({ t: "reply", id: moved[0]!.id, value: "remembered" });
  c.say({ t: "reply", id: moved[1]!.id, value: "new owner" });
  await b.settle();
  t.same(b.answers, { "1": "old owner, committed", "2": "new owner" });
});

t.test("casts go to the owner, or are refused when there is none or no room", async (t) => {
  const b = bench();
  t.equal(b.client.cast(Echo, "k", "say", "x", caller), false);
  const a = b.shards("a");
  t.equal(b.client.cast(Echo, "k", "say", "x", caller), true);
  await b.settle();
  t.match(a.take("cast"), [{ to: { kind: "echo", key: "k" }, name: "say", input: "x", caller, from: null }]);
  t.equal(b.client.stats().castsRefused, 1);
});

t.test("R-TRK-1: how long an owner has been out of reach counts from when it was last seen", async (t) => {
  const b = bench();
  const actor = { kind: "echo", key: "k" };
  const a = b.shards("a");
  await b.settle();
  b.clock.advance(400);
  t.equal(b.client.silenceMs(actor), 0);
  a.link.close();
  await b.settle();
  b.clock.advance(300);
  t.equal(b.client.silenceMs(actor), 300);
  b.shards("a");
  await b.settle();
  t.equal(b.client.silenceMs(actor), 0);
  b.assign(null);
  b.clock.advance(50);
  t.equal(b.client.silenceMs(actor), 50, "nobody has the shard");
});

t.test("closing answers everything with unavailable", async (t) => {
  const b = bench();
  const a = b.shards("a");
  a.say(grant(1));
  await b.settle();
  b.ask("sent");
  b.ask("waiting");
  b.client.close();
  b.ask("later");
  await b.settle();
  t.same(b.answers, { sent: "unavailable", waiting: "unavailable", later: "unavailable" });
  t.equal(b.clock.timers(), 0);
});

t.test(
  "R-ENG-6: while an endpoint answers late, new work is held back with a hint and everything else goes on",
  async (t) => {
    const b = bench({ lateMs: 2_000, paceWindowMs: 1_000, askTimeoutMs: 60_000 });
    const a = b.shards("a");
    a.say(grant(100_000));
    await b.settle();
    const answerAll = (): void => {
      for (const { id, commandId } of a.take("ask")) a.say({ t: "reply", id, value: `done ${commandId}` });
    };
    for (let n = 0; n < 20; n++) b.begin(`first-${n}`);
    await b.settle();
    b.clock.advance(3_000);
    b.begin("too-soon");
    b.ask("other");
    await b.settle();
    b.clock.advance(1_000);
    for (let n = 0; n < 20; n++) b.begin(`second-${n}`);
    const refused = await b.client.ask(Echo, "k", "say", "x", { commandId: "hint", caller, newWork: true });
    await b.settle();
    t.same(
      a.got.map((message) => message.t === "ask" && message.commandId),
      [...Array.from({ length: 20 }, (_, n) => `first-${n}`), "other"],
      "twenty are in hand and late: nothing more is begun, but a step of something under way is sent",
    );
    t.equal(b.answers["too-soon"], "overloaded");
    t.equal(b.client.stats().heldBack, 22);
    t.match(refused, { ok: false, error: { code: "overloaded", temporary: true } });
    t.ok(!refused.ok && (refused.error.retryAfterMs ?? 0) >= 1_000, "come back when what is late now is answered");

    // The endpoint catches up: what was late is late, and from then on answers are prompt.
    answerAll();
    await b.settle();
    t.equal(b.answers["first-19"], "done first-19");
    for (let round = 0; round < 30; round++) {
      b.clock.advance(1_000);
      for (let n = 0; n < 200; n++) b.begin(`round-${round}-${n}`);
      await b.settle();
      const begun = a.got.filter((message) => message.t === "ask").length;
      if (round === 0) t.ok(begun >= 1 && begun < 20, "a few at first");
      if (round === 29) t.equal(begun, 200, "then all");
      answerAll();
      await b.settle();
    }
  },
);

t.test("R-ENG-6: one slow actor among many prompt ones does not hold new work back", async (t) => {
  const b = bench({ lateMs: 2_000, paceWindowMs: 1_000, askTimeoutMs: 60_000 });
  const a = b.shards("a");
  a.say(grant(100_000));
  await b.settle();
  b.begin("slow");
  for (let n = 0; n < 100; n++) {
    b.begin(`${n}`);
    await b.settle();
    for (const { id, commandId } of a.take("ask")) if (commandId !== "slow") a.say({ t: "reply", id, value: "ok" });
    await b.settle();
    b.clock.advance(100);
  }
  t.equal(Object.values(b.answers).filter((answer) => answer === "ok").length, 100);
  t.equal(b.client.stats().heldBack, 0);
});

t.test("R-ENG-6: answers that never come hold new work back, and its end is noticed", async (t) => {
  const b = bench({ lateMs: 2_000, paceWindowMs: 1_000, askTimeoutMs: 10_000 });
  const a = b.shards("a");
  a.say(grant(100_000));
  await b.settle();
  let sent = 0;
  for (let second = 0; second < 60; second++) {
    for (let n = 0; n < 30; n++) b.begin(`${second}-${n}`);
    await b.settle();
    sent = a.got.length;
    b.clock.advance(1_000);
  }
  t.ok(sent < 200, `of 1,800 only ${sent} were sent to an endpoint that answers nothing`);
  b.clock.advance(20_000);
  a.take("ask");
  b.begin("again");
  await b.settle();
  t.equal(a.take("ask").length, 1, "nothing is in hand any more: one is tried");
});
