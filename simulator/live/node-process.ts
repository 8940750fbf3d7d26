/**
 * A node of the run's own: started as a child process with a data directory, started again on the same data if it dies.
 *
 * Owns: the child and its port. Invariants: every start uses the same port and data, so clients find it again; `stop`
 * ends the child before it resolves.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { CannotRun } from "./node-control.js";

export interface NodeReady {
  readonly url: string;
  readonly dataDir: string;
  readonly operatorSecretFile: string;
  /** Where an auditor reads the truth. */
  readonly databaseUrl: string | null;
  /** Null when the node uses another payment provider than the sandbox. */
  readonly ledgerFile: string | null;
}

export interface OwnNodeOptions {
  readonly dataDir: string;
  readonly timeScale: number;
  /** Told when the node died and is started again. */
  readonly onRestart: (how: string) => void;
  readonly extraArguments?: readonly string[];
}

const MAIN = fileURLToPath(new URL("../../src/main.js", import.meta.url));
const MAX_RESTARTS = 20;
const STDERR_KEPT = 4_000;

export class OwnNode {
  readonly #options: OwnNodeOptions;
  #child: ChildProcess | null = null;
  #port = "0";
  #stopping = false;
  #restarts = 0;

  constructor(options: OwnNodeOptions) {
    this.#options = options;
  }

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  async start(): Promise<NodeReady> {
    const ready = await this.#spawn();
    this.#port = new URL(ready.url).port;
    return ready;
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    const child = this.#child;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    child.kill("SIGTERM");
    await gone;
  }

  #spawn(): Promise<NodeReady> {
    const { dataDir, timeScale, extraArguments = [] } = this.#options;
    const child = spawn(
      process.execPath,
      [MAIN, "--port", this.#port, "--data-dir", dataDir, "--time-scale", String(timeScale), ...extraArguments],
      // A group of its own: an interrupt from the terminal is ours to handle, and the node is stopped in order.
      { stdio: ["ignore", "pipe", "pipe"], detached: true },
    );
    this.#child = child;
    const endWithUs = (): void => void child.kill("SIGTERM");
    process.once("exit", endWithUs);
    child.once("exit", () => process.removeListener("exit", endWithUs));
    let stderr = "";
    child.stderr.on("data", (chunk: Buffer) => {
      stderr = (stderr + chunk.toString()).slice(-STDERR_KEPT);
    });
    return new Promise((resolve, reject) => {
      let text = "";
      let ready = false;
      child.stdout.on("data", (chunk: Buffer) => {
        if (ready) return;
        text += chunk.toString();
        for (const line of text.split("\n").slice(0, -1)) {
          const found = readyOf(line);
          if (found === null) continue;
          ready = true;
          text = "";
          resolve(found);
          return;
        }
      });
      child.once("error", reject);
      child.once("exit", (code, signal) => {
        const how = signal ?? `exit ${code}`;
        if (!ready) {
          reject(new CannotRun(`the node did not start (${how}):\n${stderr}`));
          return;
        }
        // A node that was asked to end, by us or by its operator, stays ended.
        if (this.#stopping || code === 0) return;
        if (this.#restarts++ >= MAX_RESTARTS) return;
        this.#options.onRestart(how);
        this.#spawn().catch((error: unknown) => this.#options.onRestart(String(error)));
      });
    });
  }
}

/** The line a node prints when it is ready. */
export function readyOf(line: string): NodeReady | null {
  if (!line.startsWith("{")) return null;
  try {
    const { listening, dataDir, operatorSecretFile, database, paymentLedgerFile } = JSON.parse(line) as {
      listening?: { url?: string };
      dataDir?: string;
      operatorSecretFile?: string;
      database?: string;
      paymentLedgerFile?: string | null;
    };
    if (listening?.url === undefined || dataDir === undefined || operatorSecretFile === undefined) return null;
    return {
      url: listening.url,
      dataDir,
      operatorSecretFile,
      databaseUrl: database ?? null,
      ledgerFile: paymentLedgerFile ?? null,
    };
  } catch {
    return null;
  }
}
