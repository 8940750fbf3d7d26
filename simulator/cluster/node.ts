/**
 * One node of a local cluster: a real process that is started, killed, paused and drained, always with the same id, port
 * and data, so that its clients and the other nodes find it again.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { childEnvironment } from "../../config/mod.js";
import { sleep } from "../../src/lib/clock.js";
import { ClusterProcess } from "./process.js";
import type { Ways } from "./proxies.js";
import type { ClusterSecrets } from "./secrets.js";
import type { Ground } from "./servers.js";
import { CannotStartCluster, type LocalClusterOptions, type LocalNode, type NodeState } from "./types.js";

export interface NodePlan {
  readonly id: string;
  readonly port: number;
  readonly ground: Ground;
  readonly ways: Ways;
  readonly paymentUrl: string;
  readonly secrets: ClusterSecrets;
  readonly options: LocalClusterOptions;
}

const MAIN = fileURLToPath(new URL("../../src/main.js", import.meta.url));
const DEFAULT_DRAIN_MS = 2_000;
/** What a node may take beyond its drain before it is killed. */
const STOP_WITHIN_MS = 30_000;
const READY_WITHIN_MS = 120_000;
const ASK_WITHIN_MS = 2_000;
const ASK_EVERY_MS = 25;

export class ClusterNode implements LocalNode {
  readonly id: string;
  readonly url: string;
  readonly proxies: LocalNode["proxies"];
  readonly #plan: NodePlan;
  readonly #process: ClusterProcess;
  #paused = false;

  constructor(plan: NodePlan) {
    this.#plan = plan;
    this.id = plan.id;
    this.url = `http://127.0.0.1:${plan.port}`;
    this.proxies = plan.ways.proxies;
    const { ground, options } = plan;
    const dataDir = join(ground.dataDir, plan.id);
    mkdirSync(dataDir, { recursive: true });
    this.#process = new ClusterProcess({
      name: plan.id,
      warden: ground.warden,
      clock: ground.clock,
      order: {
        words: [
          process.execPath,
          "--enable-source-maps",
          ...(options.nodeOptions ?? []),
          options.nodeScript ?? MAIN,
          ...(options.nodeArguments ?? []),
        ],
        directory: dataDir,
        environment: { ...childEnvironment(), ...settingsOf(plan, dataDir), ...options.environment },
        logFile: join(ground.dataDir, `${plan.id}.log`),
        lastSignal: "SIGKILL",
      },
      ready: /^\{"listening":/m,
      endSignal: "SIGTERM",
      // Somebody who looks for a free port holds it for a moment.
      passing: /Port \d+ is in use/,
    });
  }

  get pid(): number | null {
    return this.#process.pid;
  }

  get state(): NodeState {
    if (this.#process.pid === null) return this.#process.isStarting ? "starting" : "stopped";
    if (this.#paused) return "paused";
    return this.#process.isStarting ? "starting" : "running";
  }

  async start(): Promise<void> {
    if (this.pid === null) this.#paused = false;
    await this.#process.start();
  }

  async ready(): Promise<void> {
    const { clock } = this.#plan.ground;
    const giveUpAt = clock.monotonic() + READY_WITHIN_MS;
    while (!(await this.#saysReady())) {
      if (this.state === "stopped") throw new CannotStartCluster(`${this.id} ended:\n${this.log()}`);
      if (clock.monotonic() > giveUpAt) {
        throw new CannotStartCluster(`${this.id} is not ready after ${READY_WITHIN_MS} ms:\n${this.log()}`);
      }
      await sleep(clock, ASK_EVERY_MS);
    }
  }

  async kill(): Promise<void> {
    await this.#process.kill();
    this.#paused = false;
  }

  pause(): void {
    this.#paused = this.#process.signal("SIGSTOP");
  }

  resume(): void {
    this.#process.signal("SIGCONT");
    this.#paused = false;
  }

  async terminate(): Promise<{ readonly status: number | null; readonly ms: number }> {
    const { ground, options } = this.#plan;
    const began = ground.clock.monotonic();
    const ending = this.#process.end((options.drainMs ?? DEFAULT_DRAIN_MS) + STOP_WITHIN_MS);
    // A signal waits for a stopped process to go on.
    if (this.#paused) this.resume();
    const exit = await ending;
    return { status: exit?.status ?? null, ms: ground.clock.monotonic() - began };
  }

  log(): string {
    return this.#process.log();
  }

  async #saysReady(): Promise<boolean> {
    try {
      const answer = await fetch(`${this.url}/readyz`, { signal: AbortSignal.timeout(ASK_WITHIN_MS) });
      await answer.arrayBuffer();
      return answer.ok;
    } catch {
      return false;
    }
  }
}

/** The settings of a node, by the names in the environment that config/schema.ts gives them. */
function settingsOf(
  { id, port, ways, paymentUrl, secrets, options }: NodePlan,
  dataDir: string,
): Record<string, string> {
  return {
    NODE_ID: id,
    DATA_DIR: dataDir,
    HOST: "127.0.0.1",
    PORT: String(port),
    DATABASE_URL: ways.urls.postgres,
    NATS_URL: ways.urls.nats,
    REDIS_URL: ways.urls.redis,
    PAYMENT_URL: paymentUrl,
    OPERATOR_SECRET_FILE: secrets.operatorSecretFile,
    AUTH_PRIVATE_KEY_FILE: secrets.signingKeyFile,
    ORDER_ID_SECRET_FILE: secrets.orderIdSecretFile,
    DRAIN_MS: String(options.drainMs ?? DEFAULT_DRAIN_MS),
    LOG_LEVEL: "warn",
    ...(options.timeScale === undefined ? {} : { TIME_SCALE: String(options.timeScale) }),
    ...(options.leaseMs === undefined ? {} : { CLUSTER_LEASE_MS: String(options.leaseMs) }),
  };
}
