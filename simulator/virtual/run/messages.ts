/** What the processes of a run say to each other. Plain data. */
import type { Violation } from "../../checkers/mod.js";
import type { FaultKind } from "../ports.js";
import type { SeedResult } from "./seed.js";

/** A seed's outcome without its evidence. */
export interface SeedSummary {
  readonly seed: number;
  readonly hash: string;
  readonly steps: number;
  readonly virtualMs: number;
  readonly faults: Readonly<Record<FaultKind, number>>;
  readonly violations: readonly Violation[];
  /** Why the seed could not be run to its end; null: it was. */
  readonly broke: string | null;
  /** The hash of a second run, when one was asked for. */
  readonly secondHash: string | null;
}

export interface SeedTask {
  readonly seed: number;
  /** Runs it twice and compares. */
  readonly twice: boolean;
  /** False: a seed that fails is not run again for its stories. Default true. */
  readonly stories?: boolean;
  /** How long the world may take to come to rest, in virtual milliseconds. Default: longer than all deadlines in a row. */
  readonly convergeMs?: number;
  /** Faults that come in any case. The same seed with and without them is two different worlds. */
  readonly focus?: readonly FaultKind[];
}

export type ToRunner = { readonly t: "run"; readonly task: SeedTask } | { readonly t: "end" };
export type FromRunner = { readonly t: "done"; readonly summary: SeedSummary };

export function summaryOf(result: SeedResult, secondHash: string | null): SeedSummary {
  const { seed, hash, steps, virtualMs, faults, violations } = result;
  return { seed, hash, steps, virtualMs, faults, violations, broke: null, secondHash };
}
