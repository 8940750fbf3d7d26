/** Committed events on their way out: relayed to the cluster's streams, or kept a while where there are none. */
import type { Config } from "../../config/mod.js";
import { createEventRelay, type EventOutbox, type EventRelayStats } from "../cluster/mod.js";
import { openEventStream } from "../cluster/nats/mod.js";
import type { Clock } from "../lib/clock.js";
import type { Log } from "../lib/log.js";
import { createPostgresEventOutbox } from "../store/postgres/mod.js";

export interface NodeEvents {
  readonly outbox: EventOutbox;
  /** False: nobody takes the events away. */
  readonly isRelayed: boolean;
  stats(): EventRelayStats | null;
  stop(): Promise<void>;
}

export function startEvents(options: {
  readonly config: Config;
  readonly connectionString: string;
  /** Of this node, right now. */
  readonly ownedShards: () => readonly number[];
  readonly clock: Clock;
  readonly log: Log;
}): NodeEvents {
  const { config, connectionString, ownedShards, clock, log } = options;
  const outbox = createPostgresEventOutbox({ connectionString, clock, log });
  const { natsUrl, name } = config.cluster;
  if (natsUrl === null) return { outbox, isRelayed: false, stats: () => null, stop: () => outbox.close() };
  const stream = openEventStream({ url: natsUrl, cluster: name, clock, log });
  const relay = createEventRelay({ outbox, stream, ownedShards, clock, log });
  relay.start();
  return {
    outbox,
    isRelayed: true,
    stats: () => relay.stats(),
    async stop() {
      await relay.stop();
      await stream.close();
      await outbox.close();
    },
  };
}
