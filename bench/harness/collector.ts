/**
 * Loaded before anything else into every process that is measured (`--import`), threads included. On signal WINCH, which
 * does nothing else, each thread collects its garbage: what was made while a side was set up is not collected at the first
 * load's expense. On USR2 it gives back what it can besides, compiled code too, so that every side is weighed by what it
 * holds. It does nothing until it is asked.
 */
import { Session } from "node:inspector";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { isMainThread } from "node:worker_threads";
import { systemClock } from "../../src/lib/clock.js";

const clock = systemClock();
setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

function giveBack(): void {
  const session = new Session();
  session.connect();
  // Ended in a later turn: a session that is ended while it answers waits for itself.
  session.post("HeapProfiler.collectGarbage", () => clock.after(0, () => session.disconnect()));
}

const threads = new BroadcastChannel("swift-eats-bench-collect");
threads.onmessage = ({ data }) => (data === "all" ? giveBack() : collect());
(threads as unknown as { unref(): void }).unref();
if (isMainThread) {
  process.on("SIGWINCH", () => {
    threads.postMessage("garbage");
    collect();
  });
  process.on("SIGUSR2", () => {
    threads.postMessage("all");
    giveBack();
  });
}
