/** A subscriber that writes down what it hears. */
import type { ActorError, ChannelItem, ChannelSink, SlotItem, Subscription } from "../client.js";

export interface Recorder {
  readonly starts: { epoch: number; top: number; recovered: boolean; slots: readonly SlotItem[] }[];
  /** Replayed and live events, in the order of arrival. */
  readonly events: ChannelItem[];
  /** Every slot value heard live. */
  readonly slots: SlotItem[];
  /** Why the subscription ended; null while it runs. */
  readonly ended: ActorError | null;
  /** The newest value of each slot, from the snapshot or live. */
  latest(): Record<string, unknown>;
  acknowledge(epoch: number, offset: number): void;
  close(): void;
}

export function record(subscribe: (sink: ChannelSink) => Subscription): Recorder {
  const newest = new Map<string, SlotItem>();
  const keep = (item: SlotItem): void => {
    const known = newest.get(item.slot);
    const newer =
      known === undefined ||
      item.version[0] > known.version[0] ||
      (item.version[0] === known.version[0] && item.version[1] > known.version[1]);
    if (newer) newest.set(item.slot, item);
  };
  const state: { ended: ActorError | null } = { ended: null };
  const starts: Recorder["starts"] = [];
  const events: ChannelItem[] = [];
  const slots: SlotItem[] = [];
  const subscription = subscribe({
    subscribed(start) {
      starts.push({ epoch: start.epoch, top: start.top, recovered: start.recovered, slots: start.slots });
      events.push(...start.events);
      if (!start.recovered) newest.clear();
      for (const slot of start.slots) keep(slot);
    },
    event: (item) => events.push(item),
    slot(item) {
      slots.push(item);
      keep(item);
    },
    ended(error) {
      state.ended = error;
    },
  });
  return {
    starts,
    events,
    slots,
    get ended() {
      return state.ended;
    },
    latest: () => Object.fromEntries([...newest].map(([slot, item]) => [slot, item.body])),
    acknowledge: (epoch, offset) => subscription.acknowledge(epoch, offset),
    close: () => subscription.close(),
  };
}
