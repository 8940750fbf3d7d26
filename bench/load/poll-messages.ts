/** What the polling load's coordinator says to its generator processes and to the bare server, and what they answer. */
import type { Quantiles } from "../lib/histogram.js";
import type { Address } from "./messages.js";

/** One order that is polled: by whom, and what the bare server answers. */
export interface Polled {
  readonly orderId: string;
  readonly token: string;
  readonly body: string;
}

export interface PollPlan {
  readonly targets: Readonly<Record<string, Address & { readonly path: string }>>;
  readonly orders: readonly Polled[];
  /** In place of orders: whole paths, asked for without a token. */
  readonly paths?: readonly string[];
  /** More lines of every request's head. */
  readonly headers?: string;
  /** By connection: where it comes from. */
  readonly localAddresses?: readonly string[];
  readonly connections: number;
  /** Where in `orders` this generator begins. */
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

export type ToPoller =
  | { readonly t: "plan"; readonly plan: PollPlan }
  | { readonly t: "open"; readonly target: string }
  | { readonly t: "go"; readonly perSecond: number; readonly seconds: number };
export type FromPoller =
  | { readonly t: "ready" }
  | { readonly t: "opened" }
  | { readonly t: "done"; readonly figures: RoundFigures };

export interface ToBare {
  readonly orders: readonly Polled[];
  readonly redisUrl: string | null;
}
export type FromBare = { readonly t: "ready" } | { readonly t: "listening"; readonly port: number };

export const ORDER_PATH = "/v1/orders/";
/** The bare server's answers out of Redis. */
export const REDIS_PATH = "/redis/";
