/** Who may go on speaking without the database, and until when. Virtual time: every moment here is exact. */
import t, { type Test } from "tap";
import { VirtualClock } from "../../actors/runtime/testkit/mod.js";
import { createMemoryHints } from "../memory/mod.js";
import type { MemberRow, Testimony } from "../ports.js";
import { epochsOf, situation } from "./fixtures/situation.js";
import { type Process, World } from "./fixtures/world.js";
import { DEFAULT_COORDINATOR_SETTINGS } from "./settings.js";
import { createTestimonyDesk } from "./testimony.js";

const { leaseMs, leaseMarginMs, sessionLossMs, sessionGraceMs, heartbeatMs } = DEFAULT_COORDINATOR_SETTINGS;
/** Each way to the database. */
const LATENCY_MS = 2;

/** Both ends see the connection break, and then there is no way to another. */
function sever(world: World, ...processes: readonly Process[]): void {
  for (const { node, store } of processes) {
    world.ownership.endSession(node);
    world.clock.after(LATENCY_MS + 1, () => store.cut());
  }
}

const speakers = (processes: readonly Process[]): readonly string[] =>
  processes.filter((process) => process.mayEmit()).map(({ node }) => node);

/** Holds that each speaks to the very end of its lease, less the margin, and not a moment longer. */
async function speakToTheEnd(t: Test, world: World, processes: readonly Process[]): Promise<void> {
  const endOf = ({ node }: Process): number => world.ownership.leaseUntil(node)! - leaseMarginMs - LATENCY_MS;
  for (const end of [...new Set(processes.map(endOf))].sort((a, b) => a - b)) {
    const its = processes.filter((process) => endOf(process) === end);
    await world.run(end - 1 - world.clock.now());
    t.strictSame(
      speakers(its),
      its.map(({ node }) => node),
      "to the end of the lease",
    );
    await world.run(1);
    t.strictSame(speakers(its), [], "and not beyond it");
  }
}

situation(
  "R-CLU-5: while the database is away for all, all speak until their leases end and nobody speaks longer",
  3,
  async (t, world, processes) => {
    const before = world.moves();
    // By then they renew their leases one after the other.
    await world.run(8_000);
    world.ownership.stop();
    await speakToTheEnd(t, world, processes);
    await world.run(5_000);
    t.strictSame(speakers(processes), []);
    world.ownership.start();
    t.ok(await world.until(() => world.settled(), 30_000));
    t.ok(world.moves() >= before);
  },
);

situation(
  "R-CLU-5: one that answers nobody is as good as away, before and after its members give their sessions up",
  3,
  async (t, world, processes) => {
    const before = processes.map(({ node }) => epochsOf(world, node));
    world.ownership.hang();
    await world.run(6_000);
    t.equal(speakers(processes).length, 3);
    t.ok(processes.every(({ coordinator }) => !coordinator.status().hasSession));
    world.ownership.goOn();
    t.ok(await world.until(() => world.settled(), 10_000));
    t.strictSame(
      processes.map(({ node }) => epochsOf(world, node)),
      before,
      "nothing moved",
    );
    await world.run(8_000);
    for (const { store } of processes) store.cut();
    await speakToTheEnd(t, world, processes);
  },
);

situation(
  "R-CLU-5: a member that is alone has nobody to ask, and speaks until its lease ends",
  1,
  async (t, world, processes) => {
    world.ownership.stop();
    await speakToTheEnd(t, world, processes.slice(0, 1));
  },
);

situation(
  "rule 4: who comes while a lone member cannot see the database waits for the end of that one's lease",
  1,
  async (t, world, processes) => {
    sever(world, processes[0]);
    await world.run(100);
    const second = world.start("node-1");
    await world.run(sessionGraceMs + 2 * heartbeatMs);
    t.strictSame([processes[0].mayEmit(), second.served.size], [true, 0]);
    t.ok(await world.until(() => second.served.size > 0, leaseMs));
    t.notOk(processes[0].mayEmit());
  },
);

