/**
 * Channels: what the node pushes. The application sees every reliable event once and in order, and of every latest-wins
 * slot only newer values, whatever happens to sockets in between.
 *
 * Owns: the position (epoch, offset) of each reliable channel, versions of slots, resubscribing, acknowledging. Does not
 * own the socket.
 *
 * An order's channel has no events; its position is the version of its view. A node that sees the version it would send
 * answers “recovered” and sends nothing.
 *
 * Invariants: an event is handed up only if its offset is the next one; a hole makes the channel resubscribe from the last
 * offset handed up; a snapshot replaces everything before it; acknowledgements are cumulative, and go no further than the
 * first event whose handler threw.
 */
import type { Clock } from "../src/lib/clock.js";
import type { Json, JsonObject } from "../src/lib/json.js";
import type { ServerFrame } from "../src/protocol/mod.js";
import { ACKNOWLEDGED_CHANNELS, OP } from "../src/protocol/mod.js";
import type { Alarm } from "./alarm.js";
import type { Connection } from "./connection.js";
import { SwiftEatsError } from "./errors.js";

export interface ChannelEvent {
  readonly channel: string;
  readonly offset: number;
  readonly type: string;
  /** When it happened, ms since the epoch, by the node's clock. */
  readonly at: number;
  readonly body: Json;
}

export interface SlotValue {
  readonly channel: string;
  readonly slot: string;
  /** (shard epoch, counter). */
  readonly version: readonly [number, number];
  readonly at: number;
  /** The value means nothing after this time. */
  readonly ttlMs: number;
  readonly body: Json;
}

export interface ChannelHandlers {
  /**
   * The node answered the subscription. `recovered` true: everything the application holds is still right, missed events
   * follow. False: forget it, a snapshot follows.
   */
  subscribed?(start: { readonly epoch: number; readonly top: number; readonly recovered: boolean }): void;
  /** Reliable channels: each event once, in order. Throwing leaves it, and what follows, unacknowledged until a snapshot: the next socket begins with one. */
  event?(event: ChannelEvent): void;
  /** Latest-wins values, and the snapshot of a reliable channel (its slot is `snapshot`). */
  state?(value: SlotValue): void;
  /** The subscription was refused or ended and is gone. Temporary refusals are retried and not told. */
  ended?(error: SwiftEatsError): void;
}

export interface SubscribeOptions {
  /** Start from here rather than from a snapshot: a position this application kept together with its own state. */
  readonly from?: { readonly epoch: number; readonly offset: number };
  /** The application calls `acknowledge` itself, when a person has seen it. */
  readonly manualAcknowledge?: boolean;
}

export interface ChannelSubscription {
  readonly channel: string;
  /** Where the application is: keep it with your own state to resume after a restart. Null before the first answer. */
  position(): { readonly epoch: number; readonly offset: number } | null;
  /**
   * Everything up to `offset` is safe with this device; the node may forget it. Cumulative. Of channels that many listen to
   * nothing is acknowledged, and this does nothing.
   */
  acknowledge(offset: number): void;
  unsubscribe(): void;
}

interface Channel {
  readonly name: string;
  readonly handlers: ChannelHandlers;
  /** Acknowledged without being asked: what the handlers have taken. */
  readonly acknowledges: boolean;
  id: number;
  /** The subscription is asked for on the present socket. */
  asked: boolean;
  /** Null until the node has answered once, and on channels without offsets. */
  epoch: number | null;
  offset: number;
  acknowledged: number;
  sentAcknowledgement: number;
  readonly slots: Map<string, readonly [number, number]>;
  retryAtMs: number;
  /** A handler threw at something that the node will want to know safe: only a snapshot makes that good. */
  lacks: boolean;
}

/** A channel whose position is the version of what its slot `view` holds. */
const isVersioned = (name: string): boolean => name.startsWith("order:");

/** One of which the node wants to know what is safe here. */
const isAcknowledged = (name: string): boolean => ACKNOWLEDGED_CHANNELS.some((family) => name.startsWith(`${family}:`));

/** Slots that one channel may remember versions of; a map of a city has one slot, an order two. */
const MAX_SLOTS = 1024;

