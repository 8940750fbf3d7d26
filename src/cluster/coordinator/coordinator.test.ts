/** One situation after the other, under a virtual clock: times here are exact, whatever the machine does. */
import t from "tap";
import { SHARD_COUNT } from "../../actors/runtime/ports.js";
import type { Clock } from "../../lib/clock.js";
import { recordingLog } from "../../lib/log.js";
import { seededRandom } from "../../lib/random.js";
import { type ShardKeeper, shardEndpoint } from "../ports.js";
import { createCoordinator } from "./coordinator.js";
import { epochsOf, situation } from "./fixtures/situation.js";
import { World } from "./fixtures/world.js";
import { ClockSkewTooGreat } from "./lease.js";
import { type CoordinatorSettings, checkCoordinatorSettings, DEFAULT_COORDINATOR_SETTINGS } from "./settings.js";

t.test("R-CLU-1: the first node takes every shard before it is up", async (t) => {
  const world = new World({ seed: 1 });
  const process = world.start("node-0");
  t.ok(await world.until(() => process.state === "up", 5_000));
  t.equal(process.served.size, SHARD_COUNT);
  t.ok(process.mayEmit());
  t.match(process.coordinator.status(), { state: "active", hasSession: true, takes: SHARD_COUNT, gives: 0, losses: 0 });
});

situation(
  "R-CLU-1: a node that joins gets its share from each, and no other shard moves",
  2,
  async (t, world, processes) => {
    const before = [epochsOf(world, "node-0"), epochsOf(world, "node-1")];
    world.start("node-2");
    t.ok(await world.until(() => world.settled(), 30_000));
    for (const [i, node] of ["node-0", "node-1"].entries()) {
      for (const [shard, epoch] of epochsOf(world, node)) t.equal(before[i]?.get(shard), epoch);
    }
    const moved = epochsOf(world, "node-2");
    t.equal(processes[0].coordinator.status().losses, 0, "given, not lost");
    const { pauses } = processes[0].coordinator.status();
    // Giving up takes up to 20 ms here, and each way to the database 2 ms.
    t.ok(pauses !== null && pauses.max <= 30, "each was paused for no longer than its own move takes");
    t.ok(moved.size > SHARD_COUNT / 6);
  },
);

situation("R-CLU-1: a node that has crashed is replaced within 4 s", 3, async (t, world, processes) => {
  world.kill(processes[1]);
  t.ok(await world.until(() => world.settled(), 4_000));
});

situation(
  "R-CLU-1: a node that starts again under its id gets its own shards back, under new epochs",
  3,
  async (t, world, processes) => {
    const before = new Map([0, 1, 2].map((i) => [i, epochsOf(world, `node-${i}`)] as const));
    world.kill(processes[1]);
    await world.run(500);
    world.start("node-1");
    t.ok(await world.until(() => world.settled(), 2_000));
    for (const [shard, epoch] of epochsOf(world, "node-1")) {
      t.equal(epoch, before.get(1)!.get(shard)! + 1, "what its dead self may still write is refused");
    }
    for (const i of [0, 2]) t.strictSame(epochsOf(world, `node-${i}`), before.get(i), "nobody else's moved");
  },
);

situation(
  "R-CLU-2: a node that is cut off is silent before its shards are taken, and finds out when it is back",
  3,
  async (t, world, processes) => {
    const [, cut] = processes;
    cut.store.cut();
    t.ok(await world.until(() => !cut.mayEmit(), 10_000), "silent before its lease of 10 s is over");
    t.equal(epochsOf(world, "node-1").size, cut.served.size, "and nothing was taken by then");
    t.ok(await world.until(() => epochsOf(world, "node-1").size === 0, 8_000));
    cut.store.heal();
    t.ok(await world.until(() => world.settled(), 20_000));
  },
);

situation(
  "R-CLU-3: a node that is cut off asks the new owners of its shards, for as long as it is cut off",
  3,
  async (t, world, processes) => {
    const [first, cut] = processes;
    const its = [...epochsOf(world, "node-1").keys()];
    cut.store.cut();
    t.ok(await world.until(() => epochsOf(world, "node-1").size === 0, 20_000));
    t.ok(
      await world.until(() => its.every((shard) => cut.map[shard] === first.map[shard]), 4_000),
      "it is told by the others, also while it still waits for an answer of the database",
    );
    t.equal(cut.served.size, 0, "and has let go of them");
    t.equal(cut.coordinator.status().losses, its.length);
    await world.run(60_000);
    t.ok(its.every((shard) => cut.map[shard] === first.map[shard]));
    cut.store.heal();
    t.ok(await world.until(() => world.settled(), 20_000));
  },
);

