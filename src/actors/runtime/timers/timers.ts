/**
 * Wakes actors, also sleeping ones, when their durable timers are due. The rows in the store are the truth; this file
 * holds in memory those of owned shards that come due within a horizon and reads the rest as time passes.
 *
 * It only wakes: whether a timer is still set, and for when, the actor's own state says when the wake-up arrives. So a
 * stale entry here is harmless. A timer may fire late, never early.
 */
import type { Cancel, Clock } from "../../../lib/clock.js";
import { backoffMs, type HostLog, type HostSettings } from "../host/settings.js";
import type { ActorAddress, ActorStore, TimerRow } from "../ports.js";
import { addressText } from "../shard.js";
import { TimeHeap } from "../structures/heap.js";

interface Entry {
  readonly id: string;
  readonly actor: ActorAddress;
  readonly shard: number;
  readonly row: TimerRow;
  attempts: number;
}

export interface TimersEvents {
  /** The time of this turn, milliseconds since the epoch: what the actors that are woken in it are told. */
  now(): number;
  turn(work: () => void): void;
  /** `attempts` counts the wake-ups that could not be handled. */
  fire(actor: ActorAddress, row: TimerRow, attempts: number): void;
}

/** Machine timers overflow at 2^31 ms; waking up early and looking again costs nothing. */
const LONGEST_SLEEP_MS = 3_600_000;

/**
 * A planned move pauses a shard for some tens of milliseconds, and nobody had to wait for it: what came due in it fires at
 * once. A row that names this node for longer than this has been overlooked, as by a process that stood still.
 */
const MOVE_MS = 1_000;

export class Timers {
  readonly #store: ActorStore;
  readonly #clock: Clock;
  readonly #settings: HostSettings;
  readonly #log: HostLog;
  readonly #events: TimersEvents;
  readonly #entries = new Map<string, Entry>();
  readonly #heap = new TimeHeap<Entry>();
  /** Owned shards, and since when timers were due that those whom they wait for could not forestall. */
  readonly #shards = new Map<number, { readonly gainedAt: number; readonly graceBefore: number }>();
  /** Timers up to this time are in memory, but for those of a refill that is under way. */
  #coveredUntil = 0;
  /** Timers that changed while a refill reads: what it read of them is out of date. */
  #changed: Set<string> | null = null;
  #refillAgain = false;
  #failures = 0;
  #wakeAt = Number.POSITIVE_INFINITY;
  #cancelWake: Cancel | null = null;
  #cancelRefill: Cancel | null = null;
  #stopped = false;

  constructor(store: ActorStore, clock: Clock, settings: HostSettings, log: HostLog, events: TimersEvents) {
    this.#store = store;
    this.#clock = clock;
    this.#settings = settings;
    this.#log = log;
    this.#events = events;
  }

  get armed(): number {
    return this.#entries.size;
  }

  /** `given`: by a node that fired them until a moment ago. */
  gain(shards: readonly number[], given: boolean): void {
    const gainedAt = this.#clock.now();
    const graceBefore = given ? gainedAt - MOVE_MS : gainedAt;
    for (const shard of shards) this.#shards.set(shard, { gainedAt, graceBefore });
    void this.#refill();
  }