situation(
  "R-CLU-2: members that are cut off are silent in time when one of the others sees the database, and are replaced as soon as ever",
  3,
  async (t, world, processes) => {
    const [first, second, third] = processes;
    sever(world, first, second);
    t.ok(await world.until(() => speakers([first, second]).length === 0, sessionLossMs));
    t.ok(third.mayEmit());
    t.ok(await world.until(() => epochsOf(world, "node-2").size === 512, sessionGraceMs + heartbeatMs + 500));
  },
);

situation(
  "R-CLU-5: who dies together with the database can promise nothing: the others are silent in time",
  3,
  async (t, world, processes) => {
    world.kill(processes[2]);
    world.ownership.stop();
    t.ok(await world.until(() => speakers(processes).length === 0, sessionLossMs));
  },
);

situation(
  "R-CLU-5: two of whom one does not hear the other are silent in time, and a third that both hear goes on",
  3,
  async (t, world, processes) => {
    world.deaf.add("node-0>node-1");
    world.ownership.stop();
    await world.run(sessionLossMs);
    t.strictSame(speakers(processes), ["node-2"]);
    // What comes after its silence is worth nothing, or two might speak.
    world.deaf.clear();
    await world.run(4_000);
    t.strictSame(speakers(processes), ["node-2"]);
    world.ownership.start();
    t.ok(await world.until(() => world.settled(), 5_000));
  },
);

situation(
  "R-CLU-5: hints that are lost, late and doubled cost nobody its voice unless too many are",
  3,
  async (t, world, processes) => {
    world.ownership.stop();
    await speakToTheEnd(t, world, processes);
  },
  { seed: 5, lateHints: 0.1, doubledHints: 0.3, lostHints: 0.1 },
);

situation(
  "rule 4: who is slow to come back is silent soon after another is back, and keeps its shards until its lease ends",
  3,
  async (t, world, processes) => {
    const [, , slow] = processes;
    const its = epochsOf(world, "node-2");
    world.ownership.stop();
    await world.run(1_000);
    slow.store.cut();
    world.ownership.start();
    t.ok(await world.until(() => processes[0].coordinator.status().hasSession, 1_000));
    t.ok(await world.until(() => !slow.mayEmit(), sessionLossMs));
    await world.run(sessionGraceMs + heartbeatMs);
    t.strictSame(epochsOf(world, "node-2"), its, "that its session is gone since the restart proves nothing");
    t.ok(await world.until(() => epochsOf(world, "node-2").size === 0, leaseMs));
    slow.store.heal();
    t.ok(await world.until(() => world.settled(), 20_000));
  },
);

situation(
  "R-CLU-5: a database that comes and goes moves nothing and silences nobody",
  3,
  async (t, world, processes) => {
    const before = world.moves();
    for (let i = 0; i < 8; i++) {
      world.ownership.stop();
      await world.run(700);
      t.equal(speakers(processes).length, 3);
      world.ownership.start();
      await world.run(900);
      t.equal(speakers(processes).length, 3);
    }
    t.ok(await world.until(() => world.settled(), 5_000));
    t.equal(world.moves(), before);
  },
);

situation("R-CLU-5: a member that drains promises like the others", 3, async (t, world, processes) => {
  world.stop(processes[2], () => undefined);
  await world.run(50);
  world.ownership.stop();
  await speakToTheEnd(t, world, processes.slice(0, 2));
});

