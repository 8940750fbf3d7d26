/** What the storm asks of its generator processes, and what they answer (questions of `serveProgram`). */
import type { Address } from "../harness/program-messages.js";
import type { StormPlan } from "../peers/ports.js";
import type { LineTally } from "./tally.js";

export interface GeneratorOptions {
  /** URL of the module with `storm`. */
  readonly adapter: string;
  readonly address: Address;
  readonly note: unknown;
  readonly plan: StormPlan;
  /** The lines of this process: `from` and below `to`. None: it only publishes. */
  readonly from: number;
  readonly to: number;
}

export type StormQuestion =
  /** Opens all lines; answered when the server has answered each. */
  | { readonly ask: "open" }
  /** Breaks lines and lets them come back; answered (`Endured`) when the time is over and all are back. */
  | { readonly ask: "endure"; readonly seconds: number }
  /** Publishes at the plan's pace; answered (`Published`) when all are durable. */
  | { readonly ask: "publish"; readonly seconds: number }
  /** Waits until every line has heard so many published events of its channel; answered (`Heard`) also when some never do. */
  | { readonly ask: "hear"; readonly published: readonly number[]; readonly withinMs: number };

export interface Endured {
  /** From the moment a line was to come back until it had everything; encoded. */
  readonly replay: string;
  /** How late lines were broken and brought back; encoded. */
  readonly lag: string;
  readonly reconnects: number;
  /** Of them, those whose place the server did not know. */
  readonly unrecovered: number;
  /** Lines that the server ended, with its reasons. */
  readonly ended: Readonly<Record<string, number>>;
}
export interface Published {
  /** By channel: how many there have been since the beginning. */
  readonly counts: readonly number[];
  readonly lag: string;
  /** From the moment it was due to the server's answer; encoded. */
  readonly latency: string;
  readonly failures: Readonly<Record<string, number>>;
}
export interface Heard {
  readonly lines: readonly (LineTally & { readonly channel: number })[];
}
