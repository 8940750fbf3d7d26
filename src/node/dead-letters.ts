/** How many dead letters wait for a person, for `/metrics`; and those that were settled long ago are forgotten. */
import type { Cancel, Clock } from "../lib/clock.js";
import type { Log } from "../lib/log.js";
import type { Metrics } from "../lib/metrics.js";
import type { DeadLetterStore } from "../services/dead-letters/mod.js";

const COUNTED_EVERY_MS = 10_000;
const FORGOTTEN_EVERY_MS = 60_000;
/** Long enough to be asked about it; what was in them may be personal. */
const KEEP_MS = 30 * 24 * 3_600_000;
const ROWS = 1_000;

/** One for each process is enough: all of them count the same rows. */
export function watchDeadLetters({
  store,
  metrics,
  clock,
  log,
}: {
  readonly store: Pick<DeadLetterStore, "waiting" | "forget">;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly log: Log;
}): Cancel {
  let waiting = 0;
  let failures = 0;
  metrics.gaugeOf(
    {
      name: "swift_dead_letters_waiting_count",
      help: "What was put aside and waits for a person; of the database, so every node says the same.",
    },
    () => waiting,
  );
  const work = async (what: () => Promise<void>): Promise<void> => {
    try {
      await what();
      failures = 0;
    } catch (error) {
      if (failures++ === 0) log.warn({ part: "dead-letters", error }, "Dead letters could not be counted or forgotten");
    }
  };
  const count = (): Promise<void> =>
    work(async () => {
      waiting = await store.waiting();
    });
  const forget = (): Promise<void> =>
    work(async () => {
      await store.forget(clock.now() - KEEP_MS, ROWS);
    });
  void count();
  const stopCounting = clock.every(COUNTED_EVERY_MS, () => void count());
  const stopForgetting = clock.every(FORGOTTEN_EVERY_MS, () => void forget());
  return () => {
    stopCounting();
    stopForgetting();
  };
}
