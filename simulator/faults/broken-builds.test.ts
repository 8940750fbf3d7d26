/**
 * Builds with one promise taken out, each in one place. The schedule that is aimed at the promise must show that it is
 * missing, by the right rule. That the sound build shows nothing under the same schedules is in `fence.test.ts`.
 */
import t, { type Test } from "tap";
import { systemClock } from "../../src/lib/clock.js";
import { startLocalCluster } from "../cluster/mod.js";
import { ACKNOWLEDGE_BEFORE_COMMIT, FORGET_ANSWERS, type Patch } from "../virtual/bugs/patch.js";
import { judgeStage, killBetweenAnswerAndCommit, repeatAfterCrash, type Stage, setStage } from "./fixtures/directed.js";
import { breakBuild } from "./fixtures/sabotage.js";
import { hurried } from "./hurry.js";

/** A machine that stands still in the wrong moment may let the commit through after all; then it is done once more. */
const ROUNDS = 4;
const SLOW_MS = 1_000;
/** Many times the way to a slow database and back. */
const LEASE_MS = 10_000;

async function stageOn(t: Test, patch: Patch): Promise<Stage> {
  const build = breakBuild(patch);
  t.teardown(() => build.remove());
  const cluster = await startLocalCluster({ nodes: 1, nodeScript: build.script, ...hurried(LEASE_MS) });
  t.teardown(() => cluster.stop());
  return setStage(cluster, systemClock());
}

const rulesOf = (violations: readonly { readonly rule: string }[]): readonly string[] => [
  ...new Set(violations.map(({ rule }) => rule)),
];

t.test("R-ENG-3, rule 1: a build that answers before it commits is caught", { timeout: 120_000 }, async (t) => {
  const stage = await stageOn(t, ACKNOWLEDGE_BEFORE_COMMIT);
  let rules: readonly string[] = [];
  for (let round = 0; round < ROUNDS && rules.length === 0; round++) {
    await killBetweenAnswerAndCommit(stage, stage.cluster.nodes[0]!, SLOW_MS);
    const violations = await judgeStage(stage);
    t.comment(violations[0]?.summary ?? "the commit came through");
    rules = rulesOf(violations);
  }
  t.ok(rules.includes("rule-01-acknowledged-survives"), "an acknowledged order is gone");
});

t.test("R-ORD-5, rule 2: a build that forgets its answers is caught", { timeout: 100_000 }, async (t) => {
  const stage = await stageOn(t, FORGET_ANSWERS);
  await repeatAfterCrash(stage, stage.cluster.nodes[0]!);
  const violations = await judgeStage(stage);
  t.comment(violations[0]?.summary);
  t.ok(rulesOf(violations).includes("rule-02-one-key-one-order"), "one key had two answers");
});

t.test("a patch that does not find its place is an error, not a sound build", async (t) => {
  t.throws(() => breakBuild({ ...FORGET_ANSWERS, find: "no such code" }), /0 times, not once/);
});
