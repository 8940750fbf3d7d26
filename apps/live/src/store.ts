/**
 * What the page knows, as signals. Owns: the client, the city's picture, counters, the feed, what is selected. Does not
 * own drawing. Everything comes through the public protocol.
 */
import { computed, signal } from "@preact/signals";
import {
  type CityNews,
  type CityOrder,
  type CityPicture,
  type Client,
  type ConnectionState,
  createClient,
  type OrderStatus,
  type OrderView,
  watchCity,
} from "../../../sdk/mod.js";
import { systemClock } from "../../../src/lib/clock.js";
import type { CityRestaurant } from "../../shared/map/city.js";
import type { Selection } from "../../shared/map/selection.js";
import { type Stage, stageOf } from "../../shared/stages.js";
import { Outcomes } from "./outcomes.js";
import { fetchSession, nodeUrl, type Session } from "./session.js";

export const clock = systemClock();

export interface FeedEntry {
  readonly number: number;
  readonly at: number;
  readonly stage: Stage | "driver";
  readonly text: string;
  readonly select: Selection;
}

export type Loading =
  | { readonly name: "loading" }
  | { readonly name: "failed"; readonly reason: string }
  | { readonly name: "ready" };

const FEED_LENGTH = 60;
/** More than this nobody can read; the counters and lists tell the rest. */
const FEED_PER_SECOND = 6;
/** Lists and counters follow the city this often at most; the map's motion does not depend on it. */
const REVISION_EVERY_MS = 150;

export const loading = signal<Loading>({ name: "loading" });
export const connection = signal<ConnectionState>({ name: "idle" });
export const session = signal<Session | null>(null);
/** Rises with every change of the picture; what draws lists reads it. */
export const revision = signal(0);
export const selection = signal<Selection | null>(null);
export const following = signal(false);
export const feed = signal<readonly FeedEntry[]>([]);
export const delivered = signal(0);
export const cancelled = signal(0);
export const selectedView = signal<OrderView | null>(null);

let client: Client | null = null;
let picture: CityPicture | null = null;
let feedNumber = 0;
const names = new Map<string, string>();

const placeKey = (lat: number, lng: number): string => `${lat.toFixed(4)},${lng.toFixed(4)}`;

export function setRestaurants(restaurants: readonly CityRestaurant[]): void {
  for (const { name, lat, lng } of restaurants) names.set(placeKey(lat, lng), name);
}

/** The restaurant whose door an order starts from. */
export function restaurantName(order: CityOrder): string {
  return names.get(placeKey(order.from[0], order.from[1])) ?? "a restaurant";
}

export const cityPicture = (): CityPicture | null => picture;

export interface Counts {
  readonly stages: Readonly<Record<Stage, number>>;
  readonly drivers: Readonly<Record<"available" | "offered" | "on_trip", number>>;
}

export const counts = computed<Counts>(() => {
  revision.value;
  const stages = {
    placed: 0,
    cooking: 0,
    waiting: 0,
    on_the_way: 0,
    delivered: delivered.value,
    cancelled: cancelled.value,
  };
  const drivers = { available: 0, offered: 0, on_trip: 0 };
  if (picture === null) return { stages, drivers };
  for (const order of picture.orders()) {
    const stage = stageOf(order.status);
    if (stage !== "delivered" && stage !== "cancelled") stages[stage] += 1;
  }
  for (const driver of picture.drivers()) drivers[driver.state] += 1;
  return { stages, drivers };
});

