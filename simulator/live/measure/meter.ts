/** What a process of agents counts while it runs, for the progress line. The report is made from the recorder instead. */
import { Latency, type LatencySummary } from "./histogram.js";

export interface Counts {
  /** Due so far, whether or not the node has answered. */
  intended: number;
  acknowledged: number;
  confirmed: number;
  delivered: number;
  cancelled: number;
  undelivered: number;
  rejected: number;
  refused: number;
  /** Followed to the end, or refused. */
  finished: number;
  driversOnline: number;
  fixes: number;
  positionsSeen: number;
  reconnects: number;
}

export interface MeterReading {
  readonly counts: Counts;
  readonly placeToConfirmed: LatencySummary;
}

export class Meter {
  readonly counts: Counts = noCounts();
  readonly placeToConfirmed = new Latency();

  read(): MeterReading {
    return { counts: { ...this.counts }, placeToConfirmed: this.placeToConfirmed.summary() };
  }
}

export function noCounts(): Counts {
  return {
    intended: 0,
    acknowledged: 0,
    confirmed: 0,
    delivered: 0,
    cancelled: 0,
    undelivered: 0,
    rejected: 0,
    refused: 0,
    finished: 0,
    driversOnline: 0,
    fixes: 0,
    positionsSeen: 0,
    reconnects: 0,
  };
}

/** Sums counts; of latencies the worst process counts, which is never better than the truth. */
export function addReadings(readings: readonly MeterReading[]): MeterReading {
  const counts = noCounts();
  let worst: LatencySummary = { count: 0, p50: 0, p95: 0, p99: 0, max: 0 };
  for (const reading of readings) {
    for (const name of Object.keys(counts) as (keyof Counts)[]) counts[name] += reading.counts[name];
    const { count, p50, p95, p99, max } = reading.placeToConfirmed;
    worst = {
      count: worst.count + count,
      p50: Math.max(worst.p50, p50),
      p95: Math.max(worst.p95, p95),
      p99: Math.max(worst.p99, p99),
      max: Math.max(worst.max, max),
    };
  }
  return { counts, placeToConfirmed: worst };
}
