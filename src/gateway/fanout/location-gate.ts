/**
 * The location gate: who may see where a driver is, for every order that somebody follows through this gateway.
 *
 * Owns: one gate per followed order, with the grant it believes open; one feed per driver with an open grant, shared by
 * all orders of the trip; the pace of positions per watcher. Does not own: what the order's status is (the order actor
 * says it), nor which fixes carry a grant (the driver actor stamps them).
 *
 * Invariants (rule 12): a position passes only if it is stamped with exactly the grant that is open here; a grant that
 * was closed never opens again; closing forgets the latest position and clears every watcher's slot before the closing
 * view is passed on, so that no position follows it; news older than what is known changes nothing; when the owner of
 * the order or of the driver has not been heard for `ownerSilenceMs`, nothing is shown.
 */
import type { Subscription } from "../../actors/runtime/mod.js";
import type { Clock } from "../../lib/clock.js";
import { type GrantedPosition, LOCATION_CHANNEL, OP, type OrderTracking, type OrderView } from "../../protocol/mod.js";
import type { GatewayClient } from "../ports.js";
import type { GatewayStats } from "../stats.js";
import { Broadcast } from "./broadcast.js";

/** Name of the slot that clients see. */
export const POSITION_SLOT = "position";
/** A driver who could not be listened to is asked for again after this. */
const LISTEN_AGAIN_MS = 5_000;
/** Closed grants remembered per order; far more than an order can have drivers. */
const MAX_CLOSED = 16;

/** One who follows one order: a socket's subscription, or a stream. */
export interface PositionWatcher {
  position(broadcast: Broadcast): void;
  /** Forget a position that has not left yet. */
  clearPosition(): void;
  /** Owned by the gate: when this watcher last got a position, monotonic. */
  positionSentAt: number;
}

interface Grant {
  readonly driverId: string;
  readonly number: number;
}

/** The frame is made anew for whoever comes later: thousands of them would be kept for the few that are asked for again. */
interface Latest {
  readonly grant: number;
  readonly position: GrantedPosition["position"];
  /** As the slot came. */
  readonly at: number;
  readonly ttlMs: number;
  /** Monotonic time after which it is no longer live. */
  readonly until: number;
}

export class OrderGate {
  readonly orderId: string;
  readonly watchers = new Set<PositionWatcher>();
  version = 0;
  grant: Grant | null = null;
  feed: DriverFeed | null = null;
  latest: Latest | null = null;
  closed: string[] = [];

  constructor(orderId: string) {
    this.orderId = orderId;
  }
}

interface DriverFeed {
  readonly driverId: string;
  readonly gates: Map<string, OrderGate>;
  subscription: Subscription | null;
}

const grantText = (grant: Grant): string => `${grant.driverId}/${grant.number}`;

function broadcastOf(orderId: string, { grant, position, at, ttlMs }: Latest): Broadcast {
  return new Broadcast([OP.state, `order:${orderId}`, POSITION_SLOT, [grant, position.at], at, ttlMs, position]);
}

export interface LocationGatesOptions {
  readonly client: GatewayClient;
  readonly clock: Clock;
  readonly gatewayId: string;
  readonly positionEveryMs: number;
  readonly ownerSilenceMs: number;
  readonly stats: GatewayStats;
}

export class LocationGates {
  readonly #options: LocationGatesOptions;
  readonly #gates = new Map<string, OrderGate>();
  readonly #feeds = new Map<string, DriverFeed>();
  /** Watchers that were too early for the newest position, and the gate that will give it to them. */
  readonly #waiting = new Map<PositionWatcher, OrderGate>();
  /** Gates with a grant whose driver could not be listened to, and when to try again (monotonic). */
  readonly #unfed = new Map<OrderGate, number>();

  constructor(options: LocationGatesOptions) {
    this.#options = options;
  }

  /** Starts following. Positions come once the order's tracking has been heard and only while its grant is open. */
  join(orderId: string, watcher: PositionWatcher): OrderGate {
    let gate = this.#gates.get(orderId);
    if (gate === undefined) {
      gate = new OrderGate(orderId);
      this.#gates.set(orderId, gate);
    }
    gate.watchers.add(watcher);
    return gate;
  }

  leave(gate: OrderGate, watcher: PositionWatcher): void {
    this.#waiting.delete(watcher);
    gate.watchers.delete(watcher);
    if (gate.watchers.size > 0) return;
    if (gate.grant !== null) this.#options.stats.openGrants--;
    gate.grant = null;
    this.#leaveFeed(gate);
    this.#unfed.delete(gate);
    this.#gates.delete(gate.orderId);
  }

