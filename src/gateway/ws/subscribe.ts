/**
 * SUB, UNSUB and ACK. Owns what a socket hears of a channel: SUBBED first, then either the missed events (reliable,
 * recovered) or a snapshot, then what happens live.
 *
 * Invariants (rule 15): offsets handed to a socket strictly rise; after SUBBED with `recovered` false nothing older than
 * the snapshot follows; a waiting slot of an ended subscription is never sent.
 */
import type { ActorError, ChannelItem, SlotItem, Subscription } from "../../actors/runtime/mod.js";
import { ANNOUNCEMENTS_CHANNEL, CHANNELS, type ChannelFamily, isId, isRoomId, OP } from "../../protocol/mod.js";
import { mayListen } from "../auth/access.js";
import { followOrder } from "../fanout/order-feed.js";
import { announcementSubscription } from "./announcements.js";
import type { Connection, OpenState, SocketSubscription } from "./connection.js";
import type { Outbox } from "./outbox.js";
import { type SocketDeps, sendError, sendRefusal } from "./session.js";

interface From {
  readonly epoch: number;
  readonly offset: number;
}

/** Slots of a socket are named by channel and key; a space is in neither. */
const slotName = (channel: string, key: string): string => `${channel} ${key}`;

const isKeyOf = (family: string, key: string): boolean =>
  family === "room" || family === "room-state" ? isRoomId(key) : isId(key);

/** Channels whose key is the caller's own id. */
const OWN: ReadonlySet<string> = new Set<ChannelFamily>(["driver", "restaurant", "restaurant-state"]);

function isFamily(name: string): name is ChannelFamily {
  return Object.hasOwn(CHANNELS, name);
}

export function subscribe(
  deps: SocketDeps,
  connection: Connection,
  state: OpenState,
  requestId: number,
  channel: string,
  from: From | null,
): void {
  const { context } = deps;
  const colon = channel.indexOf(":");
  const family = channel.slice(0, Math.max(0, colon));
  const key = channel.slice(colon + 1);
  const announcements = family === ANNOUNCEMENTS_CHANNEL ? context.announcements : null;
  if ((announcements === null && !isFamily(family)) || !isKeyOf(family, key)) {
    sendRefusal(deps, connection, requestId, "unknown_channel");
    return;
  }
  const { principal } = state;
  if (isFamily(family) && !mayListen(family, principal.role)) {
    sendRefusal(deps, connection, requestId, "forbidden");
    return;
  }
  // Drivers and restaurants hear of themselves alone. Customers are judged by the order itself.
  if (OWN.has(family) && key !== principal.id) {
    sendRefusal(deps, connection, requestId, "not_found");
    return;
  }
  // Every SUB wakes an actor and may send a whole snapshot: it costs what reading the same by HTTP costs.
  const waitMs = context.tiers.takeFor(principal, "browse", context.clock.monotonic());
  if (waitMs > 0) {
    sendRefusal(deps, connection, requestId, "rate_limited", undefined, waitMs);
    return;
  }
  // Asking again starts again: the first subscription ends without a word.
  end(deps, connection, state, channel);
  if ((state.subscriptions?.size ?? 0) >= context.settings.maxSubscriptions) {
    sendRefusal(deps, connection, requestId, "overloaded", {
      maxSubscriptions: context.settings.maxSubscriptions,
    });
    return;
  }
  const ended = (subscription: SocketSubscription, error: ActorError): void => {
    if (state.subscriptions?.get(channel) === subscription) end(deps, connection, state, channel);
    sendError(deps, connection, requestId, error);
  };
  const open = (): Starting => {
    if (announcements !== null) {
      return announcementSubscription(context, announcements, connection, state, requestId, key);
    }
    return family === "order"
      ? orderSubscription(deps, connection, state, requestId, channel, key, from, ended)
      : channelSubscription(deps, connection, state, requestId, channel, family as ActorFamily, key, from, ended);
  };
  const subscription = open();
  state.subscriptions ??= new Map();
  state.subscriptions.set(channel, subscription);
  context.stats.subscriptions++;
  subscription.start();
}

export function unsubscribe(
  deps: SocketDeps,
  connection: Connection,
  state: OpenState,
  requestId: number,
  channel: string,
): void {
  end(deps, connection, state, channel);
  connection.frame([OP.reply, requestId, null]);
}

