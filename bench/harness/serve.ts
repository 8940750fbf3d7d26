/**
 * The inner side of a program that is measured beside ours, or that makes load: a process of its own, started by
 * `startProgram`, told its options, and asked questions. It ends with the harness.
 *
 *   await serveProgram(async (options: MyOptions) => ({ address, answer: async (question) => …, stop: async () => … }));
 */
import { PerformanceObserver } from "node:perf_hooks";
import { watchLoop } from "../../src/lib/loop-delay.js";
import type { Address, FromProgram, RuntimeGauges, ToProgram } from "./program-messages.js";

export interface Serving {
  /** Where it listens; null when nobody connects to it. */
  readonly address: Address | null;
  /** Anything more that whoever started it has to know. */
  readonly note?: unknown;
  /** Throwing refuses the question; the harness then ends the run with the reason. */
  answer?(question: unknown): Promise<unknown>;
  stop(): Promise<void>;
}

const say = (message: FromProgram): void => void process.send?.(message);
const reasonOf = (cause: unknown): string => (cause instanceof Error ? (cause.stack ?? cause.message) : String(cause));

/** Measures this process from now on; the function returned tells what was since it was last called. */
export function watchRuntime(): () => RuntimeGauges {
  const loop = watchLoop();
  let [totalMs, maxMs] = [0, 0];
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) {
      totalMs += duration;
      maxMs = Math.max(maxMs, duration);
    }
  }).observe({ entryTypes: ["gc"] });
  return () => {
    const gauges: RuntimeGauges = {
      eventLoopDelayMs: { p99: Number(loop.lateMs(0.99).toFixed(2)), max: Number(loop.lateMs(1).toFixed(2)) },
      collector: { totalMs: Number(totalMs.toFixed(2)), maxMs: Number(maxMs.toFixed(2)) },
    };
    loop.reset();
    [totalMs, maxMs] = [0, 0];
    return gauges;
  };
}

export async function serveProgram<Options>(start: (options: Options) => Promise<Serving>): Promise<void> {
  const gauges = watchRuntime();
  let serving: Serving | null = null;
  process.on("message", (message: ToProgram) => {
    switch (message.t) {
      case "start":
        start(message.options as Options).then(
          (started) => {
            serving = started;
            say({ t: "ready", address: started.address, note: started.note ?? null });
          },
          (cause: unknown) => say({ t: "failed", reason: reasonOf(cause) }),
        );
        return;
      case "gauges":
        say({ t: "answer", id: message.id, value: gauges() });
        return;
      case "question": {
        const { id, question } = message;
        const asked = serving?.answer?.(question) ?? Promise.reject(new Error("This program answers no questions."));
        asked.then(
          (value) => say({ t: "answer", id, value }),
          (cause: unknown) => say({ t: "refused", id, reason: reasonOf(cause) }),
        );
        return;
      }
      case "stop":
        void (serving?.stop() ?? Promise.resolve()).catch(() => undefined).then(() => process.exit(0));
        return;
    }
  });
  process.once("disconnect", () => process.exit(0));
  say({ t: "loaded" });
}
