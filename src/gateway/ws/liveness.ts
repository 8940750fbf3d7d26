/** Twice a second over all sockets: who has not said HELLO, who is silent, whose token ends or has been revoked. */
import { CLOSE, OP } from "../../protocol/mod.js";
import type { Connection } from "./connection.js";
import type { SocketDeps } from "./session.js";

export function sweep(deps: SocketDeps): void {
  const { clock } = deps.context;
  const monotonic = clock.monotonic();
  const now = clock.now();
  for (const connection of deps.registry.connections) check(deps, connection, monotonic, now);
}

function check(deps: SocketDeps, connection: Connection, monotonic: number, now: number): void {
  const { settings } = deps.context;
  const { registry } = deps;
  const { state } = connection;
  if (state.phase === "opening") {
    if (monotonic - state.since >= settings.helloTimeoutMs) {
      registry.close(connection, CLOSE.helloTimeout, "no HELLO in time");
    }
    return;
  }
  if (state.phase === "closed") return;
  if (monotonic - connection.heardAt >= settings.silenceMs) {
    registry.close(connection, CLOSE.noPong, "nothing heard");
    return;
  }
  const why = deps.context.tokens.revoked(state.principal);
  if (why !== null) {
    endRevoked(deps, connection, why);
    return;
  }
  const leftMs = state.principal.expiresAt - now;
  if (leftMs <= 0) {
    registry.close(connection, CLOSE.tokenExpired, "the token has expired");
    return;
  }
  if (leftMs <= settings.tokenWarningMs && !state.warned) {
    state.warned = true;
    connection.outbox.frame([OP.tokenExpiring, leftMs]);
  }
  if (connection.state.phase === "open" && monotonic - connection.pingedAt >= settings.pingMs) {
    connection.pingedAt = monotonic;
    connection.outbox.frame([OP.ping, now]);
  }
}

/** A banned client has no business here; one that was signed out may come back when somebody signs in. */
function endRevoked(deps: SocketDeps, connection: Connection, why: string): void {
  if (why === "banned") deps.registry.close(connection, CLOSE.forbidden, "banned");
  else deps.registry.close(connection, CLOSE.badToken, `the session has ended: ${why}`);
}
