/**
 * The shard host: one thread's share of the actor engine. It owns the actors of its shards in memory and the parts that
 * serve them (loader, executor, gate, committer, timers, tells, effects, channels) and routes link messages to them. It
 * does not own shards (`Ownership` says which), storage, transport or threads: the same class runs in a worker thread,
 * in tests and in the deterministic simulation.
 *
 * Invariants:
 * - All work happens in turns. A turn runs messages and what they cause on this host to the end, then starts what is
 *   worth starting (loads, flushes, effects). Within a turn time stands still.
 * - An actor is handled only under the fencing epoch it was activated with.
 * - Every queue is bounded by `HostSettings`; beyond the bound the sender hears `overloaded`.
 */
import type { Cancel, Clock } from "../../../lib/clock.js";
import { decode } from "../../../lib/msgpack.js";
import { type Activation, type KindRuntime, kindsOf } from "../activation/activation.js";
import { Delivery, effectCommandId, timerCommandId } from "../activation/delivery.js";
import { Executor } from "../activation/executor.js";
import { installFresh, Loader, needsNoLoading } from "../activation/loader.js";
import type { SaidCast } from "../activation/recorded.js";
import { Channels } from "../channels/channels.js";
import type { ActorError } from "../client.js";
import { Committer } from "../committer/committer.js";
import { EFFECT_KIND, RunContext } from "../context.js";
import { Effects } from "../effects/effects.js";
import { Gate } from "../gate/gate.js";
import type { EndpointId, LinkMessage } from "../link.js";
import { MirrorBatch } from "../mirror/mirror-batch.js";
import type { ActorAddress } from "../ports.js";
import { shardOf } from "../shard.js";
import { Supervision } from "../supervision/supervision.js";
import { Outbox } from "../tells/outbox.js";
import { TellSender } from "../tells/sender.js";
import { Timers } from "../timers/timers.js";
import { Credits } from "./credits.js";
import { Keeper } from "./keeper.js";
import type { ShardHost, ShardHostOptions } from "./options.js";
import { Recovery } from "./recovery.js";
import { Refusals } from "./refusals.js";
import { Residents } from "./residents.js";
import { Router } from "./router.js";
import { defaultHostSettings, type HostSettings, type HostStats } from "./settings.js";

export function createShardHost(options: ShardHostOptions): ShardHost {
  return new Host(options);
}

/** Messages between actors of this host that one turn handles before others get a chance. */
const LOCAL_PER_TURN = 10_000;
const RELEASE_POLL_MS = 2;

/** One call of `releaseShards`, to tell it from others. */
type Release = Record<never, never>;

class Host implements ShardHost {
  readonly #options: ShardHostOptions;
  readonly #settings: HostSettings;
  readonly #clock: Clock;
  readonly #residents: Residents;
  readonly #committer: Committer;
  readonly #loader: Loader;
  readonly #executor: Executor;
  readonly #channels: Channels;
  readonly #timers: Timers;
  readonly #mirror: MirrorBatch;
  readonly #sender: TellSender;
  readonly #outbox: Outbox;
  readonly #effects: Effects;
  readonly #supervision: Supervision;
  readonly #credits: Credits;
  readonly #keeper: Keeper;
  readonly #recovery: Recovery;
  readonly #refusals: Refusals;
  readonly #router: Router;
  /** The shards served here and the epochs they were started under. */
  readonly #shards = new Map<number, number>();
  /** Shards that are being given up, each by the call that began it. */
  readonly #releasing = new Map<number, Release>();
  readonly #muted = new Set<Activation>();
  #local: (LinkMessage | SaidCast)[] = [];
  #inTurn = false;
  #now = 0;
  #stopped = false;
  #cancelSweep: Cancel | null = null;
  #cancelLocal: Cancel | null = null;