situation("rule 4: a patience that had begun before a promise begins anew with it", 2, async (t, world, processes) => {
  const [first, second] = processes;
  const renewal = async ({ node }: Process): Promise<number> => {
    const before = world.ownership.leaseUntil(node);
    await world.until(() => world.ownership.leaseUntil(node) !== before, 2_000);
    return world.clock.now();
  };
  // The first has just renewed its lease and the second is about to, so that it soon misses the first's session.
  for (;;) {
    const at = await renewal(second);
    const passed = (await renewal(first)) - at;
    if (passed > 800 && passed < 950) break;
  }
  await world.run(LATENCY_MS + 1);
  sever(world, first);
  await world.run(400);
  t.equal(second.coordinator.status().members.find(({ node }) => node === "node-0")?.hasSession, false);
  world.ownership.hang();
  await world.run(1_500);
  t.ok(first.mayEmit(), "for all that the second knows, the database is away for both");
  world.ownership.goOn();
  t.ok(await world.until(() => epochsOf(world, "node-0").size === 0, 2 * sessionGraceMs));
  t.notOk(first.mayEmit());
});

situation(
  "rule 4: a sleeper whose lease is over is asked all the same, because it may wake up and count sessions at once",
  2,
  async (t, world, processes) => {
    const [first, sleeper] = processes;
    sleeper.clock.pause();
    t.ok(await world.until(() => epochsOf(world, "node-1").size === 0, leaseMs + heartbeatMs));
    await world.run(heartbeatMs);
    t.match(
      first.coordinator.status().members.find(({ node }) => node === "node-1"),
      { hasSession: true },
    );
    sever(world, first);
    sleeper.clock.resume();
    t.ok(await world.until(() => !first.mayEmit(), sessionLossMs));
    t.ok(await world.until(() => epochsOf(world, "node-0").size === 0, sessionGraceMs + 2 * heartbeatMs));
  },
);

/** A third joins, and before the two others know of it they lose the database, and it does not. */
async function joinUnseen(world: World): Promise<readonly [Process, Process, Process]> {
  const [first, second] = [world.start("node-0"), world.start("node-1")];
  await world.until(() => world.settled(), 60_000);
  const knows = (process: Process, node: string): boolean =>
    process.coordinator.status().members.some((member) => member.node === node);
  for (let i = 2; ; i++) {
    const third = world.start(`node-${i}`);
    await world.until(() => third.state === "up", 5_000);
    if (knows(third, "node-0") && ![first, second].some((process) => knows(process, third.node))) {
      sever(world, first, second);
      return [first, second, third];
    }
    world.kill(third);
    await world.run(11_137);
  }
}

t.test("rule 4: who joined unseen waits for the leases of those that cannot know that it is there", async (t) => {
  const world = new World({ seed: 2 });
  const [first, second, third] = await joinUnseen(world);
  await world.run(sessionGraceMs + 2 * heartbeatMs);
  t.strictSame(speakers([first, second]), ["node-0", "node-1"], "they have each other's word");
  t.equal(third.served.size, 0);
  t.ok(await world.until(() => third.served.size > 0, leaseMs));
  t.strictSame(world.violations, []);
});

t.test("rule 4: the invariants find members that are taken to know everybody", async (t) => {
  const world = new World({ seed: 2, mutant: "claims_to_know" });
  await joinUnseen(world);
  await world.run(leaseMs);
  t.match(world.violations, [/both speak for shard/]);
});

t.test("rule 4: the invariants find members whose promises are worth nothing", async (t) => {
  const world = new World({ seed: 1, mutant: "promises_anyway" });
  const processes = [world.start("node-0"), world.start("node-1"), world.start("node-2")];
  await world.until(() => world.settled(), 60_000);
  sever(world, processes[0]!);
  await world.run(leaseMs);
  t.match(world.violations, [/both speak for shard/]);
});

const rowOf = (node: string, incarnation = `${node}-1`): MemberRow => ({
  node,
  incarnation,
  workers: 1,
  url: "",
  state: "active",
  leaseLeftMs: 9_000,
  hasSession: true,
  joined: 1,
  seen: 1,
});

