/**
 * What one caller per node does now and then: forgets command ids that nobody will repeat any more, and on a lone node,
 * which has nobody to hand its events to, the events of days ago.
 */
import type { StoreMaintenance } from "../actors/runtime/mod.js";
import type { EventOutbox } from "../cluster/mod.js";
import { type Cancel, type Clock, sleep } from "../lib/clock.js";
import type { Log } from "../lib/log.js";

/** A command's id is honoured for a day; `notAfter` bounds what a phone may send late to half of that. */
const REMEMBER_MS = 24 * 3_600_000;
/** Long enough to look at what happened, or to start a NATS server after all and have them relayed. */
const KEEP_EVENTS_MS = 3 * 24 * 3_600_000;
const EVERY_MS = 60_000;
/** Rows of one call: few enough that flushes do not wait for it. */
const ROWS = 5_000;
/** What a minute brings may be more than one call takes. At most so many in a row, a pause after each: who commits comes first. */
const CALLS = 200;
const PAUSE_MS = 200;

export function startHousekeeping(
  store: StoreMaintenance,
  /** Null: a relay takes the events away. */
  events: Pick<EventOutbox, "forgetEvents"> | null,
  clock: Clock,
  log: Log,
): Cancel {
  let running = false;
  let stopped = false;
  /** As long as calls come back full, there is more. */
  async function all(forget: () => Promise<number>): Promise<void> {
    for (let calls = 0; calls < CALLS && !stopped; calls++) {
      if ((await forget()) < ROWS) return;
      await sleep(clock, PAUSE_MS);
    }
  }
  async function tidyUp(): Promise<void> {
    await all(() => store.forgetCommands(clock.now() - REMEMBER_MS, ROWS));
    if (events !== null) await all(() => events.forgetEvents(clock.now() - KEEP_EVENTS_MS, ROWS));
  }
  const cancel = clock.every(EVERY_MS, () => {
    if (running) return;
    running = true;
    tidyUp()
      .catch((error: unknown) =>
        log.warn({ part: "housekeeping", error }, "Old rows could not be forgotten; tried again in a minute"),
      )
      .finally(() => {
        running = false;
      });
  });
  return () => {
    stopped = true;
    cancel();
  };
}
