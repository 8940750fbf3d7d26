/** What must hold between two settings. Each message names both and their values. */
import type { Config } from "./schema.js";

export interface Conflict {
  /** The two settings; the first is the one to change. */
  readonly keys: readonly [string, string];
  readonly rule: string;
  readonly advice: string;
}

/** Every conflict within a configuration whose single values are all allowed. */
export function conflictsOf(config: Config): readonly Conflict[] {
  const { cluster, store, redis, auth, gateway, http, engine, domain } = config;
  const found: Conflict[] = [];
  const need = (holds: boolean, keys: Conflict["keys"], rule: string, advice: string): void => {
    if (!holds) found.push({ keys, rule, advice });
  };

  need(
    cluster.natsUrl === null || store.databaseUrl !== null,
    ["store.databaseUrl", "cluster.natsUrl"],
    "a node of a cluster shares its database",
    "Set DATABASE_URL to the cluster's server, or leave NATS_URL out.",
  );
  need(
    cluster.natsUrl === null || redis.url !== null,
    ["redis.url", "cluster.natsUrl"],
    "a node of a cluster shares its mirror",
    "Set REDIS_URL to the cluster's server, or leave NATS_URL out.",
  );
  need(
    cluster.natsUrl === null || auth.privateKey !== null,
    ["auth.privateKey", "cluster.natsUrl"],
    "the nodes of a cluster sign tokens with one key",
    "Set AUTH_PRIVATE_KEY_FILE to the cluster's key, or leave NATS_URL out.",
  );
  need(
    gateway.maxFrameBytes <= gateway.maxReliableBacklogBytes,
    ["gateway.maxReliableBacklogBytes", "gateway.maxFrameBytes"],
    "the backlog of a socket holds at least one frame",
    "Raise the backlog or lower the frame.",
  );
  need(
    gateway.maxFrameBytes <= http.maxBodyBytes,
    ["http.maxBodyBytes", "gateway.maxFrameBytes"],
    "what a socket may send, HTTP may send too",
    "Raise the body or lower the frame.",
  );
  need(
    gateway.socketsPerUser <= gateway.maxSockets,
    ["gateway.socketsPerUser", "gateway.maxSockets"],
    "one account cannot have more sockets than the node",
    "Lower socketsPerUser.",
  );
  need(
    gateway.helloTimeoutMs <= gateway.pingIntervalMs,
    ["gateway.helloTimeoutMs", "gateway.pingIntervalMs"],
    "a socket says HELLO before its first ping",
    "Lower the timeout or raise the interval.",
  );
  need(
    engine.flushActors <= engine.maxActors,
    ["engine.flushActors", "engine.maxActors"],
    "a flush fits into memory",
    "Lower flushActors.",
  );
  need(
    domain.driver.gpsTokenMs <= domain.driver.gpsTripMs && domain.driver.gpsTokenMs <= domain.driver.gpsAvailableMs,
    ["domain.driver.gpsTokenMs", "domain.driver.gpsTripMs"],
    "the limit lets the cadence through that the node itself asks of the app",
    "Lower gpsTokenMs to the cadence or below it.",
  );
  need(
    domain.driver.stalledMs > domain.driver.gpsTripMs,
    ["domain.driver.stalledMs", "domain.driver.gpsTripMs"],
    "a driver who sends on time is not lost",
    "Raise stalledMs to a few cadences.",
  );
  need(
    domain.driver.liveMs <= domain.driver.maxAgeMs,
    ["domain.driver.liveMs", "domain.driver.maxAgeMs"],
    "a live fix is not flagged as old",
    "Lower liveMs or raise maxAgeMs.",
  );
  need(
    domain.zone.presenceTtlMs > domain.driver.presenceMs,
    ["domain.zone.presenceTtlMs", "domain.driver.presenceMs"],
    "a zone remembers a driver from one telling to the next",
    "Raise presenceTtlMs to a few tellings.",
  );
  need(
    domain.zone.proposalMs >= domain.order.offerMs,
    ["domain.zone.proposalMs", "domain.order.offerMs"],
    "a proposal lives at least as long as the offer made from it",
    "Raise proposalMs above offerMs.",
  );
  need(
    domain.zone.mergeBelow < domain.zone.splitAbove,
    ["domain.zone.mergeBelow", "domain.zone.splitAbove"],
    "a zone that has just split does not join again",
    "Lower mergeBelow to a quarter of splitAbove.",
  );
  need(
    domain.zone.splitAbove <= domain.zone.maxOrders,
    ["domain.zone.splitAbove", "domain.zone.maxOrders"],
    "a zone splits before it is full",
    "Lower splitAbove or raise maxOrders.",
  );
  need(
    domain.order.offerMs < domain.order.assignDeadlineMs,
    ["domain.order.offerMs", "domain.order.assignDeadlineMs"],
    "there is time for at least one offer",
    "Lower offerMs or raise assignDeadlineMs.",
  );
  return found;
}
