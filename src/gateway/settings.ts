/** What a gateway can be told, with the defaults that hold for one machine. Durations in milliseconds. */
import { SOCKET_PATH } from "../protocol/mod.js";
import { DEFAULT_TIER_RATES, type TierRates } from "./limits/tiers.js";

export interface GatewaySettings {
  /** Of the program, told by `GET /v1/node`. */
  readonly version: string;
  /** By how much the day is shortened, told by `GET /v1/node`. */
  readonly timeScale: number;
  /** Where sockets are upgraded. */
  readonly socketPath: string;
  /** Apps older than this are refused with 4504. Compared number by number. */
  readonly minAppVersion: string;

  readonly helloTimeoutMs: number;
  /** A silent line is pinged this often. */
  readonly pingMs: number;
  /** A silent line on which nothing was heard for this long closes with 4002; one that is told things is asked after it. */
  readonly silenceMs: number;
  /** TOKEN_EXPIRING comes this long before the end. */
  readonly tokenWarningMs: number;
  /** Sockets of this gateway thread, and how many of them may not have said HELLO yet. */
  readonly maxConnections: number;
  readonly maxOpening: number;
  readonly maxConnectionsPerUser: number;
  readonly maxSubscriptions: number;
  /** Commands waiting for their reply, per socket; more are `overloaded`. */
  readonly maxCommandsInFlight: number;
  readonly maxGpsInFlight: number;
  /** Frames of one socket; faster closes with 4004. */
  readonly framesPerMinute: number;
  readonly frameBurst: number;
  /** Refused frames of one socket per minute before it is closed as hostile. */
  readonly maxMistakesPerMinute: number;
  /** Latest-wins values wait in their slots while more than this is unsent. */
  readonly slotBacklogBytes: number;
  /** More than this unsent closes with 4003. */
  readonly reliableBacklogBytes: number;

  /** A subscriber sees a new position at most this often. */
  readonly positionEveryMs: number;
  /** Nothing is shown when the owner of an order has not been heard for this long. */
  readonly ownerSilenceMs: number;

  readonly commandTimeoutMs: number;
  readonly gpsTimeoutMs: number;
  /** Fixes go to the drivers' actors in pieces, at most so long after they came; 0: each by itself. */
  readonly gpsGatherMs: number;
  /** How far ahead `notAfter` may lie. */
  readonly maxNotAfterMs: number;
  /** Batches of fixes per driver. */
  readonly gpsPerMinute: number;
  readonly gpsBurst: number;

  readonly tierRates: TierRates;
  /** Searches of one account, or of one address without one, that wait for their answer; more are `overloaded`. */
  readonly maxSearchesAtOnce: number;
  /** Accounts or addresses remembered per tier. */
  readonly maxLimitedKeys: number;
  readonly maxCachedTokens: number;

  readonly maxBodyBytes: number;
  /** Of a restaurant's whole profile. */
  readonly maxProfileBytes: number;
  /** Of a request for tokens. */
  readonly maxTokenRequestBytes: number;
  readonly bodyTimeoutMs: number;
  /** Held of bodies that have not come whole, all together; more are `overloaded`. */
  readonly maxUnfinishedBytes: number;
  /** Requests being answered at once, per gateway thread. */
  readonly maxRequests: number;
  readonly maxStreams: number;
  readonly streamHeartbeatMs: number;
  /** Exact origins that browsers may call from; `*` is not one. */
  readonly corsOrigins: readonly string[];
  /** Addresses and networks of proxies and load balancers, which are believed when they say for whom they speak. */
  readonly trustedProxies: readonly string[];
  /** GOAWAY asks clients to come back within this window. */
  readonly drainMs: number;
}

export const DEFAULT_GATEWAY_SETTINGS: GatewaySettings = {
  version: "0.0.0",
  timeScale: 1,
  socketPath: SOCKET_PATH,
  minAppVersion: "0",
  helloTimeoutMs: 5_000,
  pingMs: 20_000,
  silenceMs: 50_000,
  tokenWarningMs: 60_000,
  maxConnections: 120_000,
  maxOpening: 16_384,
  maxConnectionsPerUser: 20,
  maxSubscriptions: 100,
  maxCommandsInFlight: 64,
  maxGpsInFlight: 4,
  framesPerMinute: 6_000,
  frameBurst: 1_000,
  maxMistakesPerMinute: 60,
  slotBacklogBytes: 16 * 1024,
  reliableBacklogBytes: 256 * 1024,
  positionEveryMs: 3_000,
  ownerSilenceMs: 5_000,
  commandTimeoutMs: 10_000,
  gpsTimeoutMs: 5_000,
  gpsGatherMs: 20,
  maxNotAfterMs: 12 * 3_600_000,
  gpsPerMinute: 20,
  gpsBurst: 5,
  tierRates: DEFAULT_TIER_RATES,
  maxSearchesAtOnce: 8,
  maxLimitedKeys: 100_000,
  maxCachedTokens: 100_000,
  maxBodyBytes: 32 * 1024,
  maxProfileBytes: 512 * 1024,
  maxTokenRequestBytes: 256 * 1024,
  bodyTimeoutMs: 10_000,
  maxUnfinishedBytes: 64 * 1024 * 1024,
  maxRequests: 10_000,
  maxStreams: 20_000,
  streamHeartbeatMs: 15_000,
  corsOrigins: [],
  trustedProxies: [],
  drainMs: 10_000,
};
