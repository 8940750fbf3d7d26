/**
 * A kitchen's tablet: the orders of its restaurant on this device, none missed and none twice.
 *
 * Owns: the orders on the device and their copy in its storage, where in the inbox the device is, what is acknowledged,
 * and the comparison with the node. Does not own: the socket, and how orders are shown.
 *
 * Invariants: an order is told to the application as new once, whatever is pushed again, replayed or sent as a snapshot,
 * over reloads too; an event is acknowledged only after the storage has the orders it made, together with its offset; a
 * difference from the node's list is repaired and counted; no order's status goes back. While no socket comes through, the
 * comparison is made by HTTP every few seconds and is the tablet's only news: then it repairs nothing and counts nothing.
 */
import type { Clock } from "../src/lib/clock.js";
import {
  type AlertStep,
  type DriverCard,
  type InboxSnapshot,
  isTerminal,
  type LeftKitchen,
  type OpenTabletOrder,
  type OrderStatus,
  type Reconciled,
  type TabletDoors,
  type TabletEvent,
  type TabletOrder,
} from "../src/protocol/mod.js";
import type { ChannelSubscription } from "./channels.js";
import type { Client } from "./client.js";
import type { SwiftEatsError } from "./errors.js";
import type { DurableStorage } from "./indexed-db.js";
import { substitute } from "./substitute.js";

export interface TabletEntry extends TabletOrder {
  readonly status: OrderStatus;
  readonly driver?: DriverCard;
  /** What the kitchen promised on this device, ms since the epoch. */
  readonly promisedAt?: number;
  /** By which ways the restaurant was reached for because nobody answered. */
  readonly alerts?: readonly AlertStep[];
  /** Why it ended. */
  readonly reason?: string;
  /** When it ended or left the house, by the node's clock. Absent: it is open. */
  readonly endedAt?: number;
}

export type TabletSource = "socket" | "poll";

export interface TabletHandlers {
  /** An order that this device did not have: ring. `at`: when the node pushed it; of a snapshot or a repair, now. */
  arrived?(order: TabletEntry, at: number): void;
  /** Anything else changed; read `orders` and `doors` again. */
  changed?(): void;
  /** The node has answered: from now on what is here is what there is. */
  heard?(): void;
  /** Who brings the news from now on; null while nobody does. */
  source?(source: TabletSource | null): void;
  /** The inbox is closed to this tablet for good. */
  ended?(error: SwiftEatsError): void;
}

export interface TabletOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly restaurantId: string;
  /** IndexedDB in a browser, a file on Node. Null: nothing outlives the page, and orders are acknowledged when shown. */
  readonly storage: DurableStorage | null;
  readonly storageKey?: string;
  /** As people call the device: "Counter". */
  readonly name?: string;
  /** Between two comparisons with the node while connected. */
  readonly compareEveryMs?: number;
  /** How long the socket may be away before comparisons are made by HTTP, and how often they are then, in milliseconds. */
  readonly patienceMs?: number;
  readonly pollMs?: number;
}

export interface TabletStats {
  /** Orders told as new. */
  readonly arrived: number;
  readonly compared: number;
  /** Orders that a comparison had to add, correct or take away. */
  readonly repaired: number;
}

interface Kept {
  /** Null: polls brought the orders; a socket starts from a snapshot. */
  readonly epoch: number | null;
  readonly offset: number;
  readonly orders: readonly TabletEntry[];
}

const COMPARE_EVERY_MS = 60_000;
const COMPARE_WITHIN_MS = 15_000;
const PATIENCE_MS = 5_000;
/** A new order shall not take longer than five seconds to be seen. */
const POLL_MS = 3_000;
/** What has just come is stored by then, and named with the next poll: so the node learns that a device has it. */
const NAME_SOON_MS = 250;
/** Ended orders stay on the device: a late repetition of theirs is recognised. */
const MOST_ENDED = 100;
const MOST_NAMED = 300;

