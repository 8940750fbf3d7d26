/**
 * Sends committed tells until their receivers have committed them. Per (sender, receiver) one tell is on its way at a
 * time, so the receiver sees them in order whatever the links lose or repeat.
 *
 * It does not own the outbox rows: those are removed by the committer after `told`. It may send a tell twice; the
 * receiver knows its number.
 */
import type { Cancel, Clock } from "../../../lib/clock.js";
import type { Random } from "../../../lib/random.js";
import { backoffMs, type HostLog, type HostSettings } from "../host/settings.js";
import type { EndpointId, LinkMessage, Ownership, ShardMap } from "../link.js";
import type { ActorAddress, DeadLetter, OutboxTell } from "../ports.js";
import { addressText, shardOf } from "../shard.js";
import { Deque } from "../structures/deque.js";
import { TimeHeap } from "../structures/heap.js";

/** The tells of one sender to one receiver. */
interface Pair {
  readonly text: string;
  readonly from: ActorAddress;
  readonly fromText: string;
  readonly fromShard: number;
  readonly to: ActorAddress;
  readonly toShard: number;
  readonly queue: Deque<OutboxTell>;
  /** The highest number queued: a scan that meets it again skips it. */
  last: number;
  attempts: number;
  dueAt: number;
}

export interface SenderEvents {
  post(to: EndpointId, message: LinkMessage): void;
  turn(work: () => void): void;
  /** The tell is done with, its row may go. */
  settled(from: ActorAddress, fromShard: number, number: number): void;
  deadLetter(letter: DeadLetter): Promise<void>;
}

export class TellSender {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #settings: HostSettings;
  readonly #log: HostLog;
  readonly #ownership: Ownership;
  readonly #shardMap: ShardMap;
  readonly #events: SenderEvents;
  readonly #pairs = new Map<string, Pair>();
  /** `sender#number` of the tell on its way → its pair. */
  readonly #underWay = new Map<string, Pair>();
  readonly #unsent = new Map<string, number>();
  readonly #retries = new TimeHeap<Pair>();
  #wakeAt = Number.POSITIVE_INFINITY;
  #cancelWake: Cancel | null = null;
  #waiting = 0;

  constructor(
    clock: Clock,
    random: Random,
    settings: HostSettings,
    log: HostLog,
    ownership: Ownership,
    shardMap: ShardMap,
    events: SenderEvents,
  ) {
    this.#clock = clock;
    this.#random = random;
    this.#settings = settings;
    this.#log = log;
    this.#ownership = ownership;
    this.#shardMap = shardMap;
    this.#events = events;
  }

  get waiting(): number {
    return this.#waiting;
  }

  hasUnsent(fromText: string): boolean {
    return this.#unsent.has(fromText);
  }

  add(from: ActorAddress, fromShard: number, tell: OutboxTell): void {
    const fromText = addressText(from);
    const text = `${fromText}>${tell.to.kind}/${tell.to.key}`;
    let pair = this.#pairs.get(text);
    if (pair === undefined) {
      pair = {
        text,
        from,
        fromText,
        fromShard,
        to: tell.to,
        toShard: shardOf(tell.to),
        queue: new Deque(),
        last: 0,
        attempts: 0,
        dueAt: 0,
      };
      this.#pairs.set(text, pair);
    }
    if (tell.number <= pair.last) return;
    pair.last = tell.number;
    pair.queue.push(tell);
    this.#waiting++;
    this.#unsent.set(fromText, (this.#unsent.get(fromText) ?? 0) + 1);
    if (pair.queue.length === 1) this.#send(pair);
  }

  /** The receiver has committed the tell. */
  told(from: ActorAddress, number: number): void {
    const pair = this.#underWay.get(`${from.kind}/${from.key}#${number}`);
    if (pair !== undefined) this.#done(pair);
  }

