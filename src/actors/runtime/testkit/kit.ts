/**
 * The test kit: actors, hosts, a store and clients in one thread, under a virtual clock and one seed. See `README.md`.
 *
 * Invariants: time moves only inside the kit's own methods, and never further than they need; everything that happens
 * follows from the seed, the definitions and the calls.
 */
import type { Clock } from "../../../lib/clock.js";
import type { Json, JsonObject } from "../../../lib/json.js";
import type { LogFields } from "../../../lib/log.js";
import { decode } from "../../../lib/msgpack.js";
import { type Random, seededRandom } from "../../../lib/random.js";
import type { AskOptions, AskResult, ChannelAddress } from "../client.js";
import { createActorClient, type RunningActorClient } from "../client-impl/client.js";
import type { ActorClientSettings } from "../client-impl/settings.js";
import type { ActorRef, AnyActorDefinition, Caller, CommandName, Contract, Input, Reply } from "../definition.js";
import type { HostSettings, HostStats } from "../host/settings.js";
import type { Link, LinkMessage } from "../link.js";
import { createMemoryNetwork, type MemoryBatch, type MemoryDelivery, type MemoryNetwork } from "../links/memory.js";
import type { ActorAddress, ActorStore, DeadLetter, EffectRunner, MirrorPort, PublishedEvent } from "../ports.js";
import { shardOf } from "../shard.js";
import { Cluster } from "./cluster.js";
import { FaultyStore } from "./faulty-store.js";
import { type Recorder, record } from "./recorder.js";
import { betweenMilliseconds, VirtualClock } from "./virtual-clock.js";

/** What a link does with one message. */
export type LinkFault = "drop" | "duplicate" | { readonly delayMs: number };

export interface TestKitOptions {
  readonly definitions: readonly AnyActorDefinition[];
  /** A store, or what makes one on the kit's clock. It outlives crashes. */
  readonly store: ActorStore | ((clock: Clock) => ActorStore);
  /** True for a store outside this process: virtual time then stands still while it works. Default false. */
  readonly storeTakesRealTime?: boolean;
  /** Default 1. */
  readonly seed?: number;
  /** Default 1. */
  readonly hosts?: number;
  readonly effects?: Readonly<Record<string, EffectRunner>>;
  readonly mirror?: MirrorPort;
  readonly settings?: Partial<HostSettings>;
  readonly clientSettings?: Partial<ActorClientSettings>;
  /** Milliseconds since the epoch; default noon of 1 January 2026, UTC. */
  readonly startAt?: number;
  /** What the hosts' clocks show of the kit's. Default: a millisecond begins within each of their turns. */
  readonly hostClock?: (clock: Clock) => Clock;
}

export interface KitAsk extends Partial<AskOptions> {}

/** What a test looks at in the log. */
export interface LogLine {
  readonly level: "warn" | "error";
  readonly message: string;
  readonly fields: LogFields;
}

const SYSTEM: Caller = { id: "test", role: "system" };
const MICROTASKS = 40;
const MOST_STEPS_AT_ONCE = 100_000;

export function createTestKit(options: TestKitOptions): TestKit {
  return new TestKit(options);
}

export class TestKit {
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly store: FaultyStore;
  readonly cluster: Cluster;
  readonly client: RunningActorClient;
  /** Between the hosts `node/shards-0…`, the client `node/gateway-0` and whatever else is given an endpoint. */
  readonly network: MemoryNetwork;
  readonly logs: LogLine[] = [];
  /** Decides about each message between endpoints; null: it arrives. Messages within one host do not pass here. */
  linkFault: (from: string, to: string, message: LinkMessage) => LinkFault | null = () => null;
  /** Every message that reached the kit's raw endpoint; see `inject`. */
  readonly rawAnswers: LinkMessage[] = [];
  readonly #raw: Link;
  readonly #ready: Promise<void>;
  readonly #waitForStore: boolean;
  #started = false;
  #commands = 0;
  #pumping: Promise<void> = Promise.resolve();

