/**
 * Whether the database answers this thread, for those who watch the node. Asked only when somebody wants to know, once for
 * all who want to know at the same time, and not again within a second: probes cost the database nothing to speak of.
 */

import type { Clock } from "../../lib/clock.js";
import type { IndexReader } from "../../services/catalog/mod.js";

export type DatabaseState = "answers" | "away";

const ANSWER_WITHIN_MS = 1_000;
const KEPT_MS = 1_000;

/** The returned function never rejects. */
export function createDatabaseWatch(options: {
  readonly index: IndexReader;
  readonly clock: Clock;
}): () => Promise<DatabaseState> {
  const { index, clock } = options;
  let last: { readonly at: number; readonly state: DatabaseState } | null = null;
  let asking: Promise<DatabaseState> | null = null;

  async function ask(): Promise<DatabaseState> {
    const state = await new Promise<DatabaseState>((resolve) => {
      const stopWaiting = clock.after(ANSWER_WITHIN_MS, () => resolve("away"));
      const hear = (state: DatabaseState) => () => {
        stopWaiting();
        resolve(state);
      };
      // Any row would do; none has this key.
      index.queryIndex({ kind: "restaurant", keys: ["."], limit: 1 }).then(hear("answers"), hear("away"));
    });
    last = { at: clock.monotonic(), state };
    asking = null;
    return state;
  }

  return () => {
    if (last !== null && clock.monotonic() - last.at < KEPT_MS) return Promise.resolve(last.state);
    asking ??= ask();
    return asking;
  };
}
