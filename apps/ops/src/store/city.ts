/**
 * The city as operations see it. Owns the client, the merged picture of all zones, what is chosen, the chosen order in
 * full. Does not own drawing.
 */
import { computed, effect, signal } from "@preact/signals";
import {
  type CityOrder,
  type CityPicture,
  type Client,
  customer,
  type DispatchView,
  isTerminal,
  type OrderView,
  type SwiftEatsError,
  watchCity,
} from "../../../../sdk/mod.js";
import { sleep } from "../../../../src/lib/clock.js";
import type { Point } from "../../../../src/lib/geo.js";
import { account, token } from "../../../shared/account/session.js";
import { clock } from "../../../shared/clock.js";
import { sayFailure } from "../../../shared/kit/toasts.js";
import { deviceId, openClient } from "../../../shared/line/node.js";
import {
  askGround,
  BARE_GROUND,
  type Bounds,
  type CityMap,
  coveredBy,
  restaurantsOf,
} from "../../../shared/map/city.js";
import type { Selection } from "../../../shared/map/selection.js";
import { go, route } from "../../../shared/router.js";
import { type Stage, stageOf } from "../../../shared/stages.js";

const REVISION_EVERY_MS = 300;
const AGAIN_MS = 2_000;
const CENTRE_KEY = "swift-eats.ops.centre";
/** Where a map without a ground begins. */
const SOMEWHERE: Point = { lat: 44.4021, lng: 8.9463 };
const SPAN_DEGREES = 0.05;

export const ground = signal<CityMap | null>(null);
export const bounds = signal<Bounds | null>(null);
export const revision = signal(0);
export const selection = signal<Selection | null>(null);
export const following = signal(false);
/** The chosen order in full. */
export const chosenOrder = signal<OrderView | null>(null);
export const chosenDispatch = signal<DispatchView | null>(null);
/** Why there is no such order, or none for us. */
export const chosenProblem = signal<SwiftEatsError | null>(null);
export const zoneCount = signal(0);

let client: Client | null = null;
let picture: CityPicture | null = null;
const names = new Map<string, string>();

export const server = (): Client => client!;
export const cityPicture = (): CityPicture | null => picture;

export async function startCity(): Promise<void> {
  if (client !== null || account.peek() === null) return;
  const made = openClient({
    tokenProvider: token,
    deviceId: deviceId("ops", "tab"),
    commandsByHttpAfterMs: 8_000,
  });
  client = made;
  followAddress();
  const city = await theGround();
  for (const { name, lat, lng } of restaurantsOf(city)) names.set(placeKey(lat, lng), name);
  const around = boundsOf(city);
  ground.value = city;
  bounds.value = around;
  const centre = { lat: (around.south + around.north) / 2, lng: (around.west + around.east) / 2 };
  // Those that have come since the map was drawn.
  made.http
    .restaurants({ ...centre, limit: 200 })
    .then(({ restaurants }) => {
      for (const { name, lat, lng } of restaurants) names.set(placeKey(lat, lng), name);
      revise();
    })
    .catch(() => undefined);
  for (let told = false; picture === null; ) {
    try {
      await watchAround(made, centre);
    } catch (error) {
      // Said once, and tried until there is a line again.
      if (!told) sayFailure(error);
      told = true;
      await sleep(clock, AGAIN_MS);
    }
  }
}

/** Not a guess: which zones are watched for as long as the page is open depends on it. */
async function theGround(): Promise<CityMap> {
  for (;;) {
    try {
      return await askGround();
    } catch {
      await sleep(clock, AGAIN_MS);
    }
  }
}

async function watchAround(made: Client, centre: Point): Promise<void> {
  const { zones } = await made.http.get<{ readonly zones: readonly string[] }>("/v1/city/zones", {
    lat: centre.lat,
    lng: centre.lng,
  });
  zoneCount.value = zones.length;
  picture = watchCity(made, zones, { changed: revise }).picture;
}

