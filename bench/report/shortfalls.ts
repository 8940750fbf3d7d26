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
    why: "Each thing that a person did or was promised is a commit, of the order and of whoever did it: no two actors share one.",
    closedBy: "What was considered is in docs/decisions/commits-per-order.md.",
  },
];

export const shortfallOf = (scenario: string, what: string): Shortfall | null =>
  SHORTFALLS.find((each) => each.scenario === scenario && what.startsWith(each.goal)) ?? null;
