/** GPS frames: the hot way in. The acknowledgement proves that the driver's actor has processed the batch. */
import { actorRef } from "../../actors/runtime/mod.js";
import { type Fix, GPS, type GpsBatch, type GpsReply, OP } from "../../protocol/mod.js";
import type { GatewayContext } from "../context.js";
import type { AskResult } from "../ports.js";
import type { Connection, OpenState } from "./connection.js";
import { type SocketDeps, sendError, sendRefusal } from "./session.js";

const Driver = actorRef<{ gps: { input: GpsBatch; reply: GpsReply } }>(GPS.actor);

/** For all doors: one batch of one driver. Never de-duplicated by id: the boot id and sequence numbers do that. */
function passOn(
  context: GatewayContext,
  driverId: string,
  batch: GpsBatch,
  answered: (result: AskResult<GpsReply>) => void,
): void {
  const { stats, client, settings } = context;
  stats.gpsBatches++;
  context.gpsPieces.add(() => {
    const options = {
      commandId: "",
      caller: { id: driverId, role: "driver" },
      timeoutMs: settings.gpsTimeoutMs,
      // Thousands a second, and no person waits for one.
      mayWait: true,
    };
    client.askThen(Driver, driverId, GPS.name, batch, options, answered);
  });
}

export function askGps(context: GatewayContext, driverId: string, batch: GpsBatch): Promise<AskResult<GpsReply>> {
  return new Promise((resolve) => passOn(context, driverId, batch, resolve));
}

/** 0 when the driver may send a batch now; otherwise milliseconds to wait. */
export function gpsWaitMs(context: GatewayContext, driverId: string): number {
  const waitMs = context.gpsLimits.take(driverId, context.clock.monotonic());
  if (waitMs > 0) context.stats.gpsLimited++;
  return waitMs;
}

export function gps(
  deps: SocketDeps,
  connection: Connection,
  state: OpenState,
  bootId: string,
  seq0: number,
  baseTs: number,
  fixes: readonly Fix[],
): void {
  const { context } = deps;
  const driverId = state.principal.id;
  const bucket = context.gpsLimits.bucketOf(driverId, connection.heardAt, state.gpsBucket);
  state.gpsBucket = bucket;
  const waitMs = bucket.take(connection.heardAt);
  // GPS has no request id: 0 stands for the connection. What is not acknowledged is sent again by the app.
  if (waitMs > 0) {
    context.stats.gpsLimited++;
    sendRefusal(deps, connection, 0, "rate_limited", undefined, waitMs);
    return;
  }
  if (!context.tokens.mayBeLocated(state.principal)) {
    sendRefusal(deps, connection, 0, "consent_missing");
    return;
  }
  if (state.gpsInFlight >= context.settings.maxGpsInFlight) {
    sendRefusal(deps, connection, 0, "overloaded", undefined, 1_000);
    return;
  }
  state.gpsInFlight++;
  passOn(context, driverId, { bootId, seq0, baseTs, fixes: fixes as Fix[] }, (result) => {
    state.gpsInFlight--;
    if (connection.state.phase !== "open") return;
    if (result.ok) connection.frame([OP.gpsAck, result.value.bootId, result.value.seq]);
    else sendError(deps, connection, 0, result.error);
  });
}