situation(
  "R-CLU-3: a node that was cut off from the others too, as its shards were taken, hears of it when it hears them again",
  3,
  async (t, world, processes) => {
    const [first, cut, third] = processes;
    const its = [...epochsOf(world, "node-1").keys()];
    cut.store.cut();
    for (const other of [first, third]) world.deaf.add(`${other.node}>node-1`).add(`node-1>${other.node}`);
    t.ok(await world.until(() => epochsOf(world, "node-1").size === 0, 20_000));
    await world.run(10_000);
    t.notSame(
      its.filter((shard) => cut.map[shard] !== first.map[shard]),
      [],
      "it asks its own workers, who may not answer",
    );
    world.deaf.clear();
    t.ok(await world.until(() => its.every((shard) => cut.map[shard] === first.map[shard]), 10_000));
    t.equal(cut.served.size, 0);
    cut.store.heal();
    t.ok(await world.until(() => world.settled(), 20_000));
  },
);

situation("R-CLU-3: members who all see the database say nothing twice", 3, async (t, world) => {
  const heard: unknown[] = [];
  world.hints.open("ear").onHint((hint) => heard.push(hint));
  await world.run(60_000);
  t.same(heard, []);
});

situation(
  "R-CLU-3: a silent node that is lied to gets its shards back, under new epochs",
  2,
  async (t, world, processes) => {
    const [, second] = processes;
    const its = epochsOf(world, "node-1");
    const [mine] = [...its.keys()] as [number];
    world.ownership.stop();
    await world.run(5_000);
    world.hints.open("liar").announce({ node: "node-0", workers: 2, shards: [{ shard: mine, epoch: 1_000 }] });
    t.ok(await world.until(() => !second.served.has(mine), 100));
    t.equal(second.served.size, its.size - 1);
    world.ownership.start();
    t.ok(await world.until(() => world.settled(), 10_000));
    t.equal(epochsOf(world, "node-1").get(mine), its.get(mine)! + 1);
  },
);

situation(
  "R-CLU-2: a node that slept through its lease wakes up silent and serves nothing that is another's",
  3,
  async (t, world, processes) => {
    const [, sleeper] = processes;
    sleeper.clock.pause();
    t.ok(await world.until(() => epochsOf(world, "node-1").size === 0, 15_000));
    t.ok(sleeper.served.size > 0, "it does not know");
    sleeper.clock.resume();
    t.notOk(sleeper.mayEmit());
    t.ok(await world.until(() => world.settled(), 20_000));
    t.ok(sleeper.coordinator.status().losses > 0);
  },
);

situation(
  "R-CLU-2: a sleeper whose id another process has by now hears that it must end",
  2,
  async (t, world, processes) => {
    processes[1].clock.pause();
    await world.run(12_000);
    world.start("node-1");
    t.ok(await world.until(() => world.settled(), 20_000));
    processes[1].clock.resume();
    t.ok(await world.until(() => world.fatal.length > 0, 10_000));
    t.strictSame(world.fatal, ["node-1: NodeIdInUse"]);
  },
);

situation(
  "R-CLU-2: an answer that waited for a node to wake up lets it speak for no longer than the lease it is about",
  2,
  async (t, world, processes) => {
    for (let i = 0; i < 8; i++) {
      processes[1].clock.pause();
      await world.run(11_000);
      processes[1].clock.resume();
      await world.run(1);
      t.notOk(processes[1].mayEmit());
      t.ok(await world.until(() => world.settled(), 30_000));
      await world.run(130);
    }
  },
  // Slow enough that a renewal is often under way.
  { latencyMs: 200 },
);

situation(
  "R-CLU-2: without a session a node speaks for sessionLossMs, and a new one lets it go on as before",
  2,
  async (t, world, processes) => {
    const before = epochsOf(world, "node-1");
    world.ownership.endSession("node-1");
    await world.run(1_000);
    t.ok(processes[1].mayEmit() && world.settled());
    t.strictSame(epochsOf(world, "node-1"), before, "nothing moved");
    // With the database away it cannot join again, and no word of the other reaches it.
    world.lostHints = 1;
    world.ownership.stop();
    await world.run(DEFAULT_COORDINATOR_SETTINGS.sessionLossMs + 10);
    t.ok(processes.every((process) => !process.mayEmit()));
    t.equal(processes[1].served.size, before.size, "silent, but nothing is forgotten");
    world.ownership.start();
    t.ok(await world.until(() => world.settled(), 2_000));
    t.strictSame(epochsOf(world, "node-1"), before, "nothing moved: that a session is gone since then proves nothing");
  },
);

situation(
  "R-CLU-5: a database that was away for longer than the leases finds its cluster again",
  3,
  async (t, world) => {
    world.ownership.stop();
    await world.run(30_000);
    world.ownership.start();
    t.ok(await world.until(() => world.settled(), 30_000));
  },
);

