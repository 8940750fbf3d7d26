/** The location gate over real sockets and the real engine: rule 12. */
import t from "tap";
import type { ActorClient, ChannelSink, SlotItem } from "../../actors/runtime/mod.js";
import { OP, type OrderStatus } from "../../protocol/mod.js";
import { clock, eventually, pause, startHarness, type TestSocket, trackingOf } from "../fixtures/harness.js";
import { newStats } from "../stats.js";
import { LocationGates, type PositionWatcher } from "./location-gate.js";

const isPosition = (frame: readonly unknown[]) => frame[0] === OP.state && frame[2] === "position";
const isView = (version: number) => (frame: readonly unknown[]) =>
  frame[0] === OP.state && frame[2] === "view" && (frame[6] as { version: number }).version === version;

async function world(settings: { positionEveryMs: number } = { positionEveryMs: 1 }) {
  const h = await startHarness({ settings });
  let version = 0;
  return {
    h,
    show: (status: OrderStatus, grant: { driverId: string; number: number } | null, viewFirst = true) =>
      h
        .tell("order", "o1", "show", { tracking: trackingOf("o1", ++version, status, grant), viewFirst })
        .then(() => version),
    stamp: (driverId: string, grant: number, lat: number, at: number, orderId = "o1") =>
      h.tell("driver", driverId, "stamp", { orderId, grant, lat, at }),
    async follow(codec: "msgpack" | "json" = "msgpack", device = "d"): Promise<TestSocket> {
      const socket = await h.connect("customer", "c1", { codec, device });
      socket.send([OP.sub, 1, "order:o1"]);
      await socket.op(OP.subbed);
      return socket;
    },
  };
}

t.test("R-GPS-6 R-TRK-4: only from pickup to delivery, only with the open grant", async (t) => {
  const { h, show, stamp, follow } = await world();
  t.teardown(() => h.close());
  await show("ready", null);
  const socket = await follow();
  await socket.next(isView(1));
  await stamp("d1", 1, 41.1, 100);
  const two = await show("picked_up", { driverId: "d1", number: 1 });
  await socket.next(isView(two));
  t.match(await socket.next(isPosition), [
    OP.state,
    "order:o1",
    "position",
    [1, 100],
    Number,
    30_000,
    { lat: 41.1, at: 100 },
  ]);
  await stamp("d1", 2, 41.2, 200);
  await stamp("d2", 1, 41.3, 300);
  await stamp("d1", 1, 41.4, 50);
  await stamp("d1", 1, 41.5, 400);
  t.match(
    (await socket.next(isPosition))[6],
    { lat: 41.5 },
    "another grant, another driver and an older fix do not pass",
  );
  t.equal(h.gateway.stats().driverFeeds, 1);
  const closing = await show("delivered", null);
  await socket.next(isView(closing));
  await stamp("d1", 1, 41.6, 500);
  await pause(50);
  t.equal(h.gateway.stats().driverFeeds, 0, "nobody listens to the driver any more");
  t.equal(h.gateway.stats().openGrants, 0);
  t.ok(socket.frames.findLastIndex(isPosition) < socket.frames.findLastIndex(isView(closing)));
  t.notOk(JSON.stringify(socket.frames).includes("customerId"), "the internal slot never reaches a client");
});

t.test(
  "rule 12: under a stream of fixes no position follows the closing event, whichever slot closes first",
  async (t) => {
    for (const viewFirst of [true, false]) {
      const { h, show, stamp, follow } = await world();
      await show("picked_up", { driverId: "d1", number: 1 });
      const sockets = await Promise.all([follow("msgpack", "a"), follow("json", "b"), follow("msgpack", "c")]);
      let at = 0;
      let running = true;
      const driving = (async () => {
        while (running) {
          await stamp("d1", 1, 41 + at / 1e6, ++at);
          if (at % 20 === 0) await pause(1);
        }
      })();
      await eventually("positions flow", () => sockets.every((socket) => socket.all(isPosition).length > 5));
      const closing = await show("delivered", null, viewFirst);
      const late = await follow("msgpack", "late");
      await pause(60);
      running = false;
      await driving;
      for (const socket of [...sockets, late]) {
        await eventually("the closing view", () => socket.all(isView(closing)).length === 1);
        const last = socket.frames.findLastIndex(isPosition);
        t.ok(last < socket.frames.findIndex(isView(closing)), `${last} is before the closing view`);
        const ats = socket.all(isPosition).map((frame) => (frame[6] as { at: number }).at);
        t.same(
          ats,
          ats.toSorted((a, b) => a - b),
          "and the map never moved backwards",
        );
      }
      t.equal(late.all(isPosition).length, 0);
      await h.close();
    }
  },
);

