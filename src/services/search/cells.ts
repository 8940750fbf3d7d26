/**
 * The globe in cells of about 280 metres: whoever stands in one cell gets one ranking. Rows of equal latitude, each cut
 * into as many cells as its circle is long.
 */
import { distanceMeters, type Point } from "../../lib/geo.js";

export interface Cell {
  /** Unique; not to be taken apart. */
  readonly key: string;
  readonly center: Point;
  /** No point of the cell is farther from its centre, in metres. */
  readonly radiusMeters: number;
}

const ROW_DEGREES = 0.0025;
const ROWS = 180 / ROW_DEGREES;

export function cellOf(point: Point): Cell {
  const row = Math.min(ROWS - 1, Math.floor((point.lat + 90) / ROW_DEGREES));
  const south = row * ROW_DEGREES - 90;
  const lat = south + ROW_DEGREES / 2;
  const columns = Math.max(1, Math.round((360 * Math.cos((lat * Math.PI) / 180)) / ROW_DEGREES));
  const width = 360 / columns;
  const column = Math.min(columns - 1, Math.floor((point.lng + 180) / width));
  const west = column * width - 180;
  const center = { lat, lng: west + width / 2 };
  // The corner towards the equator is the farthest; a metre more for what rounding takes.
  const corner = { lat: lat > 0 ? south : south + ROW_DEGREES, lng: west };
  return { key: `${row}:${column}`, center, radiusMeters: distanceMeters(center, corner) + 1 };
}
