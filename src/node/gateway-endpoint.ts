/** One gateway with everything it stands on: the actor client, the index, the mirror. For the main thread and others. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import {
  type ActorAddress,
  createActorClient,
  type EndpointId,
  type Link,
  type ShardMap,
} from "../actors/runtime/mod.js";
import { createGateway, createTokens, type Gateway } from "../gateway/mod.js";
import type { Clock } from "../lib/clock.js";
import type { Log } from "../lib/log.js";
import type { Metrics } from "../lib/metrics.js";
import type { Random } from "../lib/random.js";
import { createTextSeal } from "../lib/sealed-text.js";
import { createFounding } from "../services/catalog/mod.js";
import { createHistoryService } from "../services/history/mod.js";
import { createOrderSeal, openedEntry, openedIndex, openedMirror, sealedClient } from "../services/orders/mod.js";
import { createOrderReader, ratingOperations } from "../services/ratings/mod.js";
import { createSearchClient, searchOperations } from "../services/search/mod.js";
import { createPostgresActorStore, createPostgresNotices, createPostgresRatings } from "../store/postgres/mod.js";
import { createRedisMirror } from "../store/redis/mod.js";
import { createMetrics, measureRuntime, metricsText } from "../telemetry/mod.js";
import { openAccounts, SIGNING_KEY_ID } from "./accounts.js";
import { cityOperations } from "./city-operations.js";
import { watchDeadLetters } from "./dead-letters.js";
import { geocoderOf, quoteSettingsOf, routerOf } from "./domain-settings.js";
import { measureGateway, timedClient } from "./gateway-metrics.js";
import { joinInquiry } from "./inquiry.js";
import { createMirrorCopy, forgetWhenShardsLeave } from "./mirror.js";
import { openMoney } from "./money.js";
import { watchOrders } from "./order-metrics.js";
import { personalRecords } from "./personal-records.js";
import type { ThreadPlan } from "./plan.js";
import { openPipe } from "./search.js";
import { openServices } from "./services.js";

export interface OpenGateway {
  /** Resolves with the port; `share` when several threads listen on it. */
  listen(port: number, share: boolean): Promise<number>;
  readonly gateway: Gateway;
  drain(): Promise<void>;
  close(): Promise<void>;
}

/** Views, menus and positions of a city of 100,000 drivers and as many orders under way. */
const MIRROR_ENTRIES = 250_000;
/** The four apps: customer, driver, restaurant, operations. */
const PAGES = fileURLToPath(new URL("../../apps/pages/", import.meta.url));

