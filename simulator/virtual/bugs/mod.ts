/**
 * The proof of power: every planted bug is looked for in a product that is broken in that one place, until a rule finds it
 * or its seeds are used up.
 *
 * Owns: the processes, and the table. Does not own the bugs (`list.ts`) nor the rules. Invariant: a patch that does not
 * fit the product is an error and no bug.
 */
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Bug } from "./bug.js";
import { BUGS } from "./list.js";
import type { Answer, Found, Request } from "./messages.js";

export type { Bug } from "./bug.js";
export { BUGS } from "./list.js";
export type { Found } from "./messages.js";

export interface PowerOptions {
  readonly bugs?: readonly Bug[];
  /** The first of `within` seeds. Absent: each bug's own `shownFrom`, and so many as it is `shownWithin`. */
  readonly from?: number;
  /** Whether the sound product is to be judged in the world that found this bug. Default: never. */
  readonly control?: (bug: Bug) => boolean;
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

const CHILD = fileURLToPath(new URL("./child.js", import.meta.url));
// Without baseline code: to change a function that has some, the engine looks through the whole heap for each.
const NODE_OPTIONS = ["--max-semi-space-size=64", "--no-sparkplug"];
const MOST_PROBLEM = 2_000;

/** Rejects when a patch does not fit, or a process ends without a word. */
export async function provePower(options: PowerOptions): Promise<Power> {
  const { bugs = BUGS, from, control = () => false, processes, onFound } = options;
  const left = [...bugs];
  const results = new Map<string, Found>();
  async function work(): Promise<void> {
    const breaker = createBreaker();
    try {
      for (let bug = left.shift(); bug !== undefined; bug = left.shift()) {
        const searched = await breaker.search(bug, seedsOf(bug, from));
        const asks = searched.rule !== null && control(bug);
        const found = asks ? { ...searched, sound: await breaker.control(bug, searched.seed) } : searched;
        results.set(bug.name, found);
        onFound?.(found);
      }
    } finally {
      breaker.end();
    }
  }
  await Promise.all(Array.from({ length: Math.max(1, processes) }, work));
  const all = bugs.flatMap(({ name }) => results.get(name) ?? []);
  const seeds = all.filter(({ rule }) => rule !== null).map((one) => one.seeds);
  return { found: seeds.length, of: bugs.length, medianSeeds: median(seeds), bugs: all };
}

function seedsOf({ within, shownFrom, shownWithin }: Bug, from: number | undefined): readonly number[] {
  const first = from ?? shownFrom;
  return Array.from({ length: from === undefined ? shownWithin : within }, (_, index) => first + index);
}

/** A process that is broken in one place after the other; a new one takes over where it cannot be. */
interface Breaker {
  search(bug: Bug, seeds: readonly number[]): Promise<Found>;
  /** The rules that find something in the sound product. */
  control(bug: Bug, seed: number): Promise<readonly string[]>;
  end(): void;
}

function createBreaker(): Breaker {
  let child: Child | null = null;
  function end(): void {
    child?.end();
    child = null;
  }
  function ask(request: Request): Promise<Answer> {
    child ??= startChild();
    return child.ask(request);
  }
  return {
    async search({ name }, seeds) {
      let answer = await ask({ t: "search", bug: name, seeds });
      if (answer.t === "under-way") {
        end();
        answer = await ask({ t: "search", bug: name, seeds });
      }
      if (answer.t !== "searched") throw new Error(`"${name}" cannot be planted`);
      if (answer.spent) end();
      return answer.found;
    },
    async control({ name }, seed) {
      const answer = await ask({ t: "control", bug: name, seed });
      if (answer.t !== "controlled") throw new Error(`the sound product was not judged for "${name}"`);
      return answer.rules;
    },
    end,
  };
}

interface Child {
  ask(request: Request): Promise<Answer>;
  end(): void;
}

function startChild(): Child {
  const child: ChildProcess = fork(CHILD, {
    serialization: "advanced",
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    execArgv: NODE_OPTIONS,
  });
  let problem = "";
  child.stderr?.on("data", (bytes: Buffer) => {
    problem = `${problem}${bytes.toString()}`.slice(-MOST_PROBLEM);
  });
  return {
    ask: (request) =>
      new Promise((resolve, reject) => {
        const fail = (why: string): void => reject(new Error(`"${request.bug}" could not be looked for: ${why}`));
        const closed = (code: number | null): void => fail(`${code} ${problem.trim()}`);
        child.once("close", closed);
        child.once("message", (answer: Answer) => {
          child.off("close", closed);
          if (answer.t === "failed") fail(answer.problem);
          else resolve(answer);
        });
        child.send(request);
      }),
    end() {
      if (child.connected) child.disconnect();
    },
  };
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