export async function start(): Promise<void> {
  loading.value = { name: "loading" };
  const first = await fetchSession();
  session.value = first;
  let token: string | null = first.token;
  const made = createClient({
    url: first.urls ?? nodeUrl(),
    deviceId: `live-map-${Math.floor(clock.now())}-${Math.floor(clock.monotonic() * 1000)}`,
    tokenProvider: async () => {
      // The first token came with the session; later ones are asked for when they are needed.
      const present = token ?? (await fetchSession()).token;
      token = null;
      return present;
    },
  });
  client = made;
  made.onState((state) => {
    connection.value = state;
  });
  const outcomes = new Outcomes(made, close);
  const watch = watchCity(made, first.zones, {
    changed(changedPicture, news) {
      picture = changedPicture;
      tell(news, outcomes);
      revise();
    },
  });
  picture = watch.picture;
  made.connect();
  // A phone that wakes up or finds its network again does not wait for the pause to end.
  addEventListener("online", () => made.wake());
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") made.wake();
  });
  loading.value = { name: "ready" };
}

function tell(news: readonly CityNews[], outcomes: Outcomes): void {
  const entries: FeedEntry[] = [];
  const add = (stage: FeedEntry["stage"], text: string, select: Selection): void => {
    feedNumber += 1;
    entries.push({ number: feedNumber, at: clock.now(), stage, text, select });
  };
  for (const item of news) {
    switch (item.kind) {
      case "order_moved": {
        const { order } = item;
        const stage = stageOf(order.status);
        if (stage === "delivered" || stage === "cancelled") outcomes.known(order, order.status);
        else if (item.before === null || stageOf(item.before) !== stage) {
          add(stage, moveText(order, stage), { kind: "order", id: order.id });
        }
        break;
      }
      case "driver_assigned":
        add("driver", `A driver heads for ${restaurantName(item.order)}`, { kind: "driver", id: item.driverId });
        break;
      case "order_left":
        outcomes.left(item.order);
        break;
      case "driver_came":
      case "driver_left":
        break;
    }
  }
  prepend(entries);
}

let revising = false;

/** Many zones tell within one moment; what draws is told once. */
function revise(): void {
  if (revising) return;
  revising = true;
  clock.after(REVISION_EVERY_MS, () => {
    revising = false;
    revision.value += 1;
  });
}

let feedSecond = 0;
let fedThisSecond = 0;

function prepend(entries: readonly FeedEntry[]): void {
  const second = Math.floor(clock.monotonic() / 1000);
  if (second !== feedSecond) fedThisSecond = 0;
  feedSecond = second;
  const shown = entries.slice(0, Math.max(0, FEED_PER_SECOND - fedThisSecond));
  fedThisSecond += shown.length;
  if (shown.length > 0) feed.value = [...shown.reverse(), ...feed.value].slice(0, FEED_LENGTH);
}

function moveText(order: CityOrder, stage: Stage): string {
  const name = restaurantName(order);
  switch (stage) {
    case "placed":
      return `New order at ${name}`;
    case "cooking":
      return `${name} is cooking`;
    case "waiting":
      return `Ready at ${name}`;
    case "on_the_way":
      return `Picked up at ${name}`;
    case "delivered":
      return `Delivered from ${name}`;
    case "cancelled":
      return `Cancelled at ${name}`;
  }
}

/** An order has ended: once each. */
function close(order: CityOrder, status: OrderStatus): void {
  const stage = stageOf(status);
  if (stage === "delivered") delivered.value += 1;
  else if (stage === "cancelled") cancelled.value += 1;
  else return;
  feedNumber += 1;
  const text =
    status === "undeliverable" ? `Could not be delivered, from ${restaurantName(order)}` : moveText(order, stage);
  prepend([{ number: feedNumber, at: clock.now(), stage, text, select: { kind: "order", id: order.id } }]);
}

let watched: { unsubscribe(): void } | null = null;

export function select(next: Selection | null): void {
  watched?.unsubscribe();
  watched = null;
  selectedView.value = null;
  following.value = false;
  selection.value = next;
  if (next?.kind !== "order" || client === null) return;
  watched = client.subscribe(`order:${next.id}`, {
    state({ slot, body }) {
      if (slot === "view" && selection.value?.id === next.id) selectedView.value = body as unknown as OrderView;
    },
  });
}
