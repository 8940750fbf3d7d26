/**
 * What a node asks of the garbage collector.
 *
 * That a core is left to work. V8 starts four threads that help to mark what lives, wherever it runs, at the same priority
 * as the threads that serve: with two cores, all work stands still for some tens of milliseconds whenever one of a node's
 * heaps is marked. Marking takes longer then and is noticed less (`storm` in docs/PERFORMANCE.md).
 *
 * That what is young is taken for young. V8 remembers the places in the code whose objects all survived once, and lets
 * what is made there begin in the old generation. While a city's drivers sign on, the object of every message survives; from
 * then on every message would be the old generation's garbage (docs/decisions/what-survives.md).
 *
 * That a quiet minute costs nothing afterwards. Eight seconds after the last work V8 collects a heap three times over, to
 * give memory back, and shrinks its young generation. What no living object looks like any more is forgotten then, and the
 * compiled code that knew it with it: where no order is under way for a moment, that is the code of every order
 * (docs/decisions/quiet-minutes.md).
 */
import { setFlagsFromString } from "node:v8";

/** Of V8's own. With more cores than these there is nothing to leave. */
const HELPERS = 4;
const EVERYTHING_BEGINS_YOUNG = "--no-allocation-site-pretenuring";
const NOTHING_AT_REST = "--no-memory-reducer";
/** In megabytes, what V8 lets it grow to; it grows again by what survives only. */
const YOUNG_STAYS_LARGE = "--min-semi-space-size=16";
/** With any number of cores. */
const ALWAYS: readonly string[] = [EVERYTHING_BEGINS_YOUNG, NOTHING_AT_REST, YOUNG_STAYS_LARGE];

/**
 * What stands before the program's name on the command line of a node (`npm start`, Dockerfile): of the flags below, the one
 * that the main thread's heap can be given in no other way. There the gateway lives.
 */
export const COMMAND_LINE: readonly string[] = ["--enable-source-maps", YOUNG_STAYS_LARGE];

/** As arguments of `node`, too. */
export function collectorFlags(cores: number): readonly string[] {
  const helpers = Math.max(1, cores - 1);
  return helpers >= HELPERS ? ALWAYS : [...ALWAYS, `--concurrent-marking-max-worker-num=${helpers}`];
}

/**
 * To be called before anything runs often. How many may help, and how large what is young stays, hold for the heaps of
 * threads that are started from now on, those of the shards' workers and of the search: the heap of the thread that calls
 * was made before, and takes those flags from the command line only.
 */
export function tuneCollector(cores: number): void {
  for (const flag of collectorFlags(cores)) setFlagsFromString(flag);
}
