/**
 * A node of the run's own: started as a child process with a data directory, started again on the same data if it dies.
 *
 * Owns: the child (behind its guard, so that it ends with us whatever ends us) and its port. Invariants: every start uses
 * the same port and data, so clients find it again; `stop` ends the child before it resolves.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { childEnvironment } from "../../config/mod.js";
import { sleep, systemClock } from "../../src/lib/clock.js";
import { randomInteger, systemRandom } from "../../src/lib/random.js";
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

const GUARD = fileURLToPath(new URL("./node-guard.js", import.meta.url));
const MAIN = fileURLToPath(new URL("../../src/main.js", import.meta.url));
const MAX_RESTARTS = 20;
const RESTART_PAUSE_MS = 500;
const STDERR_KEPT = 4_000;
const LOWEST_PORT = 20_000;
const PORTS = 10_000;
const PORT_TRIES = 50;

/**
 * A free port below those that the kernel gives to outgoing connections. While the node is down, its clients knock at its
 * port; from the kernel's own range one of them could get that very port and connect to itself, and the node could
 * not come back.
 */
async function quietPort(): Promise<number> {
  const random = systemRandom();
  for (let tried = 0; tried < PORT_TRIES; tried++) {
    const port = LOWEST_PORT + randomInteger(random, PORTS);
    const free = await new Promise<boolean>((resolve) => {
      const probe = createServer();
      probe.once("error", () => resolve(false));
      probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
    });
    if (free) return port;
  }
  throw new CannotRun("no free port for a node");
}

export class OwnNode {
  readonly #options: OwnNodeOptions;
  #child: ChildProcess | null = null;
  #pid: number | null = null;
  #port = 0;
  #stopping = false;
  #starts = 0;
  #given: string | null = null;

  constructor(options: OwnNodeOptions) {
    this.#options = options;
  }

  /** Of the node itself, not of its guard. */
  get pid(): number | null {
    return this.#pid;
  }

  /** Why there is no node any more and will be none, if so. */
  get givenUp(): string | null {
    return this.#given;
  }

  async start(): Promise<NodeReady> {
    this.#port = await quietPort();
    return this.#spawn();
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    const child = this.#child;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    child.kill("SIGTERM");
    await gone;
  }

  async #startAgain(how: string): Promise<void> {
    for (let why = how; !this.#stopping; ) {
      if (++this.#starts > MAX_RESTARTS) {
        this.#given = `the node ended too often, the last time by ${why}`;
        return;
      }
      this.#options.onRestart(why);
      try {
        await this.#spawn();
        return;
      } catch (error) {
        why = error instanceof Error ? error.message : String(error);
        await sleep(systemClock(), RESTART_PAUSE_MS);
      }
    }
  }

  #spawn(): Promise<NodeReady> {
    const { dataDir, timeScale, extraArguments = [] } = this.#options;
    const child = spawn(
      process.execPath,
      [
        GUARD,
        MAIN,
        "--port",
        String(this.#port),
        "--data-dir",
        dataDir,
        "--time-scale",
        String(timeScale),
        ...extraArguments,
      ],
      // A group of its own: an interrupt from the terminal is ours to handle, and the node is stopped in order.
      // An environment of its own: what a shell holds for a real node, its database above all, is not this one's.
      { stdio: ["pipe", "pipe", "pipe"], detached: true, env: childEnvironment() },
    );
    this.#child = child;
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
          this.#pid = pidOf(line) ?? this.#pid;
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
        const how = signal ?? `status ${code}`;
        if (!ready) {
          reject(new CannotRun(`the node did not start (${how}):\n${stderr}`));
          return;
        }
        // A node that was asked to end, by us or by its operator, stays ended.
        if (this.#stopping) return;
        if (code === 0) this.#given = "the node was asked to end";
        else void this.#startAgain(how);
      });
    });
  }
}

function pidOf(line: string): number | null {
  const match = /^\{"pid":(\d+)\}$/.exec(line);
  return match === null ? null : Number(match[1]);
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
