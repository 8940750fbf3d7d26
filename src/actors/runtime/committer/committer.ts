/**
 * Group commit. Collects actors with uncommitted runs and writes them in few flushes. It owns the queue of dirty
 * actors, the acknowledgements that travel along (`delivered`), and what happens when the store fails; it does not own
 * what a committed run says (`gate/`) nor how an actor is restored (`host/`).
 *
 * Invariants:
 * - An actor is in at most one flush at a time, and its runs are committed in order.
 * - After an unknown outcome nothing is said and nothing is written again for those actors before the store has told
 *   what became of them.
 * - The queue holds each actor once, so it is bounded by the actors in memory.
 */
import type { Cancel, Clock } from "../../../lib/clock.js";
import { type Random, uuidV7 } from "../../../lib/random.js";
import type { Activation } from "../activation/activation.js";
import { backoffMs, type HostLog, type HostSettings } from "../host/settings.js";
import { type ActorAddress, type ActorStore, type FlushBatch, OutcomeUnknown, type WriteFailure } from "../ports.js";
import { Deque } from "../structures/deque.js";
import { type PreparedWrite, prepareWrite } from "./write.js";

export interface CommitterEvents {
  /** Runs `work` as one turn of the host. */
  turn(work: () => void): void;
  /** The first `prepared.runs` runs of the actor are committed. */
  committed(prepared: PreparedWrite): void;
  /** Nothing of the actor was written and the same write would fail again. */
  failed(prepared: PreparedWrite, failure: WriteFailure): void;
  /** The state could not be encoded. */
  unwritable(actor: Activation, error: unknown): void;
  /** The store knows another owner for the shard. */
  stale(shard: number, epoch: number): void;
  /** Null when the shard is not ours any more. */
  epochOf(shard: number): number | null;
}

interface Delivered {
  readonly from: ActorAddress;
  readonly shard: number;
  readonly number: number;
}

/** Acknowledgements alone are worth a flush after this long; until then they wait for company. */
const DELIVERED_DELAY_MS = 50;
const DELIVERED_PER_FLUSH = 512;
/** From so many actors on, a flush is cheap enough per actor not to wait for more. */
const WORTH_A_FLUSH = 4;
/** Where waiting has brought nobody, every so many flushes try it again. */
const PROBE_EVERY = 32;

export class Committer {
  readonly #store: ActorStore;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #settings: HostSettings;
  readonly #log: HostLog;
  readonly #events: CommitterEvents;
  readonly #dirty = new Deque<Activation>();
  readonly #delivered = new Deque<Delivered>();
  #lanesBusy = 0;
  #timer: Cancel | null = null;
  #timerAt = Number.POSITIVE_INFINITY;
  /** Exponentially weighted means: actors per flush, and actors that become dirty per millisecond. */
  #usualBatch = 1;
  #perMs = 0;
  #lastFlushAt = 0;
  /** Mean actors of the flushes that had waited: near 1 means that waiting brings nobody, as when one client asks in turn. */
  #companyByWaiting = 2;
  #flushesUnwaited = 0;
  /** The flush to come has been put off for company. */
  #waited = false;
  /** Since when the oldest of the queue waits. */
  #waitingSince = 0;
  #failures = 0;
  #notBefore = 0;
  flushes = 0;
  actorCommits = 0;
  flushFailures = 0;

  constructor(
    store: ActorStore,
    clock: Clock,
    random: Random,
    settings: HostSettings,
    log: HostLog,
    events: CommitterEvents,
  ) {
    this.#store = store;
    this.#clock = clock;
    this.#random = random;
    this.#settings = settings;
    this.#log = log;
    this.#events = events;
  }

  /** True while the store does not answer. */
  get stalled(): boolean {
    return this.#failures > 0;
  }

