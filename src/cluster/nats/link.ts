/** The link between nodes over NATS: the core, its connection and its subscriptions. */
import type { EndpointId, Link } from "../../actors/runtime/link.js";
import type { Clock } from "../../lib/clock.js";
import type { Log } from "../../lib/log.js";
import type { Random } from "../../lib/random.js";
import { openSteadyConnection } from "./connection.js";
import { createLinkCore, type NatsLinkStats } from "./core.js";
import type { NatsLinkSettings } from "./settings.js";
import { clusterSubjects } from "./subjects.js";

export interface NatsLinkOptions {
  /** `nats://[user:password@]host:port`; several servers of one NATS cluster are separated by commas. */
  readonly url: string;
  /** Only links with the same cluster name hear each other. */
  readonly cluster: string;
  /** `node/thread`: endpoints of the same node are not reached by this link. */
  readonly self: EndpointId;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly settings?: Partial<NatsLinkSettings>;
}

export interface NatsLink extends Link {
  room(to: EndpointId): number;
  stats(): NatsLinkStats;
  /** `close`, and resolves once the last words have left and the connection is gone. Never rejects. */
  shutdown(): Promise<void>;
}

/** What a server takes when it has not said. */
const USUAL_MAX_PAYLOAD = 1_048_576;

/**
 * Opens one thread's link to the other nodes. Returns at once; while NATS cannot be reached there are no peers, and it is
 * tried again for ever. Throws RangeError for settings or names that cannot work, TypeError for what is no NATS URL.
 */
export function openNatsLink(options: NatsLinkOptions): NatsLink {
  const { url, self, clock, random, log, settings } = options;
  const subjects = clusterSubjects(options.cluster);
  const core = createLinkCore({
    self,
    subjects,
    clock,
    random,
    log,
    ...(settings === undefined ? {} : { settings }),
    wire: {
      publish(subject, bytes) {
        try {
          connection.current?.publish(subject, bytes);
        } catch {
          // The connection is closing; `onDown` follows and every session ends.
        }
      },
      maxPayload: () => connection.current?.info?.max_payload ?? USUAL_MAX_PAYLOAD,
    },
  });
  const inbox = subjects.inbox(self, core.instance);
  const connection = openSteadyConnection({
    url,
    name: `${options.cluster}: ${self}`,
    clock,
    random,
    log: log.child({ part: "nats-link", endpoint: self }),
    onUp(nats) {
      // A permission that is missing shows as an error of the subscription; the connection closes or nobody is heard.
      nats.subscribe(inbox, { callback: (error, message) => error === null && core.hear(message.data) });
      nats.subscribe(subjects.presence, {
        callback: (error, message) => error === null && core.hearPresence(message.data),
      });
      core.connected();
    },
    onDown: () => core.disconnected(),
  });
  return {
    self,
    send: core.send,
    receive: core.receive,
    peers: core.peers,
    room: core.room,
    stats: core.stats,
    close() {
      core.close();
      void connection.close();
    },
    shutdown() {
      core.close();
      return connection.close();
    },
  };
}
