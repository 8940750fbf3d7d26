/**
 * The context of one handler run. It records what the handler changes and says; the executor applies or discards the
 * record as a whole. It performs nothing itself.
 *
 * Invariants: after the handler returned, every method throws; a discarded record leaves no trace in the actor.
 */
import type { Json, JsonObject } from "../../lib/json.js";
import { encode } from "../../lib/msgpack.js";
import { type Random, uuidV7 } from "../../lib/random.js";
import type { Activation } from "./activation/activation.js";
import { claimText, type Delivery } from "./activation/delivery.js";
import { Recorded, type Said } from "./activation/recorded.js";
import {
  type ActorContext,
  type ActorRef,
  type AwaitedAnswer,
  type Caller,
  type CommandInfo,
  type CommandName,
  type Contract,
  type Input,
  type ReadContext,
  Rejection,
} from "./definition.js";
import type { ActorAddress } from "./ports.js";

/** Outbox tells to this kind go to the effect runner whose name is the key. */
export const EFFECT_KIND = "$effect";

/** What an effect's outbox row carries. */
export interface EffectOrder {
  readonly key: string;
  readonly onResult: string;
  readonly input: Json;
}

const NOBODY = undefined as unknown as Activation;
const NOTHING = undefined as unknown as Delivery;

export class RunContext implements ActorContext<unknown, unknown> {
  now = 0;
  recorded = new Recorded();
  readonly #random: Random;
  #actor: Activation = NOBODY;
  #delivery: Delivery = NOTHING;
  #readOnly = false;
  #open = false;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Starts a run. `readOnly` commands are those that never de-duplicate; they count no version of their own. */
  begin(actor: Activation, delivery: Delivery, now: number, readOnly: boolean): void {
    this.#actor = actor;
    this.#delivery = delivery;
    this.#readOnly = readOnly;
    this.#open = true;
    this.now = now;
  }

  /** Ends the run. Null when nothing was changed and nothing said; then the record serves the next run. */
  end(): Recorded | null {
    this.#open = false;
    const recorded = this.recorded;
    if (!recorded.durable && recorded.said === null) {
      recorded.mayWaitMs = 0;
      return null;
    }
    this.recorded = new Recorded();
    return recorded;
  }

  /** Forgets what was recorded so far. */
  discard(): void {
    this.recorded = new Recorded();
  }

  /** A timer that has fired is gone, unless the handler has set it again. */
  removeFiredTimer(name: string): void {
    if (!(this.recorded.timers?.has(name) ?? false)) this.cancelTimer(name);
  }

  get key(): string {
    return this.#actor.key;
  }
  get command(): CommandInfo {
    return this.#delivery;
  }
  get state(): unknown {
    return this.recorded.became ? this.recorded.next : this.#actor.state;
  }
  get volatile(): unknown {
    return this.#actor.volatile;
  }
  get version(): number {
    return this.#readOnly && !this.recorded.durable ? this.#actor.seq : this.#actor.seq + 1;
  }
  get epoch(): number {
    return this.#actor.epoch;
  }

  become(next: unknown): void {
    const recorded = this.#write();
    recorded.next = next;
    recorded.became = true;
  }

  reject(code: string, detail?: JsonObject): Rejection {
    return new Rejection(code, detail);
  }

  tell<C extends Contract, N extends CommandName<C>>(to: ActorRef<C>, key: string, name: N, input: Input<C, N>): void {
    // A volatile actor has no outbox: what it tells is said once, like a cast.
    if (!this.#actor.kind.durable) {
      this.cast(to, key, name, input);
      return;
    }
    this.#outbox({ kind: to.kind, key }, name, encode(input));
  }

