/** The servers a cluster stands on, each a real one on a port of the loopback, its data below the cluster's directory. */
import type { ChildProcess } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { childEnvironment } from "../../config/mod.js";
import type { Clock } from "../../src/lib/clock.js";
import { startSandboxProcess } from "../../src/services/payments/mod.js";
import { prepareTcpServer } from "../../src/store/postgres/mod.js";
import { ClusterProcess } from "./process.js";
import type { ManagedServer } from "./types.js";
import type { Warden } from "./warden/client.js";

/** What one server needs to know of its cluster. */
export interface Ground {
  readonly dataDir: string;
  readonly warden: Warden;
  readonly clock: Clock;
}

/** Enough for the connections of many nodes, and for those that a cut way leaves behind. */
const MAX_CONNECTIONS = 400;
function managed(url: string, child: ClusterProcess): ManagedServer {
  return {
    url,
    get pid() {
      return child.pid;
    },
    kill: () => child.kill(),
    start: () => child.start(),
    stop: async () => void (await child.end()),
    log: () => child.log(),
  };
}

export interface ManagedDatabase extends ManagedServer {
  makeDatabase(): Promise<void>;
  /** After `stop`: the data may be used by others. */
  release(): Promise<void>;
}

export async function createDatabase(ground: Ground, port: number): Promise<ManagedDatabase> {
  const dataDir = join(ground.dataDir, "database");
  const { words, directory, databaseUrl, makeDatabase, release } = await prepareTcpServer({
    dataDir,
    port,
    maxConnections: MAX_CONNECTIONS,
    clock: ground.clock,
  });
  const child = new ClusterProcess({
    name: "PostgreSQL",
    warden: ground.warden,
    clock: ground.clock,
    order: {
      words,
      directory,
      environment: childEnvironment(),
      logFile: join(ground.dataDir, "postgres.log"),
      lastSignal: "SIGQUIT",
    },
    ready: /database system is ready to accept connections/,
    endSignal: "SIGINT",
    // After a kill the server's children hold its shared memory until they notice.
    passing: /pre-existing shared memory|postmaster\.pid|could not create lock file/,
  });
  return Object.defineProperties(
    { makeDatabase, release },
    Object.getOwnPropertyDescriptors(managed(databaseUrl, child)),
  ) as ManagedDatabase;
}

export function createNats(ground: Ground, program: string, port: number): ManagedServer {
  const directory = join(ground.dataDir, "nats");
  mkdirSync(directory, { recursive: true });
  const child = new ClusterProcess({
    name: "nats-server",
    warden: ground.warden,
    clock: ground.clock,
    order: {
      words: [program, "--addr", "127.0.0.1", "--port", String(port), "-js", "-sd", directory],
      directory,
      environment: childEnvironment(),
      logFile: join(ground.dataDir, "nats.log"),
      lastSignal: "SIGKILL",
    },
    ready: /Server is ready/,
    endSignal: "SIGTERM",
    passing: /address already in use/,
  });
  return managed(`nats://127.0.0.1:${port}`, child);
}

/** Keeps nothing on disk: whatever is in it can be rebuilt. */
export function createRedis(ground: Ground, program: string, port: number): ManagedServer {
  const directory = join(ground.dataDir, "redis");
  mkdirSync(directory, { recursive: true });
  const child = new ClusterProcess({
    name: "redis-server",
    warden: ground.warden,
    clock: ground.clock,
    order: {
      words: [
        ...[program, "--port", String(port), "--bind", "127.0.0.1", "--dir", directory],
        ...["--save", "", "--appendonly", "no", "--daemonize", "no"],
      ],
      directory,
      environment: childEnvironment(),
      logFile: join(ground.dataDir, "redis.log"),
      lastSignal: "SIGKILL",
    },
    ready: /Ready to accept connections/,
    endSignal: "SIGTERM",
    passing: /Address already in use/,
  });
  return managed(`redis://127.0.0.1:${port}`, child);
}

/** The sandbox ends with the process that started it; its ledger is on disk. */
export function createPayment(ledgerFile: string, port: number, words: readonly string[]): ManagedServer {
  let child: ChildProcess | null = null;
  let starting: Promise<void> | null = null;
  const gone = async (signal: "SIGKILL" | "SIGTERM"): Promise<void> => {
    const ending = child;
    if (ending === null) return;
    const exit = new Promise<void>((resolve) => ending.once("exit", () => resolve()));
    ending.kill(signal);
    await exit;
  };
  const start = async (): Promise<void> => {
    const sandbox = await startSandboxProcess(ledgerFile, ["--port", String(port), ...words]);
    child = sandbox.process;
    sandbox.process.once("exit", () => {
      if (child === sandbox.process) child = null;
    });
  };
  return {
    url: `http://127.0.0.1:${port}`,
    get pid() {
      return child?.pid ?? null;
    },
    kill: () => gone("SIGKILL"),
    start() {
      if (child !== null) return Promise.resolve();
      starting ??= start().finally(() => {
        starting = null;
      });
      return starting;
    },
    stop: () => gone("SIGTERM"),
    // It writes to our own standard error.
    log: () => "",
  };
}
