/** What the phases share: refusing, and closing for repeated mistakes. */
import { Bucket, paceOf } from "../../lib/buckets.js";
import type { JsonObject } from "../../lib/json.js";
import { CLOSE, ERRORS, type ErrorCode, isErrorCode, OP } from "../../protocol/mod.js";
import type { GatewayContext } from "../context.js";
import type { ActorError } from "../ports.js";
import { count } from "../stats.js";
import type { Connection } from "./connection.js";
import type { Registry } from "./registry.js";

export interface SocketDeps {
  readonly context: GatewayContext;
  readonly registry: Registry;
}

/** Codes that say the client itself is wrong, and not the world: too many of them close the socket. */
const MISTAKES: ReadonlySet<ErrorCode> = new Set([
  "invalid",
  "unknown_command",
  "unknown_channel",
  "forbidden",
  "rate_limited",
]);

/** Sends ERR. A client that goes on making mistakes is closed: 4004 for haste, 4501 for nonsense. */
export function sendError(deps: SocketDeps, connection: Connection, requestId: number, error: ActorError): void {
  const { stats, clock, settings } = deps.context;
  const { maxMistakesPerMinute } = settings;
  const code: ErrorCode = isErrorCode(error.code) ? error.code : "internal";
  count(stats.errors, code);
  const head = [OP.err, requestId, code, error.temporary, Math.ceil(error.retryAfterMs ?? 0)] as const;
  connection.frame(error.detail === undefined ? head : [...head, error.detail]);
  if (!MISTAKES.has(code)) return;
  const now = clock.monotonic();
  connection.mistakes ??= new Bucket(paceOf({ perMinute: maxMistakesPerMinute, burst: maxMistakesPerMinute }), now);
  if (connection.mistakes.take(now) === 0) return;
  if (code === "rate_limited") deps.registry.close(connection, CLOSE.rate, "too many requests");
  else deps.registry.close(connection, CLOSE.protocol, "too many mistakes");
}

export function sendRefusal(
  deps: SocketDeps,
  connection: Connection,
  requestId: number,
  code: ErrorCode,
  detail?: JsonObject,
  retryAfterMs?: number,
): void {
  sendError(deps, connection, requestId, {
    code,
    temporary: ERRORS[code].temporary,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(detail === undefined ? {} : { detail }),
  });
}