situation("R-CLU-4: a node that drains gives everything away and is given nothing", 3, async (t, world, processes) => {
  let stopped = false;
  world.stop(processes[1], () => {
    stopped = true;
  });
  t.ok(await world.until(() => stopped, 15_000));
  t.equal(processes[1].coordinator.status().losses, 0);
  t.ok(await world.until(() => world.settled(), 2_000));
});

situation("R-CLU-4: the last node to drain does not wait for anybody", 1, async (t, world, processes) => {
  let stopped = false;
  world.stop(processes[0], () => {
    stopped = true;
  });
  t.ok(await world.until(() => stopped, 100));
  world.start("node-1");
  t.ok(await world.until(() => world.settled(), 1_000), "and what it left is free at once");
});

situation("R-CLU-4: all nodes that drain at once come to an end", 3, async (t, world, processes) => {
  let stopped = 0;
  for (const process of processes) world.stop(process, () => stopped++);
  t.ok(await world.until(() => stopped === 3, 15_000));
});

situation(
  "R-CLU-1: a shard that is not given up in time moves all the same",
  1,
  async (t, world) => {
    world.start("node-1");
    t.ok(await world.until(() => world.settled(), 60_000));
  },
  { hungReleases: 0.05, settings: { releaseMs: 1_000 } },
);

situation(
  "R-CLU-1: a shard whose move the database refuses is served again where it was",
  1,
  async (t, world, processes) => {
    const second = world.start("node-1");
    const given = () => processes[0].coordinator.status().gives;
    t.ok(await world.until(() => given() > 5, 10_000));
    // The first believes it ready; the database does not, nor for a while.
    second.store.cut();
    second.clock.pause();
    await world.run(5);
    world.ownership.expireLease("node-1");
    await world.run(3_000);
    t.equal(processes[0].served.size, SHARD_COUNT, "those on their way, and those that had arrived");
    t.ok(given() < 50);
    second.store.heal();
    second.clock.resume();
    t.ok(await world.until(() => world.settled(), 20_000));
  },
);

t.test("R-CLU-1: nodes that see different members do not move shards to and fro", async (t) => {
  const world = new World({ seed: 3 });
  world.start("node-0");
  // Believes in a member without a session for much longer.
  world.start("node-1", { sessionGraceMs: 9_000 });
  const third = world.start("node-2");
  t.ok(await world.until(() => world.settled(), 60_000));
  const before = world.moves();
  const its = epochsOf(world, "node-2").size;
  third.clock.pause();
  third.store.cut();
  world.ownership.endSession("node-2");
  await world.run(8_000);
  const early = world.moves() - before;
  t.ok(early > 0 && early < its, "one took its part early");
  await world.run(12_000);
  t.equal(world.moves() - before, its, "each of its shards moved once, and no other");
  third.store.heal();
  third.clock.resume();
  t.ok(await world.until(() => world.settled(), 60_000));
  t.equal(world.moves() - before, 2 * its, "and once back");
  t.strictSame(world.violations, []);
});

situation(
  "rule 4: the shards of a worker that died go on under new epochs, and no others",
  2,
  async (t, world, processes) => {
    const before = epochsOf(world, "node-0");
    const dead = [...before.keys()].filter((shard) => shard % 2 === 0);
    const foreign = [...epochsOf(world, "node-1").keys()].slice(0, 3);
    let epochs: ReadonlyMap<number, number> | undefined;
    void processes[0].coordinator.reclaim([...dead, ...foreign]).then((answer) => {
      epochs = answer;
    });
    t.ok(await world.until(() => epochs !== undefined, 1_000));
    t.strictSame([...epochs!].sort(), dead.map((shard) => [shard, before.get(shard)! + 1]).sort());
    for (const [shard, epoch] of epochs!) t.equal(processes[0].served.get(shard), epoch, "granted by then");
    for (const [shard, epoch] of epochsOf(world, "node-0")) t.equal(epoch, epochs!.get(shard) ?? before.get(shard));
  },
);

situation(
  "rule 4: while the database is away no epoch is raised, and nothing fallen is served under an old one",
  2,
  async (t, world, processes) => {
    world.ownership.stop();
    await world.run(10);
    await t.rejects(processes[0].coordinator.reclaim([...processes[0].served.keys()]), /away/);
    processes[0].served.clear();
    world.ownership.start();
    await world.run(3_000);
    t.equal(processes[0].served.size, 0);
    processes[0].killWorker(0);
    processes[0].killWorker(1);
    t.ok(await world.until(() => world.settled(), 10_000));
  },
);

