/**
 * Ways through a city. Owns routes and positions along them; does not own who travels. Two kinds of roads: the streets
 * of a made-up city, and straight lines stretched by a street factor where only coordinates are known.
 */
import { bearingDegrees, distanceMeters, interpolate, type Point } from "../../src/lib/geo.js";
import type { Random } from "../../src/lib/random.js";
import { clamp, normal } from "./draw.js";
import type { StreetNetwork } from "./streets.js";

export interface Route {
  readonly points: readonly Point[];
  /** Metres travelled at each point; starts with 0 and never falls. */
  readonly metersAt: readonly number[];
  readonly meters: number;
  /** Stretches without signal, in metres from the start. */
  readonly tunnels: readonly { readonly from: number; readonly to: number }[];
}

export interface Roads {
  route(from: Point, to: Point): Route;
}

export interface Place {
  readonly point: Point;
  readonly bearing: number;
  readonly inTunnel: boolean;
}

/** Where a traveller is after `meters` of the route; before the start and after the end it stands still. */
export function placeAlong(route: Route, meters: number): Place {
  const at = clamp(meters, 0, route.meters);
  let low = 0;
  let high = route.metersAt.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (route.metersAt[middle]! <= at) low = middle;
    else high = middle;
  }
  const from = route.points[low]!;
  const to = route.points[high]!;
  const length = route.metersAt[high]! - route.metersAt[low]!;
  const point = length === 0 ? to : interpolate(from, to, clamp((at - route.metersAt[low]!) / length, 0, 1));
  const inTunnel = route.tunnels.some((tunnel) => at > tunnel.from && at < tunnel.to);
  return { point, bearing: bearingDegrees(from, to), inTunnel };
}

/** A fix as a phone would measure it: the true place plus an error, and the accuracy the phone believes in. */
export function measuredFix(random: Random, truth: Point): { readonly point: Point; readonly accuracyMeters: number } {
  const accuracyMeters = Math.round(clamp(Math.abs(normal(random, 7, 3)), 3, 40) * 10) / 10;
  const metersPerDegree = 111_195;
  const north = normal(random, 0, accuracyMeters / 3);
  const east = normal(random, 0, accuracyMeters / 3);
  const lng = truth.lng + east / (metersPerDegree * Math.cos((truth.lat * Math.PI) / 180));
  return { point: { lat: round6(truth.lat + north / metersPerDegree), lng: round6(lng) }, accuracyMeters };
}

/** Six decimals are eleven centimetres: what phones send. */
export function round6(degrees: number): number {
  return Math.round(degrees * 1e6) / 1e6;
}

/** Straight lines whose length is stretched by `streetFactor` (street distance over crow's distance, about 1.3–1.4). */
export function straightRoads(streetFactor: number): Roads {
  return {
    route(from, to) {
      const meters = distanceMeters(from, to) * streetFactor;
      return { points: [from, to], metersAt: [0, meters], meters, tunnels: [] };
    },
  };
}

/** Minor streets are slower: a metre of them counts as this many of a major one. */
const MINOR_COST = 1.35;

/** Shortest ways over the network by A*, minor streets counting for more than their length. */
export function streetRoads(network: StreetNetwork): Roads {
  const nodes = network.nodes;
  const nearest = (point: Point): number => {
    let best = 0;
    let bestMeters = Number.POSITIVE_INFINITY;
    for (let node = 0; node < nodes.length; node++) {
      const meters = distanceMeters(point, nodes[node]!);
      if (meters < bestMeters) {
        best = node;
        bestMeters = meters;
      }
    }
    return best;
  };
  return {
    route(from, to) {
      const start = nearest(from);
      const goal = nearest(to);
      const edges = shortestWay(network, start, goal);
      const points: Point[] = [from];
      const metersAt: number[] = [0];
      const tunnels: { from: number; to: number }[] = [];
      let meters = 0;
      const goTo = (point: Point, tunnel: boolean): void => {
        const step = distanceMeters(points[points.length - 1]!, point);
        if (step === 0) return;
        const last = tunnels[tunnels.length - 1];
        if (tunnel && last !== undefined && last.to === meters) last.to = meters + step;
        else if (tunnel) tunnels.push({ from: meters, to: meters + step });
        meters += step;
        points.push(point);
        metersAt.push(meters);
      };
      goTo(nodes[start]!, false);
      let at = start;
      for (const number of edges) {
        const edge = network.edges[number]!;
        at = edge.from === at ? edge.to : edge.from;
        goTo(nodes[at]!, edge.tunnel);
      }
      goTo(to, false);
      if (points.length === 1) {
        points.push(to);
        metersAt.push(0);
      }
      return { points, metersAt, meters, tunnels };
    },
  };
}

/** The edges of the cheapest way, in order of travel. The network is connected, so there always is one. */
function shortestWay(network: StreetNetwork, start: number, goal: number): readonly number[] {
  const count = network.nodes.length;
  const cost = new Float64Array(count).fill(Number.POSITIVE_INFINITY);
  const cameBy = new Int32Array(count).fill(-1);
  const done = new Uint8Array(count);
  const target = network.nodes[goal]!;
  const heap: [estimate: number, node: number][] = [];
  const push = (estimate: number, node: number): void => {
    let child = heap.push([estimate, node]) - 1;
    while (child > 0) {
      const parent = (child - 1) >> 1;
      if (heap[parent]![0] <= heap[child]![0]) break;
      [heap[parent], heap[child]] = [heap[child]!, heap[parent]!];
      child = parent;
    }
  };
  const pop = (): number => {
    const node = heap[0]![1];
    const last = heap.pop()!;
    if (heap.length > 0) {
      heap[0] = last;
      let parent = 0;
      for (;;) {
        let least = parent;
        const left = 2 * parent + 1;
        if (left < heap.length && heap[left]![0] < heap[least]![0]) least = left;
        if (left + 1 < heap.length && heap[left + 1]![0] < heap[least]![0]) least = left + 1;
        if (least === parent) break;
        [heap[parent], heap[least]] = [heap[least]!, heap[parent]!];
        parent = least;
      }
    }
    return node;
  };
  cost[start] = 0;
  push(0, start);
  while (heap.length > 0) {
    const node = pop();
    if (node === goal) break;
    if (done[node] === 1) continue;
    done[node] = 1;
    for (const number of network.edgesAt[node]!) {
      const edge = network.edges[number]!;
      const next = edge.from === node ? edge.to : edge.from;
      const through = cost[node]! + edge.meters * (edge.class === "minor" ? MINOR_COST : 1);
      if (through >= cost[next]!) continue;
      cost[next] = through;
      cameBy[next] = number;
      push(through + distanceMeters(network.nodes[next]!, target), next);
    }
  }
  const way: number[] = [];
  for (let at = goal; at !== start; ) {
    const number = cameBy[at]!;
    way.push(number);
    const edge = network.edges[number]!;
    at = edge.from === at ? edge.to : edge.from;
  }
  return way.reverse();
}
