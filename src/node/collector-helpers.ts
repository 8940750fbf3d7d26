/**
 * How many threads may help the garbage collector mark what lives. V8 starts four wherever it runs, at the same priority
 * as the threads that serve: with two cores, all work stands still for some tens of milliseconds whenever one of a node's
 * heaps is marked. One core is left to work; marking takes longer and is noticed less (`storm` in docs/PERFORMANCE.md).
 */
import { setFlagsFromString } from "node:v8";

/** Of V8's own. With more cores than these there is nothing to leave. */
const HELPERS = 4;

/** As an argument of `node`, too. Null: V8's own choice leaves a core as it is. */
export function markingFlag(cores: number): string | null {
  const helpers = Math.max(1, cores - 1);
  return helpers >= HELPERS ? null : `--concurrent-marking-max-worker-num=${helpers}`;
}

/**
 * For the heaps of threads that are started from now on: those of the shards' workers and of the search. The heap of the
 * thread that calls was made before; it takes the flag from the command line only.
 */
export function leaveACoreToWork(cores: number): void {
  const flag = markingFlag(cores);
  if (flag !== null) setFlagsFromString(flag);
}
