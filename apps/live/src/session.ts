/** What the page needs to start: a token for operations, the zones to listen to, where the city is, and its streets. */
import type { Bounds, CityMap } from "../../shared/map/city.js";

/** The answer of `GET live/session`. */
export interface Session {
  readonly token: string;
  readonly zones: readonly string[];
  readonly center: { readonly lat: number; readonly lng: number };
  readonly bounds: Bounds;
  readonly name?: string;
  /** The nodes, when the page came from somewhere else. */
  readonly urls?: readonly string[];
}

async function fetchJson<T>(path: string): Promise<T> {
  const response = await fetch(path, { headers: { accept: "application/json" } });
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  return (await response.json()) as T;
}

export const fetchSession = (): Promise<Session> => fetchJson("live/session");
export const fetchCity = (): Promise<CityMap> => fetchJson("live/city.json");

/** Where the page came from: the node, unless the session names others. */
export const nodeUrl = (): string => new URL(".", location.href).href.replace(/\/$/, "");
