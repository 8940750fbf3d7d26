/** What our nodes say of their own threads: how late the worst loop was, and how long the collector held all together. */
import type { RuntimeGauges } from "../harness/program-messages.js";
import type { BenchNode } from "./target.js";

const DELAY = /^swift_runtime_event_loop_delay_ms\{[^}]*quantile="([^"]+)"[^}]*\} (\S+)$/gm;
const COLLECTED = /^swift_runtime_garbage_collection_ms_total\{[^}]*\} (\S+)$/gm;

/** Asks all nodes; the function returned tells what was since it was last called. The delay is that of the last 5 s. */
export function watchNodes(nodes: readonly BenchNode[]): () => Promise<RuntimeGauges> {
  let collectedBefore = 0;
  return async () => {
    const texts = await Promise.all(nodes.map(async ({ url }) => (await fetch(`${url}/metrics`)).text()));
    const text = texts.join("\n");
    const delays = [...text.matchAll(DELAY)];
    const worst = (quantile: string): number =>
      Math.max(0, ...delays.filter((match) => match[1] === quantile).map((match) => Number(match[2])));
    const collected = [...text.matchAll(COLLECTED)].reduce((sum, match) => sum + Number(match[1]), 0);
    const gauges: RuntimeGauges = {
      eventLoopDelayMs: { p99: worst("0.99"), max: worst("1") },
      collector: { totalMs: Number((collected - collectedBefore).toFixed(2)), maxMs: null },
    };
    collectedBefore = collected;
    return gauges;
  };
}
