/** The location gate by itself: each word that opens or closes it alone, in any order. */
import t from "tap";
import type { ActorClient, ChannelSink } from "../../actors/runtime/mod.js";
import type { OrderStatus } from "../../protocol/mod.js";
import { clock, trackingOf } from "../fixtures/harness.js";
import { newStats } from "../stats.js";
import { LocationGates, type PositionWatcher } from "./location-gate.js";

const EVERY_MS = 1_000;
const TTL_MS = 30_000;

function world() {
  const sinks = new Map<string, ChannelSink>();
  const silent = new Set<string>();
  const time = { now: 0 };
  const client = {
    subscribe(channel: { key: string }, _caller: unknown, _from: unknown, sink: ChannelSink) {
      sinks.set(channel.key, sink);
      return { acknowledge() {}, close: () => void sinks.delete(channel.key) };
    },
    silenceMs: ({ key }: { key: string }) => (silent.has(key) ? 6_000 : 0),
  } as unknown as ActorClient & { silenceMs(): number };
  const gates = new LocationGates({
    client,
    clock: { ...clock, monotonic: () => time.now },
    gatewayId: "g",
    positionEveryMs: EVERY_MS,
    ownerSilenceMs: 5_000,
    stats: newStats(),
  });
  let at = 0;
  return {
    gates,
    sinks,
    silent,
    follower() {
      const seen: number[] = [];
      const watcher: PositionWatcher & { cleared: number } = {
        positionSentAt: Number.NEGATIVE_INFINITY,
        cleared: 0,
        position: (broadcast) => void seen.push((broadcast.frame[6] as { at: number }).at),
        clearPosition: () => void watcher.cleared++,
      };
      return { watcher, seen };
    },
    /** The next fix of a driver under a grant. Returns its time. */
    fix(driverId: string, grant: number): number {
      const body = { orderId: "o1", grant, position: { lat: 1, lng: 1, at: ++at } };
      sinks.get(driverId)?.slot({ slot: "o1", version: [1, at], at, ttlMs: TTL_MS, body });
      return at;
    },
    later(ms = EVERY_MS) {
      time.now += ms;
      gates.tick();
    },
  };
}

const onTheWay = (version: number, driverId: string, number: number) =>
  trackingOf("o1", version, "picked_up", { driverId, number });
const viewOf = (version: number, status: OrderStatus) => trackingOf("o1", version, status, null).view;

t.test("rule 12: the closing view closes the gate by itself; a position that waits goes with it", async (t) => {
  const w = world();
  const { watcher, seen } = w.follower();
  const gate = w.gates.join("o1", watcher);
  w.gates.tracking(gate, onTheWay(5, "d1", 1));
  const first = w.fix("d1", 1);
  w.fix("d1", 1);
  w.gates.view(gate, viewOf(6, "delivered"));
  t.equal(watcher.cleared, 1, "nor does the socket's own slot keep one");
  w.later();
  t.same(seen, [first]);
  w.gates.tracking(gate, onTheWay(5, "d2", 2));
  t.equal(w.sinks.size, 0, "older than the view: nobody is listened to");
});

t.test("rule 12: an older view closes nothing, and one on the way leaves the gate as it is", async (t) => {
  const w = world();
  const { watcher, seen } = w.follower();
  const gate = w.gates.join("o1", watcher);
  w.gates.tracking(gate, onTheWay(5, "d1", 1));
  w.gates.view(gate, viewOf(4, "ready"));
  w.gates.view(gate, viewOf(6, "picked_up"));
  t.same([w.fix("d1", 1)], seen);
});

t.test("rule 12: a grant is a driver and a number; another of either is another grant", async (t) => {
  const w = world();
  const { watcher, seen } = w.follower();
  const gate = w.gates.join("o1", watcher);
  const passed: number[] = [];
  w.gates.tracking(gate, onTheWay(1, "d1", 1));
  passed.push(w.fix("d1", 1));
  w.later();
  w.gates.tracking(gate, onTheWay(2, "d1", 2));
  w.fix("d1", 1);
  passed.push(w.fix("d1", 2));
  w.later();
  w.gates.tracking(gate, onTheWay(3, "d2", 2));
  w.fix("d1", 2);
  passed.push(w.fix("d2", 2));
  t.same(seen, passed);
  t.equal(watcher.cleared, 2);
});

t.test("rule 12: nothing is shown while the order's owner is silent, or the driver's", async (t) => {
  for (const who of ["o1", "d1"]) {
    const w = world();
    const { watcher, seen } = w.follower();
    const late = w.follower();
    const gate = w.gates.join("o1", watcher);
    w.gates.tracking(gate, onTheWay(1, "d1", 1));
    const shown = [w.fix("d1", 1)];
    const held = w.fix("d1", 1);
    w.silent.add(who);
    w.later();
    w.fix("d1", 1);
    w.gates.catchUp(gate, late.watcher);
    t.same([seen, late.seen], [shown, []], who);
    w.silent.clear();
    w.gates.catchUp(gate, late.watcher);
    t.same(late.seen, [held], "what was heard before is shown once it is heard again");
  }
});

t.test(
  "R-GPS-6: whoever comes to follow sees the newest position while it is live, and no old one as new",
  async (t) => {
    const w = world();
    const { watcher } = w.follower();
    const gate = w.gates.join("o1", watcher);
    w.gates.tracking(gate, onTheWay(1, "d1", 1));
    const newest = w.fix("d1", 1);
    const [soon, late] = [w.follower(), w.follower()];
    w.later(TTL_MS - 1);
    w.gates.catchUp(gate, soon.watcher);
    w.later(1);
    w.gates.catchUp(gate, late.watcher);
    t.same([soon.seen, late.seen], [[newest], []]);
  },
);

t.test("rule 12: who has left gets nothing that waited for them; who stays goes on", async (t) => {
  const w = world();
  const [one, other] = [w.follower(), w.follower()];
  const gate = w.gates.join("o1", one.watcher);
  w.gates.join("o1", other.watcher);
  w.gates.tracking(gate, onTheWay(1, "d1", 1));
  const first = w.fix("d1", 1);
  const second = w.fix("d1", 1);
  w.gates.leave(gate, one.watcher);
  w.later();
  w.later();
  const third = w.fix("d1", 1);
  t.same([one.seen, other.seen], [[first], [first, second, third]]);
  w.gates.leave(gate, other.watcher);
  t.equal(w.sinks.size, 0);
  t.not(w.gates.join("o1", one.watcher), gate, "whoever comes then begins with what the order says");
});
