/** What the page needs to start: a token for operations, the zones to listen to, where the city is, and its streets. */

export interface Bounds {
  readonly west: number;
  readonly south: number;
  readonly east: number;
  readonly north: number;
}

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

export interface Restaurant {
  readonly id: string;
  readonly name: string;
  readonly lat: number;
  readonly lng: number;
}

/** The answer of `GET live/city.json`. */
export interface CityMap {
  readonly type: "FeatureCollection";
  readonly features: readonly {
    readonly type: "Feature";
    readonly geometry: { readonly type: string; readonly coordinates: unknown };
    readonly properties: Readonly<Record<string, unknown>>;
  }[];
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

export function restaurantsOf(city: CityMap): readonly Restaurant[] {
  return city.features.flatMap(({ geometry, properties }) => {
    if (properties.kind !== "restaurant" || geometry.type !== "Point") return [];
    const [lng, lat] = geometry.coordinates as [number, number];
    return [{ id: String(properties.id), name: String(properties.name), lat, lng }];
  });
}

/** What the city's features cover: the session's bounds may hold the restaurants only. */
export function coveredBy(city: CityMap, atLeast: Bounds): Bounds {
  let { west, south, east, north } = atLeast;
  const include = (coordinates: unknown): void => {
    if (!Array.isArray(coordinates)) return;
    if (typeof coordinates[0] !== "number") {
      coordinates.forEach(include);
      return;
    }
    const [lng, lat] = coordinates as [number, number];
    west = Math.min(west, lng);
    east = Math.max(east, lng);
    south = Math.min(south, lat);
    north = Math.max(north, lat);
  };
  for (const { geometry, properties } of city.features) if (properties.kind === "street") include(geometry.coordinates);
  return { west, south, east, north };
}