export class Channels {
  readonly #connection: Connection;
  readonly #alarm: Alarm;
  readonly #clock: Clock;
  readonly #nextId: () => number;
  readonly #channels = new Map<string, Channel>();
  readonly #byId = new Map<number, Channel>();
  readonly #toAcknowledge = new Set<Channel>();
  /** Sees what the application sees: the GPS helper listens for the node's policy here. */
  readonly #witness: (channel: string, type: string, body: Json) => void;

  constructor(
    parts: { connection: Connection; alarm: Alarm; clock: Clock; nextId: () => number },
    witness: (channel: string, type: string, body: Json) => void,
  ) {
    this.#connection = parts.connection;
    this.#alarm = parts.alarm;
    this.#clock = parts.clock;
    this.#nextId = parts.nextId;
    this.#witness = witness;
  }

  /** One subscription per channel and client; subscribing again replaces the first. */
  subscribe(name: string, handlers: ChannelHandlers, options: SubscribeOptions = {}): ChannelSubscription {
    this.#remove(name);
    const channel: Channel = {
      name,
      handlers,
      acknowledges: isAcknowledged(name) && !(options.manualAcknowledge ?? false),
      id: 0,
      asked: false,
      epoch: options.from?.epoch ?? null,
      offset: options.from?.offset ?? 0,
      acknowledged: 0,
      sentAcknowledgement: 0,
      slots: new Map(),
      retryAtMs: 0,
      lacks: false,
    };
    this.#channels.set(name, channel);
    this.#ask(channel);
    return {
      channel: name,
      position: () => (channel.epoch === null ? null : { epoch: channel.epoch, offset: channel.offset }),
      acknowledge: (offset) => {
        if (!isAcknowledged(name)) return;
        channel.acknowledged = Math.max(channel.acknowledged, Math.min(offset, channel.offset));
        this.#toAcknowledge.add(channel);
        this.drained();
      },
      unsubscribe: () => {
        if (this.#channels.get(name) === channel) this.#remove(name);
      },
    };
  }

  /** HELLO is on its way: what is asked together with it is answered one way there and back earlier. */
  greeting(): void {
    for (const channel of this.#channels.values()) this.#ask(channel);
  }

  lost(): void {
    this.#byId.clear();
    this.#toAcknowledge.clear();
    for (const channel of this.#channels.values()) channel.asked = false;
  }

  /** After each message: acknowledgements leave once per message, not once per event. */
  drained(): void {
    if (this.#toAcknowledge.size === 0 || this.#connection.state.name !== "live") return;
    for (const channel of this.#toAcknowledge) {
      if (channel.epoch === null || channel.acknowledged <= channel.sentAcknowledgement) continue;
      channel.sentAcknowledgement = channel.acknowledged;
      this.#connection.send([OP.ack, channel.name, channel.epoch, channel.acknowledged]);
    }
    this.#toAcknowledge.clear();
  }

  frame(frame: ServerFrame): void {
    switch (frame[0]) {
      case OP.subbed:
        this.#subscribed(frame[1], frame[2], frame[3], frame[4]);
        return;
      case OP.event:
        this.#event(frame[1], frame[2], frame[3], frame[4], frame[5]);
        return;
      case OP.state:
        this.#slot(frame[1], frame[2], frame[3], frame[4], frame[5], frame[6]);
        return;
      default:
    }
  }

  /** True when the number belongs to a subscription. */
  refused(id: number, code: string, temporary: boolean, retryAfterMs: number, detail: JsonObject | undefined): boolean {
    const channel = this.#byId.get(id);
    if (channel === undefined) return false;
    this.#byId.delete(id);
    if (temporary) {
      channel.asked = false;
      const pauseMs = Math.max(retryAfterMs, 1000);
      channel.retryAtMs = this.#clock.monotonic() + pauseMs;
      this.#alarm.atLatest("subscribe-retry", pauseMs, () => this.#retry());
      return true;
    }
    this.#channels.delete(channel.name);
    const facts = { code, temporary, retryAfterMs, ...(detail === undefined ? {} : { detail }) };
    channel.handlers.ended?.(new SwiftEatsError(facts));
    return true;
  }

  #retry(): void {
    const now = this.#clock.monotonic();
    let earliest = Number.POSITIVE_INFINITY;
    for (const channel of this.#channels.values()) {
      if (channel.asked) continue;
      if (channel.retryAtMs > now + 1) earliest = Math.min(earliest, channel.retryAtMs);
      else this.#ask(channel);
    }
    if (earliest < Number.POSITIVE_INFINITY) {
      this.#alarm.in("subscribe-retry", earliest - now, () => this.#retry());
    }
  }

  #ask(channel: Channel): void {
    const { name } = this.#connection.state;
    if ((name !== "live" && name !== "greeting") || channel.asked) return;
    channel.asked = true;
    channel.id = this.#nextId();
    channel.sentAcknowledgement = 0;
    this.#byId.set(channel.id, channel);
    this.#connection.send(
      channel.epoch === null || channel.lacks
        ? [OP.sub, channel.id, channel.name]
        : [OP.sub, channel.id, channel.name, channel.epoch, channel.offset],
    );
  }

  #remove(name: string): void {
    const channel = this.#channels.get(name);
    if (channel === undefined) return;
    this.#channels.delete(name);
    this.#toAcknowledge.delete(channel);
    this.#byId.delete(channel.id);
    if (channel.asked) this.#connection.send([OP.unsub, this.#nextId(), name]);
  }

