/** The city's grid: H3 cells. Pure. The only place that knows which grid it is. */
import {
  cellToChildren,
  cellToLatLng,
  cellToParent,
  directedEdgeToBoundary,
  getDirectedEdgeDestination,
  getResolution,
  gridDisk,
  isValidCell,
  latLngToCell,
  originToDirectedEdges,
} from "h3-js";
import { distanceMeters, EARTH_RADIUS_METERS, type Point } from "../../../lib/geo.js";
import { brandId, type ZoneId } from "../../../protocol/mod.js";

/** About 36 km² and 3.7 km an edge: a quarter of a city. */
export const ZONE_RESOLUTION = 6;
/** A hot zone's parts: seven cells of about 5 km². */
export const PART_RESOLUTION = 7;

/** Average edge length of a whole zone in metres (H3's own table). */
const ZONE_EDGE_METERS = 3_725;
const METERS_PER_DEGREE = (EARTH_RADIUS_METERS * Math.PI) / 180;

export function zoneOf(point: Point, resolution = ZONE_RESOLUTION): ZoneId {
  return brandId<ZoneId>(latLngToCell(point.lat, point.lng, resolution));
}

/** Metres east and north of the middle of a cell. Flat: a cell is small beside the earth. */
interface Local {
  readonly east: number;
  readonly north: number;
}

interface Neighbourhood {
  /** Always the same text, so that what is kept of thousands of drivers refers to one. */
  readonly home: ZoneId;
  readonly middle: Point;
  /** Of a degree of longitude here. */
  readonly metersPerDegreeEast: number;
  /** Each neighbour and the border with it, corner by corner. */
  readonly around: readonly { readonly cell: ZoneId; readonly border: readonly Local[] }[];
}

/** Of each cell its neighbours and its borders: asked for every driver every few seconds, and never different. */
const neighbourhoods = new Map<string, Neighbourhood>();
const MOST_NEIGHBOURHOODS = 4_096;

function neighbourhoodOf(home: ZoneId): Neighbourhood {
  const known = neighbourhoods.get(home);
  if (known !== undefined) return known;
  const [lat, lng] = cellToLatLng(home);
  const middle = { lat, lng };
  const metersPerDegreeEast = METERS_PER_DEGREE * Math.cos((lat * Math.PI) / 180);
  const around = originToDirectedEdges(home).map((edge) => ({
    cell: brandId<ZoneId>(getDirectedEdgeDestination(edge)),
    border: directedEdgeToBoundary(edge).map(([lat, lng]) => localOf({ lat, lng }, middle, metersPerDegreeEast)),
  }));
  if (neighbourhoods.size >= MOST_NEIGHBOURHOODS) neighbourhoods.clear();
  const found = { home, middle, metersPerDegreeEast, around };
  neighbourhoods.set(home, found);
  return found;
}

function localOf(point: Point, middle: Point, metersPerDegreeEast: number): Local {
  let degrees = point.lng - middle.lng;
  if (degrees > 180) degrees -= 360;
  else if (degrees < -180) degrees += 360;
  return { east: degrees * metersPerDegreeEast, north: (point.lat - middle.lat) * METERS_PER_DEGREE };
}

/** Is any part of the border within `meters`? From inside a cell nothing of a neighbour is nearer than their border. */
function isWithin(meters: number, here: Local, border: readonly Local[]): boolean {
  for (let i = 1; i < border.length; i++) {
    const from = border[i - 1]!;
    const east = border[i]!.east - from.east;
    const north = border[i]!.north - from.north;
    const along = ((here.east - from.east) * east + (here.north - from.north) * north) / (east * east + north * north);
    const share = Math.max(0, Math.min(1, along));
    const offEast = here.east - from.east - share * east;
    const offNorth = here.north - from.north - share * north;
    if (offEast * offEast + offNorth * offNorth <= meters * meters) return true;
  }
  return false;
}

/** The zone of a point and those of its neighbours that begin within `borderMeters` of it. */
export function zonesInReach(point: Point, borderMeters: number, resolution = ZONE_RESOLUTION): readonly ZoneId[] {
  const { home, middle, metersPerDegreeEast, around } = neighbourhoodOf(zoneOf(point, resolution));
  const here = localOf(point, middle, metersPerDegreeEast);
  const zones: ZoneId[] = [home];
  for (const { cell, border } of around) if (isWithin(borderMeters, here, border)) zones.push(cell);
  return zones;
}

/** Whole zones that begin within `radiusMeters` of a point, nearest first, at most `limit`. */
export function zonesAround(point: Point, radiusMeters: number, limit: number): readonly ZoneId[] {
  // Two rings of cells are at least one and a half edges apart.
  const rings = Math.ceil((radiusMeters + ZONE_EDGE_METERS) / (ZONE_EDGE_METERS * 1.5));
  return gridDisk(zoneOf(point), rings)
    .map((cell) => {
      const [lat, lng] = cellToLatLng(cell);
      return { cell, meters: distanceMeters(point, { lat, lng }) };
    })
    .filter(({ meters }) => meters <= radiusMeters + ZONE_EDGE_METERS)
    .sort((a, b) => a.meters - b.meters)
    .slice(0, limit)
    .map(({ cell }) => brandId<ZoneId>(cell));
}

export function isZone(key: string): boolean {
  return isValidCell(key);
}

/** True for a part of a split zone. */
export function isPart(zone: string): boolean {
  return getResolution(zone) === PART_RESOLUTION;
}

/** The zone a part belongs to; a whole zone is its own. */
export function wholeOf(zone: string): ZoneId {
  return brandId<ZoneId>(isPart(zone) ? cellToParent(zone, ZONE_RESOLUTION) : zone);
}

/**
 * The part of its zone in which a point lies. Cells of two sizes do not fit exactly: near the zone's edge the small cell
 * around a point may be a neighbour's part; then it is the nearest of the own ones.
 */
export function partOf(point: Point): ZoneId {
  const zone = zoneOf(point);
  const part = zoneOf(point, PART_RESOLUTION);
  if (wholeOf(part) === zone) return part;
  let [nearest, leastMeters] = [part, Number.POSITIVE_INFINITY];
  for (const child of partsOf(zone)) {
    const [lat, lng] = cellToLatLng(child);
    const meters = distanceMeters(point, { lat, lng });
    if (meters < leastMeters) [nearest, leastMeters] = [child, meters];
  }
  return nearest;
}

/** The parts into which a zone splits. */
export function partsOf(zone: string): readonly ZoneId[] {
  return cellToChildren(zone, PART_RESOLUTION).map((cell) => brandId<ZoneId>(cell));
}
