/**
 * One gateway: the port, its sockets, its routes. Runs on the main thread or in any number of gateway threads that share
 * one port. Owns starting, draining and closing; everything else is in the folders beside it.
 *
 * Invariants: `drain` lets no new socket in, tells every client to come back, and resolves when all are gone or the
 * window is over; after `close` nothing of this gateway runs.
 */
import * as uWS from "uWebSockets.js";
import { Buckets, paceOf } from "../lib/buckets.js";
import type { Cancel, Clock } from "../lib/clock.js";
import { sleep } from "../lib/clock.js";
import { Gathering } from "../lib/gather.js";
import { type Log, silentLog } from "../lib/log.js";
import type { Random } from "../lib/random.js";
import { endOfTurn } from "../lib/schedule.js";
import { type AnyOperationHandlers, CLOSE, compileValidators, OP } from "../protocol/mod.js";
import type { AnnouncementService } from "../services/announcements/mod.js";
import type { AuditLog } from "../services/audit/mod.js";
import { type CatalogSettings, catalogOperations, createCatalog } from "../services/catalog/mod.js";
import type { DeviceService } from "../services/devices/mod.js";
import { builtInGeocoder, type Geocoder } from "../services/geocoding/mod.js";
import { createHistoryService } from "../services/history/mod.js";
import { createOrderService, type PromotionReader, priceOperations } from "../services/orders/mod.js";
import { createQuoteService, type QuoteSettings, quoteOperations } from "../services/quotes/mod.js";
import { builtInRouter, type Router } from "../services/routing/mod.js";
import { againOperations } from "../services/search/mod.js";
import {
  createTrackingService,
  type IndexReader,
  type MirrorReader,
  type TrackingSettings,
  type TrackingStats,
} from "../services/tracking/mod.js";
import { operatorGuard } from "./auth/operator.js";
import { createTokens, type TokenKey, type Tokens } from "./auth/tokens.js";
import { createCommandDesk } from "./commands.js";
import type { GatewayContext } from "./context.js";
import { createDocuments } from "./documents/mod.js";
import { LastBroadcast } from "./fanout/broadcast.js";
import { LocationGates } from "./fanout/location-gate.js";
import { createAddressReader } from "./http/address.js";
import { createDatabaseWatch } from "./http/database-watch.js";
import { type HttpDeps, servedRoutes, serveRoutes } from "./http/server.js";
import { jsonFile, readStaticFiles, type StaticFile } from "./http/static-files.js";
import { AtOnce } from "./limits/at-once.js";
import { TierLimits } from "./limits/tiers.js";
import { type Listening, type ListenOptions, listenOn } from "./listen.js";
import type { NativeApp } from "./native.js";
import type { GatewayClient, MirrorCopy } from "./ports.js";
import { DEFAULT_GATEWAY_SETTINGS, type GatewaySettings } from "./settings.js";
import { AnnouncementStreams } from "./sse/announcements.js";
import { OrderStreams } from "./sse/stream.js";
import { type GatewayStats, newStats } from "./stats.js";
import { socketBehavior } from "./ws/door.js";
import { askGps, gpsWaitMs } from "./ws/gps.js";
import { createSweep } from "./ws/liveness.js";
import { Registry } from "./ws/registry.js";

/** Data only, so that it can be posted to a gateway thread. */
export interface GatewayAuth {
  /** The first signs, all verify. Not asked where `tokens` are given. */
  readonly keys: readonly TokenKey[];
  /** Opens `POST /v1/tokens`. Empty: the door stays shut. */
  readonly operatorSecret: string;
  /** Key of the order ids; the same on every node, kept for as long as idempotency keys are. */
  readonly orderIdSecret: string;
}

