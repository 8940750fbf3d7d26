/** What a run came to, as data: the JSON, and what the tables and charts are made of. */
import type { Machine } from "../harness/machine.js";
import type { ScenarioResult, SideResult } from "../harness/ports.js";
import type { GrowthSeries } from "../scenarios/growth.js";

export interface RunResult {
  readonly machine: Machine;
  readonly growth: readonly GrowthSeries[];
  readonly scenarios: readonly ScenarioResult[];
}

/** One load: its figures. Several: by load. */
function figuresOf({ loads }: ScenarioResult, side: SideResult): unknown {
  const figures = loads.length === 1 ? side.loads[loads[0]!] : side.loads;
  return { ...figures, what: side.what, problems: side.problems, late: side.late, byRound: side.byRound };
}

/** `{"<scenario>":{"ours":{…},"limit":{…},"peers":{…},"ratioToLimit","generatorLagMs":{"p99"}}}`, and the machine. */
export function asJson({ machine, scenarios, growth }: RunResult): Record<string, unknown> {
  const of = (result: ScenarioResult, role: SideResult["role"]): readonly SideResult[] =>
    result.sides.filter((side) => side.role === role);
  const one = (result: ScenarioResult, role: SideResult["role"]): unknown => {
    const sides = of(result, role);
    if (sides.length === 0) return null;
    if (sides.length === 1) return figuresOf(result, sides[0]!);
    return Object.fromEntries(sides.map((side) => [side.name, figuresOf(result, side)]));
  };
  return {
    machine,
    ...(growth.length === 0 ? {} : { growth }),
    ...Object.fromEntries(
      scenarios.map((result) => [
        result.name,
        {
          ours: one(result, "ours"),
          limit: one(result, "limit"),
          peers: Object.fromEntries(of(result, "peer").map((side) => [side.name, figuresOf(result, side)])),
          ratioToLimit: result.ratioToLimit,
          generatorLagMs: { p99: result.generatorLagP99Ms },
          lateRounds: result.lateRounds,
          goals: result.goals,
          rounds: result.rounds,
          seconds: result.seconds,
          scale: result.scale,
        },
      ]),
    ),
  };
}

/** Three digits that matter, thousands apart. */
export function shown(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString("en-US");
  return String(Number(value.toPrecision(3)));
}

export type Verdict = "ambition" | "at least" | "missed" | "not measured";

export function verdictOf({ value, better, atLeast, ambition }: ScenarioResult["goals"][number]): Verdict {
  if (value === null) return "not measured";
  const holds = (bound: number): boolean => (better === "lower" ? value <= bound : value >= bound);
  if (holds(ambition)) return "ambition";
  return holds(atLeast) ? "at least" : "missed";
}
