/** Whether what was measured lies on a straight line, in words. */
import type { Bend, Drawn, GrowthSeries } from "./growth.js";

/** A point may be off the line by so much of the height of the line there: rounds of a few seconds differ as much. */
const OFF_SHARE = 0.15;

interface Point {
  readonly x: number;
  readonly y: number;
}
interface Line {
  readonly slope: number;
  readonly base: number;
  /** Of the point that is farthest from it: how far, as a share of the line's height there. */
  readonly off: number;
}

/** Least squares of what is off as a share, so that the small ones count as much as the large ones. Null of fewer than three. */
export function lineThrough(points: readonly Point[]): Line | null {
  if (points.length < 3 || points.some(({ y }) => !(y > 0))) return null;
  let [w, wx, wy, wxx, wxy] = [0, 0, 0, 0, 0];
  for (const { x, y } of points) {
    const weight = 1 / (y * y);
    w += weight;
    wx += weight * x;
    wy += weight * y;
    wxx += weight * x * x;
    wxy += weight * x * y;
  }
  const slope = (w * wxy - wx * wy) / (w * wxx - wx * wx);
  const base = (wy - slope * wx) / w;
  const off = Math.max(...points.map(({ x, y }) => Math.abs(y - (base + slope * x)) / y));
  return { slope, base, off };
}

/** Of at least three points. */
function bendOf(points: readonly Point[]): Bend {
  const slope = (from: Point, to: Point): number => (to.y - from.y) / (to.x - from.x);
  if (points.at(-1)!.y < points[0]!.y) return "falls";
  return slope(points.at(-2)!, points.at(-1)!) < slope(points[0]!, points[1]!) ? "flatter" : "steeper";
}

const few = (value: number): string =>
  Math.abs(value) >= 100 ? Math.round(value).toLocaleString("en-US") : String(Number(value.toPrecision(2)));

/** "A straight line", with its figures; or that it is none, and the reason that is known. */
export function shapeOf(series: GrowthSeries, figure: string): string {
  const { title, reasons }: Drawn = series.drawn[figure]!;
  const points = series.points.flatMap(({ x, figures }) =>
    figures[figure] === undefined ? [] : [{ x, y: figures[figure]! }],
  );
  const line = lineThrough(points);
  if (line === null) return `${title}: too few points to say.`;
  const times = few(points.at(-1)!.y / points[0]!.y);
  const ends = `${few(points.at(-1)!.x / points[0]!.x)} times the ${series.xName}, ${times} times as much`;
  const percent = `${Math.round(100 * line.off)} %`;
  return line.off <= OFF_SHARE
    ? `${title}: a straight line within ${percent}; ${ends}.`
    : `${title}: no straight line, off by up to ${percent}; ${ends}. ${reasons[bendOf(points)] ?? "Why is not known."}`;
}
