/** Seeded faults in virtual time. A failure names its seed; `node …/simulation.test.js 7 8` runs those alone. */
import t from "tap";
import { pick, randomInteger } from "../../lib/random.js";
import { type Process, World } from "./fixtures/world.js";

const SEEDS = process.argv.length > 2 ? process.argv.slice(2).map(Number) : [1, 2, 3, 7, 18, 40, 1_015, 1_275];
const FAULTS = 30;
/** A lease, the grace, a release that hangs, and the moves of every shard, with room. */
const HEALS_WITHIN_MS = 30_000;
/** Until everything has woken up, come back and been stopped that was going to. */
const CALM_WITHIN_MS = 120_000;

type Fault = (world: World) => void;

const later = (world: World, mostMs: number, run: () => void): void =>
  world.later(200 + randomInteger(world.random, mostMs), run);

/**
 * Of members that can hear of it. One that cannot hear that its session was ended speaks until its lease ends: its
 * flushes are refused, but it may answer reads from memory for that long.
 */
function endSession(world: World, node: string): void {
  const own = world.alive().filter((process) => process.node === node);
  if (own.some(({ clock }) => clock.state === "paused")) return;
  for (const process of own) process.store.heal();
  world.ownership.endSession(node);
}

/** Both ends see the connection break, and then there is no way to another. */
function sever(world: World, { node, store }: Process, mostMs: number): void {
  endSession(world, node);
  // The news takes 2 ms to the member, and its next knock 2 ms back.
  world.clock.after(3, () => store.cut());
  later(world, mostMs, () => store.heal());
}

/** Each of those that live, or not. */
const some = (world: World): readonly Process[] => world.alive().filter(() => world.random.next() < 0.6);

const FAULT_KINDS: Record<string, Fault> = {
  crash(world) {
    const victim = pick(world.random, world.alive());
    world.kill(victim);
    later(world, 15_000, () => restart(world, victim.node));
  },
  sleep(world) {
    const victim = pick(world.random, world.alive());
    victim.clock.pause();
    // Half of them for about a lease, where waking up is most dangerous.
    if (world.random.next() < 0.5) world.later(9_000 + randomInteger(world.random, 4_000), () => victim.clock.resume());
    else later(world, 30_000, () => victim.clock.resume());
    // Sometimes a successor is started meanwhile: in vain while the sleeper has its session, else once its lease is over.
    // Before that the database would let it in, and the first might be heard beside it: an id names one process.
    if (world.random.next() < 0.3)
      world.later(2_000 + randomInteger(world.random, 28_000), () => {
        const { ownership, clock } = world;
        const isOver = (ownership.leaseUntil(victim.node) ?? 0) <= clock.now();
        if (ownership.hasSession(victim.node) || isOver) world.start(victim.node);
      });
  },
  loseSession(world) {
    endSession(world, pick(world.random, world.alive()).node);
  },
  sever(world) {
    sever(world, pick(world.random, world.alive()), 12_000);
  },
  severMany(world) {
    // Not quite at once, and somebody may come meanwhile who sees the database.
    for (const process of some(world))
      world.later(randomInteger(world.random, 700), () => {
        if (process.state !== "dead") sever(world, process, 12_000);
      });
    const node = `node-${randomInteger(world.random, 6)}`;
    if (world.random.next() < 0.6) world.later(randomInteger(world.random, 2_500), () => restart(world, node));
  },
  cut(world) {
    const { store } = pick(world.random, world.alive());
    store.cut();
    later(world, 15_000, () => store.heal());
  },
  databaseAway(world) {
    world.ownership.stop();
    later(world, 12_000, () => world.ownership.start());
  },
  slowReturn(world) {
    // Some find it again later than others.
    world.ownership.stop();
    for (const { store } of some(world)) {
      world.later(50, () => store.cut());
      later(world, 9_000, () => store.heal());
    }
    later(world, 5_000, () => world.ownership.start());
  },
  flap(world) {
    for (let at = 0, i = 0; i < 5; i++) {
      at += randomInteger(world.random, 1_500);
      world.later(at, () => world.ownership.stop());
      at += randomInteger(world.random, 1_500);
      world.later(at, () => world.ownership.start());
    }
  },
  hang(world) {
    world.ownership.hang();
    later(world, 7_000, () => world.ownership.goOn());
  },
  cutAll(world) {
    for (const { store } of world.alive()) store.cut();
    later(world, 12_000, () => {
      for (const { store } of world.alive()) store.heal();
    });
  },
  deaf(world) {
    const way = `${pick(world.random, world.alive()).node}>${pick(world.random, world.alive()).node}`;
    world.deaf.add(way);
    later(world, 15_000, () => world.deaf.delete(way));
  },
  nap(world) {
    const { clock } = pick(world.random, world.alive());
    clock.pause();
    later(world, 2_500, () => clock.resume());
  },
  drift(world) {
    const { clock } = pick(world.random, world.alive());
    clock.drift(randomInteger(world.random, 20_000) - 10_000);
    later(world, 20_000, () => clock.drift(0));
  },
  join(world) {
    if (world.alive().length < 6) restart(world, `node-${randomInteger(world.random, 6)}`);
  },
  drain(world) {
    const victim = pick(world.random, world.alive());
    if (world.alive().length < 3 || victim.state !== "up") return;
    world.stop(victim, () => later(world, 10_000, () => restart(world, victim.node)));
  },
  worker(world) {
    const victim = pick(world.random, world.alive());
    if (victim.state === "up") victim.killWorker(randomInteger(world.random, 2));
  },
};

function restart(world: World, node: string): void {
  if (!world.alive().some((process) => process.node === node)) world.start(node);
}

for (const seed of SEEDS) {
  t.test(
    `rule 4, R-CLU-1, R-CLU-2: whatever happens, one owner speaks and all shards find theirs (seed ${seed})`,
    async (t) => {
      const world = new World({ seed, lostHints: 0.3, lateHints: 0.1, doubledHints: 0.1, hungReleases: 0.01 });
      for (let i = 0; i < 3; i++) world.start(`node-${i}`);
      await world.run(5_000);
      const story: string[] = [];
      for (let i = 0; i < FAULTS && world.violations.length === 0; i++) {
        if (world.alive().length === 0) restart(world, "node-0");
        const kind = pick(world.random, Object.keys(FAULT_KINDS));
        story.push(`${world.clock.monotonic()} ${kind}`);
        FAULT_KINDS[kind]!(world);
        await world.run(5 + randomInteger(world.random, 4_000));
      }
      world.lostHints = 0;
      world.hungReleases = 0;
      await world.until(() => world.calm(), CALM_WITHIN_MS);
      const settled = await world.until(() => world.settled(), HEALS_WITHIN_MS);
      const states = world.alive().map(({ node, state, coordinator, served, clock }) => ({
        node,
        phase: state,
        running: clock.state === "running",
        served: served.size,
        ...coordinator.status(),
        shards: coordinator.status().shards.length,
        members: coordinator.status().members.length,
      }));
      t.strictSame(world.violations, [], story.join("\n"));
      if (
        !t.ok(settled, "every shard has the owner it should have", {
          found: { states, story, fatal: world.fatal, at: world.clock.monotonic() },
        })
      )
        return;
      const moves = world.moves();
      await world.run(15_000);
      t.equal(world.moves(), moves, "and then nothing moves any more");
      t.ok(world.settled());
      t.strictSame(world.violations, [], story.join("\n"));
    },
  );
}