function boundsOf(city: CityMap): Bounds {
  const doors = restaurantsOf(city);
  if (city === BARE_GROUND || doors.length === 0) {
    const { lat, lng } = rememberedCentre();
    return { west: lng - SPAN_DEGREES, east: lng + SPAN_DEGREES, south: lat - SPAN_DEGREES, north: lat + SPAN_DEGREES };
  }
  const lats = doors.map(({ lat }) => lat);
  const lngs = doors.map(({ lng }) => lng);
  return coveredBy(city, {
    west: Math.min(...lngs),
    east: Math.max(...lngs),
    south: Math.min(...lats),
    north: Math.max(...lats),
  });
}

function rememberedCentre(): Point {
  try {
    const kept = JSON.parse(localStorage.getItem(CENTRE_KEY) ?? "null") as Partial<Point> | null;
    if (typeof kept?.lat === "number" && typeof kept.lng === "number") return { lat: kept.lat, lng: kept.lng };
  } catch {
    // Nothing is remembered where storage is forbidden.
  }
  return SOMEWHERE;
}

let revising = false;
function revise(): void {
  if (revising) return;
  revising = true;
  clock.after(REVISION_EVERY_MS, () => {
    revising = false;
    revision.value += 1;
  });
}

const placeKey = (lat: number, lng: number): string => `${lat.toFixed(4)},${lng.toFixed(4)}`;
/** The restaurant whose door an order starts from, where the map knows it. */
export const restaurantName = (order: CityOrder): string =>
  names.get(placeKey(order.from[0], order.from[1])) ?? "Restaurant";

export const orders = computed<readonly CityOrder[]>(() => {
  revision.value;
  return picture === null ? [] : [...picture.orders()].filter(({ status }) => !isTerminal(status));
});
export const drivers = computed(() => {
  revision.value;
  return picture === null ? [] : [...picture.drivers()];
});
export const stageCounts = computed(() => {
  const counts: Record<Stage, number> = {
    placed: 0,
    cooking: 0,
    waiting: 0,
    on_the_way: 0,
    delivered: 0,
    cancelled: 0,
  };
  for (const order of orders.value) counts[stageOf(order.status)] += 1;
  return counts;
});

let stopWatching = (): void => undefined;

/** The address names what is chosen, so that one operator can pass it to another. */
export const select = (chosen: Selection | null): void => go(chosen === null ? "" : `${chosen.kind}/${chosen.id}`);

function followAddress(): void {
  effect(() => {
    const [kind, id] = route.value;
    // Other pages leave the choice as it is.
    if (kind === undefined) choose(null);
    else if ((kind === "order" || kind === "driver") && id !== undefined) choose({ kind, id });
  });
}

function choose(chosen: Selection | null): void {
  const before = selection.peek();
  if (before?.id === chosen?.id && before?.kind === chosen?.kind) return;
  selection.value = chosen;
  if (chosen?.kind !== "driver") following.value = false;
  stopWatching();
  chosenOrder.value = null;
  chosenDispatch.value = null;
  chosenProblem.value = null;
  if (chosen?.kind !== "order" || client === null) return;
  const { id } = chosen;
  // Beyond its end: a refund comes after the delivery.
  const watch = customer(client).watch(id, {
    view: (view) => {
      chosenOrder.value = view;
      void readDispatch(id);
    },
    ended: (error) => {
      chosenProblem.value = error;
    },
  });
  stopWatching = () => watch.unsubscribe();
}

/** Why this driver: asked of the order whenever it has moved. */
async function readDispatch(orderId: string): Promise<void> {
  try {
    const view = await server().http.get<DispatchView>(`/v1/orders/${encodeURIComponent(orderId)}/dispatch`);
    const chosen = selection.peek();
    if (chosen?.kind === "order" && chosen.id === orderId) chosenDispatch.value = view;
  } catch {
    // The order's own card stays; the next move asks again.
  }
}