  /** Passes the newest position on to one who has just come, if it is still live. */
  catchUp(gate: OrderGate, watcher: PositionWatcher): void {
    const latest = gate.latest;
    const now = this.#options.clock.monotonic();
    if (latest === null || latest.until <= now || !this.#heard(gate)) return;
    this.#give(watcher, broadcastOf(gate.orderId, latest), now);
  }

  /** The internal slot `tracking` of an order. */
  tracking(gate: OrderGate, tracking: OrderTracking): void {
    if (tracking.version < gate.version) return;
    gate.version = tracking.version;
    this.#setGrant(gate, tracking.view.status === "picked_up" ? tracking.grant : null);
  }

  /** The view that is about to be passed on: one that is not on the way closes the gate first. */
  view(gate: OrderGate, view: OrderView): void {
    if (view.version <= gate.version) return;
    gate.version = view.version;
    if (view.status !== "picked_up") this.#setGrant(gate, null);
  }

  /** Gives held positions to those whose time has come, and listens again where it failed. Called a few times a second. */
  tick(): void {
    if (this.#waiting.size === 0 && this.#unfed.size === 0) return;
    const now = this.#options.clock.monotonic();
    for (const [gate, at] of this.#unfed) {
      if (at > now) continue;
      this.#unfed.delete(gate);
      if (gate.grant !== null && gate.feed === null) this.#joinFeed(gate, gate.grant.driverId);
    }
    for (const [watcher, gate] of this.#waiting) {
      if (now - watcher.positionSentAt < this.#options.positionEveryMs) continue;
      this.#waiting.delete(watcher);
      const latest = gate.latest;
      if (latest !== null && latest.until > now && this.#heard(gate)) {
        this.#give(watcher, broadcastOf(gate.orderId, latest), now);
      }
    }
  }

  close(): void {
    for (const feed of this.#feeds.values()) feed.subscription?.close();
    this.#feeds.clear();
    this.#gates.clear();
    this.#waiting.clear();
    this.#unfed.clear();
  }

  #setGrant(gate: OrderGate, next: Grant | null): void {
    const current = gate.grant;
    if (current !== null && next !== null && current.driverId === next.driverId && current.number === next.number) {
      if (gate.feed === null) this.#joinFeed(gate, current.driverId);
      return;
    }
    if (current !== null) {
      gate.closed.push(grantText(current));
      if (gate.closed.length > MAX_CLOSED) gate.closed.shift();
      gate.grant = null;
      gate.latest = null;
      this.#options.stats.openGrants--;
      this.#leaveFeed(gate);
      for (const watcher of gate.watchers) {
        this.#waiting.delete(watcher);
        watcher.clearPosition();
      }
    }
    if (next === null || gate.closed.includes(grantText(next))) return;
    gate.grant = next;
    this.#options.stats.openGrants++;
    this.#joinFeed(gate, next.driverId);
  }

  #joinFeed(gate: OrderGate, driverId: string): void {
    let feed = this.#feeds.get(driverId);
    if (feed === undefined) {
      feed = { driverId, gates: new Map(), subscription: null };
      this.#feeds.set(driverId, feed);
      this.#options.stats.driverFeeds++;
      gate.feed = feed;
      feed.gates.set(gate.orderId, gate);
      this.#listen(feed);
      return;
    }
    gate.feed = feed;
    feed.gates.set(gate.orderId, gate);
  }

  #listen(feed: DriverFeed): void {
    const { client, gatewayId } = this.#options;
    const slot = (item: { readonly at: number; readonly ttlMs: number; readonly body: unknown }): void => {
      if (this.#feeds.get(feed.driverId) === feed)
        this.#position(feed, item.body as GrantedPosition, item.at, item.ttlMs);
    };
    feed.subscription = client.subscribe(
      { kind: LOCATION_CHANNEL.actor, key: feed.driverId, channel: LOCATION_CHANNEL.channel },
      { id: gatewayId, role: "gateway" },
      null,
      {
        subscribed: (start) => start.slots.forEach(slot),
        event() {},
        slot,
        ended: () => {
          if (this.#feeds.get(feed.driverId) !== feed) return;
          // Until it is tried again, or the order has news, its followers see the status without a position.
          const again = this.#options.clock.monotonic() + LISTEN_AGAIN_MS;
          for (const gate of feed.gates.values()) this.#unfed.set(gate, again);
          this.#dropFeed(feed);
        },
      },
    );
    // The feed may have ended, or its last follower left, while it was being opened.
    if (this.#feeds.get(feed.driverId) !== feed) feed.subscription.close();
  }

  #leaveFeed(gate: OrderGate): void {
    const feed = gate.feed;
    gate.feed = null;
    if (feed === null) return;
    feed.gates.delete(gate.orderId);
    if (feed.gates.size === 0) this.#dropFeed(feed);
  }

  #dropFeed(feed: DriverFeed): void {
    this.#feeds.delete(feed.driverId);
    this.#options.stats.driverFeeds--;
    for (const gate of feed.gates.values()) gate.feed = null;
    feed.subscription?.close();
  }

  #position(feed: DriverFeed, granted: GrantedPosition | null, at: number, ttlMs: number): void {
    if (granted === null) return;
    const gate = feed.gates.get(granted.orderId);
    const grant = gate?.grant;
    if (gate === undefined || grant === null || grant === undefined) return;
    if (grant.driverId !== feed.driverId || grant.number !== granted.grant) return;
    const position: GrantedPosition["position"] | null = granted.position;
    if (position === null) return;
    if (gate.latest !== null && position.at <= gate.latest.position.at) return;
    if (!this.#heard(gate)) return;
    const now = this.#options.clock.monotonic();
    const latest = { grant: grant.number, position, at, ttlMs, until: now + ttlMs };
    gate.latest = latest;
    const broadcast = broadcastOf(gate.orderId, latest);
    for (const watcher of gate.watchers) {
      if (now - watcher.positionSentAt >= this.#options.positionEveryMs) this.#give(watcher, broadcast, now);
      else {
        this.#options.stats.positionsHeld++;
        this.#waiting.set(watcher, gate);
      }
    }
  }

  #give(watcher: PositionWatcher, broadcast: Broadcast, now: number): void {
    watcher.positionSentAt = now;
    this.#waiting.delete(watcher);
    this.#options.stats.positionsOut++;
    watcher.position(broadcast);
  }

  #heard(gate: OrderGate): boolean {
    const { client, ownerSilenceMs } = this.#options;
    if (client.silenceMs === undefined || gate.grant === null) return true;
    return (
      client.silenceMs({ kind: "order", key: gate.orderId }) < ownerSilenceMs &&
      client.silenceMs({ kind: "driver", key: gate.grant.driverId }) < ownerSilenceMs
    );
  }
}
