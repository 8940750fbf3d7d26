/**
 * What becomes of a message that will not be handled here and now: whoever waits for an answer hears why, and what must
 * not be lost comes again by itself.
 *
 * Invariant: an ask that was counted in gives its credit back here exactly once, whatever it is refused for.
 */
import type { Activation } from "../activation/activation.js";
import type { Delivery } from "../activation/delivery.js";
import type { Channels } from "../channels/channels.js";
import type { ActorError } from "../client.js";
import type { Effects } from "../effects/effects.js";
import type { EndpointId, LinkMessage, ShardMap } from "../link.js";
import type { ActorAddress } from "../ports.js";
import type { Timers } from "../timers/timers.js";
import type { Credits } from "./credits.js";

export interface RefusalsEvents {
  readonly self: EndpointId;
  readonly shardMap: ShardMap;
  readonly credits: Credits;
  readonly channels: Channels;
  readonly timers: Timers;
  readonly effects: Effects;
  post(to: EndpointId, message: LinkMessage): void;
  inMemory(address: ActorAddress): Activation | undefined;
}

export class Refusals {
  readonly #events: RefusalsEvents;

  constructor(events: RefusalsEvents) {
    this.#events = events;
  }

  refuse(to: ActorAddress, shard: number, delivery: Delivery, error: ActorError): void {
    const { credits, channels, timers, effects } = this.#events;
    switch (delivery.source) {
      case "ask":
        credits.giveBack(delivery.peer);
        this.#postError(shard, delivery, error);
        return;
      case "subscribe":
        this.#postError(shard, delivery, error);
        return;
      case "unsubscribe": {
        const actor = this.#events.inMemory(to);
        if (actor === undefined) return;
        // It overtakes what waits, also the subscription that it ends.
        actor.abandon(delivery.endpoint, delivery.number);
        channels.leave(actor, delivery.name, delivery.endpoint, delivery.number);
        return;
      }
      case "timer":
        if (delivery.timer !== null) timers.again(to, shard, delivery.timer, ++delivery.refusals);
        return;
      case "effect":
        effects.retryDelivery(to, delivery.number);
        return;
      case "quarantine":
        if (delivery.poisoned !== null) this.refuse(to, shard, delivery.poisoned, error);
        return;
      case "tell":
      case "cast":
        // A tell is sent again by its sender; a cast is said at most once.
        return;
    }
  }

  #postError(shard: number, delivery: Delivery, error: ActorError): void {
    const { self, shardMap } = this.#events;
    const owner = error.code === "not_owner" ? shardMap.ownerOf(shard) : null;
    this.#events.post(
      delivery.endpoint,
      owner === null || owner === self
        ? { t: "error", id: delivery.number, error }
        : { t: "error", id: delivery.number, error, owner },
    );
  }
}