export class Tablet {
  readonly #options: TabletOptions;
  readonly #handlers: TabletHandlers;
  readonly #key: string;
  readonly #orders = new Map<string, TabletEntry>();
  #doors: TabletDoors | null = null;
  #subscription: ChannelSubscription | null = null;
  #stopFollowing: () => void = () => undefined;
  #stopComparing: () => void = () => undefined;
  #road: ChannelSubscription | null = null;
  #source: TabletSource | null = null;
  /** Orders that the device's storage has. */
  #stored: ReadonlySet<string> = new Set();
  #comparing = false;
  #writing = false;
  #closed = false;
  #arrived = 0;
  #compared = 0;
  #repaired = 0;

  /** Takes up what the device's storage holds. Nothing is asked of the node before `start`. */
  constructor(options: TabletOptions, handlers: TabletHandlers = {}) {
    this.#options = options;
    this.#handlers = handlers;
    this.#key = options.storageKey ?? `swift-eats.tablet.${options.restaurantId}`;
  }

  /** Every order on the device, ended ones for a while too, in the order of arrival. */
  get orders(): ReadonlyMap<string, TabletEntry> {
    return this.#orders;
  }

  /** Whether the restaurant takes orders, and why not. Null: not heard yet. */
  get doors(): TabletDoors | null {
    return this.#doors;
  }

  stats(): TabletStats {
    return { arrived: this.#arrived, compared: this.#compared, repaired: this.#repaired };
  }

  get source(): TabletSource | null {
    return this.#source;
  }

  start(): void {
    const { client, clock, restaurantId, storage, patienceMs, pollMs } = this.#options;
    const kept = readKept(storage?.getItem(this.#key) ?? null);
    for (const order of kept?.orders ?? []) this.#orders.set(order.orderId, order);
    this.#stored = new Set(this.#orders.keys());
    this.#listen(kept === null || kept.epoch === null ? null : { epoch: kept.epoch, offset: kept.offset });
    this.#road = client.subscribe(`restaurant-state:${restaurantId}`, {
      state: ({ body }) => {
        const { orderId, status, at } = body as unknown as LeftKitchen;
        if (!this.#change(orderId, { status }, at)) return;
        this.#keep();
        this.#handlers.changed?.();
      },
    });
    const follow = (): void => {
      if (client.state.name === "live") {
        this.#from("socket");
        void this.compare();
      } else if (this.#source === "socket") this.#from(null);
    };
    const stopFollowing = client.onState(follow);
    const polls = substitute<readonly [Reconciled, readonly string[]]>(client, clock, {
      patienceMs: patienceMs ?? PATIENCE_MS,
      everyMs: pollMs ?? POLL_MS,
      ask: async (signal) => {
        const body = this.#holding();
        return [await client.http.command("restaurant.tablet", body, { signal }), body.holds];
      },
      answered: ([answer, holds]) => {
        // What is in these answers would go backwards if its events were told once more.
        if (this.#source !== "poll") this.#listen(null);
        this.#from("poll");
        const arrived = this.#repair(answer, holds);
        this.#handlers.heard?.();
        return arrived > 0 ? NAME_SOON_MS : undefined;
      },
      changed: (running) => {
        if (!running && this.#source === "poll") this.#from(null);
      },
      refused: (error) => this.#ended(error),
    });
    this.#stopFollowing = () => {
      stopFollowing();
      polls.stop();
    };
    const everyMs = this.#options.compareEveryMs ?? COMPARE_EVERY_MS;
    this.#stopComparing = clock.every(everyMs, () => {
      if (client.state.name === "live") void this.compare();
    });
    follow();
    if (client.state.name !== "live") client.connect();
  }

  #listen(from: { readonly epoch: number; readonly offset: number } | null): void {
    this.#subscription = this.#options.client.subscribe(
      `restaurant:${this.#options.restaurantId}`,
      {
        // What was stored before a reload was perhaps never acknowledged.
        subscribed: ({ recovered }) => {
          if (recovered) this.#keep();
          this.#handlers.heard?.();
        },
        state: ({ body }) => {
          this.#snapshot(body as unknown as InboxSnapshot);
          this.#keep();
        },
        event: ({ type, body, at }) => {
          this.#event({ type, body } as unknown as TabletEvent, at);
          this.#keep();
        },
        ended: (error) => this.#ended(error),
      },
      { manualAcknowledge: true, ...(from === null ? {} : { from }) },
    );
  }

