/**
 * A message from a socket: size → scan → decode → schema → may this role send it → the phase's own file. Nothing a
 * client sends throws; what is not a frame at all closes with 4501, what is a wrong frame answers ERR.
 */
import { fullAfter, waitOf } from "../../lib/buckets.js";
import { CLOSE, type ClientFrame, framesOf, OP, validateClientFrame } from "../../protocol/mod.js";
import { maySend } from "../auth/access.js";
import { command } from "./command.js";
import type { Connection } from "./connection.js";
import { gps } from "./gps.js";
import { hello, refresh } from "./hello.js";
import { type SocketDeps, sendRefusal } from "./session.js";
import { acknowledge, subscribe, unsubscribe } from "./subscribe.js";

export function receive(deps: SocketDeps, connection: Connection, message: ArrayBuffer, isBinary: boolean): void {
  const { context, registry } = deps;
  if (connection.state.phase === "closed") return;
  connection.heardAt = Math.floor(context.clock.monotonic());
  context.stats.bytesIn += message.byteLength;
  if (isBinary !== connection.codec.binary) {
    registry.close(connection, CLOSE.protocol, isBinary ? "expected text" : "expected binary");
    return;
  }
  const decoded = connection.codec.decode(new Uint8Array(message));
  if (!decoded.ok) {
    registry.close(connection, CLOSE.protocol, decoded.problem);
    return;
  }
  const { value } = decoded;
  if (Array.isArray(value) && value[0] !== OP.batch) {
    frame(deps, connection, value);
    return;
  }
  const frames = framesOf(value);
  if (frames === null) {
    registry.close(connection, CLOSE.protocol, "not a frame");
    return;
  }
  for (const each of frames) {
    frame(deps, connection, each);
    if (closedSince(connection)) return;
  }
}

/**
 * The native server answers pings by itself, and what nobody reads of that waits in our memory: they count as frames. A ping
 * is no word of the client's, which has to be there itself.
 */
export function pinged({ context, registry }: SocketDeps, connection: Connection): void {
  if (connection.state.phase === "closed") return;
  const now = Math.floor(context.clock.monotonic());
  if (waitOf(context.framesPace, connection.framesFullAt, now) > 0) {
    registry.close(connection, CLOSE.rate, "too many frames");
    return;
  }
  connection.framesFullAt = fullAfter(context.framesPace, connection.framesFullAt, now);
}

/** Apart, because the type of `state` would stay narrowed to what it was before the frame. */
function closedSince(connection: Connection): boolean {
  return connection.state.phase === "closed";
}

function frame(deps: SocketDeps, connection: Connection, value: unknown): void {
  const { context, registry } = deps;
  context.stats.framesIn++;
  const { framesFullAt, heardAt } = connection;
  if (waitOf(context.framesPace, framesFullAt, heardAt) > 0) {
    registry.close(connection, CLOSE.rate, "too many frames");
    return;
  }
  connection.framesFullAt = fullAfter(context.framesPace, framesFullAt, heardAt);
  const valid = validateClientFrame(value);
  if (!valid.ok) {
    if (connection.state.phase !== "open" || valid.problem.path === "/0" || !Array.isArray(value)) {
      registry.close(connection, CLOSE.protocol, `${valid.problem.path} ${valid.problem.problem}`.trim());
      return;
    }
    sendRefusal(deps, connection, valid.requestId, "invalid", { ...valid.problem });
    return;
  }
  dispatch(deps, connection, valid.frame);
}

function dispatch(deps: SocketDeps, connection: Connection, frame: ClientFrame): void {
  const { state } = connection;
  switch (state.phase) {
    case "closed":
      return;
    case "opening":
      if (frame[0] === OP.hello) {
        hello(deps, connection, frame[1], frame[2], frame[3]);
        return;
      }
      deps.registry.close(connection, CLOSE.protocol, "HELLO comes first");
      return;
    case "open":
      break;
  }
  if (frame[0] === OP.hello) {
    deps.registry.close(connection, CLOSE.protocol, "HELLO comes once");
    return;
  }
  if (!maySend(frame[0], state.principal.role)) {
    const requestId = frame[0] === OP.gps || frame[0] === OP.ack || frame[0] === OP.pong ? 0 : frame[1];
    sendRefusal(deps, connection, requestId, "forbidden");
    return;
  }
  switch (frame[0]) {
    case OP.gps: {
      gps(deps, connection, state, frame[1], frame[2], frame[3], frame[4]);
      return;
    }
    case OP.pong:
      return;
    case OP.ack: {
      acknowledge(state, frame[1], frame[2], frame[3]);
      return;
    }
    case OP.sub: {
      const from = frame.length === 5 ? { epoch: frame[3], offset: frame[4] } : null;
      subscribe(deps, connection, state, frame[1], frame[2], from);
      return;
    }
    case OP.unsub: {
      unsubscribe(deps, connection, state, frame[1], frame[2]);
      return;
    }
    case OP.cmd: {
      command(deps, connection, state, frame[1], frame[2], frame[3], frame[4], frame[5] ?? 0);
      return;
    }
    case OP.refresh: {
      refresh(deps, connection, state, frame[1], frame[2]);
      return;
    }
  }
}
