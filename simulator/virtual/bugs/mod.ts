/**
 * The proof of power: every planted bug is looked for, each in a process of its own with a broken product, until a rule
 * finds it or its seeds are used up.
 *
 * Owns: the processes, and the table. Does not own the bugs (`list.ts`) nor the rules. Invariant: a patch that does not
 * fit the product is an error and no bug.
 */
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { BUGS, type Bug } from "./list.js";
import type { Found, Search } from "./messages.js";

export { BUGS, type Bug } from "./list.js";
export type { Found } from "./messages.js";

export interface PowerOptions {
  readonly bugs?: readonly Bug[];
  /** The first seed. Absent: the one that found the bug last, then those from 1. */
  readonly from?: number;
  /** At once. */
  readonly processes: number;
  readonly onFound?: (found: Found) => void;
}

export interface Power {
  readonly found: number;
  readonly of: number;
  /** Of those that were found. */
  readonly medianSeeds: number;
  readonly bugs: readonly Found[];
}

/** Of a process that is to run a seed or two: optimising its code would cost more than it spares. */
const BRIEF = ["--no-opt", "--sparkplug"];
const LONG = ["--max-semi-space-size=64"];

const CHILD = fileURLToPath(new URL("./child.js", import.meta.url));

/** Rejects when a patch does not fit, or a process ends without a word. */
export async function provePower({ bugs = BUGS, from, processes, onFound }: PowerOptions): Promise<Power> {
  const left = [...bugs];
  const results = new Map<string, Found>();
  async function work(): Promise<void> {
    for (let bug = left.shift(); bug !== undefined; bug = left.shift()) {
      const found = await lookFor(bug, from);
      results.set(bug.name, found);
      onFound?.(found);
    }
  }
  await Promise.all(Array.from({ length: Math.max(1, processes) }, work));
  const all = bugs.flatMap(({ name }) => results.get(name) ?? []);
  const seeds = all.filter(({ rule }) => rule !== null).map((one) => one.seeds);
  return { found: seeds.length, of: bugs.length, medianSeeds: median(seeds), bugs: all };
}

export function lookFor(bug: Bug, from?: number): Promise<Found> {
  return new Promise((resolve, reject) => {
    const execArgv = from === undefined ? BRIEF : LONG;
    const child = fork(CHILD, { serialization: "advanced", stdio: ["ignore", "ignore", "pipe", "ipc"], execArgv });
    let problem = "";
    let found: Found | null = null;
    child.stderr?.on("data", (bytes: Buffer) => {
      problem = `${problem}${bytes.toString()}`.slice(-2_000);
    });
    child.on("message", (message: Found) => {
      found = message;
    });
    child.on("error", reject);
    child.on("close", (code) => {
      if (found !== null) resolve(found);
      else reject(new Error(`"${bug.name}" could not be looked for (${code}): ${problem.trim()}`));
    });
    const first = from ?? bug.lastFoundBy ?? 1;
    child.send({ bug: bug.name, first, from: from ?? 1, most: bug.within } satisfies Search);
  });
}

function median(values: readonly number[]): number {
  if (values.length === 0) return 0;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export function powerText({ found, of, medianSeeds, bugs }: Power): string {
  const wide = Math.max(...bugs.map(({ bug }) => bug.length));
  const lines = bugs.map(({ bug, rule, seed, seeds, others }) =>
    rule === null
      ? `${bug.padEnd(wide)}  NOT FOUND in ${seeds} seeds${others.length > 0 ? ` (only: ${others.join(", ")})` : ""}`
      : `${bug.padEnd(wide)}  ${rule.padEnd(34)} seed ${seed}, ${seeds === 1 ? "the first" : `number ${seeds}`}`,
  );
  return [...lines, `planted bugs found: ${found} of ${of}, median ${medianSeeds} seeds`].join("\n");
}
