/** Twice a second over all sockets: who has not said HELLO, who is silent, whose token ends or has been revoked. */
import { CLOSE, OP } from "../../protocol/mod.js";
import type { GatewaySettings } from "../settings.js";
import type { Connection } from "./connection.js";
import type { SocketDeps } from "./session.js";

/** More than this between the two clocks' ways: somebody has set the wall clock. */
const CLOCK_SET_MS = 250;
/** Of `pingMs`. A client takes the line for dead after one and a half of it. */
const LOOK_AGAIN_SHARE = 0.25;

export function createSweep(deps: SocketDeps): () => void {
  const { clock, tokens } = deps.context;
  let wallAhead = 0;
  let revocations = -1;
  return () => {
    const monotonic = Math.floor(clock.monotonic());
    const now = clock.now();
    // What is due when is known of each socket, unless a token lost its worth or the wall clock was set.
    const asExpected = Math.abs(now - monotonic - wallAhead) < CLOCK_SET_MS && tokens.revocations === revocations;
    wallAhead = now - monotonic;
    revocations = tokens.revocations;
    for (const connection of deps.registry.connections) {
      if (asExpected && monotonic < connection.quietUntil) continue;
      check(deps, connection, monotonic, now);
      connection.quietUntil = quietUntil(deps, connection, monotonic, now);
    }
  };
}

/** Nothing of this socket is due before, whatever is heard meanwhile; a new principal is looked at anew. */
function quietUntil(deps: SocketDeps, connection: Connection, monotonic: number, now: number): number {
  const { settings } = deps.context;
  const { state } = connection;
  if (state.phase !== "open") return 0;
  const leftMs = state.principal.expiresAt - now - (state.warned ? 0 : settings.tokenWarningMs);
  const due = Math.min(connection.pingedAt + settings.pingMs, monotonic + leftMs);
  return isUnanswered(connection) ? Math.min(due, connection.askedAt + answerMs(settings)) : due;
}

const isUnanswered = ({ askedAt, heardAt }: Connection): boolean => askedAt > heardAt;
/** So that who says nothing and is told nothing is given up after `silenceMs`. */
const answerMs = ({ silenceMs, pingMs }: GatewaySettings): number => silenceMs - pingMs;

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
  if (isUnanswered(connection) && monotonic - connection.askedAt >= answerMs(settings)) {
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
    connection.frame([OP.tokenExpiring, leftMs]);
  }
  if (connection.state.phase === "open" && monotonic - connection.pingedAt >= settings.pingMs) ping(deps, connection);
}

/**
 * A PING tells the client that we are here, and asks whether it is. Who has been told something else lately needs the first
 * no more, and is asked only after `silenceMs`: on a phone that follows its dinner each PING wakes the radio twice, and all
 * that a dead one costs are the positions it is sent.
 */
function ping({ context: { clock, settings } }: SocketDeps, connection: Connection): void {
  const monotonic = Math.floor(clock.monotonic());
  const wasTold = connection.hasSpoken();
  if (wasTold && monotonic - connection.heardAt < settings.silenceMs) {
    // It may have been told at the beginning of this time: the next look comes long before the client would wonder.
    connection.pingedAt = Math.floor(monotonic - settings.pingMs * (1 - LOOK_AGAIN_SHARE));
    return;
  }
  if (!isUnanswered(connection)) connection.askedAt = monotonic;
  connection.pingedAt = monotonic;
  connection.frame([OP.ping, clock.now()]);
  connection.hasSpoken();
}

/** A banned client has no business here; one that was signed out may come back when somebody signs in. */
function endRevoked(deps: SocketDeps, connection: Connection, why: string): void {
  if (why === "banned") deps.registry.close(connection, CLOSE.forbidden, "banned");
  else deps.registry.close(connection, CLOSE.badToken, `the session has ended: ${why}`);
}