  #subscribed(name: string, epoch: number, top: number, recovered: boolean): void {
    const channel = this.#channels.get(name);
    if (channel === undefined || !channel.asked) return;
    channel.epoch = epoch;
    if (!recovered) {
      // An order's version only rises: what was shown stays the measure of what is new.
      if (!isVersioned(name)) channel.offset = top;
      channel.acknowledged = 0;
      channel.slots.clear();
    } else if (channel.acknowledged > 0) {
      // While there was no line, on one that broke, or so early on this one that the node did not know what of.
      channel.sentAcknowledgement = 0;
      this.#toAcknowledge.add(channel);
    }
    channel.handlers.subscribed?.({ epoch, top, recovered });
  }

  #event(name: string, offset: number, type: string, at: number, body: Json): void {
    const channel = this.#channels.get(name);
    if (channel === undefined || channel.epoch === null || !channel.asked || offset <= channel.offset) return;
    if (offset > channel.offset + 1) {
      // A hole cannot happen on one socket to a healthy node; if it does, ask again from what is known.
      this.#byId.delete(channel.id);
      channel.asked = false;
      this.#connection.send([OP.unsub, this.#nextId(), name]);
      this.#ask(channel);
      return;
    }
    channel.offset = offset;
    this.#witness(name, type, body);
    const lacked = channel.lacks;
    // Stays so if the handler throws: an acknowledgement of what comes after it would be one of it, too.
    channel.lacks = channel.acknowledges;
    channel.handlers.event?.({ channel: name, offset, type, at, body });
    channel.lacks = lacked;
    if (!channel.acknowledges || channel.lacks) return;
    channel.acknowledged = offset;
    this.#toAcknowledge.add(channel);
  }

  #slot(name: string, slot: string, version: readonly [number, number], at: number, ttlMs: number, body: Json): void {
    const channel = this.#channels.get(name);
    if (channel === undefined || !channel.asked) return;
    const known = channel.slots.get(slot);
    if (known !== undefined && (version[0] < known[0] || (version[0] === known[0] && version[1] <= known[1]))) return;
    if (slot === "view" && isVersioned(name)) {
      const { version: orderVersion } = body as { readonly version: number };
      if (orderVersion <= channel.offset) return;
      channel.offset = orderVersion;
    }
    if (known !== undefined || channel.slots.size < MAX_SLOTS) channel.slots.set(slot, version);
    this.#witness(name, slot, body);
    // A reliable channel's snapshot holds everything before it.
    const isWhole = slot === "snapshot" && channel.epoch !== null && channel.acknowledges;
    channel.lacks ||= isWhole;
    channel.handlers.state?.({ channel: name, slot, version, at, ttlMs, body });
    if (!isWhole) return;
    channel.lacks = false;
    channel.acknowledged = channel.offset;
    this.#toAcknowledge.add(channel);
  }
}
