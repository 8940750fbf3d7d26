/** A run as text: one table of goals, and one of figures for each scenario. */
import type { ScenarioResult } from "../harness/ports.js";
import type { GrowthSeries } from "../scenarios/growth.js";
import { shapeOf } from "../scenarios/growth-shape.js";
import { type RunResult, shown, verdictOf } from "./figures.js";

/** The figures that a table has room for, in this order; others are in the JSON. */
export const COLUMNS: readonly (readonly [figure: string, head: string])[] = [
  ["perSecond", "a second"],
  ["p50Ms", "p50 ms"],
  ["p99Ms", "p99 ms"],
  ["cpuMicrosPerOperation", "CPU µs each"],
  ["databaseCpuMicrosPerOperation", "database µs each"],
  ["residentMegabytes", "MB"],
  ["bytesPerSocket", "bytes a socket"],
  ["replayP95Ms", "replay p95 ms"],
  ["eventLoopDelayP99Ms", "loop late p99 ms"],
  ["collectorMaxMs", "longest GC ms"],
  ["generatorLagP99Ms", "load late p99 ms"],
];

export function goalRows({ scenarios }: RunResult): string[][] {
  return scenarios.flatMap((result) =>
    result.goals.map((goal) => [
      result.name,
      goal.what,
      `${shown(goal.value)} ${goal.unit}`.trim(),
      goal.spread === null ? "–" : `${shown(goal.spread[0])} – ${shown(goal.spread[1])}`,
      `${goal.better === "lower" ? "≤" : "≥"} ${shown(goal.atLeast)}`,
      `${goal.better === "lower" ? "≤" : "≥"} ${shown(goal.ambition)}`,
      verdictOf(goal),
    ]),
  );
}
export const GOAL_HEAD = ["scenario", "what", "median", "rounds", "at least", "ambition", "reached"];

/** How it was measured, in a sentence or a few. */
export function manner({ rounds, seconds, operation, remarks }: ScenarioResult): string {
  const often = `${rounds} ${rounds === 1 ? "round" : "rounds"} of ${shown(seconds)} s`;
  return [`${often}; an operation is one ${operation}.`, ...remarks].join(" ");
}

export function figureTable(result: ScenarioResult): { readonly head: string[]; readonly rows: string[][] } {
  const used = COLUMNS.filter(([figure]) =>
    result.sides.some((side) => Object.values(side.loads).some((figures) => figures[figure] !== undefined)),
  );
  const rows = result.loads.flatMap((load) =>
    result.sides
      .filter((side) => side.loads[load] !== undefined)
      .map((side) => [
        ...(result.loads.length === 1 ? [] : [load]),
        side.name,
        ...used.map(([figure]) => shown(side.loads[load]?.[figure])),
      ]),
  );
  return { head: [...(result.loads.length === 1 ? [] : ["load"]), "side", ...used.map(([, head]) => head)], rows };
}

/** A row a point, and a sentence a column: a straight line, or the reason why not. */
export function growthTable(series: GrowthSeries): {
  readonly head: string[];
  readonly rows: string[][];
  readonly sentences: string[];
} {
  const figures = Object.keys(series.drawn);
  const rows = series.points.map(({ x, figures: values }) => [
    shown(x),
    ...figures.map((figure) => shown(values[figure])),
  ]);
  return {
    head: [series.xName, ...figures.map((figure) => series.drawn[figure]!.title)],
    rows,
    sentences: figures.map((figure) => shapeOf(series, figure)),
  };
}

function aligned(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

export function asText(run: RunResult): string {
  const parts = run.scenarios.flatMap((result) => {
    const { head, rows } = figureTable(result);
    const problems = result.sides.flatMap(({ name, problems, late }) =>
      [...problems, ...late].map((line) => `  ${name}: ${line}`),
    );
    return [
      `${result.name} — ${result.what} (an operation: one ${result.operation})`,
      aligned([head, ...rows]),
      ...result.remarks.map((line) => `  ${line}`),
      ...problems,
      "",
    ];
  });
  const goals = goalRows(run);
  for (const series of run.growth) {
    const { head, rows, sentences } = growthTable(series);
    parts.push(`How cost grows: ${series.name}`, aligned([head, ...rows]), ...sentences.map((line) => `  ${line}`), "");
  }
  return [...parts, ...(goals.length === 0 ? [] : [aligned([GOAL_HEAD, ...goals])]), ""].join("\n");
}
