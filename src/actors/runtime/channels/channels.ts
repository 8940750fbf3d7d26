/**
 * The shard's side of channels: who listens, what a new listener starts from, what is kept for replay.
 *
 * A listener is registered, and hears where it starts, when its subscription passes the actor's gate. All outputs of an
 * actor pass the gate in one order, so nothing falls between the replay and the live events and nothing comes twice.
 *
 * Invariants:
 * - The epoch of a reliable channel is always 1: history is in the store, so moving or restarting loses none. A resume
 *   from another epoch, or from beyond the top, starts from a snapshot.
 * - An endpoint gets each event once, whatever the number of its subscriptions.
 */

import { type Activation, type Answer, type Channel, keepOf } from "../activation/activation.js";
import type { Delivery } from "../activation/delivery.js";
import type { Said } from "../activation/recorded.js";
import type { ActorError, ChannelItem, SlotItem } from "../client.js";
import { readContext } from "../context.js";
import { Rejection } from "../definition.js";
import type { EndpointId, LinkMessage } from "../link.js";

export const CHANNEL_EPOCH = 1;

export interface ChannelsEvents {
  /** False: the lease has passed, and nothing was said. */
  post(to: EndpointId, message: LinkMessage): boolean;
  /** Also while the lease has passed: for what says nothing about any state. */
  send(to: EndpointId, message: LinkMessage): void;
}

export class Channels {
  readonly #events: ChannelsEvents;
  readonly #perActor: number;
  readonly #byEndpoint = new Map<EndpointId, Set<Activation>>();
  /** One counter for the whole host: versions of slots rise over passivation, too. */
  #counter = 0;

  constructor(events: ChannelsEvents, subscriptionsPerActor: number) {
    this.#events = events;
    this.#perActor = subscriptionsPerActor;
  }