  constructor(options: ShardHostOptions) {
    const { clock, store, random, log, ownership, shardMap } = options;
    const settings = { ...defaultHostSettings, ...options.settings };
    this.#options = options;
    this.#settings = settings;
    this.#clock = clock;
    this.#now = clock.now();
    this.#residents = new Residents(kindsOf(options.definitions));
    const { kinds } = this.#residents;
    const inMemory = (address: ActorAddress): Activation | undefined => this.#residents.find(address);
    const turn = (work: () => void): void => this.#turn(work);
    const post = (to: EndpointId, message: LinkMessage): boolean => this.#post(to, message);
    const now = (): number => this.#now;
    this.#supervision = new Supervision(store, clock, log, settings.throwsBeforeQuarantine);
    const deadLetter = this.#supervision.deadLetter.bind(this.#supervision);
    const send = (to: EndpointId, message: LinkMessage): void => this.#send(to, message);
    this.#channels = new Channels({ post, send }, settings.maxSubscriptionsPerActor);
    this.#mirror = new MirrorBatch(options.mirror, clock, settings.mirrorBatchMs, settings.mirrorKeys);
    this.#timers = new Timers(store, clock, settings, log, {
      now,
      turn,
      fire: (actor, row, attempts) => {
        const input = decode(row.input);
        const delivery = new Delivery(
          "timer",
          timerCommandId(row.name, row.at),
          row.run,
          input,
          null,
          null,
          "",
          row.at,
        );
        delivery.timer = row;
        delivery.refusals = attempts;
        this.#deliver(actor, delivery);
      },
    });
    const settled = (from: ActorAddress, shard: number, number: number): void => {
      if (kinds.get(from.kind)?.durable !== false) this.#committer.delivered(from, shard, number);
    };
    this.#sender = new TellSender(clock, random, settings, log, ownership, shardMap, {
      turn,
      post,
      settled,
      deadLetter,
    });
    this.#effects = new Effects(options.effects, clock, settings, log, ownership, {
      turn,
      settled,
      deadLetter,
      deliver: (actor, number, command, result) =>
        this.#deliver(actor, new Delivery("effect", effectCommandId(number), command, result, null, null, "", number)),
    });
    this.#outbox = new Outbox(store, clock, settings, log, {
      turn,
      inMemory: () => this.#sender.waiting + this.#effects.waiting,
      handOver: (from, shard, tell) => {
        if (tell.to.kind === EFFECT_KIND) this.#effects.add(from, shard, tell);
        else this.#sender.add(from, shard, tell);
      },
    });
    // Room says nothing about any state: a peer is told of it even while this node may not speak, or it would wait for ever.
    this.#credits = new Credits(settings.askWindow, (peer, count) => send(peer, { t: "credit", count }));
    this.#refusals = new Refusals({
      self: options.self,
      shardMap,
      credits: this.#credits,
      channels: this.#channels,
      timers: this.#timers,
      effects: this.#effects,
      post,
      inMemory,
    });
    const gate = new Gate(clock, ownership, shardMap, this.#channels, this.#timers, this.#mirror, {
      post,
      resident: (address) => {
        const actor = this.#residents.find(address);
        return actor !== undefined && ownership.epochOf(actor.shard) === actor.epoch ? actor : null;
      },
      postHere: (cast) => {
        if (!this.#stopped) this.#local.push(cast);
      },
      outboxed: (from, shard, tell) => {
        const kind = kinds.get(from.kind);
        if (kind?.durable === false) this.#effects.add(from, shard, tell);
        else this.#outbox.committed(from, shard, tell);
      },
      effectDone: (actor, number) => this.#effects.finished(actor, number),
      answered: ({ peer }) => this.#credits.giveBack(peer),
      muted: (actor) => this.#muted.add(actor),
      moved: (actor, delivery) => this.#refusals.refuse(actor.address, actor.shard, delivery, this.#notOwner()),
    });
    this.#executor = new Executor(
      new RunContext(random),
      gate,
      this.#channels,
      this.#supervision,
      settings,
      options.hooks ?? {},
      {
        now,
        turn,
        dirty: (actor) => this.#committer.add(actor),
        dirtyAtLeisure: (actor, withinMs) => this.#committer.addLater(actor, withinMs),
        hasUnsent: (actor) => this.#outbox.isReading(actor.shard) || this.#sender.hasUnsent(actor.text),
        storeStalled: () => this.#committer.stalled,
        refuse: (actor, delivery, error) => this.#refusals.refuse(actor.address, actor.shard, delivery, error),
        recall: (actor, commandId) => store.rememberedCommand(actor.address, commandId),
      },
    );
    this.#committer = new Committer(store, clock, random, settings, log, {
      turn,
      committed: (prepared) => {
        this.#executor.release(prepared.actor, prepared.runs);
        this.#executor.pump(prepared.actor);
      },
      failed: (prepared, failure) => this.#recovery.refused(prepared, failure),
      unwritable: (actor, error) => this.#recovery.unwritable(actor, error),
      // By the time a refusal arrives the shard may have come back under a newer epoch: that one stays.
      stale: (shard, epoch) => {
        if (this.#shards.get(shard) === epoch) this.#dropShards(new Set([shard]));
      },
      epochOf: (shard) => (this.#shards.has(shard) ? ownership.epochOf(shard) : null),
    });
    this.#loader = new Loader(store, settings, log, {
      turn,
      now,
      loaded: (actor) => {
        actor.phase = "active";
        this.#executor.pump(actor);
      },
      refused: (actor, detail) =>
        this.#drop(actor, { code: "unavailable", temporary: true, retryAfterMs: settings.retryAfterMs, detail }),
    });
    this.#recovery = new Recovery(this.#loader, this.#executor, log, (actor) =>
      this.#drop(actor, { code: "unavailable", temporary: true, retryAfterMs: settings.retryAfterMs }),
    );
    this.#router = new Router({
      deliver: (to, delivery) => this.#deliver(to, delivery),
      deliverHere: (actor, delivery) => this.#deliverHere(actor, delivery),
      refuse: (to, delivery, error) => this.#refusals.refuse(to, shardOf(to), delivery, error),
      inMemory,
      admit: (actor, delivery) => this.#executor.admit(actor, delivery),
      told: (from, number) => this.#sender.told(from, number),
      credits: this.#credits,
      now,
      retryAfterMs: settings.retryAfterMs,
    });
    this.#keeper = new Keeper(
      {
        now,
        activations: () => this.#residents.all(),
        hasOutbox: (actor) => this.#sender.hasUnsent(actor.text) || this.#effects.isWaiting(actor.text),
        passivate: (actor) =>
          this.#drop(actor, { code: "overloaded", temporary: true, retryAfterMs: settings.retryAfterMs }),
      },
      Math.min(...options.definitions.map(({ idleMs }) => idleMs)),
    );
    options.link.receive((from, messages) => this.#turn(() => this.#router.receive(from, messages)));
    options.link.peers((peer, change) => this.#turn(() => this.#peer(peer, change)));
    shardMap.onChange((shards) => this.#turn(() => this.#sender.ownersChanged(new Set(shards))));
    this.#cancelSweep = clock.every(settings.sweepMs, () => this.#turn(() => this.#keeper.sweep()));
  }

  async start(shards: readonly number[], given = false): Promise<void> {
    const { ownership } = this.#options;
    const gained = shards.filter(
      (shard) => this.#shards.get(shard) !== ownership.epochOf(shard) || this.#releasing.has(shard),
    );
    this.#turn(() => {
      // A shard that comes back under another epoch: what is in memory of it belongs to the old one.
      this.#dropShards(new Set(gained.filter((shard) => this.#shards.has(shard))));
      for (const shard of gained) {
        this.#releasing.delete(shard);
        const epoch = ownership.epochOf(shard);
        if (epoch !== null) this.#shards.set(shard, epoch);
      }
      this.#sender.ownersChanged(new Set(gained));
    });
    // Those that have gone again meanwhile are no shards of ours: nothing would ever let go of what was read for them.
    const served = gained.filter((shard) => this.#shards.has(shard));
    this.#timers.gain(served, given);
    await this.#outbox.scan(served);
  }

  async releaseShards(shards: readonly number[], withinMs = Number.POSITIVE_INFINITY): Promise<void> {
    const until = this.#clock.monotonic() + withinMs;
    const mine: Release = {};
    const leaving = new Map<number, Release>();
    for (const shard of shards) {
      if (!this.#shards.has(shard)) continue;
      const release = this.#releasing.get(shard) ?? mine;
      this.#releasing.set(shard, release);
      leaving.set(shard, release);
    }
    // Not those that were started again meanwhile: they have come back, under another epoch, and stay.
    const still = (): ReadonlySet<number> =>
      new Set(
        [...leaving].filter(([shard, release]) => this.#releasing.get(shard) === release).map(([shard]) => shard),
      );
    while (!this.#stopped && this.#clock.monotonic() < until && this.#residents.hasWork(still())) {
      await new Promise<void>((resolve) => this.#clock.after(RELEASE_POLL_MS, resolve));
    }
    const gone = still();
    this.#turn(() => this.#dropShards(gone));
    for (const shard of gone) this.#releasing.delete(shard);
  }

  async stop(withinMs = 5_000): Promise<void> {
    if (this.#stopped) return;
    const cancel = this.#clock.after(withinMs, () => this.#silence());
    await this.releaseShards([...this.#shards.keys()]);
    cancel();
    this.#silence();
  }

  stats(): HostStats {
    return {
      actors: this.#residents.count,
      loading: this.#loader.loading,
      queued: this.#executor.queued,
      handlerRuns: this.#executor.handlerRuns,
      handlerThrows: this.#supervision.handlerThrows,
      flushes: this.#committer.flushes,
      actorCommits: this.#committer.actorCommits,
      flushFailures: this.#committer.flushFailures,
      storeStalled: this.#committer.stalled,
      tellsWaiting: this.#sender.waiting,
      effectsWaiting: this.#effects.waiting,
      timersArmed: this.#timers.armed,
      deadLetters: this.#supervision.deadLetters,
      overloaded: this.#executor.overloaded,
      longestMailbox: this.#executor.longestMailbox,
    };
  }

  #silence(): void {
    if (this.#stopped) return;
    this.#mirror.flush();
    this.#stopped = true;
    this.#cancelSweep?.();
    this.#cancelLocal?.();
    this.#timers.stop();
    this.#sender.stop();
    this.#outbox.stop();
    this.#effects.stop();
    this.#local = [];
  }

  #turn(work: () => void): void {
    if (this.#stopped) return;
    if (this.#inTurn) {
      work();
      return;
    }
    this.#inTurn = true;
    this.#now = this.#clock.now();
    try {
      work();
      this.#runLocal();
      if (this.#muted.size > 0 && this.#options.ownership.mayEmit()) this.#unmute();
      this.#effects.poke();
      // An actor that cannot be written is read again: at once, not with the next turn.
      this.#committer.poke();
      this.#loader.poke();
    } finally {
      this.#inTurn = false;
    }
  }

  /** Messages from actors of this host to actors of this host, in order. */
  #runLocal(): void {
    let handled = 0;
    while (this.#local.length > 0) {
      if (handled >= LOCAL_PER_TURN) {
        this.#cancelLocal ??= this.#clock.after(0, () => {
          this.#cancelLocal = null;
          this.#turn(() => {});
        });
        return;
      }
      const messages = this.#local;
      this.#local = [];
      handled += messages.length;
      this.#router.receive(this.#options.self, messages);
    }
  }

  /** False: the lease has passed, and nothing is said. */
  #post(to: EndpointId, message: LinkMessage): boolean {
    // What stays here says nothing to anybody: whoever handles it has to pass the gate again.
    if (to !== this.#options.self && !this.#options.ownership.mayEmit()) return false;
    this.#send(to, message);
    return true;
  }

  #send(to: EndpointId, message: LinkMessage): void {
    if (this.#stopped) return;
    if (to === this.#options.self) this.#local.push(message);
    else this.#options.link.send(to, message);
  }

  #peer(peer: EndpointId, change: "up" | "down"): void {
    if (change === "up") {
      this.#credits.peerUp(peer);
      this.#sender.peerUp(peer);
      return;
    }
    this.#credits.peerDown(peer);
    this.#channels.endpointDown(peer);
  }

  #deliverHere(actor: Activation, delivery: Delivery): void {
    const isHere = actor.phase !== "gone" && this.#options.ownership.epochOf(actor.shard) === actor.epoch;
    if (isHere && this.#releasing.size === 0) this.#executor.admit(actor, delivery);
    else this.#deliver(actor.address, delivery);
  }

  #deliver(to: ActorAddress, delivery: Delivery): void {
    const kind = this.#residents.kinds.get(to.kind);
    if (kind === undefined) {
      this.#refusals.refuse(to, shardOf(to), delivery, {
        code: "unavailable",
        temporary: true,
        detail: { reason: "unknown_kind" },
      });
      return;
    }
    let actor = kind.activations.get(to.key);
    if (actor !== undefined) {
      const epoch = this.#options.ownership.epochOf(actor.shard);
      if (epoch !== actor.epoch) {
        this.#drop(actor, this.#notOwner());
        actor = undefined;
      } else if (this.#releasing.size > 0 && this.#releasing.has(actor.shard)) {
        this.#refusals.refuse(to, actor.shard, delivery, this.#notOwner());
        return;
      }
    }
    actor ??= this.#activate(kind, to, delivery);
    if (actor !== undefined) this.#executor.admit(actor, delivery);
  }

  /** Makes the actor, in memory or on its way there; when that cannot be, the message is refused. */
  #activate(kind: KindRuntime, to: ActorAddress, delivery: Delivery): Activation | undefined {
    const shard = shardOf(to);
    const epoch = this.#shards.get(shard);
    // A shard that has gone and come back is served once it was started again: until then its timers are the old ones.
    if (epoch === undefined || epoch !== this.#options.ownership.epochOf(shard) || this.#releasing.has(shard)) {
      this.#refusals.refuse(to, shard, delivery, this.#notOwner());
      return undefined;
    }
    if (this.#residents.count >= this.#settings.maxActors) {
      const room = this.#keeper.makeRoom(Math.max(1, this.#settings.maxActors >> 4));
      if (room === 0) {
        this.#executor.overloaded++;
        const retryAfterMs = this.#settings.retryAfterMs;
        this.#refusals.refuse(to, shard, delivery, { code: "overloaded", temporary: true, retryAfterMs });
        return undefined;
      }
    }
    const actor = this.#residents.add(kind, to, shard, epoch);
    if (needsNoLoading(actor)) {
      installFresh(actor);
      actor.phase = "active";
    } else {
      this.#loader.add(actor, []);
    }
    return actor;
  }

  #notOwner(): ActorError {
    return { code: "not_owner", temporary: true };
  }

  /** The actor leaves memory; what waits for it is refused with the error, and so are its listeners. */
  #drop(actor: Activation, error: ActorError): void {
    actor.phase = "gone";
    this.#residents.remove(actor);
    this.#muted.delete(actor);
    this.#executor.queued -= actor.waiting;
    const waiting = [...actor.pending.map((unit) => unit.delivery), ...actor.mailbox.drain()];
    actor.pending = [];
    for (const delivery of waiting) this.#refusals.refuse(actor.address, actor.shard, delivery, error);
    this.#channels.end(actor, error);
  }

  #dropShards(shards: ReadonlySet<number>): void {
    for (const shard of shards) this.#shards.delete(shard);
    this.#timers.release(shards);
    this.#sender.release(shards);
    this.#outbox.release(shards);
    this.#effects.release(shards);
    for (const shard of shards) {
      for (const actor of this.#residents.leave(shard)) this.#drop(actor, this.#notOwner());
    }
  }

  /** Outputs were held back while the lease had passed: listeners missed some and start again. */
  #unmute(): void {
    for (const actor of this.#muted) {
      actor.muted = false;
      this.#channels.end(actor, { code: "unavailable", temporary: true, retryAfterMs: 0 });
    }
    this.#muted.clear();
  }
}
