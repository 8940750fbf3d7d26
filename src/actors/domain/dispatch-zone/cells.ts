/** The city's grid: H3 cells. Pure. The only place that knows which grid it is. */
import {
  cellToChildrenSize,
  cellToLatLng,
  cellToParent,
  getResolution,
  gridDisk,
  isValidCell,
  latLngToCell,
} from "h3-js";
import { distanceMeters, type Point } from "../../../lib/geo.js";
import { brandId, type ZoneId } from "../../../protocol/mod.js";

/** About 36 km² and 3.7 km an edge: a quarter of a city. */
export const ZONE_RESOLUTION = 6;
/** A hot zone's parts: seven cells of about 5 km². */
export const PART_RESOLUTION = 7;

/** Average edge length in metres (H3's own table). */
const EDGE_METERS: Readonly<Record<number, number>> = { 6: 3_725, 7: 1_406 };

export function zoneOf(point: Point, resolution = ZONE_RESOLUTION): ZoneId {
  return brandId<ZoneId>(latLngToCell(point.lat, point.lng, resolution));
}

interface Neighbourhood {
  /** Always the same text, so that what is kept of thousands of drivers refers to one. */
  readonly home: ZoneId;
  readonly around: readonly (Point & { readonly cell: ZoneId })[];
}

/** Of each cell its neighbours and their middles: asked for every driver every few seconds, and never different. */
const neighbourhoods = new Map<string, Neighbourhood>();
const MOST_NEIGHBOURHOODS = 4_096;

function neighbourhoodOf(home: ZoneId): Neighbourhood {
  const known = neighbourhoods.get(home);
  if (known !== undefined) return known;
  const around = gridDisk(home, 1)
    .filter((cell) => cell !== home)
    .map((cell) => {
      const [lat, lng] = cellToLatLng(cell);
      return { cell: brandId<ZoneId>(cell), lat, lng };
    });
  if (neighbourhoods.size >= MOST_NEIGHBOURHOODS) neighbourhoods.clear();
  const found = { home, around };
  neighbourhoods.set(home, found);
  return found;
}

/**
 * The zone of a point and those of its neighbours that begin within `borderMeters` of it. A neighbour is judged by the
 * circle around it, so a driver may be present in one zone too many, never in one too few.
 */
export function zonesInReach(point: Point, borderMeters: number, resolution = ZONE_RESOLUTION): readonly ZoneId[] {
  const { home, around } = neighbourhoodOf(zoneOf(point, resolution));
  const reach = borderMeters + (EDGE_METERS[resolution] ?? 0) * 1.15;
  const zones: ZoneId[] = [home];
  for (const neighbour of around) if (distanceMeters(point, neighbour) <= reach) zones.push(neighbour.cell);
  return zones;
}

/** Whole zones that begin within `radiusMeters` of a point, nearest first, at most `limit`. */
export function zonesAround(point: Point, radiusMeters: number, limit: number): readonly ZoneId[] {
  const edge = EDGE_METERS[ZONE_RESOLUTION] ?? 0;
  // Two rings of cells are at least one and a half edges apart.
  const rings = Math.ceil((radiusMeters + edge) / (edge * 1.5));
  return gridDisk(zoneOf(point), rings)
    .map((cell) => {
      const [lat, lng] = cellToLatLng(cell);
      return { cell, meters: distanceMeters(point, { lat, lng }) };
    })
    .filter(({ meters }) => meters <= radiusMeters + edge)
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

/** Into how many parts a zone splits. */
export function partsOf(zone: string): number {
  return cellToChildrenSize(zone, PART_RESOLUTION);
}
