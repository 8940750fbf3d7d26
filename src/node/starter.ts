/** Ends a node whose starter is gone, where the starter stands between it and the signals. */
import type { Cancel, Clock } from "../lib/clock.js";

const LOOK_EVERY_MS = 500;

/**
 * npm passes SIGTERM to the shell it put in between, and that shell dies of it without a word to the node, which would
 * go on with nobody to end it. A process whose parent dies is given another: that is the sign. `parentOf` says whose
 * child this process is.
 */
export function whenStarterIsGone(clock: Clock, parentOf: () => number, gone: () => void): Cancel {
  const starter = parentOf();
  const cancel = clock.every(LOOK_EVERY_MS, () => {
    if (parentOf() === starter) return;
    cancel();
    gone();
  });
  return cancel;
}
