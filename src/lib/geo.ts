/** A WGS 84 position in degrees. */
export interface Point {
  readonly lat: number;
  readonly lng: number;
}

const EARTH_RADIUS_METERS = 6_371_008.8;
const radians = (degrees: number): number => (degrees * Math.PI) / 180;

/** Great-circle distance in metres (haversine, mean Earth radius of the IUGG). */
export function distanceMeters(a: Point, b: Point): number {
  const sinLat = Math.sin(radians(b.lat - a.lat) / 2);
  const sinLng = Math.sin(radians(b.lng - a.lng) / 2);
  const h = sinLat * sinLat + Math.cos(radians(a.lat)) * Math.cos(radians(b.lat)) * sinLng * sinLng;
  return 2 * EARTH_RADIUS_METERS * Math.asin(Math.min(1, Math.sqrt(h)));
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

/**
 * Is the point within the polygon? Corners in order, the last joined to the first; even-odd rule, straight in degrees. Right
 * across the date line too, for polygons that reach less than half around the globe. A point on an edge may be either.
 */
export function insidePolygon(point: Point, corners: readonly Point[]): boolean {
  const origin = corners[0]?.lng ?? 0;
  // Longitudes as seen from the first corner, so that the date line is nowhere near.
  const east = ({ lng }: Point): number => ((((lng - origin + 180) % 360) + 360) % 360) - 180;
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
