/**
 * Which driver for which order. Pure and replaceable: the zone gives it what it knows and proposes what comes out.
 *
 * This one is simple: an order is due once its slack (preparation left − the nearest driver's way) has shrunk to
 * `matchSlackMs`; due orders choose in the order of their readiness, each the driver who can be there soonest.
 */
import type { Point } from "../../../lib/geo.js";
import type { DomainSettings } from "../settings.js";

export interface WaitingOrder {
  readonly orderId: string;
  readonly pickup: Point;
  readonly readyAt: number;
  readonly excluded: readonly string[];
}

export interface FreeDriver {
  readonly driverId: string;
  readonly lat: number;
  readonly lng: number;
}

export interface Proposal {
  readonly orderId: string;
  /** When its slack was spent: from then on it could have been offered to this driver. */
  readonly dueAt: number;
  /** Best first. */
  readonly candidates: readonly { readonly driverId: string; readonly why: string }[];
}

/** One driver for one order, with what the choice is made of. */
export interface Score {
  readonly driver: FreeDriver;
  readonly travelMs: number;
  /** How long the food would wait for the driver; negative: the driver for the food. */
  readonly waitMs: number;
}

const METERS_PER_DEGREE = 111_195;

/** Metres in a straight line, by an equirectangular projection: within a city good to a few in a thousand, and cheap. */
function roughMeters(a: Point, b: Point, cosLat: number): number {
  const dLat = a.lat - b.lat;
  // Across the date line the short way round.
  const degrees = Math.abs(a.lng - b.lng);
  const dLng = Math.min(degrees, 360 - degrees) * cosLat;
  return Math.sqrt(dLat * dLat + dLng * dLng) * METERS_PER_DEGREE;
}

/** Explains a choice to a person. */
export function explain(score: Score, rank: number, settings: DomainSettings): string {
  const minutes = (ms: number): string => (ms / settings.order.minuteMs).toFixed(1);
  const wait =
    score.waitMs >= 0 ? `food waits ${minutes(score.waitMs)} min` : `waits ${minutes(-score.waitMs)} min for the food`;
  return `#${rank} by time to the restaurant: ${minutes(score.travelMs)} min, ${wait}`;
}

/**
 * Proposals for the orders that are due at `now`. `size`: candidates per order (1, or several for broadcast). A driver
 * is in at most one proposal; `drivers` has each once. Equal inputs in any order give equal results.
 */
export function match(
  orders: readonly WaitingOrder[],
  drivers: readonly FreeDriver[],
  now: number,
  size: number,
  settings: DomainSettings,
): readonly Proposal[] {
  const { speedMetersPerSecond, streetFactor } = settings.travel;
  const { reachMeters, matchSlackMs } = settings.zone;
  const taken = new Set<string>();
  const proposals: Proposal[] = [];
  const byReadiness = orders.toSorted((a, b) => a.readyAt - b.readyAt || (a.orderId < b.orderId ? -1 : 1));
  for (const order of byReadiness) {
    if (taken.size === drivers.length) break;
    const cosLat = Math.cos((order.pickup.lat * Math.PI) / 180);
    let best: Score[] = [];
    for (const driver of drivers) {
      const meters = roughMeters(driver, order.pickup, cosLat);
      if (meters > reachMeters) continue;
      const travelMs = ((meters * streetFactor) / speedMetersPerSecond) * 1000;
      const worst = best.at(-1);
      if (best.length === size && worst !== undefined && !before(travelMs, driver, worst)) continue;
      if (taken.has(driver.driverId) || order.excluded.includes(driver.driverId)) continue;
      best = insert(best, { driver, travelMs, waitMs: now + travelMs - order.readyAt }, size);
    }
    const first = best[0];
    if (first === undefined || order.readyAt - now - first.travelMs > matchSlackMs) continue;
    for (const score of best) taken.add(score.driver.driverId);
    proposals.push({
      orderId: order.orderId,
      dueAt: order.readyAt - first.travelMs - matchSlackMs,
      candidates: best.map((score, index) => ({
        driverId: score.driver.driverId,
        why: explain(score, index + 1, settings),
      })),
    });
  }
  return proposals;
}

const before = (travelMs: number, driver: FreeDriver, other: Score): boolean =>
  travelMs < other.travelMs || (travelMs === other.travelMs && driver.driverId < other.driver.driverId);

function insert(best: readonly Score[], score: Score, size: number): Score[] {
  const at = best.findIndex((other) => before(score.travelMs, score.driver, other));
  return best.toSpliced(at < 0 ? best.length : at, 0, score).slice(0, size);
}