  constructor(options: TestKitOptions) {
    this.clock = new VirtualClock(options.startAt ?? Date.UTC(2026, 0, 1, 12));
    this.random = seededRandom(options.seed ?? 1);
    this.#waitForStore = options.storeTakesRealTime ?? false;
    const inner = typeof options.store === "function" ? options.store(this.clock) : options.store;
    this.store = new FaultyStore(inner, this.clock);
    this.network = createMemoryNetwork({ clock: this.clock, route: (batch) => this.#route(batch) });
    const log = (level: LogLine["level"]) => (fields: LogFields, message: string) => {
      this.logs.push({ level, message, fields });
      if (this.logs.length > 10_000) this.logs.splice(0, 5_000);
    };
    this.cluster = new Cluster({
      definitions: options.definitions,
      hosts: options.hosts ?? 1,
      store: this.store,
      network: this.network,
      clock: (options.hostClock ?? betweenMilliseconds)(this.clock),
      random: this.random,
      mirror: options.mirror ?? { write: () => {}, read: async (keys) => keys.map(() => null), close: async () => {} },
      effects: options.effects ?? {},
      settings: options.settings ?? {},
      log: { warn: log("warn"), error: log("error") },
    });
    this.#raw = this.network.endpoint("node/raw");
    this.#raw.receive((_, messages) => this.rawAnswers.push(...messages));
    this.client = createActorClient({
      link: this.network.endpoint("node/gateway-0"),
      shardMap: this.cluster.shardMap,
      clock: this.clock,
      random: this.random,
      ...(options.clientSettings === undefined ? {} : { settings: options.clientSettings }),
    });
    this.#ready = this.cluster.start().then(() => {
      this.#started = true;
    });
  }

  get now(): number {
    return this.clock.now();
  }

  /** Asks and lets time pass until the answer is here. Default caller: role `system`; default command id: a new one. */
  async ask<C extends Contract, N extends CommandName<C>>(
    to: ActorRef<C>,
    key: string,
    name: N,
    input: Input<C, N>,
    options: KitAsk = {},
  ): Promise<AskResult<Reply<C, N>>> {
    return this.run(() => this.send(to, key, name, input, options));
  }

  /** Asks without letting time pass: for several at once, with `run` or `advance` afterwards. */
  async send<C extends Contract, N extends CommandName<C>>(
    to: ActorRef<C>,
    key: string,
    name: N,
    input: Input<C, N>,
    options: KitAsk = {},
  ): Promise<AskResult<Reply<C, N>>> {
    const commandId = options.commandId ?? `test-${++this.#commands}`;
    return this.client.ask(to, key, name, input, { caller: SYSTEM, ...options, commandId });
  }

  /** Like `ask`, but gives the value; throws when the actor refuses. */
  async must<C extends Contract, N extends CommandName<C>>(
    to: ActorRef<C>,
    key: string,
    name: N,
    input: Input<C, N>,
    options: KitAsk = {},
  ): Promise<Reply<C, N>> {
    const result = await this.ask(to, key, name, input, options);
    if (!result.ok) throw new Error(`${to.kind}/${key} ${name}: ${JSON.stringify(result.error)}`);
    return result.value;
  }

  async cast<C extends Contract, N extends CommandName<C>>(
    to: ActorRef<C>,
    key: string,
    name: N,
    input: Input<C, N>,
    caller: Caller = SYSTEM,
  ): Promise<boolean> {
    await this.#start();
    const sent = this.client.cast(to, key, name, input, caller);
    await this.advance(0);
    return sent;
  }

  /** Listens and lets time pass until the subscription has started or was refused. */
  async subscribe(
    channel: ChannelAddress,
    caller: Caller = SYSTEM,
    from: { epoch: number; offset: number } | null = null,
  ): Promise<Recorder> {
    await this.#start();
    const recorder = record((sink) => this.client.subscribe(channel, caller, from, sink));
    await this.until(() => recorder.starts.length > 0 || recorder.ended !== null);
    return recorder;
  }

  /** Sends a raw message to the owner of the actor, as another host or a gateway would. */
  async inject(to: ActorAddress, message: LinkMessage): Promise<void> {
    await this.#start();
    const owner = this.cluster.shardMap.ownerOf(shardOf(to));
    if (owner !== null) this.#raw.send(owner, message);
    await this.advance(0);
  }

  /** Lets exactly `ms` of time pass, with everything that falls due in it. */
  async advance(ms: number): Promise<void> {
    await this.#start();
    const target = this.clock.now() + ms;
    await this.#pump(() => false, target);
    this.clock.moveTo(target);
    await this.#settle();
  }

  /** Lets time pass until the condition holds; throws when it does not within `withinMs` of virtual time. */
  async until(condition: () => boolean, withinMs = 120_000): Promise<void> {
    await this.#start();
    await this.#pump(condition, this.clock.now() + withinMs);
    if (!condition()) throw new Error(`The condition did not come true within ${withinMs} ms of virtual time`);
  }

