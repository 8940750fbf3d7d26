/** What it takes to know how long a way is. */
import type { Point } from "../../lib/geo.js";

export interface Way {
  readonly meters: number;
  /** At the day's speed: a city whose day is made shorter has shorter ways in time. */
  readonly durationMs: number;
  /** Who says so. A router that fell back tells the truth about it. */
  readonly source: "built-in" | "osrm";
}

/** Never rejects: a router that cannot be reached falls back. Answers at once where it can. */
export interface Router {
  way(from: Point, to: Point): Way | Promise<Way>;
  /** From each of `from` to each of `to`, in their orders. */
  ways(
    from: readonly Point[],
    to: readonly Point[],
  ): readonly (readonly Way[])[] | Promise<readonly (readonly Way[])[]>;
}
