/** CMD: a bounded number at once per socket, counted per account together with HTTP. */
import type { JsonObject } from "../../lib/json.js";
import { OP } from "../../protocol/mod.js";
import type { Connection, OpenState } from "./connection.js";
import { type SocketDeps, sendError, sendRefusal } from "./session.js";

export function command(
  deps: SocketDeps,
  connection: Connection,
  state: OpenState,
  requestId: number,
  idempotencyKey: string,
  type: string,
  body: JsonObject,
  notAfter: number,
): void {
  const { context } = deps;
  const { principal } = state;
  const tier = type === "order.place" ? "order" : "command";
  const waitMs = context.tiers.takeFor(principal, tier, context.clock.monotonic());
  if (waitMs > 0) {
    sendRefusal(deps, connection, requestId, "rate_limited", undefined, waitMs);
    return;
  }
  if (state.commandsInFlight >= context.settings.maxCommandsInFlight) {
    sendRefusal(deps, connection, requestId, "overloaded", undefined, 1_000);
    return;
  }
  state.commandsInFlight++;
  context.stats.commands++;
  context.desk.run(principal, { type, idempotencyKey, body, notAfter }).then(
    (result) => {
      state.commandsInFlight--;
      if (connection.state.phase !== "open") return;
      if (result.ok) connection.frame([OP.reply, requestId, result.value]);
      else sendError(deps, connection, requestId, result.error);
    },
    (error: unknown) => {
      state.commandsInFlight--;
      context.log.error({ type, message: String(error) }, "command.failed");
      if (connection.state.phase === "open") sendRefusal(deps, connection, requestId, "internal");
    },
  );
}
