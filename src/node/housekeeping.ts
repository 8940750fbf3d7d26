/** What one caller per node does now and then: forgets command ids that nobody will repeat any more. */
import type { StoreMaintenance } from "../actors/runtime/mod.js";
import type { Cancel, Clock } from "../lib/clock.js";
import type { Log } from "../lib/log.js";

/** A command's id is honoured for a day; `notAfter` bounds what a phone may send late to half of that. */
const REMEMBER_MS = 24 * 3_600_000;
const EVERY_MS = 60_000;
/** Rows of one pass: small enough that flushes do not wait for it. */
const ROWS = 5_000;

export function startHousekeeping(store: StoreMaintenance, clock: Clock, log: Log): Cancel {
  let running = false;
  return clock.every(EVERY_MS, () => {
    if (running) return;
    running = true;
    store
      .forgetCommands(clock.now() - REMEMBER_MS, ROWS)
      .catch((error: unknown) =>
        log.warn({ part: "housekeeping", error }, "Old command ids could not be forgotten; tried again in a minute"),
      )
      .finally(() => {
        running = false;
      });
  });
}
