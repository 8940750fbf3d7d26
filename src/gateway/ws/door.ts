/**
 * Where sockets come in and go out: the upgrade, and the native callbacks. Nothing here may throw into native code, and
 * nothing may touch a socket after its close handler has run.
 */

import { uuidV7 } from "../../lib/random.js";
import { CLOSE, codecOf, type FrameCodec, MAX_FRAME_BYTES } from "../../protocol/mod.js";
import { sendProblem } from "../http/problem.js";
import type { NativeRequest, NativeResponse, NativeSocket, NativeSocketBehavior } from "../native.js";
import { count } from "../stats.js";
import { Connection } from "./connection.js";
import type { OutboxTerms } from "./outbox.js";
import { pinged, receive } from "./receive.js";
import type { SocketDeps } from "./session.js";

interface UserData {
  readonly codec: FrameCodec;
  connection: Connection | null;
}

/** Above `MAX_FRAME_BYTES` we close with a code; above this the native side cuts the line without one. */
const NATIVE_MAX_BYTES = 4 * MAX_FRAME_BYTES;
/** Far above our own bound: a large snapshot must fit, and the native side must never drop a message silently. */
const NATIVE_MAX_BACKLOG = 16 * 1024 * 1024;
/** Seconds. Ours is shorter; this one also frees sockets whose close frame is never read. */
const NATIVE_IDLE_SECONDS = 120;

export function socketBehavior(deps: SocketDeps): NativeSocketBehavior<UserData> {
  const { context, registry } = deps;
  const { settings, stats, clock, log } = context;
  const terms: OutboxTerms = {
    slotBacklogBytes: settings.slotBacklogBytes,
    reliableBacklogBytes: settings.reliableBacklogBytes,
    stats,
    tooSlow(ws) {
      const { connection } = (ws as NativeSocket<UserData>).getUserData();
      if (connection !== null) registry.close(connection, CLOSE.slow, "reads too slowly");
    },
  };

  function upgrade(res: NativeResponse, req: NativeRequest, socketContext: object): void {
    if (context.phase !== "serving") {
      sendProblem(res, "draining", { retryAfterMs: 1_000 });
      return;
    }
    if (registry.connections.size >= settings.maxConnections || registry.opening >= settings.maxOpening) {
      sendProblem(res, "overloaded", { retryAfterMs: 2_000 });
      return;
    }
    const offered = req.getHeader("sec-websocket-protocol");
    let codec: FrameCodec | null = null;
    for (const name of offered.split(",", 8)) codec ??= codecOf(name.trim());
    if (codec === null) {
      sendProblem(res, "invalid", {
        detail: { path: "/sec-websocket-protocol", problem: "none of the offered subprotocols is spoken here" },
      });
      return;
    }
    res.upgrade<UserData>(
      { codec, connection: null },
      req.getHeader("sec-websocket-key"),
      codec.subprotocol,
      req.getHeader("sec-websocket-extensions"),
      socketContext,
    );
  }

  return {
    maxPayloadLength: NATIVE_MAX_BYTES,
    maxBackpressure: NATIVE_MAX_BACKLOG,
    idleTimeout: NATIVE_IDLE_SECONDS,
    sendPingsAutomatically: false,
    upgrade,
    open(ws) {
      const data = ws.getUserData();
      const connection = new Connection(
        uuidV7(clock.now(), context.random),
        ws as NativeSocket<unknown>,
        data.codec,
        terms,
        clock.monotonic(),
      );
      data.connection = connection;
      registry.add(connection);
    },
    message(ws, message, isBinary) {
      const { connection } = ws.getUserData();
      if (connection === null) return;
      try {
        receive(deps, connection, message, isBinary);
      } catch (error) {
        log.error({ message: String(error), stack: (error as Error)?.stack ?? "" }, "socket.failed");
        registry.close(connection, CLOSE.serverError, "something broke on our side");
      }
    },
    ping(ws) {
      const { connection } = ws.getUserData();
      if (connection !== null) pinged(deps, connection);
    },
    drain(ws) {
      ws.getUserData().connection?.drain();
    },
    close(ws, code) {
      const data = ws.getUserData();
      if (data.connection === null) return;
      if (code < 4000) count(stats.closes, "client");
      registry.remove(data.connection);
      data.connection = null;
    },
  };
}
