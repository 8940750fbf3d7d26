/**
 * Where each driver is drawn. Positions come every few seconds; between two of them a driver is moved along at an even
 * pace, so it arrives at the newest position about when the next one is due.
 */
import { bearingDegrees, distanceMeters, interpolate, type Point } from "../../../src/lib/geo.js";

interface Motion {
  from: Point;
  to: Point;
  startedMs: number;
  durationMs: number;
  bearing: number;
  seen: boolean;
}

const FIRST_INTERVAL_MS = 1500;
const MAX_INTERVAL_MS = 6000;
/** Farther than anyone rides between two positions: shown at once, not flown to. */
const JUMP_METERS = 600;
/** Less than this is the receiver's unrest, which says nothing of the direction. */
const STILL_METERS = 3;

export class Motions {
  readonly #motions = new Map<string, Motion>();
  /** For those who asked their device for less motion. */
  readonly still: boolean;

  constructor(still: boolean) {
    this.still = still;
  }

  /** Takes everyone's newest positions; who is not among them is forgotten. */
  update(drivers: Iterable<{ readonly id: string; readonly lat: number; readonly lng: number }>, nowMs: number): void {
    for (const motion of this.#motions.values()) motion.seen = false;
    for (const { id, lat, lng } of drivers) {
      const motion = this.#motions.get(id);
      const to = { lat, lng };
      if (motion === undefined) {
        this.#motions.set(id, { from: to, to, startedMs: nowMs, durationMs: 0, bearing: Number.NaN, seen: true });
        continue;
      }
      motion.seen = true;
      if (motion.to.lat === lat && motion.to.lng === lng) continue;
      const shown = this.#at(motion, nowMs);
      const meters = distanceMeters(shown, to);
      if (distanceMeters(motion.to, to) > STILL_METERS) motion.bearing = bearingDegrees(motion.to, to);
      const sinceMs = motion.durationMs === 0 ? FIRST_INTERVAL_MS : nowMs - motion.startedMs;
      motion.from = this.still || meters > JUMP_METERS ? to : shown;
      motion.to = to;
      motion.startedMs = nowMs;
      motion.durationMs = Math.min(MAX_INTERVAL_MS, Math.max(800, sinceMs));
    }
    for (const [id, motion] of this.#motions) if (!motion.seen) this.#motions.delete(id);
  }

  /** Null for a driver that is not in the picture. */
  where(id: string, nowMs: number): { readonly point: Point; readonly bearing: number } | null {
    const motion = this.#motions.get(id);
    return motion === undefined ? null : { point: this.#at(motion, nowMs), bearing: motion.bearing };
  }

  /** True while someone is still under way to the newest position. */
  moving(nowMs: number): boolean {
    for (const { startedMs, durationMs } of this.#motions.values()) if (nowMs < startedMs + durationMs) return true;
    return false;
  }

  #at(motion: Motion, nowMs: number): Point {
    const fraction = motion.durationMs === 0 ? 1 : Math.min(1, (nowMs - motion.startedMs) / motion.durationMs);
    return interpolate(motion.from, motion.to, fraction);
  }
}