t.test("rule 12: a stranger who asks to follow hears no position while the order makes up its mind", async (t) => {
  const { h, show, stamp, follow } = await world();
  t.teardown(() => h.close());
  await show("picked_up", { driverId: "d1", number: 1 });
  const owner = await follow();
  const stranger = await h.connect("customer", "c2");
  let at = 0;
  let running = true;
  const driving = (async () => {
    while (running) await stamp("d1", 1, 41 + at / 1e6, ++at);
  })();
  await eventually("positions flow", () => owner.all(isPosition).length > 5);
  for (let n = 1; n <= 25; n++) {
    stranger.send([OP.sub, n, "order:o1"]);
    t.match(await stranger.next((frame) => frame[0] === OP.err && frame[1] === n), { 2: "not_found" });
  }
  running = false;
  await driving;
  t.equal(stranger.all(isPosition).length, 0);
  owner.close();
  await eventually("nobody follows", () => h.gateway.stats().driverFeeds === 0);
  t.equal(h.gateway.stats().openGrants, 0, "whoever leaves before the delivery takes the grant along");
});

t.test(
  "R-TRK-2: at most one position per interval and subscriber; the newest wins, and none is lost for ever",
  async (t) => {
    const { h, show, stamp, follow } = await world({ positionEveryMs: 400 });
    t.teardown(() => h.close());
    await show("picked_up", { driverId: "d1", number: 1 });
    const socket = await follow();
    for (let at = 1; at <= 20; at++) await stamp("d1", 1, 41, at);
    await eventually("the newest comes", () => (socket.all(isPosition).at(-1)?.[6] as { at?: number })?.at === 20);
    t.equal(socket.all(isPosition).length, 2, "the first at once, the newest when the time has come");
    t.ok(h.gateway.stats().positionsHeld >= 19);
  },
);

t.test("rule 12: a reassignment closes one grant and opens another; the old one never opens again", async (t) => {
  const { h, show, stamp, follow } = await world();
  t.teardown(() => h.close());
  await show("picked_up", { driverId: "d1", number: 1 });
  const socket = await follow();
  await stamp("d1", 1, 41.1, 100);
  await socket.next(isPosition);
  await show("picked_up", { driverId: "d2", number: 2 });
  await stamp("d1", 1, 41.2, 200);
  await stamp("d2", 2, 41.9, 150);
  t.match((await socket.next(isPosition))[3], [2, 150]);
  await show("picked_up", { driverId: "d1", number: 1 });
  await stamp("d1", 1, 41.3, 300);
  await pause(50);
  t.equal(socket.all(isPosition).filter((frame) => (frame[6] as { lat: number }).lat === 41.3).length, 0);
});

t.test("R-GPS-1: one feed per driver and gateway, however many follow however many orders of the trip", async (t) => {
  const { h, stamp } = await world();
  t.teardown(() => h.close());
  const sockets: TestSocket[] = [];
  for (const orderId of ["p1", "p2", "p3"]) {
    const tracking = trackingOf(orderId, 1, "picked_up", { driverId: "d1", number: 1 });
    await h.tell("order", orderId, "show", { tracking, viewFirst: true });
    for (const device of ["a", "b"]) {
      const socket = await h.connect("customer", "c1", { device: `${orderId}${device}` });
      socket.send([OP.sub, 1, `order:${orderId}`]);
      sockets.push(socket);
    }
  }
  await eventually("all grants are open", () => h.gateway.stats().openGrants === 3);
  t.equal(h.gateway.stats().driverFeeds, 1);
  for (const [i, orderId] of ["p1", "p2", "p3"].entries()) await stamp("d1", 1, 41 + i, 100, orderId);
  for (const [i, socket] of sockets.entries()) {
    t.match(
      (await socket.next(isPosition))[6],
      { lat: 41 + Math.floor(i / 2) },
      "each sees the position under its own order",
    );
  }
  for (const socket of sockets) socket.close();
  await eventually("all have left", () => h.gateway.stats().driverFeeds === 0 && h.gateway.stats().subscriptions === 0);
});

t.test("R-TRK-3: a follower that has the version gets no view; one that has an older one gets the whole", async (t) => {
  const { h, show } = await world();
  t.teardown(() => h.close());
  await show("confirmed", null);
  const version = await show("accepted", null);
  const socket = await h.connect("customer", "c1");
  socket.send([OP.sub, 1, "order:o1", 1, version]);
  t.match(await socket.op(OP.subbed), [OP.subbed, "order:o1", Number, version, true]);
  const next = await show("preparing", null);
  t.ok(isView(next)(await socket.next((frame) => frame[0] === OP.state)), "the first view is the next one");
  const other = await h.connect("customer", "c1", { device: "other" });
  other.send([OP.sub, 1, "order:o1", 1, 1]);
  t.match(await other.op(OP.subbed), [OP.subbed, "order:o1", Number, next, false]);
  await other.next(isView(next));
});

