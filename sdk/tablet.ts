/**
 * A kitchen's tablet: the orders of its restaurant on this device, none missed and none twice.
 *
 * Owns: the orders on the device and their copy in its storage, where in the inbox the device is, what is acknowledged,
 * and the comparison with the node. Does not own: the socket, and how orders are shown.
 *
 * Invariants: an order is told to the application as new once, whatever is pushed again, replayed or sent as a snapshot,
 * over reloads too; an event is acknowledged only after the storage has the orders it made, together with its offset; a
 * difference from the node's list is repaired and counted.
 */
import type { Clock } from "../src/lib/clock.js";
import {
  type AlertStep,
  type DriverCard,
  type InboxSnapshot,
  isTerminal,
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

export interface TabletEntry extends TabletOrder {
  readonly status: OrderStatus;
  readonly driver?: DriverCard;
  /** By which ways the restaurant was reached for because nobody answered. */
  readonly alerts?: readonly AlertStep[];
  /** Why it ended. */
  readonly reason?: string;
  /** When it ended or left the house, by the node's clock. Absent: it is open. */
  readonly endedAt?: number;
}

export interface TabletHandlers {
  /** An order that this device did not have: ring. `at`: when the node pushed it; of a snapshot or a repair, now. */
  arrived?(order: TabletEntry, at: number): void;
  /** Anything else changed; read `orders` and `doors` again. */
  changed?(): void;
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
}

export interface TabletStats {
  /** Orders told as new. */
  readonly arrived: number;
  readonly compared: number;
  /** Orders that a comparison had to add, correct or take away. */
  readonly repaired: number;
}

interface Kept {
  readonly epoch: number;
  readonly offset: number;
  readonly orders: readonly TabletEntry[];
}

const COMPARE_EVERY_MS = 60_000;
const COMPARE_WITHIN_MS = 15_000;
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

  start(): void {
    const { client, clock, restaurantId, storage } = this.#options;
    const kept = readKept(storage?.getItem(this.#key) ?? null);
    for (const order of kept?.orders ?? []) this.#orders.set(order.orderId, order);
    this.#subscription = client.subscribe(
      `restaurant:${restaurantId}`,
      {
        // What was stored before a reload was perhaps never acknowledged.
        subscribed: ({ recovered }) => {
          if (recovered) this.#keep();
        },
        state: ({ body }) => {
          this.#snapshot(body as unknown as InboxSnapshot);
          this.#keep();
        },
        event: ({ type, body, at }) => {
          this.#event({ type, body } as unknown as TabletEvent, at);
          this.#keep();
        },
        ended: (error) => this.#handlers.ended?.(error),
      },
      { manualAcknowledge: true, ...(kept === null ? {} : { from: { epoch: kept.epoch, offset: kept.offset } }) },
    );
    this.#stopFollowing = client.onState(({ name }) => {
      if (name === "live") void this.compare();
    });
    const everyMs = this.#options.compareEveryMs ?? COMPARE_EVERY_MS;
    this.#stopComparing = clock.every(everyMs, () => {
      if (client.state.name === "live") void this.compare();
    });
    if (client.state.name === "live") void this.compare();
    else client.connect();
  }

  /** Says that the tablet is there, and puts right what differs from the node's list. Never rejects. */
  async compare(): Promise<void> {
    if (this.#comparing || this.#closed) return;
    this.#comparing = true;
    try {
      const { client, name } = this.#options;
      const named = [...this.#orders.values()].filter(({ endedAt }) => endedAt === undefined).slice(-MOST_NAMED);
      const holds = named.map(({ orderId }) => orderId);
      const answer = await client.command(
        "restaurant.tablet",
        { deviceId: client.deviceId, holds, ...(name === undefined ? {} : { name }) },
        { ttlMs: COMPARE_WITHIN_MS },
      );
      if (!this.#closed) this.#repair(answer, holds);
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
  #take(order: TabletOrder, status: OrderStatus, at: number): boolean {
    const known = this.#orders.get(order.orderId);
    if (known?.endedAt !== undefined) return false;
    const entry: TabletEntry = { ...known, ...order, status };
    this.#orders.set(order.orderId, entry);
    if (known !== undefined) return false;
    this.#arrived++;
    this.#handlers.arrived?.(entry, at);
    return true;
  }

  #change(orderId: string, change: Partial<TabletEntry>, at: number): void {
    const known = this.#orders.get(orderId);
    if (known === undefined) return;
    const status = change.status ?? known.status;
    const over = isTerminal(status) || status === "picked_up";
    this.#orders.set(orderId, { ...known, ...change, ...(over && known.endedAt === undefined ? { endedAt: at } : {}) });
    if (over) this.#forgetOld();
  }

  #forgetOld(): void {
    const ended = [...this.#orders.values()].filter(({ endedAt }) => endedAt !== undefined);
    for (const { orderId } of ended.slice(0, Math.max(0, ended.length - MOST_ENDED))) this.#orders.delete(orderId);
  }

  #repair({ open, missing, doors }: Reconciled, holds: readonly string[]): void {
    const now = this.#options.client.serverNow();
    this.#compared++;
    let repaired = 0;
    // The answer comes behind every event before it: what is lacking now was never told.
    for (const order of missing) if (this.#take(order, order.status, now)) repaired++;
    const statuses = new Map(open);
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
        // Its driver has it: nobody tells a tablet that by itself.
        this.#change(orderId, { status: "picked_up" }, now);
      }
    }
    this.#repaired += repaired;
    const doorsDiffer = JSON.stringify(doors) !== JSON.stringify(this.#doors);
    this.#doors = doors;
    if (repaired > 0) this.#keep();
    if (repaired > 0 || doorsDiffer) this.#handlers.changed?.();
  }

  /** Stores what the device has, once for all that one message brought, and acknowledges it when it is stored. */
  #keep(): void {
    if (this.#writing || this.#closed) return;
    this.#writing = true;
    void Promise.resolve().then(async () => {
      this.#writing = false;
      const { storage } = this.#options;
      const at = this.#subscription?.position() ?? null;
      if (at === null) return;
      if (storage !== null) {
        const kept: Kept = { ...at, orders: [...this.#orders.values()] };
        storage.setItem(this.#key, JSON.stringify(kept));
        try {
          await storage.settled();
        } catch {
          // What is not stored is not acknowledged: the node pushes it again, or reaches for another device.
          return;
        }
      }
      if (!this.#closed) this.#subscription?.acknowledge(at.offset);
    });
  }
}

/** How far a kitchen has come with an order. */
const STEPS: readonly OrderStatus[] = ["placed", "confirmed", "accepted", "preparing", "ready"];
const stepOf = (status: OrderStatus): number => STEPS.indexOf(status);

function readKept(text: string | null): Kept | null {
  try {
    const kept = JSON.parse(text ?? "null") as Kept | null;
    const isOurs = kept !== null && Number.isSafeInteger(kept.epoch) && Number.isSafeInteger(kept.offset);
    return isOurs && Array.isArray(kept.orders) ? kept : null;
  } catch {
    return null;
  }
}
