/** What is said between a program that runs a local cluster and the cluster's warden. */

export type CutDirection = "both" | "to-server" | "from-server";
export type CutManner = "drop" | "reset";

export interface ProxyStats {
  /** Accepted so far. */
  readonly connections: number;
  /** Bytes that reached the server. */
  readonly bytesUp: number;
  /** Bytes that reached the node. */
  readonly bytesDown: number;
}

export interface SpawnOrder {
  readonly words: readonly string[];
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
  /** What the process writes is appended here. */
  readonly logFile: string;
  /** What ends it when nobody is left to end it in order. */
  readonly lastSignal: "SIGKILL" | "SIGQUIT";
}

export type WardenOrder =
  | { readonly do: "spawn"; readonly order: SpawnOrder }
  | { readonly do: "listen"; readonly proxy: string; readonly targetPort: number }
  | { readonly do: "cut"; readonly proxy: string; readonly direction: CutDirection; readonly how: CutManner }
  | { readonly do: "slow"; readonly proxy: string; readonly delayMs: number }
  | { readonly do: "heal"; readonly proxy: string }
  | { readonly do: "close"; readonly proxy: string }
  /** Removed when the warden ends. */
  | { readonly do: "own"; readonly directory: string };

export interface WardenAnswer {
  readonly pid?: number;
  readonly port?: number;
}

export type ToWarden = WardenOrder & { readonly ask: number };

export type FromWarden =
  | { readonly answer: number; readonly result: WardenAnswer }
  | { readonly answer: number; readonly error: string }
  | { readonly exit: number; readonly status: number | null; readonly signal: string | null }
  | { readonly stats: Readonly<Record<string, ProxyStats>> };
