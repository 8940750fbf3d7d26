/**
 * All subscriptions of one client.
 *
 * Owns: which local sinks listen to which channel, fanning out what arrives once per endpoint, and asking anew when an
 * endpoint died, a shard moved, an answer failed to come or an offset was missing. Does not own: what a sink may be given
 * next (`subscription.ts`) or where shards live (`router.ts`).
 *
 * Invariants:
 * - one `subscribe` on the way per subscription; every attempt has its own id and gives up the one before;
 * - a subscription that has started survives anything but its refusal or its own `close`;
 * - one that cannot start is ended after a bounded time.
 */
import type { Clock } from "../../../lib/clock.js";
import type { Random } from "../../../lib/random.js";
import type { ActorError, ChannelAddress, ChannelItem, ChannelSink, SlotItem, Subscription } from "../client.js";
import type { Caller } from "../definition.js";
import type { EndpointId, Link } from "../link.js";
import type { ActorAddress } from "../ports.js";
import { Hubs } from "./hubs.js";
import type { Router } from "./router.js";
import { type ActorClientSettings, reroutePauseMs } from "./settings.js";
import { begin, forgetBuffers, type Start, type Subscriber, takeEvent, takeSlot } from "./subscription.js";
import { createTimerWheel } from "./timer-wheel.js";

export interface SubscriptionStats {
  readonly subscriptions: number;
  readonly channels: number;
  /** Times that a subscription had to ask anew. */
  readonly resubscribed: number;
}

export interface Subscriptions {
  subscribe(
    channel: ChannelAddress,
    caller: Caller,
    from: { epoch: number; offset: number } | null,
    sink: ChannelSink,
  ): Subscription;
  subscribed(start: Start): void;
  /** False when the id is not of a subscription. */
  failed(from: EndpointId, id: number, error: ActorError, owner: EndpointId | undefined): boolean;
  event(from: EndpointId, of: ActorAddress, channel: string, item: ChannelItem): void;
  slot(from: EndpointId, of: ActorAddress, channel: string, item: SlotItem): void;
  /** After the router has been told. */
  peer(id: EndpointId, change: "up" | "down"): void;
  /** After the router has been told. */
  moved(shards: readonly number[]): void;
  stats(): SubscriptionStats;
  close(): void;
}

const WHEEL_SLOTS = 1_024;

