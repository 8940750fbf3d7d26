/** `commit`: the engine's group commit beside bare PostgreSQL on the same server. */

import type { Look, Scenario } from "../harness/ports.js";
import { startProgram } from "../harness/program.js";
import type { CommitAnswer } from "../programs/commit.js";
import { barePostgres } from "./bare-postgres.js";
import { ratioOf } from "./peer.js";

const LOADS = ["64 in flight", "512 in flight"] as const;
const TRIAL_SECONDS = 1.5;

const toBare = (look: Look, load: string): number | null =>
  ratioOf(look, "commitsPerSecond", "ours", "bare PostgreSQL", load);

export const commit: Scenario = {
  name: "commit",
  what: "Commands of durable actors (400 bytes of state, one remembered command), asked from another thread.",
  loads: LOADS,
  operation: "actor commit",
  warmUpSeconds: 1,
  lagBoundMs: Number.POSITIVE_INFINITY,
  withoutIdle: false,
  sides(stage) {
    let logBytesPerCommit = 0;
    return [
      {
        role: "ours",
        name: "ours",
        what: "the engine with its store: fenced, one connection, flushes of up to 64 actors",
        async start() {
          const program = await startProgram(new URL("../programs/commit.js", import.meta.url), {
            databaseUrl: await stage.database("ours"),
          });
          const ask = async (inFlight: number, seconds: number): Promise<CommitAnswer & { logBytes: number }> => {
            const before = await stage.databaseLogBytes();
            const answer = (await program.ask({ inFlight, seconds })) as CommitAnswer;
            return { ...answer, logBytes: (await stage.databaseLogBytes()) - before };
          };
          // Actors are loaded and the server's pages are touched; only then a commit costs what it costs.
          await ask(512, TRIAL_SECONDS);
          const trial = await ask(512, TRIAL_SECONDS);
          logBytesPerCommit = trial.logBytes / trial.commits;
          return {
            pids: () => [program.pid],
            databasePid: await stage.databasePid(),
            gauges: () => program.gauges(),
            async load(load, seconds) {
              const { commits, seconds: took, wrong, logBytes } = await ask(load.startsWith("64") ? 64 : 512, seconds);
              return {
                operations: commits,
                seconds: took,
                latency: null,
                lag: null,
                figures: { commitsPerSecond: commits / took, logBytesPerCommit: logBytes / commits },
                problems: wrong === 0 ? [] : [`${wrong} answers were not the sum that was committed`],
              };
            },
            stop: () => program.stop(),
          };
        },
      },
      barePostgres(stage, () => logBytesPerCommit),
    ];
  },
  goals: [
    {
      what: "commits/s ÷ bare PostgreSQL's group commit of the same bytes, 512 in flight",
      unit: "×",
      better: "higher",
      atLeast: 0.4,
      ambition: 0.7,
      value: (look) => toBare(look, LOADS[1]),
    },
  ],
  ratioToLimit: (look) => toBare(look, LOADS[1]),
};
