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
  const { store, payment, auth, cluster, gateway, engine, domain } = config;
  const found: Conflict[] = [];
  const need = (holds: boolean, keys: Conflict["keys"], rule: string, advice: string): void => {
    if (!holds) found.push({ keys, rule, advice });
  };

  const together = cluster.natsUrl !== null;
  const shared = (value: string | null, key: Conflict["keys"][0], what: string, advice: string): void =>
    need(!together || value !== null, [key, "cluster.natsUrl"], `nodes that work together share ${what}`, advice);
  shared(store.databaseUrl, "store.databaseUrl", "one database", "Set DATABASE_URL to the same server on every node.");
  shared(payment.url, "payment.url", "one payment provider", "Set PAYMENT_URL to the same provider on every node.");
  shared(auth.privateKey, "auth.privateKey", "the key that signs tokens", "Set AUTH_PRIVATE_KEY alike on every node.");
  shared(
    auth.operatorSecret,
    "auth.operatorSecret",
    "the operator's secret",
    "Set OPERATOR_SECRET alike on every node.",
  );
  shared(
    auth.orderIdSecret,
    "auth.orderIdSecret",
    "the secret that order ids are derived with",
    "Set ORDER_ID_SECRET alike on every node.",
  );
  need(
    auth.accessTokenMs < auth.refreshTokenMs,
    ["auth.accessTokenMs", "auth.refreshTokenMs"],
    "a session outlives its access tokens",
    "Lower accessTokenMs.",
  );
  need(
    cluster.leaseMs > 3 * cluster.heartbeatMs,
    ["cluster.leaseMs", "cluster.heartbeatMs"],
    "a node may miss two heartbeats before it loses its shards",
    "Raise leaseMs above three heartbeats.",
  );
  need(
    cluster.sessionGraceMs < cluster.leaseMs,
    ["cluster.sessionGraceMs", "cluster.leaseMs"],
    "a crash is noticed sooner than a partition",
    "Lower sessionGraceMs below leaseMs.",
  );
  need(
    cluster.heartbeatMs < cluster.sessionLossMs,
    ["cluster.sessionLossMs", "cluster.heartbeatMs"],
    "it counts from the last heartbeat",
    "Raise sessionLossMs above heartbeatMs.",
  );
  need(
    cluster.sessionLossMs < cluster.sessionGraceMs,
    ["cluster.sessionLossMs", "cluster.sessionGraceMs"],
    "a node that lost its session is silent before others take its shards",
    "Lower sessionLossMs below sessionGraceMs.",
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
    domain.order.otherMethodAfterMs < domain.order.placementDeadlineMs,
    ["domain.order.otherMethodAfterMs", "domain.order.placementDeadlineMs"],
    "the other method is asked while the order still waits",
    "Lower otherMethodAfterMs.",
  );
  need(
    domain.order.offerMs < domain.order.assignDeadlineMs,
    ["domain.order.offerMs", "domain.order.assignDeadlineMs"],
    "there is time for at least one offer",
    "Lower offerMs or raise assignDeadlineMs.",
  );
  need(
    domain.restaurant.againMs <= domain.restaurant.pushAfterMs,
    ["domain.restaurant.againMs", "domain.restaurant.pushAfterMs"],
    "a tablet is tried again before its restaurant gets a notification",
    "Lower againMs or raise pushAfterMs.",
  );
  need(
    domain.restaurant.pushAfterMs <= domain.restaurant.secondAfterMs,
    ["domain.restaurant.pushAfterMs", "domain.restaurant.secondAfterMs"],
    "a restaurant that cannot be reached is tried by the cheaper ways first",
    "Lower pushAfterMs or raise secondAfterMs.",
  );
  need(
    domain.restaurant.callAfterMs < domain.order.acceptDeadlineMs,
    ["domain.restaurant.callAfterMs", "domain.order.acceptDeadlineMs"],
    "a restaurant is called before its time to answer is over",
    "Lower callAfterMs below acceptDeadlineMs.",
  );
  return found;
}
