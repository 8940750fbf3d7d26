/** What couriers did, and the three files in which the instances' own evaluator reads it. Times in minutes. */
import type { Instance } from "./instance.js";

export interface Stop {
  readonly order: string;
  /** The minute of leaving for this customer. */
  readonly departure: number;
  readonly dropoff: number;
}

export interface Assignment {
  readonly courier: string;
  readonly restaurant: string;
  readonly assigned: number;
  /** The minute of leaving for the restaurant. */
  readonly departure: number;
  readonly pickup: number;
  readonly stops: readonly Stop[];
}

export interface SolutionFiles {
  readonly "solution_info_assignments.txt": string;
  readonly "solution_info_orders.txt": string;
  readonly "solution_info_couriers.txt": string;
}

/** Each file has one header line and fields separated by a space; an order that nobody delivered has `NaN` in its last three. */
export function solutionFiles(instance: Instance, assignments: readonly Assignment[]): SolutionFiles {
  const inTime = assignments.toSorted((a, b) => a.assigned - b.assigned || (a.courier < b.courier ? -1 : 1));
  const assigned = inTime.map(({ assigned, pickup, courier, stops }) =>
    [assigned, pickup, courier, ...stops.map(({ order }) => order)].join(" "),
  );
  const done = new Map(
    assignments.flatMap(({ courier, pickup, stops }) =>
      stops.map(({ order, dropoff }) => [order, `${pickup} ${dropoff} ${courier}`] as const),
    ),
  );
  const orders = instance.orders.map(
    ({ id, placement, restaurant, ready }) =>
      `${id} ${placement} ${restaurant} ${ready} ${done.get(id) ?? "NaN NaN NaN"}`,
  );
  const couriers = instance.couriers.flatMap(({ id }) => {
    let place = id;
    return inTime
      .filter(({ courier }) => courier === id)
      .flatMap(({ restaurant, departure, stops }) => {
        const moves = [`${id} ${departure} ${place} ${restaurant}`];
        place = restaurant;
        for (const stop of stops) {
          moves.push(`${id} ${stop.departure} ${place} ${stop.order}`);
          place = stop.order;
        }
        return moves;
      });
  });
  const file = (header: string, lines: readonly string[]): string => `${[header, ...lines].join("\n")}\n`;
  return {
    "solution_info_assignments.txt": file("assignment_time pickup_time courier bundle", assigned),
    "solution_info_orders.txt": file(
      "order placement_time restaurant ready_time pickup_time dropoff_time courier",
      orders,
    ),
    "solution_info_couriers.txt": file("courier departure_time origin destination", couriers),
  };
}