  /** Shards have moved: what is under way to them goes to the new owner at once. */
  ownersChanged(shards: ReadonlySet<number>): void {
    for (const pair of this.#pairs.values()) if (shards.has(pair.toShard) && pair.queue.length > 0) this.#send(pair);
  }

  /** An endpoint has come (back): what is under way to its shards is sent at once. */
  peerUp(peer: EndpointId): void {
    for (const pair of this.#pairs.values()) {
      if (pair.queue.length > 0 && this.#shardMap.ownerOf(pair.toShard) === peer) this.#send(pair);
    }
  }

  /** The tells of these senders are another's to send now. */
  release(shards: ReadonlySet<number>): void {
    for (const pair of [...this.#pairs.values()]) if (shards.has(pair.fromShard)) this.#forget(pair);
  }

  stop(): void {
    this.#cancelWake?.();
    this.#cancelWake = null;
    for (const pair of [...this.#pairs.values()]) this.#forget(pair);
    this.#retries.clear();
  }

  #send(pair: Pair): void {
    const tell = pair.queue.peek();
    if (tell === undefined) return;
    this.#underWay.set(`${pair.fromText}#${tell.number}`, pair);
    const owner = this.#shardMap.ownerOf(pair.toShard);
    if (owner !== null && this.#ownership.mayEmit() && this.#ownership.epochOf(pair.fromShard) !== null) {
      pair.attempts++;
      this.#events.post(owner, {
        t: "tell",
        from: pair.from,
        number: tell.number,
        to: pair.to,
        name: tell.name,
        input: tell.input,
      });
    }
    const pause = backoffMs(Math.max(1, pair.attempts), this.#settings.tellRetryMs, this.#settings.tellRetryMaxMs);
    pair.dueAt = this.#clock.monotonic() + pause * (pair.attempts <= 1 ? 1 : 0.75 + this.#random.next() / 2);
    this.#retries.push(pair.dueAt, pair);
    this.#arm();
  }

  #arm(): void {
    const at = this.#retries.nextAt;
    if (at >= this.#wakeAt) return;
    this.#cancelWake?.();
    this.#wakeAt = at;
    this.#cancelWake = this.#clock.after(Math.max(1, at - this.#clock.monotonic()), () => {
      this.#wakeAt = Number.POSITIVE_INFINITY;
      this.#cancelWake = null;
      this.#events.turn(() => this.#resend());
    });
  }

  #resend(): void {
    const now = this.#clock.monotonic();
    for (;;) {
      const dueAt = this.#retries.nextAt;
      const pair = this.#retries.popDue(now);
      if (pair === undefined) break;
      // An entry of a tell that was done or sent again since is simply out of date.
      if (pair.dueAt !== dueAt || pair.queue.length === 0) continue;
      if (pair.attempts >= this.#settings.tellAttempts) this.#giveUp(pair);
      else this.#send(pair);
    }
    this.#arm();
  }

  #giveUp(pair: Pair): void {
    const tell = pair.queue.peek();
    if (tell === undefined) return;
    const letter: DeadLetter = {
      id: `tell:${pair.fromText}:${tell.number}`,
      kind: pair.to.kind,
      key: pair.to.key,
      name: tell.name,
      input: tell.input,
      reason: `not accepted after ${pair.attempts} sends`,
      at: this.#clock.now(),
      attempts: pair.attempts,
    };
    this.#log.error(
      {
        tell: letter.id,
        to: addressText(pair.to),
      },
      "A tell is put aside: its receiver does not accept it",
    );
    pair.dueAt = -1;
    this.#events.deadLetter(letter).then(
      () => this.#events.turn(() => this.told(pair.from, tell.number)),
      () => this.#events.turn(() => this.#send(pair)),
    );
  }

  #done(pair: Pair): void {
    const tell = pair.queue.shift();
    if (tell === undefined) return;
    this.#underWay.delete(`${pair.fromText}#${tell.number}`);
    this.#waiting--;
    this.#lessUnsent(pair.fromText, 1);
    this.#events.settled(pair.from, pair.fromShard, tell.number);
    pair.attempts = 0;
    pair.dueAt = -1;
    if (pair.queue.length > 0) this.#send(pair);
    else this.#pairs.delete(pair.text);
  }

  #forget(pair: Pair): void {
    const tell = pair.queue.peek();
    if (tell !== undefined) this.#underWay.delete(`${pair.fromText}#${tell.number}`);
    this.#waiting -= pair.queue.length;
    this.#lessUnsent(pair.fromText, pair.queue.length);
    pair.queue.drain();
    pair.dueAt = -1;
    this.#pairs.delete(pair.text);
  }

  #lessUnsent(fromText: string, by: number): void {
    const left = (this.#unsent.get(fromText) ?? 0) - by;
    if (left > 0) this.#unsent.set(fromText, left);
    else this.#unsent.delete(fromText);
  }
}
