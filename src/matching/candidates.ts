/** Who could be at a restaurant first: the drivers worth a look, for each restaurant worked out once. */
import type { Problem } from "./problem.js";

/** What looking at one driver or order costs beside computing a trip. */
export const LOOK = 0.2;

export interface Candidates {
  /** The soonest first. */
  readonly drivers: Int32Array;
  /** When each of them would arrive, coming straight from where the present trip ends. */
  readonly arrivalAt: Float64Array;
}

export class AllCandidates<Place> {
  readonly #problem: Problem<Place>;
  readonly #known: (Candidates | undefined)[];

  constructor(problem: Problem<Place>) {
    this.#problem = problem;
    this.#known = new Array(problem.restaurants);
  }

  of(restaurant: number): Candidates {
    const known = this.#known[restaurant];
    if (known !== undefined) return known;
    const problem = this.#problem;
    const arrival = new Float64Array(problem.drivers);
    problem.work += problem.drivers * LOOK;
    for (let driver = 0; driver < problem.drivers; driver++)
      arrival[driver] = problem.freeAt[driver]! + problem.toRestaurant(driver, restaurant);
    const drivers = smallest(arrival, problem.situation.settings.search.candidates);
    const found = { drivers, arrivalAt: Float64Array.from(drivers, (driver) => arrival[driver]!) };
    this.#known[restaurant] = found;
    return found;
  }
}

/** The indices of the `count` smallest values, in ascending order; of equal values the lower index first. */
export function smallest(values: Float64Array, count: number): Int32Array {
  const most = Math.min(count, values.length);
  const list = new Int32Array(most);
  let filled = 0;
  for (let index = 0; index < values.length; index++) {
    const value = values[index]!;
    if (filled === most && (most === 0 || value >= values[list[filled - 1]!]!)) continue;
    let at = filled < most ? filled++ : filled - 1;
    for (; at > 0 && values[list[at - 1]!]! > value; at--) list[at] = list[at - 1]!;
    list[at] = index;
  }
  return list;
}