export function acknowledge(state: OpenState, channel: string, epoch: number, offset: number): void {
  // One that crosses an UNSUB on the way means nothing and harms nothing.
  state.subscriptions?.get(channel)?.acknowledge(epoch, offset);
}

function end(deps: SocketDeps, connection: Connection, state: OpenState, channel: string): void {
  const subscription = state.subscriptions?.get(channel);
  if (subscription === undefined) return;
  state.subscriptions?.delete(channel);
  deps.context.stats.subscriptions--;
  subscription.close();
  connection.clearAll(slotName(channel, ""));
}

/** A subscription that is registered before it is started, so that an answer within `start` finds it. */
interface Starting extends SocketSubscription {
  start(): void;
}

type ActorFamily = Exclude<ChannelFamily, "order">;
type Ended = (subscription: SocketSubscription, error: ActorError) => void;

function orderSubscription(
  deps: SocketDeps,
  connection: Connection,
  state: OpenState,
  requestId: number,
  channel: string,
  orderId: string,
  from: From | null,
  ended: Ended,
): Starting {
  const { context } = deps;
  const outbox: Outbox = connection;
  const viewSlot = slotName(channel, "view");
  const positionSlot = slotName(channel, "position");
  let feed: { close(): void } | null = null;
  let closed = false;
  const subscription: Starting = {
    requestId,
    start() {
      const opened = followOrder(
        context,
        orderId,
        { id: state.principal.id, role: state.principal.role },
        from?.offset ?? null,
        {
          started: (epoch, version, unchanged) => outbox.frame([OP.subbed, channel, epoch, version, unchanged]),
          view(item) {
            outbox.latest(
              viewSlot,
              context.lastBroadcast.of(channel, item, () => stateFrame(channel, item)),
            );
          },
          position: (broadcast) => outbox.latest(positionSlot, broadcast),
          clearPosition: () => outbox.clear(positionSlot),
          ended: (error) => ended(subscription, error),
        },
      );
      if (closed) opened.close();
      else feed = opened;
    },
    acknowledge() {},
    close() {
      closed = true;
      feed?.close();
    },
  };
  return subscription;
}

function channelSubscription(
  deps: SocketDeps,
  connection: Connection,
  state: OpenState,
  requestId: number,
  channel: string,
  family: ActorFamily,
  key: string,
  from: From | null,
  ended: Ended,
): Starting {
  const { context } = deps;
  const outbox: Outbox = connection;
  const { actor, channel: name, delivery } = CHANNELS[family];
  let upstream: Subscription | null = null;
  let closed = false;
  let started = false;
  let lastOffset = 0;

  function event(item: ChannelItem): void {
    if (closed || item.offset <= lastOffset) return;
    lastOffset = item.offset;
    outbox.broadcast(
      context.lastBroadcast.of(channel, item, () => [OP.event, channel, item.offset, item.type, item.at, item.body]),
    );
  }
  function slot(item: SlotItem): void {
    if (closed) return;
    const broadcast = context.lastBroadcast.of(channel, item, () => stateFrame(channel, item));
    // The snapshot of a reliable channel belongs to the order of its events; it must not wait behind them.
    if (delivery === "reliable") outbox.broadcast(broadcast);
    else outbox.latest(slotName(channel, item.slot), broadcast);
  }

  const subscription: Starting = {
    requestId,
    start() {
      const opened = context.client.subscribe(
        { kind: actor, key, channel: name },
        { id: state.principal.id, role: state.principal.role },
        delivery === "reliable" ? from : null,
        {
          subscribed(start) {
            if (closed) return;
            outbox.together(() => {
              if (!started || !start.recovered) {
                outbox.frame([OP.subbed, channel, start.epoch, start.top, start.recovered]);
                lastOffset = start.recovered ? (from?.offset ?? 0) : start.top;
              }
              started = true;
              if (!start.recovered) for (const item of start.slots) slot(item);
              for (const item of start.events) event(item);
            });
          },
          event,
          slot,
          ended(error) {
            if (!closed) ended(subscription, error);
          },
        },
      );
      if (closed) opened.close();
      else upstream = opened;
    },
    acknowledge(epoch, offset) {
      if (delivery === "reliable" && offset <= lastOffset) upstream?.acknowledge(epoch, offset);
    },
    close() {
      closed = true;
      upstream?.close();
    },
  };
  return subscription;
}

function stateFrame(channel: string, item: SlotItem) {
  return [OP.state, channel, item.slot, item.version, item.at, item.ttlMs, item.body] as const;
}