  release(shards: ReadonlySet<number>): void {
    for (const shard of shards) this.#shards.delete(shard);
    for (const entry of [...this.#entries.values()]) if (shards.has(entry.shard)) this.#entries.delete(entry.id);
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelWake?.();
    this.#cancelRefill?.();
    this.#entries.clear();
    this.#heap.clear();
    this.#shards.clear();
  }

  /** A timer was set or, with null, cancelled by a commit. `inMemoryOnly`: the store does not know it. */
  changed(actor: ActorAddress, shard: number, name: string, row: TimerRow | null, inMemoryOnly: boolean): void {
    const id = `${actor.kind}/${actor.key}#${name}`;
    this.#changed?.add(id);
    if (row === null || (!inMemoryOnly && row.at > this.#horizon())) {
      this.#entries.delete(id);
      return;
    }
    this.#add({ id, actor, shard, row, attempts: 0 }, row.at);
  }

  /** The wake-up could not be handled now: again after a pause. */
  again(actor: ActorAddress, shard: number, row: TimerRow, attempts: number): void {
    const id = `${actor.kind}/${actor.key}#${row.name}`;
    if (this.#entries.has(id) || !this.#shards.has(shard)) return;
    const pause = backoffMs(Math.max(1, attempts), this.#settings.effectRetryMs, this.#settings.effectRetryMaxMs);
    this.#add({ id, actor, shard, row, attempts }, this.#clock.now() + pause);
  }

  #horizon(): number {
    return this.#changed === null ? this.#coveredUntil : this.#clock.now() + this.#settings.timerHorizonMs;
  }

  #add(entry: Entry, at: number): void {
    this.#entries.set(entry.id, entry);
    this.#heap.push(at, entry);
    this.#arm();
  }

  #arm(): void {
    const at = this.#heap.nextAt;
    if (this.#stopped || at >= this.#wakeAt) return;
    this.#cancelWake?.();
    this.#wakeAt = at;
    const delay = Math.min(LONGEST_SLEEP_MS, Math.max(0, at - this.#clock.now()));
    this.#cancelWake = this.#clock.after(delay, () => {
      this.#wakeAt = Number.POSITIVE_INFINITY;
      this.#cancelWake = null;
      this.#events.turn(() => this.#fireDue());
    });
  }

  #fireDue(): void {
    // Not the clock's: a millisecond that begins within the turn would wake actors for whom it has not begun.
    const now = this.#events.now();
    let fired = 0;
    for (;;) {
      const entry = this.#heap.popDue(now);
      if (entry === undefined) break;
      if (this.#entries.get(entry.id) !== entry) continue;
      this.#entries.delete(entry.id);
      fired++;
      this.#events.fire(entry.actor, entry.row, entry.attempts);
    }
    this.#arm();
    // The last refill was cut short by its limit: the next rows are read once these have fired.
    if (fired > 0 && this.#entries.size === 0 && this.#refillAgain) this.#refillIn(this.#settings.effectRetryMs);
  }

  #refillIn(delayMs: number): void {
    this.#cancelRefill?.();
    this.#cancelRefill = this.#clock.after(delayMs, () => {
      this.#cancelRefill = null;
      void this.#refill();
    });
  }

  async #refill(): Promise<void> {
    if (this.#stopped) return;
    if (this.#changed !== null) {
      this.#refillAgain = true;
      return;
    }
    this.#refillAgain = false;
    const changed = new Set<string>();
    this.#changed = changed;
    const until = this.#clock.now() + this.#settings.timerHorizonMs;
    const limit = this.#settings.timerRows;
    let nextRefillMs = this.#settings.timerHorizonMs / 2;
    try {
      const shards = [...this.#shards.keys()];
      const rows = shards.length === 0 ? [] : await this.#store.timersDue(shards, until, limit);
      this.#failures = 0;
      if (this.#stopped) return;
      const again = this.#refillAgain;
      this.#events.turn(() => {
        this.#changed = null;
        for (const row of rows) {
          const gained = this.#shards.get(row.shard);
          const actor = { kind: row.kind, key: row.key };
          const id = `${addressText(actor)}#${row.name}`;
          if (gained === undefined || changed.has(id) || this.#entries.has(id)) continue;
          const { name, at, run, input } = row;
          const fireAt = at < gained.graceBefore ? gained.gainedAt + this.#settings.timerGraceMs : at;
          this.#add({ id, actor, shard: row.shard, row: { name, at, run, input }, attempts: 0 }, fireAt);
        }
        const last = rows.at(-1);
        const cut = rows.length >= limit && last !== undefined;
        this.#coveredUntil = cut ? last.at : until;
        this.#refillAgain = cut;
        if (cut) nextRefillMs = Math.min(nextRefillMs, Math.max(1_000, last.at - this.#clock.now()));
      });
      if (again) nextRefillMs = 0;
    } catch (error) {
      this.#changed = null;
      this.#failures++;
      nextRefillMs = backoffMs(this.#failures, this.#settings.storeRetryMs, this.#settings.storeRetryMaxMs);
      this.#log.warn({ error: String(error) }, "Timers could not be read");
    }
    if (!this.#stopped) this.#refillIn(nextRefillMs);
  }
}
