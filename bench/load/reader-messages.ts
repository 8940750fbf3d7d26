/** What is said to the processes of readers, and what they answer. */
import type { Address } from "../harness/program-messages.js";
import type { Quantiles } from "../lib/histogram.js";

export interface ReadPlan {
  /** Asked for in this order, over and over. */
  readonly requests: readonly { readonly path: string; readonly token?: string }[];
  /** More lines of every request's head. */
  readonly headers?: string;
  /** By connection: where it comes from. */
  readonly localAddresses?: readonly string[];
  readonly connections: number;
  /** Where in `requests` this process begins. */
  readonly offset: number;
}

export interface RoundFigures {
  readonly latencyMs: Quantiles;
  /** `hdr-histogram-js`, encoded. */
  readonly latency: string;
  readonly lag: string;
  readonly answered: number;
  /** Answers that were not 200. */
  readonly refused: number;
  /** Requests that were due and had no answer when the round was given up. */
  readonly unanswered: number;
}

export type ToReader =
  | { readonly t: "plan"; readonly plan: ReadPlan }
  | { readonly t: "open"; readonly address: Address; readonly pathPrefix: string }
  /** `perSecond`: null: each connection asks again as soon as it is answered. */
  | { readonly t: "go"; readonly perSecond: number | null; readonly seconds: number };
export type FromReader =
  | { readonly t: "ready" }
  | { readonly t: "opened" }
  | { readonly t: "done"; readonly figures: RoundFigures };
