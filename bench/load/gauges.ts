import type { Histogram } from "hdr-histogram-js";
import { newHistogram } from "../lib/histogram.js";

/** What a generator counts, for whichever role it plays. */
export interface Gauges {
  readonly latency: Histogram;
  readonly lag: Histogram;
  readonly errors: Record<string, number>;
  /** Sockets that ended or never opened. */
  closed: number;
  /** Orders that were collected. */
  readonly picked: Set<string>;
  /** Drivers on shift; customers who have their order. */
  connected: number;
  /** On the monotonic clock, when the plan came and when the last of them was there. */
  plannedAt: number;
  connectedAt: number;
  measuring: boolean;
  noteError(code: unknown): void;
  forgetErrors(): void;
}

export function createGauges(): Gauges {
  const errors: Record<string, number> = {};
  return {
    latency: newHistogram(),
    lag: newHistogram(),
    errors,
    closed: 0,
    picked: new Set(),
    connected: 0,
    plannedAt: 0,
    connectedAt: 0,
    measuring: false,
    noteError(code) {
      const name = String(code);
      errors[name] = (errors[name] ?? 0) + 1;
    },
    forgetErrors() {
      for (const name of Object.keys(errors)) delete errors[name];
    },
  };
}