export function openGateway(options: {
  readonly plan: ThreadPlan;
  readonly endpoint: EndpointId;
  readonly link: Link;
  readonly shardMap: ShardMap;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** True on one thread of the process: it also measures what belongs to the whole process. */
  readonly wholeProcess: boolean;
  /**
   * Whether the node may speak for actors of its own, or hears those of others. With neither it has nothing but menus and
   * pages, and whoever comes elsewhere is better served: it is not ready.
   */
  readonly ready: () => boolean;
  /** What `/v1/node` tells beside the node's name. */
  readonly info?: () => Readonly<Record<string, unknown>>;
  /** Adds what this thread alone can tell to its metrics. */
  readonly measure?: (metrics: Metrics) => void;
}): OpenGateway {
  const { plan, endpoint, link, shardMap, clock, random, wholeProcess } = options;
  const { config, secrets } = plan;
  const log = options.log.child({ part: "gateway" });
  const seal = createOrderSeal(createTextSeal(secrets.masterSecrets, "swift-eats order doors", random));
  const copy = createMirrorCopy(clock, MIRROR_ENTRIES);
  forgetWhenShardsLeave(copy, shardMap, (owner) => owner.startsWith(`${config.node.id}/`));
  const redis = config.redis.url === null ? null : createRedisMirror({ url: config.redis.url, clock, log });
  const store = createPostgresActorStore({
    connectionString: plan.connectionString,
    // A gateway commits nothing.
    lanes: 1,
    reads: config.store.poolSize + 1,
    clock,
    log,
  });
  const actors = createActorClient({
    link,
    shardMap,
    clock,
    random,
    settings: { maxInFlight: config.engine.asksInFlight },
    onMirror: (entry) => copy.put(openedEntry(entry, seal)),
  });
  const metrics = createMetrics(endpoint);
  const timed = timedClient(actors, metrics, clock);
  const client = { ...sealedClient(timed, seal), silenceMs: (actor: ActorAddress) => actors.silenceMs(actor) };
  const index = openedIndex(store, seal);
  const keys = [{ kid: SIGNING_KEY_ID, privateKey: secrets.signingKeyPem }];
  const tokens = createTokens({ keys, clock, maxCached: config.gateway.maxCachedTokens });
  const notices = createPostgresNotices({ connectionString: plan.connectionString, clock, log });
  const money = openMoney(plan, client, index, { clock, random, log });
  const services = openServices({ plan, client, index, notices, clock, log });
  const search = config.search.enabled ? createSearchClient({ pipe: openPipe(plan, endpoint), clock }) : null;
  const ratings = createPostgresRatings({ connectionString: plan.connectionString, clock, log });
  const history = createHistoryService({ index });
  const { devices } = services;
  const { methods, deliveries } = money;
  const { notifications, deadLetters } = services;
  const records = personalRecords({
    client,
    index,
    history,
    talk: services.talk,
    ratings,
    methods,
    devices,
    notifications,
    deadLetters,
    deliveries,
    clock,
    random,
  });
  const tidies = wholeProcess;
  const geocoder = geocoderOf(config, clock);
  const restaurants = createFounding({ client, addresses: geocoder, timeoutMs: config.gateway.commandTimeoutMs });
  const accounts = openAccounts({ plan, tokens, notices, history, records, restaurants, tidies, clock, random, log });
  const { info } = options;
  const inquiry = joinInquiry({
    plan,
    self: endpoint,
    clock,
    metrics: () => {
      count();
      return metrics.snapshot();
    },
    info: info === undefined ? undefined : () => ({ node: config.node.id, ...info() }),
  });
  const stopMeasuring = measureRuntime({ metrics, clock, wholeProcess });
  const gateway = createGateway({
    id: endpoint,
    client,
    clock,
    random,
    auth: {
      keys,
      operatorSecret: secrets.operatorSecret,
      orderIdSecret: secrets.orderIdSecret,
    },
    tokens,
    devices: services.devices,
    audit: services.audit,
    announcements: services.announcements,
    index,
    mirrorCopy: copy,
    mirror: redis === null ? null : openedMirror(redis, seal),
    router: routerOf(config, clock),
    geocoder,
    quoteSettings: quoteSettingsOf(config),
    settings: {
      ...config.gateway,
      version: plan.version,
      timeScale: config.node.timeScale,
      drainMs: config.node.drainMs,
    },
    log,
    operations: [
      cityOperations,
      ...accounts.operations,
      ...services.operations,
      ...money.operations,
      ...(search === null ? [] : [searchOperations(search)]),
      ratingOperations({
        store: ratings,
        orders: createOrderReader({ index, client }),
        notices,
        clock,
        random,
      }),
    ],
    promotions: money.promotions,
    ready: options.ready,
    nodeInfo: async () => ({ node: config.node.id, ...(await inquiry.info()) }),
    metrics: async () => {
      const [threads, searching] = await Promise.all([inquiry.metrics(), search?.measured() ?? []]);
      return metricsText([...threads, searching]);
    },
  });
  const count = measureGateway(metrics, () => gateway.stats());
  for (const name of ["sockets", "requests"] as const) {
    metrics.gaugeOf({ name: `swift_gateway_${name}_count`, help: `Open ${name} of this gateway thread.` }, () => {
      const stats: Readonly<Record<string, unknown>> = { ...gateway.stats() };
      return Number(stats[name] ?? 0);
    });
  }
  metrics.gaugeOf(
    { name: "swift_gateway_mirror_entries_count", help: "Entries in this thread's copy of the mirror." },
    () => copy.size,
  );
  metrics.gaugeOf(
    { name: "swift_gateway_asks_count", help: "Requests to actors without an answer yet." },
    () => actors.stats().inFlight,
  );
  metrics.gaugeOf(
    { name: "swift_gateway_held_back_count", help: "New orders that were refused because actors answered late." },
    () => actors.stats().heldBack,
  );
  options.measure?.(metrics);
  metrics.gaugeOf(
    {
      name: "swift_gateway_ready_count",
      help: "Whether this thread takes requests, as its readiness probe says: 1 or 0.",
    },
    () => (options.ready() ? 1 : 0),
  );
  const watching = wholeProcess
    ? [
        watchDeadLetters({ store: deadLetters, metrics, clock, log: options.log }),
        watchOrders({ store, metrics, clock, log: options.log }),
      ]
    : [];
  // Built beside the program; a node that was compiled without them serves the API alone.
  if (existsSync(PAGES)) gateway.serveDirectory("/", PAGES);
  return {
    gateway,
    async listen(port, share) {
      await Promise.all([accounts.start(), services.start()]);
      return gateway.listen(port, { share, host: config.http.host });
    },
    drain: () => gateway.drain(),
    async close() {
      stopMeasuring();
      for (const stop of watching) stop();
      inquiry.close();
      gateway.close();
      actors.close();
      search?.close();
      await accounts.close();
      await services.close();
      await Promise.all([store.close(), money.close(), ratings.close(), redis?.close(), notices.close()]);
    },
  };
}
