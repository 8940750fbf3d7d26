/** Bare PostgreSQL as a side: the same bytes in the log a commit, in the same batches. */

import type { Side, Stage } from "../harness/ports.js";
import { startProgram } from "../harness/program.js";
import type { BarePostgresAnswer } from "../limits/postgres.js";

/** `logBytesPerCommit`: asked for when the side starts, once ours has committed something. */
export function barePostgres(stage: Stage, logBytesPerCommit: () => number): Side {
  return {
    role: "limit",
    name: "bare PostgreSQL",
    what: "one connection, one statement for 64 rows, as many bytes in the log as a commit of ours",
    async start() {
      const program = await startProgram(new URL("../limits/postgres.js", import.meta.url), {
        databaseUrl: await stage.database("bare"),
        logBytesPerRow: logBytesPerCommit(),
      });
      return {
        pids: () => [program.pid],
        databasePid: await stage.databasePid(),
        gauges: () => program.gauges(),
        async load(_load, seconds) {
          const { rows, seconds: took, logBytesPerRow } = (await program.ask({ seconds })) as BarePostgresAnswer;
          return {
            operations: rows,
            seconds: took,
            latency: null,
            lag: null,
            figures: { commitsPerSecond: rows / took, logBytesPerCommit: logBytesPerRow },
            problems: [],
          };
        },
        stop: () => program.stop(),
      };
    },
  };
}