  tellAhead<C extends Contract, N extends CommandName<C>>(
    { withinMs, by }: AwaitedAnswer,
    to: ActorRef<C>,
    key: string,
    name: N,
    input: Input<C, N>,
  ): void {
    for (const answer of by)
      if (!this.#actor.kind.commands.has(answer))
        throw new Error(`tellAhead ${name}: no command "${answer}" answers it`);
    this.tell(to, key, name, input);
    const { recorded } = this;
    const tell = recorded.tells?.at(-1);
    if (tell === undefined) return;
    recorded.ahead ??= [];
    recorded.ahead.push({ tell, input, answeredBy: by });
    recorded.aheadMs = withinMs;
  }

  castAhead<C extends Contract, N extends CommandName<C>>(
    to: ActorRef<C>,
    key: string,
    name: N,
    input: Input<C, N>,
  ): void {
    this.cast(to, key, name, input);
    this.recorded.overtakes = true;
  }

  cast<C extends Contract, N extends CommandName<C>>(to: ActorRef<C>, key: string, name: N, input: Input<C, N>): void {
    const from = this.#actor.address;
    this.#say({ t: "cast", to: { kind: to.kind, key }, name, input, caller: null, from, here: null });
  }

  effect(name: string, key: string, input: Json, onResult: string): void {
    if (!this.#actor.kind.commands.has(onResult))
      throw new Error(`effect ${name}: no command "${onResult}" takes its result`);
    const order: EffectOrder = { key, onResult, input };
    this.#outbox({ kind: EFFECT_KIND, key: name }, onResult, encode(order));
  }

  timer(name: string, options: { at: number; run: string; input?: Json }): void {
    if (!Number.isFinite(options.at)) throw new RangeError(`timer ${name}: \`at\` is not a time`);
    if (!this.#actor.kind.commands.has(options.run)) throw new Error(`timer ${name}: no command "${options.run}"`);
    const recorded = this.#write();
    recorded.timers ??= new Map();
    recorded.timers.set(name, {
      name,
      at: Math.ceil(options.at),
      run: options.run,
      input: encode(options.input ?? null),
    });
  }

  cancelTimer(name: string): void {
    const setInThisRun = this.recorded.timers?.has(name) ?? false;
    if (!setInThisRun && !(this.#actor.timers?.has(name) ?? false)) return;
    const recorded = this.#write();
    recorded.timers ??= new Map();
    recorded.timers.set(name, null);
  }

  mayWait(withinMs: number): void {
    this.#mustBeOpen();
    this.recorded.mayWaitMs = withinMs;
  }

  publish(type: string, body: Json): void {
    this.#mustBeDurable("publish");
    const recorded = this.#write();
    recorded.events ??= [];
    recorded.events.push({
      offset: this.#actor.nextEvent + recorded.events.length,
      type,
      at: this.now,
      body: encode(body),
    });
  }

  push(channel: string, type: string, body: Json): number {
    const definition = this.#actor.kind.channels.get(channel);
    if (definition?.delivery !== "reliable") throw new Error(`push: "${channel}" is no reliable channel of this kind`);
    const recorded = this.#write();
    recorded.pushes ??= [];
    let offset = (this.#actor.channels?.get(channel)?.top ?? 0) + 1;
    for (const pushed of recorded.pushes) if (pushed.channel === channel) offset++;
    recorded.pushes.push({ channel, offset, type, at: this.now, body: encode(body) });
    this.#say({ t: "event", channel, item: { offset, type, at: this.now, body } });
    return offset;
  }

  trim(channel: string, offset: number): void {
    const recorded = this.#write();
    recorded.trims ??= [];
    // What has not been said yet cannot be forgotten: the channel would hold its later events for trimmed.
    const top = this.#actor.channels?.get(channel)?.top ?? 0;
    recorded.trims.push({ channel, offset: Math.min(offset, top) });
  }

  emit(channel: string, slot: string, body: Json, ttlMs: number): void {
    if (this.#actor.kind.channels.get(channel)?.delivery !== "latest") {
      throw new Error(`emit: "${channel}" is no latest-wins channel of this kind`);
    }
    this.#say({ t: "slot", channel, slot, body, ttlMs });
  }

  readmit(channel: string): void {
    this.#say({ t: "readmit", channel });
  }

  mirror(key: string, body: Json, ttlMs: number): void {
    this.#say({ t: "mirror", key, body, ttlMs });
  }

  claim(claim: string, value: string): void {
    this.#mustBeDurable("claim");
    const recorded = this.#write();
    recorded.claims ??= [];
    recorded.claims.push({ claim, value });
  }

  taken(claim: string, value: string): boolean {
    return this.#delivery.taken?.has(claimText(claim, value)) ?? false;
  }

  release(claim: string, value: string): void {
    this.#mustBeDurable("release");
    const recorded = this.#write();
    recorded.releases ??= [];
    recorded.releases.push({ claim, value });
  }

  hasSubscribers(channel: string): boolean {
    const used = this.#actor.channels?.get(channel);
    return used !== undefined && (used.listeners.size > 0 || used.arriving > 0);
  }

  isHeardBy(channel: string, { id, role }: Caller): boolean {
    for (const callers of this.#actor.channels?.get(channel)?.listeners.values() ?? []) {
      for (const caller of callers.values()) if (caller.id === id && caller.role === role) return true;
    }
    return false;
  }

  random(): number {
    return this.#random.next();
  }

  newId(): string {
    return uuidV7(this.now, this.#random);
  }

  #outbox(to: ActorAddress, name: string, input: Uint8Array): void {
    const recorded = this.#write();
    recorded.tells ??= [];
    recorded.tells.push({ number: this.#actor.nextTell + recorded.tells.length, to, name, input });
  }

  #say(said: Said): void {
    this.#mustBeOpen();
    this.recorded.said ??= [];
    this.recorded.said.push(said);
  }

  #write(): Recorded {
    this.#mustBeOpen();
    this.recorded.durable = true;
    return this.recorded;
  }

  #mustBeOpen(): void {
    if (!this.#open) throw new Error("A handler's context was used after the handler had returned");
  }

  #mustBeDurable(what: string): void {
    if (!this.#actor.kind.durable) throw new Error(`${what}: the kind "${this.#actor.kind.name}" is volatile`);
  }
}

/** What read-only code (channel admission, snapshots, hydration) sees of an actor. */
export function readContext(actor: Activation, now: number): ReadContext<unknown, unknown> {
  return {
    key: actor.key,
    now,
    state: actor.state,
    volatile: actor.volatile,
    version: actor.seq,
    epoch: actor.epoch,
  };
}
