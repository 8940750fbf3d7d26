/**
 * The sound build under every schedule that is aimed at one promise, and then the same database without its fence: the
 * schedule that showed nothing must now show commits for shards that were lost.
 */
import t from "tap";
import { systemClock } from "../../src/lib/clock.js";
import { startLocalCluster } from "../cluster/mod.js";
import { judgeStage, killBetweenAnswerAndCommit, lateWrites, repeatAfterCrash, setStage } from "./fixtures/directed.js";
import { removeFence } from "./fixtures/sabotage.js";
import { hurried } from "./hurry.js";

const LEASE_MS = 3_000;
const SLOW_MS = 400;

t.test(
  "R-CLU-2, rules 1, 2, 4: the sound build passes; without its fence it commits for shards it has lost",
  { timeout: 170_000 },
  async (t) => {
    const cluster = await startLocalCluster({ nodes: 2, ...hurried(LEASE_MS) });
    t.teardown(() => cluster.stop());
    const stage = await setStage(cluster, systemClock());
    const [first, second] = cluster.nodes;
    await lateWrites(stage, first!);
    await repeatAfterCrash(stage, first!);
    await killBetweenAnswerAndCommit(stage, second!, SLOW_MS);
    t.strictSame(await judgeStage(stage), []);
    const { placements } = stage.recorder.history();
    const answered = placements.filter(({ answers }) => answers.some((answer) => answer.ok));
    t.ok(answered.length >= stage.customers.length, "the schedules had something to judge");

    await removeFence(cluster.databaseUrl);
    await lateWrites(stage, second!);
    const violations = await judgeStage(stage);
    t.comment(violations[0]?.summary);
    t.ok(
      violations.some(({ rule }) => rule === "rule-04-one-epoch-commits"),
      "the fence was all that helped",
    );
  },
);
