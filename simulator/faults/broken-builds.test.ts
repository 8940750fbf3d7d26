/**
 * Builds with one promise taken out, each in one place. The schedule that is aimed at the promise must show that it is
 * missing, by the right rule; on the sound build the same schedules must show nothing.
 */
import t, { type Test } from "tap";
import { systemClock } from "../../src/lib/clock.js";
import { type LocalClusterOptions, startLocalCluster } from "../cluster/mod.js";
import {
  judgeStage,
  killBetweenAnswerAndCommit,
  lateWrites,
  repeatAfterCrash,
  type Stage,
  setStage,
} from "./directed.js";
import { hurried } from "./hurry.js";
import {
  ACKNOWLEDGE_BEFORE_COMMIT,
  breakBuild,
  FORGET_ANSWERS,
  type Patch,
  removeFence,
  replaceOnce,
} from "./sabotage.js";

const clock = systemClock();
const LEASE_MS = 3_000;
/** A machine that stands still in the wrong second may let the commit through after all; then it is done once more. */
const ROUNDS = 3;

async function stageOn(t: Test, options: LocalClusterOptions): Promise<Stage> {
  const cluster = await startLocalCluster({ ...hurried(LEASE_MS), ...options });
  t.teardown(() => cluster.stop());
  return setStage(cluster, clock);
}

function broken(t: Test, patch: Patch): string {
  const build = breakBuild(patch);
  t.teardown(() => build.remove());
  return build.script;
}

const rulesOf = (violations: readonly { readonly rule: string }[]): readonly string[] => [
  ...new Set(violations.map(({ rule }) => rule)),
];

t.test(
  "R-CLU-2, rules 1, 2, 4: the sound build passes; without its fence it commits for shards it has lost",
  { timeout: 150_000 },
  async (t) => {
    const stage = await stageOn(t, { nodes: 2 });
    const [victim] = stage.cluster.nodes;
    await lateWrites(stage, victim!);
    await repeatAfterCrash(stage, victim!);
    await killBetweenAnswerAndCommit(stage, victim!);
    t.strictSame(await judgeStage(stage), []);
    t.ok(stage.recorder.history().placements.some(({ answers }) => answers.some((answer) => answer.ok)));

    await removeFence(stage.cluster.databaseUrl);
    await lateWrites(stage, stage.cluster.nodes[1]!);
    const violations = await judgeStage(stage);
    t.comment(violations[0]?.summary);
    t.ok(rulesOf(violations).includes("rule-04-one-epoch-commits"), "the fence was all that helped");
  },
);

t.test("R-ENG-3, rule 1: a build that answers before it commits is caught", { timeout: 100_000 }, async (t) => {
  const stage = await stageOn(t, { nodes: 1, nodeScript: broken(t, ACKNOWLEDGE_BEFORE_COMMIT) });
  let rules: readonly string[] = [];
  for (let round = 0; round < ROUNDS && rules.length === 0; round++) {
    await killBetweenAnswerAndCommit(stage, stage.cluster.nodes[0]!);
    const violations = await judgeStage(stage);
    t.comment(violations[0]?.summary);
    rules = rulesOf(violations);
  }
  t.ok(rules.includes("rule-01-acknowledged-survives"), "an acknowledged order is gone");
});

t.test("R-ORD-5, rule 2: a build that forgets its answers is caught", { timeout: 100_000 }, async (t) => {
  const stage = await stageOn(t, { nodes: 1, nodeScript: broken(t, FORGET_ANSWERS) });
  await repeatAfterCrash(stage, stage.cluster.nodes[0]!);
  const violations = await judgeStage(stage);
  t.comment(violations[0]?.summary);
  t.ok(rulesOf(violations).includes("rule-02-one-key-one-order"), "one key had two answers");
});

t.test("a patch that does not find its place is an error, not a sound build", async (t) => {
  t.throws(() => breakBuild({ ...FORGET_ANSWERS, find: "no such code" }), /0 times, not once/);
  t.throws(() => replaceOnce("a b a", "a", "c", "text"), /2 times, not once/);
});
