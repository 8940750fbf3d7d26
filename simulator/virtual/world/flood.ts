/**
 * Far more asks of one actor at once than its mailbox, its host's credit and the client's queue hold: what a broken
 * program or a crowd does to a node from within. Every ask must be answered, with `overloaded` at the worst, and nothing
 * may hold more than its bound.
 *
 * Owns: the asks of one process and the count of those that are still open. Does not own: when (the injector's).
 */
import { Restaurant } from "../../../src/actors/domain/mod.js";
import type { RunningActorClient } from "../../../src/actors/runtime/mod.js";
import { type Clock, sleep } from "../../../src/lib/clock.js";
import { type Random, uuidV7 } from "../../../src/lib/random.js";

export interface Flood {
  /** Asks the restaurant `asks` times at once. */
  pour(restaurantId: string, asks: number): void;
  /** Asked and not answered yet. */
  readonly open: number;
  /** Answered with `overloaded`. */
  readonly refused: number;
}

const CALLER = { id: "admin-1", role: "admin" } as const;
const REOPEN_AGAIN_MS = 500;
/** The next flood may close it again, and the one after. */
const MOST_REOPENINGS = 100;

export function createFlood(client: RunningActorClient, clock: Clock, random: Random): Flood {
  let open = 0;
  let refused = 0;

  async function ask(restaurantId: string, name: "outlook" | "setOpen", body: { readonly open: boolean } | null) {
    open++;
    const options = { commandId: uuidV7(clock.now(), random), caller: CALLER };
    const answer =
      name === "outlook" || body === null
        ? await client.ask(Restaurant, restaurantId, "outlook", null, options)
        : await client.ask(Restaurant, restaurantId, "setOpen", body, options);
    open--;
    if (!answer.ok && answer.error.code === "overloaded") refused++;
    return answer;
  }

  /** What a flood may have left shut is opened, as a person would. */
  async function reopen(restaurantId: string): Promise<void> {
    for (let tries = 0; tries < MOST_REOPENINGS; tries++) {
      const answer = await ask(restaurantId, "setOpen", { open: true });
      if (answer.ok || !answer.error.temporary) return;
      await sleep(clock, REOPEN_AGAIN_MS);
    }
  }

  return {
    pour(restaurantId, asks) {
      // Behind these two writes the reads wait for the commit: that is what fills a mailbox.
      const first = [ask(restaurantId, "setOpen", { open: false }), ask(restaurantId, "setOpen", { open: true })];
      const reads = Array.from({ length: asks }, () => ask(restaurantId, "outlook", null));
      void Promise.all([...first, ...reads]).then(() => reopen(restaurantId));
    },
    get open() {
      return open;
    },
    get refused() {
      return refused;
    },
  };
}
