/** What a local cluster looks like to those who use it. */
import type { CutDirection, CutManner, ProxyStats } from "./warden/protocol.js";

export const SERVER_NAMES = ["postgres", "nats", "redis"] as const;
export type ServerName = (typeof SERVER_NAMES)[number];

/** A real server process: it comes back on the same port, with the data it had on disk. */
export interface ManagedServer {
  /** Straight, not through a proxy. */
  readonly url: string;
  /** Null while it does not run. */
  readonly pid: number | null;
  /** SIGKILL; resolves when the process is gone. Harmless when it is gone already. */
  kill(): Promise<void>;
  /** Resolves when it takes connections again. Harmless while it runs. */
  start(): Promise<void>;
  /** Ends it in order. */
  stop(): Promise<void>;
  /** The last lines it wrote. */
  log(): string;
}

/** A way from one node to one server that can be cut and slowed. Each call resolves when it is in force. */
export interface FaultyProxy {
  readonly url: string;
  /**
   * `drop`: bytes, ends and new connections of that direction are held back in silence and go on after `heal`, as when a
   * network loses packets. `reset`: connections are reset, and so are new ones until `heal`, whatever the direction.
   */
  cut(direction: CutDirection, how: CutManner): Promise<void>;
  /** Everything arrives so much later, both ways, until `heal`. */
  slow(delayMs: number): Promise<void>;
  heal(): Promise<void>;
  close(): Promise<void>;
  /** As of some tenths of a second ago. */
  stats(): ProxyStats;
}

export type NodeState = "starting" | "running" | "paused" | "stopped";

export interface LocalNode {
  readonly id: string;
  readonly url: string;
  /** Null while it does not run. */
  readonly pid: number | null;
  readonly state: NodeState;
  /** Resolves when the node says that it is ready. Throws when it ends instead, or is not ready for a long time. */
  ready(): Promise<void>;
  /** SIGKILL; resolves when the process is gone. Harmless when it is gone already. */
  kill(): Promise<void>;
  /** SIGSTOP: it hears and says nothing, and does not know. */
  pause(): void;
  /** SIGCONT. */
  resume(): void;
  /** SIGTERM: the node drains. `status` is null when a signal ended it. */
  terminate(): Promise<{ readonly status: number | null; readonly ms: number }>;
  /** Starts it again, with the same id, port and data; resolves when it listens. Harmless while it runs. */
  start(): Promise<void>;
  readonly proxies: Readonly<Record<ServerName, FaultyProxy>>;
  /** The last lines it wrote. */
  log(): string;
}

export interface LocalCluster {
  /** In the order of their ids. */
  readonly nodes: readonly LocalNode[];
  readonly database: ManagedServer;
  readonly nats: ManagedServer;
  readonly redis: ManagedServer;
  /** The one sandbox that takes the money for all nodes. */
  readonly payment: ManagedServer;
  readonly operatorSecret: string;
  readonly operatorSecretFile: string;
  readonly databaseUrl: string;
  /** The sandbox's own book. */
  readonly ledgerFile: string;
  readonly dataDir: string;
  /** Of all nodes, the dead ones too. */
  urls(): readonly string[];
  /** Starts one more node and resolves when it is ready. */
  addNode(): Promise<LocalNode>;
  /** Ends nodes, then servers, in order; what does not end in time is killed. Removes the data unless a directory was given. */
  stop(): Promise<void>;
}

export interface LocalClusterOptions {
  /** None: the servers alone. */
  readonly nodes: number;
  /** Kept and used again. Default: a temporary one, removed at the end. */
  readonly dataDir?: string;
  /** The first node's port; the others get the next ones. Default: free ones. */
  readonly port?: number;
  /** False: nodes reach their servers straight, for measurements. Default: true. */
  readonly proxies?: boolean;
  readonly timeScale?: number;
  readonly leaseMs?: number;
  readonly drainMs?: number;
  /** Added to every node's environment. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Put behind the words of every node's command line. */
  readonly nodeArguments?: readonly string[];
  /** For the runtime itself, in front of the program: `--cpu-prof`. */
  readonly nodeOptions?: readonly string[];
  /** The compiled program of a node. Default: `src/main.js`. */
  readonly nodeScript?: string;
  /** For the payment sandbox, for example `["--latency-max", "20"]`. */
  readonly sandboxArguments?: readonly string[];
  /** Told what is being started, in words. */
  readonly onProgress?: (line: string) => void;
}

/** The cluster cannot be started here, in words for the person who wants it. */
export class CannotStartCluster extends Error {
  override readonly name = "CannotStartCluster";
}
