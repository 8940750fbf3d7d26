/**
 * Where the driver is: from the device, or walked along the streets by the page itself, for trying the app at a desk. The
 * node says when to measure and how often; nothing is measured without its wish.
 */
import { effect, signal } from "@preact/signals";
import { bearingDegrees, distanceMeters, interpolate, type Point } from "../../../../src/lib/geo.js";
import { clock, random } from "../../../shared/clock.js";
import { newsAt } from "../../../shared/line/news.js";
import { nodeUrl } from "../../../shared/line/node.js";
import { groundMap, restaurantsOf } from "../../../shared/map/city.js";
import { Streets } from "../../../shared/map/streets.js";
import { currentStop, policy, server } from "./work.js";

export type PositionSource = "device" | "walk";

const SOURCE_KEY = "swift-eats.driver.position";
const WALK_KEY = "swift-eats.driver.walk";
const WALK_EVERY_MS = 1_000;
/** A scooter in town, in metres per second of the city's time. */
const WALK_SPEED = 8;

/** What this phone keeps of how its driver works. */
export const remembered = (key: string): string | null => {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
};
export const remember = (key: string, value: string): void => {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Lasts as long as the page.
  }
};

export const source = signal<PositionSource>(remembered(SOURCE_KEY) === "walk" ? "walk" : "device");
export const position = signal<Point | null>(null);
/** Why the device does not say where it is; null while it does. */
export const positionProblem = signal<string | null>(null);

export function setSource(next: PositionSource): void {
  source.value = next;
  remember(SOURCE_KEY, next);
}

let timeScale = 1;

/** Measures while the node wishes it, by whatever source is chosen. */
export function startPosition(): void {
  void fetch(`${nodeUrl}/v1/node`)
    .then((answer) => answer.json() as Promise<{ readonly timeScale?: number }>)
    .then((node) => {
      timeScale = node.timeScale ?? 1;
    })
    .catch(() => undefined);
  effect(() => {
    if (position.value !== null) newsAt(position.value);
  });
  effect(() => {
    if (!policy.value.send) return;
    return source.value === "walk" ? walk() : measure();
  });
}

/** Once, for the beginning of a shift. */
export async function firstPosition(): Promise<Point> {
  if (source.peek() === "walk") return standing();
  return new Promise((resolve, reject) => {
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        position.value = { lat: coords.latitude, lng: coords.longitude };
        positionProblem.value = null;
        resolve(position.value);
      },
      () => reject(new Error("The device does not say where it is. Allow it, or use the simulated ride.")),
      { enableHighAccuracy: true, timeout: 15_000, maximumAge: 10_000 },
    );
  });
}

function measure(): () => void {
  const measured = ({ coords, timestamp }: GeolocationPosition): void => {
    positionProblem.value = null;
    position.value = { lat: coords.latitude, lng: coords.longitude };
    server()?.gps.offer({
      lat: coords.latitude,
      lng: coords.longitude,
      accuracyMeters: coords.accuracy,
      at: timestamp,
      ...(coords.speed === null ? {} : { speedMetersPerSecond: coords.speed }),
      ...(coords.heading === null || Number.isNaN(coords.heading) ? {} : { bearingDegrees: coords.heading }),
    });
  };
  const failed = (): void => {
    positionProblem.value = "The device does not say where it is.";
  };
  const { geolocation } = navigator;
  const watch = geolocation.watchPosition(measured, failed, { enableHighAccuracy: true, maximumAge: 1_000 });
  // A phone that lies still tells nothing by itself; a driver who waits is somewhere all the same.
  const ask = clock.every(policy.peek().everyMs, () =>
    geolocation.getCurrentPosition(measured, failed, { enableHighAccuracy: true, maximumAge: 0 }),
  );
  return () => {
    geolocation.clearWatch(watch);
    ask();
  };
}

/** Where the simulated ride was left, or at a restaurant's door. */
async function standing(): Promise<Point> {
  const [lat, lng] = (remembered(WALK_KEY) ?? "").split(",").map(Number);
  if (lat !== undefined && lng !== undefined && Number.isFinite(lat) && Number.isFinite(lng)) return { lat, lng };
  const doors = restaurantsOf(await groundMap());
  const door = doors[Math.floor(random.next() * doors.length)];
  return door === undefined ? { lat: 44.4021, lng: 8.9463 } : { lat: door.lat, lng: door.lng };
}

function walk(): () => void {
  let stopped = false;
  let cancel = (): void => undefined;
  void Promise.all([standing(), groundMap()]).then(([start, city]) => {
    if (stopped) return;
    const streets = new Streets(city);
    let here = position.peek() ?? start;
    let heading = "";
    let way: readonly Point[] = [];
    cancel = clock.every(WALK_EVERY_MS, () => {
      const stop = currentStop.peek();
      const aim = stop === null ? "" : `${stop.orderId}/${stop.kind}`;
      if (aim !== heading) {
        heading = aim;
        way = stop === null ? [] : streets.way(here, stop).points.slice(1);
      }
      const before = here;
      let meters = (WALK_SPEED * timeScale * WALK_EVERY_MS) / 1000;
      while (way.length > 0 && meters > 0) {
        const next = way[0]!;
        const left = distanceMeters(here, next);
        if (left <= meters) {
          here = next;
          way = way.slice(1);
        } else here = interpolate(here, next, meters / left);
        meters -= left;
      }
      position.value = here;
      remember(WALK_KEY, `${here.lat},${here.lng}`);
      const moved = distanceMeters(before, here);
      server()?.gps.offer({
        ...here,
        accuracyMeters: 6,
        ...(moved > 1 ? { bearingDegrees: bearingDegrees(before, here), speedMetersPerSecond: WALK_SPEED } : {}),
      });
    });
  });
  return () => {
    stopped = true;
    cancel();
  };
}
