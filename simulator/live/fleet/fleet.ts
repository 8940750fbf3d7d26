/**
 * The worker processes of a run. One process fakes latency when it serves more than a few hundred sockets, so agents are
 * spread; on a small machine there are few processes all the same, because the node needs the processor more.
 *
 * Owns: the processes and the sharing out. Invariants: an order's customer, a driver and a restaurant each live in exactly
 * one worker; a worker that dies fails the run rather than going unnoticed.
 */
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { type History, joinHistories } from "../../checkers/mod.js";
import type { CityTimeFacts } from "../city-time.js";
import { addReadings, Meter, type MeterReading } from "../measure/meter.js";
import type { RunPlan } from "../plan.js";
import type { FromWorker, Share, ToWorker } from "./messages.js";

export interface FleetOptions {
  readonly url: string | readonly string[];
  readonly plan: RunPlan;
  readonly seed: number;
  readonly time: CityTimeFacts;
  readonly streetFactor: number;
  readonly tokens: ReadonlyMap<string, string>;
  readonly processes: number;
  readonly onFailure: (text: string) => void;
}

/** Sockets that one process serves without adding latency of its own. */
const SOCKETS_A_PROCESS = 250;

/** How many processes so many sockets want, at most `most`. */
export function processesFor(sockets: number, most: number): number {
  return Math.min(most, Math.max(1, Math.ceil(sockets / SOCKETS_A_PROCESS)));
}

interface Worker {
  readonly process: ChildProcess;
  reading: MeterReading;
  readonly parts: History[];
  /** True once it has handed in all that it saw. */
  done: boolean;
  readonly gone: Promise<void>;
}

const WORKER = fileURLToPath(new URL("./worker-main.js", import.meta.url));

export class Fleet {
  readonly #workers: Worker[] = [];
  readonly #options: FleetOptions;
  #finishing = false;
  #died: string | null = null;

  constructor(options: FleetOptions) {
    this.#options = options;
  }

  start(): void {
    const { processes } = this.#options;
    for (let index = 0; index < processes; index++) {
      const child = fork(WORKER, [], { serialization: "advanced", stdio: ["ignore", "inherit", "inherit", "ipc"] });
      const worker: Worker = {
        process: child,
        reading: new Meter().read(),
        parts: [],
        done: false,
        // Not "exit": that may come while the last messages are still in the pipe, and what they hold would be lost.
        gone: new Promise((resolve) => child.once("disconnect", () => resolve())),
      };
      this.#workers.push(worker);
      child.on("message", (message: FromWorker) => this.#heard(worker, message));
      child.once("exit", (code, signal) => {
        if (!this.#finishing) this.#died = `a worker process ended (${signal ?? code}) in the middle of the run`;
      });
      this.#say(worker, { t: "start", share: shareOf(this.#options, index) });
    }
  }

  /** Why the run cannot go on, if it cannot. */
  get died(): string | null {
    return this.#died;
  }

  read(): MeterReading {
    return addReadings(this.#workers.map((worker) => worker.reading));
  }

  /** Sends everybody home and returns all that was seen. Rejects when a worker ended without telling. */
  async finish(): Promise<History> {
    this.#finishing = true;
    for (const worker of this.#workers) this.#say(worker, { t: "finish" });
    await Promise.all(this.#workers.map((worker) => worker.gone));
    const silent = this.#workers.filter((worker) => !worker.done).length;
    if (silent > 0) throw new Error(`${silent} worker processes ended without handing in what they saw`);
    return joinHistories(this.#workers.flatMap((worker) => worker.parts));
  }

  /** Without a word. */
  kill(): void {
    this.#finishing = true;
    for (const worker of this.#workers) worker.process.kill("SIGKILL");
  }

  #heard(worker: Worker, message: FromWorker): void {
    switch (message.t) {
      case "reading":
        worker.reading = message.reading;
        return;
      case "out":
        for (const other of this.#workers) if (other !== worker) this.#say(other, message);
        return;
      case "failure":
        this.#options.onFailure(message.text);
        return;
      case "history":
        worker.parts.push(message.history);
        return;
      case "done":
        worker.done = true;
        return;
    }
  }

  #say(worker: Worker, message: ToWorker): void {
    if (worker.process.connected) worker.process.send(message);
  }
}

/** Shares are dealt like cards, so that every process gets of the morning and of the evening. */
export function shareOf(options: Omit<FleetOptions, "onFailure">, index: number): Share {
  const { plan, processes, tokens } = options;
  const mine = <T>(list: readonly T[]): T[] => list.filter((_, number) => number % processes === index);
  const restaurants = mine(plan.restaurants);
  const drivers = mine(plan.drivers);
  const orders = mine(plan.orders);
  const cooks = new Set(restaurants.map((restaurant) => restaurant.id));
  const readyAt = plan.orders
    .filter((order) => order.readyAtCityMs !== null && cooks.has(order.order.restaurantId))
    .map((order): [number, number] => [order.number, order.readyAtCityMs!]);
  const people = [
    ...restaurants.map((restaurant) => restaurant.id),
    ...drivers.map((driver) => driver.id),
    ...orders.map((order) => order.customerId),
  ];
  return {
    url: options.url,
    seed: options.seed + index,
    time: options.time,
    streetFactor: options.streetFactor,
    restaurants,
    drivers,
    orders,
    readyAt,
    tokens: people.map((id): [string, string] => [id, tokens.get(id) ?? ""]),
  };
}
