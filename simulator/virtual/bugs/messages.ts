/** What is said to and by a process that is broken in one place after the other. Plain data. */
export type Request =
  /** Break the product, and try the seeds in this order until one finds it. */
  | { readonly t: "search"; readonly bug: string; readonly seeds: readonly number[] }
  /** Judge the sound product in the world of that bug. */
  | { readonly t: "control"; readonly bug: string; readonly seed: number };

export interface Found {
  readonly bug: string;
  /** The rule that found it; null: none did, in all seeds. */
  readonly rule: string | null;
  readonly seed: number;
  /** Tried, the one that found it among them. */
  readonly seeds: number;
  readonly summary: string;
  readonly story: readonly string[];
  /** Rules that found something in the same seed or before, but do not count for this bug. */
  readonly others: readonly string[];
  /** Seeds that broke off. */
  readonly broken: number;
  /** What the rules say of the sound product in the world that found the bug; null: it was not asked. */
  readonly sound: readonly string[] | null;
}

export type Answer =
  /** `spent`: the product could not be mended, so this process is of no more use. */
  | { readonly t: "searched"; readonly found: Found; readonly spent: boolean }
  | { readonly t: "controlled"; readonly rules: readonly string[] }
  /** This process cannot be broken in that place any more; a new one can. */
  | { readonly t: "under-way" }
  | { readonly t: "failed"; readonly problem: string };
