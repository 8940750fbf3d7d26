/**
 * The output gate. Lets out what a run wants to say once everything that the run saw is committed, in the order in
 * which the runs happened. It owns no queue: the actor's `pending` list is the queue.
 *
 * Invariant: nothing of a run leaves this process before its commit but what it says ahead, and nothing leaves while the
 * lease has passed, nor once the shard has gone: a thread that slept hears that only after what had come before.
 */
import type { Clock } from "../../../lib/clock.js";
import type { Activation, Answer } from "../activation/activation.js";
import type { Delivery } from "../activation/delivery.js";
import { errorOf } from "../activation/outcome.js";
import type { Ahead, Recorded, SaidCast } from "../activation/recorded.js";
import type { Channels } from "../channels/channels.js";
import type { EndpointId, LinkMessage, Ownership, ShardMap } from "../link.js";
import type { MirrorBatch } from "../mirror/mirror-batch.js";
import type { ActorAddress, OutboxTell } from "../ports.js";
import { shardOf } from "../shard.js";
import type { Timers } from "../timers/timers.js";

export interface GateEvents {
  post(to: EndpointId, message: LinkMessage): void;
  /** The actor, where it is in this thread's memory under its present epoch; otherwise null. */
  resident(address: ActorAddress): Activation | null;
  postHere(cast: SaidCast): void;
  outboxed(from: ActorAddress, fromShard: number, tell: OutboxTell): void;
  effectDone(actor: ActorAddress, number: number): void;
  /** An ask has its answer: its sender may send another. */
  answered(ask: Delivery): void;
  muted(actor: Activation): void;
  /** Its shard has gone from this thread: whoever sent the message has to ask the new owner. */
  moved(actor: Activation, delivery: Delivery): void;
}

export class Gate {
  readonly #clock: Clock;
  readonly #ownership: Ownership;
  readonly #shardMap: ShardMap;
  readonly #channels: Channels;
  readonly #timers: Timers;
  readonly #mirror: MirrorBatch;
  readonly #events: GateEvents;

  constructor(
    clock: Clock,
    ownership: Ownership,
    shardMap: ShardMap,
    channels: Channels,
    timers: Timers,
    mirror: MirrorBatch,
    events: GateEvents,
  ) {
    this.#clock = clock;
    this.#ownership = ownership;
    this.#shardMap = shardMap;
    this.#channels = channels;
    this.#timers = timers;
    this.#mirror = mirror;
    this.#events = events;
  }

  /** Everything the run saw is committed. */
  open(actor: Activation, delivery: Delivery, recorded: Recorded | null, answer: Answer | null, at: number): void {
    if (this.#hasGone(actor)) {
      this.#events.moved(actor, delivery);
      return;
    }
    if (recorded !== null) {
      // Outbox and timers are only taken into memory here; they check the lease themselves when they act.
      if (recorded.tells !== null) {
        for (const tell of recorded.tells) this.#events.outboxed(actor.address, actor.shard, tell);
      }
      if (recorded.timers !== null) {
        for (const [name, row] of recorded.timers) {
          this.#timers.changed(actor.address, actor.shard, name, row, !actor.kind.durable);
        }
      }
    }
    // Reading both clocks costs more than such a run: what has nothing to say and nobody to answer needs no leave.
    if (delivery.source === "cast" && !recorded?.said) return;
    const mayEmit = this.#ownership.mayEmit();
    if (!mayEmit) this.#mute(actor);
    if (mayEmit && recorded?.said) this.#say(actor, recorded, at);
    this.#answer(actor, delivery, answer, mayEmit);
  }

  /**
   * Says tells before their commit, as casts. False, and nothing is said, when this node may not speak for the actor or
   * nobody is there to hear one of them.
   */
  sayAhead(actor: Activation, tells: readonly Ahead[]): boolean {
    if (this.#hasGone(actor) || !this.#ownership.mayEmit()) return false;
    const owners = tells.map(({ tell }) => this.#shardMap.ownerOf(shardOf(tell.to)));
    if (owners.includes(null)) return false;
    for (const [i, { tell, input }] of tells.entries()) {
      const { to, name } = tell;
      this.#events.post(owners[i]!, { t: "cast", to, name, input, caller: null, from: actor.address });
    }
    return true;
  }

  /** Who listens has missed something, and starts again when this node may speak. */
  #mute(actor: Activation): void {
    if (actor.muted) return;
    actor.muted = true;
    this.#events.muted(actor);
  }

  #hasGone(actor: Activation): boolean {
    return this.#ownership.epochOf(actor.shard) !== actor.epoch;
  }

  #say(actor: Activation, recorded: Recorded, at: number): void {
    for (const said of recorded.said ?? []) {
      switch (said.t) {
        case "event":
        case "slot":
          // The lease may have ended since it was last looked at.
          if (!this.#channels.say(actor, said, at)) this.#mute(actor);
          break;
        case "readmit":
          if (!this.#channels.readmit(actor, said.channel, at)) this.#mute(actor);
          break;
        case "mirror":
          if (!this.#mirror.wants(said.key, said.body)) break;
          this.#mirror.put({
            key: said.key,
            version: this.#channels.nextVersion(actor.epoch),
            value: said.body,
            expiresAt: Math.max(at, this.#clock.now()) + said.ttlMs,
          });
          break;
        case "cast": {
          const { to, name, input } = said;
          // Most are said to somebody near: to find them costs less than to find out whose they are.
          said.here = this.#events.resident(to);
          if (said.here !== null) {
            this.#events.postHere(said);
            break;
          }
          const owner = this.#shardMap.ownerOf(shardOf(to));
          if (owner === null) break;
          this.#events.post(owner, { t: "cast", to, name, input, caller: null, from: actor.address });
          break;
        }
      }
    }
  }

  #answer(actor: Activation, delivery: Delivery, answer: Answer | null, mayEmit: boolean): void {
    switch (delivery.source) {
      case "ask":
        this.#events.answered(delivery);
        if (mayEmit && answer !== null) this.#reply(delivery, answer);
        return;
      case "tell":
        if (mayEmit && delivery.from !== null) {
          this.#events.post(delivery.endpoint, { t: "told", from: delivery.from, number: delivery.number });
        }
        return;
      case "effect":
        this.#events.effectDone(actor.address, delivery.number);
        return;
      case "subscribe":
        if (answer?.t === "subscribed") {
          if (mayEmit) this.#channels.arrive(actor, delivery, answer);
          else answer.channel.arriving--;
        } else if (mayEmit && answer !== null) this.#reply(delivery, answer);
        return;
      case "unsubscribe":
        this.#channels.leave(actor, delivery.name, delivery.endpoint, delivery.number);
        return;
      case "quarantine":
        if (delivery.poisoned !== null) this.#answer(actor, delivery.poisoned, answer, mayEmit);
        return;
      case "cast":
      case "timer":
        return;
    }
  }

  #reply(delivery: Delivery, answer: Answer): void {
    if (answer.t === "error") {
      this.#events.post(delivery.endpoint, { t: "error", id: delivery.number, error: answer.error });
      return;
    }
    if (answer.t !== "outcome") return;
    const error = errorOf(answer.outcome);
    if (error !== null) this.#events.post(delivery.endpoint, { t: "error", id: delivery.number, error });
    else if (answer.outcome.t === "reply") {
      const { endpoint, number: id, mayWait } = delivery;
      const { value } = answer.outcome;
      // Written out: thousands a second, and a spread that adds a name to it is a slow way (docs/decisions/what-survives.md).
      this.#events.post(endpoint, mayWait ? { t: "reply", id, value, mayWait } : { t: "reply", id, value });
    }
  }
}
