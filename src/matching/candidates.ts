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
  /** Of the restaurant that is worked out. */
  readonly #arrival: Float64Array;

  constructor(problem: Problem<Place>) {
    this.#problem = problem;
    this.#known = new Array(problem.restaurants);
    this.#arrival = new Float64Array(problem.drivers);
  }

  of(restaurant: number): Candidates {
    const known = this.#known[restaurant];
    if (known !== undefined) return known;
    const problem = this.#problem;
    problem.work += problem.drivers * LOOK;
    const arrival = this.#arrival;
    problem.arrivals(restaurant, arrival);
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
  // Their values beside them: this is asked for every restaurant and every order.
  const found = new Float64Array(most);
  let filled = 0;
  let bar = most === 0 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  for (let index = 0; index < values.length; index++) {
    const value = values[index]!;
    if (filled === most && value >= bar) continue;
    let at = filled < most ? filled++ : filled - 1;
    for (; at > 0 && found[at - 1]! > value; at--) {
      found[at] = found[at - 1]!;
      list[at] = list[at - 1]!;
    }
    found[at] = value;
    list[at] = index;
    if (filled === most) bar = found[most - 1]!;
  }
  return list;
}
