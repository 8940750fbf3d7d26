import t from "tap";
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
