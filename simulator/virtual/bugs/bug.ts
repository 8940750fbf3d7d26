/** What a planted bug is. */
import type { FaultKind } from "../ports.js";
import type { Patch } from "./patch.js";

/**
 * `by`: the rules that must find it, by the beginnings of their names. What else it breaks does not count: a bug that only
 * shows as a crash is not found. `within`: in so many seeds, from the first one.
 */
export interface Bug {
  readonly name: string;
  readonly patches: readonly Patch[];
  readonly by: readonly string[];
  readonly within: number;
  /** A seed that showed it when it was last looked for (`npm run simulate -- --planted` says which do). */
  readonly shownFrom: number;
  /** In so many seeds from that one on it must be found whenever the tests run. */
  readonly shownWithin: number;
  /** Faults that every seed has in which it is looked for: what the bug needs and few seeds have. Default none. */
  readonly focus?: readonly FaultKind[];
  /**
   * How long its worlds may take to come to rest: less where they never do and what the bug breaks is seen at once.
   * Default: twice what a sound world takes.
   */
  readonly convergeMs?: number;
}

export const patch = (file: string, find: string, replace: string): Patch => ({ file, find, replace });
