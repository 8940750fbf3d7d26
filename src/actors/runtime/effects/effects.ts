/**
 * Runs committed effects: at least once, of each name a bounded number at a time, with retries and a time limit. The result goes
 * back to the actor as a command whose id comes from the effect's number, so it acts once however often it comes.
 *
 * Invariants: an effect's outbox row is removed only after its result is committed by the actor; an effect of a shard
 * that is not ours any more is not started, and its result is not delivered.
 */
import type { Clock } from "../../../lib/clock.js";
import type { Json } from "../../../lib/json.js";
import { decode } from "../../../lib/msgpack.js";
import type { EffectOrder } from "../context.js";
import type { EffectResult } from "../definition.js";
import { backoffMs, type HostLog, type HostSettings } from "../host/settings.js";
import type { Ownership } from "../link.js";
import type { ActorAddress, DeadLetter, EffectRunner, OutboxTell } from "../ports.js";
import { addressText } from "../shard.js";
import { Deque } from "../structures/deque.js";

interface Effect {
  readonly id: string;
  readonly actor: ActorAddress;
  readonly shard: number;
  readonly number: number;
  readonly name: string;
  readonly order: EffectOrder;
  readonly bytes: Uint8Array;
  attempt: number;
  result: EffectResult | null;
  deliveries: number;
  gone: boolean;
}

/** The effects of one name. One that waits for somebody slow holds up none of the others. */
interface Line {
  readonly queue: Deque<Effect>;
  running: number;
}

export interface EffectsEvents {
  turn(work: () => void): void;
  deliver(actor: ActorAddress, number: number, command: string, result: EffectResult): void;
  settled(actor: ActorAddress, shard: number, number: number): void;
  deadLetter(letter: DeadLetter): Promise<void>;
}

export class Effects {
  readonly #runners: Readonly<Record<string, EffectRunner>>;
  readonly #clock: Clock;
  readonly #settings: HostSettings;
  readonly #log: HostLog;
  readonly #ownership: Ownership;
  readonly #events: EffectsEvents;
  /** `actor#number` → effect, until its result is committed. */
  readonly #effects = new Map<string, Effect>();
  readonly #perActor = new Map<string, number>();
  readonly #lines = new Map<string, Line>();

  constructor(
    runners: Readonly<Record<string, EffectRunner>>,
    clock: Clock,
    settings: HostSettings,
    log: HostLog,
    ownership: Ownership,
    events: EffectsEvents,
  ) {
    this.#runners = runners;
    this.#clock = clock;
    this.#settings = settings;
    this.#log = log;
    this.#ownership = ownership;
    this.#events = events;
  }

  get waiting(): number {
    return this.#effects.size;
  }

  isWaiting(actorText: string): boolean {
    return this.#perActor.has(actorText);
  }

  add(actor: ActorAddress, shard: number, tell: OutboxTell): void {
    const text = addressText(actor);
    const id = `${text}#${tell.number}`;
    if (this.#effects.has(id)) return;
    const order = decode<EffectOrder>(tell.input);
    const effect: Effect = {
      id,
      actor,
      shard,
      number: tell.number,
      name: tell.to.key,
      order,
      bytes: tell.input,
      attempt: 0,
      result: null,
      deliveries: 0,
      gone: false,
    };
    this.#effects.set(id, effect);
    this.#perActor.set(text, (this.#perActor.get(text) ?? 0) + 1);
    this.#lineOf(effect).queue.push(effect);
  }

  /** Starts what may run; called at the end of every turn. */
  poke(): void {
    for (const line of this.#lines.values()) {
      while (line.running < this.#settings.effectConcurrency && this.#ownership.mayEmit()) {
        const effect = line.queue.shift();
        if (effect === undefined) break;
        if (effect.gone) continue;
        line.running++;
        void this.#run(effect, line);
      }
    }
  }

  #lineOf({ name }: Effect): Line {
    let line = this.#lines.get(name);
    if (line === undefined) {
      line = { queue: new Deque(), running: 0 };
      this.#lines.set(name, line);
    }
    return line;
  }

