/** A WGS 84 position in degrees. */
export interface Point {
  readonly lat: number;
  readonly lng: number;
}

/** Some square metres: less than that is no area but a rounding. */
const LEAST_TWICE_SQUARE_DEGREES = 1e-9;
export const EARTH_RADIUS_METERS = 6_371_008.8;
const radians = (degrees: number): number => (degrees * Math.PI) / 180;

/** Great-circle distance in metres (haversine, mean Earth radius of the IUGG). */
export function distanceMeters(a: Point, b: Point): number {
  return metersBetween(a.lat, a.lng, b.lat, b.lng);
}

/** The same of positions that are no objects. */
export function metersBetween(aLat: number, aLng: number, bLat: number, bLng: number): number {
  const sinLat = Math.sin(radians(bLat - aLat) / 2);
  const sinLng = Math.sin(radians(bLng - aLng) / 2);
  const h = sinLat * sinLat + Math.cos(radians(aLat)) * Math.cos(radians(bLat)) * sinLng * sinLng;
  return 2 * EARTH_RADIUS_METERS * Math.asin(Math.min(1, Math.sqrt(h)));
}

/** A position worked out once, for whoever asks for very many distances. */
export interface Spot {
  readonly north: number;
  readonly east: number;
  readonly cosNorth: number;
}

/** The spot at a point; angles in radians. */
export function spotOf({ lat, lng }: Point): Spot {
  const north = radians(lat);
  return { north, east: radians(lng), cosNorth: Math.cos(north) };
}

/**
 * Metres between two spots, as if the earth were flat between them: within 0.1 % of `distanceMeters` up to 100 km and 70
 * degrees from the equator, for a tenth of its cost. Right across the date line too.
 */
export function spotDistanceMeters(a: Spot, b: Spot): number {
  const north = b.north - a.north;
  let east = b.east - a.east;
  if (east > Math.PI) east -= 2 * Math.PI;
  else if (east < -Math.PI) east += 2 * Math.PI;
  east *= (a.cosNorth + b.cosNorth) / 2;
  return EARTH_RADIUS_METERS * Math.sqrt(north * north + east * east);
}

/** The point `fraction` (0…1) of the way from `a` to `b`; straight in degrees, good for city distances. */
export function interpolate(a: Point, b: Point, fraction: number): Point {
  return { lat: a.lat + (b.lat - a.lat) * fraction, lng: a.lng + (b.lng - a.lng) * fraction };
}

/** Initial bearing from `a` to `b` in degrees clockwise from north, 0 ≤ bearing < 360. */
export function bearingDegrees(a: Point, b: Point): number {
  const dLng = radians(b.lng - a.lng);
  const y = Math.sin(dLng) * Math.cos(radians(b.lat));
  const x =
    Math.cos(radians(a.lat)) * Math.sin(radians(b.lat)) -
    Math.sin(radians(a.lat)) * Math.cos(radians(b.lat)) * Math.cos(dLng);
  return ((Math.atan2(y, x) * 180) / Math.PI + 360) % 360;
}

/** Longitudes as seen from this one, so that the date line is nowhere near; −180 ≤ longitude < 180. */
const eastOf =
  (origin: number) =>
  ({ lng }: Point): number =>
    ((((lng - origin + 180) % 360) + 360) % 360) - 180;

/**
 * Is the point within the polygon? Corners in order, the last joined to the first; even-odd rule, straight in degrees. Right
 * across the date line too, for polygons that reach less than half around the globe. A point on an edge may be either.
 */
export function insidePolygon(point: Point, corners: readonly Point[]): boolean {
  const east = eastOf(corners[0]?.lng ?? 0);
  const here = east(point);
  let inside = false;
  let before = corners.at(-1);
  for (const corner of corners) {
    if (before !== undefined && corner.lat > point.lat !== before.lat > point.lat) {
      const share = (point.lat - before.lat) / (corner.lat - before.lat);
      if (east(before) + share * (east(corner) - east(before)) > here) inside = !inside;
    }
    before = corner;
  }
  return inside;
}

/**
 * Whether a polygon encloses something and no two of its edges cross; they may touch. For polygons that reach less than
 * half around the globe. Costs the square of its corners: half a millisecond for two hundred.
 */
export function isSimplePolygon(corners: readonly Point[]): boolean {
  const east = eastOf(corners[0]?.lng ?? 0);
  const at = corners.map((corner): readonly [number, number] => [east(corner), corner.lat]);
  const next = (i: number): number => (i + 1) % at.length;
  /** On which side of the line from `a` to `b` the point `c` lies; 0: on it. */
  const side = (a: number, b: number, c: number): number =>
    Math.sign((at[b]![0] - at[a]![0]) * (at[c]![1] - at[a]![1]) - (at[b]![1] - at[a]![1]) * (at[c]![0] - at[a]![0]));
  const cross = (i: number, j: number): boolean =>
    side(i, next(i), j) * side(i, next(i), next(j)) < 0 && side(j, next(j), i) * side(j, next(j), next(i)) < 0;
  let twiceTheArea = 0;
  for (let i = 0; i < at.length; i++) {
    twiceTheArea += at[i]![0] * at[next(i)]![1] - at[next(i)]![0] * at[i]![1];
    for (let j = i + 1; j < at.length; j++) if (cross(i, j)) return false;
  }
  return Math.abs(twiceTheArea) > LEAST_TWICE_SQUARE_DEGREES;
}
