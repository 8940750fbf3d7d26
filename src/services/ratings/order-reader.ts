/** Orders as ratings see them: from the index, and who drove a closed one from the order itself. */
import { type ActorClient, type ActorStore, actorRef } from "../../actors/runtime/mod.js";
import type { DispatchView, OrderTracking } from "../../protocol/mod.js";
import type { OrderReader } from "./ports.js";

const Order = actorRef<{ dispatchView: { input: null; reply: DispatchView } }>("order");
const ASKER = { id: "ratings", role: "support" };
const TIMEOUT_MS = 5_000;

export function createOrderReader(deps: {
  readonly index: Pick<ActorStore, "queryIndex">;
  readonly client: Pick<ActorClient, "ask">;
}): OrderReader {
  return {
    async order(orderId) {
      const [row] = await deps.index.queryIndex({ kind: "order", keys: [orderId], limit: 1 });
      return row === undefined ? null : (row.view as unknown as OrderTracking);
    },
    async driverOf(orderId) {
      // The index forgets the driver with the closing of the order: nobody is to find a person by it.
      const options = { commandId: "", caller: ASKER, timeoutMs: TIMEOUT_MS };
      const answer = await deps.client.ask(Order, orderId, "dispatchView", null, options);
      if (answer.ok) return answer.value.driverId;
      if (answer.error.code === "not_found") return null;
      throw new Error(`order ${orderId} does not say who drove it: ${answer.error.code}`);
    },
  };
}
