/** What the load's coordinator and its generator processes say to each other (process IPC). */
export interface DriverPlan {
  readonly role: "drivers";
  readonly host: string;
  readonly port: number;
  readonly tokens: readonly string[];
  readonly ids: readonly string[];
  readonly center: { readonly lat: number; readonly lng: number };
  readonly fixEveryMs: number;
}
export interface CustomerPlan {
  readonly role: "customers";
  readonly host: string;
  readonly port: number;
  /** One entry a socket. */
  readonly sockets: readonly { readonly token: string; readonly device: string; readonly orderId: string }[];
}
export type ToGenerator =
  | { readonly t: "plan"; readonly plan: DriverPlan | CustomerPlan }
  /** Start sending (drivers) or start counting (customers). */
  | { readonly t: "measure" }
  | { readonly t: "report" }
  | { readonly t: "stop" };

export interface Quantiles {
  readonly count: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}
export type FromGenerator =
  | { readonly t: "ready" }
  | { readonly t: "progress"; readonly connected: number; readonly picked: number; readonly closed: number }
  | {
      readonly t: "report";
      readonly latencyMs: Quantiles;
      readonly lagMs: Quantiles;
      readonly closed: number;
      readonly errors: Readonly<Record<string, number>>;
    };
