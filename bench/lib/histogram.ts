import { build, decodeFromCompressedBase64, encodeIntoCompressedBase64, type Histogram } from "hdr-histogram-js";

export interface Quantiles {
  readonly count: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** Of microseconds, up to two minutes, three digits. */
export function newHistogram(): Histogram {
  return build({ lowestDiscernibleValue: 1, highestTrackableValue: 120_000_000, numberOfSignificantValueDigits: 3 });
}

export function record(histogram: Histogram, ms: number): void {
  histogram.recordValue(Math.min(120_000_000, Math.max(1, Math.round(ms * 1000))));
}

/** In milliseconds. */
export function quantiles(histogram: Histogram): Quantiles {
  const at = (percent: number): number => histogram.getValueAtPercentile(percent) / 1000;
  return { count: histogram.totalCount, p50: at(50), p95: at(95), p99: at(99), max: histogram.maxValue / 1000 };
}

/** For another process to add up. */
export const encoded = (histogram: Histogram): string => encodeIntoCompressedBase64(histogram);

/** Several as one, encoded. */
export const joined = (texts: readonly string[]): string => encoded(summed(texts));

export const together = (texts: readonly string[]): Quantiles => quantiles(summed(texts));

function summed(texts: readonly string[]): Histogram {
  const all = newHistogram();
  for (const text of texts) all.add(decodeFromCompressedBase64(text));
  return all;
}
