/**
 * One subscription's progress through a channel: what its sink has been given, and what it may be given next. Pure
 * bookkeeping: sending and routing are `subscriptions.ts`'s.
 *
 * Invariants, as long as its sink's channel keeps its history:
 * - the sink gets every event of a reliable channel once, in order of offsets: no gap, no repeat;
 * - the sink never gets a slot's value older than one it has;
 * - nothing is given after the subscription was closed.
 */
import type { ChannelItem, ChannelSink, SlotItem } from "../client.js";
import type { Caller } from "../definition.js";
import type { EndpointId, LinkMessage } from "../link.js";
import type { ActorAddress } from "../ports.js";
import type { WheelEntry } from "./timer-wheel.js";

/** One channel of one actor, with the local subscriptions to it. */
export interface Hub {
  readonly address: ActorAddress;
  readonly channel: string;
  readonly shard: number;
  readonly subscribers: Set<Subscriber>;
}

export type Start = Extract<LinkMessage, { t: "subscribed" }>;

export interface Subscriber extends WheelEntry {
  readonly hub: Hub;
  readonly caller: Caller;
  readonly sink: ChannelSink;
  /** `parked`: no owner to ask. `starting`: asked, live messages are buffered. `live`: the sink gets them at once. */
  phase: "parked" | "starting" | "live" | "closed";
  /** Of the present attempt: an answer to an earlier one is not ours any more. */
  id: number;
  target: EndpointId | null;
  /** Where to go on from. */
  from: { epoch: number; offset: number } | null;
  /** The sink has been told a start. */
  started: boolean;
  /** Its shard has left the target for an owner that could not be reached: the target may have let go without a word. */
  strayed: boolean;
  /** Monotonic milliseconds; for one that has not started yet. */
  readonly giveUpAt: number;
  attempts: number;
  events: ChannelItem[];
  slots: Map<string, SlotItem>;
  /** Something was not buffered for want of room. */
  bufferOverflowed: boolean;
  /** Greatest version given per slot, oldest change first. */
  readonly versions: Map<string, readonly [number, number]>;
  acknowledged: { epoch: number; offset: number } | null;
}

const isNewer = (a: readonly [number, number], b: readonly [number, number] | undefined): boolean =>
  b === undefined || a[0] > b[0] || (a[0] === b[0] && a[1] > b[1]);

export interface Bounds {
  readonly maxBuffered: number;
  readonly maxSlots: number;
}

/** False when there is a gap before the event: the subscription has to go back to where it was. */
export function takeEvent(subscriber: Subscriber, item: ChannelItem, bounds: Bounds): boolean {
  switch (subscriber.phase) {
    case "starting":
      if (subscriber.events.length < bounds.maxBuffered) subscriber.events.push(item);
      else subscriber.bufferOverflowed = true;
      return true;
    case "live":
      return giveEvent(subscriber, item);
    case "parked":
    case "closed":
      return true;
  }
}

export function takeSlot(subscriber: Subscriber, item: SlotItem, bounds: Bounds): void {
  switch (subscriber.phase) {
    case "starting":
      if (subscriber.slots.size < bounds.maxSlots || subscriber.slots.has(item.slot)) {
        if (isNewer(item.version, subscriber.slots.get(item.slot)?.version)) subscriber.slots.set(item.slot, item);
      } else {
        subscriber.bufferOverflowed = true;
      }
      return;
    case "live":
      giveSlot(subscriber, item, bounds);
      return;
    case "parked":
    case "closed":
      return;
  }
}

/** Gives the sink the start and what was buffered meanwhile. False when they do not join: ask again from `from`. */
export function begin(subscriber: Subscriber, start: Start, bounds: Bounds): boolean {
  const { events, slots, bufferOverflowed } = subscriber;
  forgetBuffers(subscriber);
  subscriber.phase = "live";
  subscriber.attempts = 0;
  if (subscriber.started && start.recovered) {
    for (const item of start.events) if (!giveReplayed(subscriber, item)) return true;
    for (const item of start.slots) giveSlot(subscriber, item, bounds);
  } else {
    // What the snapshot replaces is forgotten, versions too: only what is later than the snapshot counts now.
    subscriber.versions.clear();
    for (const item of start.slots) noteVersion(subscriber, item, bounds);
    const { epoch, top, recovered } = start;
    subscriber.started = true;
    subscriber.from = { epoch, offset: start.events.at(-1)?.offset ?? top };
    subscriber.sink.subscribed({ epoch, top, recovered, events: start.events, slots: start.slots });
  }
  // Read through a function: the sink may have closed the subscription just now.
  if (!isLive(subscriber)) return true;
  subscriber.from = { epoch: start.epoch, offset: Math.max(subscriber.from?.offset ?? 0, start.top) };
  if (bufferOverflowed) return false;
  for (const item of events) if (isLive(subscriber) && !giveEvent(subscriber, item)) return false;
  for (const item of slots.values()) giveSlot(subscriber, item, bounds);
  return true;
}

export function forgetBuffers(subscriber: Subscriber): void {
  subscriber.events = [];
  subscriber.slots = new Map();
  subscriber.bufferOverflowed = false;
}

const isLive = (subscriber: Subscriber): boolean => subscriber.phase === "live";

/** Replayed events may have holes where the actor has trimmed; live ones may not. False once the sink has closed. */
function giveReplayed(subscriber: Subscriber, item: ChannelItem): boolean {
  const { from } = subscriber;
  if (from !== null && item.offset > from.offset) {
    from.offset = item.offset;
    subscriber.sink.event(item);
  }
  return isLive(subscriber);
}

function giveEvent(subscriber: Subscriber, item: ChannelItem): boolean {
  const { from } = subscriber;
  if (from === null || item.offset <= from.offset) return true;
  if (item.offset !== from.offset + 1) return false;
  from.offset = item.offset;
  subscriber.sink.event(item);
  return true;
}

function giveSlot(subscriber: Subscriber, item: SlotItem, bounds: Bounds): void {
  if (!isLive(subscriber) || !isNewer(item.version, subscriber.versions.get(item.slot))) return;
  noteVersion(subscriber, item, bounds);
  subscriber.sink.slot(item);
}

function noteVersion(subscriber: Subscriber, item: SlotItem, bounds: Bounds): void {
  const { versions } = subscriber;
  versions.delete(item.slot);
  versions.set(item.slot, item.version);
  if (versions.size <= bounds.maxSlots) return;
  for (const oldest of versions.keys()) {
    versions.delete(oldest);
    return;
  }
}