  /** This device's own word about an order, kept with it until the node's follows. */
  mark(
    orderId: string,
    change: Pick<TabletEntry, "status"> & Partial<Pick<TabletEntry, "promisedAt" | "reason">>,
  ): void {
    if (!this.#change(orderId, change, this.#options.client.serverNow())) return;
    this.#keep();
    this.#handlers.changed?.();
  }

  /** Says that the tablet is there, and puts right what differs from the node's list. Never rejects. */
  async compare(): Promise<void> {
    if (this.#comparing || this.#closed) return;
    this.#comparing = true;
    try {
      const body = this.#holding();
      const answer = await this.#options.client.command("restaurant.tablet", body, { ttlMs: COMPARE_WITHIN_MS });
      if (!this.#closed) this.#repair(answer, body.holds);
    } catch {
      // The next connection, or the next minute, compares again.
    } finally {
      this.#comparing = false;
    }
  }

  /** Stops. What was stored stays; another instance goes on from there. */
  close(): void {
    this.#closed = true;
    this.#stopComparing();
    this.#stopFollowing();
    this.#subscription?.unsubscribe();
    this.#road?.unsubscribe();
    this.#from(null);
  }

  #ended(error: SwiftEatsError): void {
    this.close();
    this.#handlers.ended?.(error);
  }

  #from(source: TabletSource | null): void {
    if (source === this.#source) return;
    this.#source = source;
    this.#handlers.source?.(source);
  }

  #holding() {
    const { client, name, storage } = this.#options;
    // To name an order is to say that it is safe here.
    const isSafe = (orderId: string): boolean => storage === null || this.#stored.has(orderId);
    const named = [...this.#orders.values()]
      .filter(({ endedAt, orderId }) => endedAt === undefined && isSafe(orderId))
      .slice(-MOST_NAMED);
    const holds = named.map(({ orderId }) => orderId);
    return { deviceId: client.deviceId, holds, ...(name === undefined ? {} : { name }) };
  }

  #snapshot({ orders, doors }: InboxSnapshot): void {
    const open = new Set(orders.map(({ orderId }) => orderId));
    for (const { orderId, endedAt } of [...this.#orders.values()]) {
      if (endedAt === undefined && !open.has(orderId)) this.#orders.delete(orderId);
    }
    for (const order of orders) this.#take(order, order.status, this.#options.client.serverNow());
    this.#doors = doors ?? this.#doors;
    this.#handlers.changed?.();
  }

  #event(event: TabletEvent, at: number): void {
    switch (event.type) {
      case "order.new": {
        const { attempt: _, ...order } = event.body;
        this.#take(order, this.#orders.get(order.orderId)?.status ?? "confirmed", at);
        break;
      }
      case "order.changed": {
        const { orderId, status, reason } = event.body;
        this.#change(orderId, { status, ...(reason === undefined ? {} : { reason }) }, at);
        break;
      }
      case "driver.assigned":
        this.#change(event.body.orderId, { driver: event.body.driver }, at);
        break;
      case "order.alerted": {
        const { orderId, step } = event.body;
        this.#change(orderId, { alerts: [...(this.#orders.get(orderId)?.alerts ?? []), step] }, at);
        break;
      }
      case "doors.changed":
        this.#doors = event.body;
        break;
    }
    this.#handlers.changed?.();
  }

  /** New to this device, or told again. */
  #take(order: TabletOrder & Partial<OpenTabletOrder>, status: OrderStatus, at: number): boolean {
    const known = this.#orders.get(order.orderId);
    if (known?.endedAt !== undefined) return false;
    const entry: TabletEntry = {
      ...known,
      ...order,
      status: known === undefined ? status : later(known.status, status),
    };
    this.#orders.set(order.orderId, entry);
    if (known !== undefined) return false;
    this.#arrived++;
    this.#handlers.arrived?.(entry, at);
    return true;
  }

