/** One process under the warden's care: started until it says that it is ready, ended, and started again. */
import { closeSync, fstatSync, openSync, readSync, statSync, truncateSync } from "node:fs";
import { type Clock, sleep } from "../../src/lib/clock.js";
import { CannotStartCluster } from "./types.js";
import type { Exit, Spawned, Warden } from "./warden/client.js";
import type { SpawnOrder } from "./warden/protocol.js";

export interface ProcessOptions {
  /** For people: "nats-server", "node-a". */
  readonly name: string;
  readonly warden: Warden;
  readonly clock: Clock;
  readonly order: SpawnOrder;
  /** What it writes once it can be used. */
  readonly ready: RegExp;
  /** Asks it to end in order. */
  readonly endSignal: "SIGTERM" | "SIGINT";
  /** What it writes when it failed for a reason that passes by itself. */
  readonly passing?: RegExp;
}

const LOOK_EVERY_MS = 10;
/** A loaded machine starts slowly; a server that recovers from a crash too. */
const READY_WITHIN_MS = 120_000;
const RETRY_WITHIN_MS = 20_000;
const RETRY_PAUSE_MS = 100;
const END_WITHIN_MS = 15_000;
const TAIL_BYTES = 4_000;
/** The process appends, so a file cut to nothing is simply written on. */
const MAX_LOG_BYTES = 16 * 1024 * 1024;

export class ClusterProcess {
  readonly #options: ProcessOptions;
  #running: Spawned | null = null;
  #starting: Promise<void> | null = null;

  constructor(options: ProcessOptions) {
    this.#options = options;
  }

  get pid(): number | null {
    return this.#running?.pid ?? null;
  }

  /** True between the beginning of a start and its outcome. */
  get isStarting(): boolean {
    return this.#starting !== null;
  }

  /** Resolves when it is ready. Throws CannotStartCluster with its last words. */
  start(): Promise<void> {
    if (this.#starting !== null) return this.#starting;
    if (this.#running !== null) return Promise.resolve();
    this.#starting = this.#startUntilReady().finally(() => {
      this.#starting = null;
    });
    return this.#starting;
  }

  /** False when it does not run. */
  signal(name: NodeJS.Signals): boolean {
    if (this.#running === null) return false;
    try {
      return process.kill(this.#running.pid, name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
      throw error;
    }
  }

  async kill(): Promise<void> {
    const running = this.#running;
    this.signal("SIGKILL");
    await running?.exit;
  }

  /** Asks it to end; harder when it does not within `withinMs`. Null when it did not run. */
  async end(withinMs: number = END_WITHIN_MS): Promise<Exit | null> {
    const running = this.#running;
    if (running === null) return null;
    this.signal(this.#options.endSignal);
    const tooLate = this.#options.clock.after(withinMs, () => this.signal("SIGKILL"));
    const exit = await running.exit;
    tooLate();
    return exit;
  }

  log(): string {
    return tail(this.#options.order.logFile, 0);
  }

  async #startUntilReady(): Promise<void> {
    const { name, clock, passing } = this.#options;
    // From the first refusal on: on a busy machine a program may take as long to say that its port is taken.
    let retryUntil: number | null = null;
    for (;;) {
      const lastWords = await this.#startOnce();
      if (lastWords === null) return;
      retryUntil ??= clock.monotonic() + RETRY_WITHIN_MS;
      const retry = passing?.test(lastWords) === true && clock.monotonic() < retryUntil;
      if (!retry) throw new CannotStartCluster(`${name} did not start. It said:\n${lastWords}`);
      await sleep(clock, RETRY_PAUSE_MS);
    }
  }

  /** Null when it is ready, else what it said. */
  async #startOnce(): Promise<string | null> {
    const { warden, order, ready, clock } = this.#options;
    trim(order.logFile);
    const from = statSync(order.logFile, { throwIfNoEntry: false })?.size ?? 0;
    const spawned = await warden.spawn(order);
    this.#running = spawned;
    let ended = false;
    void spawned.exit.then(() => {
      ended = true;
      if (this.#running === spawned) this.#running = null;
    });
    const giveUpAt = clock.monotonic() + READY_WITHIN_MS;
    for (;;) {
      if (ready.test(tail(order.logFile, from))) return null;
      if (ended) return tail(order.logFile, from);
      if (clock.monotonic() > giveUpAt) {
        await this.kill();
        return `${tail(order.logFile, from)}\n(not ready after ${READY_WITHIN_MS} ms)`;
      }
      await sleep(clock, LOOK_EVERY_MS);
    }
  }
}

/** The end of a file, but nothing before `from`. Empty when there is none. */
function tail(file: string, from: number): string {
  let handle: number;
  try {
    handle = openSync(file, "r");
  } catch {
    return "";
  }
  try {
    const start = Math.max(from, fstatSync(handle).size - TAIL_BYTES, 0);
    const bytes = Buffer.alloc(TAIL_BYTES);
    return bytes.subarray(0, readSync(handle, bytes, 0, TAIL_BYTES, start)).toString();
  } finally {
    closeSync(handle);
  }
}

function trim(file: string): void {
  const stats = statSync(file, { throwIfNoEntry: false });
  if (stats !== undefined && stats.size > MAX_LOG_BYTES) truncateSync(file, 0);
}
