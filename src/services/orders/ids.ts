import { createHmac } from "node:crypto";
import { brandId, type OrderId } from "../../protocol/mod.js";

/**
 * The id of the order that this customer places with this key: a keyed hash, so that every retry through any node finds
 * the same actor, and nobody without the secret can guess another's order. 128 bits as 32 hexadecimal digits. Changing
 * the secret makes retries of orders under way new orders: keep it as long as keys are remembered (24 h).
 */
export function orderIdOf(secret: string, customerId: string, idempotencyKey: string): OrderId {
  const mac = createHmac("sha256", secret).update(`${customerId}\n${idempotencyKey}`).digest("hex");
  return brandId<OrderId>(mac.slice(0, 32));
}