/** One desk among others that say what a test says. */
function deskOf(others: readonly MemberRow[]) {
  const clock = new VirtualClock(1_700_000_000_000);
  const hints = createMemoryHints({ clock });
  const ear = hints.open("others");
  const said: Testimony[] = [];
  const order: string[] = [];
  const vouched: number[] = [];
  ear.onTestimony((testimony) => {
    said.push(testimony);
    order.push(`says ${testimony.promises.map(({ node }) => node).join()}`);
  });
  const desk = createTestimonyDesk({
    description: rowOf("a"),
    hints: hints.open("a"),
    clock,
    sessionLossMs,
    moment: () => ({ monotonic: clock.monotonic(), wall: clock.now() }),
    others: () => others,
    onPromise: (nodes) => nodes.length > 0 && order.push(`keeps ${nodes.join()}`),
    onVouched: ({ monotonic }) => vouched.push(monotonic),
  });
  const run = (forMs: number): void => {
    const until = clock.now() + forMs;
    while (clock.step(until)) {}
    clock.moveTo(until);
  };
  const promise = (from: MemberRow, question: number, incarnation = "a-1"): void => {
    const { node } = from;
    ear.testify({ node, incarnation: from.incarnation, question: 0, promises: [{ node: "a", incarnation, question }] });
    run(1);
  };
  const ask = (node: string, question: number): void => {
    ear.testify({ node, incarnation: `${node}-1`, question, promises: [] });
    run(1);
  };
  return { desk, run, ask, promise, said, order, vouched };
}

t.test("R-CLU-5: a promise is kept before it is spoken, once, and never by one that sees the database", async (t) => {
  const { desk, run, ask, said, order } = deskOf([rowOf("b")]);
  ask("b", 1);
  run(500);
  t.strictSame(said, [], "its silence is its answer");
  desk.begin();
  run(1);
  t.match(said, [{ node: "a", incarnation: "a-1", question: 1, promises: [{ node: "b", question: 1 }] }]);
  t.strictSame(order, ["keeps b", "says b"], "what was asked a moment before counts too");
  ask("c", 4);
  ask("b", 2);
  ask("b", 3);
  run(100);
  t.match(said.slice(1), [
    { question: 0, promises: [{ node: "c", question: 4 }, { node: "b", question: 3 }] }, // biome-ignore format: pairs
  ]);
  desk.end();
  const before = said.length;
  ask("b", 5);
  run(5_000);
  t.equal(said.length, before);
  desk.begin();
  run(1);
  t.strictSame(said.at(-1)?.promises, [], "that was too long ago");
  desk.end();
});

t.test("R-CLU-5: the word of all is as old as the oldest question that one of them has answered", async (t) => {
  const [b, c] = [rowOf("b"), rowOf("c")];
  const { desk, run, promise, said, vouched } = deskOf([b, c]);
  desk.begin();
  run(600);
  const questions = said.map(({ question }) => question).filter((question) => question > 0);
  t.ok(questions.length >= 3, "asked again and again");
  promise(c, questions[0]!);
  t.strictSame(vouched, [], "one is not all");
  promise(b, questions[2]!);
  t.strictSame(vouched, [0], "whoever has answered last");
  promise(c, questions[1]!);
  t.strictSame(vouched, [0, 250]);
  promise(c, questions[0]!);
  promise(c, questions[1]!);
  promise(b, 999);
  promise(rowOf("d"), questions[2]!);
  promise(c, questions[2]!, "a-0");
  promise(rowOf("c", "c-2"), questions[2]!);
  t.strictSame(
    vouched,
    [0, 250],
    "what is old, repeated, made up, of a stranger, for or by another process counts nothing",
  );
  promise(c, questions[2]!);
  t.strictSame(vouched, [0, 250, 500]);
  run(sessionLossMs);
  promise(b, questions[2]!);
  t.strictSame(vouched, [0, 250, 500], "nor what comes too late");
  desk.end();
  promise(b, said.at(-1)!.question);
  promise(c, said.at(-1)!.question);
  t.strictSame(vouched, [0, 250, 500], "nor what nobody wants to know any more");
});
