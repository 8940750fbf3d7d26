/** What the load's coordinator and its generator processes say to each other (process IPC). */
import type { Address } from "../harness/program-messages.js";
import type { Quantiles } from "../lib/histogram.js";

export interface DriverPlan {
  readonly role: "drivers";
  readonly nodes: readonly Address[];
  /** For each driver, the number of the node that it connects to. */
  readonly nodeOf: readonly number[];
  readonly tokens: readonly string[];
  readonly ids: readonly string[];
  /** Driver i rides in city i % n. */
  readonly cities: readonly { readonly lat: number; readonly lng: number }[];
  /** Until `pace`: while orders are brought on their way; null: none. */
  readonly setUpFixEveryMs: number | null;
  /** A module with a peer's `positions`; absent: our protocol. */
  readonly adapter?: string;
}
export interface CustomerPlan {
  readonly role: "customers";
  readonly nodes: readonly Address[];
  /** One entry a socket; `node` is the number of the one that it connects to. */
  readonly sockets: readonly {
    readonly token: string;
    readonly device: string;
    /** Null: connected, signed in and silent. */
    readonly orderId: string | null;
    readonly node: number;
  }[];
  readonly adapter?: string;
  /** Of this generator. */
  readonly openPerSecond: number;
}
export type ToGenerator =
  | { readonly t: "plan"; readonly plan: DriverPlan | CustomerPlan }
  /** Each driver every so many milliseconds, so many fixes a frame; null: none at all. */
  | { readonly t: "pace"; readonly everyMs: number | null; readonly fixes: number }
  /** Start counting. */
  | { readonly t: "measure" }
  | { readonly t: "report" }
  | { readonly t: "stop" };

export type FromGenerator =
  | { readonly t: "ready" }
  | { readonly t: "progress"; readonly connected: number; readonly picked: number; readonly closed: number }
  | {
      readonly t: "report";
      readonly latencyMs: Quantiles;
      /** `hdr-histogram-js`, encoded: quantiles of several generators do not add up. */
      readonly latency: string;
      /** Drivers: how late fixes left. Customers: how late a tick of theirs came. */
      readonly lagMs: Quantiles;
      readonly lag: string;
      readonly closed: number;
      /** From the plan until the last socket that came was there. */
      readonly connectingMs: number;
      readonly errors: Readonly<Record<string, number>>;
    };
