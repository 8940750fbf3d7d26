/** A run between two markers of a document, so that the document's own words stay. */
import { readFileSync, writeFileSync } from "node:fs";
import { type RunResult, shown, verdictOf } from "./figures.js";
import { shortfallOf } from "./shortfalls.js";
import { figureTable, GOAL_HEAD, goalRows, growthTable, manner } from "./text.js";

export const BEGIN = "<!-- the last run: written by `npm run bench -- --markdown` -->";
export const END = "<!-- end of the last run -->";

const row = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [row(head), row(head.map(() => "---")), ...rows.map(row)].join("\n");

export function asMarkdown(run: RunResult): string {
  const { machine, scenarios, growth } = run;
  const parts = [
    `Made on ${machine.at.slice(0, 10)} at ${machine.at.slice(11, 16)} UTC: ${machine.cores} cores (${machine.processor}), ` +
      `${machine.memoryGigabytes} GB, ${machine.system}, Node ${machine.node}; load average before the run ${machine.loadAverages[0]}. ` +
      "Load generators ran on the same machine. Spread: the least and the most of the rounds.",
    "",
    table(GOAL_HEAD, goalRows(run)),
    "",
  ];
  const missed = scenarios.flatMap(({ name, goals }) =>
    goals.filter((goal) => verdictOf(goal) === "missed").map((goal) => ({ name, goal })),
  );
  if (missed.length > 0) {
    parts.push("Missed:", "");
    for (const { name, goal } of missed) {
      const known = shortfallOf(name, goal.what);
      const by = goal.better === "lower" ? goal.value! / goal.atLeast : goal.atLeast / goal.value!;
      const note = known === null ? "" : ` ${known.why} What would close it: ${known.closedBy}`;
      parts.push(`- \`${name}\`, ${goal.what}: ${shown(goal.value)}, by a factor of ${shown(by)}.${note}`);
    }
    parts.push("");
  }
  for (const result of scenarios) {
    const { head, rows } = figureTable(result);
    parts.push(
      `### ${result.name}`,
      "",
      `${result.what} ${manner(result)}`,
      "",
      table(head, rows),
      "",
      ...result.sides.map(({ name, what }) => `- ${name}: ${what}.`),
      ...result.sides.flatMap(({ name, problems, late }) =>
        [...problems, ...late].map((line) => `- **${name}**: ${line}.`),
      ),
      "",
    );
  }
  for (const series of growth) {
    const { head, rows, sentences } = growthTable(series);
    parts.push(
      `### How cost grows: ${series.name}`,
      "",
      table(head, rows),
      "",
      ...sentences.map((line) => `- ${line}`),
      "",
    );
  }
  return parts.join("\n");
}

/** Puts the text in place of the last run. Throws as `placeIn` does. */
export function writeBetweenMarkers(file: string, text: string): void {
  const { before, from, to } = placeIn(file);
  writeFileSync(file, `${before.slice(0, from + BEGIN.length)}\n\n${text.trimEnd()}\n\n${before.slice(to)}`);
}

/** Throws when the document is not there or has no place for a run: to be asked before a long one. */
export function placeIn(file: string): { readonly before: string; readonly from: number; readonly to: number } {
  const before = readFileSync(file, "utf8");
  const [from, to] = [before.indexOf(BEGIN), before.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`${file} has no place for a run: it needs the lines\n${BEGIN}\n${END}`);
  return { before, from, to };
}