  /** The actor has committed the result. */
  finished(actor: ActorAddress, number: number): void {
    const effect = this.#effects.get(`${actor.kind}/${actor.key}#${number}`);
    if (effect === undefined) return;
    this.#forget(effect);
    this.#events.settled(effect.actor, effect.shard, effect.number);
  }

  /** The result could not be delivered now: again after a pause. */
  retryDelivery(actor: ActorAddress, number: number): void {
    const effect = this.#effects.get(`${actor.kind}/${actor.key}#${number}`);
    if (effect === undefined || effect.result === null) return;
    effect.deliveries++;
    const pause = backoffMs(effect.deliveries, this.#settings.effectRetryMs, this.#settings.effectRetryMaxMs);
    this.#clock.after(pause, () => this.#events.turn(() => this.#deliver(effect)));
  }

  release(shards: ReadonlySet<number>): void {
    for (const effect of [...this.#effects.values()]) if (shards.has(effect.shard)) this.#forget(effect);
  }

  stop(): void {
    for (const effect of [...this.#effects.values()]) this.#forget(effect);
  }

  #forget(effect: Effect): void {
    effect.gone = true;
    if (!this.#effects.delete(effect.id)) return;
    const text = addressText(effect.actor);
    const left = (this.#perActor.get(text) ?? 0) - 1;
    if (left > 0) this.#perActor.set(text, left);
    else this.#perActor.delete(text);
  }

  async #run(effect: Effect, line: Line): Promise<void> {
    effect.attempt++;
    const runner = this.#runners[effect.name];
    let result: EffectResult | null = null;
    let problem = "";
    if (runner === undefined) {
      problem = "no runner of that name";
    } else {
      try {
        const value = await this.#limited(
          runner({
            effectId: `${effect.name}:${addressText(effect.actor)}:${effect.order.key}`,
            actor: effect.actor,
            key: effect.order.key,
            input: effect.order.input,
            attempt: effect.attempt,
          }),
        );
        result = { ok: true, key: effect.order.key, value: value ?? null };
      } catch (error) {
        problem = String(error);
      }
    }
    if (result === null && effect.attempt >= this.#settings.effectAttempts && !effect.gone) {
      result = await this.#giveUp(effect, problem);
    }
    this.#events.turn(() => {
      line.running--;
      if (effect.gone) return;
      if (result === null) {
        const pause = backoffMs(effect.attempt, this.#settings.effectRetryMs, this.#settings.effectRetryMaxMs);
        this.#clock.after(pause, () => this.#events.turn(() => line.queue.push(effect)));
        return;
      }
      effect.result = result;
      this.#deliver(effect);
    });
  }

  /** Puts the effect aside; null when even that failed and the effect is tried again. */
  async #giveUp(effect: Effect, problem: string): Promise<EffectResult | null> {
    this.#log.error({ effect: effect.id, name: effect.name, problem }, "An effect is put aside: it keeps failing");
    try {
      await this.#events.deadLetter({
        id: `effect:${effect.id}`,
        kind: effect.actor.kind,
        key: effect.actor.key,
        name: `effect ${effect.name}`,
        input: effect.bytes,
        reason: problem,
        at: this.#clock.now(),
        attempts: effect.attempt,
      });
    } catch {
      return null;
    }
    return { ok: false, key: effect.order.key, code: "effect_failed", detail: { problem } };
  }

  #deliver(effect: Effect): void {
    if (effect.gone || effect.result === null) return;
    this.#events.deliver(effect.actor, effect.number, effect.order.onResult, effect.result);
  }

  #limited(work: Promise<Json>): Promise<Json> {
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.after(this.#settings.effectTimeoutMs, () =>
        reject(new Error(`no result within ${this.#settings.effectTimeoutMs} ms`)),
      );
      work.then(resolve, reject).finally(cancel);
    });
  }
}
