/** The city as a GeoJSON FeatureCollection (RFC 7946), for maps that have no internet. */
import type { Point } from "../../src/lib/geo.js";
import type { City } from "./city.js";
import { round6 } from "./roads.js";
import type { StreetEdge, StreetNetwork } from "./streets.js";

type Position = readonly [lng: number, lat: number];

export interface Feature {
  readonly type: "Feature";
  readonly geometry:
    | { readonly type: "LineString"; readonly coordinates: readonly Position[] }
    | { readonly type: "Polygon"; readonly coordinates: readonly (readonly Position[])[] }
    | { readonly type: "Point"; readonly coordinates: Position };
  readonly properties: Readonly<Record<string, string | boolean>>;
}

export interface FeatureCollection {
  readonly type: "FeatureCollection";
  readonly features: readonly Feature[];
}

/**
 * Grounds first, so that a map that draws in order puts streets above them: `kind` is `park` or `water` (polygons),
 * `street` (lines with `class` and `name`), `restaurant` (points with `id` and `name`).
 */
export function cityGeoJson(city: City): FeatureCollection {
  const features: Feature[] = city.network.ground.map((ground) => ({
    type: "Feature",
    geometry: { type: "Polygon", coordinates: [ground.ring.map(position)] },
    properties: { kind: ground.kind, name: ground.name },
  }));
  for (const line of streetLines(city.network)) features.push(line);
  for (const restaurant of city.restaurants) {
    features.push({
      type: "Feature",
      geometry: { type: "Point", coordinates: position(restaurant.at) },
      properties: { kind: "restaurant", id: restaurant.id, name: restaurant.profile.name },
    });
  }
  return { type: "FeatureCollection", features };
}

/** Edges of one street that follow each other become one line; a tunnel is a line of its own. */
function streetLines(network: StreetNetwork): Feature[] {
  const lines: Feature[] = [];
  const byStreet = new Map<string, StreetEdge[]>();
  for (const edge of network.edges) {
    const key = `${edge.street}/${edge.tunnel}`;
    const edges = byStreet.get(key);
    if (edges === undefined) byStreet.set(key, [edge]);
    else edges.push(edge);
  }
  for (const edges of byStreet.values()) {
    const first = edges[0]!;
    const street = network.streets[first.street]!;
    for (const chain of chains(edges)) {
      lines.push({
        type: "Feature",
        geometry: { type: "LineString", coordinates: chain.map((node) => position(network.nodes[node]!)) },
        properties: { kind: "street", class: street.class, name: street.name, tunnel: first.tunnel },
      });
    }
  }
  return lines;
}

/** Edges of a street were made in the order of travel, so a chain breaks only where a block is missing. */
function chains(edges: readonly StreetEdge[]): number[][] {
  const found: number[][] = [];
  const sorted = edges.toSorted((a, b) => Math.min(a.from, a.to) - Math.min(b.from, b.to));
  for (const edge of sorted) {
    const low = Math.min(edge.from, edge.to);
    const high = Math.max(edge.from, edge.to);
    const open = found.find((chain) => chain[chain.length - 1] === low);
    if (open === undefined) found.push([low, high]);
    else open.push(high);
  }
  return found;
}

function position(point: Point): Position {
  return [round6(point.lng), round6(point.lat)];
}
