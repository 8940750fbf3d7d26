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
  const { cluster, gateway, engine, domain } = config;
  const found: Conflict[] = [];
  const need = (holds: boolean, keys: Conflict["keys"], rule: string, advice: string): void => {
    if (!holds) found.push({ keys, rule, advice });
  };

  // Ignoring it would let two nodes fight over one database, each believing to be alone.
  need(
    cluster.natsUrl === null,
    ["cluster.natsUrl", "node.id"],
    "this version of a node runs alone",
    "Leave NATS_URL out.",
  );
  need(
    gateway.slotBacklogBytes <= gateway.reliableBacklogBytes,
    ["gateway.slotBacklogBytes", "gateway.reliableBacklogBytes"],
    "positions wait before a socket is closed as slow",
    "Lower slotBacklogBytes or raise reliableBacklogBytes.",
  );
  need(
    gateway.maxBodyBytes <= gateway.maxProfileBytes,
    ["gateway.maxProfileBytes", "gateway.maxBodyBytes"],
    "a restaurant's profile may be larger than an ordinary request",
    "Raise maxProfileBytes or lower maxBodyBytes.",
  );
  need(
    gateway.maxConnectionsPerUser <= gateway.maxConnections,
    ["gateway.maxConnectionsPerUser", "gateway.maxConnections"],
    "one account cannot have more sockets than the thread",
    "Lower maxConnectionsPerUser.",
  );
  need(
    gateway.silenceMs >= 2 * gateway.pingMs,
    ["gateway.silenceMs", "gateway.pingMs"],
    "a socket may miss one ping before it counts as silent",
    "Raise silenceMs to at least twice pingMs.",
  );
  need(
    gateway.gpsPerMinute * domain.driver.gpsTripMs >= 60_000,
    ["gateway.gpsPerMinute", "domain.driver.gpsTripMs"],
    "the gateway lets the cadence through that the node itself asks of the app",
    "Raise gpsPerMinute to 60,000 / gpsTripMs or more.",
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
