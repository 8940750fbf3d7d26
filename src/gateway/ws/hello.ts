/** From HELLO to WELCOME, and REFRESH: who is there, and until when. */
import { CLOSE, OP } from "../../protocol/mod.js";
import type { Connection, OpenState } from "./connection.js";
import { type SocketDeps, sendRefusal } from "./session.js";

export function hello(
  deps: SocketDeps,
  connection: Connection,
  token: string,
  deviceId: string,
  appVersion: string,
): void {
  const { context, registry } = deps;
  const { settings } = context;
  if (olderThan(appVersion, settings.minAppVersion)) {
    registry.close(connection, CLOSE.version, `needs app ${settings.minAppVersion} or newer`);
    return;
  }
  const verified = context.tokens.verify(token);
  if (!verified.ok) {
    verified.code === "token_expired"
      ? registry.close(connection, CLOSE.tokenExpired, "the token has expired")
      : registry.close(connection, CLOSE.badToken, "not a valid token");
    return;
  }
  const state: OpenState = {
    phase: "open",
    principal: verified.principal,
    gpsInFlight: 0,
    gpsBucket: null,
    deviceId,
    warned: false,
    subscriptions: null,
    commandsInFlight: 0,
  };
  const replaced = registry.open(connection, state);
  if (replaced === null) {
    registry.close(connection, CLOSE.tooManyConnections, "too many connections of this account");
    return;
  }
  if (replaced !== undefined) registry.close(replaced, CLOSE.replaced, "this device has connected again");
  const now = context.clock.now();
  connection.frame([
    OP.welcome,
    connection.id,
    now,
    settings.pingMs,
    Math.max(0, verified.principal.expiresAt - now),
    {
      maxFrameBytes: 16 * 1024,
      maxSubscriptions: settings.maxSubscriptions,
      commandsPerMinute: settings.tierRates.command.perMinute,
    },
  ]);
  // Said before the time until the first PING counts.
  connection.hasSpoken();
  if (context.phase === "draining") connection.frame([OP.goaway, CLOSE.drain, 0, settings.drainMs]);
}

export function refresh(
  deps: SocketDeps,
  connection: Connection,
  state: OpenState,
  requestId: number,
  token: string,
): void {
  const verified = deps.context.tokens.verify(token);
  if (!verified.ok) {
    sendRefusal(deps, connection, requestId, verified.code);
    return;
  }
  const { principal } = verified;
  const same =
    principal.id === state.principal.id &&
    principal.role === state.principal.role &&
    principal.accountId === state.principal.accountId;
  if (!same) {
    sendRefusal(deps, connection, requestId, "forbidden");
    return;
  }
  const tokenTtlMs = Math.max(0, principal.expiresAt - deps.context.clock.now());
  state.principal = principal;
  // Whoever brings one that is about to end, too, has no better one: told again, it would be brought again, and so on.
  state.warned = tokenTtlMs <= deps.context.settings.tokenWarningMs;
  connection.quietUntil = 0;
  connection.frame([OP.reply, requestId, { tokenTtlMs }]);
}

/** Compares dotted numbers from the left; what is not a number counts as 0. */
export function olderThan(version: string, minimum: string): boolean {
  const parts = version.split(".", 4);
  const wanted = minimum.split(".", 4);
  for (let i = 0; i < wanted.length; i++) {
    const have = Number.parseInt(parts[i] ?? "0", 10) || 0;
    const need = Number.parseInt(wanted[i] ?? "0", 10) || 0;
    if (have !== need) return have < need;
  }
  return false;
}
