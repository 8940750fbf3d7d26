/**
 * How wrong estimates were: a bounded sketch of ln((real + c) / (expected + c)) for one stage, and the two ends of the range
 * that eight of ten arrivals fall into.
 *
 * Invariants: the number of bins is fixed; old errors fade; the ends are always at least one percent of the tails away from
 * the extremes, so a range is never infinite.
 */

const BINS = 60;
const LOWEST = -1.5;
const WIDTH = 0.05;
/** What an older error counts after each newer one. */
const FADE = 0.99;
/** As many errors as what is believed before any was seen counts for. */
const PRIOR_WEIGHT = 6;
/** Of arrivals before the range, and as many after it. */
export const TAIL = 0.1;
const TAIL_STEP = 0.02;
const LEAST_TAIL = 0.01;
const MOST_TAIL = 0.25;

export interface Residuals {
  /** Weight of errors per bin of the logarithm, from the lowest. */
  readonly bins: readonly number[];
  /** Which quantiles to show so that a tenth falls out on either side. */
  readonly lowTail: number;
  readonly highTail: number;
}

/** Where a tenth, half, four fifths, nine tenths of arrivals lie, in thousandths of the logarithm. */
export type RangeShape = readonly [low: number, middle: number, high: number, p80: number, p90: number];

/** Errors as they are believed to be: around nothing, with this deviation of the logarithm. */
export function expectedResiduals(sigma: number): Residuals {
  const bins = Array.from({ length: BINS }, (_, bin) => {
    const z = (LOWEST + (bin + 0.5) * WIDTH) / sigma;
    return Math.exp(-0.5 * z * z);
  });
  const sum = bins.reduce((total, weight) => total + weight, 0);
  return { bins: bins.map((weight) => small((PRIOR_WEIGHT * weight) / sum)), lowTail: TAIL, highTail: TAIL };
}

/** `inRange`: −1 when it came before the range that was shown, 1 when after, 0 when within. */
export function learnResidual(known: Residuals, logError: number, inRange: -1 | 0 | 1): Residuals {
  if (!Number.isFinite(logError)) return known;
  const bin = Math.max(0, Math.min(BINS - 1, Math.floor((logError - LOWEST) / WIDTH)));
  return {
    bins: known.bins.map((weight, index) => small(weight * FADE + (index === bin ? 1 : 0))),
    lowTail: tail(known.lowTail, inRange === -1),
    highTail: tail(known.highTail, inRange === 1),
  };
}

/** One outside makes the tail thinner by nine steps, one inside thicker by one: at rest a tenth is outside. */
function tail(known: number, outside: boolean): number {
  const next = known + TAIL_STEP * (TAIL - (outside ? 1 : 0));
  return Math.max(LEAST_TAIL, Math.min(MOST_TAIL, Math.round(next * 1e5) / 1e5));
}

/** What has faded to a thousandth is forgotten: snapshots stay short. */
function small(weight: number): number {
  return weight < 0.001 ? 0 : Math.round(weight * 1000) / 1000;
}

/** The logarithm below which `share` of the errors lie, straight within a bin. */
export function quantile(known: Residuals, share: number): number {
  const total = known.bins.reduce((sum, weight) => sum + weight, 0);
  let left = share * total;
  for (const [bin, weight] of known.bins.entries()) {
    if (weight > 0 && left <= weight) return LOWEST + (bin + left / weight) * WIDTH;
    left -= weight;
  }
  return LOWEST + BINS * WIDTH;
}

export function shapeOf(known: Residuals): RangeShape {
  const at = (share: number): number => Math.round(quantile(known, share) * 1000);
  return [at(known.lowTail), at(0.5), at(1 - known.highTail), at(0.8), at(0.9)];
}