  nextVersion(epoch: number): readonly [number, number] {
    return [epoch, ++this.#counter];
  }

  /** What the subscriber will hear once the gate opens. Throws what the kind's own code throws. */
  prepare(actor: Activation, delivery: Delivery, now: number): Answer {
    const channel = actor.channel(delivery.name);
    if (channel === undefined) return { t: "error", error: { code: "unknown_channel", temporary: false } };
    const caller = delivery.caller;
    if (caller === null) return { t: "error", error: { code: "forbidden", temporary: false } };
    if (count(channel) + channel.arriving >= this.#perActor) {
      return { t: "error", error: { code: "overloaded", temporary: true, retryAfterMs: 1_000 } };
    }
    const context = readContext(actor, now);
    const admitted = channel.definition.admit(context, caller);
    if (admitted instanceof Rejection) return { t: "error", error: refusal(admitted) };
    const { resume } = delivery;
    const reliable = channel.definition.delivery === "reliable";
    const recovered = reliable && resume !== null && canReplay(channel, resume.epoch, resume.offset);
    const slots: SlotItem[] = [];
    if (!recovered) {
      for (const [slot, value] of Object.entries(channel.definition.snapshot(context, caller, channel.events))) {
        slots.push({ slot, version: this.nextVersion(actor.epoch), at: now, ttlMs: value.ttlMs, body: value.body });
      }
    }
    const events = recovered ? channel.events.filter((event) => event.offset > resume.offset) : [];
    channel.arriving++;
    return { t: "subscribed", channel, top: channel.top, recovered, events, slots };
  }

  /** The gate is open for a subscription. */
  arrive(actor: Activation, delivery: Delivery, start: Extract<Answer, { t: "subscribed" }>): void {
    const { channel } = start;
    channel.arriving--;
    // Its link went down while it waited, perhaps to come up again: nobody would ever end it, and it is asked for anew.
    if (delivery.isOver || delivery.peer?.gone === true) return;
    let ids = channel.listeners.get(delivery.endpoint);
    if (ids === undefined) {
      ids = new Map();
      channel.listeners.set(delivery.endpoint, ids);
    }
    if (delivery.caller !== null) ids.set(delivery.number, delivery.caller);
    let actors = this.#byEndpoint.get(delivery.endpoint);
    if (actors === undefined) {
      actors = new Set();
      this.#byEndpoint.set(delivery.endpoint, actors);
    }
    actors.add(actor);
    this.#events.post(delivery.endpoint, {
      t: "subscribed",
      id: delivery.number,
      epoch: CHANNEL_EPOCH,
      top: start.top,
      recovered: start.recovered,
      events: start.events,
      slots: start.slots,
    });
  }

  leave(actor: Activation, name: string, endpoint: EndpointId, id: number): void {
    const channel = actor.channels?.get(name);
    const ids = channel?.listeners.get(endpoint);
    if (channel === undefined || ids === undefined) return;
    ids.delete(id);
    if (ids.size === 0) {
      channel.listeners.delete(endpoint);
      this.#forgetIfSilent(actor, endpoint);
    }
  }

  /** Keeps a pushed event of the head for replay. */
  keep(channel: Channel, item: ChannelItem): void {
    channel.top = item.offset;
    channel.events.push(item);
    const keep = keepOf(channel.definition);
    if (channel.events.length > keep * 2) channel.events = channel.events.slice(-keep);
  }

  /** Says an event or a slot value to everyone who listens. False: not everybody could be told. */
  say(actor: Activation, said: Extract<Said, { t: "event" | "slot" }>, at: number): boolean {
    const channel = actor.channels?.get(said.channel);
    if (channel === undefined || channel.listeners.size === 0) return true;
    const message: LinkMessage =
      said.t === "event"
        ? { t: "event", of: actor.address, channel: said.channel, item: said.item }
        : {
            t: "slot",
            of: actor.address,
            channel: said.channel,
            item: { slot: said.slot, version: this.nextVersion(actor.epoch), at, ttlMs: said.ttlMs, body: said.body },
          };
    let told = true;
    for (const endpoint of channel.listeners.keys()) if (!this.#events.post(endpoint, message)) told = false;
    return told;
  }

  /**
   * Ends every subscription of the actor. Its listeners hear so even while this node may not speak: they would wait for
   * ever for somebody who has forgotten them.
   */
  end(actor: Activation, error: ActorError): void {
    if (actor.channels === null) return;
    for (const channel of actor.channels.values()) {
      for (const [endpoint, ids] of channel.listeners) {
        for (const id of ids.keys()) this.#events.send(endpoint, { t: "error", id, error });
        const actors = this.#byEndpoint.get(endpoint);
        actors?.delete(actor);
        if (actors?.size === 0) this.#byEndpoint.delete(endpoint);
      }
      channel.listeners.clear();
    }
  }

  /**
   * Judges everybody who listens by the newest state; whoever is refused hears it and is out. False: not everybody could
   * be told, and who could not listens on, to be judged when they start again.
   */
  readmit(actor: Activation, name: string, at: number): boolean {
    const channel = actor.channels?.get(name);
    if (channel === undefined) return true;
    let told = true;
    const context = readContext(actor, at);
    for (const [endpoint, ids] of [...channel.listeners]) {
      for (const [id, caller] of [...ids]) {
        const admitted = channel.definition.admit(context, caller);
        if (!(admitted instanceof Rejection)) continue;
        if (this.#events.post(endpoint, { t: "error", id, error: refusal(admitted) }))
          this.leave(actor, name, endpoint, id);
        else told = false;
      }
    }
    return told;
  }

  /** An endpoint is gone: nobody there listens any more. */
  endpointDown(endpoint: EndpointId): void {
    const actors = this.#byEndpoint.get(endpoint);
    if (actors === undefined) return;
    this.#byEndpoint.delete(endpoint);
    for (const actor of actors)
      for (const channel of actor.channels?.values() ?? []) channel.listeners.delete(endpoint);
  }

  #forgetIfSilent(actor: Activation, endpoint: EndpointId): void {
    for (const channel of actor.channels?.values() ?? []) if (channel.listeners.has(endpoint)) return;
    const actors = this.#byEndpoint.get(endpoint);
    actors?.delete(actor);
    if (actors?.size === 0) this.#byEndpoint.delete(endpoint);
  }
}

function canReplay(channel: Channel, epoch: number, offset: number): boolean {
  if (epoch !== CHANNEL_EPOCH || offset > channel.top) return false;
  const first = channel.events[0];
  return offset === channel.top || (first !== undefined && first.offset <= offset + 1);
}

function count(channel: Channel): number {
  let subscriptions = 0;
  for (const ids of channel.listeners.values()) subscriptions += ids.size;
  return subscriptions;
}

function refusal(rejection: Rejection): ActorError {
  return rejection.detail === undefined
    ? { code: rejection.code, temporary: false }
    : { code: rejection.code, temporary: false, detail: rejection.detail };
}