t.test("DESIGN 9: when the owner is silent, or the news is old, nothing is shown", async (t) => {
  const sinks = new Map<string, ChannelSink>();
  let silence = 0;
  const client = {
    subscribe(channel: { key: string }, _caller: unknown, _from: unknown, sink: ChannelSink) {
      sinks.set(channel.key, sink);
      return { acknowledge() {}, close: () => void sinks.delete(channel.key) };
    },
    silenceMs: () => silence,
  } as unknown as ActorClient & { silenceMs(): number };
  const gates = new LocationGates({
    client,
    clock,
    gatewayId: "g",
    positionEveryMs: 0,
    ownerSilenceMs: 5_000,
    stats: newStats(),
  });
  const seen: number[] = [];
  const watcher: PositionWatcher = {
    positionSentAt: Number.NEGATIVE_INFINITY,
    position: (broadcast) => void seen.push((broadcast.frame[6] as { at: number }).at),
    clearPosition() {},
  };
  const gate = gates.join("o1", watcher);
  const fix = (at: number, grant = 1): void => {
    const item: SlotItem = {
      slot: "o1",
      version: [1, at],
      at,
      ttlMs: 30_000,
      body: { orderId: "o1", grant, position: { lat: 1, lng: 1, at } },
    };
    sinks.get("d1")?.slot(item);
  };
  gates.tracking(gate, trackingOf("o1", 5, "picked_up", { driverId: "d1", number: 1 }));
  fix(1);
  silence = 6_000;
  fix(2);
  gates.catchUp(gate, watcher);
  silence = 10;
  fix(3);
  t.same(seen, [1, 3], "nothing while the owner was not heard");
  gates.tracking(gate, trackingOf("o1", 4, "ready", null));
  fix(4);
  t.same(seen, [1, 3, 4], "older news changes nothing");
  gates.tracking(gate, trackingOf("o1", 6, "delivered", null));
  gates.tracking(gate, trackingOf("o1", 5, "picked_up", { driverId: "d1", number: 1 }));
  gates.tracking(gate, trackingOf("o1", 7, "picked_up", { driverId: "d1", number: 1 }));
  fix(5);
  gates.catchUp(gate, watcher);
  t.same(seen, [1, 3, 4], "a closed grant never opens again");
  t.equal(sinks.size, 0);
});

t.test("R-TRK-4: a driver who could not be listened to is asked for again, without news of the order", async (t) => {
  const sinks = new Map<string, ChannelSink>();
  let asked = 0;
  let now = 0;
  const client = {
    subscribe(channel: { key: string }, _caller: unknown, _from: unknown, sink: ChannelSink) {
      asked++;
      sinks.set(channel.key, sink);
      return { acknowledge() {}, close: () => void (sinks.get(channel.key) === sink && sinks.delete(channel.key)) };
    },
  } as unknown as ActorClient;
  const stats = newStats();
  const gates = new LocationGates({
    client,
    clock: { ...clock, monotonic: () => now },
    gatewayId: "g",
    positionEveryMs: 0,
    ownerSilenceMs: 5_000,
    stats,
  });
  const seen: number[] = [];
  const watcher: PositionWatcher = {
    positionSentAt: Number.NEGATIVE_INFINITY,
    position: (broadcast) => void seen.push((broadcast.frame[6] as { at: number }).at),
    clearPosition() {},
  };
  const gate = gates.join("o1", watcher);
  gates.tracking(gate, trackingOf("o1", 1, "picked_up", { driverId: "d1", number: 1 }));
  // As when the store is away for longer than a subscription waits for its beginning.
  const fail = (): void => sinks.get("d1")?.ended({ code: "unavailable", temporary: true });
  fail();
  t.equal(stats.driverFeeds, 0);
  gates.tick();
  t.equal(asked, 1, "not at once");
  now += 10_000;
  gates.tick();
  t.same([asked, stats.driverFeeds], [2, 1]);
  const body = { orderId: "o1", grant: 1, position: { lat: 1, lng: 1, at: 7 } };
  sinks.get("d1")?.slot({ slot: "o1", version: [1, 1], at: 7, ttlMs: 30_000, body });
  t.same(seen, [7]);
  fail();
  gates.tracking(gate, trackingOf("o1", 2, "delivered", null));
  now += 10_000;
  gates.tick();
  t.equal(asked, 2, "nobody may see the driver any more");
  fail();
  gates.leave(gate, watcher);
});
