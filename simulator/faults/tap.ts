/**
 * An outside consumer of every stream of events, straight at the NATS server: what a program of somebody else's would
 * receive and apply.
 */
import { EVENT_FAMILIES, openEventConsumer } from "../../src/cluster/nats/mod.js";
import type { Clock } from "../../src/lib/clock.js";
import { silentLog } from "../../src/lib/log.js";
import type { EventId } from "../checkers/mod.js";

export interface EventTap {
  /** In order of arrival. */
  received(): readonly EventId[];
  close(): Promise<void>;
}

/** The name of a cluster that nobody has named. */
const CLUSTER = "swift-eats";

export function tapEvents(natsUrl: string, clock: Clock): EventTap {
  const received: EventId[] = [];
  const consumers = EVENT_FAMILIES.map((family) =>
    openEventConsumer({
      url: natsUrl,
      cluster: CLUSTER,
      family,
      durable: `faults-${family}`,
      fromStart: true,
      handle: ({ kind, key, offset }) => void received.push({ kind, key, offset }),
      clock,
      log: silentLog,
    }),
  );
  return {
    received: () => received,
    close: async () => {
      await Promise.all(consumers.map((consumer) => consumer.stop()));
    },
  };
}