export function createSubscriptions(options: {
  readonly link: Link;
  readonly router: Router;
  readonly clock: Clock;
  readonly random: Random;
  readonly settings: ActorClientSettings;
  readonly nextId: () => number;
}): Subscriptions {
  const { link, router, clock, random, settings, nextId } = options;
  const hubs = new Hubs();
  /** Starting and live ones by the id of their present attempt. */
  const byId = new Map<number, Subscriber>();
  const parked = new Set<Subscriber>();
  const wheel = createTimerWheel<Subscriber>({ clock, tickMs: settings.tickMs, slots: WHEEL_SLOTS, expire });
  let total = 0;
  let resubscribed = 0;
  let closed = false;

  /** Ends the present attempt; the endpoint is told unless it is gone. */
  function abandon(subscriber: Subscriber, tell: boolean): void {
    const { hub, target, id } = subscriber;
    parked.delete(subscriber);
    wheel.disarm(subscriber);
    forgetBuffers(subscriber);
    if (target === null) return;
    byId.delete(id);
    subscriber.target = null;
    if (tell) link.send(target, { t: "unsubscribe", id, to: hub.address, channel: hub.channel });
  }

  function remove(subscriber: Subscriber, tell: boolean): void {
    abandon(subscriber, tell);
    subscriber.phase = "closed";
    total -= 1;
    const { hub } = subscriber;
    hub.subscribers.delete(subscriber);
    if (hub.subscribers.size === 0) hubs.remove(hub);
  }

  function end(subscriber: Subscriber, error: ActorError, tell: boolean): void {
    remove(subscriber, tell);
    subscriber.sink.ended(error);
  }

  function park(subscriber: Subscriber, pauseMs: number): void {
    subscriber.phase = "parked";
    parked.add(subscriber);
    const resumeAt = clock.monotonic() + pauseMs;
    const due = subscriber.started ? resumeAt : Math.min(resumeAt, subscriber.giveUpAt);
    if (due !== Number.POSITIVE_INFINITY) wheel.arm(subscriber, due);
  }

  /** Asks the owner, or waits for there to be one. */
  function route(subscriber: Subscriber): void {
    const { hub, caller, from, started } = subscriber;
    const target = router.targetOf(hub.shard);
    if (target === null) {
      park(subscriber, Number.POSITIVE_INFINITY);
      return;
    }
    if (started) resubscribed += 1;
    subscriber.phase = "starting";
    subscriber.strayed = false;
    subscriber.id = nextId();
    subscriber.target = target;
    byId.set(subscriber.id, subscriber);
    wheel.arm(subscriber, clock.monotonic() + settings.subscribeTimeoutMs);
    const { address: to, channel } = hub;
    link.send(target, {
      t: "subscribe",
      id: subscriber.id,
      to,
      channel,
      caller,
      from: from === null ? null : { ...from },
    });
  }

  function again(subscriber: Subscriber, tell: boolean): void {
    abandon(subscriber, tell);
    route(subscriber);
  }

  /** Asks again after a pause that grows with the attempts. */
  function later(subscriber: Subscriber, leastMs: number): void {
    abandon(subscriber, false);
    subscriber.attempts += 1;
    park(subscriber, Math.max(leastMs, reroutePauseMs(settings, subscriber.attempts, random.next())));
  }

  function expire(subscriber: Subscriber): void {
    if (!subscriber.started && clock.monotonic() >= subscriber.giveUpAt) {
      end(subscriber, { code: "unavailable", temporary: true, retryAfterMs: settings.retryAfterMs }, true);
      return;
    }
    again(subscriber, true);
  }

  function acknowledgeAt(subscriber: Subscriber): void {
    const { acknowledged, target, hub, phase } = subscriber;
    if (acknowledged === null || target === null || phase !== "live") return;
    link.send(target, { t: "acknowledge", to: hub.address, channel: hub.channel, ...acknowledged });
  }

  return {
    subscribe(channel, caller, from, sink) {
      if (closed || total >= settings.maxSubscriptions) {
        const code = closed ? "unavailable" : "overloaded";
        // Not within the call: the caller has no handle on the subscription yet.
        queueMicrotask(() => sink.ended({ code, temporary: true, retryAfterMs: settings.retryAfterMs }));
        return { acknowledge() {}, close() {} };
      }
      const subscriber: Subscriber = {
        hub: hubs.open(channel, channel.channel),
        caller,
        sink,
        phase: "parked",
        id: 0,
        target: null,
        from: from === null ? null : { epoch: from.epoch, offset: from.offset },
        started: false,
        strayed: false,
        giveUpAt: clock.monotonic() + settings.subscribeGiveUpMs,
        attempts: 0,
        events: [],
        slots: new Map(),
        bufferOverflowed: false,
        versions: new Map(),
        acknowledged: null,
        dueAt: 0,
        wheelNext: null,
        wheelPrevious: null,
      };
      total += 1;
      subscriber.hub.subscribers.add(subscriber);
      route(subscriber);
      return {
        acknowledge(epoch, offset) {
          if (subscriber.phase === "closed") return;
          const before = subscriber.acknowledged;
          if (before !== null && before.epoch === epoch && before.offset >= offset) return;
          subscriber.acknowledged = { epoch, offset };
          acknowledgeAt(subscriber);
        },
        close() {
          if (subscriber.phase !== "closed") remove(subscriber, true);
        },
      };
    },

    subscribed(start) {
      const subscriber = byId.get(start.id);
      if (subscriber === undefined || subscriber.phase !== "starting") return;
      wheel.disarm(subscriber);
      const joined = begin(subscriber, start, settings);
      // Its sink may have closed it just now.
      if (!subscriber.hub.subscribers.has(subscriber)) return;
      if (!joined) again(subscriber, true);
      else if (subscriber.acknowledged?.epoch === start.epoch) acknowledgeAt(subscriber);
    },

    failed(from, id, error, owner) {
      const subscriber = byId.get(id);
      if (subscriber === undefined) return false;
      if (error.code === "not_owner") {
        router.wrongRoute(subscriber.hub.shard, from, owner);
        const next = router.targetOf(subscriber.hub.shard);
        if (subscriber.attempts === 0 && next !== null && next !== from) {
          subscriber.attempts += 1;
          again(subscriber, false);
        } else {
          later(subscriber, 0);
        }
      } else if (error.temporary) {
        later(subscriber, error.retryAfterMs ?? 0);
      } else {
        end(subscriber, error, false);
      }
      return true;
    },

    event(from, of, channel, item) {
      const hub = hubs.find(of, channel);
      if (hub === undefined) return;
      for (const subscriber of hub.subscribers)
        if (subscriber.target === from && !takeEvent(subscriber, item, settings)) again(subscriber, true);
    },

    slot(from, of, channel, item) {
      const hub = hubs.find(of, channel);
      if (hub === undefined) return;
      for (const subscriber of hub.subscribers) if (subscriber.target === from) takeSlot(subscriber, item, settings);
    },

    peer(id, change) {
      if (change === "up") {
        for (const subscriber of [...parked])
          if (router.targetOf(subscriber.hub.shard) === id) again(subscriber, false);
        // The shard went to this endpoint while it was out of reach: the old owner says nothing any more.
        for (const subscriber of [...byId.values()])
          if (subscriber.strayed && router.targetOf(subscriber.hub.shard) === id) again(subscriber, true);
        return;
      }
      for (const subscriber of [...byId.values()]) if (subscriber.target === id) again(subscriber, false);
    },

    moved(shards) {
      const changed = new Set(shards);
      for (const subscriber of [...byId.values(), ...parked]) {
        if (!changed.has(subscriber.hub.shard)) continue;
        const target = router.targetOf(subscriber.hub.shard);
        // While the new owner is not up the old one may still speak.
        // A shard that went to somebody out of reach and came back: the old owner has forgotten who listened.
        if (target === subscriber.target ? subscriber.strayed : target !== null) again(subscriber, true);
        else if (target === null) subscriber.strayed = true;
      }
    },

    stats: () => ({ subscriptions: total, channels: hubs.size, resubscribed }),

    close() {
      closed = true;
      for (const hub of [...hubs.all()])
        for (const subscriber of [...hub.subscribers]) end(subscriber, { code: "unavailable", temporary: true }, true);
      wheel.close();
    },
  };
}
