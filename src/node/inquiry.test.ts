import t from "tap";
import { type Clock, systemClock } from "../lib/clock.js";
import { createMetrics, metricsText } from "../telemetry/mod.js";
import { joinInquiry, type NodeInfo } from "./inquiry.js";
import { endpointsOf, type ThreadPlan } from "./plan.js";

let plans = 0;

/** A node with two gateways and a worker. Patience is over when the test says so. */
function node(impatient = false) {
  const endpoints = endpointsOf("n", { shardWorkers: 1, gatewayThreads: 1 });
  const plan = { ...endpoints, searchName: `node ${++plans}` } as ThreadPlan;
  const real = systemClock();
  const clock: Clock = { ...real, after: (ms, run) => real.after(impatient ? 0 : ms * 60, run) };
  const join = (self: string, info?: () => NodeInfo) => {
    const metrics = createMetrics(self);
    metrics.gauge({ name: "swift_test_here_count", help: "x" }).set(1);
    return joinInquiry({ plan, self, clock, metrics: () => metrics.snapshot(), info });
  };
  return { join };
}

const heard = (text: string): readonly string[] =>
  [...text.matchAll(/swift_test_here_count\{thread="([^"]+)"\} 1/g)].map((match) => match[1]!).sort();
const silent = (text: string): string | undefined => /swift_runtime_silent_threads_count\S* (\d+)/.exec(text)?.[1];

t.test("R-OPS-3: whichever thread is asked tells of all threads, and what the main thread knows", async (t) => {
  const { join } = node();
  const threads = [join("n/gateway-0", () => ({ cluster: "whole" })), join("n/gateway-1"), join("n/shards-0")];
  t.teardown(() => {
    for (const thread of threads) thread.close();
  });
  for (const thread of threads.slice(0, 2)) {
    const text = await metricsText(await thread.metrics());
    t.strictSame(heard(text), ["n/gateway-0", "n/gateway-1", "n/shards-0"]);
    t.equal(silent(text), "0");
    t.strictSame(await thread.info(), { cluster: "whole" });
  }
});

t.test("R-OPS-3: a thread that does not answer keeps nobody waiting for ever, and is counted", async (t) => {
  const { join } = node(true);
  const alone = join("n/gateway-1");
  t.teardown(() => alone.close());
  const text = await metricsText(await alone.metrics());
  t.strictSame(heard(text), ["n/gateway-1"]);
  t.equal(silent(text), "2");
  t.strictSame(await alone.info(), {});
});
