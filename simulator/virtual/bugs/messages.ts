/** What a process with a broken product says. Plain data. */
export interface Search {
  readonly bug: string;
  /** Tried before all others. */
  readonly first: number;
  /** Where the others begin. */
  readonly from: number;
  readonly most: number;
}

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
}
