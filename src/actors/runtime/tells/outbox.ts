/**
 * The way of committed outbox rows into memory: live ones as they are committed, those of gained shards by a scan of the
 * store. It hands them to the sender of tells or to the effects, in order per sender.
 *
 * Invariants:
 * - A row is handed over after every earlier row of the same sender. While a shard is scanned its live rows therefore
 *   wait; when too many wait they are dropped and the scan runs once more, since the store has them all.
 * - Rows in memory are bounded: a scan pauses, and live rows are left to a later scan, while the bound is reached.
 */
import { type Clock, sleep } from "../../../lib/clock.js";
import { backoffMs, type HostLog, type HostSettings } from "../host/settings.js";
import type { ActorAddress, ActorStore, OutboxTell } from "../ports.js";

export interface OutboxEvents {
  turn(work: () => void): void;
  /** A tell or an effect that is to be done now. Repeats are harmless. */
  handOver(from: ActorAddress, fromShard: number, tell: OutboxTell): void;
  inMemory(): number;
}

/** A shard whose rows in the store are being read. */
interface Scan {
  live: { from: ActorAddress; tell: OutboxTell }[];
  again: boolean;
}

const LIVE_DURING_SCAN = 1_000;
const FULL_PAUSE_MS = 50;

export class Outbox {
  readonly #store: ActorStore;
  readonly #clock: Clock;
  readonly #settings: HostSettings;
  readonly #log: HostLog;
  readonly #events: OutboxEvents;
  readonly #scans = new Map<number, Scan>();
  #stopped = false;

  constructor(store: ActorStore, clock: Clock, settings: HostSettings, log: HostLog, events: OutboxEvents) {
    this.#store = store;
    this.#clock = clock;
    this.#settings = settings;
    this.#log = log;
    this.#events = events;
  }

  /** A row was committed. */
  committed(from: ActorAddress, fromShard: number, tell: OutboxTell): void {
    const scan = this.#scans.get(fromShard);
    if (scan === undefined) {
      if (this.#events.inMemory() < this.#settings.outboxInMemory) {
        this.#events.handOver(from, fromShard, tell);
        return;
      }
      void this.scan([fromShard]);
      return;
    }
    if (scan.again) return;
    if (scan.live.length < LIVE_DURING_SCAN) {
      scan.live.push({ from, tell });
      return;
    }
    scan.live = [];
    scan.again = true;
  }

  /** Reads what these shards have not sent yet. Resolves when all of it is in memory or the shards are released. */
  async scan(shards: readonly number[]): Promise<void> {
    let open = shards.filter((shard) => !this.#scans.has(shard));
    const mine = new Map<number, Scan>();
    for (const shard of open) {
      const scan = { live: [], again: false };
      mine.set(shard, scan);
      this.#scans.set(shard, scan);
    }
    while (open.length > 0 && !this.#stopped) {
      for (const shard of open) mine.get(shard)!.again = false;
      await this.#readAll(() => open.filter((shard) => this.#scans.get(shard) === mine.get(shard)));
      this.#events.turn(() => {
        open = open.filter(
          (shard) => this.#scans.get(shard) === mine.get(shard) && this.#close(shard, mine.get(shard)!),
        );
      });
    }
  }

  /** There may be rows of the shard that are not in memory yet. */
  isReading(shard: number): boolean {
    return this.#scans.has(shard);
  }

  release(shards: ReadonlySet<number>): void {
    for (const shard of shards) this.#scans.delete(shard);
  }

  stop(): void {
    this.#stopped = true;
    this.#scans.clear();
  }

  /** Ends the scan of a shard; true when it has to be read again. */
  #close(shard: number, scan: Scan): boolean {
    if (scan.again) return true;
    this.#scans.delete(shard);
    for (const { from, tell } of scan.live) this.#events.handOver(from, shard, tell);
    return false;
  }

  async #readAll(stillOurs: () => readonly number[]): Promise<void> {
    let after: { from: ActorAddress; number: number } | undefined;
    let failures = 0;
    for (;;) {
      const shards = stillOurs();
      if (shards.length === 0 || this.#stopped) return;
      if (this.#events.inMemory() >= this.#settings.outboxInMemory) {
        await sleep(this.#clock, FULL_PAUSE_MS);
        continue;
      }
      try {
        const page = await this.#store.pendingTells(shards, this.#settings.outboxPage, after);
        failures = 0;
        const ours = new Set(stillOurs());
        this.#events.turn(() => {
          for (const row of page) if (ours.has(row.fromShard)) this.#events.handOver(row.from, row.fromShard, row);
        });
        const last = page.at(-1);
        if (last === undefined || page.length < this.#settings.outboxPage) return;
        after = { from: last.from, number: last.number };
      } catch (error) {
        failures++;
        this.#log.warn({ error: String(error), failures }, "Unsent messages could not be read");
        await sleep(this.#clock, backoffMs(failures, this.#settings.storeRetryMs, this.#settings.storeRetryMaxMs));
      }
    }
  }
}
