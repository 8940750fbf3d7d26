/**
 * What one caller per node does now and then: forgets command ids that nobody will repeat any more, and on a lone node,
 * which has nobody to hand its events to, the events of days ago.
 *
 * Invariant: as much is forgotten as is made. An order leaves some twenty command ids, so a call a minute would be less
 * than a busy node writes, and the table would grow for ever.
 */
import type { StoreMaintenance } from "../actors/runtime/mod.js";
import type { EventOutbox } from "../cluster/mod.js";
import type { Cancel, Clock } from "../lib/clock.js";
import { createParts } from "../lib/in-parts.js";
import type { Log } from "../lib/log.js";

/** A command's id is honoured for a day; `notAfter` bounds what a phone may send late to half of that. */
const REMEMBER_MS = 24 * 3_600_000;
/** Long enough to look at what happened, or to start a NATS server after all and have them relayed. */
const KEEP_EVENTS_MS = 3 * 24 * 3_600_000;
const EVERY_MS = 60_000;
/** Small enough that flushes do not wait for it. */
const PARTS = { rows: 5_000, parts: 300, pauseMs: 100 } as const;

export function startHousekeeping(
  store: Pick<StoreMaintenance, "forgetCommands">,
  /** Null: a relay takes the events away. */
  events: Pick<EventOutbox, "forgetEvents"> | null,
  clock: Clock,
  log: Log,
): Cancel {
  let running = false;
  let stopped = false;
  const goesOn = (): boolean => !stopped;
  const commands = createParts(clock, PARTS);
  const old = createParts(clock, PARTS);
  const tidyUp = async (): Promise<void> => {
    const done = await Promise.allSettled([
      commands.takeAll((rows) => store.forgetCommands(clock.now() - REMEMBER_MS, rows), goesOn),
      // Each by itself: what cannot be forgotten of one is no reason to keep all of the other.
      events === null ? null : old.takeAll((rows) => events.forgetEvents(clock.now() - KEEP_EVENTS_MS, rows), goesOn),
    ]);
    for (const one of done) if (one.status === "rejected") throw one.reason;
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
