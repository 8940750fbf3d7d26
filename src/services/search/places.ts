/**
 * Where every restaurant is and how far it reaches, in columns: all of the world is looked through in some microseconds,
 * where a look at every restaurant itself would take milliseconds. Owns the positions, not the verdict: whoever is `near`
 * may be a little too far all the same.
 *
 * Invariant: nobody is left out who is within reach, or within the distance asked for.
 */
import { EARTH_RADIUS_METERS, type Point } from "../../lib/geo.js";
import { lengthFor, widened } from "./columns.js";

/** More than what rounding takes. */
const MARGIN_METERS = 1;
const NUMBERS = 4;
const REACH = 3;
const NOWHERE = Number.NEGATIVE_INFINITY;
const FIRST_LENGTH = 1_024;

/** Of latitude; a town is a few rows. */
const ROW_METERS = 5_000;
const ROWS = Math.ceil((Math.PI * EARTH_RADIUS_METERS) / ROW_METERS) + 1;
/** For so long a line the way along the surface is a metre longer; for shorter ones less. */
const STRAIGHT_METERS = 100_000;

export class Places {
  /**
   * Four of each: x, y and z in metres from the middle of the earth, and the reach. A straight line through the earth is never
   * longer than the way along the surface.
   */
  #numbers = new Float64Array(FIRST_LENGTH * NUMBERS).fill(NOWHERE);
  #near = new Int32Array(FIRST_LENGTH);
  /** Slots by how far north they are, and where each stands there. */
  readonly #rows: number[][] = Array.from({ length: ROWS }, () => []);
  #row = new Int32Array(FIRST_LENGTH);
  #placeInRow = new Int32Array(FIRST_LENGTH);
  #farthestReachMeters = 0;

  set(slot: number, point: Point, reachMeters: number): void {
    if (slot >= this.#row.length) this.#grow(slot);
    this.clear(slot);
    const { x, y, z } = throughTheEarth(point);
    this.#numbers.set([x, y, z, reachMeters], slot * NUMBERS);
    this.#farthestReachMeters = Math.max(this.#farthestReachMeters, reachMeters);
    const row = rowOf(northMetersOf(point));
    this.#row[slot] = row;
    this.#placeInRow[slot] = this.#rows[row]!.push(slot) - 1;
  }

  clear(slot: number): void {
    const reach = slot * NUMBERS + REACH;
    if (slot >= this.#row.length || this.#numbers[reach] === NOWHERE) return;
    this.#numbers[reach] = NOWHERE;
    const row = this.#rows[this.#row[slot]!]!;
    const last = row.pop()!;
    if (last === slot) return;
    row[this.#placeInRow[slot]!] = last;
    this.#placeInRow[last] = this.#placeInRow[slot]!;
  }

  /**
   * Those who may reach to within `slackMeters` of the point, or who may be within `withinMeters` and the slack of it when
   * that is no null. Holds until the next call.
   */
  near(point: Point, slackMeters: number, withinMeters: number | null): Int32Array {
    const { x, y, z } = throughTheEarth(point);
    const slack = slackMeters + MARGIN_METERS;
    const farthest = (withinMeters ?? this.#farthestReachMeters) + slack;
    const north = northMetersOf(point);
    const numbers = this.#numbers;
    const near = this.#near;
    let count = 0;
    for (let row = rowOf(north - farthest); row <= rowOf(north + farthest); row++) {
      const slots = this.#rows[row]!;
      for (let i = 0; i < slots.length; i++) {
        const slot = slots[i]!;
        const at = slot * NUMBERS;
        const dx = numbers[at]! - x;
        const dy = numbers[at + 1]! - y;
        const dz = numbers[at + 2]! - z;
        const most = withinMeters === null ? numbers[at + REACH]! + slack : farthest;
        if (dx * dx + dy * dy + dz * dz <= most * most) near[count++] = slot;
      }
    }
    return near.subarray(0, count);
  }

  /** Whether the point is within reach; null: so close to the edge that it has to be asked exactly. */
  reaches(slot: number, point: ThroughTheEarth): boolean | null {
    const at = slot * NUMBERS;
    const dx = this.#numbers[at]! - point.x;
    const dy = this.#numbers[at + 1]! - point.y;
    const dz = this.#numbers[at + 2]! - point.z;
    const squared = dx * dx + dy * dy + dz * dz;
    const reach = this.#numbers[at + REACH]!;
    if (squared > (reach + MARGIN_METERS) ** 2) return false;
    const surely = Math.min(reach, STRAIGHT_METERS) - 2 * MARGIN_METERS;
    return surely > 0 && squared < surely * surely ? true : null;
  }

  #grow(slot: number): void {
    const length = lengthFor(slot);
    this.#numbers = widened(this.#numbers, new Float64Array(length * NUMBERS).fill(NOWHERE));
    this.#row = widened(this.#row, new Int32Array(length));
    this.#placeInRow = widened(this.#placeInRow, new Int32Array(length));
    this.#near = new Int32Array(length);
  }
}

const radians = (degrees: number): number => (degrees * Math.PI) / 180;

const northMetersOf = ({ lat }: Point): number => EARTH_RADIUS_METERS * radians(lat + 90);
const rowOf = (northMeters: number): number => Math.max(0, Math.min(ROWS - 1, Math.floor(northMeters / ROW_METERS)));

/** Where something is, in metres from the middle of the earth. */
export interface ThroughTheEarth {
  readonly x: number;
  readonly y: number;
  readonly z: number;
}

export function throughTheEarth({ lat, lng }: Point): ThroughTheEarth {
  const north = radians(lat);
  const east = radians(lng);
  return {
    x: EARTH_RADIUS_METERS * Math.cos(north) * Math.cos(east),
    y: EARTH_RADIUS_METERS * Math.cos(north) * Math.sin(east),
    z: EARTH_RADIUS_METERS * Math.sin(north),
  };
}
