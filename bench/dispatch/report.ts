/** Tables for people, and the reference figures beside them. */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { type Figures, mean } from "./figures.js";
import { parseTable } from "./instance.js";
import type { Outcome } from "./run-instance.js";

/** Figures that others published or measured for an instance, by the column's name. */
export type Reference = ReadonlyMap<string, ReadonlyMap<string, number>>;

const REFERENCE_COLUMNS = [
  "bound_click_to_door",
  "foodmatch_click_to_door",
  "foodmatch_click_to_door_p90",
  "foodmatch_overage",
  "foodmatch_ready_to_pickup",
  "foodmatch_undelivered_pct",
  "foodmatch_cost_per_order",
  "reyes_click_to_door",
  "reyes_undelivered_pct",
  "greedy_click_to_door",
  "greedy_undelivered_pct",
] as const;

/** `reference.csv` of the instances' folder; empty when there is none. */
export async function readReference(folder: string): Promise<Reference> {
  let text: string;
  try {
    text = await readFile(path.join(folder, "reference.csv"), "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return new Map();
    throw error;
  }
  const rows = parseTable(text.replaceAll(",", "\t"), "reference.csv");
  return new Map(
    rows.map((row) => [
      row.text("instance"),
      new Map(REFERENCE_COLUMNS.map((column) => [column as string, row.number(column)])),
    ]),
  );
}

const COLUMNS: readonly (readonly [head: string, of: keyof Figures, digits: number])[] = [
  ["ctd", "clickToDoorMin", 2],
  ["p90", "clickToDoorP90Min", 1],
  ["over", "overageMin", 2],
  ["rtp", "readyToPickupMin", 2],
  ["undel%", "undeliveredPct", 2],
  ["cost", "costPerOrder", 2],
  ["o/bundle", "ordersPerBundle", 3],
  ["p99ms", "decisionMsP99", 1],
];

const REFERENCE_HEADS: readonly (readonly [
  head: string,
  column: (typeof REFERENCE_COLUMNS)[number],
  digits: number,
])[] = [
  ["bound", "bound_click_to_door", 2],
  ["FM ctd", "foodmatch_click_to_door", 2],
  ["FM p90", "foodmatch_click_to_door_p90", 1],
  ["FM over", "foodmatch_overage", 2],
  ["FM rtp", "foodmatch_ready_to_pickup", 2],
  ["FM undel%", "foodmatch_undelivered_pct", 2],
  ["FM cost", "foodmatch_cost_per_order", 2],
  ["Reyes", "reyes_click_to_door", 2],
  ["greedy", "greedy_click_to_door", 2],
];

export const LEGEND = `Of delivered orders, times in minutes:
  ctd       click-to-door, mean      p90      its 90th percentile      over    beyond the target, mean
  rtp       ready-to-pickup, mean    undel%   undelivered orders, percent of all
  cost      couriers' pay for each delivered order, in the instance's currency
  o/bundle  orders for each trip     p99ms    a decision's time, 99th percentile, milliseconds
Beside them, from reference.csv: bound (no courier could be faster), FM (FoodMatch), Reyes (et al.), greedy (nearest idle
courier), all click-to-door unless the column says otherwise.`;

export function tableHead(withReference: boolean): string {
  const heads = [...COLUMNS.map(([head]) => head), ...(withReference ? REFERENCE_HEADS.map(([head]) => head) : [])];
  return ["instance".padEnd(18), ...heads.map((head) => head.padStart(9))].join(" ");
}

export function tableLine(name: string, figures: Figures, reference: ReadonlyMap<string, number> | undefined): string {
  const own = COLUMNS.map(([, of, digits]) => figures[of].toFixed(digits));
  const others =
    reference === undefined
      ? []
      : REFERENCE_HEADS.map(([, column, digits]) => (reference.get(column) ?? Number.NaN).toFixed(digits));
  return [name.padEnd(18), ...[...own, ...others].map((cell) => cell.padStart(9))].join(" ");
}

/** The reference's means over the same instances, or undefined when one of them is not in it. */
export function meanReference(reference: Reference, names: readonly string[]): ReadonlyMap<string, number> | undefined {
  const rows = names.map((name) => reference.get(name));
  if (rows.length === 0 || rows.includes(undefined)) return undefined;
  return new Map(REFERENCE_COLUMNS.map((column) => [column, mean(rows.map((row) => row!.get(column)!))]));
}

export function describe({ name, policy, noise, violations }: Outcome): string {
  const shown = violations.slice(0, 5).join("; ");
  return `${name} (${policy}${noise ? ", noise" : ""}) breaks ${violations.length} rules: ${shown}`;
}
