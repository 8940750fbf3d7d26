/**
 * The live picture of a city, for operations: many zones' values merged into one.
 *
 * Owns: the merging. A driver near a border is told by several zones; the newest word counts. An order is followed until
 * no zone tells of it. Does not own drawing, nor what became of an order that its zone no longer tells of.
 *
 * Invariants: a driver or order is in the picture exactly while at least one zone's last value has it; a driver's
 * position never goes back in time; an order's status never leaves a final one.
 */
import { isTerminal, type OrderStatus, type ZoneLive } from "../src/protocol/mod.js";
import type { Client } from "./client.js";
import type { SwiftEatsError } from "./errors.js";

export type CityDriver = ZoneLive["drivers"][number];
export type CityOrder = ZoneLive["orders"][number];

/** What a value of a zone changed, in the order in which the zone told it. */
export type CityNews =
  | { readonly kind: "order_moved"; readonly order: CityOrder; readonly before: OrderStatus | null }
  | { readonly kind: "driver_assigned"; readonly order: CityOrder; readonly driverId: string }
  /** No zone tells of it any more. `order.status` is what was last told, final or not. */
  | { readonly kind: "order_left"; readonly order: CityOrder }
  | { readonly kind: "driver_came"; readonly driver: CityDriver }
  | { readonly kind: "driver_left"; readonly driver: CityDriver };

interface Told<T> {
  value: T;
  readonly zones: Set<string>;
}

export class CityPicture {
  readonly #drivers = new Map<string, Told<CityDriver>>();
  readonly #orders = new Map<string, Told<CityOrder>>();
  readonly #heard = new Set<string>();

  /** Drivers and orders now, by id. */
  *drivers(): Iterable<CityDriver> {
    for (const { value } of this.#drivers.values()) yield value;
  }

  *orders(): Iterable<CityOrder> {
    for (const { value } of this.#orders.values()) yield value;
  }

  driver(id: string): CityDriver | undefined {
    return this.#drivers.get(id)?.value;
  }

  order(id: string): CityOrder | undefined {
    return this.#orders.get(id)?.value;
  }

  get size(): { readonly drivers: number; readonly orders: number } {
    return { drivers: this.#drivers.size, orders: this.#orders.size };
  }

  /** Takes a zone's newest value. What a zone tells first is a start, not news. */
  apply(live: ZoneLive): readonly CityNews[] {
    const { zone } = live;
    const news: CityNews[] = [];
    const drivers = new Set<string>();
    for (const driver of live.drivers) {
      drivers.add(driver.id);
      const told = this.#drivers.get(driver.id);
      if (told === undefined) {
        this.#drivers.set(driver.id, { value: driver, zones: new Set([zone]) });
        news.push({ kind: "driver_came", driver });
        continue;
      }
      told.zones.add(zone);
      if (driver.at >= told.value.at) told.value = driver;
    }
    const orders = new Set<string>();
    for (const order of live.orders) {
      orders.add(order.id);
      const told = this.#orders.get(order.id);
      const before = told?.value ?? null;
      if (before !== null && isTerminal(before.status) && before.status !== order.status) continue;
      if (told === undefined) this.#orders.set(order.id, { value: order, zones: new Set([zone]) });
      else {
        told.zones.add(zone);
        told.value = order;
      }
      if (order.driverId !== undefined && order.driverId !== before?.driverId) {
        news.push({ kind: "driver_assigned", order, driverId: order.driverId });
      }
      if (order.status !== before?.status) news.push({ kind: "order_moved", order, before: before?.status ?? null });
    }
    this.#forget(this.#orders, zone, orders, (order) => news.push({ kind: "order_left", order }));
    this.#forget(this.#drivers, zone, drivers, (driver) => news.push({ kind: "driver_left", driver }));
    if (this.#heard.has(zone)) return news;
    this.#heard.add(zone);
    return [];
  }

  #forget<T>(all: Map<string, Told<T>>, zone: string, present: ReadonlySet<string>, gone: (value: T) => void): void {
    for (const [id, told] of all) {
      if (present.has(id) || !told.zones.delete(zone) || told.zones.size > 0) continue;
      all.delete(id);
      gone(told.value);
    }
  }
}

export interface CityWatch {
  readonly picture: CityPicture;
  stop(): void;
}

/** Listens to all zones. `changed` is called with each zone's value that arrives. */
export function watchCity(
  client: Client,
  zones: readonly string[],
  handlers: {
    changed(picture: CityPicture, news: readonly CityNews[]): void;
    ended?(zone: string, error: SwiftEatsError): void;
  },
): CityWatch {
  const picture = new CityPicture();
  const subscriptions = zones.map((zone) =>
    client.subscribe(`zone:${zone}`, {
      state: ({ body }) => {
        const live = body as unknown as ZoneLive;
        handlers.changed(picture, picture.apply(live));
      },
      ended: (error) => handlers.ended?.(zone, error),
    }),
  );
  return {
    picture,
    stop() {
      for (const subscription of subscriptions) subscription.unsubscribe();
    },
  };
}