  /** Starts some work and lets time pass until it is done. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    await this.#start();
    let done = false;
    const promise = work();
    const finish = (): void => {
      done = true;
    };
    promise.then(finish, finish);
    await this.until(() => done);
    return promise;
  }

  /** The host dies with everything it had in memory. */
  async crash(host = 0): Promise<void> {
    await this.#start();
    this.cluster.crash(host);
    await this.advance(0);
  }

  /** A dead host comes back and takes its shards again. */
  async restart(host = 0): Promise<void> {
    await this.run(() => this.cluster.boot(host));
  }

  /** Planned handoff of all shards of a host to another. */
  async moveAll(from: number, to: number): Promise<void> {
    await this.run(() => this.cluster.move(from, to, this.cluster.shardsOf(from)));
  }

  /** Another host takes the shards of a dead one, or of one that only believes to be alive. */
  async takeOver(from: number, to: number): Promise<void> {
    await this.run(() => this.cluster.gain(to, this.cluster.shardsOf(from)));
  }

  stats(host = 0): HostStats {
    return this.cluster.host(host).stats();
  }

  /** Domain events committed so far, in order; of one actor when given. */
  published(
    of?: ActorAddress,
  ): readonly { type: string; body: Json; at: number; actor: ActorAddress; offset: number }[] {
    return this.store.committed
      .filter((write) => of === undefined || (write.kind === of.kind && write.key === of.key))
      .flatMap((write) =>
        write.events.map((event: PublishedEvent) => ({
          actor: { kind: write.kind, key: write.key },
          offset: event.offset,
          type: event.type,
          at: event.at,
          body: decode<Json>(event.body),
        })),
      );
  }

  get deadLetters(): readonly DeadLetter[] {
    return this.store.deadLetters;
  }

  /** The committed state of an actor as the store has it; null when there is none. */
  async stored<S = Json>(kind: string, key: string): Promise<{ state: S; seq: number; version: number } | null> {
    const address = { kind, key, shard: shardOf({ kind, key }) };
    const [loaded] = await this.store.inner.load([address], 0);
    const snapshot = loaded?.snapshot ?? null;
    if (snapshot === null) return null;
    const cold = snapshot.cold === null ? null : decode<Record<string, Json>>(snapshot.cold);
    const hot = decode<Json>(snapshot.state);
    const state = cold === null ? hot : { ...cold, ...(hot as JsonObject) };
    return { state: state as S, seq: snapshot.seq, version: snapshot.version };
  }

  /** Stops hosts and client. */
  async close(): Promise<void> {
    await this.run(() => this.cluster.stop());
    this.client.close();
  }

  async #start(): Promise<void> {
    if (this.#started) return;
    await this.#pump(() => this.#started, Number.POSITIVE_INFINITY);
    await this.#ready;
  }

  /** One pump at a time: asks made together share time. */
  async #pump(condition: () => boolean, limit: number): Promise<void> {
    const before = this.#pumping;
    let finish: () => void = () => {};
    this.#pumping = new Promise((resolve) => {
      finish = resolve;
    });
    await before;
    try {
      let steps = 0;
      for (;;) {
        await this.#settle();
        const before = this.clock.now();
        if (condition() || !this.clock.step(limit)) return;
        steps = this.clock.now() === before ? steps + 1 : 0;
        if (steps > MOST_STEPS_AT_ONCE) throw new Error("Something goes round without end while no time passes");
      }
    } finally {
      finish();
    }
  }

  /** Lets promises run until nothing more happens without time passing. */
  async #settle(): Promise<void> {
    for (;;) {
      const before = this.#activity();
      for (let i = 0; i < MICROTASKS; i++) await null;
      if (this.#activity() !== before) continue;
      if (!this.#waitForStore || this.store.open.size === 0) return;
      await Promise.race([...this.store.open].map((one) => one.catch(() => {})));
    }
  }

  #activity(): number {
    return this.clock.scheduled + this.store.calls + this.store.finished;
  }

  #route(batch: MemoryBatch): readonly MemoryDelivery[] {
    const straight: LinkMessage[] = [];
    const deliveries: MemoryDelivery[] = [{ messages: straight }];
    for (const message of batch.messages) {
      const fault = this.linkFault(batch.from, batch.to, message);
      if (fault === null) straight.push(message);
      else if (fault === "duplicate") {
        straight.push(message);
        deliveries.push({ messages: [message], delayMs: 5, outOfOrder: true });
      } else if (fault !== "drop") {
        deliveries.push({ messages: [message], delayMs: fault.delayMs, outOfOrder: true });
      }
    }
    return deliveries;
  }
}
