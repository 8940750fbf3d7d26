/**
 * What one caller per node does now and then: forgets command ids that nobody will repeat any more, and on a lone node,
 * which has nobody to hand its events to, the events of days ago.
 *
 * Invariant: as much is forgotten as is made. An order leaves some twenty command ids, so a call a minute would be less
 * than a busy node writes, and the table would grow for ever.
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
/** Rows of one call: small enough that flushes do not wait for it. */
const ROWS = 5_000;
/** At most so many calls in a row, and a pause after each: whoever commits comes first. */
const CALLS = 300;
const PAUSE_MS = 100;

export function startHousekeeping(
  store: Pick<StoreMaintenance, "forgetCommands">,
  /** Null: a relay takes the events away. */
  events: Pick<EventOutbox, "forgetEvents"> | null,
  clock: Clock,
  log: Log,
): Cancel {
  let running = false;
  let stopped = false;
  /** As long as calls come back full, there is more. */
  const untilNone = async (forget: (rows: number) => Promise<number>): Promise<void> => {
    for (let calls = 0; calls < CALLS && !stopped; calls++) {
      if ((await forget(ROWS)) < ROWS) return;
      await sleep(clock, PAUSE_MS);
    }
  };
  const tidyUp = async (): Promise<void> => {
    await untilNone((rows) => store.forgetCommands(clock.now() - REMEMBER_MS, rows));
    if (events !== null) await untilNone((rows) => events.forgetEvents(clock.now() - KEEP_EVENTS_MS, rows));
  };
  const cancel = clock.every(EVERY_MS, () => {
    if (running) return;
    running = true;
    tidyUp()
      .catch((error: unknown) => {
        if (!stopped)
          log.warn({ part: "housekeeping", error }, "Old rows could not be forgotten; tried again in a minute");
      })
      .finally(() => {
        running = false;
      });
  });
  return () => {
    stopped = true;
    cancel();
  };
}
