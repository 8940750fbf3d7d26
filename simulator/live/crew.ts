/**
 * All agents of one process: restaurants at once, drivers by their shifts, customers shortly before they order.
 *
 * Owns: when agents start, their seeds, the recorder and the meter they share. Does not own the plan or the process.
 */
import { setMaxListeners } from "node:events";
import { type Clock, systemClock } from "../../src/lib/clock.js";
import { type Random, seededRandom, systemRandom } from "../../src/lib/random.js";
import { ForgetfulRecorder, type History, Recorder } from "../checkers/mod.js";
import type { Roads } from "../city/mod.js";
import type { AgentContext } from "./agents/context.js";
import { pause } from "./agents/context.js";
import { Counters } from "./agents/counter.js";
import { runCustomer } from "./agents/customer.js";
import { DriverAgent } from "./agents/driver.js";
import type { Device } from "./agents/radio.js";
import { RestaurantAgent } from "./agents/restaurant.js";
import { CityTime, type CityTimeFacts } from "./city-time.js";
import { type Counts, Meter, type MeterReading } from "./measure/meter.js";
import type { PlannedDriver, PlannedOrder, PlannedRestaurant } from "./plan.js";

export interface CrewOptions {
  /** A node, or the nodes of one cluster: then agents are spread over them. */
  readonly url: string | readonly string[];
  readonly seed: number;
  readonly time: CityTimeFacts;
  readonly roads: Roads;
  /** By principal; or what hands them out, when they do not last for the run. */
  readonly tokens: ReadonlyMap<string, string> | AgentContext["token"];
  readonly tellOthers?: (orderId: string) => void;
  readonly standsReady?: AgentContext["standsReady"];
  /** False: nothing is written down, as fits a run without an end. */
  readonly keepsHistory?: boolean;
  /** Told of agents that failed in a way nobody foresaw. */
  readonly onFailure: (error: unknown) => void;
  readonly clock?: Clock;
  /** Absent: habits come from the seed; keys and connection back-off, which must differ between runs, from the system. */
  readonly random?: (agent: number) => Random;
  readonly device?: (principalId: string) => Device;
  readonly recorder?: Recorder;
}

/** Customers connect this long before they order, so that connecting is not part of ordering. */
const LEAD_MS = 4_000;
/** Of one process: a city's drivers do not open the app in the same instant. */
const CONNECTS_PER_SECOND = 250;

export class Crew {
  readonly counters: Counters;
  readonly time: CityTime;
  readonly #options: CrewOptions;
  readonly #clock: Clock;
  readonly #recorder: Recorder;
  readonly #meter = new Meter();
  readonly #stop = new AbortController();
  readonly #context: AgentContext;
  #agents = 0;

  constructor(options: CrewOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock();
    this.time = new CityTime(options.time, this.#clock);
    this.counters = new Counters(options.tellOthers);
    this.#recorder = options.recorder ?? (options.keepsHistory === false ? new ForgetfulRecorder() : new Recorder());
    // One signal ends thousands of agents.
    setMaxListeners(0, this.#stop.signal);
    this.#context = {
      url: options.url,
      clock: this.#clock,
      time: this.time,
      recorder: this.#recorder,
      meter: this.#meter,
      roads: options.roads,
      counters: this.counters,
      ended: this.#stop.signal,
      ...(options.device === undefined ? {} : { device: options.device }),
      ...(options.standsReady === undefined ? {} : { standsReady: options.standsReady }),
      token: typeof options.tokens === "function" ? options.tokens : tokenOf(options.tokens),
    };
  }

  openRestaurants(
    restaurants: readonly PlannedRestaurant[],
    readyAtCityMs: (orderNumber: number) => number | null,
  ): void {
    for (const plan of restaurants) {
      new RestaurantAgent(this.#context, { plan, random: this.#random(), readyAtCityMs }).start();
    }
  }

  sendDrivers(drivers: readonly PlannedDriver[]): void {
    for (const [index, plan] of drivers.entries()) {
      const random = this.#random();
      const wait = pause(this.#clock, (index * 1000) / CONNECTS_PER_SECOND, this.#stop.signal);
      this.#watch(wait.then(() => new DriverAgent(this.#context, plan, random).run()));
    }
  }

  /** Orders in order of placement, as many as there are; the source may go on for ever. */
  async serveCustomers(orders: Iterable<PlannedOrder>): Promise<void> {
    for (const plan of orders) {
      await pause(this.#clock, this.time.untilWallMs(plan.placeAtCityMs) - LEAD_MS, this.#stop.signal);
      if (this.#stop.signal.aborted) return;
      this.#watch(runCustomer(this.#context, plan, this.#random()));
    }
  }

  /** So far; reading it costs nothing. */
  get counts(): Readonly<Counts> {
    return this.#meter.counts;
  }

  read(): MeterReading {
    return this.#meter.read();
  }

  history(): History {
    return this.#recorder.history();
  }

  /** Agents leave: sockets close, what is unanswered is given up. */
  stop(): void {
    this.#stop.abort();
  }

  #random(): Random {
    const agent = this.#agents++;
    const { random, seed } = this.#options;
    if (random !== undefined) return random(agent);
    const habits = seededRandom(seed * 1_000_003 + agent);
    return { next: () => habits.next(), bytes: (count) => SYSTEM.bytes(count) };
  }

  #watch(running: Promise<void>): void {
    running.catch((error: unknown) => {
      if (!this.#stop.signal.aborted) this.#options.onFailure(error);
    });
  }
}

function tokenOf(tokens: ReadonlyMap<string, string>): AgentContext["token"] {
  return (principalId) => {
    const token = tokens.get(principalId);
    if (token === undefined) throw new Error(`no token was issued for ${principalId}`);
    return token;
  };
}

const SYSTEM = systemRandom();
