/**
 * The registry behind `Metrics`. One a thread; the main thread joins the snapshots of all threads into the text that
 * `/metrics` answers. Every series carries its thread.
 *
 * Invariant: memory is bounded. An instrument keeps at most `MAX_SERIES` combinations of labels; whatever comes after
 * is counted under `other`, so a label that turns out to be an id costs accuracy, never memory.
 */
import { AggregatorRegistry, Counter, Gauge, Histogram, Registry } from "prom-client";
import { type InstrumentOptions, type Labels, type Metrics, MILLISECOND_BUCKETS } from "../lib/metrics.js";

export const MAX_SERIES = 500;

/** A thread's metrics as plain data, fit for a message between threads. */
export type MetricsSnapshot = readonly object[];

export interface ThreadMetrics extends Metrics {
  snapshot(): Promise<MetricsSnapshot>;
}

export const METRICS_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

export function createMetrics(thread: string): ThreadMetrics {
  const registry = new Registry();
  registry.setDefaultLabels({ thread });
  const known = new Map<string, { readonly kind: string; readonly instrument: unknown }>();

  /** The instrument of this name, made on first use. One name with two kinds is a mistake of ours. */
  const once = <I>(kind: string, name: string, make: () => I): I => {
    const before = known.get(name);
    if (before !== undefined) {
      if (before.kind !== kind) throw new TypeError(`${name} is a ${before.kind}, not a ${kind}`);
      return before.instrument as I;
    }
    const instrument = make();
    known.set(name, { kind, instrument });
    return instrument;
  };
  const common = ({ name, help, labels }: InstrumentOptions) => ({
    name,
    help,
    labelNames: labels ?? [],
    registers: [registry],
  });

  return {
    counter: (options) =>
      once("counter", options.name, () => {
        const counter = new Counter(common(options));
        const bounded = seriesLimit();
        return { add: (amount = 1, labels = {}) => counter.inc(bounded(labels), amount) };
      }),
    gauge: (options) =>
      once("gauge", options.name, () => {
        const gauge = new Gauge(common(options));
        const bounded = seriesLimit();
        return { set: (value, labels = {}) => gauge.set(bounded(labels), value) };
      }),
    gaugeOf: (options, read) => {
      const reader = once("read gauge", options.name, () => {
        const source = { read };
        const gauge: Gauge = new Gauge({ ...common(options), collect: (): void => gauge.set(source.read()) });
        return source;
      });
      reader.read = read;
    },
    histogram: (options) =>
      once("histogram", options.name, () => {
        const histogram = new Histogram({ ...common(options), buckets: [...(options.buckets ?? MILLISECOND_BUCKETS)] });
        const bounded = seriesLimit();
        return { observe: (value, labels = {}) => histogram.observe(bounded(labels), value) };
      }),
    snapshot: async () => {
      const metrics = await registry.getMetricsAsJSON();
      // Prometheus' own objects carry functions, which no message can.
      return JSON.parse(JSON.stringify(metrics)) as MetricsSnapshot;
    },
  };
}

/** The text of `/metrics` from the snapshots of all threads. */
export async function metricsText(snapshots: readonly MetricsSnapshot[]): Promise<string> {
  return AggregatorRegistry.aggregate(snapshots.map((snapshot) => [...snapshot])).metrics();
}

function seriesLimit(): (labels: Labels) => Labels {
  const seen = new Set<string>();
  return (labels) => {
    const names = Object.keys(labels);
    if (names.length === 0) return labels;
    const series = names.map((name) => labels[name]).join("\u0000");
    if (seen.has(series)) return labels;
    if (seen.size < MAX_SERIES) {
      seen.add(series);
      return labels;
    }
    return Object.fromEntries(names.map((name) => [name, "other"]));
  };
}