export interface GatewayOptions {
  /** Names this gateway to actors and in logs: `node/gateway-0`. */
  readonly id: string;
  readonly client: GatewayClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly auth: GatewayAuth;
  /** Shared with the accounts, which change their keys and revoke them. Default: made of `auth.keys`. */
  readonly tokens?: Tokens;
  readonly index: IndexReader;
  /** What this process holds of the mirror; null when it holds nothing. */
  readonly mirrorCopy: MirrorCopy | null;
  /** The shared mirror; null when there is none. */
  readonly mirror: MirrorReader | null;
  readonly settings?: Partial<GatewaySettings>;
  readonly trackingSettings?: Partial<TrackingSettings>;
  readonly catalogSettings?: Partial<CatalogSettings>;
  readonly quoteSettings?: Partial<QuoteSettings>;
  /** How long ways are, for quotes and for orders. Default: the built-in router at the ordinary speed. */
  readonly router?: Router;
  /** What codes are worth. Without it no code is good. */
  readonly promotions?: PromotionReader;
  /** Where addresses lie. Default: the built-in gazetteer. */
  readonly geocoder?: Geocoder;
  readonly log?: Log;
  /** Told by `GET /v1/node` besides version and time scale. */
  readonly nodeInfo?: HttpDeps["nodeInfo"];
  /** What `GET /readyz` says while serving. Default: ready. */
  readonly ready?: () => boolean;
  /** Where it is recorded what support and admins did. Absent: nowhere. */
  readonly audit?: Pick<AuditLog, "append">;
  /** What everybody is told, by sockets, streams and HTTP. Absent: nothing. */
  readonly announcements?: AnnouncementService;
  /** Phones without our app report by it; null or absent: nobody does. */
  readonly devices?: DeviceService | null;
  /** The services' answers by operation; those without an answer are not served. */
  readonly operations?: readonly AnyOperationHandlers[];
  /** A server in place of the native one, which listens by itself. */
  readonly app?: NativeApp;
  /** When a turn of its event loop ends, where that is not this process' own. */
  readonly endOfTurn?: (run: () => void) => void;
  /** The text of `GET /metrics`. */
  readonly metrics?: () => string | Promise<string>;
}

export interface Gateway {
  /** 0 picks a free port. Resolves with the port; rejects when it cannot be had. */
  listen(port: number, options?: ListenOptions): Promise<number>;
  readonly port: number;
  /** Every file below `directory` under `urlPrefix`. Before or after listening. */
  serveDirectory(urlPrefix: string, directory: string): void;
  /** One document at `urlPath`, replacing what was there. */
  serveJson(urlPath: string, value: unknown): void;
  drain(): Promise<void>;
  close(): void;
  stats(): GatewayStats & { readonly sockets: number; readonly tracking: TrackingStats };
}

const ORDINARY_STREETS = { speedMetersPerSecond: 6.5, streetFactor: 1.35 };
const GATE_TICK_MS = 200;
const SWEEP_MS = 500;
/** A right that has ended closes its stream within this. */
const NEWS_BEAT_MS = 2_000;
const FRONT_DOOR = {
  says: "This node serves the API only. The live map comes with `npm run demo`.",
  docs: "/docs",
  openApi: "/openapi.json",
  asyncApi: "/asyncapi.json",
  node: "/v1/node",
  health: "/readyz",
  metrics: "/metrics",
};

