/**
 * The faults that come by themselves: crashes, pauses, partitions, restarts. Each kind has a stream of its own that says
 * when and to whom; every fault is undone after a while, and all of them when the world heals.
 *
 * Invariant: after `heal` and what it takes, every machine runs, on one release, with a right clock, and reaches everything.
 */
import { pick, type Random, randomInteger } from "../../../src/lib/random.js";
import type { FaultKind, World } from "../ports.js";
import type { Cluster, Machine } from "../world/cluster.js";
import type { WorldDatabase } from "../world/database.js";
import type { WorldNetwork } from "../world/network.js";
import type { WorldStream } from "../world/streams.js";

export interface Injector {
  start(): void;
  /** Ends all faults. Resolves when nothing is left to be done. */
  heal(): Promise<void>;
}

export interface InjectorOptions {
  readonly world: World;
  readonly cluster: Cluster;
  readonly database: WorldDatabase;
  readonly network: WorldNetwork;
  readonly stream: WorldStream;
}

/** Between two faults of a kind at an intensity of 1, on average; milder ones are rarer. */
const EVERY_MS = 8_000;
const LEASE_MS = 10_000;
/** Beyond it a machine may not join. */
const MOST_SKEW_MS = 400;
const MOST_ASKED = 300;

export function createInjector({ world, cluster, database, network, stream }: InjectorOptions): Injector {
  const { scheduler, streams, faults } = world;
  const { clock } = scheduler;
  const { machines } = cluster;
  /** What has to be undone, in the order it was done. */
  const undo = new Set<() => void>();
  /** Machines that something is being done to. */
  const busy = new Set<Machine>();

  function later(afterMs: number, run: () => void): void {
    const once = (): void => {
      if (undo.delete(once)) run();
    };
    undo.add(once);
    clock.after(afterMs, once);
  }

  function idle(random: Random): Machine | null {
    const free = machines.filter((machine) => !busy.has(machine) && machine.life?.state === "up");
    return free.length === 0 ? null : pick(random, free);
  }

  function hold(machine: Machine, forMs: number, release: () => void): void {
    busy.add(machine);
    later(forMs, () => {
      busy.delete(machine);
      release();
    });
  }

  /** Another machine than the first, if there is one. */
  function pair(random: Random): readonly [from: string, to: string] | null {
    if (machines.length < 2) return null;
    const from = randomInteger(random, machines.length);
    const to = (from + 1 + randomInteger(random, machines.length - 1)) % machines.length;
    return [(machines[from] as Machine).node, (machines[to] as Machine).node];
  }

  function way(kind: FaultKind, random: Random, shut: (from: string, to: string) => void): void {
    const found = pair(random);
    if (found === null) return;
    const [from, to] = found;
    faults.happened(kind, `${from}>${to}`);
    shut(from, to);
    later(1_000 + randomInteger(random, 12_000), () => network.openWay(from, to));
  }

  function restart(machine: Machine): void {
    machine.start();
  }

  /** Drained, stopped, started again. */
  async function roll(machine: Machine, random: Random): Promise<void> {
    busy.add(machine);
    await machine.stop();
    await new Promise<void>((resolve) => later(500 + randomInteger(random, 3_000), resolve));
    busy.delete(machine);
    restart(machine);
  }

  const rolling = new Set<Promise<void>>();
  function rollAway(machine: Machine, random: Random): void {
    const run = roll(machine, random).finally(() => rolling.delete(run));
    rolling.add(run);
  }

  const deeds: Partial<Record<FaultKind, (random: Random) => void>> = {
    link_partition_one_way: (random) => way("link_partition_one_way", random, network.shut),
    link_clog: (random) => way("link_clog", random, network.clog),
    link_server_restart(random) {
      faults.happened("link_server_restart", "network");
      network.disconnectAll();
      later(200 + randomInteger(random, 6_000), () => network.connectAll());
    },
    database_cut(random) {
      const machine = idle(random);
      const life = machine?.life;
      if (machine == null || life == null) return;
      faults.happened("database_cut", machine.node);
      life.database.cut();
      hold(machine, 500 + randomInteger(random, 15_000), () => life.database.heal());
    },
    session_ended(random) {
      const machine = idle(random);
      if (machine === null) return;
      faults.happened("session_ended", machine.node);
      database.ownership.endSession(machine.node);
    },
    database_restart(random) {
      faults.happened("database_restart", "database");
      database.stop();
      later(200 + randomInteger(random, 4_000), () => database.start());
    },
    node_crash(random) {
      const machine = idle(random);
      if (machine === null) return;
      const whole = random.next() < 0.4;
      faults.happened("node_crash", machine.node, whole ? "machine" : "process");
      machine.crash(whole);
      hold(machine, 200 + randomInteger(random, 14_000), () => restart(machine));
    },
    node_pause(random) {
      const machine = idle(random);
      if (machine === null) return;
      faults.happened("node_pause", machine.node);
      machine.pause();
      hold(machine, 50 + randomInteger(random, 6_000), () => machine.resume());
    },
    node_pause_beyond_lease(random) {
      const machine = idle(random);
      if (machine === null) return;
      faults.happened("node_pause_beyond_lease", machine.node);
      machine.pause();
      hold(machine, LEASE_MS + 500 + randomInteger(random, 10_000), () => machine.resume());
    },
    node_drain(random) {
      const machine = idle(random);
      if (machine === null) return;
      faults.happened("node_drain", machine.node);
      rollAway(machine, random);
    },
    node_upgrade(random) {
      const machine = idle(random);
      if (machine === null || machine.upgraded) return;
      faults.happened("node_upgrade", machine.node);
      machine.upgrade();
      rollAway(machine, random);
    },
    worker_crash(random) {
      const machine = idle(random);
      const life = machine?.life;
      if (life == null) return;
      const worker = randomInteger(random, life.workers.count);
      faults.happened("worker_crash", life.node, `worker ${worker}`);
      life.workers.crash(worker);
    },
    clock_skew(random) {
      const machine = idle(random);
      if (machine === null) return;
      faults.happened("clock_skew", machine.node);
      machine.skew(randomInteger(random, 2 * MOST_SKEW_MS + 1) - MOST_SKEW_MS);
    },
    clock_drift(random) {
      const machine = idle(random);
      if (machine === null) return;
      faults.happened("clock_drift", machine.node);
      machine.drift(randomInteger(random, 1_001) - 500);
    },
    clock_jump(random) {
      const machine = idle(random);
      if (machine === null) return;
      const jumpMs = randomInteger(random, 4_001) - 2_000;
      faults.happened("clock_jump", machine.node, `${jumpMs} ms`);
      machine.skew(jumpMs);
      later(500 + randomInteger(random, 5_000), () => machine.skew(0));
    },
    mailbox_flood(random) {
      const machine = idle(random);
      const restaurantId = `r-${1 + randomInteger(random, world.sizes.restaurants)}`;
      const asks = 100 + randomInteger(random, MOST_ASKED);
      if (machine?.life == null) return;
      faults.happened("mailbox_flood", machine.node, `${asks} asks of ${restaurantId}`);
      machine.life.flood.pour(restaurantId, asks);
    },
    stream_away(random) {
      faults.happened("stream_away", "stream");
      stream.away(true);
      later(500 + randomInteger(random, 8_000), () => stream.away(false));
    },
  };

  function plan(kind: FaultKind, deed: (random: Random) => void): void {
    const random = streams.of(`inject ${kind}`);
    const again = (): void => {
      const intensity = faults.intensity(kind);
      if (intensity === 0) return;
      const meanMs = Math.ceil(EVERY_MS / intensity);
      clock.after(1 + randomInteger(random, 2 * meanMs), () => {
        if (faults.phase !== "chaos") return;
        deed(random);
        again();
      });
    };
    again();
  }

  return {
    start() {
      for (const [kind, deed] of Object.entries(deeds)) plan(kind as FaultKind, deed);
    },
    async heal() {
      for (const end of [...undo]) end();
      await Promise.all(rolling);
      for (const machine of machines) {
        machine.skew(0);
        machine.drift(0);
      }
      for (const machine of machines) machine.start();
      if (!machines.some(({ upgraded }) => upgraded)) return;
      const random = streams.of("inject healing");
      for (const machine of machines) {
        if (machine.upgraded) continue;
        machine.upgrade();
        await roll(machine, random);
      }
    },
  };
}