  /** The actor has uncommitted runs. */
  add(actor: Activation): void {
    if (actor.queued || actor.inFlight > 0) return;
    actor.queued = true;
    if (this.#dirty.length === 0) this.#waitingSince = this.#clock.monotonic();
    this.#dirty.push(actor);
  }

  /** The actor has uncommitted runs that nobody waits for: they go with its next write, or by themselves after a while. */
  addLater(actor: Activation, withinMs: number): void {
    if (actor.queued || actor.inFlight > 0 || actor.putOff) return;
    actor.putOff = true;
    this.#clock.after(withinMs, () => {
      actor.putOff = false;
      this.#events.turn(() => {
        if (actor.phase === "active" && actor.pending.length > 0) this.add(actor);
      });
    });
  }

  /** A tell or effect of `from` was handled for good: its outbox row may go. */
  delivered(from: ActorAddress, shard: number, number: number): void {
    this.#delivered.push({ from, shard, number });
  }

  /** Starts what is worth starting; called at the end of every turn. */
  poke(): void {
    for (;;) {
      const waiting = this.#dirty.length;
      if (waiting === 0 && this.#delivered.length === 0) return;
      // A whole flush is handed over one early: the store goes on with it while the answers of the last one leave.
      const early = waiting >= this.#settings.flushActors ? 1 : 0;
      if (this.#lanesBusy >= this.#settings.lanes + early) return;
      const now = this.#clock.monotonic();
      if (now < this.#notBefore) {
        this.#wake(this.#notBefore);
        return;
      }
      if (waiting >= this.#settings.flushActors || this.#delivered.length >= DELIVERED_PER_FLUSH) {
        this.#flush();
        continue;
      }
      if (waiting > 0 && this.#lanesBusy === 0 && this.#isWorthwhile(waiting, now)) {
        this.#flush();
        continue;
      }
      this.#wake(waiting > 0 ? this.#waitingSince + this.#settings.flushDelayMs : now + DELIVERED_DELAY_MS);
      return;
    }
  }

  /**
   * Whether to flush now rather than wait for company. A flush costs the store much the same for one actor as for ten, so
   * it waits up to `flushDelayMs` when others are likely to come; when they are not, waiting is wasted time.
   */
  #isWorthwhile(waiting: number, now: number): boolean {
    if (this.#perMs * this.#settings.flushDelayMs < 1) return true;
    if (waiting >= Math.max(WORTH_A_FLUSH, this.#usualBatch / 2)) return true;
    if (now >= this.#waitingSince + this.#settings.flushDelayMs) return true;
    if (!this.#waited && this.#companyByWaiting < 1.25 && ++this.#flushesUnwaited % PROBE_EVERY !== 0) return true;
    this.#waited = true;
    return false;
  }

  #wake(at: number): void {
    if (this.#timer !== null && this.#timerAt <= at) return;
    this.#timer?.();
    this.#timerAt = at;
    this.#timer = this.#clock.after(Math.ceil(Math.max(0, at - this.#clock.monotonic())), () => {
      this.#timer = null;
      this.#timerAt = Number.POSITIVE_INFINITY;
      this.#events.turn(() => {
        const mayStart = this.#lanesBusy < this.#settings.lanes && this.#clock.monotonic() >= this.#notBefore;
        if (mayStart && (this.#dirty.length > 0 || this.#delivered.length > 0)) this.#flush();
      });
    });
  }

  #flush(): void {
    const prepared: PreparedWrite[] = [];
    const shards = new Map<number, number>();
    let at = this.#clock.now();
    while (prepared.length < this.#settings.flushActors) {
      const actor = this.#dirty.shift();
      if (actor === undefined) break;
      actor.queued = false;
      if (actor.phase !== "active" || actor.pending.length === 0) continue;
      try {
        const one = prepareWrite(actor, actor.isolated ? 1 : this.#settings.runsPerWrite);
        actor.inFlight = one.runs;
        at = Math.max(at, actor.pending[one.runs - 1]!.at);
        prepared.push(one);
        shards.set(actor.shard, actor.epoch);
      } catch (error) {
        this.#events.unwritable(actor, error);
      }
    }
    const delivered: Delivered[] = [];
    while (delivered.length < DELIVERED_PER_FLUSH) {
      const one = this.#delivered.shift();
      if (one === undefined) break;
      const epoch = shards.get(one.shard) ?? this.#events.epochOf(one.shard);
      // A shard that is not ours any more: its new owner sends again and hears again that it was done.
      if (epoch === null) continue;
      shards.set(one.shard, epoch);
      delivered.push(one);
    }
    if (prepared.length === 0 && delivered.length === 0) return;
    if (prepared.length > 0) this.#learn(prepared.length);
    const batch: FlushBatch = {
      flushId: uuidV7(at, this.#random),
      at,
      fences: [...shards].sort((a, b) => a[0] - b[0]).map(([shard, epoch]) => ({ shard, epoch })),
      actors: prepared.map((one) => one.write),
      delivered: delivered.map(({ from, number }) => ({ from, number })),
    };
    this.#lanesBusy++;
    this.flushes++;
    this.#run(batch, prepared, delivered).catch((error: unknown) => {
      this.#log.error({ error: String(error) }, "A flush could not be settled");
    });
  }

  #learn(actors: number): void {
    const now = this.#clock.monotonic();
    this.#usualBatch += (actors - this.#usualBatch) / 8;
    this.#perMs += (actors / Math.max(0.25, now - this.#lastFlushAt) - this.#perMs) / 8;
    this.#lastFlushAt = now;
    if (this.#waited) this.#companyByWaiting += (Math.min(actors, 8) - this.#companyByWaiting) / 4;
    this.#waited = false;
    this.#waitingSince = now;
  }

  async #run(batch: FlushBatch, prepared: PreparedWrite[], delivered: Delivered[]): Promise<void> {
    try {
      const result = await this.#store.flush(batch);
      this.#events.turn(() => {
        this.#finish();
        const stale = new Set(result.staleShards);
        const failures = new Map(result.failures.map((one) => [one.index, one.failure]));
        for (const { shard, epoch } of batch.fences) if (stale.has(shard)) this.#events.stale(shard, epoch);
        for (let i = 0; i < prepared.length; i++) {
          const one = prepared[i]!;
          if (stale.has(one.actor.shard)) this.#free(one);
          else this.#settle(one, failures.get(i) ?? null);
        }
      });
    } catch (error) {
      this.flushFailures++;
      this.#failures++;
      if (this.#failures === 1) this.#log.warn({ error: String(error) }, "The store does not answer a flush");
      const committed = error instanceof OutcomeUnknown ? await this.#settleUnknown(batch) : [];
      this.#events.turn(() => {
        this.#lanesBusy--;
        this.#notBefore = this.#clock.monotonic() + this.#pauseMs();
        // Removing an outbox row twice is harmless, so acknowledgements of unknown outcome simply go again.
        for (const one of delivered) this.#delivered.push(one);
        prepared.forEach((one, i) => {
          if (committed[i] === true) this.#settle(one, null);
          else this.#free(one);
        });
      });
    }
  }

  /** Asks until the store says what was committed, or until none of the shards is ours any more. */
  async #settleUnknown(batch: FlushBatch): Promise<readonly boolean[]> {
    for (let attempt = 1; ; attempt++) {
      if (!batch.fences.some(({ shard, epoch }) => this.#events.epochOf(shard) === epoch)) {
        this.#events.turn(() => {
          for (const { shard, epoch } of batch.fences) this.#events.stale(shard, epoch);
        });
        return [];
      }
      try {
        return await this.#store.outcomeOf(batch);
      } catch (error) {
        this.#failures++;
        this.#log.warn({ attempt, error: String(error) }, "The outcome of a flush is still unknown");
        const pause = backoffMs(attempt, this.#settings.storeRetryMs, this.#settings.storeRetryMaxMs);
        await new Promise<void>((resolve) => this.#clock.after(pause, resolve));
      }
    }
  }

  #settle(one: PreparedWrite, failure: WriteFailure | null): void {
    const { actor } = one;
    // Restored or dropped meanwhile: what it said is not ours to say.
    if (actor.phase !== "active" || actor.inFlight === 0) return;
    actor.inFlight = 0;
    if (failure !== null) {
      this.#events.failed(one, failure);
      return;
    }
    this.actorCommits++;
    actor.restores = 0;
    actor.committedSeq = one.write.seq;
    actor.coldValues = one.coldValues;
    actor.trims = null;
    if (one.index !== undefined) actor.index = one.index;
    for (const trim of one.write.trims) {
      const channel = actor.channel(trim.channel);
      if (channel === undefined || trim.offset <= channel.trimmedTo) continue;
      channel.trimmedTo = trim.offset;
      channel.events = channel.events.filter((event) => event.offset > trim.offset);
    }
    this.#events.committed(one);
    if (actor.pending.length > 0) this.add(actor);
    else actor.isolated = false;
  }

  /** The write did not happen: the same runs go into a later flush. */
  #free(one: PreparedWrite): void {
    if (one.actor.inFlight === 0 || one.actor.phase !== "active") return;
    one.actor.inFlight = 0;
    this.add(one.actor);
  }

  #finish(): void {
    this.#lanesBusy--;
    this.#failures = 0;
    this.#notBefore = 0;
  }

  #pauseMs(): number {
    const pause = backoffMs(this.#failures, this.#settings.storeRetryMs, this.#settings.storeRetryMaxMs);
    return pause * (0.5 + this.#random.next() / 2);
  }
}