export function createGateway(options: GatewayOptions): Gateway {
  const { client, clock, random, index, mirror, mirrorCopy } = options;
  const settings: GatewaySettings = { ...DEFAULT_GATEWAY_SETTINGS, ...options.settings };
  const log = options.log ?? silentLog;
  const stats = newStats();
  const { auth } = options;
  const catalog = createCatalog({ clock, index, copy: mirrorCopy, settings: options.catalogSettings ?? {} });
  const tracking = createTrackingService({
    clock,
    copy: mirrorCopy,
    mirror,
    index,
    settings: options.trackingSettings ?? {},
  });
  const router = options.router ?? builtInRouter(ORDINARY_STREETS);
  const geocoder = options.geocoder ?? builtInGeocoder();
  const { promotions } = options;
  const orders = createOrderService({
    client,
    menus: catalog,
    clock,
    router,
    geocoder,
    ...(promotions === undefined ? {} : { promotions }),
    orderIdSecret: auth.orderIdSecret,
  });
  const quotes = createQuoteService({ client, menus: catalog, router, clock, settings: options.quoteSettings ?? {} });
  const history = createHistoryService({ index });
  const { commandTimeoutMs: timeoutMs, maxNotAfterMs } = settings;
  const tokens = options.tokens ?? createTokens({ keys: auth.keys, clock, maxCached: settings.maxCachedTokens });
  const gatewayRate = { perMinute: settings.gpsPerMinute, burst: settings.gpsBurst };
  const context: GatewayContext = {
    id: options.id,
    client,
    clock,
    random,
    log,
    endOfTurn: options.endOfTurn ?? endOfTurn,
    settings,
    stats,
    tokens,
    desk: createCommandDesk({ client, orders, clock, tokens, audit: options.audit ?? null, timeoutMs, maxNotAfterMs }),
    tiers: new TierLimits(settings.tierRates, settings.maxLimitedKeys),
    searches: new AtOnce(settings.maxSearchesAtOnce),
    addressOf: createAddressReader(settings.trustedProxies),
    framesPace: paceOf({ perMinute: settings.framesPerMinute, burst: settings.frameBurst }),
    gpsLimits: new Buckets(gatewayRate, settings.maxLimitedKeys),
    gpsPieces: new Gathering(clock, settings.gpsGatherMs),
    gates: new LocationGates({
      client,
      clock,
      gatewayId: options.id,
      positionEveryMs: settings.positionEveryMs,
      ownerSilenceMs: settings.ownerSilenceMs,
      stats,
    }),
    lastBroadcast: new LastBroadcast(),
    announcements: options.announcements ?? null,
    phase: "serving",
  };
  compileValidators();

  const registry = new Registry(context);
  const sockets = { context, registry };
  const sweep = createSweep(sockets);
  const streams = new OrderStreams(context);
  const news = context.announcements === null ? null : new AnnouncementStreams(context, context.announcements);
  // What a stranger's browser sees of a node without pages; pages served at `/` take its place.
  const files = new Map<string, StaticFile>([["/", jsonFile({ name: "Swift Eats", ...FRONT_DOOR })]]);
  const native = options.app === undefined ? uWS.App() : null;
  const app: NativeApp = options.app ?? (native as uWS.TemplatedApp);
  app.ws(settings.socketPath, socketBehavior(sockets));
  const operations = Object.assign(
    Object.create(null),
    quoteOperations(quotes),
    catalogOperations({ client, index, addresses: geocoder, timeoutMs }),
    priceOperations(orders),
    options.announcements?.operations ?? {},
    options.devices?.operations({
      waitMs: (driverId) => gpsWaitMs(context, driverId),
      report: (driverId, batch) => {
        // A device's token outlives sessions; what its driver may do is asked each time.
        const driver = { id: driverId, role: "driver" } as const;
        const code =
          context.tokens.revoked(driver) !== null
            ? "forbidden"
            : context.tokens.mayBeLocated(driver)
              ? null
              : "consent_missing";
        if (code !== null) return Promise.resolve({ ok: false, error: { code, temporary: false } });
        return askGps(context, driverId, batch);
      },
    }) ?? {},
    againOperations({ orders: history, menus: catalog }),
    ...(options.operations ?? []),
  ) as HttpDeps["operations"];
  serveRoutes(app, {
    context,
    documents: createDocuments(settings, servedRoutes(operations)),
    tracking,
    catalog,
    history,
    streams,
    news,
    nodeInfo: options.nodeInfo ?? (() => ({})),
    ready: options.ready ?? (() => true),
    operations,
    database: createDatabaseWatch({ index, clock }),
    metrics: options.metrics ?? null,
    operator: operatorGuard(auth.operatorSecret),
    files,
  });

  let listening: Listening | null = null;
  let port = 0;
  const timers: Cancel[] = [
    clock.every(GATE_TICK_MS, () => context.gates.tick()),
    clock.every(SWEEP_MS, () => {
      sweep();
      streams.sweep();
    }),
    clock.every(settings.streamHeartbeatMs, () => streams.beat()),
    clock.every(NEWS_BEAT_MS, () => news?.beat()),
  ];

  return {
    async listen(wanted, listenOptions = {}) {
      if (native === null) throw new Error("the server given to this gateway listens by itself: do not call `listen`");
      listening = await listenOn(native, wanted, listenOptions);
      log.info({ port: listening.port }, "gateway.listening");
      port = listening.port;
      return port;
    },
    get port() {
      return port;
    },
    serveDirectory(urlPrefix, directory) {
      for (const [path, file] of readStaticFiles(urlPrefix, directory)) files.set(path, file);
    },
    serveJson(urlPath, value) {
      files.set(urlPath, jsonFile(value));
    },
    async drain() {
      if (context.phase !== "serving") return;
      context.phase = "draining";
      log.info({ connections: registry.connections.size }, "gateway.draining");
      const { drainMs } = settings;
      for (const connection of registry.connections) {
        if (connection.state.phase === "open") connection.frame([OP.goaway, CLOSE.drain, 0, drainMs]);
      }
      streams.close(drainMs);
      news?.close();
      const until = clock.monotonic() + drainMs;
      while (registry.connections.size > 0 && clock.monotonic() < until) await sleep(clock, Math.min(100, drainMs));
      for (const connection of [...registry.connections])
        registry.close(connection, CLOSE.drain, "the node is leaving");
    },
    close() {
      if (context.phase === "closed") return;
      context.phase = "closed";
      for (const cancel of timers) cancel();
      listening?.stop();
      listening = null;
      for (const connection of [...registry.connections])
        registry.close(connection, CLOSE.drain, "the node is leaving");
      streams.close(settings.drainMs);
      news?.close();
      context.gates.close();
      app.close();
    },
    stats: () => ({ ...stats, sockets: stats.connections, tracking: tracking.stats }),
  };
}
