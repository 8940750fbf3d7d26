/**
 * The street network: a jittered grid with a river that only major streets cross (by bridges and tunnels), a park that
 * minor streets go round, and holes where blocks were never cut through. Owns the graph and the ground; does not own
 * travel (`roads.ts`). Invariants: the graph is connected; equal seeds give equal cities.
 */
import { distanceMeters, type Point } from "../../src/lib/geo.js";
import type { Random } from "../../src/lib/random.js";
import { between, chance } from "./draw.js";
import { STREET_NAMES } from "./names.js";

export type StreetClass = "major" | "minor";

export interface StreetEdge {
  readonly from: number;
  readonly to: number;
  readonly meters: number;
  readonly class: StreetClass;
  /** Index into `StreetNetwork.streets`. */
  readonly street: number;
  /** No satellite is heard in here and no radio either. */
  readonly tunnel: boolean;
}

export interface Street {
  readonly name: string;
  readonly class: StreetClass;
}

export interface Ground {
  readonly kind: "park" | "water";
  readonly name: string;
  /** A closed ring, counter-clockwise. */
  readonly ring: readonly Point[];
}

export interface StreetNetwork {
  readonly nodes: readonly Point[];
  readonly edges: readonly StreetEdge[];
  /** Edge numbers by node; every edge can be driven both ways. */
  readonly edgesAt: readonly (readonly number[])[];
  readonly streets: readonly Street[];
  readonly ground: readonly Ground[];
}

export interface StreetOptions {
  readonly centre: Point;
  readonly columns: number;
  readonly rows: number;
  readonly blockMeters: number;
}

const METERS_PER_DEGREE = 111_195;

/** Metres east and north of the centre, as degrees. */
function place(centre: Point, east: number, north: number): Point {
  return {
    lat: centre.lat + north / METERS_PER_DEGREE,
    lng: centre.lng + east / (METERS_PER_DEGREE * Math.cos((centre.lat * Math.PI) / 180)),
  };
}

interface RawEdge {
  readonly from: number;
  readonly to: number;
  readonly class: StreetClass;
  readonly street: number;
  readonly crossing: boolean;
}

export function createStreets(random: Random, options: StreetOptions): StreetNetwork {
  const { columns, rows, blockMeters, centre } = options;
  const width = (columns - 1) * blockMeters;
  const height = (rows - 1) * blockMeters;
  const riverHalfWidth = blockMeters * 0.28;
  const phase = between(random, 0, 2 * Math.PI);
  const riverNorth = (east: number): number =>
    -height * 0.12 + height * 0.11 * Math.sin((2.1 * Math.PI * east) / width + phase);
  const park = {
    west: width * 0.12,
    east: width * 0.12 + blockMeters * Math.max(2, columns * 0.16),
    south: height * 0.14,
    north: height * 0.14 + blockMeters * Math.max(2, rows * 0.2),
  };

  const flat: { readonly east: number; readonly north: number; readonly wet: boolean }[] = [];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const east = column * blockMeters - width / 2 + between(random, -0.16, 0.16) * blockMeters;
      const north = row * blockMeters - height / 2 + between(random, -0.16, 0.16) * blockMeters;
      flat.push({ east, north, wet: Math.abs(north - riverNorth(east)) < riverHalfWidth });
    }
  }

  const streets: Street[] = [];
  const nameStart = Math.floor(random.next() * STREET_NAMES.length);
  const addStreet = (streetClass: StreetClass): number => {
    const name = STREET_NAMES[(nameStart + streets.length) % STREET_NAMES.length]!;
    const round = Math.floor(streets.length / STREET_NAMES.length);
    streets.push({ name: round === 0 ? name : `${name} ${round + 1}`, class: streetClass });
    return streets.length - 1;
  };
  const rowStreets = Array.from({ length: rows }, (_, row) => addStreet(row % 4 === 1 ? "major" : "minor"));
  const columnStreets = Array.from({ length: columns }, (_, column) => addStreet(column % 4 === 2 ? "major" : "minor"));

  const raw: RawEdge[] = [];
  const consider = (from: number, to: number, street: number): void => {
    const a = flat[from]!;
    const b = flat[to]!;
    const streetClass = streets[street]!.class;
    const sideA = a.north > riverNorth(a.east);
    const sideB = b.north > riverNorth(b.east);
    const crossing = a.wet || b.wet || sideA !== sideB;
    if (crossing && streetClass === "minor") return;
    const middle = { east: (a.east + b.east) / 2, north: (a.north + b.north) / 2 };
    const inPark =
      middle.east > park.west && middle.east < park.east && middle.north > park.south && middle.north < park.north;
    if (inPark && streetClass === "minor") return;
    if (streetClass === "minor" && chance(random, 0.13)) return;
    raw.push({ from, to, class: streetClass, street, crossing });
  };
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const here = row * columns + column;
      if (column + 1 < columns) consider(here, here + 1, rowStreets[row]!);
      if (row + 1 < rows) consider(here, here + columns, columnStreets[column]!);
    }
  }

  const points = flat.map(({ east, north }) => place(centre, east, north));
  // Every third major street that crosses the river dives under it.
  const crossingStreets = [...new Set(raw.filter((edge) => edge.crossing).map((edge) => edge.street))];
  const tunnelStreets = new Set(crossingStreets.filter((_, index) => index % 3 === 1));
  return {
    ...largestPart(points, raw, tunnelStreets),
    streets,
    ground: [
      riverGround(centre, width, riverHalfWidth * 0.8, riverNorth),
      {
        kind: "park",
        name: "Almond Park",
        ring: [
          place(centre, park.west, park.south),
          place(centre, park.east, park.south),
          place(centre, park.east, park.north),
          place(centre, park.west, park.north),
          place(centre, park.west, park.south),
        ],
      },
    ],
  };
}

