/**
 * Stands between a run and its own node: starts the node, passes its output on, and ends it when the run is gone, even if
 * the run was killed without a word (its end of the pipe closes then). First line: `{"pid": …}` of the node.
 */
import { spawn } from "node:child_process";

const SIGNAL_STATUS = 128;
const child = spawn(process.execPath, process.argv.slice(2), { stdio: ["ignore", "inherit", "inherit"] });
process.stdout.write(`${JSON.stringify({ pid: child.pid })}\n`);
const end = (): void => void child.kill("SIGTERM");
process.stdin.on("end", end).on("error", end).resume();
process.on("SIGTERM", end);
process.on("SIGINT", end);
child.once("error", () => process.exit(1));
// The same end as the node's: 128 and more is a signal's, as shells say it.
child.once("exit", (code, signal) => {
  process.exitCode = code ?? SIGNAL_STATUS + (signal === "SIGKILL" ? 9 : 15);
  process.stdin.destroy();
});
