/**
 * Latency histograms (HdrHistogram, three significant digits). Samples are taken from the intended time of sending, so a
 * stalled node is charged for everything that should have been sent meanwhile (no coordinated omission).
 */
import { build, type Histogram } from "hdr-histogram-js";

export interface LatencySummary {
  readonly count: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

const MICROSECONDS = 1000;
const HIGHEST_MS = 3_600_000;

export class Latency {
  readonly #histogram: Histogram = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: HIGHEST_MS * MICROSECONDS,
    numberOfSignificantValueDigits: 3,
    useWebAssembly: false,
    bitBucketSize: 32,
  });

  /** Negative samples (two clocks, or none) count as zero; more than an hour counts as an hour. */
  record(latencyMs: number): void {
    const bounded = Math.min(Math.max(latencyMs, 0), HIGHEST_MS);
    this.#histogram.recordValue(Math.round(bounded * MICROSECONDS));
  }

  get count(): number {
    return this.#histogram.totalCount;
  }

  /** Milliseconds, to a tenth. All zero when nothing was recorded. */
  summary(): LatencySummary {
    const histogram = this.#histogram;
    const at = (percentile: number): number =>
      histogram.totalCount === 0 ? 0 : tenth(histogram.getValueAtPercentile(percentile) / MICROSECONDS);
    const max = histogram.totalCount === 0 ? 0 : tenth(histogram.maxValue / MICROSECONDS);
    return { count: histogram.totalCount, p50: at(50), p95: at(95), p99: at(99), max };
  }
}

export function latencyOf(samples: Iterable<number>): LatencySummary {
  const latency = new Latency();
  for (const sample of samples) latency.record(sample);
  return latency.summary();
}

function tenth(value: number): number {
  return Math.round(value * 10) / 10;
}
