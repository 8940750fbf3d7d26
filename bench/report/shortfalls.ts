/** What is known of goals that were missed: why, and what would close the gap. Printed only beside a missed goal. */
export interface Shortfall {
  readonly scenario: string;
  /** The beginning of the goal's name. */
  readonly goal: string;
  readonly why: string;
  readonly closedBy: string;
}

export const SHORTFALLS: readonly Shortfall[] = [
  {
    scenario: "orders",
    goal: "actor commits per order",
    why: "Order, restaurant and driver each commit their part of a step, because no two actors share a commit.",
    closedBy:
      "Fewer durable steps between actors: claims that travel with the acceptance, and the kitchen's bookkeeping in the reservation's answer.",
  },
];

export const shortfallOf = (scenario: string, what: string): Shortfall | null =>
  SHORTFALLS.find((each) => each.scenario === scenario && what.startsWith(each.goal)) ?? null;
