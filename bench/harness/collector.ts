/**
 * Loaded before anything else into every process that is measured (`--import`), threads included: on signal USR2 each
 * thread collects all its garbage and gives the memory back. So every side is weighed by what it holds, and what it made
 * while it was set up is not collected at the first load's expense. It does nothing until it is asked.
 */
import { Session } from "node:inspector";
import { isMainThread } from "node:worker_threads";
import { systemClock } from "../../src/lib/clock.js";

const clock = systemClock();

function collect(): void {
  const session = new Session();
  session.connect();
  // Ended in a later turn: a session that is ended while it answers waits for itself.
  session.post("HeapProfiler.collectGarbage", () => clock.after(0, () => session.disconnect()));
}

const threads = new BroadcastChannel("swift-eats-bench-collect");
threads.onmessage = collect;
(threads as unknown as { unref(): void }).unref();
if (isMainThread) {
  process.on("SIGUSR2", () => {
    threads.postMessage(null);
    collect();
  });
}
