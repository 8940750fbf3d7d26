/** Many seeds over several processes: who runs which, and what comes of all of them. */
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Clock } from "../../../src/lib/clock.js";
import { noFaults } from "../faults/faults.js";
import { FAULT_KINDS, type FaultKind } from "../ports.js";
import type { FromRunner, SeedSummary, SeedTask, ToRunner } from "./messages.js";
import { runTask } from "./runner.js";

export interface SeedsOptions {
  readonly tasks: Iterable<SeedTask>;
  /** 0: in this process, which may lack the room that they are given. */
  readonly processes: number;
  readonly clock: Clock;
  readonly onSummary?: (summary: SeedSummary) => void;
}

export interface SeedsOutcome {
  readonly seeds: number;
  readonly seconds: number;
  readonly virtualHours: number;
  readonly steps: number;
  readonly faults: Readonly<Record<FaultKind, number>>;
  /** Seeds with violations, that broke off, or that went differently the second time. */
  readonly failed: readonly SeedSummary[];
  /** Of every seed, by number. */
  readonly hashes: ReadonlyMap<number, string>;
}

export const hasFailed = ({ violations, broke, secondHash, hash }: SeedSummary): boolean =>
  violations.length > 0 || broke !== null || (secondHash !== null && secondHash !== hash);

const CHILD = fileURLToPath(new URL("./child.js", import.meta.url));
/** A seed makes much that lives briefly: room for it spares a tenth of the time. */
const NODE_OPTIONS = ["--enable-source-maps", "--max-semi-space-size=64"];
const HOUR_MS = 3_600_000;

export async function runSeeds({ tasks, processes, clock, onSummary }: SeedsOptions): Promise<SeedsOutcome> {
  const began = clock.monotonic();
  const left = tasks[Symbol.iterator]();
  const faults = noFaults();
  const failed: SeedSummary[] = [];
  const hashes = new Map<number, string>();
  let virtualMs = 0;
  let steps = 0;

  function take(summary: SeedSummary): void {
    for (const kind of FAULT_KINDS) faults[kind] += summary.faults[kind];
    virtualMs += summary.virtualMs;
    steps += summary.steps;
    hashes.set(summary.seed, summary.hash);
    if (hasFailed(summary)) failed.push(summary);
    onSummary?.(summary);
  }

  async function here(): Promise<void> {
    for (let next = left.next(); next.done !== true; next = left.next()) take(await runTask(next.value));
  }

  function there(): Promise<void> {
    const child: ChildProcess = fork(CHILD, { serialization: "advanced", execArgv: NODE_OPTIONS });
    return new Promise((resolve, reject) => {
      let running: SeedTask | null = null;
      const say = (message: ToRunner): void => void child.send(message);
      const go = (): void => {
        const next = left.next();
        running = next.done === true ? null : next.value;
        say(running === null ? { t: "end" } : { t: "run", task: running });
      };
      child.on("message", ({ summary }: FromRunner) => {
        running = null;
        take(summary);
        go();
      });
      child.on("error", reject);
      child.on("exit", (code) => {
        if (running === null) resolve();
        else reject(new Error(`the process with seed ${running.seed} ended with ${code}`));
      });
      go();
    });
  }

  if (processes === 0) await here();
  else await Promise.all(Array.from({ length: processes }, there));
  failed.sort((a, b) => a.seed - b.seed);
  return {
    seeds: hashes.size,
    seconds: (clock.monotonic() - began) / 1000,
    virtualHours: virtualMs / HOUR_MS,
    steps,
    faults,
    failed,
    hashes,
  };
}
