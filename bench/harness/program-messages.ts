/** What the harness says to a program beside it (process IPC, structured clone), and what the program answers. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** What a process knows of itself and the operating system does not, since it was last asked. */
export interface RuntimeGauges {
  /** How late its event loop was. */
  readonly eventLoopDelayMs: { readonly p99: number; readonly max: number };
  /** For how long the collector stopped it. */
  readonly collector: {
    readonly totalMs: number;
    /** Null where only the sum is known. */
    readonly maxMs: number | null;
  };
}

export type ToProgram =
  | { readonly t: "start"; readonly options: unknown }
  | { readonly t: "gauges"; readonly id: number }
  | { readonly t: "question"; readonly id: number; readonly question: unknown }
  | { readonly t: "stop" };

export type FromProgram =
  | { readonly t: "loaded" }
  /** `address`: null of a program that nobody connects to. */
  | { readonly t: "ready"; readonly address: Address | null; readonly note: unknown }
  | { readonly t: "failed"; readonly reason: string }
  | { readonly t: "answer"; readonly id: number; readonly value: unknown }
  | { readonly t: "refused"; readonly id: number; readonly reason: string };
