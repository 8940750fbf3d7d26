/**
 * What one caller per node does now and then: forgets command ids that nobody will repeat any more, and on a lone node,
 * which has nobody to hand its events to, the events of days ago.
 */
import type { StoreMaintenance } from "../actors/runtime/mod.js";
import type { EventOutbox } from "../cluster/mod.js";
import type { Cancel, Clock } from "../lib/clock.js";
import type { Log } from "../lib/log.js";

/** A command's id is honoured for a day; `notAfter` bounds what a phone may send late to half of that. */
const REMEMBER_MS = 24 * 3_600_000;
/** Long enough to look at what happened, or to start a NATS server after all and have them relayed. */
const KEEP_EVENTS_MS = 3 * 24 * 3_600_000;
const EVERY_MS = 60_000;
/** Rows of one pass: small enough that flushes do not wait for it. */
const ROWS = 5_000;

export function startHousekeeping(
  store: StoreMaintenance,
  /** Null: a relay takes the events away. */
  events: Pick<EventOutbox, "forgetEvents"> | null,
  clock: Clock,
  log: Log,
): Cancel {
  let running = false;
  const tidyUp = async (): Promise<void> => {
    await store.forgetCommands(clock.now() - REMEMBER_MS, ROWS);
    await events?.forgetEvents(clock.now() - KEEP_EVENTS_MS, ROWS);
  };
  return clock.every(EVERY_MS, () => {
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
}