  /** False: the order is not here, or was that far already. */
  #change(orderId: string, change: Partial<TabletEntry>, at: number): boolean {
    const known = this.#orders.get(orderId);
    if (known === undefined) return false;
    const status = later(known.status, change.status ?? known.status);
    if (change.status !== undefined && status !== change.status) return false;
    const over = isTerminal(status) || status === "picked_up";
    this.#orders.set(orderId, {
      ...known,
      ...change,
      status,
      ...(over && known.endedAt === undefined ? { endedAt: at } : {}),
    });
    if (over) this.#forgetOld();
    return true;
  }

  #forgetOld(): void {
    const ended = [...this.#orders.values()].filter(({ endedAt }) => endedAt !== undefined);
    for (const { orderId } of ended.slice(0, Math.max(0, ended.length - MOST_ENDED))) this.#orders.delete(orderId);
  }

  /** How many orders this device did not have. */
  #repair({ open, missing, drivers, doors }: Reconciled, holds: readonly string[]): number {
    const now = this.#options.client.serverNow();
    const before = this.#source === "poll" ? JSON.stringify([...this.#orders.values()]) : "";
    let arrived = 0;
    // The answer comes behind every event before it: what is lacking now was never told.
    for (const order of missing) if (this.#take(order, order.status, now)) arrived++;
    let repaired = arrived;
    const statuses = new Map(open);
    let left = false;
    for (const orderId of holds) {
      const known = this.#orders.get(orderId);
      if (known === undefined || known.endedAt !== undefined) continue;
      const status = statuses.get(orderId);
      const isNew = stepOf(known.status) < stepOf("accepted");
      if (status !== undefined && stepOf(status) > stepOf(known.status)) {
        // How far the kitchen has come, the kitchen says itself: only an answer that this device did not hear of was missed.
        this.#change(orderId, { status }, now);
        if (isNew) repaired++;
      } else if (status === undefined && isNew) {
        this.#orders.delete(orderId);
        repaired++;
      } else if (status === undefined) {
        // Its driver has it. That is told once, to whoever listens then.
        left = this.#change(orderId, { status: "picked_up" }, now) || left;
      }
    }
    for (const [orderId, driver] of drivers ?? []) {
      if (this.#orders.get(orderId)?.driver?.name === driver.name) continue;
      left = this.#change(orderId, { driver }, now) || left;
    }
    const polled = this.#source === "poll";
    if (!polled) {
      this.#compared++;
      this.#repaired += repaired;
    }
    const doorsDiffer = JSON.stringify(doors) !== JSON.stringify(this.#doors);
    this.#doors = doors;
    const differs = polled ? JSON.stringify([...this.#orders.values()]) !== before : repaired > 0 || left;
    if (differs) this.#keep();
    if (differs || doorsDiffer) this.#handlers.changed?.();
    return arrived;
  }

  /** Stores what the device has, once for all that one message brought, and acknowledges it when it is stored. */
  #keep(): void {
    if (this.#writing || this.#closed) return;
    this.#writing = true;
    void Promise.resolve().then(async () => {
      this.#writing = false;
      const { storage } = this.#options;
      const subscription = this.#subscription;
      const at = subscription?.position() ?? null;
      if (storage !== null) {
        const orders = [...this.#orders.values()];
        const kept: Kept = { epoch: at?.epoch ?? null, offset: at?.offset ?? 0, orders };
        storage.setItem(this.#key, JSON.stringify(kept));
        try {
          await storage.settled();
        } catch {
          // What is not stored is not acknowledged: the node pushes it again, or reaches for another device.
          return;
        }
        this.#stored = new Set(orders.map(({ orderId }) => orderId));
      }
      if (!this.#closed && at !== null) subscription?.acknowledge(at.offset);
    });
  }
}

/** How far a kitchen has come with an order. */
const STEPS: readonly OrderStatus[] = ["placed", "confirmed", "accepted", "preparing", "ready"];
const stepOf = (status: OrderStatus): number => STEPS.indexOf(status);

/** The later of two: what is told again, or late, takes nothing back. */
function later(known: OrderStatus, next: OrderStatus): OrderStatus {
  if (isTerminal(known)) return known;
  if (isTerminal(next)) return next;
  const step = (status: OrderStatus): number => (status === "picked_up" ? STEPS.length : stepOf(status));
  return step(next) > step(known) ? next : known;
}

function readKept(text: string | null): Kept | null {
  try {
    const kept = JSON.parse(text ?? "null") as Kept | null;
    const isOurs =
      kept !== null && (kept.epoch === null || Number.isSafeInteger(kept.epoch)) && Number.isSafeInteger(kept.offset);
    return isOurs && Array.isArray(kept.orders) ? kept : null;
  } catch {
    return null;
  }
}