function riverGround(centre: Point, width: number, halfWidth: number, riverNorth: (east: number) => number): Ground {
  const south: Point[] = [];
  const north: Point[] = [];
  // A river goes on beyond the city: far enough that no window shows its end.
  const reach = 2.5 * width;
  const steps = 200;
  for (let step = 0; step <= steps; step++) {
    const east = -reach + (2 * reach * step) / steps;
    south.push(place(centre, east, riverNorth(east) - halfWidth));
    north.push(place(centre, east, riverNorth(east) + halfWidth));
  }
  return { kind: "water", name: "River Lenne", ring: [...south, ...north.reverse(), south[0]!] };
}

/** Keeps the largest connected part of the grid and renumbers its nodes. */
function largestPart(
  points: readonly Point[],
  raw: readonly RawEdge[],
  tunnelStreets: ReadonlySet<number>,
): Pick<StreetNetwork, "nodes" | "edges" | "edgesAt"> {
  const parent = points.map((_, index) => index);
  const find = (node: number): number => {
    let root = node;
    while (parent[root] !== root) root = parent[root]!;
    for (let at = node; at !== root; ) {
      const next = parent[at]!;
      parent[at] = root;
      at = next;
    }
    return root;
  };
  for (const edge of raw) parent[find(edge.from)] = find(edge.to);
  const sizes = new Map<number, number>();
  for (let node = 0; node < points.length; node++) sizes.set(find(node), (sizes.get(find(node)) ?? 0) + 1);
  let best = 0;
  for (const [root, size] of sizes) if (size > (sizes.get(best) ?? 0)) best = root;

  const renumbered = new Map<number, number>();
  const nodes: Point[] = [];
  for (let node = 0; node < points.length; node++) {
    if (find(node) !== best) continue;
    renumbered.set(node, nodes.length);
    nodes.push(points[node]!);
  }
  const edges: StreetEdge[] = [];
  const edgesAt: number[][] = nodes.map(() => []);
  for (const edge of raw) {
    const from = renumbered.get(edge.from);
    const to = renumbered.get(edge.to);
    if (from === undefined || to === undefined) continue;
    edgesAt[from]!.push(edges.length);
    edgesAt[to]!.push(edges.length);
    edges.push({
      from,
      to,
      meters: distanceMeters(nodes[from]!, nodes[to]!),
      class: edge.class,
      street: edge.street,
      tunnel: edge.crossing && tunnelStreets.has(edge.street),
    });
  }
  return { nodes, edges, edgesAt };
}
