/**
 * Ways along the city's streets, found on the device: it works in a tunnel. Owns the graph and the shortest way; does not
 * know of traffic or one-way streets, so it is a hint beside the phone's own navigation.
 */
import { bearingDegrees, distanceMeters, type Point } from "../../../src/lib/geo.js";
import type { CityMap } from "./city.js";

export interface Turn {
  /** Where the turn is, in metres from the beginning. */
  readonly atMeters: number;
  readonly direction: "left" | "right" | "straight" | "arrive";
  /** The street that is taken; empty at the end. */
  readonly street: string;
}

export interface Way {
  readonly points: readonly Point[];
  readonly meters: number;
  readonly turns: readonly Turn[];
}

interface Edge {
  readonly to: number;
  readonly meters: number;
  readonly street: string;
}

/** Nearer than this, the door is in sight. */
const IN_SIGHT_METERS = 90;
/** Less than this is the street's own bend. */
const STRAIGHT_DEGREES = 35;

const keyOf = (lng: number, lat: number): string => `${lng.toFixed(6)},${lat.toFixed(6)}`;

export class Streets {
  readonly #points: Point[] = [];
  readonly #edges: Edge[][] = [];

  constructor(city: CityMap) {
    const nodes = new Map<string, number>();
    const nodeAt = ([lng, lat]: readonly [number, number]): number => {
      const key = keyOf(lng, lat);
      const known = nodes.get(key);
      if (known !== undefined) return known;
      nodes.set(key, this.#points.length);
      this.#edges.push([]);
      return this.#points.push({ lat, lng }) - 1;
    };
    for (const { geometry, properties } of city.features) {
      if (properties.kind !== "street" || geometry.type !== "LineString") continue;
      const line = (geometry.coordinates as readonly (readonly [number, number])[]).map(nodeAt);
      const street = String(properties.name ?? "");
      for (let i = 1; i < line.length; i++) {
        const [a, b] = [line[i - 1]!, line[i]!];
        const meters = distanceMeters(this.#points[a]!, this.#points[b]!);
        this.#edges[a]!.push({ to: b, meters, street });
        this.#edges[b]!.push({ to: a, meters, street });
      }
    }
  }

  /** The shortest way; a straight line where there are no streets. */
  way(from: Point, to: Point): Way {
    if (distanceMeters(from, to) < IN_SIGHT_METERS) return straight(from, to);
    const start = this.#nearest(from);
    const end = this.#nearest(to);
    if (start < 0 || end < 0) return straight(from, to);
    const came = this.#search(start, end);
    if (came === null) return straight(from, to);
    const nodes: { readonly node: number; readonly street: string }[] = [];
    for (let at = end; ; ) {
      const step = came.get(at);
      nodes.push({ node: at, street: step?.street ?? "" });
      if (step === undefined) break;
      at = step.from;
    }
    nodes.reverse();
    return describe(
      from,
      to,
      nodes.map(({ node, street }) => ({ point: this.#points[node]!, street })),
    );
  }

  #nearest(point: Point): number {
    let best = -1;
    let bestMeters = Number.POSITIVE_INFINITY;
    for (const [node, candidate] of this.#points.entries()) {
      const meters = distanceMeters(point, candidate);
      if (meters >= bestMeters || this.#edges[node]!.length === 0) continue;
      best = node;
      bestMeters = meters;
    }
    return best;
  }

  /** Dijkstra; a town has some hundreds of crossings, so a list in place of a heap is quick enough. */
  #search(start: number, end: number): ReadonlyMap<number, { from: number; street: string }> | null {
    const meters = new Map<number, number>([[start, 0]]);
    const came = new Map<number, { from: number; street: string }>();
    const done = new Set<number>();
    const open = new Set<number>([start]);
    while (open.size > 0) {
      let at = -1;
      for (const node of open) if (at < 0 || meters.get(node)! < meters.get(at)!) at = node;
      if (at === end) return came;
      open.delete(at);
      done.add(at);
      for (const edge of this.#edges[at]!) {
        if (done.has(edge.to)) continue;
        const through = meters.get(at)! + edge.meters;
        if (through >= (meters.get(edge.to) ?? Number.POSITIVE_INFINITY)) continue;
        meters.set(edge.to, through);
        came.set(edge.to, { from: at, street: edge.street });
        open.add(edge.to);
      }
    }
    return null;
  }
}

function straight(from: Point, to: Point): Way {
  const meters = distanceMeters(from, to);
  return { points: [from, to], meters, turns: [{ atMeters: meters, direction: "arrive", street: "" }] };
}

function describe(from: Point, to: Point, nodes: readonly { readonly point: Point; readonly street: string }[]): Way {
  const points = [from, ...nodes.map(({ point }) => point), to];
  const turns: Turn[] = [];
  let meters = distanceMeters(from, nodes[0]!.point);
  let street = nodes[1]?.street ?? "";
  if (street !== "") turns.push({ atMeters: 0, direction: "straight", street });
  for (let i = 1; i < nodes.length; i++) {
    const here = nodes[i - 1]!.point;
    const next = nodes[i]!;
    if (next.street !== street) {
      const before = bearingDegrees(nodes[i - 2]?.point ?? from, here);
      const change = ((bearingDegrees(here, next.point) - before + 540) % 360) - 180;
      const direction = Math.abs(change) < STRAIGHT_DEGREES ? "straight" : change < 0 ? "left" : "right";
      street = next.street;
      turns.push({ atMeters: meters, direction, street });
    }
    meters += distanceMeters(here, next.point);
  }
  meters += distanceMeters(nodes.at(-1)!.point, to);
  turns.push({ atMeters: meters, direction: "arrive", street: "" });
  return { points, meters, turns };
}