situation(
  "R-CLU-3: a hint that lies costs a detour until the next view, never an owner",
  2,
  async (t, world, processes) => {
    const [first, second] = processes;
    const mine = [...first.served.keys()][0]!;
    const before = world.moves();
    world.hints.open("liar").announce({ node: "node-1", workers: 2, shards: [{ shard: mine, epoch: 1_000 }] });
    await world.run(100);
    t.ok(first.served.has(mine) && !second.served.has(mine));
    await world.run(2_000);
    t.ok(world.settled());
    t.equal(world.moves(), before);
    world.hints.open("liar").announce({ node: "nobody", workers: 1, shards: [{ shard: mine, epoch: 1_000 }] });
    t.ok(await world.until(() => second.map[mine] === shardEndpoint("nobody", 1, mine), 100));
    t.ok(await world.until(() => world.settled(), 2_000));
  },
);

const silentKeeper = (clock: Clock): ShardKeeper => ({
  grant: () => undefined,
  release: async () => undefined,
  revoke: () => undefined,
  moment: () => ({ monotonic: clock.monotonic(), wall: clock.now() }),
  extend: () => undefined,
  silence: () => undefined,
  assign: () => undefined,
});

t.test("R-CLU-2: a node whose clock is wrong does not join", async (t) => {
  for (const [skewMs, said] of [
    [600, /600 ms ahead/],
    [-600, /600 ms behind/],
    [480, null],
  ] as const) {
    const world = new World({ seed: 1 });
    const clock: Clock = {
      now: () => world.clock.now() + skewMs,
      monotonic: () => world.clock.monotonic(),
      after: (delayMs, run) => world.clock.after(delayMs, run),
      every: (periodMs, run) => world.clock.every(periodMs, run),
    };
    const coordinator = createCoordinator({
      description: { node: "node-0", incarnation: "1", workers: 1, url: "" },
      store: world.ownership.store(clock),
      hints: null,
      keeper: silentKeeper(clock),
      clock,
      random: seededRandom(1),
      onFatal: () => t.fail("it never was a member"),
    });
    let outcome: unknown;
    coordinator.start().then(
      () => {
        outcome = null;
      },
      (error: unknown) => {
        outcome = error;
      },
    );
    await world.until(() => outcome !== undefined, 5_000);
    if (said === null) t.equal(outcome, null);
    else t.match(outcome, { name: ClockSkewTooGreat.name, message: said });
    t.equal(world.ownership.shards.size, said === null ? SHARD_COUNT : 0);
  }
});

t.test("R-CLU-2: a clock that goes wrong after the node has joined is told of, and not too often", async (t) => {
  const world = new World({ seed: 1 });
  let skewMs = 0;
  const clock: Clock = {
    now: () => world.clock.now() + skewMs,
    monotonic: () => world.clock.monotonic(),
    after: (delayMs, run) => world.clock.after(delayMs, run),
    every: (periodMs, run) => world.clock.every(periodMs, run),
  };
  const log = recordingLog();
  const coordinator = createCoordinator({
    description: { node: "node-0", incarnation: "1", workers: 1, url: "" },
    store: world.ownership.store(clock),
    hints: null,
    keeper: silentKeeper(clock),
    clock,
    random: seededRandom(1),
    log,
    onFatal: () => t.fail("it stays a member"),
  });
  const told = () =>
    log.lines
      .filter(({ level, fields }) => level === "warn" && fields.skewMs !== undefined)
      .map(({ fields }) => fields.skewMs);
  void coordinator.start();
  await world.run(5_000);
  t.same([told(), coordinator.status().clockSkewMs], [[], 0]);
  skewMs = -30_000;
  await world.run(50_000);
  t.same(told(), [-29_998], "the round trip takes 4 ms");
  t.equal(coordinator.status().clockSkewMs, -29_998);
  await world.run(30_000);
  t.equal(told().length, 2);
  skewMs = 0;
  await world.run(90_000);
  t.same([told().length, coordinator.status().clockSkewMs], [2, 0]);
});

t.test("settings that contradict each other are refused with both values", async (t) => {
  const judge = (settings: Partial<CoordinatorSettings>) => () =>
    checkCoordinatorSettings({ ...DEFAULT_COORDINATOR_SETTINGS, ...settings });
  t.doesNotThrow(judge({}));
  t.throws(judge({ sessionLossMs: 2_000 }), /sessionLossMs \(2000\) must be less than sessionGraceMs \(2000\)/);
  t.throws(judge({ heartbeatMs: 4_000 }), /3 × heartbeatMs \(4000\) must be less than leaseMs \(10000\)/);
  t.throws(judge({ leaseMarginMs: 10_000 }), /leaseMarginMs \(10000\) must be less than leaseMs/);
  t.throws(judge({ sessionGraceMs: 10_000 }), /sessionGraceMs \(10000\) must be less than leaseMs/);
  t.throws(judge({ leaseMs: 60_000 }), /at most 50000/);
  t.throws(judge({ movesAtOnce: 0.5 }), /movesAtOnce must be a whole number/);
});
