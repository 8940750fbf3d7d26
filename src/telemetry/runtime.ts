/**
 * What a thread does to itself: how late its event loop is, how busy, how much memory it holds, how long the collector
 * stops it. Sampled by the clock that it is given.
 */
import { PerformanceObserver, performance } from "node:perf_hooks";
import { memoryUsage } from "node:process";
import { getHeapStatistics } from "node:v8";
import type { Clock } from "../lib/clock.js";
import { watchLoop } from "../lib/loop-delay.js";
import type { Metrics } from "../lib/metrics.js";

const SAMPLE_MS = 5_000;
/** `detail.kind` of a garbage collection entry. */
const COLLECTION_KINDS: Readonly<Record<number, string>> = {
  1: "scavenge",
  4: "mark_sweep",
  8: "incremental",
  16: "weak",
};

export interface RuntimeMetricsOptions {
  readonly metrics: Metrics;
  readonly clock: Clock;
  /** True in one thread only: also measures what belongs to the whole process. */
  readonly wholeProcess: boolean;
}

/** Starts measuring; returns what stops it. */
export function measureRuntime({ metrics, clock, wholeProcess }: RuntimeMetricsOptions): () => void {
  const loop = watchLoop();
  const delay = metrics.gauge({
    name: "swift_runtime_event_loop_delay_ms",
    help: "How late the event loop was in the last 5 s, by quantile.",
    labels: ["quantile"],
  });
  const busy = metrics.gauge({
    name: "swift_runtime_event_loop_utilization_ratio",
    help: "Share of the last 5 s in which the event loop worked.",
  });
  const collected = metrics.counter({
    name: "swift_runtime_garbage_collection_ms_total",
    help: "Time for which the collector stopped the thread, by kind.",
    labels: ["kind"],
  });
  metrics.gaugeOf(
    { name: "swift_runtime_heap_used_bytes", help: "JavaScript memory in use by the thread." },
    () => getHeapStatistics().used_heap_size,
  );
  if (wholeProcess) {
    metrics.gaugeOf(
      { name: "swift_process_resident_bytes", help: "Memory of the whole process as the system counts it." },
      () => memoryUsage.rss(),
    );
    const cpu = metrics.counter({
      name: "swift_process_cpu_ms_total",
      help: "Processor time of the whole process, by mode.",
      labels: ["mode"],
    });
    let before = process.cpuUsage();
    const cancelCpu = clock.every(SAMPLE_MS, () => {
      const { user, system } = process.cpuUsage(before);
      before = process.cpuUsage();
      cpu.add(user / 1000, { mode: "user" });
      cpu.add(system / 1000, { mode: "system" });
    });
    return start(cancelCpu);
  }
  return start(() => {});

  function start(alsoStop: () => void): () => void {
    let utilization = performance.eventLoopUtilization();
    const sample = (): void => {
      for (const quantile of [0.5, 0.99, 1]) delay.set(loop.lateMs(quantile), { quantile: String(quantile) });
      loop.reset();
      const now = performance.eventLoopUtilization();
      busy.set(performance.eventLoopUtilization(now, utilization).utilization);
      utilization = now;
    };
    const cancel = clock.every(SAMPLE_MS, sample);
    const observer = new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        const kind = (entry as { detail?: { kind?: number } }).detail?.kind ?? 0;
        collected.add(entry.duration, { kind: COLLECTION_KINDS[kind] ?? "other" });
      }
    });
    observer.observe({ entryTypes: ["gc"] });
    return () => {
      alsoStop();
      cancel();
      observer.disconnect();
      loop.stop();
    };
  }
}
