/** WebSocket frames: positional arrays `[op, …]`. `[0, frame…]` is a batch of at most 64. */
import type { Json, JsonObject } from "../lib/json.js";
import type { Fix } from "./orders.js";

export const SUBPROTOCOL_MSGPACK = "swifteats.v1.msgpack";
export const SUBPROTOCOL_JSON = "swifteats.v1.json";
/** Where a node upgrades sockets. */
export const SOCKET_PATH = "/v1/ws";
export const MAX_FRAME_BYTES = 16 * 1024;
export const MAX_BATCH = 64;

export const OP = {
  batch: 0,
  hello: 1,
  sub: 2,
  unsub: 3,
  cmd: 4,
  ack: 5,
  gps: 6,
  refresh: 7,
  pong: 8,
  welcome: 16,
  reply: 17,
  err: 18,
  event: 19,
  state: 20,
  subbed: 21,
  ping: 22,
  gpsAck: 23,
  goaway: 24,
  tokenExpiring: 25,
} as const;

export type ClientFrame =
  | readonly [op: 1, token: string, deviceId: string, appVersion: string]
  | readonly [op: 2, id: number, channel: string]
  | readonly [op: 2, id: number, channel: string, epoch: number, offset: number]
  | readonly [op: 3, id: number, channel: string]
  /** `notAfter`: ms since the epoch, at most 12 h ahead; 0 for none. */
  | readonly [op: 4, id: number, idempotencyKey: string, type: string, body: JsonObject, notAfter?: number]
  | readonly [op: 5, channel: string, epoch: number, offset: number]
  | readonly [op: 6, bootId: string, seq0: number, baseTs: number, fixes: readonly Fix[]]
  | readonly [op: 7, id: number, token: string]
  | readonly [op: 8, t: number];

export interface Limits {
  readonly maxFrameBytes: number;
  readonly maxSubscriptions: number;
  readonly commandsPerMinute: number;
}

export type ServerFrame =
  | readonly [op: 16, connId: string, serverTs: number, pingMs: number, tokenTtlMs: number, limits: Limits]
  | readonly [op: 17, id: number, body: Json]
  | readonly [op: 18, id: number, code: string, temporary: boolean, retryAfterMs: number, detail?: JsonObject]
  | readonly [op: 19, channel: string, offset: number, type: string, ts: number, body: Json]
  | readonly [
      op: 20,
      channel: string,
      key: string,
      version: readonly [number, number],
      ts: number,
      ttlMs: number,
      body: Json,
    ]
  /** `recovered`: the events after the asked offset follow. Otherwise STATE `snapshot` follows and replaces everything. */
  | readonly [op: 21, channel: string, epoch: number, top: number, recovered: boolean]
  | readonly [op: 22, t: number]
  | readonly [op: 23, bootId: string, seq: number]
  | readonly [op: 24, code: number, minMs: number, maxMs: number]
  | readonly [op: 25, ms: number];
