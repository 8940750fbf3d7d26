/** The ground that maps show: the city's own streets, parks and water, from the node; without them, bare ground. */
export interface Bounds {
  readonly west: number;
  readonly south: number;
  readonly east: number;
  readonly north: number;
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

export interface CityRestaurant {
  readonly id: string;
  readonly name: string;
  readonly lat: number;
  readonly lng: number;
}

export const BARE_GROUND: CityMap = { type: "FeatureCollection", features: [] };

let ground: Promise<CityMap> | null = null;

/** The ground of the node that served the page; a node that has none leaves it bare. Rejects when the node does not answer. */
export function askGround(): Promise<CityMap> {
  if (ground !== null) return ground;
  const asked = fetch("/live/city.json", { headers: { accept: "application/json" } }).then(async (response) => {
    if (response.ok) return (await response.json()) as CityMap;
    const { error } = (await response.json()) as { readonly error?: { readonly temporary?: boolean } };
    // Busy, or about to go: no word about the ground.
    if (error?.temporary !== false) throw new Error("the ground did not come");
    return BARE_GROUND;
  });
  ground = asked;
  asked.catch(() => {
    // Asked again by whoever needs it next.
    ground = null;
  });
  return asked;
}

/** The same, and bare where the node does not answer. */
export const groundMap = (): Promise<CityMap> => askGround().catch(() => BARE_GROUND);

export function restaurantsOf(city: CityMap): readonly CityRestaurant[] {
  return city.features.flatMap(({ geometry, properties }) => {
    if (properties.kind !== "restaurant" || geometry.type !== "Point") return [];
    const [lng, lat] = geometry.coordinates as [number, number];
    return [{ id: String(properties.id), name: String(properties.name), lat, lng }];
  });
}

/** What the city's streets cover, and at least this. */
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
